//! Problem details for HTTP (RFC 9457).

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// The media type of a problem (RFC 9457, section 3).
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error as a problem document (RFC 9457, section 3.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The HTTP status, repeated in the document.
    pub status: StatusCode,
    /// What kind of problem it is, the same text for each occurrence.
    pub title: Cow<'static, str>,
    /// What went wrong this time, for a person; left out when there is nothing to add.
    pub detail: Option<Cow<'static, str>>,
    /// A URI reference that names the kind; `about:blank` says no more than the status does.
    /// It is the member `type`.
    pub kind: Cow<'static, str>,
    /// A URI reference that names this occurrence; left out when there is none.
    pub instance: Option<String>,
    /// Further members (RFC 9457, section 3.2). Those with a standard name are dropped.
    pub extensions: Map<String, Value>,
}

impl Problem {
    /// A problem that says what its status says: `about:blank`, with the status's phrase as the
    /// title (RFC 9457, section 4.2.1).
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            detail: None,
            kind: Cow::Borrowed("about:blank"),
            instance: None,
            extensions: Map::new(),
        }
    }

    /// The same with another title.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = title.into();
        self
    }

    /// The same with a detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with another kind (the member `type`).
    #[must_use]
    pub fn kind(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.kind = kind.into();
        self
    }

    /// The same with one more member.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const STANDARD: [&str; 5] = ["type", "title", "status", "detail", "instance"];
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.kind)?;
        map.serialize_entry("title", &self.title)?;
        map.serialize_entry("status", &self.status.as_u16())?;
        if let Some(detail) = &self.detail {
            map.serialize_entry("detail", detail)?;
        }
        if let Some(instance) = &self.instance {
            map.serialize_entry("instance", instance)?;
        }
        for (name, value) in &self.extensions {
            if !STANDARD.contains(&name.as_str()) {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        crate::body::typed_response(self.status, PROBLEM_JSON, &self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use http::header::CONTENT_TYPE;

    #[tokio::test]
    async fn a_problem_is_an_answer() {
        let table = [
            (
                Problem::new(StatusCode::NOT_FOUND),
                r#"{"type":"about:blank","title":"Not Found","status":404}"#,
            ),
            (
                Problem::new(StatusCode::CONFLICT)
                    .kind("/problems/busy")
                    .title("Busy")
                    .detail("terminal T1 holds an intent")
                    .member("terminal", "T1")
                    .member("status", 200),
                r#"{"type":"/problems/busy","title":"Busy","status":409,"detail":"terminal T1 holds an intent","terminal":"T1"}"#,
            ),
        ];
        for (problem, text) in table {
            let status = problem.status;
            let response = problem.into_response();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            let body = to_bytes(response.into_body(), 1000).await.unwrap();
            assert_eq!(std::str::from_utf8(&body).unwrap(), text);
        }
    }
}
