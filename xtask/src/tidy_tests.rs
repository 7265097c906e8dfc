//! The rules on made-up files, and on the tree itself.

use super::*;

/// What `check_file` dislikes about a file, as `line: words`.
fn dislikes(path: &str, text: &str) -> Vec<String> {
    check_file(Path::new(path), text)
        .into_iter()
        .map(|finding| format!("{}: {}", finding.line, finding.what))
        .collect()
}

#[test]
fn the_tree_keeps_its_rules() {
    let root = crate::workspace_root().unwrap();
    let findings: Vec<String> =
        check_tree(&root).unwrap().iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn the_whole_tree_is_looked_at() {
    let root = crate::workspace_root().unwrap();
    let files = text_files(&root).unwrap();
    for path in ["Cargo.toml", "xtask/src/tidy.rs", "crates/domain/Cargo.toml"] {
        assert!(files.iter().any(|(listed, _)| listed == Path::new(path)), "{path} is not listed");
    }
}

#[test]
fn sizes() {
    let lines = |count: usize| "// a line\n".repeat(count);
    let function = |count: usize| format!("fn long() {{\n{}}}\n", lines(count - 2));
    assert!(dislikes("a.rs", &lines(600)).is_empty());
    assert_eq!(dislikes("a.rs", &lines(601)).len(), 1);
    assert!(dislikes("a.txt", &lines(601)).is_empty(), "only source is measured");
    assert!(dislikes("a.rs", &function(70)).is_empty());
    assert_eq!(dislikes("a.rs", &function(71)), ["1: fn long has 71 lines, at most 70 fit"]);
}

#[test]
fn leftovers() {
    for (pieces, banned) in [
        (["    tod", "o!()"], true),
        (["x = db", "g!(y)"], true),
        (["unimpl", "emented!(\"later\")"], true),
        (["// FIX", "ME later"], true),
        (["// XX", "X"], true),
        (["my_tod", "o!()"], false),
        (["let XX", "XX = 1;"], false),
    ] {
        let line = pieces.concat();
        assert_eq!(!dislikes("a.rs", &line).is_empty(), banned, "{line}");
        assert!(dislikes("a.md", &line).is_empty(), "only source is searched");
    }
}

#[test]
fn provider_words_stay_above() {
    for (line, named) in [
        ("// Mercado Pago", true),
        ("MERCADOPAGO", true),
        ("mercado-pago", true),
        ("mercadoópago", true),
        ("PlacetoPay", true),
        ("// Clip's", true),
        ("clipped to 40 bytes", false),
        ("mercado", false),
        ("clippy", false),
    ] {
        for room in NEUTRAL_ROOMS {
            let path = format!("crates/{room}/src/a.rs");
            assert_eq!(!dislikes(&path, line).is_empty(), named, "{line} in {path}");
        }
        assert!(dislikes("crates/dialects/x/src/a.rs", line).is_empty());
    }
}

#[test]
fn machines_and_registries() {
    let path = ["see /wor", "k/notes"].concat();
    let host = ["https://registry.npm", "js.org/a"].concat();
    assert_eq!(dislikes("README.md", &path).len(), 1);
    assert!(dislikes("Cargo.lock", &path).is_empty());
    assert_eq!(dislikes("README.md", &host).len(), 1);
    assert_eq!(dislikes("tests/clients/package-lock.json", &host).len(), 1);
    assert!(dislikes("README.md", "homework/ and roots/").is_empty());
    let resolved = "      \"resolved\": \"elsewhere\",";
    assert_eq!(dislikes("tests/clients/package-lock.json", resolved).len(), 1);
}

#[test]
fn packages_inherit_the_lints() {
    let package = "[package]\nname = \"a\"\n";
    for (rest, inherits) in [
        ("[lints]\nworkspace = true\n", true),
        ("[lints]\nworkspace=true # all\n", true),
        ("", false),
        ("[dependencies]\nworkspace = true\n", false),
        ("[lints]\n[dependencies]\nworkspace = true\n", false),
    ] {
        let found = dislikes("crates/a/Cargo.toml", &format!("{package}{rest}"));
        assert_eq!(found.is_empty(), inherits, "{rest}");
    }
    assert!(dislikes("Cargo.toml", "[workspace]\n").is_empty());
}
