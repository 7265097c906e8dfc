//! Reading members of a request: what is too long or of another form is refused by its path.
//!
//! An empty text counts as absent, and so does an empty list where an object is expected: PHP
//! writes empty objects that way.

use cobro_domain::card::luhn;
use cobro_surface::json::Json;
use serde_json::{Map, Value};

use crate::errors::Refusal;

/// A place in the request: a value and the path by which a refusal names it.
#[derive(Clone)]
pub(crate) struct At<'a> {
    json: Option<&'a Json>,
    path: String,
}

impl<'a> At<'a> {
    /// The whole body.
    pub(crate) const fn body(json: &'a Json) -> Self {
        Self { json: Some(json), path: String::new() }
    }

    /// The member with this name.
    pub(crate) fn member(&self, name: &str) -> Self {
        let path =
            if self.path.is_empty() { name.to_owned() } else { [&self.path, ".", name].concat() };
        let json = self.json.and_then(|json| json.get(name));
        let is_empty = |json: &&Json| match json {
            Json::Null => true,
            Json::String(text) => text.is_empty(),
            _ => false,
        };
        Self { json: json.filter(|json| !is_empty(json)), path }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) const fn json(&self) -> Option<&'a Json> {
        self.json
    }

    pub(crate) const fn is_absent(&self) -> bool {
        self.json.is_none()
    }

    pub(crate) fn required(&self) -> Refusal {
        Refusal::required(&self.path)
    }

    pub(crate) fn invalid(&self) -> Refusal {
        Refusal::invalid(&self.path)
    }

    /// An object; an empty list is an absent one.
    pub(crate) fn object(&self) -> Result<Option<Self>, Refusal> {
        match self.json {
            None => Ok(None),
            Some(Json::Object(_)) => Ok(Some(self.clone())),
            Some(Json::Array(elements)) if elements.is_empty() => Ok(None),
            Some(_) => Err(self.invalid()),
        }
    }

    /// The elements of a list; none where it is absent.
    pub(crate) fn list(&self) -> Result<Vec<Self>, Refusal> {
        match self.json {
            None => Ok(Vec::new()),
            Some(Json::Array(elements)) => Ok(elements
                .iter()
                .enumerate()
                .map(|(place, json)| Self {
                    json: Some(json),
                    path: format!("{}.{place}", self.path),
                })
                .collect()),
            Some(Json::Object(members)) if members.is_empty() => Ok(Vec::new()),
            Some(_) => Err(self.invalid()),
        }
    }

    /// Text, or a number as its text, of at most `max` characters.
    pub(crate) fn text(&self, max: usize) -> Result<Option<String>, Refusal> {
        let text = match self.json {
            None => return Ok(None),
            Some(Json::String(text)) => text.clone(),
            Some(Json::Number(number)) => number.as_str().to_owned(),
            Some(_) => return Err(self.invalid()),
        };
        if text.chars().count() > max {
            return Err(Refusal::too_long(&self.path, max));
        }
        Ok(Some(text))
    }

    /// As [`At::text`], cut instead of refused.
    pub(crate) fn cut_text(&self, max: usize) -> Result<Option<String>, Refusal> {
        Ok(self.text(usize::MAX)?.map(|text| text.chars().take(max).collect()))
    }

    /// A boolean, also as text or as 0 and 1.
    pub(crate) fn flag(&self) -> Result<bool, Refusal> {
        match self.json {
            None => Ok(false),
            Some(Json::Bool(value)) => Ok(*value),
            Some(json) => match crate::amounts::integer(json) {
                Some(0) => Ok(false),
                Some(1) => Ok(true),
                _ if json.as_str() == Some("true") => Ok(true),
                _ if json.as_str() == Some("false") => Ok(false),
                _ => Err(self.invalid()),
            },
        }
    }

    /// A whole number in a range, also as text.
    pub(crate) fn integer(&self, min: i64, max: i64) -> Result<Option<i64>, Refusal> {
        let Some(json) = self.json else { return Ok(None) };
        let number = crate::amounts::integer(json).filter(|n| (min..=max).contains(n));
        number.map(Some).ok_or_else(|| self.invalid())
    }

    /// A date `YYYY-MM-DD`; a time after it is passed over.
    pub(crate) fn day(&self) -> Result<Option<jiff::civil::Date>, Refusal> {
        let Some(text) = self.text(35)? else { return Ok(None) };
        let day = text.get(..10).and_then(|day| day.parse().ok());
        day.map(Some).ok_or_else(|| self.invalid())
    }

    /// A URI of at most 255 characters with a scheme of the web.
    pub(crate) fn uri(&self) -> Result<Option<String>, Refusal> {
        let Some(text) = self.text(255)? else { return Ok(None) };
        let rest = text.split_once("://").filter(|(scheme, rest)| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
            let dangerous = ["javascript", "data", "vbscript", "file"];
            !scheme.is_empty()
                && scheme.bytes().all(fits)
                && !dangerous.contains(&scheme.to_ascii_lowercase().as_str())
                && !rest.is_empty()
        });
        if rest.is_none()
            || text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
        {
            return Err(self.invalid());
        }
        Ok(Some(text))
    }
}

/// Puts a member into a request that is kept, unless there is none.
pub(crate) fn put(into: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value.into());
    }
}

/// Whether a text holds a run of digits, perhaps grouped, that could be a card's number.
pub(crate) fn has_card_number(text: &str) -> bool {
    let mut run = String::new();
    for letter in text.chars().chain(['x']) {
        match letter {
            digit if digit.is_ascii_digit() => run.push(digit),
            ' ' | '-' | '.' => {}
            _ => {
                let found = (13..=19).contains(&run.len()) && luhn(&run)
                    || run.len() > 19
                    || crate::cards::find(&run).is_some();
                if found {
                    return true;
                }
                run.clear();
            }
        }
    }
    false
}

/// A letter of the Latin alphabet, accented ones included, or a digit.
fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || letter == '_'
        || (matches!(letter, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | 'ª' | 'º')
            && letter.is_alphabetic())
}

/// Whether a reference has only characters that it may have (reference, section 8.1).
pub(crate) fn is_reference(text: &str) -> bool {
    text.chars().all(|letter| is_word(letter) || "-.,$#/\\'!| <>=:%&@".contains(letter))
}

/// Whether a description has only characters that it may have (reference, section 8.1).
pub(crate) fn is_description(text: &str) -> bool {
    text.chars().all(|letter| {
        is_word(letter) || letter.is_whitespace() || ".,$#&-_()/%+\\':;|@[]<>=".contains(letter)
    })
}

/// A locale `es_CO` of a language that is spoken here.
pub(crate) fn locale(json: &Json) -> Option<&str> {
    let text = json.get("locale")?.as_str()?;
    let (language, country) = text.split_once('_')?;
    let fits = ["es", "en", "pt", "it"].contains(&language)
        && country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase());
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Json {
        Json::parse(text.as_bytes(), &Default::default()).unwrap()
    }

    #[test]
    fn characters_of_the_reference() {
        for good in
            ["PAYMENT_0001_ABC", "Venta_1234-ABCD#2024/03/15$500", "Ord: 1001/2023", "ñandú"]
        {
            assert!(is_reference(good), "{good}");
        }
        for wrong in ["a\"b", "a\nb", "a;b", "日本", "a?"] {
            assert!(!is_reference(wrong), "{wrong}");
        }
        let example = "Cita con el Dr. Pérez a las 10:00 am. 5/12/2024, por $100.00";
        for good in [example, "Plan [anual] <a> = 5%", "Çã ü"] {
            assert!(is_description(good), "{good}");
        }
        for wrong in ["a\"b", "¿qué?", "日本"] {
            assert!(!is_description(wrong), "{wrong}");
        }
    }

    #[test]
    fn card_numbers_are_recognised_in_text() {
        for found in ["4111111111111111", "a 4111 1111 1111 1111 b", "5903090000000000"] {
            assert!(has_card_number(found), "{found}");
        }
        for fine in ["Rosa Lemus", "1040099001", "4111111111111112", "calle 12 # 33-12"] {
            assert!(!has_card_number(fine), "{fine}");
        }
    }

    #[test]
    fn members_are_read_leniently() {
        let json = parsed(
            r#"{"a":"","b":[],"c":{},"d":"true","e":1,"f":"x","g":null,"h":"12","u":"https://a/b",
                "j":"javascript://x","d1":"2026-02-30","d2":"2026-02-28T10:00:00Z","s":"a b://c"}"#,
        );
        let body = At::body(&json);
        assert!(body.member("a").is_absent() && body.member("g").is_absent());
        assert!(body.member("b").object().unwrap().is_none());
        assert!(body.member("c").list().unwrap().is_empty());
        assert!(body.member("c").object().unwrap().is_some());
        assert!(body.member("f").object().is_err());
        assert_eq!(body.member("d").flag(), Ok(true));
        assert_eq!(body.member("e").flag(), Ok(true));
        assert!(body.member("f").flag().is_err());
        assert_eq!(body.member("h").integer(0, 99), Ok(Some(12)));
        assert!(body.member("h").integer(0, 9).is_err());
        assert!(body.member("u").uri().is_ok());
        for wrong in ["j", "f", "s"] {
            assert!(body.member(wrong).uri().is_err(), "{wrong}");
        }
        assert!(body.member("d1").day().is_err());
        assert!(body.member("d2").day().unwrap().is_some());
        let long = body.member("u").text(3).unwrap_err();
        assert_eq!(long.with, ["u", "3"]);
        assert_eq!(body.member("u").cut_text(3).unwrap().as_deref(), Some("htt"));
    }

    #[test]
    fn locales() {
        for (text, expected) in [
            (r#"{"locale":"es_CO"}"#, Some("es_CO")),
            (r#"{"locale":"it_IT"}"#, Some("it_IT")),
            (r#"{"locale":"fr_FR"}"#, None),
            (r#"{"locale":"es"}"#, None),
            (r#"{"locale":"es_co"}"#, None),
            (r#"{"locale":7}"#, None),
            ("{}", None),
        ] {
            assert_eq!(locale(&parsed(text)), expected, "{text}");
        }
    }
}
