//! Endpoint tables: what the router serves is what the document says.
//!
//! A surface lists its endpoints as constants and hands each one to [`Routes`] together with its
//! handler; there is no way to add a route without describing it. [`document`] turns the same
//! list into an OpenAPI 3.1 document.

mod document;

use axum::Router;
use axum::routing::MethodRouter;

pub use document::{document, faults};

/// One method on one path, with everything a reader of the reference needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The method in capitals.
    pub method: &'static str,
    /// The path with parameters as `{name}`, which axum and OpenAPI share.
    pub path: &'static str,
    /// The operation's name, unique in a document.
    pub id: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The group that it is listed under.
    pub tag: &'static str,
    /// How a caller proves who it is.
    pub security: Security,
    /// Path, query and header parameters. A path parameter that is not listed is a string.
    pub parameters: &'static [Parameter],
    /// An example of the body, in JSON; `None` when there is no body.
    pub request: Option<&'static str>,
    /// Every answer; the same status may come more than once, with different examples.
    pub responses: &'static [Response],
}

/// How a caller proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// `Authorization: Basic …` (RFC 7617).
    Basic,
    /// A key in a header of this name.
    Header(&'static str),
    /// By members of the request's body, which OpenAPI has no scheme for.
    Body,
}

impl Security {
    /// The name of the scheme in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Header(header) => header,
            Self::Body => "body",
        }
    }
}

/// A parameter of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Whether it must be there; those in the path always must.
    pub required: bool,
    /// What it means.
    pub description: &'static str,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// An answer of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response {
    /// The status, 100 to 599.
    pub status: u16,
    /// When it comes.
    pub description: &'static str,
    /// An example of the body: JSON, or another text (an event stream, say); `None` when there
    /// is no body. A number written with a fraction (`100.0`) is documented as any number, one
    /// without as an integer.
    pub example: Option<&'static str>,
}

impl Response {
    /// Other forms of an answer that has an example: a JSON list of bodies, of which each has only
    /// what differs (`[{"note":null}]`). They widen what the document says of its members and are
    /// not shown.
    pub const fn also(status: u16, forms: &'static str) -> Self {
        Self { status, description: "", example: Some(forms) }
    }

    /// Whether this is [`Response::also`]: what it describes is described elsewhere.
    pub const fn is_also(&self) -> bool {
        self.description.is_empty() && self.example.is_some()
    }
}

/// Routes with their descriptions.
pub struct Routes<S> {
    router: Router<S>,
    endpoints: Vec<&'static Endpoint>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes.
    pub fn new() -> Self {
        Self { router: Router::new(), endpoints: Vec::new() }
    }

    /// Adds an endpoint; `handler` serves its method on its path (`axum::routing::post(…)` for
    /// `POST`). Endpoints with the same path and different methods belong together.
    ///
    /// # Panics
    /// As axum does, while the server is being put together: on a malformed path, or on the same
    /// method and path twice.
    #[must_use]
    pub fn at(mut self, endpoint: &'static Endpoint, handler: MethodRouter<S>) -> Self {
        self.router = self.router.route(endpoint.path, handler);
        self.endpoints.push(endpoint);
        self
    }

    /// The router, and the endpoints in the order in which they were added.
    pub fn finish(self) -> (Router<S>, Vec<&'static Endpoint>) {
        (self.router, self.endpoints)
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::{get, post};
    use http::{Request, StatusCode};
    use tower::ServiceExt;

    pub(crate) static LIST: Endpoint = Endpoint {
        method: "GET",
        path: "/things",
        id: "listThings",
        summary: "Lists the things",
        tag: "things",
        security: Security::Bearer,
        parameters: &[Parameter {
            name: "limit",
            place: Place::Query,
            required: false,
            description: "How many",
        }],
        request: None,
        responses: &[
            Response {
                status: 200,
                description: "The things",
                example: Some(
                    r#"{"things":[{"id":"a","amount":1.0,"note":null},{"id":"b","amount":2,"note":"x"}],"next":null}"#,
                ),
            },
            Response {
                status: 403,
                description: "Not yours",
                example: Some(r#"{"type":"about:blank","title":"Forbidden","status":403}"#),
            },
        ],
    };

    pub(crate) static MAKE: Endpoint = Endpoint {
        method: "POST",
        path: "/things",
        id: "makeThing",
        summary: "Makes a thing",
        tag: "things",
        security: Security::Header("x-api-key"),
        parameters: &[],
        request: Some(r#"{"name":"a","size":3,"tags":["x"],"big":true}"#),
        responses: &[
            Response { status: 201, description: "Made", example: Some(r#"{"id":"a"}"#) },
            Response { status: 400, description: "No name", example: Some(r#"{"error":"name"}"#) },
            Response { status: 400, description: "No size", example: Some(r#"{"error":7}"#) },
        ],
    };

    pub(crate) static STREAM: Endpoint = Endpoint {
        method: "GET",
        path: "/things/{id}/events/{*rest}",
        id: "streamThing",
        summary: "Streams what happens to a thing",
        tag: "events",
        security: Security::None,
        parameters: &[],
        request: None,
        responses: &[
            Response { status: 200, description: "Events", example: Some("data: 1\n\n") },
            Response { status: 204, description: "Nothing", example: None },
        ],
    };

    async fn ask(router: &Router, method: &str, path: &str) -> StatusCode {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn the_table_is_the_router() {
        let (router, endpoints) = Routes::<()>::new()
            .at(&LIST, get(|| async { StatusCode::OK }))
            .at(&MAKE, post(|| async { StatusCode::CREATED }))
            .at(&STREAM, get(|| async { StatusCode::NO_CONTENT }))
            .finish();
        assert_eq!(endpoints, [&LIST, &MAKE, &STREAM]);
        let table = [
            ("GET", "/things", StatusCode::OK),
            ("POST", "/things", StatusCode::CREATED),
            ("PUT", "/things", StatusCode::METHOD_NOT_ALLOWED),
            ("GET", "/things/7/events/a/b", StatusCode::NO_CONTENT),
            ("GET", "/other", StatusCode::NOT_FOUND),
        ];
        for (method, path, status) in table {
            assert_eq!(ask(&router, method, path).await, status, "{method} {path}");
        }
    }
}
