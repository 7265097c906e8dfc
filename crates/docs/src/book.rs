//! The book: the tree's own texts, compiled into the program.

use cobro_surface::html::escape;

use crate::frame::{Frame, Page, Visit};
use crate::markdown::{Rendered, link, render};

/// A text of the book.
#[derive(Debug)]
pub(crate) struct Chapter {
    /// Its file, from the root of the tree.
    file: &'static str,
    /// What follows `/docs/` in its address.
    path: &'static str,
    /// The group that it is listed under: a key of a text.
    group: &'static str,
    source: &'static str,
}

macro_rules! chapter {
    ($group:literal, $path:literal, $file:literal) => {
        Chapter {
            file: $file,
            path: $path,
            group: $group,
            source: include_str!(concat!("../../../", $file)),
        }
    };
}

/// Every chapter, in the order in which it is listed.
pub(crate) const CHAPTERS: &[Chapter] = &[
    chapter!("group-start", "start", "README.md"),
    chapter!(
        "group-dialects",
        "dialects/mercado-pago-point",
        "docs/dialects/mercado-pago-point.md"
    ),
    chapter!("group-dialects", "dialects/placetopay", "docs/dialects/placetopay.md"),
    chapter!("group-clients", "clients", "docs/clients/README.md"),
    chapter!("group-clients", "clients/node", "docs/clients/node.md"),
    chapter!("group-clients", "clients/python", "docs/clients/python.md"),
    chapter!("group-clients", "clients/php", "docs/clients/php.md"),
    chapter!("group-clients", "clients/java", "docs/clients/java.md"),
    chapter!("group-clients", "clients/csharp", "docs/clients/csharp.md"),
    chapter!("group-clients", "clients/go", "docs/clients/go.md"),
    chapter!("group-clients", "clients/ruby", "docs/clients/ruby.md"),
    chapter!("group-clients", "clients/delphi", "docs/clients/delphi.md"),
    chapter!("group-clients", "clients/curl", "docs/clients/curl.md"),
    chapter!("group-clients", "clients/postman", "docs/clients/postman.md"),
    chapter!("group-clients", "clients/browser", "docs/clients/browser.md"),
    chapter!("group-project", "architecture", "ARCHITECTURE.md"),
    chapter!("group-project", "contributing", "CONTRIBUTING.md"),
    chapter!("group-project", "changes", "CHANGELOG.md"),
    chapter!(
        "group-decisions",
        "decisions/0001-record-decisions",
        "docs/decisions/0001-record-decisions.md"
    ),
    chapter!("group-decisions", "decisions/0002-lanes", "docs/decisions/0002-lanes.md"),
    chapter!("group-decisions", "decisions/0003-ids", "docs/decisions/0003-ids.md"),
    chapter!(
        "group-decisions",
        "decisions/0004-endpoint-tables",
        "docs/decisions/0004-endpoint-tables.md"
    ),
    chapter!("group-decisions", "decisions/0005-leadership", "docs/decisions/0005-leadership.md"),
];

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
    for group in groups() {
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
    let nav = nav(frame, visit, chapter.path);
    Some(Page { title: rendered.title, here: "book", nav, main, class: "reading" })
}

impl Chapter {
    fn address(&self) -> String {
        format!("/docs/{}", self.path)
    }

    fn title(&self) -> String {
        let first = self.source.lines().find_map(|line| line.strip_prefix("# "));
        first.unwrap_or(self.path).replace('`', "")
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

fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = CHAPTERS.iter().map(|chapter| chapter.group).collect();
    groups.dedup();
    groups
}

fn nav(frame: &Frame, visit: &Visit<'_>, here: &str) -> String {
    let mut html = String::new();
    for group in groups() {
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
    use std::path::Path;

    use super::*;

    #[test]
    fn every_text_of_the_folder_is_a_chapter_and_every_link_leads_somewhere() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut folders = vec![root.join("docs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "md") {
                    let file = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                    assert!(CHAPTERS.iter().any(|chapter| chapter.file == file), "{file}");
                }
            }
        }
        for chapter in CHAPTERS {
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
