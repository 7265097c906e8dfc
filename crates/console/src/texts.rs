//! Texts by key, in every language that the console speaks.
//!
//! The files are Fluent. They are resolved once, at the start, to patterns in which a variable still
//! stands as `{$name}`: pages fill them in here, scripts fill them in the browser from the JSON block
//! that each page carries. Therefore a message has plain variables only and no selectors (a test
//! checks this): a count is written beside its noun, not inside a sentence.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use fluent_bundle::{FluentBundle, FluentResource};

/// A language that the console speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Spanish, the first and the fallback.
    Es,
    /// Portuguese of Brazil.
    PtBr,
    /// English.
    En,
}

impl Language {
    /// Every language, the fallback first.
    pub(crate) const ALL: [Self; 3] = [Self::Es, Self::PtBr, Self::En];

    /// Its tag (BCP 47), as in `lang` attributes, `?lang=` and the cookie.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::PtBr => "pt-BR",
            Self::En => "en",
        }
    }

    /// Its own name for itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Es => "Español",
            Self::PtBr => "Português",
            Self::En => "English",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Es => include_str!("../texts/es.ftl"),
            Self::PtBr => include_str!("../texts/pt-BR.ftl"),
            Self::En => include_str!("../texts/en.ftl"),
        }
    }

    /// The language that a tag asks for: by its primary subtag alone, so that `es-AR` is `es` and
    /// `pt` is `pt-BR`.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| primary(language.tag()) == primary(tag.trim()))
    }

    /// The best language of an `Accept-Language` value (RFC 9110, section 12.5.4): the highest weight
    /// among those that exist, the earlier one when two weigh the same.
    pub(crate) fn accepted(header: &str) -> Option<Self> {
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
pub(crate) struct Texts {
    languages: Vec<(Language, BTreeMap<String, String>)>,
}

impl Texts {
    /// The texts that are compiled in, read when the first page is shown. A message that cannot be
    /// read is left out (and a test fails).
    pub(crate) fn bundled() -> &'static Self {
        static BUNDLED: LazyLock<Texts> = LazyLock::new(|| {
            let languages = Language::ALL.map(|language| (language, patterns(language.source()).0));
            Texts { languages: languages.into() }
        });
        &BUNDLED
    }

    /// The pattern of a key, variables unfilled; the key itself when there is none, which shows.
    pub(crate) fn text<'a>(&'a self, language: Language, key: &'a str) -> &'a str {
        self.all(language).and_then(|texts| texts.get(key)).map_or(key, String::as_str)
    }

    /// Every key with its pattern, as scripts get them.
    pub(crate) fn json(&self, language: Language) -> String {
        let texts = self.all(language).and_then(|texts| serde_json::to_string(texts).ok());
        // `</script>` and `<!--` would end the block that the texts stand in
        texts.unwrap_or_else(|| "{}".to_owned()).replace('<', "\\u003c")
    }

    fn all(&self, language: Language) -> Option<&BTreeMap<String, String>> {
        self.languages.iter().find(|(one, _)| *one == language).map(|(_, texts)| texts)
    }
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
mod tests;
