//! Notifications: the challenge webhook (reference, sections 8.1 and 8.3) and the signed one
//! (section 8.2) carry the same body.

use cobro_domain::Timestamp;
use cobro_domain::event::EventKind;
use cobro_engine::ports::{Notice, NoticeAsk, NoticeRequest};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::describe::Point;
use crate::map;
use crate::sites::Site;
use crate::wire::{hide_ticket, notice_time};

/// The slot of the subscription whose owner proves itself by a challenge.
pub(crate) const CHALLENGE_SLOT: i64 = 0;

/// The slot of the subscription whose notifications are signed.
pub(crate) const SIGNED_SLOT: i64 = 1;

/// How long a receiver may take at the first attempt, in milliseconds, and at the others.
const FIRST_TIMEOUT_MS: u64 = 22_000;
const NEXT_TIMEOUT_MS: u64 = 5_000;

/// When the attempts after the first are due, in seconds after it.
const SCHEDULE_S: [i64; 5] = [300, 2_700, 21_600, 172_800, 345_600];

/// HMAC-SHA256 in lower-case hexadecimal.
pub(crate) fn hmac_hex(key: &str, message: &str) -> String {
    match <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()) {
        Ok(mut mac) => {
            mac.update(message.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        }
        // HMAC takes keys of any length.
        Err(_) => String::new(),
    }
}

impl Notice for Point {
    fn request(&self, ask: &NoticeAsk<'_>) -> Option<NoticeRequest> {
        let data: Value = serde_json::from_str(&ask.event.data).ok()?;
        let body = body(ask, &data)?;
        let timeout_ms = if ask.attempt <= 1 { FIRST_TIMEOUT_MS } else { NEXT_TIMEOUT_MS };
        let mut headers =
            vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        let mut url = ask.endpoint.url.clone();
        if ask.endpoint.slot == SIGNED_SLOT {
            let intent = data.get("intent").and_then(Value::as_str).unwrap_or_default();
            // Receivers hold the age of a signature against their own clocks.
            let ts = ask.real.micros() / 1_000_000;
            let text = format!("id:{intent};request-id:{};ts:{ts};", ask.delivery);
            let signature = format!("ts={ts},v1={}", hmac_hex(ask.secret, &text));
            headers.push(("x-signature".to_owned(), signature));
            let separator = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{separator}data.id={intent}&type=point_integration_wh");
        }
        headers.push(("x-request-id".to_owned(), ask.delivery.to_owned()));
        Some(NoticeRequest { url, headers, body: body.to_string(), timeout_ms })
    }

    fn next_attempt_s(&self, attempts: i64) -> Option<i64> {
        let place = usize::try_from(attempts - 1).ok()?;
        SCHEDULE_S.get(place).copied()
    }
}

/// The body of a notification; `None` for events that nobody is told of.
fn body(ask: &NoticeAsk<'_>, data: &Value) -> Option<Value> {
    let phase = match ask.event.kind {
        EventKind::IntentOnTerminal => cobro_domain::intent::IntentPhase::OnTerminal,
        EventKind::IntentProcessing => cobro_domain::intent::IntentPhase::Processing,
        EventKind::IntentProcessed => cobro_domain::intent::IntentPhase::Processed,
        EventKind::IntentFinished => cobro_domain::intent::IntentPhase::Finished,
        EventKind::IntentCanceled => cobro_domain::intent::IntentPhase::Canceled,
        EventKind::IntentAbandoned => cobro_domain::intent::IntentPhase::Abandoned,
        EventKind::IntentFailed => cobro_domain::intent::IntentPhase::Error,
        EventKind::IntentConfirmationRequired => {
            cobro_domain::intent::IntentPhase::ConfirmationRequired
        }
        EventKind::IntentOpened
        // A decline ends an intent of this dialect.
        | EventKind::IntentDeclined
        | EventKind::PaymentApproved
        | EventKind::PaymentCaptured
        | EventKind::PaymentDeclined
        | EventKind::PaymentPending
        | EventKind::PaymentReversed
        | EventKind::RefundApproved
        | EventKind::RefundDeclined
        | EventKind::SessionOpened
        | EventKind::SessionPartial
        | EventKind::SessionApproved
        | EventKind::SessionRejected
        | EventKind::SessionPartialExpired
        | EventKind::SettlementClosed
        | EventKind::CardStored
        | EventKind::CardInvalidated => return None,
    };
    let created_us = data.get("created_at").and_then(Value::as_i64).unwrap_or_default();
    let mut luggage: Map<String, Value> = data
        .get("luggage")
        .and_then(Value::as_str)
        .and_then(|luggage| serde_json::from_str(luggage).ok())
        .unwrap_or_default();
    hide_ticket(Site::of(&ask.merchant.country), &mut luggage);
    let mut info = match luggage.remove("additional_info") {
        Some(Value::Object(info)) => info,
        _ => Map::new(),
    };
    info.remove("print_on_terminal");
    let mut body = json!({
        "additional_info": info,
        "amount": data.get("amount_minor").cloned().unwrap_or_default(),
        "caller_id": ask.merchant.public_id.parse::<i64>().unwrap_or_default(),
        "client_id": crate::seed::CLIENT_ID,
        "created_at": notice_time(Timestamp::from_micros(created_us)),
        "id": data.get("intent").cloned().unwrap_or_default(),
        "state": map::intent_state(phase),
    });
    if let (Some(members), Some(payment)) = (body.as_object_mut(), payment(phase, data)) {
        members.insert("payment".to_owned(), payment);
    }
    Some(body)
}

/// The payment of a final body; intermediate states, cancellations and errors have none.
fn payment(phase: cobro_domain::intent::IntentPhase, data: &Value) -> Option<Value> {
    use cobro_domain::card::CardKind;
    use cobro_domain::intent::IntentPhase;
    let payment = data.get("payment").filter(|payment| payment.is_object())?;
    let id = payment.get("number").cloned()?;
    match phase {
        IntentPhase::Finished => {
            let state = payment.get("state").and_then(Value::as_str).unwrap_or_default();
            let kind = payment.get("card_kind").and_then(Value::as_str).unwrap_or_default();
            let kind = CardKind::from_code(kind).map_or("", map::card_type);
            Some(json!({ "id": id, "state": map::notified_state(state), "type": kind }))
        }
        IntentPhase::ConfirmationRequired => Some(json!({ "id": id, "state": "", "type": "" })),
        IntentPhase::Open
        | IntentPhase::OnTerminal
        | IntentPhase::Processing
        | IntentPhase::Processed
        | IntentPhase::Canceled
        | IntentPhase::Abandoned
        | IntentPhase::Error => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_reference() {
        let challenge = hmac_hex(
            "0230abf9-79e9-493b-b288-32d123456789",
            "3f0c8a5e-6f1e-4a55-9d0a-2b7f6f1c9e11",
        );
        assert_eq!(challenge, "4886f663be3b6e050c22e4b6e205653b2cc68b6e62bacf03da1cfbf33f465977");
        let signature = hmac_hex(
            "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184",
            "id:7d8c70b6-2ac8-4c57-a441-c319088ca3ca;\
             request-id:bb56a2f1-6aae-46ac-982e-9dcd3581d08e;ts:1742505638;",
        );
        assert_eq!(signature, "d6f32ffef35764eec5cae605077adc2611fc2b1c3766f9e4eff3d1edb86d8a94");
    }

    #[test]
    fn the_schedule_has_six_attempts() {
        let due: Vec<Option<i64>> = (1..=6).map(|n| Point.next_attempt_s(n)).collect();
        let expected = [Some(300), Some(2_700), Some(21_600), Some(172_800), Some(345_600), None];
        assert_eq!(due, expected);
    }
}
