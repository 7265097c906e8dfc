//! Someone who reads and sends pages.

use std::sync::Arc;

use axum::body::Body;
use cobro_domain::{Clock, Timestamp};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::stage::Stage;

/// When the world begins; its real clock stands still.
pub(crate) const BEGIN: &str = "2026-11-20T15:00:00Z";

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::parse_rfc3339(BEGIN).unwrap()
    }
}

pub(crate) async fn stage() -> Stage {
    Stage::new(Arc::new(Still)).await
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The value of a field of the form.
    pub(crate) fn value(&self, name: &str) -> String {
        let after = self.text.split_once(&format!("name=\"{name}\"")).unwrap().1;
        let tag = after.split_once('>').unwrap().0;
        tag.split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
    }
}

pub(crate) async fn send(stage: &Stage, request: Request<Body>) -> Answer {
    let response = stage.router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: head.status, headers: head.headers, text }
}

pub(crate) async fn read(stage: &Stage, path: &str) -> Answer {
    send(stage, Request::get(path).body(Body::empty()).unwrap()).await
}

/// Sends the page's form, as a browser without scripts does.
pub(crate) async fn submit(stage: &Stage, path: &str, fields: &[(&str, &str)]) -> Answer {
    let page = read(stage, path).await;
    let mut all = vec![("csrf", page.value("csrf"))];
    all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
    form(stage, path, &all).await
}

pub(crate) async fn form(stage: &Stage, path: &str, fields: &[(&str, String)]) -> Answer {
    let encode = |text: &str| -> String {
        text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
    };
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .body(Body::from(pairs.join("&")));
    send(stage, request.unwrap()).await
}

/// Sends the JSON variant.
pub(crate) async fn post(stage: &Stage, path: &str, body: &Value) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    send(stage, request.unwrap()).await
}

/// What a payer types with this card.
pub(crate) fn typed(number: &str) -> Value {
    json!({
        "number": number, "expiration": "12/30", "cvv": "123", "name": "Rosa Lemus",
        "documentType": "CC", "document": "1040099001", "email": "rosa@example.org",
        "mobile": "+57 300 0000001", "action": "pay",
    })
}

/// The same as fields of the form.
pub(crate) fn fields(number: &str) -> Vec<(&'static str, String)> {
    const NAMES: [&str; 9] = [
        "number",
        "expiration",
        "cvv",
        "name",
        "documentType",
        "document",
        "email",
        "mobile",
        "action",
    ];
    let typed = typed(number);
    NAMES.map(|name| (name, typed[name].as_str().unwrap().to_owned())).into()
}

/// What a payer types, with some fields changed.
pub(crate) fn typed_but(number: &str, change: Value) -> Value {
    let mut typed = typed(number);
    for (name, value) in change.as_object().unwrap() {
        typed[name] = value.clone();
    }
    typed
}
