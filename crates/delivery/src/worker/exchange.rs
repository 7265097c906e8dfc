//! One attempt: format, send, and put into words what came of it.

use std::time::Duration;

use bytes::Bytes;
use cobro_domain::event::Delivery;
use cobro_engine::deliveries::{AttemptOutcome, Attempted, Prepared};
use cobro_engine::ports::NoticeRequest;
use cobro_engine::{EngineError, World};
use http::Method;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::desk::Desk;
use crate::sender::{Answer, Failure, Outgoing, Sender};

/// How much of a body is kept, in bytes.
pub(super) const KEPT_BODY_BYTES: usize = 16 * 1_024;

/// Bounds on the time that a dialect may give a receiver.
const TIMEOUT_MIN: Duration = Duration::from_millis(1);
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Parts of the names of headers whose values are not kept.
const SECRET_NAMES: [&str; 7] =
    ["authorization", "secret", "token", "password", "cookie", "api-key", "apikey"];

/// What stands in place of a secret.
const MASK: &str = "***";

/// The status by which a receiver says that it is gone for good (reliability reference, F31).
const GONE: u16 = 410;

/// Makes one attempt, and answers what is to be recorded: nothing when nothing was sent and the
/// delivery is as due as before. `patience` is all the time that it gets while somebody waits for it.
pub(super) async fn attempt(
    sender: &Sender,
    world: &World,
    desk: &Desk,
    delivery: &Delivery,
    patience: Duration,
) -> Option<Attempted> {
    let began = Instant::now();
    let request = match world.prepare_delivery(delivery).await {
        Ok(Prepared::Request(request)) => request,
        Ok(Prepared::Nothing) => {
            let response = json!({"error": "nothing_to_send"}).to_string();
            let outcome = AttemptOutcome::Impossible;
            return Some(told(delivery, String::new(), response, outcome));
        }
        Err(EngineError::Store(error)) => {
            tracing::warn!(%error, delivery = %delivery.id, "a delivery waits for the store");
            return None;
        }
        Err(error) => {
            tracing::error!(%error, delivery = %delivery.id, "a delivery cannot be formatted");
            return Some(fault(delivery));
        }
    };
    let outgoing = Outgoing {
        method: Method::POST,
        url: request.url.clone(),
        headers: request.headers.clone(),
        body: Bytes::from(request.body.clone().into_bytes()),
        timeout: Duration::from_millis(request.timeout_ms).clamp(TIMEOUT_MIN, TIMEOUT_MAX),
    };
    let answer = tokio::select! {
        answer = sender.send(outgoing) => answer,
        () = desk.hurried(began, patience) => Err(Failure::Timeout),
    };
    let outcome = judge(world, delivery, &answer).await;
    let response = response_text(&answer, began.elapsed());
    Some(told(delivery, request_text(&request), response, outcome))
}

/// What is recorded when the fault is on this side: the attempt counts, so that it ends some day.
pub(super) fn fault(delivery: &Delivery) -> Attempted {
    let response = json!({"error": "internal"}).to_string();
    told(delivery, String::new(), response, AttemptOutcome::Again)
}

fn told(
    delivery: &Delivery,
    request: String,
    response: String,
    outcome: AttemptOutcome,
) -> Attempted {
    Attempted { delivery: delivery.clone(), request, response, outcome }
}

async fn judge(
    world: &World,
    delivery: &Delivery,
    answer: &Result<Answer, Failure>,
) -> AttemptOutcome {
    let status = match answer {
        Ok(answer) => answer.status,
        // These would fail in the same way every time.
        Err(Failure::Refused(_) | Failure::Request) => return AttemptOutcome::Impossible,
        Err(
            Failure::Resolve
            | Failure::Connect
            | Failure::Tls
            | Failure::Timeout
            | Failure::Protocol
            | Failure::Setup,
        ) => return AttemptOutcome::Again,
    };
    match status {
        GONE => AttemptOutcome::Impossible,
        // A redirect is never followed and never counts as taken, whatever a dialect says (F31).
        300..400 => AttemptOutcome::Again,
        _ => {
            let usual = (200..300).contains(&status);
            let accepted = world.is_accepted(delivery.merchant, status).await.unwrap_or(usual);
            if accepted { AttemptOutcome::Delivered } else { AttemptOutcome::Again }
        }
    }
}

/// The request as it is kept: secrets masked, the body cut.
pub(super) fn request_text(request: &NoticeRequest) -> String {
    let mut headers = Map::new();
    for (name, value) in &request.headers {
        let lower = name.to_ascii_lowercase();
        let secret = SECRET_NAMES.iter().any(|part| lower.contains(part));
        let value = if secret { MASK } else { value };
        let kept = match headers.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value.to_owned(),
        };
        headers.insert(name.clone(), Value::String(kept));
    }
    let body = kept_text(request.body.as_bytes());
    json!({"url": request.url, "headers": headers, "body": body}).to_string()
}

/// The answer as it is kept, or why there was none.
pub(super) fn response_text(answer: &Result<Answer, Failure>, took: Duration) -> String {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok(answer) => {
            let body = kept_text(&answer.body);
            json!({"status": answer.status, "body": body, "duration_ms": duration_ms})
        }
        Err(failure) => {
            let (error, message) = (word(*failure), failure.to_string());
            json!({"error": error, "message": message, "duration_ms": duration_ms})
        }
    }
    .to_string()
}

/// The first bytes of a body as text, without half a character at its end.
fn kept_text(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) => {
            text.get(..text.floor_char_boundary(KEPT_BODY_BYTES)).unwrap_or(text).to_owned()
        }
        // Cut again, since a replacement character is longer than what it replaces.
        Err(_) => {
            let mut text = String::from_utf8_lossy(body).into_owned();
            text.truncate(text.floor_char_boundary(KEPT_BODY_BYTES));
            text
        }
    }
}

/// The word for a failure in the journal.
const fn word(failure: Failure) -> &'static str {
    match failure {
        Failure::Refused(_) => "refused",
        Failure::Request => "request",
        Failure::Resolve => "resolve",
        Failure::Connect => "connect",
        Failure::Tls => "tls",
        Failure::Timeout => "timeout",
        Failure::Protocol => "protocol",
        Failure::Setup => "setup",
    }
}
