//! Wiring: which room stands at which path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use cobro_control::{Access, Autopilot, Control};
use cobro_domain::Clock as _;
use cobro_domain::Entropy as _;
use cobro_engine::Worlds;
use cobro_mercadopago::Surface;
use cobro_proxy::{Leaves, hosts};
use cobro_surface::endpoint::Endpoint;
use cobro_surface::journal::{Journal, Recorder, record};
use cobro_surface::problem::Problem;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::ambient::{SystemClock, SystemEntropy, monotonic_us};
use crate::merchandise::{ClipSessions, PlacetopaySessions};
use crate::operations::{self, Operations};

/// How much of the requests' journal is kept, in bytes per world.
pub(crate) const JOURNAL_BYTES_MAX: usize = 4 << 20;

/// What the router is made of.
pub(crate) struct Parts {
    pub(crate) journal: Arc<Journal>,
    pub(crate) leaves: Arc<Leaves>,
    pub(crate) worlds: Arc<Worlds>,
    pub(crate) clip: cobro_clip::Surface,
    pub(crate) mercadopago: Surface,
    pub(crate) placetopay: cobro_placetopay::Surface,
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
    let journal = parts.journal;
    let console = cobro_console::ConsoleConfig { version: env!("CARGO_PKG_VERSION") };
    let (clip, clip_endpoints) = cobro_clip::routes(parts.clip);
    let (mercadopago, mercadopago_endpoints) = cobro_mercadopago::routes(parts.mercadopago);
    let mercadopago = mercadopago.merge(cobro_console::simulator_router(console));
    let base_url = parts.placetopay.public_url.to_string();
    let (placetopay, placetopay_endpoints) = cobro_placetopay::routes(parts.placetopay);
    let (control, control_endpoints) = cobro_control::routes(Control {
        worlds: parts.worlds.clone(),
        journal: journal.clone(),
        access: parts.access,
        url_policy: parts.allows,
        autopilot: parts.autopilot,
        shutdown: parts.shutdown,
    });
    let documents: Documents = vec![
        ("clip", clip_endpoints),
        ("mercadopago", mercadopago_endpoints),
        ("placetopay", placetopay_endpoints),
        ("control", control_endpoints),
    ];
    let docs = cobro_docs::Docs {
        version: env!("CARGO_PKG_VERSION"),
        base_url,
        surfaces: crate::reference::surfaces(&documents),
    };
    let operations = Operations {
        worlds: parts.worlds.clone(),
        metrics: parts.metrics,
        documents: Arc::new(documents),
    };
    let dialects = Router::new()
        .merge(clip.clone())
        .nest("/clip", clip.fallback(prefixed_not_found))
        .merge(mercadopago.clone())
        .nest("/mercadopago", mercadopago.fallback(async || cobro_mercadopago::not_found()))
        .merge(placetopay.clone())
        .nest(
            "/placetopay",
            placetopay.fallback(async || cobro_placetopay::not_found(SystemClock.now())),
        )
        .method_not_allowed_fallback(fallback);
    // Outside of the recorder: card numbers are typed there.
    let checkout = cobro_checkout::router(cobro_checkout::Checkout {
        worlds: parts.worlds.clone(),
        merchandise: vec![Arc::new(ClipSessions), Arc::new(PlacetopaySessions)],
    });
    let recorder = recorder(journal, parts.worlds);
    Router::new()
        .merge(dialects)
        .fallback(fallback)
        .layer(from_fn(of_its_host))
        .layer(from_fn_with_state(recorder, record))
        .merge(control)
        .merge(crate::unchanged::front::router(parts.leaves))
        .merge(operations::router(operations))
        .merge(cobro_console::router(console))
        .merge(cobro_docs::router(docs))
        .merge(checkout)
}

/// The dialect that a path looks like, for the answers that no handler of its own gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Clip,
    MercadoPago,
    Placetopay,
}

impl Spoken {
    /// By the path's beginning, with or without the dialect's prefix.
    fn at(path: &str) -> Option<Self> {
        let within = |prefix: &str, is_ours: fn(&str) -> bool| {
            let rest = path.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.starts_with('/')) || is_ours(path)
        };
        if within("/clip", cobro_clip::is_ours) {
            Some(Self::Clip)
        } else if within("/mercadopago", cobro_mercadopago::is_ours) {
            Some(Self::MercadoPago)
        } else if within("/placetopay", cobro_placetopay::is_ours) {
            Some(Self::Placetopay)
        } else {
            None
        }
    }

    /// By the host that was asked, if it is a provider's.
    fn by_host(request: &Request) -> Option<Self> {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
        Self::named(hosts::find_authority(host?)?.dialect)
    }

    /// By its name.
    fn named(name: &str) -> Option<Self> {
        let all = [Self::Clip, Self::MercadoPago, Self::Placetopay];
        all.into_iter().find(|spoken| spoken.name() == name)
    }

    /// The name, as in prefixes and journals.
    const fn name(self) -> &'static str {
        match self {
            Self::Clip => "clip",
            Self::MercadoPago => "mercadopago",
            Self::Placetopay => "placetopay",
        }
    }

    fn not_found(self, path: &str) -> Response {
        match self {
            Self::Clip => cobro_clip::not_found(path),
            Self::MercadoPago => cobro_mercadopago::not_found(),
            Self::Placetopay => cobro_placetopay::not_found(SystemClock.now()),
        }
    }

    fn too_large(self, path: &str) -> Response {
        match self {
            Self::Clip => cobro_clip::too_large(path),
            Self::MercadoPago => cobro_mercadopago::too_large(),
            Self::Placetopay => cobro_placetopay::too_large(SystemClock.now()),
        }
    }
}

/// A provider's host has that provider's paths alone.
async fn of_its_host(request: Request, next: Next) -> Response {
    match (Spoken::by_host(&request), Spoken::at(request.uri().path())) {
        (Some(named), Some(other)) if named != other => named.not_found(request.uri().path()),
        _ => next.run(request).await,
    }
}

/// The answer to a path that nobody has: in the words of the dialect whose host was asked, else of
/// the one that the path looks like.
async fn fallback(request: Request) -> Response {
    let named = Spoken::by_host(&request);
    if let Some(spoken) = named.or_else(|| Spoken::at(request.uri().path())) {
        return spoken.not_found(request.uri().path());
    }
    Problem::new(StatusCode::NOT_FOUND).detail("There is nothing at this path.").into_response()
}

/// Makes the ids of requests: a part that is this process's own, and a count.
fn request_id() -> impl Fn() -> String {
    let mut own = [0; 8];
    SystemEntropy.fill(&mut own);
    let (own, count) = (u64::from_be_bytes(own), AtomicU64::new(0));
    move || format!("{own:016x}{:016x}", count.fetch_add(1, Ordering::Relaxed))
}

/// What a path under the prefix of a dialect with several surfaces answers when it is not there;
/// the prefix is gone by then.
async fn prefixed_not_found(request: Request) -> Response {
    cobro_clip::not_found(request.uri().path())
}

fn recorder(journal: Arc<Journal>, worlds: Arc<Worlds>) -> Arc<Recorder> {
    let now_us = move |world: &str| worlds.now_in(world).micros();
    Arc::new(Recorder {
        journal,
        fallback_world: cobro_engine::worlds::MAIN.into(),
        now_us: Box::new(now_us),
        monotonic_us: Box::new(monotonic_us),
        request_id: Box::new(request_id()),
        dialect: |host, path| match hosts::find_authority(host) {
            Some(host) => host.dialect,
            None => Spoken::at(path).map_or("", Spoken::name),
        },
        too_large: |path| match Spoken::at(path) {
            Some(spoken) => spoken.too_large(path),
            None => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        },
        // pages for people are no calls of a program
        skips: |path| {
            let path = path.strip_prefix("/mercadopago").unwrap_or(path);
            path.starts_with("/point/integrator-simulator/")
        },
    })
}
