//! Answers in JSON.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// The media type of JSON answers. The charset is redundant (RFC 8259, section 8.1), but clients
/// of the providers compare the whole value.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// An answer with `body` as JSON.
///
/// A body that cannot be serialised (a map with keys that are not text) becomes an empty 500: it
/// is a fault of the program, and half an answer would be worse.
pub fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    typed_response(status, JSON, body)
}

/// As [`json_response`], under another media type.
pub(crate) fn typed_response(
    status: StatusCode,
    media_type: HeaderValue,
    body: &impl Serialize,
) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, media_type);
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use std::collections::BTreeMap;

    #[tokio::test]
    async fn an_answer_has_status_type_and_text() {
        let response = json_response(StatusCode::CREATED, &serde_json::json!({"id": "a"}));
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json; charset=utf-8");
        let body = to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(&body[..], br#"{"id":"a"}"#);
    }

    #[tokio::test]
    async fn what_is_not_json_is_a_fault_of_ours() {
        let unfit = BTreeMap::from([(vec![1], 1)]);
        let response = json_response(StatusCode::OK, &unfit);
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(to_bytes(response.into_body(), 100).await.unwrap().is_empty());
    }
}
