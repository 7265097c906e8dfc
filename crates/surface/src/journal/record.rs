//! The layer that writes the journal.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body_util::LengthLimitError;

use super::{Entry, Headers, Journal, is_shown_header};

/// Largest request body that is read: 1 MiB.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Largest answer of known length that is buffered to be journaled.
const RESPONSE_BYTES_MAX: u64 = 4 << 20;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where authentication writes which world a request belongs to. It is an extension of each
/// request that [`record`] lets through.
#[derive(Clone, Debug, Default)]
pub struct WorldSlot(pub Arc<OnceLock<String>>);

impl WorldSlot {
    /// Says that the request belongs to `world`. The first word stands.
    pub fn settle(&self, world: &str) {
        self.0.get_or_init(|| world.to_owned());
    }
}

/// The id of a request, for logs: the client's own if it is sane, else a new one. It is an
/// extension of each request that [`record`] lets through, and the answer's `x-request-id`.
#[derive(Clone, Debug)]
pub struct RequestId(pub HeaderValue);

/// What [`record`] needs from the server.
pub struct Recorder {
    /// Where entries go.
    pub journal: Arc<Journal>,
    /// The world of requests that nobody placed in one: unauthenticated ones, for instance.
    pub fallback_world: Cow<'static, str>,
    /// The time in a world, in microseconds since 1970. It is asked once the answer is there,
    /// because only then the world is known.
    pub now_us: Box<dyn Fn(&str) -> i64 + Send + Sync>,
    /// A clock that never runs backwards, in microseconds.
    pub monotonic_us: Box<dyn Fn() -> u64 + Send + Sync>,
    /// A new request id, of visible ASCII.
    pub request_id: Box<dyn Fn() -> String + Send + Sync>,
    /// Names the surface from host and path.
    pub dialect: fn(host: &str, path: &str) -> &'static str,
    /// The answer to a body over [`REQUEST_BYTES_MAX`], by path: status 413 in the surface's
    /// own words.
    pub too_large: fn(path: &str) -> Response,
    /// Whether requests for a path pass untouched and unrecorded.
    pub skips: fn(path: &str) -> bool,
}

/// Middleware (`axum::middleware::from_fn_with_state`) that reads the request's body, gives the
/// request an id and a [`WorldSlot`], and writes request and answer to the journal.
///
/// Answers that nobody would read in a journal (event streams, pages, pictures) are passed on as
/// they come and recorded without their body. A request whose client goes away is not recorded.
pub async fn record(
    State(recorder): State<Arc<Recorder>>,
    request: Request,
    next: Next,
) -> Response {
    if (recorder.skips)(request.uri().path()) {
        return next.run(request).await;
    }
    let began_us = (recorder.monotonic_us)();
    let (mut parts, body) = request.into_parts();
    let id = request_id(&parts.headers, &recorder);
    let slot = WorldSlot::default();
    let request_headers = Headers::from(&parts.headers);
    let method = method_text(&parts.method);
    let path = target(&parts.uri);
    let host = host(&parts.uri, &parts.headers);
    let dialect = (recorder.dialect)(&host, parts.uri.path());
    let (request_body, mut response) = match read(&parts.headers, body).await {
        Ok(bytes) => {
            parts.extensions.insert(slot.clone());
            parts.extensions.insert(RequestId(id.clone()));
            let request = Request::from_parts(parts, Body::from(bytes.clone()));
            (bytes, next.run(request).await)
        }
        Err(Unread::TooLarge) => (Bytes::new(), (recorder.too_large)(parts.uri.path())),
        Err(Unread::Broken) => (Bytes::new(), StatusCode::BAD_REQUEST.into_response()),
    };
    response.headers_mut().entry(X_REQUEST_ID).or_insert(id);
    let (response, response_body) = buffered(response).await;
    let world = slot.0.get().map_or(&*recorder.fallback_world, String::as_str);
    let entry = Entry {
        at_us: (recorder.now_us)(world),
        dialect: Cow::Borrowed(dialect),
        host,
        method,
        path,
        status: response.status().as_u16(),
        duration_us: (recorder.monotonic_us)().saturating_sub(began_us),
        request_headers,
        request_body,
        response_headers: Headers::from(response.headers()),
        response_body,
    };
    recorder.journal.push(world, entry);
    response
}

/// Why a request's body was not read.
enum Unread {
    TooLarge,
    Broken,
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Unread> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > REQUEST_BYTES_MAX) {
        return Err(Unread::TooLarge);
    }
    to_bytes(body, REQUEST_BYTES_MAX).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() { Unread::TooLarge } else { Unread::Broken }
    })
}

/// Reads the answer's body where the journal wants it, and puts it back.
async fn buffered(response: Response) -> (Response, Bytes) {
    let is_small = response.body().size_hint().exact().is_none_or(|n| n <= RESPONSE_BYTES_MAX);
    if !is_small || !is_shown_header(response.headers().get(CONTENT_TYPE)) {
        return (response, Bytes::new());
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => (Response::from_parts(parts, Body::from(bytes.clone())), bytes),
        // Nothing has been sent yet, so the client need not see half an answer.
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR.into_response(), Bytes::new()),
    }
}

/// The client's own id when it is 1 to 128 characters that are safe in any log, else a new one.
fn request_id(headers: &HeaderMap, recorder: &Recorder) -> HeaderValue {
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    match headers.get(X_REQUEST_ID) {
        Some(id) if (1..=128).contains(&id.len()) && id.as_bytes().iter().all(is_safe) => {
            // A copy, since the value shares the buffer that the request was read into.
            HeaderValue::from_bytes(id.as_bytes()).unwrap_or_else(|_| id.clone())
        }
        _ => HeaderValue::try_from((recorder.request_id)())
            .unwrap_or_else(|_| HeaderValue::from_static("unnamed")),
    }
}

/// The standard methods without a copy.
fn method_text(method: &Method) -> Cow<'static, str> {
    const STANDARD: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    match STANDARD.into_iter().find(|name| *name == method.as_str()) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(method.as_str().to_owned()),
    }
}

fn target(uri: &Uri) -> Box<str> {
    uri.path_and_query().map_or(uri.path(), http::uri::PathAndQuery::as_str).into()
}

/// The host asked for: of the target (HTTP/2, absolute form), else of the header.
fn host(uri: &Uri, headers: &HeaderMap) -> Box<str> {
    let header = || headers.get(HOST).and_then(|value| value.to_str().ok());
    uri.authority().map(http::uri::Authority::as_str).or_else(header).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::*;
    use axum::Extension;
    use axum::middleware::from_fn_with_state;
    use axum::routing::{get, post};
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicU64, Ordering};
    use tower::ServiceExt;

    fn recorder(journal: &Arc<Journal>) -> Arc<Recorder> {
        let ticks = AtomicU64::new(0);
        Arc::new(Recorder {
            journal: Arc::clone(journal),
            fallback_world: "demo".into(),
            now_us: Box::new(|world| if world == "demo" { 1 } else { 2 }),
            monotonic_us: Box::new(move || ticks.fetch_add(40, Ordering::Relaxed)),
            request_id: Box::new(|| "new-id".to_owned()),
            dialect: |host, path| match (host, path) {
                ("other.example", _) => "other",
                (_, path) if path.starts_with("/x") => "x",
                _ => "none",
            },
            too_large: |path| {
                (StatusCode::PAYLOAD_TOO_LARGE, format!("{path} is too much")).into_response()
            },
            skips: |path| path == "/metrics",
        })
    }

    /// One request through a small application; gives the answer and what `world` remembers.
    async fn exchange(request: Request, world: &str) -> (Response, Vec<Value>) {
        let journal = Arc::new(Journal::new(1 << 23));
        let app = axum::Router::new()
            .route(
                "/x/pay",
                post(|Extension(slot): Extension<WorldSlot>, body: String| async move {
                    slot.settle("w1");
                    slot.settle("late");
                    (StatusCode::CREATED, body)
                }),
            )
            .route(
                "/id",
                get(|Extension(RequestId(id)): Extension<RequestId>| async move {
                    id.to_str().unwrap().to_owned()
                }),
            )
            .route("/metrics", get(|| async { "m" }))
            .route("/events", get(|| async { ([(CONTENT_TYPE, "text/event-stream")], events()) }))
            .route("/failing", get(|| async { broken() }))
            .layer(from_fn_with_state(recorder(&journal), record));
        let response = app.oneshot(request).await.unwrap();
        let (records, _) = journal.list(world, None, 10);
        (response, records.iter().map(|record| render(record, |us| us.to_string())).collect())
    }

    /// A body that fails at once.
    fn broken() -> Body {
        Body::from_stream(futures_util::stream::once(async {
            Err::<Bytes, _>(std::io::Error::other("gone"))
        }))
    }

    /// A body of unknown length, as a stream of events is.
    fn events() -> Body {
        Body::from_stream(futures_util::stream::once(async {
            Ok::<_, std::io::Error>("data: 1\n\n")
        }))
    }

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), 1 << 22).await.unwrap().to_vec()).unwrap()
    }

    fn get_request(path: &str) -> Request {
        Request::get(path).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn a_request_is_recorded_in_the_world_it_was_found_to_belong_to() {
        let request = Request::post("/x/pay?a=1")
            .header(HOST, "shop.example")
            .header("authorization", "Bearer 0123456789abcdef")
            .body(Body::from(r#"{"amount":5}"#))
            .unwrap();
        let (response, records) = exchange(request, "w1").await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()[X_REQUEST_ID], "new-id");
        assert_eq!(text(response).await, r#"{"amount":5}"#);
        assert_eq!(
            records,
            [json!({
                "id": "req_1", "at": "2", "dialect": "x", "host": "shop.example", "method": "POST",
                "path": "/x/pay?a=1", "status": 201, "duration_us": 40,
                "request": {
                    "headers": {"host": "shop.example", "authorization": "Bearer ****cdef"},
                    "body": {"amount": 5},
                },
                "response": {
                    "headers": {
                        "content-type": "text/plain; charset=utf-8",
                        "x-request-id": "new-id",
                    },
                    "body": {"amount": 5},
                },
            })]
        );
    }

    #[tokio::test]
    async fn what_nobody_placed_belongs_to_the_fallback_world() {
        let request = Request::get("http://other.example/nowhere").body(Body::empty()).unwrap();
        let (response, records) = exchange(request, "demo").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(records[0]["status"], 404);
        assert_eq!(records[0]["host"], "other.example");
        assert_eq!(records[0]["dialect"], "other");
        assert_eq!(records[0]["at"], "1");
    }

    #[tokio::test]
    async fn bodies_over_the_limit_are_refused_in_the_surfaces_words() {
        let most = vec![b'x'; REQUEST_BYTES_MAX];
        let request = Request::post("/x/pay").body(Body::from(most.clone())).unwrap();
        assert_eq!(exchange(request, "w1").await.0.status(), StatusCode::CREATED);

        let more = [most, vec![b'x']].concat();
        // Once with a length that is announced, once without.
        let announced =
            Request::post("/x/pay").header(CONTENT_LENGTH, more.len()).body(Body::empty()).unwrap();
        let counted = Request::post("/x/pay").body(Body::from(more)).unwrap();
        for request in [announced, counted] {
            let (response, records) = exchange(request, "demo").await;
            assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
            assert_eq!(response.headers()[X_REQUEST_ID], "new-id");
            assert_eq!(text(response).await, "/x/pay is too much");
            assert_eq!(records[0]["status"], 413);
            assert_eq!(records[0]["request"]["body"], Value::Null);
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_never_reaches_a_handler() {
        let request = Request::post("/x/pay").body(broken()).unwrap();
        let (response, records) = exchange(request, "demo").await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(records[0]["status"], 400);
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_a_fault() {
        let (response, records) = exchange(get_request("/failing"), "demo").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(records[0]["status"], 500);
    }

    #[tokio::test]
    async fn skipped_paths_leave_no_trace() {
        let (response, records) = exchange(get_request("/metrics"), "demo").await;
        assert_eq!(response.headers().get(X_REQUEST_ID), None);
        assert_eq!(text(response).await, "m");
        assert!(records.is_empty());
    }

    #[tokio::test]
    async fn event_streams_are_passed_on() {
        let (response, records) = exchange(get_request("/events"), "demo").await;
        assert_eq!(response.body().size_hint().exact(), None, "the body was read before its time");
        assert_eq!(text(response).await, "data: 1\n\n");
        assert_eq!(records[0]["response"]["body"], Value::Null);
        assert_eq!(records[0]["status"], 200);
    }

    #[tokio::test]
    async fn a_sane_request_id_is_kept() {
        let long = "x".repeat(129);
        let table = [
            ("abc-123_4.5:6", "abc-123_4.5:6"),
            ("", "new-id"),
            ("a b", "new-id"),
            ("a\"b", "new-id"),
            (&long[..128], &long[..128]),
            (&long, "new-id"),
        ];
        for (sent, kept) in table {
            let request =
                Request::get("/id").header(X_REQUEST_ID, sent).body(Body::empty()).unwrap();
            let (response, _) = exchange(request, "demo").await;
            assert_eq!(response.headers()[X_REQUEST_ID], kept);
            assert_eq!(text(response).await, kept);
        }
    }
}
