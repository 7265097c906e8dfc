//! Wiring: which room stands at which path.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use cobro_control::{Access, Autopilot, Control};
use cobro_domain::Clock as _;
use cobro_domain::Entropy as _;
use cobro_engine::Worlds;
use cobro_mercadopago::Surface;
use cobro_surface::endpoint::Endpoint;
use cobro_surface::journal::{Journal, Recorder, record};
use cobro_surface::problem::Problem;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::ambient::{SystemClock, SystemEntropy, monotonic_us};
use crate::operations::{self, Operations};

/// How much of the requests' journal is kept, in bytes per world.
const JOURNAL_BYTES_MAX: usize = 4 << 20;

/// What the router is made of.
pub(crate) struct Parts {
    pub(crate) worlds: Arc<Worlds>,
    pub(crate) mercadopago: Surface,
    pub(crate) access: Access,
    pub(crate) allows: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    pub(crate) autopilot: Arc<Autopilot>,
    pub(crate) shutdown: watch::Receiver<bool>,
    pub(crate) metrics: PrometheusHandle,
}

/// The endpoints by surface, for the documents.
pub(crate) type Documents = Vec<(&'static str, Vec<&'static Endpoint>)>;

/// The whole router.
pub(crate) fn router(parts: Parts) -> Router {
    let journal = Arc::new(Journal::new(JOURNAL_BYTES_MAX));
    let console = cobro_console::ConsoleConfig { version: env!("CARGO_PKG_VERSION") };
    let (mercadopago, mercadopago_endpoints) = cobro_mercadopago::routes(parts.mercadopago);
    let mercadopago = mercadopago.merge(cobro_console::simulator_router(console));
    let (control, control_endpoints) = cobro_control::routes(Control {
        worlds: parts.worlds.clone(),
        journal: journal.clone(),
        access: parts.access,
        url_policy: parts.allows,
        autopilot: parts.autopilot,
        shutdown: parts.shutdown,
    });
    let documents: Documents =
        vec![("mercadopago", mercadopago_endpoints), ("control", control_endpoints)];
    let operations = Operations {
        worlds: parts.worlds.clone(),
        metrics: parts.metrics,
        documents: Arc::new(documents),
    };
    let dialects = Router::new()
        .merge(mercadopago.clone())
        .nest("/mercadopago", mercadopago.fallback(async || cobro_mercadopago::not_found()))
        .method_not_allowed_fallback(fallback);
    let recorder = recorder(journal, parts.worlds);
    Router::new()
        .merge(dialects)
        .fallback(fallback)
        .layer(from_fn_with_state(recorder, record))
        .merge(control)
        .merge(operations::router(operations))
        .merge(cobro_console::router(console))
}

/// The answer to a path that nobody has: in the words of the dialect that it looks like.
async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    if cobro_mercadopago::is_ours(path.strip_prefix("/mercadopago").unwrap_or(path)) {
        return cobro_mercadopago::not_found();
    }
    Problem::new(StatusCode::NOT_FOUND).detail("There is nothing at this path.").into_response()
}

fn recorder(journal: Arc<Journal>, worlds: Arc<Worlds>) -> Arc<Recorder> {
    let now_us = move |world: &str| {
        let open = worlds.all_open();
        let found = open.iter().find(|open| open.id() == world);
        found.map_or_else(|| SystemClock.now(), cobro_engine::World::now).micros()
    };
    Arc::new(Recorder {
        journal,
        fallback_world: cobro_engine::worlds::MAIN.into(),
        now_us: Box::new(now_us),
        monotonic_us: Box::new(monotonic_us),
        request_id: Box::new(|| hex::encode(SystemEntropy.seed())),
        dialect: |_, path| {
            if cobro_mercadopago::is_ours(path.strip_prefix("/mercadopago").unwrap_or(path)) {
                "mercadopago"
            } else {
                ""
            }
        },
        too_large: |path| {
            if cobro_mercadopago::is_ours(path.strip_prefix("/mercadopago").unwrap_or(path)) {
                cobro_mercadopago::too_large()
            } else {
                StatusCode::PAYLOAD_TOO_LARGE.into_response()
            }
        },
        // pages for people are no calls of a program
        skips: |path| {
            let path = path.strip_prefix("/mercadopago").unwrap_or(path);
            path.starts_with("/point/integrator-simulator/")
        },
    })
}
