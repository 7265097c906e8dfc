//! What people who operate Cobro ask it: is it well, what does it do, what can it do.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cobro_engine::Worlds;
use cobro_surface::body::json_response;
use cobro_surface::endpoint::{Endpoint, document};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};

/// What the operations' paths need.
#[derive(Clone)]
pub(crate) struct Operations {
    pub(crate) worlds: Arc<Worlds>,
    pub(crate) metrics: PrometheusHandle,
    /// The documents by name; the one without a name has every path.
    pub(crate) documents: Arc<Vec<(&'static str, Vec<&'static Endpoint>)>>,
}

/// The paths for operations.
pub(crate) fn router(operations: Operations) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_text))
        .route("/openapi.json", get(whole_document))
        .route("/openapi/{name}", get(one_document))
        .with_state(operations)
}

async fn health() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "ok" }))
}

/// Whether requests can be taken: every store of the main world answers and can be written.
async fn ready(State(operations): State<Operations>) -> Response {
    let store = operations.worlds.main().store();
    let answers = store.read(|reader| reader.rows("SELECT 1", &[])).await;
    if store.is_stopped() || answers.is_err() {
        let body = json!({ "status": "unavailable" });
        return json_response(StatusCode::SERVICE_UNAVAILABLE, &body);
    }
    json_response(StatusCode::OK, &json!({ "status": "ready" }))
}

async fn metrics_text(State(operations): State<Operations>) -> Response {
    let store = operations.worlds.main().store();
    for (lane, counters) in store.counters().enumerate() {
        let lane = lane.to_string();
        let set = |name: &'static str, value: u64| {
            metrics::counter!(name, "lane" => lane.clone()).absolute(value);
        };
        set("cobro_lane_batches_total", counters.batches.load(Ordering::Relaxed));
        set("cobro_lane_commands_total", counters.commands.load(Ordering::Relaxed));
        set("cobro_lane_reruns_total", counters.reruns.load(Ordering::Relaxed));
    }
    let waiting = u32::try_from(store.waiting()).unwrap_or(u32::MAX);
    metrics::gauge!("cobro_commands_waiting").set(f64::from(waiting));
    let open = u32::try_from(operations.worlds.all_open().len()).unwrap_or(u32::MAX);
    metrics::gauge!("cobro_worlds_open").set(f64::from(open));
    let text = operations.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn whole_document(State(operations): State<Operations>) -> Response {
    json_response(StatusCode::OK, &whole(&operations.documents))
}

async fn one_document(State(operations): State<Operations>, Path(name): Path<String>) -> Response {
    let wanted = name.strip_suffix(".json");
    let found = operations.documents.iter().find(|(name, _)| Some(*name) == wanted);
    match found {
        Some((name, endpoints)) => json_response(StatusCode::OK, &one(name, endpoints)),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

const DESCRIPTION: &str = "Cobro speaks the providers' own APIs. Every path of a dialect also \
     works behind a prefix with the dialect's name.";

/// The document with every path.
pub(crate) fn whole(documents: &[(&'static str, Vec<&'static Endpoint>)]) -> Value {
    let all: Vec<&Endpoint> =
        documents.iter().flat_map(|(_, endpoints)| endpoints.iter().copied()).collect();
    document("Cobro", env!("CARGO_PKG_VERSION"), DESCRIPTION, &all)
}

/// The document of one surface.
pub(crate) fn one(name: &str, endpoints: &[&'static Endpoint]) -> Value {
    let title = format!("Cobro: {name}");
    document(&title, env!("CARGO_PKG_VERSION"), DESCRIPTION, endpoints)
}
