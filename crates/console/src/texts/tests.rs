use std::collections::BTreeSet;

use super::*;
use crate::assets::ASSETS;
use crate::pages::FRAGMENTS;

/// Keys that a source uses: the word after each of the marks, up to the closing sign.
fn used<'a>(source: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    source.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(key, _)| key))
}

/// Keys in calls of a function of a script, as in `name('key')`.
fn called(script: &'static str, name: &str) -> Vec<&'static str> {
    let open = format!("{name}('");
    let mut keys = Vec::new();
    for (at, _) in script.match_indices(&open) {
        let before = script[..at].chars().next_back();
        if before.is_none_or(|one| !one.is_alphanumeric() && !"_.$".contains(one)) {
            keys.extend(script[at + open.len()..].split_once('\'').map(|(key, _)| key));
        }
    }
    keys
}

/// Every key that a page or a script names.
fn used_keys() -> BTreeSet<&'static str> {
    let mut keys: BTreeSet<&str> = crate::pages::NAMED.iter().copied().collect();
    for (_, page) in FRAGMENTS {
        keys.extend(used(page, "{{", "}}").filter(|key| !key.starts_with(['$', '>'])));
    }
    for asset in ASSETS {
        keys.extend(called(asset.text(), "t"));
        keys.extend(called(asset.text(), "key"));
    }
    keys
}

#[test]
fn files_are_sound_and_plain() {
    for language in Language::ALL {
        let source = language.source();
        let (texts, faults) = patterns(source);
        assert_eq!(faults, Vec::<String>::new(), "{}", language.tag());
        assert!(!source.contains("->"), "{}: a selector", language.tag());
        assert_eq!(keys(source).count(), texts.len(), "{}: a key twice", language.tag());
        for (key, text) in texts {
            assert!(!text.trim().is_empty(), "{} {key}", language.tag());
        }
    }
}

#[test]
fn every_key_in_use_exists_and_every_key_is_in_use() {
    let texts = Texts::bundled();
    let used = used_keys();
    assert!(used.len() > 50, "the search for keys finds nothing");
    for language in Language::ALL {
        let there: BTreeSet<&str> =
            texts.all(language).unwrap().keys().map(String::as_str).collect();
        let missing: Vec<_> = used.difference(&there).collect();
        let idle: Vec<_> = there.difference(&used).collect();
        assert!(missing.is_empty(), "{}: missing {missing:?}", language.tag());
        assert!(idle.is_empty(), "{}: in no page {idle:?}", language.tag());
    }
}

#[test]
fn variables_agree_in_all_languages() {
    let variables = |text: &'static str| used(text, "{$", "}").collect::<BTreeSet<_>>();
    let texts = Texts::bundled();
    for (key, text) in texts.all(Language::Es).unwrap() {
        for language in Language::ALL {
            let other = texts.text(language, key);
            assert_eq!(variables(text), variables(other), "{} {key}", language.tag());
        }
    }
}

#[test]
fn variables_stay_for_the_page_to_fill() {
    let (texts, _) = patterns("hello = Hola, { $name }.\n");
    assert_eq!(texts["hello"], "Hola, {$name}.");
}

#[test]
fn faults_of_a_file_are_seen() {
    for (source, fault) in [("a = { \n", true), ("a =\n", true), ("a = b\na = c\n", true)] {
        assert_eq!(!patterns(source).1.is_empty(), fault, "{source:?}");
    }
}

#[test]
fn the_block_of_texts_cannot_end_its_script() {
    for language in Language::ALL {
        assert!(!Texts::bundled().json(language).contains('<'));
    }
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
