//! What a site is told: one notification when a session ends, sent once (reference, section 7.4).

use cobro_domain::Timestamp;
use cobro_domain::event::EventKind;
use cobro_engine::ports::{Notice, NoticeAsk, NoticeRequest};
use cobro_engine::recurring::OWN_ADDRESS_SLOT;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::describe::Checkout;
use crate::luggage::Luggage;
use crate::settings::signs_sha256;
use crate::sites::{Country, date};
use crate::texts::{Language, Text};
use crate::wire::{SessionWords, session_words};

/// The slot of a site's notification URL.
pub(crate) const SITE_SLOT: i64 = 0;
/// The slot of notifications that go to the address of a recurring payment.
pub(crate) const RECURRING_SLOT: i64 = OWN_ADDRESS_SLOT;

/// How long a receiver may take; not published.
const TIMEOUT_MS: u64 = 15_000;

/// `signature`: the digest of number, status, date and secret key, in hexadecimal; SHA-1 bare,
/// SHA-256 with its name before.
pub(crate) fn signature(sha256: bool, number: i64, word: &str, date: &str, secret: &str) -> String {
    let text = format!("{number}{word}{date}{secret}");
    if sha256 {
        format!("sha256:{}", hex::encode(Sha256::digest(text.as_bytes())))
    } else {
        hex::encode(Sha1::digest(text.as_bytes()))
    }
}

impl Notice for Checkout {
    fn request(&self, ask: &NoticeAsk<'_>) -> Option<NoticeRequest> {
        let data: Value = serde_json::from_str(&ask.event.data).ok()?;
        let luggage = Luggage::read(data.get("luggage").and_then(Value::as_str)?);
        let words = match luggage.requires_confirmation() {
            true => confirmed(ask.event.kind, &data)?,
            false => words(ask.event.kind, &data)?,
        };
        let country = Country::of(&ask.merchant.country);
        let language = Language::of(luggage.locale().unwrap_or(country.locale()));
        let at = data.get("changed_at").and_then(Value::as_i64).unwrap_or_default();
        let date = date(Timestamp::from_micros(at), &country.zone());
        let sha256 = signs_sha256(ask.merchant);
        let sign = |number| signature(sha256, number, words.word, &date, ask.secret);
        let mut body = json!({
            "status": {
                "status": words.word,
                "reason": words.reason,
                "message": words.text.said(language),
                "date": date,
            },
            "reference": luggage.reference(),
        });
        let members = body.as_object_mut()?;
        let recurring = data.get("recurring").filter(|recurring| recurring.is_object());
        if let Some(recurring) = recurring {
            // The charge's own number stands where the session's does elsewhere.
            let number = data.pointer("/payment/number").and_then(Value::as_i64)?;
            members.insert("internalReference".to_owned(), number.into());
            members.insert("recurring".to_owned(), recurring.clone());
            members.insert("signature".to_owned(), sign(number).into());
        } else {
            let number = data.get("number").and_then(Value::as_i64)?;
            members.insert("requestId".to_owned(), number.into());
            members.insert("signature".to_owned(), sign(number).into());
        }
        Some(NoticeRequest {
            url: ask.endpoint.url.clone(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string(),
            timeout_ms: TIMEOUT_MS,
        })
    }

    /// Never sent again, whatever the answer was.
    fn next_attempt_s(&self, _attempts: i64) -> Option<i64> {
        None
    }
}

/// The status of a session whose money waits for the merchant's word: it is told when that is given,
/// or when the time for it is over.
fn confirmed(kind: EventKind, data: &Value) -> Option<SessionWords> {
    let payment = data.pointer("/payment/state").and_then(Value::as_str);
    match (kind, payment) {
        (EventKind::SessionApproved, Some("authorized")) => None,
        (EventKind::SessionApproved, Some("reversed")) => {
            Some(SessionWords { word: "REJECTED", reason: "?C", text: Text::CancelledByMerchant })
        }
        (kind, _) => words(kind, data),
    }
}

/// The status that an event tells; `None` for events that nobody is told of.
fn words(kind: EventKind, data: &Value) -> Option<SessionWords> {
    if data.get("recurring").is_some_and(Value::is_object) {
        let approved = kind == EventKind::SessionApproved;
        return Some(if approved {
            SessionWords { word: "APPROVED", reason: "00", text: Text::Approved }
        } else {
            // The charge's own reason is not kept in the event: an expired card shows as such in
            // the session's query.
            SessionWords { word: "REJECTED", reason: "XN", text: Text::Rejected }
        });
    }
    let state = data.get("state").and_then(Value::as_str).unwrap_or_default();
    let end = data.get("end").and_then(Value::as_str).unwrap_or_default();
    match kind {
        EventKind::SessionApproved
        | EventKind::SessionRejected
        | EventKind::SessionPartial
        | EventKind::SessionPartialExpired => Some(session_words(state, end)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_reference() {
        let date = "2026-03-04T05:07:30-05:00";
        let made = |sha256| signature(sha256, 9001, "APPROVED", date, "llave-secreta-01");
        assert_eq!(made(false), "1d69f9d211e7e0fc5162761e235fddde5de190c6");
        let expected = "sha256:76c74a9d1ac6a92287a4a88b810d6e5db1578003f908b8cade09763687d5b569";
        assert_eq!(made(true), expected);
        assert_eq!(Checkout.next_attempt_s(1), None);
    }

    #[test]
    fn what_waits_for_the_merchant_is_told_when_it_is_decided() {
        let told = |state: &str| {
            let data = json!({"state": "approved", "payment": {"state": state}});
            confirmed(EventKind::SessionApproved, &data).map(|words| (words.word, words.reason))
        };
        assert_eq!(told("authorized"), None);
        assert_eq!(told("approved"), Some(("APPROVED", "00")));
        assert_eq!(told("reversed"), Some(("REJECTED", "?C")));
    }

    #[test]
    fn only_ends_are_told() {
        let data = json!({"state": "rejected", "end": "merchant"});
        let words = words(EventKind::SessionRejected, &data).unwrap();
        assert_eq!((words.word, words.reason), ("REJECTED", "MC"));
        for kind in [EventKind::SessionOpened, EventKind::CardStored, EventKind::PaymentApproved] {
            assert_eq!(super::words(kind, &data).map(|words| words.word), None);
        }
    }
}
