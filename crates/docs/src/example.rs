//! JSON as it is shown: broken into lines, with its numbers and the order of its members as the
//! example has them.

use cobro_surface::html::escape;

/// A piece of a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A member's name, in its quotes.
    Name(&'a str),
    /// A text, in its quotes.
    Text(&'a str),
    /// A number.
    Number(&'a str),
    /// `true`, `false`, `null`.
    Word(&'a str),
    /// What stands between.
    Mark(&'a str),
    /// A new line, this deep.
    Line(usize),
}

/// The pieces of a JSON text. What is no JSON comes out as it can.
pub(crate) fn pieces(json: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut depth) = (json.trim_start(), 0_usize);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => text_length(rest),
            '{' | '[' | '}' | ']' | ',' | ':' => 1,
            _ => rest.find([',', '}', ']', ' ', '\n', '"']).unwrap_or(rest.len()).max(1),
        };
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after.trim_start();
        match first {
            '{' | '[' => {
                found.push(Piece::Mark(piece));
                if !rest.starts_with(['}', ']']) {
                    depth = depth.saturating_add(1);
                    found.push(Piece::Line(depth));
                }
            }
            '}' | ']' => {
                if !matches!(found.last(), Some(Piece::Mark("{" | "["))) {
                    depth = depth.saturating_sub(1);
                    found.push(Piece::Line(depth));
                }
                found.push(Piece::Mark(piece));
            }
            ',' => found.extend([Piece::Mark(","), Piece::Line(depth)]),
            ':' => found.push(Piece::Mark(": ")),
            '"' if rest.starts_with(':') => found.push(Piece::Name(piece)),
            '"' => found.push(Piece::Text(piece)),
            '-' | '0'..='9' => found.push(Piece::Number(piece)),
            _ => found.push(Piece::Word(piece)),
        }
    }
    found
}

/// How long the quoted text is that `json` begins with, quotes included.
fn text_length(json: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at.saturating_add(1),
            _ => {}
        }
    }
    json.len()
}

/// JSON on lines of its own, as plain text.
pub(crate) fn plain(json: &str) -> String {
    let mut text = String::new();
    for piece in pieces(json) {
        match piece {
            Piece::Line(depth) => new_line(depth, &mut text),
            Piece::Name(piece)
            | Piece::Text(piece)
            | Piece::Number(piece)
            | Piece::Word(piece)
            | Piece::Mark(piece) => text.push_str(piece),
        }
    }
    text
}

/// Appends JSON with its pieces marked for the style sheet; another text as it is.
pub(crate) fn marked(text: &str, html: &mut String) {
    if !text.starts_with(['{', '[']) {
        return escape(text, html);
    }
    for piece in pieces(text) {
        let (class, piece) = match piece {
            Piece::Line(depth) => {
                new_line(depth, html);
                continue;
            }
            Piece::Mark(piece) => {
                html.push_str(piece);
                continue;
            }
            Piece::Name(piece) => ("j-name", piece),
            Piece::Text(piece) => ("j-text", piece),
            Piece::Number(piece) => ("j-number", piece),
            Piece::Word(piece) => ("j-word", piece),
        };
        html.push_str("<span class=\"");
        html.push_str(class);
        html.push_str("\">");
        escape(piece, html);
        html.push_str("</span>");
    }
}

fn new_line(depth: usize, text: &mut String) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_broken_into_lines_and_nothing_else_changes() {
        let table = [
            ("{}", "{}"),
            (r#"{"a":1.50,"b":[]}"#, "{\n  \"a\": 1.50,\n  \"b\": []\n}"),
            (
                r#"{"a":{"b":[1,{"c":null}]}}"#,
                "{\n  \"a\": {\n    \"b\": [\n      1,\n      {\n        \"c\": null\n      }\n    ]\n  }\n}",
            ),
            (r#"{ "a" : "x, \"y\": {z}" }"#, "{\n  \"a\": \"x, \\\"y\\\": {z}\"\n}"),
            (r#"["é","\\"]"#, "[\n  \"é\",\n  \"\\\\\"\n]"),
            ("{\"a\"", "{\n  \"a\""),
        ];
        for (json, expected) in table {
            assert_eq!(plain(json), expected);
        }
    }

    #[test]
    fn pieces_are_marked_and_escaped() {
        let mut html = String::new();
        marked(r#"{"a<":"</b>","n":-1,"w":true}"#, &mut html);
        let expected = "{\n  <span class=\"j-name\">&quot;a&lt;&quot;</span>: <span class=\"j-text\">&quot;&lt;/b&gt;&quot;</span>,\n  <span class=\"j-name\">&quot;n&quot;</span>: <span class=\"j-number\">-1</span>,\n  <span class=\"j-name\">&quot;w&quot;</span>: <span class=\"j-word\">true</span>\n}";
        assert_eq!(html, expected);
        html.clear();
        marked("data: <1>\n\n", &mut html);
        assert_eq!(html, "data: &lt;1&gt;\n\n");
    }
}
