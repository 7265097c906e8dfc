//! The postback: one message for each outcome of a charge (reference, section 1.4). Which members it
//! has is known in part; the others are our choice.

use cobro_domain::Timestamp;
use cobro_domain::event::EventKind;
use cobro_engine::ports::{NoticeAsk, NoticeRequest};
use serde_json::{Value, json};

use super::{Carried, Status};
use crate::dates::seconds;
use crate::fields::pesos;
use crate::receipts::receipt_no;

/// The account's postback; `None` for events that it does not tell.
pub(crate) fn notice(ask: &NoticeAsk<'_>, data: &Value) -> Option<NoticeRequest> {
    let payment = data.get("payment").filter(|payment| payment.is_object());
    let status = status(ask.event.kind, payment)?;
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let carried = text("luggage").and_then(Carried::of);
    let carried = |name: &str| carried.as_ref().and_then(|carried| carried.text(name));
    let of_payment = |name: &str| payment.and_then(|payment| payment.get(name));
    let created_us = data.get("created_at").and_then(Value::as_i64).unwrap_or_default();
    let body = json!({
        "id": ask.event.id.to_string(),
        "payment_request_code": carried("code"),
        "payment_request_id": text("intent"),
        "transaction_id": of_payment("id"),
        "receipt_no": of_payment("number").and_then(Value::as_i64).map(receipt_no),
        "merchant_invoice_id": carried("reference"),
        "amount": data.get("amount_minor").and_then(Value::as_i64).map(pesos),
        "currency": text("currency"),
        "status_description": status.word(),
        "created_at": seconds(Timestamp::from_micros(created_us)),
    });
    Some(crate::notices::notice(ask, &body))
}

/// The outcome that an event tells. Three words are documented; a charge whose time is over is told
/// as cancelled.
fn status(kind: EventKind, payment: Option<&Value>) -> Option<Status> {
    match kind {
        EventKind::IntentProcessed => {
            let state = payment?.get("state").and_then(Value::as_str);
            match state {
                Some("approved" | "authorized") => Some(Status::Completed),
                Some("reversed") => Some(Status::Cancelled),
                Some("declined" | "failed") => Some(Status::Declined),
                _ => None,
            }
        }
        EventKind::IntentDeclined | EventKind::IntentFailed => Some(Status::Declined),
        EventKind::IntentCanceled | EventKind::IntentAbandoned => Some(Status::Cancelled),
        _ => None,
    }
}

/// Whether the postback ever tells an event of this kind.
pub(crate) const fn tells(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::IntentProcessed
            | EventKind::IntentDeclined
            | EventKind::IntentFailed
            | EventKind::IntentCanceled
            | EventKind::IntentAbandoned
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_and_steps_are_not() {
        let paid = |state: &str| json!({ "state": state });
        let table = [
            (EventKind::IntentProcessed, Some(paid("approved")), Some("COMPLETED")),
            (EventKind::IntentProcessed, Some(paid("reversed")), Some("CANCELLED")),
            (EventKind::IntentProcessed, Some(paid("pending")), None),
            (EventKind::IntentProcessed, None, None),
            (EventKind::IntentDeclined, Some(paid("declined")), Some("DECLINED")),
            (EventKind::IntentFailed, None, Some("DECLINED")),
            (EventKind::IntentCanceled, None, Some("CANCELLED")),
            (EventKind::IntentAbandoned, None, Some("CANCELLED")),
            (EventKind::IntentOpened, None, None),
            (EventKind::IntentOnTerminal, None, None),
            (EventKind::IntentProcessing, None, None),
            (EventKind::IntentFinished, Some(paid("approved")), None),
        ];
        for (kind, payment, expected) in table {
            let found = status(kind, payment.as_ref());
            assert_eq!(found.map(Status::word), expected, "{kind:?}");
            assert!(found.is_none() || tells(kind), "{kind:?}");
        }
    }
}
