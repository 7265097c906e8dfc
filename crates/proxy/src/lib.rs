//! The forward proxy that stands on Cobro's own listener, and the development CA.
//!
//! A program that was told of the proxy sends `CONNECT host:443` or an absolute-form request. For
//! a [listed](hosts) host of a provider TLS is ended here, with a certificate of the
//! [development CA](ca), and what is inside goes to Cobro's router; any other host is reached
//! untouched, or refused when the sandbox is offline.
//!
//! What this crate does not know: the router, the file system, the journal. They come in as
//! callbacks.

pub mod ca;
mod chain;
mod forward;
pub mod hosts;
mod leaves;
mod target;
mod upstream;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;

pub use chain::Chain;
pub use leaves::{Leaves, OpenCa};
pub use target::Target;
pub use upstream::Unreachable;

/// The body of an answer.
pub type Body = BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// A connection whose inside is HTTP.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Serves the requests inside a connection that was meant for a listed host.
pub type Serve = Arc<dyn Fn(Box<dyn Stream>) -> BoxFuture<'static, ()> + Send + Sync>;

/// Bounds on what clients can hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tunnels to other hosts at once.
    pub tunnels: usize,
    /// How long nothing may move in a tunnel, and how long another host may take to answer.
    pub idle: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long it may take to reach another host.
    pub connect: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tunnels: 1_024,
            idle: Duration::from_secs(300),
            handshake: Duration::from_secs(10),
            connect: Duration::from_secs(10),
        }
    }
}

/// What became of a client's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The host is a provider's: its traffic ends at Cobro.
    Intercepted,
    /// The host is a provider's, and the client did not accept our certificate or broke off.
    HandshakeFailed,
    /// The host is somebody else's, and was reached.
    Tunnelled,
    /// The host is somebody else's, and was not reached.
    Failed,
    /// The host is somebody else's, and the request was not passed on.
    Refused,
}

impl Decision {
    /// The word for the journal.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Intercepted => "intercepted",
            Self::HandshakeFailed => "handshake_failed",
            Self::Tunnelled => "tunnelled",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

/// One wish and what became of it, for the request journal.
#[derive(Clone, Debug)]
pub struct Observation {
    /// `CONNECT`, or the method of an absolute-form request.
    pub method: Method,
    /// The host as it was asked for, in lower case.
    pub host: String,
    /// The path for the journal: `host:port`.
    pub target: String,
    /// What was decided.
    pub decision: Decision,
    /// The status of the answer.
    pub status: StatusCode,
    /// Why, for a reader; empty when there is nothing to say.
    pub reason: String,
}

/// What the proxy has to be told.
pub struct Settings {
    /// The token that tunnels to other hosts and to the listed ones need; `None` on loopback.
    pub token: Option<String>,
    /// Whether other hosts are refused.
    pub offline: bool,
    /// The proxy that other hosts are reached through.
    pub chain: Option<Chain>,
    /// The addresses that we listen on ourselves.
    pub own: Vec<SocketAddr>,
    /// The bounds.
    pub limits: Limits,
    /// A name for this server that no other has, for `Via`.
    pub instance: String,
    /// Takes what is to be told in the journal.
    pub observe: Box<dyn Fn(Observation) + Send + Sync>,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Outcome {
    /// It is for the router.
    Route(Request<Incoming>),
    /// It was answered here.
    Answer(Response<Body>),
}

/// The forward proxy.
pub struct Proxy {
    settings: Settings,
    leaves: Arc<Leaves>,
    tls: Arc<ServerConfig>,
    slots: Arc<Semaphore>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Proxy").finish_non_exhaustive()
    }
}

impl Proxy {
    /// A proxy with the certificates of `leaves`.
    ///
    /// # Errors
    /// Never with the TLS provider that is compiled in.
    pub fn new(settings: Settings, leaves: Arc<Leaves>) -> Result<Self, ca::CaError> {
        let tls = Arc::new(leaves.server_config()?);
        let slots = Arc::new(Semaphore::new(settings.limits.tunnels));
        Ok(Self { settings, leaves, tls, slots })
    }

    /// The certificates.
    #[must_use]
    pub fn leaves(&self) -> &Arc<Leaves> {
        &self.leaves
    }

    /// Takes a request that came in on a plain connection.
    pub async fn handle(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        serve: &Serve,
    ) -> Outcome {
        if request.method() == Method::CONNECT {
            return Outcome::Answer(self.connect(request, serve).await);
        }
        // HTTP/2 names its authority always; only in HTTP/1 does it mean "you are a proxy".
        if request.uri().authority().is_none() || request.version() >= Version::HTTP_2 {
            return Outcome::Route(request);
        }
        let Some(target) = Target::of(request.uri()) else {
            return Outcome::Answer(problem(StatusCode::BAD_REQUEST, NO_TARGET));
        };
        if hosts::find(&target.host).is_some() {
            let host = HeaderValue::from_str(&target.host);
            if let (Some(uri), Ok(host)) = (origin_form(request.uri()), host) {
                *request.uri_mut() = uri;
                request.headers_mut().insert(header::HOST, host);
            }
            strip_prefix(&mut request);
            return Outcome::Route(request);
        }
        if self.is_self(&target) {
            return Outcome::Route(request);
        }
        Outcome::Answer(self.forward(request, &target).await)
    }

    /// Ends TLS on a connection that began with it, without a `CONNECT` (the hosts file of the
    /// client's machine, or a TLS listener), and serves what is inside.
    pub async fn serve_tls(&self, stream: impl Stream + 'static, serve: &Serve) {
        match self.accept(stream).await {
            Ok((stream, host)) => {
                self.observe(
                    &Method::CONNECT,
                    &host,
                    443,
                    Decision::Intercepted,
                    "without a proxy",
                );
                serve(stream).await;
            }
            Err((reason, host)) => {
                self.observe(&Method::CONNECT, &host, 443, Decision::HandshakeFailed, &reason);
            }
        }
    }

    async fn connect(
        self: &Arc<Self>,
        request: Request<Incoming>,
        serve: &Serve,
    ) -> Response<Body> {
        let Some(target) = Target::of(request.uri()) else {
            return problem(StatusCode::BAD_REQUEST, NO_TARGET);
        };
        if let Err(refusal) = self.authorise(request.headers(), &Method::CONNECT, &target) {
            return *refusal;
        }
        if hosts::find(&target.host).is_some() {
            tokio::spawn(self.clone().intercept(request, target, serve.clone()));
            return established();
        }
        if let Err(refusal) = self.check_open(&Method::CONNECT, &target) {
            return *refusal;
        }
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            return self.refuse(
                &Method::CONNECT,
                &target,
                StatusCode::SERVICE_UNAVAILABLE,
                "too many tunnels are open",
            );
        };
        let limits = self.settings.limits;
        match upstream::reach(&target, &self.settings).await {
            Err(error) => self.unreached(&Method::CONNECT, &target, &error),
            Ok(stream) => {
                let decision = Decision::Tunnelled;
                self.observe(&Method::CONNECT, &target.host, target.port, decision, "");
                tokio::spawn(async move {
                    if let Ok(upgraded) = hyper::upgrade::on(request).await {
                        let joined = upstream::join(TokioIo::new(upgraded), stream, limits.idle);
                        let ended = joined.await;
                        tracing::debug!(?ended, "a tunnel ended");
                    }
                    drop(slot);
                });
                established()
            }
        }
    }

    async fn intercept(self: Arc<Self>, request: Request<Incoming>, target: Target, serve: Serve) {
        let limit = self.settings.limits.handshake;
        let upgraded = tokio::time::timeout(limit, hyper::upgrade::on(request)).await;
        let Ok(Ok(upgraded)) = upgraded else { return };
        let stream = TokioIo::new(upgraded);
        let (method, host) = (Method::CONNECT, &target.host);
        if target.port == 80 {
            self.observe(&method, host, target.port, Decision::Intercepted, "without TLS");
            return serve(Box::new(stream)).await;
        }
        match self.accept(stream).await {
            Ok((stream, _)) => {
                self.observe(&method, host, target.port, Decision::Intercepted, "");
                serve(stream).await;
            }
            Err((reason, _)) => {
                self.observe(&method, host, target.port, Decision::HandshakeFailed, &reason);
            }
        }
    }

    /// The stream inside TLS and the name that the client asked for; or why there is none.
    async fn accept(
        &self,
        stream: impl Stream + 'static,
    ) -> Result<(Box<dyn Stream>, String), (String, String)> {
        let mut asked = String::new();
        let shaking = async {
            let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
            asked.push_str(start.client_hello().server_name().unwrap_or_default());
            start.into_stream(self.tls.clone()).await
        };
        let shaken = tokio::time::timeout(self.settings.limits.handshake, shaking).await;
        match shaken {
            Err(_) => Err(("the TLS handshake took too long".to_owned(), asked)),
            Ok(Err(_)) if !asked.is_empty() && hosts::find(&asked).is_none() => {
                Err(("the client asked for a name that is not listed".to_owned(), asked))
            }
            Ok(Err(error)) => Err((explain(&error), asked)),
            Ok(Ok(stream)) => Ok((Box::new(stream), asked)),
        }
    }

    async fn forward(&self, request: Request<Incoming>, target: &Target) -> Response<Body> {
        let method = request.method().clone();
        if let Err(refusal) = self.authorise(request.headers(), &method, target) {
            return *refusal;
        }
        if let Err(refusal) = self.check_open(&method, target) {
            return *refusal;
        }
        if forward::came_by(request.headers(), &self.settings.instance) {
            return self.unreached(&method, target, &Unreachable::Loop);
        }
        let Ok(_slot) = self.slots.try_acquire() else {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return self.refuse(&method, target, status, "too many tunnels are open");
        };
        match forward::forward(request, target, &self.settings).await {
            Ok(answer) => {
                self.observe(&method, &target.host, target.port, Decision::Tunnelled, "");
                answer
            }
            Err(forward::Failed::Unreachable(error)) => self.unreached(&method, target, &error),
            Err(error) => {
                let status = StatusCode::BAD_GATEWAY;
                self.answer(&method, target, status, Decision::Failed, &error.to_string())
            }
        }
    }

    fn authorise(
        &self,
        headers: &HeaderMap,
        method: &Method,
        target: &Target,
    ) -> Result<(), Box<Response<Body>>> {
        let Some(token) = &self.settings.token else { return Ok(()) };
        if sent_token(headers).is_some_and(|sent| sent.ct_eq(token.as_bytes()).into()) {
            return Ok(());
        }
        let reason = "the proxy needs the control token as the password of the proxy's URL";
        let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        let mut answer = self.refuse(method, target, status, reason);
        let wanted = HeaderValue::from_static("Basic realm=\"cobro\"");
        answer.headers_mut().insert(header::PROXY_AUTHENTICATE, wanted);
        Err(Box::new(answer))
    }

    fn check_open(&self, method: &Method, target: &Target) -> Result<(), Box<Response<Body>>> {
        if !self.settings.offline {
            return Ok(());
        }
        let reason = "the sandbox is offline: only the providers' hosts are reached";
        Err(Box::new(self.refuse(method, target, StatusCode::FORBIDDEN, reason)))
    }

    fn unreached(&self, method: &Method, target: &Target, error: &Unreachable) -> Response<Body> {
        let (status, decision) = match error {
            Unreachable::Refused(_) => (StatusCode::FORBIDDEN, Decision::Refused),
            Unreachable::Loop => (StatusCode::LOOP_DETECTED, Decision::Refused),
            Unreachable::Slow => (StatusCode::GATEWAY_TIMEOUT, Decision::Failed),
            Unreachable::Unknown
            | Unreachable::Unreached
            | Unreachable::Chain
            | Unreachable::ChainRefused => (StatusCode::BAD_GATEWAY, Decision::Failed),
        };
        self.answer(method, target, status, decision, &error.to_string())
    }

    fn refuse(
        &self,
        method: &Method,
        target: &Target,
        status: StatusCode,
        reason: &str,
    ) -> Response<Body> {
        self.answer(method, target, status, Decision::Refused, reason)
    }

    fn answer(
        &self,
        method: &Method,
        target: &Target,
        status: StatusCode,
        decision: Decision,
        reason: &str,
    ) -> Response<Body> {
        self.note(method, &target.host, target.port, decision, status, reason);
        problem(status, &format!("{}: {reason}.", target.authority()))
    }

    fn observe(&self, method: &Method, host: &str, port: u16, decision: Decision, reason: &str) {
        self.note(method, host, port, decision, StatusCode::OK, reason);
    }

    fn note(
        &self,
        method: &Method,
        host: &str,
        port: u16,
        decision: Decision,
        status: StatusCode,
        reason: &str,
    ) {
        tracing::debug!(%method, host, port, decision = decision.word(), reason, "proxy");
        let target = Target { host: host.to_owned(), port };
        (self.settings.observe)(Observation {
            method: method.clone(),
            host: host.to_owned(),
            target: target.authority(),
            decision,
            status,
            reason: reason.to_owned(),
        });
    }

    fn is_self(&self, target: &Target) -> bool {
        let Ok(ip) = target.host.parse() else {
            let is_own_port = |own: &SocketAddr| own.port() == target.port;
            return target.host == "localhost" && self.settings.own.iter().any(is_own_port);
        };
        self.settings.own.contains(&SocketAddr::new(ip, target.port))
    }
}

const NO_TARGET: &str = "The request must name a host and a port, such as \
     \"CONNECT api.example.com:443\".";

/// Whether a request that came inside TLS names a host that ends here. A client that asked for
/// one name and then speaks to another is misdirected (RFC 9110, section 15.5.20). What a
/// provider has before every path is taken off.
///
/// # Errors
/// The answer for a request that is not for us.
pub fn check_inside<B>(request: &mut Request<B>) -> Result<(), Box<Response<Body>>> {
    let header = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let asked = request.uri().authority().map(http::uri::Authority::as_str).or_else(header);
    let Some(host) = asked.and_then(hosts::find_authority) else {
        let detail = "This connection ends at Cobro, which does not answer for that host.";
        return Err(Box::new(problem(StatusCode::MISDIRECTED_REQUEST, detail)));
    };
    // HTTP/2 need not send the header, by which the router decides.
    request.headers_mut().insert(header::HOST, HeaderValue::from_static(host.name));
    strip_prefix(request);
    Ok(())
}

/// Takes off what a provider has before every path on some hosts (`/redirection`).
pub fn strip_prefix<B>(request: &mut Request<B>) {
    let header = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let asked = request.uri().authority().map(http::uri::Authority::as_str).or_else(header);
    let Some(host) = asked.and_then(hosts::find_authority) else { return };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let rest = path.strip_prefix(host.prefix).filter(|rest| rest.starts_with('/'));
    if let (false, Some(Ok(uri))) = (host.prefix.is_empty(), rest.map(str::parse::<Uri>)) {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = uri.into_parts().path_and_query;
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

fn origin_form(uri: &Uri) -> Option<Uri> {
    uri.path_and_query().map_or("/", |path| path.as_str()).parse().ok()
}

/// The token of `Proxy-Authorization`: a bearer token, or the password of a Basic pair.
fn sent_token(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::PROXY_AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
    let at = pair.iter().position(|byte| *byte == b':')?;
    pair.get(at.saturating_add(1)..).map(<[u8]>::to_vec)
}

/// What a failed handshake means for whoever runs the client.
fn explain(error: &io::Error) -> String {
    use rustls::AlertDescription as Alert;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::AlertReceived(
            Alert::UnknownCA | Alert::BadCertificate | Alert::CertificateUnknown,
        )) => "the client does not trust the development CA".to_owned(),
        Some(inner) => inner.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the client broke off; it may not trust the development CA".to_owned()
        }
        None => error.to_string(),
    }
}

fn established() -> Response<Body> {
    let mut answer = Response::new(forward::full(String::new()));
    *answer.status_mut() = StatusCode::OK;
    answer
}

/// A problem (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or_default();
    let body = serde_json::json!({
        "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail,
    });
    let mut answer = Response::new(forward::full(body.to_string()));
    *answer.status_mut() = status;
    let json = HeaderValue::from_static("application/problem+json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("basic Y29icm86YWJj", Some("abc")),
            ("Basic Y29icm86YTpi", Some("a:b")),
            ("Basic Y29icm8=", None),
            ("Basic %%%", None),
            ("Digest x", None),
            ("Bearer", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::PROXY_AUTHORIZATION, value.parse().unwrap());
            let expected = token.map(|token| token.as_bytes().to_vec());
            assert_eq!(sent_token(&headers), expected, "{value}");
        }
        assert_eq!(sent_token(&HeaderMap::new()), None);
    }

    #[test]
    fn inside_tls_only_listed_hosts_are_served_and_prefixes_go() {
        for (uri, host, expected) in [
            ("/v1/payments/1", "api.mercadopago.com", Some("/v1/payments/1")),
            ("/v1", "API.mercadopago.com:443", Some("/v1")),
            ("/redirection/api/session", "test.placetopay.com", Some("/api/session")),
            ("/redirectional", "test.placetopay.com", Some("/redirectional")),
            ("/api/session", "test.placetopay.com", Some("/api/session")),
            (
                "/redirection/api/session",
                "checkout.placetopay.com",
                Some("/redirection/api/session"),
            ),
            ("/_cobro/v1/worlds", "localhost", None),
            ("/_cobro/v1/worlds", "127.0.0.1:7070", None),
            ("/", "www.example.com", None),
            ("/", "", None),
        ] {
            let mut request = Request::get(uri).header("host", host).body(()).unwrap();
            let checked = check_inside(&mut request);
            assert_eq!(checked.is_ok(), expected.is_some(), "{uri} at {host}");
            if let Some(expected) = expected {
                assert_eq!(request.uri(), expected);
            }
        }
        let h2 = "https://test.placetopay.com/redirection/api/x?a=1";
        let mut request = Request::get(h2).body(()).unwrap();
        check_inside(&mut request).unwrap();
        assert_eq!(request.uri(), "https://test.placetopay.com/api/x?a=1");
        assert!(check_inside(&mut Request::get("/").body(()).unwrap()).is_err());
    }
}
