//! The book: the tree's own texts, compiled into the program.

use std::sync::LazyLock;

use cobro_surface::html::escape;

use crate::frame::{Frame, Page, Visit};
use crate::markdown::{Rendered, link, render};

/// A text of the book.
#[derive(Debug)]
struct Chapter {
    /// Its file, from the root of the tree.
    file: &'static str,
    /// What follows `/docs/` in its address.
    path: String,
    /// The group that it is listed under: a key of a text.
    group: &'static str,
    source: &'static str,
}

/// The files of `docs/` with their texts, in the order of their names.
const TEXTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// The texts at the root of the tree.
const ROOT: [(&str, &str, &str, &str); 4] = [
    ("README.md", "start", "group-start", include_str!("../../../README.md")),
    ("ARCHITECTURE.md", "architecture", PROJECT, include_str!("../../../ARCHITECTURE.md")),
    ("CONTRIBUTING.md", "contributing", PROJECT, include_str!("../../../CONTRIBUTING.md")),
    ("CHANGELOG.md", "changes", PROJECT, include_str!("../../../CHANGELOG.md")),
];

const PROJECT: &str = "group-project";

/// The groups, in the order in which they are listed.
const GROUPS: [&str; 5] =
    ["group-start", "group-dialects", "group-clients", PROJECT, "group-decisions"];

/// Every chapter. What is in none of the known folders belongs to the project.
static CHAPTERS: LazyLock<Vec<Chapter>> = LazyLock::new(|| {
    let root = ROOT.iter().map(|(file, path, group, source)| Chapter {
        file,
        path: (*path).to_owned(),
        group,
        source,
    });
    let texts = TEXTS.iter().map(|(file, source)| {
        let name = file.trim_start_matches("docs/").trim_end_matches(".md");
        let group = match name.split_once('/') {
            Some(("dialects", _)) => "group-dialects",
            Some(("clients", _)) => "group-clients",
            Some(("decisions", _)) => "group-decisions",
            _ => PROJECT,
        };
        // A folder's own text stands at the folder's address.
        Chapter { file, path: name.trim_end_matches("/README").to_owned(), group, source }
    });
    root.chain(texts).collect()
});

/// The page that lists the chapters.
pub(crate) fn index(frame: &Frame, visit: &Visit<'_>) -> Page {
    let mut main = String::from("<div class=\"cover\"><h1>");
    escape(frame.text(visit, "book-title"), &mut main);
    main.push_str("</h1><p class=\"lead\">");
    escape(frame.text(visit, "book-lead"), &mut main);
    main.push_str("</p><p class=\"actions\"><a class=\"button primary\" href=\"/docs/api\">");
    escape(frame.text(visit, "nav-api"), &mut main);
    main.push_str("</a> <a class=\"button\" href=\"/\">");
    escape(frame.text(visit, "nav-console"), &mut main);
    main.push_str("</a></p></div><div class=\"shelves\">");
    for group in GROUPS {
        main.push_str("<section class=\"panel shelf\"><h2>");
        escape(frame.text(visit, group), &mut main);
        main.push_str("</h2><ul>");
        for chapter in CHAPTERS.iter().filter(|chapter| chapter.group == group) {
            main.push_str("<li>");
            link(&chapter.address(), &chapter.title(), &mut main);
            main.push_str("</li>");
        }
        main.push_str("</ul></section>");
    }
    main.push_str("</div>");
    let title = frame.text(visit, "book-title").to_owned();
    Page { title, here: "book", nav: nav(frame, visit, ""), main, class: "" }
}

/// One chapter; `None` where there is none.
pub(crate) fn chapter(frame: &Frame, visit: &Visit<'_>, path: &str) -> Option<Page> {
    let chapter = CHAPTERS.iter().find(|chapter| chapter.path == path.trim_end_matches('/'))?;
    let rendered = chapter.render();
    let mut main = String::from("<article class=\"prose\" lang=\"en\">");
    main.push_str(&rendered.html);
    main.push_str("</article>");
    if rendered.headings.len() > 1 {
        main.push_str("<aside class=\"toc\"><h2>");
        escape(frame.text(visit, "on-this-page"), &mut main);
        main.push_str("</h2><ul lang=\"en\">");
        for (anchor, text) in &rendered.headings {
            main.push_str("<li>");
            link(&format!("#{anchor}"), text, &mut main);
            main.push_str("</li>");
        }
        main.push_str("</ul></aside>");
    }
    let nav = nav(frame, visit, &chapter.path);
    Some(Page { title: rendered.title, here: "book", nav, main, class: "reading" })
}

impl Chapter {
    fn address(&self) -> String {
        format!("/docs/{}", self.path)
    }

    fn title(&self) -> String {
        let first = self.source.lines().find_map(|line| line.strip_prefix("# "));
        first.unwrap_or(&self.path).replace('`', "")
    }

    fn render(&self) -> Rendered {
        render(self.source, |link| self.resolve(link))
    }

    /// Where a link to another file of the tree leads.
    fn resolve(&self, link: &str) -> Option<String> {
        let (file, anchor) = match link.split_once('#') {
            Some((file, anchor)) => (file, format!("#{anchor}")),
            None => (link, String::new()),
        };
        let mut segments: Vec<&str> = self.file.split('/').collect();
        segments.pop();
        for segment in file.split('/') {
            match segment {
                "." | "" => {}
                ".." => {
                    segments.pop();
                }
                name => segments.push(name),
            }
        }
        let file = segments.join("/");
        let chapter = CHAPTERS.iter().find(|chapter| chapter.file == file);
        match chapter {
            Some(chapter) => Some(format!("{}{anchor}", chapter.address())),
            // A folder is the list of what is in it.
            None if CHAPTERS.iter().any(|one| one.file.starts_with(&format!("{file}/"))) => {
                Some("/docs".to_owned())
            }
            None => None,
        }
    }
}

fn nav(frame: &Frame, visit: &Visit<'_>, here: &str) -> String {
    let mut html = String::new();
    for group in GROUPS {
        html.push_str("<h2>");
        escape(frame.text(visit, group), &mut html);
        html.push_str("</h2><ul lang=\"en\">");
        for chapter in CHAPTERS.iter().filter(|chapter| chapter.group == group) {
            html.push_str("<li><a href=\"");
            html.push_str(&chapter.address());
            html.push('"');
            if chapter.path == here {
                html.push_str(" aria-current=\"page\"");
            }
            html.push('>');
            escape(&chapter.title(), &mut html);
            html.push_str("</a></li>");
        }
        html.push_str("</ul>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_the_folder_is_a_chapter_and_every_link_leads_somewhere() {
        assert!(TEXTS.len() > 15, "the build found {} texts", TEXTS.len());
        for (path, group) in [
            ("start", "group-start"),
            ("clients", "group-clients"),
            ("clients/node", "group-clients"),
            ("dialects/placetopay", "group-dialects"),
            ("decisions/0002-lanes", "group-decisions"),
        ] {
            let found = CHAPTERS.iter().find(|chapter| chapter.path == path).unwrap();
            assert_eq!(found.group, group, "{path}");
        }
        for chapter in CHAPTERS.iter() {
            let rendered = chapter.render();
            assert!(!rendered.title.is_empty(), "{}", chapter.file);
            for address in rendered.html.split("href=\"/docs").skip(1) {
                let address = address.split('"').next().unwrap();
                let (path, anchor) = address.split_once('#').unwrap_or((address, ""));
                let path = path.trim_start_matches('/');
                let target = CHAPTERS.iter().find(|one| one.path == path);
                assert!(target.is_some() || path.is_empty(), "{}: {address}", chapter.file);
                let is_there =
                    |one: &Chapter| one.render().html.contains(&format!("id=\"{anchor}\""));
                assert!(anchor.is_empty() || target.is_some_and(is_there), "{address}");
            }
        }
    }
}
