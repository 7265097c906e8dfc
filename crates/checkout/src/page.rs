//! The pages: what stands on them and what they are made of.

pub(crate) mod form;
mod result;

use cobro_domain::card::CardFacts;
use cobro_domain::merchant::Merchant;
use cobro_domain::session::SessionKind;
use cobro_domain::{Money, Timestamp};
use cobro_engine::World;
use cobro_engine::sessions::SessionView;
use cobro_engine::typed_cards::Challenged;
use cobro_surface::html::{Hole, escape, fill, json_in_script};
use cobro_surface::texts::{Language, Texts, filled};
use serde_json::json;

use crate::brands;
use crate::form::{Fault, Typed};
use crate::merchandise::Merchandise;
use crate::money::Style;
use crate::order::{Order, ShownField};
use crate::stand::Stand;

pub(crate) const LAYOUT: &str = include_str!("../pages/layout.html");
pub(crate) const ORDER: &str = include_str!("../pages/order.html");
pub(crate) const FORM: &str = include_str!("../pages/form.html");
pub(crate) const CHALLENGE: &str = include_str!("../pages/challenge.html");
pub(crate) const RESULT: &str = include_str!("../pages/result.html");
pub(crate) const RECEIPT: &str = include_str!("../pages/receipt.html");

/// How often a page without scripts asks again, in seconds.
const REFRESH: &str = "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n";

/// The words of one language.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) texts: &'a Texts,
    pub(crate) language: Language,
}

impl<'a> Words<'a> {
    /// A text.
    pub(crate) fn text(self, key: &'a str) -> &'a str {
        self.texts.text(self.language, key)
    }

    /// A text with its variables filled in.
    pub(crate) fn with(self, key: &str, values: &[(&str, &str)]) -> String {
        filled(self.texts.text(self.language, key), values)
    }
}

/// What fills a fragment: values, which are escaped, and parts, which are HTML.
#[derive(Default)]
struct Filling {
    values: Vec<(&'static str, String)>,
    parts: Vec<(&'static str, String)>,
}

impl Filling {
    fn value(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    fn part(mut self, name: &'static str, html: impl Into<String>) -> Self {
        self.parts.push((name, html.into()));
        self
    }

    fn render(&self, fragment: &str, words: Words<'_>) -> String {
        let find = |all: &[(&str, String)], name: &str| {
            all.iter().find(|(one, _)| *one == name).map(|(_, text)| text.clone())
        };
        let mut html = String::with_capacity(4096);
        fill(fragment, &mut html, |hole, html| match hole {
            Hole::Text(key) => escape(words.texts.text(words.language, key), html),
            Hole::Value(name) => escape(&find(&self.values, name).unwrap_or_default(), html),
            Hole::Part(name) => html.push_str(&find(&self.parts, name).unwrap_or_default()),
        });
        html
    }
}

/// What a page is about.
pub(crate) struct Page<'a> {
    pub(crate) words: Words<'a>,
    pub(crate) style: Style,
    pub(crate) world: &'a World,
    pub(crate) merchant: &'a Merchant,
    pub(crate) view: &'a SessionView,
    pub(crate) order: &'a Order,
    pub(crate) merchandise: &'a dyn Merchandise,
    pub(crate) csrf: &'a str,
}

/// What a page says besides where the session stands.
#[derive(Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    /// What is wrong with the form.
    pub(crate) faults: &'a [Fault],
    /// What was typed; only what is no secret of the card is shown again.
    pub(crate) typed: Option<&'a Typed>,
    /// The key of a notice.
    pub(crate) notice: Option<&'static str>,
}

impl Page<'_> {
    /// The page for where the session stands.
    pub(crate) fn render(&self, stand: &Stand, said: Said<'_>) -> String {
        let (name, title, body) = match stand {
            Stand::Open { .. } => ("form", self.form_title(), self.form(stand, said)),
            Stand::Challenge(card) => {
                let title = self.words.text("challenge").to_owned();
                ("challenge", title, self.challenge(card, said))
            }
            stand => {
                let (title, body) = self.result(stand);
                ("result", title, body)
            }
        };
        let is_open = matches!(stand, Stand::Open { .. } | Stand::Challenge(_));
        let title = self.title(&title, is_open, said);
        let refresh = if *stand == Stand::Waiting { REFRESH } else { "" };
        self.layout(name, &title)
            .part("refresh", refresh)
            .part("clock", if is_open { self.clock() } else { String::new() })
            .part("order", if is_open { self.summary() } else { String::new() })
            .part("body", body)
            .part("facts", self.facts(stand))
            .render(LAYOUT, self.words)
    }

    fn layout(&self, name: &str, title: &str) -> Filling {
        let shop = &self.merchant.name;
        let initial: String = shop.chars().take(1).flat_map(char::to_uppercase).collect();
        frame(self.words, self.world.is_sandbox())
            .value("page", name)
            .value("title", title)
            .value("shop", shop.clone())
            .value("initial", initial)
    }

    /// The title of the window: what is wrong comes first, so that it is heard first.
    fn title(&self, title: &str, is_open: bool, said: Said<'_>) -> String {
        let shop = [("shop", self.merchant.name.as_str())];
        let subject = match (is_open, self.is_subscription()) {
            (true, true) => self.words.with("page-title-store", &shop),
            (true, false) => self.words.with("page-title", &shop),
            (false, _) => format!("{title} · {}", self.merchant.name),
        };
        if said.faults.is_empty() {
            return subject;
        }
        self.words.with("page-title-error", &[("title", &subject)])
    }

    fn is_subscription(&self) -> bool {
        self.view.session.kind == SessionKind::Subscription
    }

    /// What is left to be paid.
    fn left(&self) -> Option<Money> {
        let session = &self.view.session;
        session.amount.map(|whole| Money::new(session.left_minor(), whole.currency))
    }

    fn clock(&self) -> String {
        let (now, end) = (self.world.now(), self.view.session.expires_at);
        let left_s = ((end.micros() - now.micros()) / 1_000_000).max(0);
        let minutes = (left_s / 60).to_string();
        let words = self.words;
        let label = words.text("left-label");
        let until = words.with("left-until", &[("time", &self.time(end, "%H:%M"))]);
        let text = if left_s < 24 * 3600 {
            words.with("left-minutes", &[("minutes", &minutes)])
        } else {
            words.with("left-until", &[("time", &self.time(end, "%Y-%m-%d %H:%M"))])
        };
        let mut html = format!("<p class=\"clock\" id=\"clock\" data-left=\"{left_s}\" title=\"");
        escape(&until, &mut html);
        html.push_str("\"><span class=\"sr\">");
        escape(label, &mut html);
        html.push_str(": </span><span id=\"clock-text\">");
        escape(&text, &mut html);
        html.push_str("</span></p><p class=\"sr\" id=\"clock-news\" role=\"status\"></p>");
        html
    }

    /// A moment in the merchant's time zone.
    fn time(&self, at: Timestamp, format: &str) -> String {
        let zone = self.merchandise.time_zone(self.merchant);
        at.calendar().to_zoned(zone).strftime(format).to_string()
    }

    fn summary(&self) -> String {
        let (words, session) = (self.words, &self.view.session);
        let partly = session.paid_minor > 0;
        let label = match self.left() {
            Some(_) if partly => "order-left",
            Some(_) => "order-total",
            None => "order-store",
        };
        let total = self.left().map(|left| self.style.amount(left));
        let total = total.unwrap_or_else(|| words.text("order-store-lead").to_owned());
        let mut paid = String::new();
        if let (true, Some(whole)) = (partly, session.amount) {
            let amount = self.style.amount(Money::new(session.paid_minor, whole.currency));
            paid.push_str("<p class=\"paid\">");
            escape(words.text("order-paid"), &mut paid);
            paid.push_str(": ");
            escape(&amount, &mut paid);
            paid.push_str("</p>");
        }
        let mut lines = String::new();
        line(&mut lines, words.text("order-reference"), &self.order.reference);
        for field in self.order.fields.iter().filter(|field| field.is_shown_before()) {
            line(&mut lines, &field.keyword, &field.value);
        }
        Filling::default()
            .value("total-label", words.text(label))
            .part("total", figure(&total, self.left().is_some()))
            .value("description", self.order.description.clone())
            .part("paid", paid)
            .part("lines", lines)
            .render(ORDER, words)
    }

    /// What scripts get: the texts, the table of brands, the numbers that are no Luhn numbers.
    fn facts(&self, stand: &Stand) -> String {
        let facts = json!({
            "brands": brands::table(),
            "exceptions": self.merchandise.luhn_exceptions(),
            "waiting": *stand == Stand::Waiting,
            "message": self.message(),
        });
        format!(
            "<script type=\"application/json\" id=\"texts\">{}</script>\n\
             <script type=\"application/json\" id=\"facts\">{}</script>",
            self.words.texts.json(self.words.language),
            json_in_script(&facts.to_string()),
        )
    }

    /// What the page says to whoever has it in a frame or has opened it.
    fn message(&self) -> Option<serde_json::Value> {
        let is_direct = self.view.session.kind == SessionKind::Direct;
        let payment = self.view.payments.first().filter(|_| is_direct)?;
        self.merchandise.message(payment)
    }

    /// A card in words: its brand and its last digits.
    fn card_words(&self, brand: &str, last_digits: &str, key: &str) -> String {
        self.words.with(key, &[("brand", brands::name(brand)), ("digits", last_digits)])
    }

    fn facts_words(&self, facts: &CardFacts, key: &str) -> String {
        self.card_words(&facts.brand, &facts.last_digits, key)
    }

    fn challenge(&self, card: &Challenged, said: Said<'_>) -> String {
        let words = self.words;
        let mut lines = String::new();
        line(&mut lines, words.text("receipt-shop"), &self.merchant.name);
        let amount = card.amount_minor.zip(self.view.session.amount);
        let amount = amount.map(|(minor, whole)| Money::new(minor, whole.currency));
        if let Some(amount) = amount.or(self.left()) {
            line(&mut lines, words.text("receipt-amount"), &self.style.amount(amount));
        }
        let named = self.card_words(&card.brand, &card.last_digits, "receipt-card-value");
        line(&mut lines, words.text("challenge-card"), &named);
        if !card.issuer.is_empty() {
            line(&mut lines, "", &card.issuer);
        }
        let hint = if self.world.is_sandbox() { words.text("otp-hint") } else { "" };
        let is_empty = said.notice == Some("fault-otp");
        let otp = form::Field {
            hint,
            fault: is_empty.then(|| words.text("fault-otp").to_owned()),
            autocomplete: "one-time-code",
            attributes: " inputmode=\"numeric\" maxlength=\"8\"",
            ..form::Field::new("otp", words.text("otp"))
        };
        let notice = if is_empty { None } else { said.notice };
        Filling::default()
            .value("csrf", self.csrf)
            .part("notice", self.notice(notice))
            .part("lines", lines)
            .part("otp", otp.render())
            .part("other", self.other_card())
            .render(CHALLENGE, words)
    }

    /// The button for another card, where the payer has typed this one.
    fn other_card(&self) -> String {
        if self.view.session.kind == SessionKind::Direct {
            return String::new();
        }
        let mut html =
            "<button class=\"button\" name=\"action\" value=\"back\" formnovalidate>".to_owned();
        escape(self.words.text("other-card"), &mut html);
        html.push_str("</button>");
        html
    }

    fn notice(&self, key: Option<&'static str>) -> String {
        let Some(key) = key else { return String::new() };
        let mut html = "<p class=\"notice warn\" role=\"alert\" id=\"notice\">".to_owned();
        escape(self.words.text(key), &mut html);
        html.push_str("</p>");
        html
    }
}

/// A page that is about no session: an unknown address, or a fault of ours.
pub(crate) fn plain(words: Words<'_>, title: &'static str, lead: &'static str) -> String {
    let body = Filling::default()
        .value("tone", "bad")
        .value("title", words.text(title))
        .value("lead", words.text(lead))
        .part("icon", result::CROSS)
        .render(RESULT, words);
    frame(words, false)
        .value("page", "result")
        .value("title", words.text(title))
        .part("body", body)
        .render(LAYOUT, words)
}

/// What every page has.
fn frame(words: Words<'_>, is_sandbox: bool) -> Filling {
    let mut languages = String::new();
    for language in Language::ALL {
        let tag = language.tag();
        let current = if language == words.language { " aria-current=\"true\"" } else { "" };
        languages.push_str(&format!(
            "<a hreflang=\"{tag}\" lang=\"{tag}\" href=\"?lang={tag}\"{current}>{}</a>",
            language.name()
        ));
    }
    let mut sandbox = String::new();
    if is_sandbox {
        sandbox.push_str("<p class=\"sandbox\">");
        escape(words.text("sandbox"), &mut sandbox);
        sandbox.push_str("</p>");
    }
    Filling::default()
        .value("lang", words.language.tag())
        .part("languages", languages)
        .part("sandbox", sandbox)
}

/// A large text; the currency after an amount is smaller.
fn figure(text: &str, is_amount: bool) -> String {
    let mut html = String::new();
    match text.rsplit_once(' ').filter(|_| is_amount) {
        Some((amount, code)) => {
            escape(amount, &mut html);
            html.push_str(" <small>");
            escape(code, &mut html);
            html.push_str("</small>");
        }
        None => escape(text, &mut html),
    }
    html
}

/// Appends a line of a list of facts; one without a value is left out.
fn line(html: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    html.push_str("<div><dt>");
    escape(name, html);
    html.push_str("</dt><dd>");
    escape(value, html);
    html.push_str("</dd></div>");
}

impl ShownField {
    fn is_shown_before(&self) -> bool {
        matches!(self.shown, crate::order::Shown::Payment | crate::order::Shown::Both)
    }

    fn is_shown_after(&self, approved: bool) -> bool {
        use crate::order::Shown;
        match self.shown {
            Shown::Receipt | Shown::Both => true,
            Shown::Approved => approved,
            Shown::Payment => false,
        }
    }
}
