//! Markdown as HTML: CommonMark with tables. Raw HTML in it is shown, not used.

use cobro_surface::html::escape;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

/// A rendered text.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    /// The text of the first heading, or empty.
    pub(crate) title: String,
    /// The whole text.
    pub(crate) html: String,
    /// The headings of the second level: their anchors and their texts.
    pub(crate) headings: Vec<(String, String)>,
}

/// Renders a text. `resolve` says where a link leads that is not an address or an anchor; a link
/// that leads nowhere is shown as its text alone.
pub(crate) fn render(source: &str, resolve: impl Fn(&str) -> Option<String>) -> Rendered {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut rendered = Rendered::default();
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut heading: Option<(usize, HeadingLevel, String)> = None;
    let mut is_dropped = Vec::new();
    for event in Parser::new_ext(source, options) {
        if let (Some((_, _, text)), Event::Text(part) | Event::Code(part)) = (&mut heading, &event)
        {
            text.push_str(part);
        }
        match event {
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                heading = Some((events.len(), level, String::new()));
                events.push(Event::Start(Tag::Heading { level, id: None, classes, attrs }));
            }
            Event::End(TagEnd::Heading(level)) => {
                if let Some((at, level, text)) = heading.take() {
                    name(&mut rendered, &mut events, at, level, text);
                }
                events.push(Event::End(TagEnd::Heading(level)));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let target = target(&dest_url, &resolve);
                is_dropped.push(target.is_none());
                if let Some(target) = target {
                    let dest_url = CowStr::from(target);
                    events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
                }
            }
            Event::End(TagEnd::Link) => {
                if is_dropped.pop() != Some(true) {
                    events.push(Event::End(TagEnd::Link));
                }
            }
            other => events.push(other),
        }
    }
    push_html(&mut rendered.html, events.into_iter());
    rendered
}

/// Gives a heading its anchor, and notes it.
fn name(
    rendered: &mut Rendered,
    events: &mut [Event<'_>],
    at: usize,
    level: HeadingLevel,
    text: String,
) {
    let anchor = anchor(&text);
    if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(at) {
        *id = Some(CowStr::from(anchor.clone()));
    }
    match level {
        HeadingLevel::H1 if rendered.title.is_empty() => rendered.title = text,
        HeadingLevel::H2 => rendered.headings.push((anchor, text)),
        _ => {}
    }
}

fn target(url: &str, resolve: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_address = url.starts_with("http://") || url.starts_with("https://");
    if is_address || url.starts_with('#') { Some(url.to_owned()) } else { resolve(url) }
}

/// A heading's words, in lower case and joined by hyphens.
fn anchor(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// Appends a link.
pub(crate) fn link(address: &str, text: &str, html: &mut String) {
    html.push_str("<a href=\"");
    escape(address, html);
    html.push_str("\">");
    escape(text, html);
    html.push_str("</a>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_rendered_with_anchors_and_its_own_links() {
        let source = "# A `b`\n\n## Über x, y\n\n[here](other.md) [gone](none.md) [out](https://example.org) [up](#a-b)\n\n| a |\n|---|\n| 1 |\n\n<script>x</script>\n";
        let rendered =
            render(source, |link| (link == "other.md").then(|| "/docs/other".to_owned()));
        assert_eq!(rendered.title, "A b");
        assert_eq!(rendered.headings, [("über-x-y".to_owned(), "Über x, y".to_owned())]);
        for part in [
            "<h1 id=\"a-b\">A <code>b</code></h1>",
            "<a href=\"/docs/other\">here</a> gone <a href=\"https://example.org\">out</a>",
            "<td>1</td>",
            "&lt;script&gt;",
        ] {
            assert!(rendered.html.contains(part), "{part}: {}", rendered.html);
        }
    }
}
