//! Texts by key, in every language that pages speak.
//!
//! The files are Fluent. They are resolved once, at the start, to patterns in which a variable still
//! stands as `{$name}`: pages fill them in here, scripts fill them in the browser from the JSON block
//! that each page carries. Therefore a message has plain variables only and no selectors (a test
//! checks this): a count is written beside its noun, not inside a sentence.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fluent_bundle::{FluentBundle, FluentResource};

use crate::html::json_in_script;

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Spanish, the first and the fallback.
    Es,
    /// Portuguese of Brazil.
    PtBr,
    /// English.
    En,
}

impl Language {
    /// Every language, the fallback first.
    pub const ALL: [Self; 3] = [Self::Es, Self::PtBr, Self::En];

    /// Its tag (BCP 47), as in `lang` attributes, `?lang=` and the cookie.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::PtBr => "pt-BR",
            Self::En => "en",
        }
    }

    /// Its own name for itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es => "Español",
            Self::PtBr => "Português",
            Self::En => "English",
        }
    }

    /// The language that a tag asks for: by its primary subtag alone, so that `es-AR` is `es` and
    /// `pt` is `pt-BR`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| primary(language.tag()) == primary(tag.trim()))
    }

    /// The best language of an `Accept-Language` value (RFC 9110, section 12.5.4): the highest weight
    /// among those that exist, the earlier one when two weigh the same.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best = None;
        for range in header.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let Some(language) = parts.next().and_then(Self::from_tag) else { continue };
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
            if weight > 0 && best.is_none_or(|(heaviest, _)| weight > heaviest) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// A weight such as `0.8` in thousandths; a malformed one counts as nothing.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u16>(), digits.parse::<u16>()) {
        (Ok(0), Ok(part)) => part,
        (Ok(1), Ok(_)) => 1000,
        _ => 0,
    }
}

/// All texts of all languages.
#[derive(Debug)]
pub struct Texts {
    languages: Vec<(Language, BTreeMap<String, String>)>,
}

impl Texts {
    /// The texts of these Fluent files, and what is wrong with the files. A message that cannot be
    /// read is left out.
    pub fn new(files: impl IntoIterator<Item = (Language, &'static str)>) -> (Self, Vec<String>) {
        let (mut languages, mut faults) = (Vec::new(), Vec::new());
        for (language, source) in files {
            let (texts, of_file) = patterns(source);
            let tag = language.tag();
            faults.extend(of_file.into_iter().map(|fault| format!("{tag}: {fault}")));
            languages.push((language, texts));
        }
        (Self { languages }, faults)
    }

    /// The pattern of a key, variables unfilled; the key itself when there is none, which shows.
    pub fn text<'a>(&'a self, language: Language, key: &'a str) -> &'a str {
        self.all(language).and_then(|texts| texts.get(key)).map_or(key, String::as_str)
    }

    /// Every key with its pattern, as scripts get them, fit to stand in a `script` element.
    pub fn json(&self, language: Language) -> String {
        let texts = self.all(language).and_then(|texts| serde_json::to_string(texts).ok());
        json_in_script(&texts.unwrap_or_else(|| "{}".to_owned()))
    }

    /// Every key with its pattern; `None` when there is no file of that language.
    pub fn all(&self, language: Language) -> Option<&BTreeMap<String, String>> {
        self.languages.iter().find(|(one, _)| *one == language).map(|(_, texts)| texts)
    }
}

/// A pattern with its variables filled in; one that `values` does not name stays.
pub fn filled(pattern: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{$") {
        text.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            rest = after;
            break;
        };
        match values.iter().find(|(one, _)| *one == name) {
            Some((_, value)) => text.push_str(value),
            None => {
                text.push_str("{$");
                text.push_str(name);
                text.push('}');
            }
        }
        rest = tail;
    }
    text.push_str(rest);
    text
}

/// The patterns of a Fluent file, and what was wrong with it.
fn patterns(source: &str) -> (BTreeMap<String, String>, Vec<String>) {
    let mut faults = Vec::new();
    let resource =
        FluentResource::try_new(source.to_owned()).unwrap_or_else(|(partial, errors)| {
            faults.extend(errors.iter().map(ToString::to_string));
            partial
        });
    let keys: Vec<String> = keys(source).map(ToOwned::to_owned).collect();
    faults.extend(source.contains("->").then(|| "a selector".to_owned()));
    let mut bundle = FluentBundle::new(Vec::new());
    bundle.set_use_isolating(false);
    if let Err(errors) = bundle.add_resource(resource) {
        faults.extend(errors.iter().map(ToString::to_string));
    }
    let mut patterns = BTreeMap::new();
    for key in keys {
        let Some(pattern) = bundle.get_message(&key).and_then(|message| message.value()) else {
            faults.push(format!("{key}: no text"));
            continue;
        };
        // resolved without arguments, a variable stays in the text as `{$name}`
        let text = match bundle.format_pattern(pattern, None, &mut Vec::new()) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        };
        if text.trim().is_empty() {
            faults.push(format!("{key}: an empty text"));
        }
        patterns.insert(key, text);
    }
    (patterns, faults)
}

/// Keys of a Fluent file: what stands before `=` on a line that begins with a letter.
fn keys(source: &str) -> impl Iterator<Item = &str> {
    source
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
        .filter_map(|line| line.split_once('=').map(|(key, _)| key.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stay_for_the_page_to_fill() {
        let (texts, faults) = Texts::new([(Language::Es, "hello = Hola, { $name }.\n")]);
        assert_eq!(faults, Vec::<String>::new());
        let pattern = texts.text(Language::Es, "hello");
        assert_eq!(pattern, "Hola, {$name}.");
        for (values, expected) in [
            (&[("name", "Rosa")][..], "Hola, Rosa."),
            (&[("name", "{$name}")], "Hola, {$name}."),
            (&[("other", "Rosa")], "Hola, {$name}."),
        ] {
            assert_eq!(filled(pattern, values), expected);
        }
        assert_eq!(filled("a {$open", &[]), "a open");
        assert_eq!(texts.text(Language::En, "hello"), "hello");
    }

    #[test]
    fn faults_of_a_file_are_seen() {
        for source in ["a = { \n", "a =\n", "a = b\na = c\n", "a = { $b ->\n *[one] x\n}\n"] {
            assert!(!Texts::new([(Language::En, source)]).1.is_empty(), "{source:?}");
        }
    }

    #[test]
    fn the_block_of_texts_cannot_end_its_script() {
        let (texts, _) = Texts::new([(Language::En, "a = </script>\n")]);
        assert_eq!(texts.json(Language::En), r#"{"a":"\u003c/script>"}"#);
    }

    #[test]
    fn language_of_an_accept_language_header() {
        for (header, expected) in [
            ("es-AR,es;q=0.9", Some(Language::Es)),
            ("pt", Some(Language::PtBr)),
            ("fr, en;q=0.8, es;q=0.9", Some(Language::Es)),
            ("en;q=0.5, pt-PT;q=0.5", Some(Language::En)),
            ("es;q=0, en;q=0.1", Some(Language::En)),
            ("en;q=7, pt;q=0.001", Some(Language::PtBr)),
            ("en;q=x", None),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }
}
