//! The API reference (`/docs/api`) and the book (`/docs`), as pages of the server.
//!
//! The reference is made from the endpoint tables that the routers are made of, so it cannot say
//! what they do not do; the book is the files of `docs/`, compiled into the program. Nothing is
//! loaded from anywhere else, and every page reads without its script.
//!
//! What is deliberately absent: the engine and the surfaces. Whoever mounts the pages brings the
//! tables, and the credentials that the examples use.
//!
//! Read in this order: `surface`, `example`, `command`, `reference`, `book`, `frame`.

mod book;
mod command;
mod example;
mod frame;
mod markdown;
mod reference;
mod schema;
mod surface;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Redirect, Response};
use axum::routing::get;
use cobro_surface::assets::{self, Asset};
use http::HeaderMap;

pub use surface::{Credentials, SignedBody, Surface};

use frame::{Frame, Visit};
use reference::Reference;

/// What the pages are told by the program that mounts them.
#[derive(Debug, Clone)]
pub struct Docs {
    /// The version of the running program, for the footer.
    pub version: &'static str,
    /// What the examples' addresses begin with, without a slash at the end.
    pub base_url: String,
    /// The surfaces, in the order in which they are shown.
    pub surfaces: Vec<Surface>,
}

/// The files that the pages load; the base is the console's.
const ASSETS: &[Asset] = &[
    Asset::new("docs.css", assets::CSS, include_str!("../assets/docs.css")),
    Asset::new("docs.js", assets::JS, include_str!("../assets/docs.js")),
    Asset::new("trial.js", assets::JS, include_str!("../assets/trial.js")),
];

struct Pages {
    frame: Frame,
    docs: Docs,
    /// Made when somebody first asks for it, which most servers are never asked.
    reference: OnceLock<Reference>,
}

impl Pages {
    fn reference(&self) -> &Reference {
        self.reference.get_or_init(|| Reference::new(self.docs.clone()))
    }
}

/// Routes of the pages: `/docs`, `/docs/…` and their assets.
///
/// The pages use the console's base style sheet and icon (`/console/assets/…`). Every page carries
/// a content security policy that allows its own origin alone.
pub fn router(docs: Docs) -> Router {
    let pages = Pages { frame: Frame::new(docs.version), docs, reference: OnceLock::new() };
    Router::new()
        .route("/docs", get(index))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/docs/api", get(overview))
        .route("/docs/api/", get(async || Redirect::permanent("/docs/api")))
        .route("/docs/api/{surface}", get(surface))
        .route("/docs/assets/{file}", get(asset))
        .route("/docs/{*path}", get(chapter))
        .with_state(Arc::new(pages))
}

type Shared = State<Arc<Pages>>;

async fn index(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    let visit = Visit::new("/docs", &query, &headers);
    pages.frame.page(&visit, &book::index(&pages.frame, &visit))
}

async fn chapter(
    pages: Shared,
    Path(path): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    let address = format!("/docs/{path}");
    let visit = Visit::new(&address, &query, &headers);
    match book::chapter(&pages.frame, &visit, &path) {
        Some(page) => pages.frame.page(&visit, &page),
        None => pages.frame.missing(&visit),
    }
}

async fn overview(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    let visit = Visit::new("/docs/api", &query, &headers);
    pages.frame.page(&visit, &pages.reference().overview(&pages.frame, &visit))
}

async fn surface(
    pages: Shared,
    Path(name): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    let address = format!("/docs/api/{name}");
    let visit = Visit::new(&address, &query, &headers);
    match pages.reference().surface(&pages.frame, &visit, &name) {
        Some(page) => pages.frame.page(&visit, &page),
        None => pages.frame.missing(&visit),
    }
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    assets::answer(ASSETS, &file, &headers)
}

#[cfg(test)]
mod tests;
