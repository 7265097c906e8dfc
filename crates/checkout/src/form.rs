//! What a payer sends, and what is wrong with it.

use cobro_domain::card::luhn;
use cobro_domain::merchant::Merchant;
use cobro_domain::session::{Session, SessionKind};
use cobro_domain::{Money, money::Currency};
use cobro_engine::card_charges::ReadyCard;
use cobro_engine::ports::CardUse;
use cobro_engine::vault::CardData;
use cobro_engine::{EngineError, Subject, World};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::brands::Brand;
use crate::merchandise::Merchandise;
use crate::money::Style;
use crate::order::{Order, Person};

/// The fields of the form as they were sent. Has no `Debug` and is wiped when dropped.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub struct Typed {
    /// What is wanted: `pay`, `otp`, `back` or `cancel`.
    pub action: String,
    /// The card's number.
    pub number: String,
    /// Month and year of expiry: `MM/YY`, `MMYY` or `MM/YYYY`.
    pub expiration: String,
    /// The security code.
    pub cvv: String,
    /// The holder's name.
    pub name: String,
    /// The document's number.
    pub document: String,
    /// The code of the document's kind.
    pub document_type: String,
    /// E-mail address.
    pub email: String,
    /// Telephone number.
    pub mobile: String,
    /// In how many instalments; empty for one.
    pub installments: String,
    /// The part to be paid, as people write amounts; empty for all that is left.
    pub amount: String,
    /// Consent to store the card.
    pub save: bool,
    /// The one-time code of a challenge.
    pub otp: String,
    /// The form's token.
    pub csrf: String,
}

impl Typed {
    /// The fields of a form or of a JSON body; the first of several with one name counts, unknown
    /// ones do not.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut typed = Self::default();
        let mut part = String::new();
        for (name, value) in pairs {
            let slot = match name.as_str() {
                "action" => &mut typed.action,
                "number" => &mut typed.number,
                "expiration" => &mut typed.expiration,
                "cvv" => &mut typed.cvv,
                "name" => &mut typed.name,
                "document" => &mut typed.document,
                "documentType" => &mut typed.document_type,
                "email" => &mut typed.email,
                "mobile" => &mut typed.mobile,
                "installments" => &mut typed.installments,
                "amount" => &mut typed.amount,
                "part" => &mut part,
                "otp" => &mut typed.otp,
                "csrf" => &mut typed.csrf,
                "save" => {
                    let is_no = ["", "0", "false", "no", "off"].contains(&value.trim());
                    typed.save = !is_no;
                    continue;
                }
                _ => continue,
            };
            if slot.is_empty() {
                value.trim().clone_into(slot);
            }
        }
        // The amount stands in the form even when all is to be paid.
        if part == "all" {
            typed.amount.clear();
        }
        typed
    }
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $key:literal on $field:literal,)*) => {
        /// What is wrong with a field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            /// All faults.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The key of its text.
            pub(crate) const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// The name of its field, which is also its id on the page.
            pub const fn field(self) -> &'static str {
                match self { $(Self::$name => $field,)* }
            }
        }
    };
}

faults! {
    /// No part, or one that is no amount.
    AmountWrong = "fault-amount" on "amount",
    /// More than what is left.
    AmountTooMuch = "fault-amount-too-much" on "amount",
    /// No number.
    NumberMissing = "fault-number-missing" on "number",
    /// No number of a card.
    NumberWrong = "fault-number" on "number",
    /// A card, but no test card, in the sandbox.
    NumberNotTest = "fault-number-not-test" on "number",
    /// A card that the shop does not take.
    NumberNotTaken = "fault-number-not-taken" on "number",
    /// No expiry.
    ExpirationMissing = "fault-expiration-missing" on "expiration",
    /// No month and year.
    ExpirationWrong = "fault-expiration" on "expiration",
    /// In the past.
    ExpirationPast = "fault-expiration-past" on "expiration",
    /// No security code.
    CodeMissing = "fault-cvv-missing" on "cvv",
    /// Not as long as the brand's are.
    CodeWrong = "fault-cvv" on "cvv",
    /// No name.
    NameMissing = "fault-name-missing" on "name",
    /// A name with a card's number in it, or too long.
    NameWrong = "fault-name" on "name",
    /// No kind of document that the country has.
    DocumentTypeWrong = "fault-document-type" on "documentType",
    /// No document.
    DocumentMissing = "fault-document-missing" on "document",
    /// Not as documents of this kind are.
    DocumentWrong = "fault-document" on "document",
    /// No e-mail address.
    EmailMissing = "fault-email-missing" on "email",
    /// Not an address.
    EmailWrong = "fault-email" on "email",
    /// Not a telephone number.
    MobileWrong = "fault-mobile" on "mobile",
    /// More than there are.
    InstallmentsWrong = "fault-installments" on "installments",
    /// A card cannot be stored without consent.
    ConsentMissing = "fault-save" on "save",
}

/// What a form is checked against.
pub(crate) struct Rules<'a> {
    pub(crate) world: &'a World,
    pub(crate) merchant: &'a Merchant,
    pub(crate) session: &'a Session,
    pub(crate) order: &'a Order,
    pub(crate) merchandise: &'a dyn Merchandise,
    pub(crate) style: Style,
}

/// A form without faults. The security code has done its work and is not in it.
pub(crate) struct Checked {
    pub(crate) card: CardData,
    pub(crate) ready: ReadyCard,
    pub(crate) payer: Person,
    pub(crate) installments: i64,
    pub(crate) amount_minor: Option<i64>,
    pub(crate) save: bool,
    /// Whether the issuer wants to hear from the holder first.
    pub(crate) challenged: bool,
}

impl Rules<'_> {
    /// Checks a form; all faults at once, in the order of the page.
    ///
    /// # Errors
    /// The faults.
    pub(crate) fn check(&self, typed: &Typed) -> Result<Checked, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut or = |fault: Fault| faults.push(fault);
        let amount_minor = self.amount(typed).unwrap_or_else(|fault| {
            or(fault);
            None
        });
        let card = card(typed, |month, year| self.world.is_expired(month, year), &mut or);
        let ready = card.as_ref().and_then(|card| self.ready(card, typed, amount_minor, &mut or));
        let payer = self.payer(typed, &mut or);
        let kind = ready.as_ref().map(|(ready, _)| ready.facts.kind);
        let installments = self.installments(typed, kind).unwrap_or_else(|| {
            or(Fault::InstallmentsWrong);
            1
        });
        let must_save = self.session.kind == SessionKind::Subscription;
        if must_save && !typed.save {
            or(Fault::ConsentMissing);
        }
        // They are declared in the order of the page.
        faults.sort_by_key(|fault| *fault as u8);
        let (Some(card), Some((ready, challenged)), true) = (card, ready, faults.is_empty()) else {
            return Err(faults);
        };
        let save = typed.save && (must_save || self.session.offers_storing);
        Ok(Checked { card, ready, payer, installments, amount_minor, save, challenged })
    }

    fn amount(&self, typed: &Typed) -> Result<Option<i64>, Fault> {
        let Some(whole) = self.session.amount else { return Ok(None) };
        if typed.amount.is_empty() || !self.session.allow_partial {
            return Ok(None);
        }
        match self.style.parse(&typed.amount, whole.currency) {
            Some(minor) if minor > self.session.left_minor() => Err(Fault::AmountTooMuch),
            Some(minor) if minor > 0 => Ok(Some(minor)),
            _ => Err(Fault::AmountWrong),
        }
    }

    /// What the card does, and whether it is challenged. Published test cards are looked up before
    /// anything else is asked of a number: some of them fail the Luhn test (reference, 8.5).
    fn ready(
        &self,
        card: &CardData,
        typed: &Typed,
        amount_minor: Option<i64>,
        or: &mut impl FnMut(Fault),
    ) -> Option<(ReadyCard, bool)> {
        let channel = &self.merchant.channel;
        let code = Some(typed.cvv.as_str());
        let amount = self.session.amount.map(|whole| {
            Money::new(amount_minor.unwrap_or_else(|| self.session.left_minor()), whole.currency)
        });
        let ready = match self.world.ready_card(channel, card, code, amount) {
            Ok(ready) => ready,
            Err(error) => {
                let unknown = matches!(error, EngineError::NotFound(Subject::Card));
                let is_card = luhn(&card.number) && (12..=19).contains(&card.number.len());
                or(if unknown && is_card { Fault::NumberNotTest } else { Fault::NumberWrong });
                return None;
            }
        };
        if !self.merchandise.accepts(self.order, &ready.facts) {
            or(Fault::NumberNotTaken);
        }
        let digits = typed.cvv.len();
        let brand = Brand::of_id(&ready.facts.brand).or_else(|| Brand::of_number(&card.number));
        let fits = brand.map_or((3..=4).contains(&digits), |brand| brand.code == digits);
        if typed.cvv.is_empty() {
            or(Fault::CodeMissing);
        } else if !fits || !typed.cvv.bytes().all(|byte| byte.is_ascii_digit()) {
            or(Fault::CodeWrong);
        }
        let use_of = CardUse {
            number: &card.number,
            holder: &card.holder,
            expiration: (card.expiration_month, card.expiration_year),
            code,
            amount,
        };
        Some((ready, challenges(self.world, channel, &use_of)))
    }

    /// The payer: what the shop said cannot be changed, the rest is what was typed.
    fn payer(&self, typed: &Typed, or: &mut impl FnMut(Fault)) -> Person {
        let known = &self.order.payer;
        let kinds = self.merchandise.documents(self.merchant);
        let mut person = Person::default();
        if known.document.is_empty() && !kinds.is_empty() {
            let kind = kinds.iter().find(|kind| kind.code == typed.document_type);
            let required = self.merchandise.document_required(self.merchant);
            match kind {
                _ if typed.document.is_empty() && !required => {}
                None => or(Fault::DocumentTypeWrong),
                Some(_) if typed.document.is_empty() => or(Fault::DocumentMissing),
                Some(kind) if !(kind.is_valid)(&typed.document) => or(Fault::DocumentWrong),
                Some(kind) => {
                    kind.code.clone_into(&mut person.document_type);
                    person.document.clone_from(&typed.document);
                }
            }
        }
        if known.name.is_empty() {
            let of_company =
                kinds.iter().any(|kind| kind.of_company && kind.code == person.document_type);
            let names = if of_company { (typed.name.as_str(), "") } else { split(&typed.name) };
            (person.name, person.surname) = (names.0.to_owned(), names.1.to_owned());
        }
        if known.email.is_empty() {
            match typed.email.as_str() {
                "" => or(Fault::EmailMissing),
                email if !is_email(email) => or(Fault::EmailWrong),
                email => email.clone_into(&mut person.email),
            }
        }
        if known.mobile.is_empty() && !typed.mobile.is_empty() {
            if is_telephone(&typed.mobile) {
                person.mobile.clone_from(&typed.mobile);
            } else {
                or(Fault::MobileWrong);
            }
        }
        known.or(&person)
    }

    /// Only credit cards pay in instalments; others pay at once, whatever the form says.
    fn installments(
        &self,
        typed: &Typed,
        kind: Option<cobro_domain::card::CardKind>,
    ) -> Option<i64> {
        let asked = match typed.installments.as_str() {
            "" | "0" => 1,
            text => text.parse().ok()?,
        };
        if kind.is_some_and(|kind| kind != cobro_domain::card::CardKind::Credit) {
            return Some(1);
        }
        let max = match self.session.kind {
            SessionKind::Subscription => 1,
            _ => self.merchandise.installments_max(self.merchant, self.session),
        };
        (1..=max).contains(&asked).then_some(asked)
    }
}

/// Number, expiry and holder; `None` when a card cannot be made of them.
fn card(
    typed: &Typed,
    is_expired: impl FnOnce(i64, i64) -> bool,
    or: &mut impl FnMut(Fault),
) -> Option<CardData> {
    let number: String = typed.number.chars().filter(|one| !" -\u{a0}".contains(*one)).collect();
    let is_number = (12..=19).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if typed.number.is_empty() {
        or(Fault::NumberMissing);
    } else if !is_number {
        or(Fault::NumberWrong);
    }
    let expiration = expiration(&typed.expiration);
    match expiration {
        _ if typed.expiration.is_empty() => or(Fault::ExpirationMissing),
        None => or(Fault::ExpirationWrong),
        Some((month, year)) if is_expired(month, year) => or(Fault::ExpirationPast),
        Some(_) => {}
    }
    if !is_number && typed.cvv.is_empty() {
        or(Fault::CodeMissing);
    }
    let digits = typed.name.chars().filter(char::is_ascii_digit).count();
    if typed.name.is_empty() {
        or(Fault::NameMissing);
    } else if digits >= 12 || typed.name.chars().count() > 120 {
        or(Fault::NameWrong);
    }
    // A wrong expiry hides nothing of what may be wrong with the number.
    let (expiration_month, expiration_year) = expiration.unwrap_or((12, 9999));
    let holder = typed.name.clone();
    is_number.then_some(CardData { number, expiration_month, expiration_year, holder })
}

/// Month and four-digit year.
fn expiration(text: &str) -> Option<(i64, i64)> {
    let compact: String = text.chars().filter(|one| !one.is_whitespace()).collect();
    let (month, year) = match compact.split_once(['/', '-']) {
        Some(parts) => parts,
        None => compact.split_at_checked(2)?,
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(month) || !digits(year) || month.len() > 2 {
        return None;
    }
    let (month, year): (i64, i64) = (month.parse().ok()?, year.parse().ok()?);
    let year = match year {
        0..=99 => year + 2000,
        2000..=2199 => year,
        _ => return None,
    };
    (1..=12).contains(&month).then_some((month, year))
}

/// Whether the card's issuer wants to hear from its holder: the dialect that knows the card says.
fn challenges(world: &World, channel: &str, use_of: &CardUse<'_>) -> bool {
    let (own, others): (Vec<_>, Vec<_>) =
        world.dialects().iter().partition(|dialect| dialect.name() == channel);
    let mut all = own.into_iter().chain(others);
    all.find(|dialect| dialect.card_in_use(use_of).is_some())
        .is_some_and(|dialect| dialect.challenges(use_of))
}

/// Given and family names of a full name: one given name before one or two family names, two before
/// more, which is how names are mostly made in Spanish and Portuguese.
fn split(name: &str) -> (&str, &str) {
    let spaces: Vec<usize> = name.match_indices(' ').map(|(at, _)| at).collect();
    let at = match spaces.as_slice() {
        [] => return (name, ""),
        [first] | [first, _] => *first,
        [_, second, ..] => *second,
    };
    let (given, family) = name.split_at(at);
    (given, family.trim_start())
}

/// Something before one `@`, a domain with a dot after it; 80 at most (reference, 2.2).
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_plain = |one: char| !one.is_whitespace() && !one.is_control() && !"@,;<>".contains(one);
    !local.is_empty()
        && text.chars().count() <= 80
        && text.chars().filter(|one| *one == '@').count() == 1
        && local.chars().chain(domain.chars()).all(is_plain)
        && domain.split('.').count() > 1
        && domain.split('.').all(|label| !label.is_empty())
}

/// At least seven digits, thirty characters at most (reference, 2.2).
fn is_telephone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 7
        && text.chars().count() <= 30
        && text.chars().all(|one| one.is_ascii_digit() || " +-().".contains(one))
}

/// The currency in which a session is paid, if it is.
pub(crate) fn currency(session: &Session) -> Option<Currency> {
    session.amount.map(|amount| amount.currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries_are_read() {
        for (text, expected) in [
            ("12/30", Some((12, 2030))),
            ("1/30", Some((1, 2030))),
            ("0130", Some((1, 2030))),
            ("01 / 2030", Some((1, 2030))),
            ("01-30", Some((1, 2030))),
            ("13/30", None),
            ("00/30", None),
            ("12/1999", None),
            ("12/230", None),
            ("1", None),
            ("é1/30", None),
            ("+1/30", None),
            ("", None),
        ] {
            assert_eq!(expiration(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_split() {
        for (name, expected) in [
            ("Rosa", ("Rosa", "")),
            ("Rosa Lemus", ("Rosa", "Lemus")),
            ("Rosa Lemus Díaz", ("Rosa", "Lemus Díaz")),
            ("Rosa María Lemus Díaz", ("Rosa María", "Lemus Díaz")),
        ] {
            assert_eq!(split(name), expected);
        }
    }

    #[test]
    fn addresses_and_telephones() {
        for (text, good) in [
            ("rosa@example.org", true),
            ("r@e.co", true),
            ("rosa@example", false),
            ("rosa@@example.org", false),
            ("rosa@example..org", false),
            ("@example.org", false),
            ("ro sa@example.org", false),
        ] {
            assert_eq!(is_email(text), good, "{text}");
        }
        for (text, good) in
            [("+57 300 000-0001", true), ("3000000", true), ("300000", false), ("3000000x", false)]
        {
            assert_eq!(is_telephone(text), good, "{text}");
        }
    }

    #[test]
    fn the_first_of_a_field_counts() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let typed = Typed::of_pairs([
            pair("name", " Rosa "),
            pair("name", "Other"),
            pair("save", "on"),
            pair("amount", "5"),
            pair("part", "all"),
            pair("else", "x"),
        ]);
        assert_eq!((typed.name.as_str(), typed.save, typed.amount.as_str()), ("Rosa", true, ""));
        for (value, save) in [("1", true), ("true", true), ("false", false), ("0", false)] {
            assert_eq!(Typed::of_pairs([pair("save", value)]).save, save, "{value}");
        }
    }
}
