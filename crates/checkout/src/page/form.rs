//! The page with the form.

use cobro_domain::payment::DeclineReason;
use cobro_surface::html::escape;

use super::{FORM, Filling, Page, Said};
use crate::brands;
use crate::form::{Fault, Typed};
use crate::merchandise::{Behaviour, OfferedCard};
use crate::order::{Person, payer_of};
use crate::stand::Stand;

/// A field with its label, its hint and what is wrong with it.
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    pub(super) label: &'a str,
    pub(super) value: &'a str,
    pub(super) hint: &'a str,
    pub(super) fault: Option<String>,
    pub(super) autocomplete: &'static str,
    /// Further attributes, HTML.
    pub(super) attributes: &'static str,
    /// What stands instead of an `input`, HTML; `{}` is where the common attributes go.
    pub(super) control: Option<String>,
    pub(super) optional: Option<&'a str>,
}

impl<'a> Field<'a> {
    pub(super) const fn new(name: &'static str, label: &'a str) -> Self {
        Self {
            name,
            label,
            value: "",
            hint: "",
            fault: None,
            autocomplete: "off",
            attributes: "",
            control: None,
            optional: None,
        }
    }

    pub(super) fn render(&self) -> String {
        let name = self.name;
        let (has_hint, has_fault) = (!self.hint.is_empty(), self.fault.is_some());
        let mut common = format!(" id=\"{name}\" name=\"{name}\"");
        let described = match (has_hint, has_fault) {
            (true, true) => format!(" aria-describedby=\"{name}-fault {name}-hint\""),
            (true, false) => format!(" aria-describedby=\"{name}-hint\""),
            (false, true) => format!(" aria-describedby=\"{name}-fault\""),
            (false, false) => String::new(),
        };
        common.push_str(&described);
        common.push_str(if has_fault { " aria-invalid=\"true\"" } else { "" });
        common.push_str(if self.optional.is_none() { " required" } else { "" });
        let mut html = format!("<div class=\"field\" data-field=\"{name}\"><label for=\"{name}\">");
        escape(self.label, &mut html);
        if let Some(word) = self.optional {
            html.push_str(" <span class=\"optional\">(");
            escape(word, &mut html);
            html.push_str(")</span>");
        }
        html.push_str("</label>");
        if let Some(control) = &self.control {
            html.push_str(&control.replacen("{}", &common, 1));
        } else {
            let (complete, more) = (self.autocomplete, self.attributes);
            html.push_str(&format!("<input{common} autocomplete=\"{complete}\"{more} value=\""));
            escape(self.value, &mut html);
            html.push_str("\">");
        }
        if has_hint {
            html.push_str(&format!("<p class=\"hint\" id=\"{name}-hint\">"));
            escape(self.hint, &mut html);
            html.push_str("</p>");
        }
        // Scripts write into it, so it is there without a fault too.
        let hidden = if has_fault { "" } else { " hidden" };
        html.push_str(&format!("<p class=\"fault\" id=\"{name}-fault\"{hidden}>"));
        escape(self.fault.as_deref().unwrap_or(""), &mut html);
        html.push_str("</p></div>");
        html
    }
}

impl Page<'_> {
    pub(super) fn form_title(&self) -> String {
        let key = if self.is_subscription() { "form-store" } else { "form-pay" };
        self.words.text(key).to_owned()
    }

    pub(super) fn form(&self, stand: &Stand, said: Said<'_>) -> String {
        let words = self.words;
        let pay = match self.left() {
            None => words.text("store").to_owned(),
            Some(left) => words.with("pay", &[("amount", &self.style.amount(left))]),
        };
        let typed = said.typed;
        let text = |pick: fn(&Typed) -> &String| typed.map_or("", |typed| pick(typed));
        let begin = self.begin(typed);
        let cvv_hint = words.text("cvv-back");
        let number = Field {
            fault: self.fault(said, "number"),
            autocomplete: "cc-number",
            attributes: " inputmode=\"numeric\" maxlength=\"25\" spellcheck=\"false\"",
            ..Field::new("number", words.text("number"))
        };
        let expiration = Field {
            value: text(|typed| &typed.expiration),
            hint: words.text("expiration-hint"),
            fault: self.fault(said, "expiration"),
            autocomplete: "cc-exp",
            attributes: " inputmode=\"numeric\" maxlength=\"9\"",
            ..Field::new("expiration", words.text("expiration"))
        };
        let cvv = Field {
            hint: cvv_hint,
            fault: self.fault(said, "cvv"),
            autocomplete: "cc-csc",
            attributes: " inputmode=\"numeric\" maxlength=\"4\" spellcheck=\"false\"",
            ..Field::new("cvv", words.text("cvv"))
        };
        let full_name = begin.full_name();
        let name = Field {
            value: if typed.is_some() { text(|typed| &typed.name) } else { &full_name },
            fault: self.fault(said, "name"),
            autocomplete: "cc-name",
            attributes: " autocapitalize=\"words\" spellcheck=\"false\" maxlength=\"120\"",
            ..Field::new("name", words.text("name"))
        };
        let notice = match (said.faults, said.notice, stand) {
            ([], None, Stand::Open { declined: Some(reason) }) => self.declined(*reason),
            ([], notice, _) => self.notice(notice),
            (faults, _, _) => self.summary_of(faults),
        };
        Filling::default()
            .value("title", self.form_title())
            .value("csrf", self.csrf)
            .value("pay", pay)
            .part("notice", notice)
            .part("cards", self.cards())
            .part("part", self.part(said))
            .part("number", number.render())
            .part("expiration", expiration.render())
            .part("cvv", cvv.render())
            .part("name", name.render())
            .part("installments", self.installments(said))
            .part("payer", self.payer(said, &begin))
            .part("save", self.save(said))
            .render(FORM, words)
    }

    /// What the form begins with: what the shop fixed, was typed before, or is suggested.
    fn begin(&self, typed: Option<&Typed>) -> Person {
        if let Some(typed) = typed {
            return Person {
                document_type: typed.document_type.clone(),
                document: typed.document.clone(),
                email: typed.email.clone(),
                mobile: typed.mobile.clone(),
                ..Person::default()
            };
        }
        let before = payer_of(&self.view.session.luggage);
        self.order.payer.or(&before).or(&self.order.suggestion)
    }

    /// The text of a fault.
    pub(crate) fn fault_text(&self, fault: Fault) -> String {
        let amount = self.left().map(|left| self.style.amount(left)).unwrap_or_default();
        let example = self.left().map(|left| self.style.digits(left)).unwrap_or_default();
        self.words.with(fault.key(), &[("amount", &amount), ("example", &example)])
    }

    fn fault(&self, said: Said<'_>, field: &str) -> Option<String> {
        let found = said.faults.iter().find(|fault| fault.field() == field)?;
        Some(self.fault_text(*found))
    }

    /// What is wrong, with links to the fields. A script puts the focus there.
    fn summary_of(&self, faults: &[Fault]) -> String {
        let mut html =
            "<div class=\"notice bad\" id=\"notice\" role=\"alert\" tabindex=\"-1\"><h2>"
                .to_owned();
        escape(self.words.text("errors"), &mut html);
        html.push_str("</h2><ul>");
        for fault in faults {
            html.push_str(&format!("<li><a href=\"#{}\">", fault.field()));
            escape(&self.fault_text(*fault), &mut html);
            html.push_str("</a></li>");
        }
        html.push_str("</ul></div>");
        html
    }

    /// Why the last card was not taken, and how many tries are left.
    fn declined(&self, reason: Option<DeclineReason>) -> String {
        let (words, session) = (self.words, &self.view.session);
        let title = if self.is_subscription() { "declined-store" } else { "declined" };
        let mut html =
            "<div class=\"notice bad\" id=\"notice\" role=\"alert\" tabindex=\"-1\"><h2>"
                .to_owned();
        escape(words.text(title), &mut html);
        html.push_str("</h2><p>");
        let why = reason.map_or_else(|| "decline-failed".to_owned(), decline_key);
        escape(&words.with(&why, &[]), &mut html);
        html.push_str("</p><p class=\"small\">");
        if let Some(payment) = self.view.payments.first() {
            escape(&self.facts_words(&payment.card, "declined-card"), &mut html);
            html.push_str(" · ");
        }
        let left = session.attempts_max.saturating_sub(session.attempts).to_string();
        escape(&words.with("attempts-left", &[("count", &left)]), &mut html);
        html.push_str("</p></div>");
        html
    }

    /// The buttons that fill a test card; scripts show them.
    fn cards(&self) -> String {
        let cards = self.merchandise.test_cards();
        if !self.world.is_sandbox() || cards.is_empty() {
            return String::new();
        }
        let now = self.world.now().calendar().to_zoned(jiff::tz::TimeZone::UTC);
        let year = now.year().rem_euclid(100).saturating_add(3) % 100;
        let sample = self.merchandise.documents(self.merchant).first();
        let mut html = "<div class=\"cards\" id=\"cards\" hidden".to_owned();
        if let Some(sample) = sample {
            html.push_str(&format!(" data-type=\"{}\" data-document=\"", sample.code));
            escape(sample.sample, &mut html);
            html.push('"');
        }
        html.push_str("><p class=\"cards-title\" id=\"cards-title\"><strong>");
        escape(self.words.text("cards"), &mut html);
        html.push_str("</strong> ");
        escape(self.words.text("cards-lead"), &mut html);
        html.push_str("</p><div class=\"chips\" role=\"group\" aria-labelledby=\"cards-title\">");
        for card in cards {
            self.card(card, year, &mut html);
        }
        html.push_str("</div></div>");
        html
    }

    fn card(&self, card: &OfferedCard, year: i16, html: &mut String) {
        let key = behaviour_key(card.behaviour);
        let code = brands::Brand::of_id(card.brand).map_or(3, |brand| brand.code);
        let code = if code == 4 { "1234" } else { "123" };
        let last = card.number.get(card.number.len().saturating_sub(4)..).unwrap_or("");
        html.push_str(&format!(
            "<button type=\"button\" class=\"chip\" data-number=\"{}\" data-code=\"{code}\" \
             data-expiration=\"12/{year:02}\" data-behaviour=\"{key}\"><span>",
            card.number
        ));
        escape(self.words.text(key), html);
        html.push_str("</span> <small>");
        escape(brands::name(card.brand), html);
        html.push_str(&format!(" {last}</small></button>"));
    }

    /// All that is left, or a part of it.
    fn part(&self, said: Said<'_>) -> String {
        let (words, session) = (self.words, &self.view.session);
        let Some(left) = self.left().filter(|_| session.allow_partial) else {
            return String::new();
        };
        let typed = said.typed.map_or("", |typed| typed.amount.as_str());
        let (all, part) = if typed.is_empty() { (" checked", "") } else { ("", " checked") };
        let whole = self.style.digits(left);
        let mut html = "<fieldset><legend>".to_owned();
        escape(words.text("section-amount"), &mut html);
        html.push_str("</legend><div class=\"choices\">");
        for (value, key, checked) in [("all", "amount-all", all), ("part", "amount-part", part)] {
            html.push_str(&format!(
                "<label class=\"choice\"><input type=\"radio\" name=\"part\" value=\"{value}\"{checked}> \
                 <span>"
            ));
            escape(words.text(key), &mut html);
            html.push_str("</span></label>");
        }
        html.push_str("</div>");
        let amount = Field {
            value: if typed.is_empty() { &whole } else { typed },
            fault: self.fault(said, "amount"),
            attributes: " inputmode=\"decimal\" maxlength=\"20\"",
            ..Field::new("amount", words.text("amount"))
        };
        html.push_str(&amount.render());
        html.push_str("</fieldset>");
        html
    }

    fn installments(&self, said: Said<'_>) -> String {
        let (words, session) = (self.words, &self.view.session);
        let max = match session.amount {
            Some(_) => self.merchandise.installments_max(self.merchant, session),
            None => 1,
        };
        if max <= 1 {
            return String::new();
        }
        let typed = said.typed.map_or("", |typed| typed.installments.as_str());
        let mut control = "<select{}>".to_owned();
        for count in 1..=max {
            let count = count.to_string();
            let selected = if typed == count { " selected" } else { "" };
            control.push_str(&format!("<option value=\"{count}\"{selected}>"));
            let key = if count == "1" { "installments-one" } else { "installments-many" };
            escape(&words.with(key, &[("count", &count)]), &mut control);
            control.push_str("</option>");
        }
        control.push_str("</select>");
        Field {
            control: Some(control),
            fault: self.fault(said, "installments"),
            ..Field::new("installments", words.text("installments"))
        }
        .render()
    }

    /// Document, e-mail and telephone; what the shop fixed is shown, not asked.
    fn payer(&self, said: Said<'_>, begin: &Person) -> String {
        let (words, known) = (self.words, &self.order.payer);
        let kinds = self.merchandise.documents(self.merchant);
        let mut fixed = String::new();
        let mut html = "<fieldset><legend>".to_owned();
        escape(words.text("section-payer"), &mut html);
        html.push_str("</legend>");
        if !known.document.is_empty() {
            let value = format!("{} {}", known.document_type, known.document);
            super::line(&mut fixed, words.text("document"), value.trim());
        } else if !kinds.is_empty() {
            html.push_str("<div class=\"row document\">");
            html.push_str(&self.document_type(said, begin).render());
            let required = self.merchandise.document_required(self.merchant);
            let document = Field {
                value: &begin.document,
                fault: self.fault(said, "document"),
                attributes: " maxlength=\"25\" spellcheck=\"false\"",
                optional: (!required).then(|| words.text("optional")),
                ..Field::new("document", words.text("document"))
            };
            html.push_str(&document.render());
            html.push_str("</div>");
        }
        super::line(&mut fixed, words.text("email"), &known.email);
        super::line(&mut fixed, words.text("mobile"), &known.mobile);
        if known.email.is_empty() {
            let email = Field {
                value: &begin.email,
                hint: words.text("email-hint"),
                fault: self.fault(said, "email"),
                autocomplete: "email",
                attributes: " type=\"email\" inputmode=\"email\" maxlength=\"80\"",
                ..Field::new("email", words.text("email"))
            };
            html.push_str(&email.render());
        }
        if known.mobile.is_empty() {
            let mobile = Field {
                value: &begin.mobile,
                fault: self.fault(said, "mobile"),
                autocomplete: "tel",
                attributes: " type=\"tel\" inputmode=\"tel\" maxlength=\"30\"",
                optional: Some(words.text("optional")),
                ..Field::new("mobile", words.text("mobile"))
            };
            html.push_str(&mobile.render());
        }
        if !fixed.is_empty() {
            html.push_str("<p class=\"hint\">");
            escape(words.text("known"), &mut html);
            html.push_str(&format!("</p><dl class=\"lines boxed\">{fixed}</dl>"));
        }
        html.push_str("</fieldset>");
        html
    }

    fn document_type(&self, said: Said<'_>, begin: &Person) -> Field<'_> {
        let mut control = "<select{}>".to_owned();
        for kind in self.merchandise.documents(self.merchant) {
            let selected = if kind.code == begin.document_type { " selected" } else { "" };
            control.push_str(&format!("<option value=\"{}\"{selected}>", kind.code));
            escape(&format!("{} · {}", kind.code, kind.name), &mut control);
            control.push_str("</option>");
        }
        control.push_str("</select>");
        Field {
            control: Some(control),
            fault: self.fault(said, "documentType"),
            ..Field::new("documentType", self.words.text("document-type"))
        }
    }

    /// The consent to store the card: asked for, or offered.
    fn save(&self, said: Said<'_>) -> String {
        let (words, session) = (self.words, &self.view.session);
        let key = match (self.is_subscription(), session.offers_storing) {
            (true, _) => "save-store",
            (false, true) => "save-offer",
            (false, false) => return String::new(),
        };
        let checked = if said.typed.is_some_and(|typed| typed.save) { " checked" } else { "" };
        let fault = self.fault(said, "save");
        let invalid = if fault.is_some() { " aria-invalid=\"true\"" } else { "" };
        let hidden = if fault.is_some() { "" } else { " hidden" };
        let mut html = format!(
            "<div class=\"field consent\" data-field=\"save\"><label class=\"choice\"><input \
             type=\"checkbox\" id=\"save\" name=\"save\" value=\"1\"{checked}{invalid} \
             aria-describedby=\"save-fault save-hint\"> <span>"
        );
        escape(&words.with(key, &[("shop", &self.merchant.name)]), &mut html);
        html.push_str("</span></label><p class=\"hint\" id=\"save-hint\">");
        escape(words.text("save-hint"), &mut html);
        html.push_str(&format!("</p><p class=\"fault\" id=\"save-fault\"{hidden}>"));
        escape(fault.as_deref().unwrap_or(""), &mut html);
        html.push_str("</p></div>");
        html
    }
}

/// The key of the text of a reason.
pub(crate) fn decline_key(reason: DeclineReason) -> String {
    format!("decline-{}", reason.code())
}

pub(crate) const fn behaviour_key(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Approved => "behaviour-approved",
        Behaviour::Challenged => "behaviour-challenged",
        Behaviour::Declined => "behaviour-declined",
        Behaviour::PendingApproved => "behaviour-pending-approved",
        Behaviour::PendingDeclined => "behaviour-pending-declined",
    }
}
