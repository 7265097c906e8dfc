//! Listening: connections with limits, and a stop that lets running requests end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, Uri};
use cobro_proxy::{Outcome, Proxy, Serve, Stream};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// How long a client may take to send the head of a request (reliability reference, F77).
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How large the head of a request may be, in bytes, and how many headers it may have (F78).
const HEAD_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 128;

/// How many connections may be open at once.
const CONNECTIONS_MAX: usize = 16_384;

/// How long running requests may take to end once the server stops.
const DRAIN: Duration = Duration::from_secs(25);

/// How a TLS connection begins (RFC 8446, section 5.1): the record type of a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// What stands behind a listener.
#[derive(Clone)]
pub(crate) struct Front {
    /// Every path.
    pub(crate) router: Router,
    /// The forward proxy, where there is one.
    pub(crate) proxy: Option<Arc<Proxy>>,
}

/// Serves until `shutdown`, then drains.
pub(crate) async fn listen(listener: TcpListener, front: Front, shutdown: CancellationToken) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let open = TaskTracker::new();
    let inside: Serve = {
        let (router, shutdown, open) = (front.router.clone(), shutdown.clone(), open.clone());
        Arc::new(move |stream| {
            let serving = open.track_future(serve_inside(stream, router.clone(), shutdown.clone()));
            Box::pin(serving)
        })
    };
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, for instance: give others time to close theirs (F56).
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (front, inside, shutdown) = (front.clone(), inside.clone(), shutdown.clone());
        let served = async move {
            connection(stream, front, inside, shutdown).await;
            drop(slot);
        };
        open.spawn(served.boxed());
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(DRAIN, open.wait()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// One connection: plain HTTP, or TLS for a provider's host.
async fn connection(stream: TcpStream, front: Front, inside: Serve, shutdown: CancellationToken) {
    let Front { router, proxy } = front;
    let Some(proxy) = proxy else {
        let respond = move |request| routed(router.clone(), request).boxed();
        return serve(Box::new(stream), Arc::new(respond), shutdown).await;
    };
    let mut first = [0];
    let first_byte = tokio::time::timeout(HEADER_TIMEOUT, stream.peek(&mut first));
    let read = tokio::select! {
        read = first_byte => read,
        () = shutdown.cancelled() => return,
    };
    if !matches!(read, Ok(Ok(1))) {
        return;
    }
    if first == [TLS_HANDSHAKE] {
        return proxy.serve_tls(stream, &inside).await;
    }
    let respond = move |request| {
        let (router, proxy, inside) = (router.clone(), proxy.clone(), inside.clone());
        let responded = async move {
            match proxy.handle(request, &inside).await {
                Outcome::Route(request) => routed(router, request).await,
                Outcome::Answer(answer) => answer.map(Body::new),
            }
        };
        responded.boxed()
    };
    serve(Box::new(stream), Arc::new(respond), shutdown).await;
}

/// The inside of a connection for a provider's host.
async fn serve_inside(stream: Box<dyn Stream>, router: Router, shutdown: CancellationToken) {
    let respond = move |mut request: Request<Incoming>| {
        let router = router.clone();
        let responded = async move {
            match cobro_proxy::check_inside(&mut request) {
                Ok(()) => routed(router, request).await,
                Err(answer) => (*answer).map(Body::new),
            }
        };
        responded.boxed()
    };
    serve(stream, Arc::new(respond), shutdown).await;
}

async fn routed(router: Router, request: Request<Incoming>) -> Response<Body> {
    infallible(router.oneshot(without_trailing_slash(request.map(Body::new))).await)
}

/// What answers the requests of a connection. One type for all of them, as for streams, so that the
/// protocols are compiled once.
type Respond = Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// Serves a connection; when the server stops, the requests that are running end first.
async fn serve(stream: Box<dyn Stream>, respond: Respond, shutdown: CancellationToken) {
    let service = service_fn(move |request| respond(request).map(Ok::<_, Infallible>));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// Some SDKs end a path with a slash that the documents do not have.
fn without_trailing_slash(mut request: Request<Body>) -> Request<Body> {
    let path = request.uri().path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() || trimmed.len() == path.len() || path.starts_with("/_cobro") {
        return request;
    }
    let target = match request.uri().query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    if let Ok(uri) = target.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_end_do_not_matter() {
        let table = [
            ("/v1/payments/7/refunds/", "/v1/payments/7/refunds"),
            ("/v1/payments/7/refunds/?a=1", "/v1/payments/7/refunds?a=1"),
            ("/", "/"),
            ("//", "//"),
            ("/a", "/a"),
        ];
        for (target, expected) in table {
            let request = Request::get(target).body(Body::empty()).unwrap();
            assert_eq!(without_trailing_slash(request).uri().to_string(), expected);
        }
    }
}
