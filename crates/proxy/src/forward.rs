//! Absolute-form requests for other hosts: `GET http://host/path`, and `GET https://host/path`,
//! which some HTTP libraries send to a proxy in place of a `CONNECT`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::target::Target;
use crate::upstream::{self, Unreachable};
use crate::{Body, Settings};

/// Headers that end at each hop (RFC 9110, section 7.6.1, and what old clients send to proxies).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-connection"),
];

/// Why a request could not be passed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("{0}")]
    Unreachable(#[from] Unreachable),
    #[error("the host's certificate was not accepted, or it does not speak TLS")]
    Tls,
    #[error("the host broke off or did not speak HTTP/1.1")]
    Http,
    #[error("the host did not answer in time")]
    Slow,
}

/// Passes a request on and gives the answer back.
pub(crate) async fn forward(
    request: Request<Incoming>,
    target: &Target,
    settings: &Settings,
) -> Result<Response<Body>, Failed> {
    let is_tls = request.uri().scheme_str() == Some("https");
    let stream = upstream::reach(target, settings).await?;
    let request = outgoing(request, target, &settings.instance).ok_or(Failed::Http)?;
    let idle = settings.limits.idle;
    if !is_tls {
        return exchange(stream, request, idle).await;
    }
    let name = ServerName::try_from(target.host.clone()).map_err(|_| Failed::Tls)?;
    let connecting = TlsConnector::from(trusting_the_system()?).connect(name, stream);
    let connected = tokio::time::timeout(settings.limits.handshake, connecting).await;
    exchange(connected.map_err(|_| Failed::Slow)?.map_err(|_| Failed::Tls)?, request, idle).await
}

async fn exchange<S>(
    stream: S,
    request: Request<Incoming>,
    idle: Duration,
) -> Result<Response<Body>, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|_| Failed::Http)?;
    tokio::spawn(connection);
    let answer = tokio::time::timeout(idle, sender.send_request(request)).await;
    let mut answer = answer.map_err(|_| Failed::Slow)?.map_err(|_| Failed::Http)?;
    drop_hop_by_hop(answer.headers_mut());
    Ok(answer.map(|body| body.map_err(Into::into).boxed()))
}

/// The request as the other host is to see it: origin-form, its own `Host`, and a `Via` by which
/// we know it again.
fn outgoing(
    mut request: Request<Incoming>,
    target: &Target,
    instance: &str,
) -> Option<Request<Incoming>> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let is_default = match request.uri().scheme_str() {
        Some("https") => target.port == 443,
        _ => target.port == 80,
    };
    let authority = target.authority();
    let host = if is_default { authority.rsplit_once(':')?.0 } else { &authority };
    let host = HeaderValue::from_str(host).ok()?;
    *request.uri_mut() = path.parse::<Uri>().ok()?;
    drop_hop_by_hop(request.headers_mut());
    request.headers_mut().insert(header::HOST, host);
    let via = HeaderValue::from_str(&format!("1.1 {instance}")).ok()?;
    request.headers_mut().append(header::VIA, via);
    Some(request)
}

/// Whether a request has been here before.
pub(crate) fn came_by(headers: &HeaderMap, instance: &str) -> bool {
    let mut via = headers.get_all(header::VIA).iter();
    via.any(|value| value.to_str().is_ok_and(|value| value.contains(instance)))
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// TLS to other hosts is checked against the CAs of this system, which `SSL_CERT_FILE` may name.
fn trusting_the_system() -> Result<Arc<ClientConfig>, Failed> {
    static CONFIG: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let made = CONFIG.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Some(Arc::new(config))
    });
    made.clone().ok_or(Failed::Tls)
}

/// A whole body from text.
pub(crate) fn full(text: String) -> Body {
    http_body_util::Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_hop_stay_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, x-private"),
            ("x-private", "1"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic eDp5"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("authorization", "Bearer kept"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        drop_hop_by_hop(&mut headers);
        let left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["authorization"]);
    }

    #[test]
    fn a_request_that_was_here_is_known_again() {
        let mut headers = HeaderMap::new();
        headers.append("via", "1.1 elsewhere".parse().unwrap());
        assert!(!came_by(&headers, "cobro-1"));
        headers.append("via", "1.0 x, 1.1 cobro-1".parse().unwrap());
        assert!(came_by(&headers, "cobro-1"));
    }
}
