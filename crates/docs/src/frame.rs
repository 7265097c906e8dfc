//! The frame around every page: languages, navigation, headers.

use axum::extract::RawQuery;
use axum::response::{Html, IntoResponse, Response};
use cobro_surface::assets::NOT_SNIFFED;
use cobro_surface::html::{Hole, escape, fill};
use cobro_surface::texts::{Language, Texts};
use http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

/// What a page may do: load from its own origin, and nothing inline.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// The console's cookie: a language that was chosen there holds here.
const LANGUAGE_COOKIE: &str = "cobro_lang";

const LAYOUT: &str = include_str!("../pages/layout.html");

/// A page within the frame.
pub(crate) struct Page {
    /// For the window.
    pub(crate) title: String,
    /// The entry of the bar that the page belongs to: `api` or `book`.
    pub(crate) here: &'static str,
    /// The list beside the page, as HTML.
    pub(crate) nav: String,
    /// What the page says, as HTML.
    pub(crate) main: String,
    /// A class of the page's body.
    pub(crate) class: &'static str,
}

/// Who asks: for which address, in which language.
pub(crate) struct Visit<'a> {
    path: &'a str,
    pub(crate) language: Language,
    is_chosen: bool,
}

impl<'a> Visit<'a> {
    /// The language is that of `?lang=`, else of the cookie, else of `Accept-Language`, else the
    /// first.
    pub(crate) fn new(path: &'a str, RawQuery(query): &RawQuery, headers: &HeaderMap) -> Self {
        let query = query.as_deref().unwrap_or("");
        let asked = query.split('&').find_map(|pair| pair.strip_prefix("lang="));
        let asked = asked.and_then(Language::from_tag);
        let values =
            |name| headers.get_all(name).iter().filter_map(|v: &HeaderValue| v.to_str().ok());
        let language = asked
            .or_else(|| values(COOKIE).find_map(language_cookie))
            .or_else(|| values(ACCEPT_LANGUAGE).find_map(Language::accepted))
            .unwrap_or(Language::Es);
        Self { path, language, is_chosen: asked.is_some() }
    }
}

fn language_cookie(cookies: &str) -> Option<Language> {
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == LANGUAGE_COOKIE).and_then(|(_, tag)| Language::from_tag(tag))
}

/// Puts pages into the frame.
pub(crate) struct Frame {
    version: &'static str,
    texts: Texts,
}

impl Frame {
    pub(crate) fn new(version: &'static str) -> Self {
        Self { version, texts: texts().0 }
    }

    /// A text of the frame.
    pub(crate) fn text<'a>(&'a self, visit: &Visit<'_>, key: &'a str) -> &'a str {
        self.texts.text(visit.language, key)
    }

    /// The page as an answer.
    pub(crate) fn page(&self, visit: &Visit<'_>, page: &Page) -> Response {
        let headers = [
            (CONTENT_SECURITY_POLICY, POLICY),
            (CACHE_CONTROL, "no-cache"),
            (VARY, "Accept-Language, Cookie"),
        ];
        let html = self.render(visit, page);
        let mut response = (NOT_SNIFFED, headers, Html(html)).into_response();
        if visit.is_chosen {
            let tag = visit.language.tag();
            let cookie = format!("{LANGUAGE_COOKIE}={tag}; Path=/; Max-Age=31536000; SameSite=Lax");
            if let Ok(cookie) = HeaderValue::try_from(cookie) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
        }
        response
    }

    /// The answer where there is no page.
    pub(crate) fn missing(&self, visit: &Visit<'_>) -> Response {
        let mut main = String::from("<div class=\"cover\"><h1>");
        escape(self.text(visit, "missing-title"), &mut main);
        main.push_str("</h1><p class=\"lead\"><a href=\"/docs\">");
        escape(self.text(visit, "nav-book"), &mut main);
        main.push_str("</a> · <a href=\"/docs/api\">");
        escape(self.text(visit, "nav-api"), &mut main);
        main.push_str("</a></p></div>");
        let title = self.text(visit, "missing-title").to_owned();
        let page = Page { title, here: "", nav: String::new(), main, class: "" };
        (StatusCode::NOT_FOUND, self.page(visit, &page)).into_response()
    }

    fn render(&self, visit: &Visit<'_>, page: &Page) -> String {
        let mut html = String::with_capacity(page.main.len().saturating_add(16 * 1024));
        fill(LAYOUT, &mut html, |hole, html| match hole {
            Hole::Text(key) => escape(self.text(visit, key), html),
            Hole::Part("nav") => html.push_str(&page.nav),
            Hole::Part("main") => html.push_str(&page.main),
            Hole::Part("texts") => html.push_str(&self.texts.json(visit.language)),
            Hole::Part("languages") => languages(visit, html),
            Hole::Value("title") => escape(&page.title, html),
            Hole::Value("lang") => html.push_str(visit.language.tag()),
            Hole::Value("class") => html.push_str(page.class),
            Hole::Value("here") => html.push_str(page.here),
            Hole::Value("nav-hidden") if page.nav.is_empty() => html.push_str(" hidden"),
            Hole::Value("version") => escape(self.version, html),
            Hole::Value(value) if value == page.here => {
                html.push_str(" aria-current=\"page\"");
            }
            Hole::Part(_) | Hole::Value(_) => {}
        });
        html
    }
}

/// The texts of every language, and what is wrong with their files.
pub(crate) fn texts() -> (Texts, Vec<String>) {
    Texts::new([
        (Language::Es, include_str!("../texts/es.ftl")),
        (Language::PtBr, include_str!("../texts/pt-BR.ftl")),
        (Language::En, include_str!("../texts/en.ftl")),
    ])
}

/// Links that show the same page in another language.
fn languages(visit: &Visit<'_>, html: &mut String) {
    for language in Language::ALL {
        let tag = language.tag();
        html.push_str(&format!("<a hreflang=\"{tag}\" lang=\"{tag}\" href=\""));
        escape(visit.path, html);
        html.push_str(&format!("?lang={tag}\""));
        if language == visit.language {
            html.push_str(" aria-current=\"true\"");
        }
        html.push('>');
        html.push_str(language.name());
        html.push_str("</a>");
    }
}
