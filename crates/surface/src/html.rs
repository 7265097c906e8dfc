//! HTML made of fragments with holes.
//!
//! A fragment is a file that comes with the program; `{{…}}` is a hole in it. What fills a hole
//! may come from outside, and is escaped; a fragment never does.

/// What a hole asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hole<'a> {
    /// `{{key}}`: a text, by its key.
    Text(&'a str),
    /// `{{$name}}`: a value.
    Value(&'a str),
    /// `{{>name}}`: another fragment, or HTML that was made before.
    Part(&'a str),
}

/// Appends a fragment to `html`. `fill` appends what belongs in each hole, escaped where it is not
/// HTML; a hole that is not closed ends the fragment.
pub fn fill(fragment: &str, html: &mut String, mut fill: impl FnMut(Hole<'_>, &mut String)) {
    let mut rest = fragment;
    while let Some((before, after)) = rest.split_once("{{") {
        html.push_str(before);
        let Some((inner, tail)) = after.split_once("}}") else { return };
        let hole = match (inner.strip_prefix('>'), inner.strip_prefix('$')) {
            (Some(part), _) => Hole::Part(part),
            (None, Some(value)) => Hole::Value(value),
            (None, None) => Hole::Text(inner),
        };
        fill(hole, html);
        rest = tail;
    }
    html.push_str(rest);
}

/// Appends text so that it is text in HTML, between tags and in quoted attributes.
pub fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

/// JSON that can stand in a `script` element of HTML: `</script>` and `<!--` would end it.
pub fn json_in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_in_order() {
        let mut html = String::new();
        fill(
            "<p title=\"{{$name}}\">{{key}}{{>part}}</p>{{open",
            &mut html,
            |hole, html| match hole {
                Hole::Text(key) => escape(&format!("[{key}&]"), html),
                Hole::Value(name) => escape(&format!("\"{name}\""), html),
                Hole::Part(name) => html.push_str(&format!("<b>{name}</b>")),
            },
        );
        assert_eq!(html, "<p title=\"&quot;name&quot;\">[key&amp;]<b>part</b></p>");
    }

    #[test]
    fn text_cannot_become_markup() {
        let mut html = String::new();
        escape("<a href='x'>&\"", &mut html);
        assert_eq!(html, "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
        assert_eq!(json_in_script("\"</script><!--\""), "\"\\u003c/script>\\u003c!--\"");
    }
}
