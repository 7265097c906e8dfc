//! Reading members of a body: what is missing and what is wrong is gathered, and refused together.

use axum::http::StatusCode;
use cobro_domain::card::luhn;
use cobro_domain::money::Currency;
use cobro_surface::json::{AmountError, Json, NumberText, decimal_text};
use serde_json::Value;

use crate::call::Api;
use crate::errors::Refusal;

/// The longest number that is read as an amount.
const DIGITS_MAX: usize = 32;

/// The longest address that is kept.
const URL_MAX: usize = 2_048;

/// Members of a body, and what is wrong with them.
pub(crate) struct Fields<'a> {
    body: &'a Json,
    missing: Vec<String>,
    wrong: Vec<String>,
}

impl<'a> Fields<'a> {
    pub(crate) const fn of(body: &'a Json) -> Self {
        Self { body, missing: Vec::new(), wrong: Vec::new() }
    }

    /// The member at a path of names with dots between them; `null` counts as absent.
    pub(crate) fn at(&self, path: &str) -> Option<&'a Json> {
        let mut found = self.body;
        for name in path.split('.') {
            found = found.get(name)?;
        }
        (*found != Json::Null).then_some(found)
    }

    pub(crate) fn miss(&mut self, path: &str) {
        self.missing.push(format!("{path} is required"));
    }

    pub(crate) fn reject(&mut self, path: &str, why: &str) {
        self.wrong.push(format!("{path} {why}"));
    }

    /// Text of at most `max` characters; numbers are taken as text. Blanks at its ends go.
    pub(crate) fn text(&mut self, path: &str, max: usize) -> Option<String> {
        let text = match self.at(path)? {
            Json::String(text) => text.trim().to_owned(),
            Json::Number(number) => number.as_str().to_owned(),
            _ => {
                self.reject(path, "must be a string");
                return None;
            }
        };
        if text.chars().count() > max {
            self.reject(path, &format!("must have at most {max} characters"));
            return None;
        }
        if text.chars().any(|letter| letter.is_control() && !letter.is_whitespace()) {
            self.reject(path, "has characters that are not allowed");
            return None;
        }
        Some(text)
    }

    /// As [`Fields::text`]; absent and empty text is missing.
    pub(crate) fn required_text(&mut self, path: &str, max: usize) -> Option<String> {
        match self.at(path) {
            Some(_) => match self.text(path, max) {
                Some(text) if text.is_empty() => self.miss(path),
                text => return text,
            },
            None => self.miss(path),
        }
        None
    }

    /// An amount in pesos, as a number or as text: not negative, at most two decimals.
    pub(crate) fn amount(&mut self, path: &str) -> Option<i64> {
        let number = match self.at(path)? {
            Json::Number(number) => Some(number.clone()),
            Json::String(text) => NumberText::parse(text.trim()),
            _ => None,
        };
        let Some(number) = number.filter(|number| number.as_str().len() <= DIGITS_MAX) else {
            self.reject(path, "must be a number");
            return None;
        };
        match number.minor_units(Currency::MXN.exponent()) {
            Ok(minor) => Some(minor),
            Err(AmountError::Negative) => {
                self.reject(path, "must not be negative");
                None
            }
            Err(AmountError::TooManyDecimals) => {
                self.reject(path, "must have at most 2 decimals");
                None
            }
            Err(AmountError::TooLarge) => {
                self.reject(path, "is too large");
                None
            }
        }
    }

    /// As [`Fields::amount`], and neither absent nor zero.
    pub(crate) fn positive_amount(&mut self, path: &str) -> Option<i64> {
        if self.at(path).is_none() || matches!(self.at(path), Some(Json::String(t)) if t.is_empty())
        {
            self.miss(path);
            return None;
        }
        match self.amount(path) {
            Some(0) => {
                self.reject(path, "must be greater than 0");
                None
            }
            amount => amount,
        }
    }

    /// A whole number, as a number or as text.
    pub(crate) fn integer(&mut self, path: &str) -> Option<i64> {
        let found = match self.at(path)? {
            Json::Number(number) => number.integer(),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if found.is_none() {
            self.reject(path, "must be an integer");
        }
        found
    }

    /// A boolean, or text that is one.
    pub(crate) fn flag(&mut self, path: &str) -> bool {
        match self.at(path) {
            None => false,
            Some(Json::Bool(flag)) => *flag,
            Some(Json::String(text)) if text == "true" => true,
            Some(Json::String(text)) if text == "false" || text.is_empty() => false,
            Some(_) => {
                self.reject(path, "must be true or false");
                false
            }
        }
    }

    /// An address of the web; empty text stands for none.
    pub(crate) fn url(&mut self, path: &str) -> String {
        let Some(text) = self.text(path, URL_MAX) else { return String::new() };
        if text.is_empty() || is_web_address(&text) {
            return text;
        }
        self.reject(path, "must be an http or https URL");
        String::new()
    }

    /// An object as it came; an empty one when it is absent.
    pub(crate) fn object(&mut self, path: &str, bytes_max: usize) -> Value {
        match self.at(path) {
            None => return Value::Object(serde_json::Map::new()),
            Some(object @ Json::Object(_)) => {
                let value = object.to_value();
                if value.to_string().len() <= bytes_max {
                    return value;
                }
                self.reject(path, "is too large");
            }
            Some(_) => self.reject(path, "must be an object"),
        }
        Value::Null
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn done(self, api: Api) -> Result<(), Refusal> {
        if !self.missing.is_empty() {
            return Err(missing(api, self.missing));
        }
        match self.wrong.split_first() {
            None => Ok(()),
            Some((first, rest)) => {
                let refusal = Refusal::bad(api, first);
                Err(rest.iter().fold(refusal, |refusal, text| refusal.because(text.as_str())))
            }
        }
    }
}

/// The refusal of a body that lacks members (reference, section 2.7).
pub(crate) fn missing(api: Api, detail: Vec<String>) -> Refusal {
    let refusal = match api {
        Api::Payments | Api::Refunds => Refusal::new(
            api,
            StatusCode::BAD_REQUEST,
            "CL2200",
            "Unable to process the request. Required fields are missing.",
        ),
        api => {
            let first = detail.first().map(String::as_str).unwrap_or_default();
            return Refusal::bad(api, first);
        }
    };
    detail.into_iter().fold(refusal, Refusal::because)
}

/// An address with a scheme of the web and a host.
fn is_web_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    is_web && !host.is_empty() && !text.contains(char::is_whitespace)
}

/// Something before one `@` and after it.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_plain = |one: char| !one.is_whitespace() && !one.is_control() && !"@,;<>".contains(one);
    !local.is_empty()
        && !domain.is_empty()
        && local.chars().chain(domain.chars()).all(is_plain)
        && domain.split('.').all(|label| !label.is_empty())
}

/// Whether a description has only characters that it may have: no emoji. Those that seed 001 lists
/// are a minimum (contract); letters and signs of written Spanish, and plain spaces, are accepted.
pub(crate) fn is_description(text: &str) -> bool {
    text.chars().all(|letter| {
        letter.is_ascii_graphic()
            || letter.is_alphanumeric()
            || letter == ' '
            || ('\u{300}'..='\u{36f}').contains(&letter)
            || "\u{a0}¿¡«»°ºª´¨·–—‘’“”…€£¢".contains(letter)
    })
}

/// A reference without its blanks; `None` where it has a character that it may not have.
pub(crate) fn reference(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let fits = |letter: char| {
        letter.is_alphanumeric()
            || letter == '-'
            || letter == '_'
            || ('\u{300}'..='\u{36f}').contains(&letter)
    };
    text.chars().all(fits).then_some(text)
}

/// Whether a text has a card's number in it: 12 to 19 digits, blanks and hyphens between them, that
/// pass the Luhn test. Such text must not be kept beside the vault.
pub(crate) fn has_card_number(text: &str) -> bool {
    let mut digits = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
        } else if !matches!(letter, ' ' | '-') {
            if (12..=19).contains(&digits.len()) && luhn(&digits) {
                return true;
            }
            digits.clear();
        }
    }
    false
}

/// Minor units as a JSON number of pesos.
pub(crate) fn pesos(minor: i64) -> Value {
    let text = decimal_text(minor, Currency::MXN.exponent());
    serde_json::from_str(&text).unwrap_or_default()
}

/// Minor units as text with two decimals.
pub(crate) fn pesos_text(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Json {
        Json::parse(text.as_bytes(), &Default::default()).unwrap()
    }

    #[test]
    fn amounts_are_read_exactly() {
        for (text, expected) in [
            ("10", Some(1_000)),
            ("0.01", Some(1)),
            ("10.50", Some(1_050)),
            ("10.500", Some(1_050)),
            ("\"245.50\"", Some(24_550)),
            ("\" 7 \"", Some(700)),
            ("10.005", None),
            ("\"1,000.00\"", None),
            ("\"ten\"", None),
            ("-1", None),
            ("1e30", None),
            ("true", None),
            ("[1]", None),
        ] {
            let body = parsed(&format!("{{\"amount\":{text}}}"));
            let mut fields = Fields::of(&body);
            assert_eq!(fields.amount("amount"), expected, "{text}");
            assert_eq!(fields.done(Api::Payments).is_ok(), expected.is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_said_before_what_is_wrong() {
        let body = parsed(r#"{"a":{"b":7},"url":"ftp://x","n":null}"#);
        let mut fields = Fields::of(&body);
        assert_eq!(fields.text("a.b", 9).as_deref(), Some("7"));
        fields.url("url");
        fields.required_text("n", 9);
        let refusal = fields.done(Api::Payments).unwrap_err();
        assert_eq!(
            (refusal.code.as_str(), refusal.detail),
            ("CL2200", vec!["n is required".into()])
        );
    }

    #[test]
    fn characters_of_the_seed() {
        for good in [
            r##"~!@#$%^&*()\=+|[{]};:'"/?"##,
            "Café con leche, 2 tazas - mesa_4 ¡gracias! ñ Ü",
            "<b>100%</b>",
        ] {
            assert!(is_description(good), "{good}");
        }
        for wrong in ["Pago 🎉", "línea\nnueva", "❤", "a\u{200d}b"] {
            assert!(!is_description(wrong), "{wrong}");
        }
        assert_eq!(reference(" orden 1042_á-b ").as_deref(), Some("orden1042_á-b"));
        for wrong in ["a#1", "a.b", "a/b", "x🎉"] {
            assert_eq!(reference(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn card_numbers_and_addresses_are_recognised() {
        for (text, found) in [
            ("5177136199824515", true),
            ("ANA 5177 1361-9982 4515", true),
            ("Ana Lopez", false),
            ("5177136199824516", false),
        ] {
            assert_eq!(has_card_number(text), found, "{text}");
        }
        for (text, good) in [
            ("ana@example.com", true),
            ("a@b", true),
            ("a@", false),
            ("a b@c", false),
            ("x", false),
        ] {
            assert_eq!(is_email(text), good, "{text}");
        }
        for (text, good) in [
            ("https://shop.example/a?b", true),
            ("HTTP://127.0.0.1:99", true),
            ("javascript:alert(1)", false),
            ("https://", false),
            ("https://a b", false),
        ] {
            assert_eq!(is_web_address(text), good, "{text}");
        }
    }

    #[test]
    fn amounts_are_written() {
        for (minor, number, text) in [
            (0, "0", "0.00"),
            (1, "0.01", "0.01"),
            (15_000, "150", "150.00"),
            (-505, "-5.05", "-5.05"),
        ] {
            assert_eq!(
                (pesos(minor).to_string().as_str(), pesos_text(minor).as_str()),
                (number, text)
            );
        }
    }
}
