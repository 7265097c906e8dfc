//! The shells: HTML around which a script builds what changes.

use axum::response::{Html, IntoResponse, Response};
use http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HeaderName, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderValue};

use crate::assets::NOT_SNIFFED;
use crate::texts::{Language, Texts};

/// What a page may do: load from its own origin, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

const LANGUAGE_COOKIE: &str = "cobro_lang";

/// Fragments of HTML, by the name that `{{>name}}` includes them with.
pub(crate) const FRAGMENTS: [(&str, &str); 20] = [
    ("layout", include_str!("../pages/layout.html")),
    ("icons", include_str!("../pages/icons.svg")),
    ("device", include_str!("../pages/device.html")),
    ("home", include_str!("../pages/home.html")),
    ("terminals", include_str!("../pages/terminals.html")),
    ("terminal", include_str!("../pages/terminal.html")),
    ("journal", include_str!("../pages/journal.html")),
    ("deposits", include_str!("../pages/deposits.html")),
    ("deposit", include_str!("../pages/deposit.html")),
    ("deliveries", include_str!("../pages/deliveries.html")),
    ("endpoints", include_str!("../pages/endpoints.html")),
    ("ledger", include_str!("../pages/ledger.html")),
    ("missing", include_str!("../pages/missing.html")),
    ("sites", include_str!("../pages/sites.html")),
    ("nav", include_str!("../pages/nav.html")),
    ("simulator", include_str!("../pages/simulator.html")),
    ("simulator-nav", include_str!("../pages/simulator-nav.html")),
    ("simulator-pos", include_str!("../pages/simulator-pos.html")),
    ("simulator-wire", include_str!("../pages/simulator-wire.html")),
    ("simulator-waiting", include_str!("../pages/simulator-waiting.html")),
];

/// Keys of texts that a page names in the program, not in its fragment: titles and leads.
#[cfg(test)]
pub(crate) const NAMED: [&str; 14] = [
    "nav-home",
    "nav-terminals",
    "nav-events",
    "nav-requests",
    "nav-deliveries",
    "nav-deposits",
    "endpoints",
    "nav-ledger",
    "gone-page",
    "nav-sites",
    "simulator-pdv",
    "simulator-device",
    "simulator-pdv-lead",
    "simulator-device-lead",
];

/// A page of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page<'a> {
    /// What Cobro is, the world and its credentials.
    Home,
    /// All terminals side by side.
    Terminals,
    /// One terminal, large; the control API knows whether it exists.
    Terminal {
        /// Its id on the wire, as it stands in the address.
        id: &'a str,
    },
    /// What happened.
    Events,
    /// What callers asked and were answered.
    Requests,
    /// What was sent to webhooks.
    Deliveries,
    /// What was paid out, and what is about to be.
    Deposits,
    /// One of them, with its payments; the control API knows whether it exists.
    Deposit {
        /// Its report's number or its id, as it stands in the address.
        id: &'a str,
    },
    /// The notified addresses and their health.
    Endpoints,
    /// Balances and postings.
    Ledger,
    /// What merchants have without terminals: sessions, charges, tokens, notifications.
    Sites,
    /// There is no such page.
    Missing,
    /// The Point simulator.
    Simulator(Mode),
}

/// What the Point simulator plays (seed 003, "Simulador Point").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The point of sale and the terminal.
    Pdv,
    /// The terminal alone; the point of sale is the integrator's own program.
    Device,
}

impl<'a> Page<'a> {
    /// Its name: of its fragment's script and of the entry in the navigation.
    fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Terminals => "terminals",
            Self::Terminal { .. } => "terminal",
            Self::Events => "events",
            Self::Requests => "requests",
            Self::Deliveries => "deliveries",
            Self::Deposits => "deposits",
            Self::Deposit { .. } => "deposit",
            Self::Endpoints => "endpoints",
            Self::Ledger => "ledger",
            Self::Missing => "missing",
            Self::Sites => "sites",
            Self::Simulator(_) => "simulator",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Home => "nav-home",
            Self::Terminals | Self::Terminal { .. } => "nav-terminals",
            Self::Events => "nav-events",
            Self::Requests => "nav-requests",
            Self::Deliveries => "nav-deliveries",
            Self::Deposits | Self::Deposit { .. } => "nav-deposits",
            Self::Endpoints => "endpoints",
            Self::Ledger => "nav-ledger",
            Self::Missing => "gone-page",
            Self::Sites => "nav-sites",
            Self::Simulator(Mode::Pdv) => "simulator-pdv",
            Self::Simulator(Mode::Device) => "simulator-device",
        }
    }

    /// The text that says what the page is for, where it has one.
    fn lead(self) -> Option<&'static str> {
        match self {
            Self::Simulator(Mode::Pdv) => Some("simulator-pdv-lead"),
            Self::Simulator(Mode::Device) => Some("simulator-device-lead"),
            _ => None,
        }
    }

    fn mode(self) -> &'static str {
        match self {
            Self::Simulator(Mode::Pdv) => "pdv",
            Self::Simulator(Mode::Device) => "device",
            _ => "",
        }
    }

    fn fragment(self) -> &'static str {
        match self {
            Self::Events | Self::Requests => "journal",
            page => page.name(),
        }
    }

    /// The fragment at a place that pages fill differently; the place's own name where they do not.
    fn part(self, place: &str) -> &str {
        match (place, self) {
            ("main", page) => page.fragment(),
            ("nav", Self::Simulator(_)) => "simulator-nav",
            ("desk", Self::Simulator(Mode::Pdv)) => "simulator-pos",
            ("desk", Self::Simulator(Mode::Device)) => "simulator-waiting",
            ("logs", Self::Simulator(Mode::Pdv)) => "simulator-wire",
            (place, _) => place,
        }
    }

    fn deposit(self) -> &'a str {
        match self {
            Self::Deposit { id } => id,
            _ => "",
        }
    }

    fn terminal(self) -> &'a str {
        match self {
            Self::Terminal { id } => id,
            _ => "",
        }
    }
}

/// Who asks for a page: language and world.
pub(crate) struct Visit<'a> {
    language: Language,
    chosen: bool,
    world: Option<&'a str>,
}

impl<'a> Visit<'a> {
    /// The language is that of `?lang=`, else of the cookie, else of `Accept-Language`, else the
    /// first; the world is that of `?world=` if it can be an id.
    pub(crate) fn new(query: &'a str, headers: &HeaderMap) -> Self {
        let asked = parameter(query, "lang").and_then(Language::from_tag);
        let language = asked
            .or_else(|| header(headers, &COOKIE).find_map(language_cookie))
            .or_else(|| header(headers, &ACCEPT_LANGUAGE).find_map(Language::accepted))
            .unwrap_or(Language::Es);
        let world = parameter(query, "world").filter(|world| is_id(world));
        Self { language, chosen: asked.is_some(), world }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

fn language_cookie(cookies: &str) -> Option<Language> {
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == LANGUAGE_COOKIE).and_then(|(_, tag)| Language::from_tag(tag))
}

/// A query parameter whose value needs no decoding, which ids and language tags never do.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(one, _)| *one == name))
        .map(|pair| pair.1)
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Renders pages.
pub(crate) struct Pages {
    version: &'static str,
}

impl Pages {
    /// The pages.
    pub(crate) fn new(version: &'static str) -> Self {
        Self { version }
    }

    /// The page as an answer with its headers.
    pub(crate) fn answer(&self, page: Page<'_>, visit: &Visit<'_>) -> Response {
        let headers = [
            (CONTENT_SECURITY_POLICY, POLICY),
            (CACHE_CONTROL, "no-cache"),
            (VARY, "Accept-Language, Cookie"),
        ];
        let mut response = (NOT_SNIFFED, headers, Html(self.render(page, visit))).into_response();
        if visit.chosen {
            let tag = visit.language.tag();
            let cookie = format!("{LANGUAGE_COOKIE}={tag}; Path=/; Max-Age=31536000; SameSite=Lax");
            if let Ok(cookie) = HeaderValue::try_from(cookie) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
        }
        response
    }

    fn render(&self, page: Page<'_>, visit: &Visit<'_>) -> String {
        let mut html = String::with_capacity(48 * 1024);
        self.fragment("layout", page, visit, &mut html);
        html
    }

    /// Appends a fragment: `{{key}}` is a text, `{{$name}}` a value, `{{>name}}` another fragment.
    /// Texts and values are escaped; fragments never come from outside.
    fn fragment(&self, name: &str, page: Page<'_>, visit: &Visit<'_>, html: &mut String) {
        let found = FRAGMENTS.iter().find(|(one, _)| *one == name);
        let mut rest = found.map_or("", |(_, text)| text);
        while let Some((before, after)) = rest.split_once("{{") {
            html.push_str(before);
            let Some((inner, tail)) = after.split_once("}}") else { return };
            match (inner.strip_prefix('>'), inner.strip_prefix('$')) {
                (Some("texts"), _) => html.push_str(&Texts::bundled().json(visit.language)),
                (Some("languages"), _) => languages(visit, html),
                (Some(place), _) => self.fragment(page.part(place), page, visit, html),
                (None, Some(value)) => self.value(value, page, visit, html),
                (None, None) => escape(Texts::bundled().text(visit.language, inner), html),
            }
            rest = tail;
        }
        html.push_str(rest);
    }

    fn value(&self, name: &str, page: Page<'_>, visit: &Visit<'_>, html: &mut String) {
        match name {
            "title" => escape(Texts::bundled().text(visit.language, page.title()), html),
            "lang" => html.push_str(visit.language.tag()),
            "lead" => {
                escape(
                    page.lead().map_or("", |key| Texts::bundled().text(visit.language, key)),
                    html,
                );
            }
            "mode" => html.push_str(page.mode()),
            "page" => html.push_str(page.name()),
            "version" => escape(self.version, html),
            "deposit" => escape(page.deposit(), html),
            "terminal" => escape(page.terminal(), html),
            "world" => html.push_str(visit.world.unwrap_or("demo")),
            "query" => {
                if let Some(world) = visit.world {
                    html.push_str("?world=");
                    html.push_str(world);
                }
            }
            _ => {}
        }
    }
}

/// Links that show the same page in another language.
fn languages(visit: &Visit<'_>, html: &mut String) {
    for language in Language::ALL {
        let tag = language.tag();
        html.push_str("<a hreflang=\"");
        html.push_str(tag);
        html.push_str("\" lang=\"");
        html.push_str(tag);
        html.push_str("\" href=\"?lang=");
        html.push_str(tag);
        if let Some(world) = visit.world {
            html.push_str("&amp;world=");
            html.push_str(world);
        }
        html.push('"');
        if language == visit.language {
            html.push_str(" aria-current=\"true\"");
        }
        html.push('>');
        html.push_str(language.name());
        html.push_str("</a>");
    }
}

/// Appends text so that it is text in HTML, between tags and in quoted attributes.
fn escape(text: &str, html: &mut String) {
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

#[cfg(test)]
mod tests;
