//! Just enough reading of Rust source for `tidy` and the test runner: where functions begin and end,
//! and whether documentation holds examples that can be run.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of the `fn`, counted from 1.
    pub(crate) line: usize,
    /// Lines from the `fn` to the closing brace, both included.
    pub(crate) lines: usize,
}

/// Every function with a body, nested ones too, in the order in which they begin.
pub(crate) fn functions(text: &str) -> Vec<Function> {
    let code = without_texts(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let after_word = |c: char| c.is_alphanumeric() || c == '_' || c == '#';
        if code[..at].chars().next_back().is_some_and(after_word) {
            continue;
        }
        let signature = &code[at + 3..];
        let name: String = signature
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let Some(body) = body_start(signature) else { continue };
        if name.is_empty() {
            continue;
        }
        let end = at + 3 + body + block_len(&signature[body..]);
        let line = code[..at].matches('\n').count() + 1;
        let lines = code[at..end].matches('\n').count() + 1;
        found.push(Function { name, line, lines });
    }
    found
}

/// Whether a documentation comment holds a block of Rust, which `cargo test --doc` would run.
pub(crate) fn has_doc_example(text: &str) -> bool {
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim_start();
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let Some(language) = doc.trim().strip_prefix("```") else { continue };
        let rust = ["", "rust", "no_run", "should_panic", "compile_fail"];
        let first = language.split(',').next().unwrap_or_default().trim();
        if !inside && rust.contains(&first) {
            return true;
        }
        inside = !inside;
    }
    false
}

/// Where the body of a function begins; none when a semicolon ends it first. An array type has a
/// semicolon in brackets, which does not count.
fn body_start(signature: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in signature.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            '{' if depth == 0 => return Some(at),
            ';' | '}' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The length of a block that begins with its opening brace.
fn block_len(block: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in block.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + c.len_utf8();
        }
    }
    block.len()
}

/// The source with comments and the contents of literals taken out; line ends stay.
fn without_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = text_len(rest, code.chars().next_back());
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.push(' ');
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    code
}

/// How many bytes of a comment or a literal `rest` begins with; 0 when it begins with code.
fn text_len(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_len(rest);
    }
    if rest.starts_with('"') {
        return quoted_len(rest);
    }
    if rest.starts_with('\'') {
        return char_literal_len(rest);
    }
    if !in_word {
        for prefix in ["br", "cr", "r"] {
            if let Some(raw) = rest.strip_prefix(prefix) {
                let hashes = raw.len() - raw.trim_start_matches('#').len();
                if raw[hashes..].starts_with('"') {
                    let end = format!("\"{}", "#".repeat(hashes));
                    let start = prefix.len() + hashes + 1;
                    return rest[start..]
                        .find(&end)
                        .map_or(rest.len(), |at| start + at + end.len());
                }
            }
        }
    }
    0
}

fn block_comment_len(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted_len(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal; 0 for a lifetime.
fn char_literal_len(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each function as `name line lines`.
    fn listed(text: &str) -> Vec<String> {
        let describe = |f: &Function| format!("{} {} {}", f.name, f.line, f.lines);
        functions(text).iter().map(describe).collect()
    }

    #[test]
    fn functions_are_found_with_their_lines() {
        for (text, expected) in [
            ("fn a() {}\n", vec!["a 1 1"]),
            ("\npub(crate) async fn a<'x>(b: &'x str)\nwhere\n{\n}\n", vec!["a 2 4"]),
            ("trait T {\n    fn a(&self) -> [u8; 4];\n    fn b() {\n    }\n}\n", vec!["b 3 2"]),
            ("fn a() {\n    fn b() {\n    }\n}\n", vec!["a 1 4", "b 2 2"]),
            ("fn a() {\n    \"}\"; '}'; '\\''; r#\"}\"}\"#; /* } */ // }\n}\n", vec!["a 1 3"]),
            ("fn a() {\n    b\"\\\"}\"; \"\n}\n\"\n}\n", vec!["a 1 5"]),
            ("type F = fn (u8) -> u8;\nlet f: fn(u8);\n", vec![]),
            ("// fn a() {}\n\"fn a() {}\"", vec![]),
            ("let bar = r; fn a(x: [u8; 2]) { \u{e9} }", vec!["a 1 1"]),
        ] {
            assert_eq!(listed(text), expected, "{text}");
        }
    }

    #[test]
    fn examples_in_documentation() {
        for (text, example) in [
            ("/// ```\n/// assert!(true);\n/// ```\n", true),
            ("    //! ```no_run\n", true),
            ("/// ```text\n/// a\n/// ```\nfn a() {}\n/// words\n", false),
            ("/// ```json\n/// {}\n/// ```\n/// ```rust\n", true),
            ("// ```\n", false),
            ("let fence = \"```\";\n", false),
        ] {
            assert_eq!(has_doc_example(text), example, "{text}");
        }
    }
}
