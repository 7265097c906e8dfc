//! The proxy of a server, and what it tells the journal.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use cobro_domain::{Clock as _, Entropy as _};
use cobro_engine::worlds::MAIN;
use cobro_proxy::{Chain, Leaves, Limits, Observation, Proxy, Settings, hosts};
use cobro_surface::journal::{Entry, Headers, Journal};

use super::authority;
use crate::ambient::{SystemClock, SystemEntropy};

/// The certificates of the development CA in a data directory; nothing is made before it is
/// needed.
pub(crate) fn leaves(directory: PathBuf) -> Arc<Leaves> {
    let open = Box::new(move || authority::open(&directory));
    Arc::new(Leaves::new(open, authority::now))
}

/// The proxy of a server that listens on `own`.
pub(crate) fn proxy(
    leaves: Arc<Leaves>,
    journal: Arc<Journal>,
    own: Vec<SocketAddr>,
    token: Option<String>,
    offline: bool,
) -> anyhow::Result<Arc<Proxy>> {
    let settings = Settings {
        token,
        offline,
        chain: chain(&own),
        own,
        limits: Limits::default(),
        instance: format!("cobro-{}", hex::encode(SystemEntropy.seed())),
        observe: Box::new(move |seen| journal.push(MAIN, entry(&seen))),
    };
    Ok(Arc::new(Proxy::new(settings, leaves)?))
}

/// The proxy that the environment of this server names, unless it is a server of ours: the shell
/// may have been told of one that ran before.
fn chain(own: &[SocketAddr]) -> Option<Chain> {
    let before = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let url = super::surroundings::foreign_proxy(&before)?;
    let direct = before("NO_PROXY").or_else(|| before("no_proxy")).unwrap_or_default();
    let chain = Chain::parse(&url, &direct)?;
    let is_own = |one: &SocketAddr| one.to_string() == chain.proxy().authority();
    (!own.iter().any(is_own)).then_some(chain)
}

/// `GET /_cobro/ca.pem`: the certificate that clients are to trust. It is no secret.
pub(crate) fn router(leaves: Arc<Leaves>) -> Router {
    Router::new().route(
        "/_cobro/ca.pem",
        get(async move || -> Response {
            match leaves.ca() {
                Ok(ca) => {
                    let kind = [(header::CONTENT_TYPE, "application/x-pem-file")];
                    (kind, ca.certificate_pem().to_owned()).into_response()
                }
                Err(error) => {
                    tracing::error!(%error, "the development CA cannot be opened");
                    StatusCode::INTERNAL_SERVER_ERROR.into_response()
                }
            }
        }),
    )
}

/// What the journal says of a tunnel: where to, and what was decided.
fn entry(seen: &Observation) -> Entry {
    let dialect = hosts::find(&seen.host).map_or("", |host| host.dialect);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    let decided = serde_json::json!({ "decision": seen.decision.word(), "reason": seen.reason });
    Entry {
        at_us: SystemClock.now().micros(),
        dialect: dialect.into(),
        host: seen.host.as_str().into(),
        method: seen.method.to_string().into(),
        path: seen.target.as_str().into(),
        status: seen.status.as_u16(),
        response_headers: Headers::from(&headers),
        response_body: Bytes::from(decided.to_string()),
        ..Entry::default()
    }
}
