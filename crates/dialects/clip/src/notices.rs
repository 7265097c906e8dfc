//! What a merchant is told: the postback of charges at terminals, and the webhooks of payments,
//! payment links and PinPad requests. None is signed, and none is sent again.

use cobro_domain::event::EventKind;
use cobro_engine::ports::{Notice, NoticeAsk, NoticeRequest};
use cobro_engine::recurring::OWN_ADDRESS_SLOT;
use serde_json::Value;

use crate::describe::Clip;
use crate::{checkout, payments, pinpad, pos};

/// The slot of the account's postback.
pub(crate) const POSTBACK_SLOT: i64 = 0;

/// The slot of notices that go to an address which a request named.
pub(crate) const WEBHOOK_SLOT: i64 = OWN_ADDRESS_SLOT;

/// How long a receiver may take, in milliseconds (reference, section 2.8).
const TIMEOUT_MS: u64 = 10_000;

/// A notice with this body.
pub(crate) fn notice(ask: &NoticeAsk<'_>, body: &Value) -> NoticeRequest {
    NoticeRequest {
        url: ask.endpoint.url.clone(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string(),
        timeout_ms: TIMEOUT_MS,
    }
}

impl Notice for Clip {
    fn request(&self, ask: &NoticeAsk<'_>) -> Option<NoticeRequest> {
        let data: Value = serde_json::from_str(&ask.event.data).ok()?;
        match ask.event.kind {
            EventKind::IntentOpened
            | EventKind::IntentDeclined
            | EventKind::IntentOnTerminal
            | EventKind::IntentProcessing
            | EventKind::IntentProcessed
            | EventKind::IntentFinished
            | EventKind::IntentCanceled
            | EventKind::IntentAbandoned
            | EventKind::IntentFailed
            | EventKind::IntentConfirmationRequired => match ask.endpoint.slot {
                WEBHOOK_SLOT => pinpad::notice(ask, &data),
                _ => pos::notice(ask, &data),
            },
            EventKind::PaymentApproved
            | EventKind::PaymentCaptured
            | EventKind::PaymentDeclined
            | EventKind::PaymentPending
            | EventKind::PaymentReversed
            | EventKind::RefundApproved
            | EventKind::RefundDeclined => payments::notice(ask, &data),
            EventKind::SessionOpened
            | EventKind::SessionPartial
            | EventKind::SessionApproved
            | EventKind::SessionRejected
            | EventKind::SessionPartialExpired => checkout::notice(ask, &data),
            EventKind::SettlementClosed | EventKind::CardStored | EventKind::CardInvalidated => {
                None
            }
        }
    }

    /// The postback is about charges at terminals alone.
    fn tells(&self, slot: i64, kind: EventKind) -> bool {
        slot == POSTBACK_SLOT && pos::tells(kind)
    }

    fn own_address(&self, kind: EventKind, luggage: &str) -> Option<String> {
        match kind {
            EventKind::PaymentApproved
            | EventKind::PaymentCaptured
            | EventKind::PaymentDeclined
            | EventKind::PaymentPending
            | EventKind::PaymentReversed
            | EventKind::RefundApproved
            | EventKind::RefundDeclined => payments::own_address(kind, luggage),
            EventKind::SessionOpened
            | EventKind::SessionPartial
            | EventKind::SessionApproved
            | EventKind::SessionRejected
            | EventKind::SessionPartialExpired => checkout::own_address(luggage),
            EventKind::SettlementClosed | EventKind::CardStored | EventKind::CardInvalidated => {
                None
            }
            _ => pinpad::own_address(kind, luggage),
        }
    }

    /// Never sent again, whatever the answer was.
    fn next_attempt_s(&self, _attempts: i64) -> Option<i64> {
        None
    }
}
