//! The control API of the sandbox: `/_cobro/v1/…` (contract, "Control API").
//!
//! What a person does at a terminal or with the clock, a program does here; the console and the
//! subcommands are its first clients. The API belongs to the sandbox alone: whoever is let in can
//! read every secret of every world, so `access` decides before anything else is looked at.
//!
//! What is deliberately absent: providers' words. States, ids, modes and settings are asked of the
//! dialect that a merchant speaks ([`cobro_engine::ports::Describe`]).
//!
//! Read in this order: `access`, `input`, `refusal`, `view`, then the calls.

mod access;
mod answers;
mod autopilot;
mod cards;
mod clock;
mod endpoints;
mod faults;
mod input;
mod journals;
mod ledger;
mod lines;
mod listings;
mod live;
mod merchants;
mod oauth;
mod present;
mod refusal;
mod sessions;
mod settlements;
mod terminals;
mod tickets;
mod view;
mod worlds;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use cobro_engine::Worlds;
use cobro_surface::endpoint::{Endpoint, Routes};
use cobro_surface::journal::Journal;
use http::StatusCode;
use tokio::sync::watch;

pub use access::Access;
pub use autopilot::Autopilot;
pub use live::KEEP_ALIVE;

use refusal::Refusal;

/// Whether a merchant may be told to hear of events at an address.
pub type UrlPolicy = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What the control API needs from the server.
#[derive(Clone)]
pub struct Control {
    /// The worlds that it controls.
    pub worlds: Arc<Worlds>,
    /// Where the surfaces' requests are recorded.
    pub journal: Arc<Journal>,
    /// Who may call.
    pub access: Access,
    /// Which webhook addresses may be set.
    pub url_policy: UrlPolicy,
    /// The terminals that work by themselves; the server runs [`Autopilot::run`] beside.
    pub autopilot: Arc<Autopilot>,
    /// Becomes true when the server stops: streams end, so that connections can drain.
    pub shutdown: watch::Receiver<bool>,
}

/// What the handlers share.
struct Context {
    control: Control,
    /// Settings are read, changed by their dialect and written back: one change at a time.
    settings: tokio::sync::Mutex<()>,
    /// Who may open the live stream without a header.
    tickets: tickets::Tickets,
    /// What the live streams of single terminals hear.
    lines: Arc<lines::Lines>,
}

type Shared = Arc<Context>;

/// The router of the control API, and its endpoints for the reference.
///
/// Every path under `/_cobro/` is answered: unknown ones with a 404 problem, refused callers with
/// a 403 problem.
pub fn routes(control: Control) -> (Router, Vec<&'static Endpoint>) {
    let shared = Arc::new(Context {
        control,
        settings: tokio::sync::Mutex::new(()),
        tickets: tickets::Tickets::default(),
        lines: Arc::default(),
    });
    let routes = worlds::routes(Routes::new());
    let routes = terminals::routes(routes);
    let routes = present::routes(routes);
    let routes = sessions::routes(routes);
    let routes = listings::routes(routes);
    let routes = clock::routes(routes);
    let routes = journals::routes(routes);
    let routes = endpoints::routes(routes);
    let routes = ledger::routes(routes);
    let routes = settlements::routes(routes);
    let routes = merchants::routes(routes);
    let routes = oauth::routes(routes);
    let routes = faults::routes(routes);
    let (router, endpoints) = live::routes(tickets::routes(routes)).finish();
    let router = router
        .method_not_allowed_fallback(wrong_method)
        .route("/_cobro", any(unknown))
        .route("/_cobro/", any(unknown))
        .route("/_cobro/{*rest}", any(unknown))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), access::guard))
        .with_state(shared);
    (router, endpoints)
}

async fn unknown() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "the control API has no such path")
}

async fn wrong_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "the path does not take this method")
}
