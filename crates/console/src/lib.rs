//! Pages for the people who operate Cobro, and the virtual terminal.
//!
//! The crate serves shells, texts and assets, and knows nothing of payments: whatever a page shows
//! comes from the control API (`/_cobro/v1/…`), which its script calls from the same origin. A page
//! therefore works for every world and dialect that the control API knows.
//!
//! Invariants: no page loads anything from another origin, no page has an inline script or style
//! (the content security policy forbids both), and no text that people read stands outside
//! `texts/*.ftl`.

mod assets;
mod code;
mod pages;
mod simulator;
mod texts;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, routing::get};
use http::{HeaderMap, StatusCode};

pub use crate::simulator::simulator_router;

use crate::pages::{Page, Pages, Visit};

/// What the console is told by the program that mounts it.
#[derive(Debug, Clone, Copy)]
pub struct ConsoleConfig {
    /// Version of the running program as shown in the footer, for example `0.1.0`.
    pub version: &'static str,
}

/// Routes of the console: `/`, `/console/…` and its assets.
///
/// Every answer carries `X-Content-Type-Options` and `Referrer-Policy`, every page a content
/// security policy besides. The routes have no state of their own and never fail; an unknown page is
/// a 404 that says so, an unknown asset an empty one.
pub fn router(config: ConsoleConfig) -> Router {
    let state = Arc::new(Pages::new(config.version));
    Router::new()
        .route("/", get(home))
        .route("/console", get(to_terminals))
        .route("/console/", get(to_terminals))
        .route("/console/terminals", get(terminals))
        .route("/console/terminals/{id}", get(terminal))
        .route("/console/events", get(events))
        .route("/console/requests", get(requests))
        .route("/console/deliveries", get(deliveries))
        .route("/console/deposits", get(deposits))
        .route("/console/deposits/{id}", get(deposit))
        .route("/console/endpoints", get(endpoints))
        .route("/console/terminals/{id}/code.svg", get(code::code))
        .route("/console/ledger", get(ledger))
        .route("/console/sites", get(sites))
        .route("/console/{*rest}", get(missing))
        .route("/console/assets/{file}", get(asset))
        .with_state(state)
}

type Shared = State<Arc<Pages>>;

async fn home(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Home, &query, &headers)
}

async fn terminals(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Terminals, &query, &headers)
}

async fn terminal(
    pages: Shared,
    Path(id): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    show(&pages, Page::Terminal { id: &id }, &query, &headers)
}

async fn events(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Events, &query, &headers)
}

async fn requests(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Requests, &query, &headers)
}

async fn deliveries(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Deliveries, &query, &headers)
}

async fn deposits(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Deposits, &query, &headers)
}

async fn deposit(
    pages: Shared,
    Path(id): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    show(&pages, Page::Deposit { id: &id }, &query, &headers)
}

async fn endpoints(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Endpoints, &query, &headers)
}

async fn ledger(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Ledger, &query, &headers)
}

async fn sites(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Sites, &query, &headers)
}

async fn missing(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    (StatusCode::NOT_FOUND, show(&pages, Page::Missing, &query, &headers)).into_response()
}

async fn to_terminals(RawQuery(query): RawQuery) -> Redirect {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::temporary(&format!("/console/terminals{query}"))
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    match assets::find(&file) {
        Some(asset) => asset.answer(&headers),
        None => (StatusCode::NOT_FOUND, assets::NOT_SNIFFED).into_response(),
    }
}

fn show(
    pages: &Pages,
    page: Page<'_>,
    RawQuery(query): &RawQuery,
    headers: &HeaderMap,
) -> Response {
    pages.answer(page, &Visit::new(query.as_deref().unwrap_or(""), headers))
}
