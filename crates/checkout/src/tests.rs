use std::collections::BTreeSet;
use std::path::Path;

use cobro_domain::payment::DeclineReason;
use cobro_surface::assets::{Asset, faults};
use cobro_surface::texts::{Language, Texts};

use crate::form::Fault;
use crate::page::form::decline_key;
use crate::page::{CHALLENGE, FORM, LAYOUT, ORDER, RECEIPT, RESULT};
use crate::{ASSETS, FILES};

/// The sources that name texts, whole words in quotes.
const SOURCES: [&str; 6] = [
    include_str!("page.rs"),
    include_str!("page/form.rs"),
    include_str!("page/result.rs"),
    include_str!("routes.rs"),
    include_str!("routes/answers.rs"),
    include_str!("form.rs"),
];

fn between<'a>(source: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    source.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(key, _)| key))
}

/// Every key that a page, a script or a source names: of the words in quotes those that are keys.
fn used(keys: &BTreeSet<&'static str>) -> BTreeSet<String> {
    let mut used: BTreeSet<String> = BTreeSet::new();
    for fragment in [LAYOUT, ORDER, FORM, CHALLENGE, RESULT, RECEIPT] {
        let holes = between(fragment, "{{", "}}").filter(|hole| !hole.starts_with(['$', '>']));
        used.extend(holes.map(ToOwned::to_owned));
    }
    for script in ASSETS.iter().map(Asset::text) {
        used.extend(between(script, "t('", "'").filter(|key| key.contains('-')).map(Into::into));
        used.extend(between(script, "key('", "'").map(Into::into));
        used.extend(script.split('\'').filter(|key| keys.contains(key)).map(Into::into));
    }
    for source in SOURCES {
        used.extend(between(source, "words.text(\"", "\"").map(Into::into));
        used.extend(between(source, "words.with(\"", "\"").map(Into::into));
        used.extend(source.split('"').filter(|key| keys.contains(key)).map(Into::into));
    }
    used.extend(Fault::ALL.iter().map(|fault| fault.key().to_owned()));
    used.extend(DeclineReason::ALL.iter().map(|reason| decline_key(*reason)));
    used
}

#[test]
fn every_key_in_use_exists_and_every_key_is_in_use() {
    let (texts, faults) = Texts::new(FILES);
    assert_eq!(faults, Vec::<String>::new());
    let texts: &'static Texts = Box::leak(Box::new(texts));
    let of = |language| -> BTreeSet<&'static str> {
        texts.all(language).unwrap().keys().map(String::as_str).collect()
    };
    let used = used(&of(Language::Es));
    assert!(used.len() > 100, "the search for keys finds nothing");
    for language in Language::ALL {
        let there = of(language);
        let missing: Vec<_> = used.iter().filter(|key| !there.contains(key.as_str())).collect();
        let idle: Vec<_> = there.iter().filter(|key| !used.contains(**key)).collect();
        assert!(missing.is_empty(), "{}: missing {missing:?}", language.tag());
        assert!(idle.is_empty(), "{}: in no page {idle:?}", language.tag());
    }
}

#[test]
fn variables_agree_in_all_languages() {
    let texts: &'static Texts = Box::leak(Box::new(Texts::new(FILES).0));
    let variables = |text| between(text, "{$", "}").collect::<BTreeSet<_>>();
    for (key, text) in texts.all(Language::Es).unwrap() {
        for language in Language::ALL {
            let other = texts.text(language, key);
            assert_eq!(variables(text), variables(other), "{} {key}", language.tag());
        }
    }
}

#[test]
fn every_file_of_the_folder_is_served() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    assert_eq!(faults(ASSETS, &folder), Vec::<String>::new());
}

#[test]
fn pages_have_nothing_inline_and_load_nothing_from_elsewhere() {
    for fragment in [LAYOUT, ORDER, FORM, CHALLENGE, RESULT, RECEIPT] {
        for forbidden in ["style=", "<style", "onclick", "http:", "https:", "//"] {
            assert!(!fragment.contains(forbidden), "{forbidden}");
        }
        let inline = between(fragment, "<script", ">").filter(|tag| !tag.contains("src=\"/spa/"));
        assert_eq!(inline.count(), 0);
    }
}
