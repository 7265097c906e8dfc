//! The Point simulator (seed 003, "Simulador Point"; Point reference, section 9.1): two pages at the
//! paths that the provider gave it. They take part in payments as the virtual terminal does, through
//! the control API, and as a point of sale does, through the provider's API.

use std::sync::Arc;

use axum::extract::RawQuery;
use axum::response::Response;
use axum::{Router, routing::get};
use http::HeaderMap;

use crate::pages::{Mode, Page, Pages};
use crate::{ConsoleConfig, Shared, show};

/// Routes of the simulator: `/point/integrator-simulator/sandbox` (point of sale and terminal) and
/// `/point/integrator-simulator/sandbox/device` (terminal alone), with and without a slash at the
/// end, whatever their query.
///
/// The pages load the console's assets (`/console/assets/…`), so [`crate::router`] must be mounted
/// beside. They belong to the sandbox: without its control API they show that nothing answers.
pub fn simulator_router(config: ConsoleConfig) -> Router {
    let state = Arc::new(Pages::new(config.version));
    Router::new()
        .route("/point/integrator-simulator/sandbox", get(pdv))
        .route("/point/integrator-simulator/sandbox/", get(pdv))
        .route("/point/integrator-simulator/sandbox/device", get(device))
        .route("/point/integrator-simulator/sandbox/device/", get(device))
        .with_state(state)
}

async fn pdv(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Simulator(Mode::Pdv), &query, &headers)
}

async fn device(pages: Shared, query: RawQuery, headers: HeaderMap) -> Response {
    show(&pages, Page::Simulator(Mode::Device), &query, &headers)
}
