//! What happened, for merchants, journals and pages.

use crate::id::{DeliveryId, EventId, MerchantId};
use crate::time::Timestamp;

/// Something that happened; written once, in the transaction that made it happen (I13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id; ids grow in the order of commit.
    pub id: EventId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// When it happened, in the world's time.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// The id of what it happened to.
    pub subject: String,
    /// What is needed to tell of it later as it was, as JSON text.
    pub data: String,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind { $($(#[$doc])* $name,)* }

        impl EventKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word that is stored and shown.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The kind of a stored word.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.code() == code)
            }
        }
    };
}

kinds! {
    /// An intent was made.
    IntentOpened = "intent.opened",
    /// A terminal took an intent.
    IntentOnTerminal = "intent.on_terminal",
    /// A card was declined for an intent; its terminal may try another.
    IntentDeclined = "intent.declined",
    /// A card was read for an intent.
    IntentProcessing = "intent.processing",
    /// An intent's payment was answered.
    IntentProcessed = "intent.processed",
    /// A terminal closed an intent.
    IntentFinished = "intent.finished",
    /// An intent was cancelled.
    IntentCanceled = "intent.canceled",
    /// An intent's time was over.
    IntentAbandoned = "intent.abandoned",
    /// An intent failed.
    IntentFailed = "intent.error",
    /// An intent ended without a known outcome.
    IntentConfirmationRequired = "intent.confirmation_required",
    /// A payment was approved.
    PaymentApproved = "payment.approved",
    /// A payment was declined.
    PaymentDeclined = "payment.declined",
    /// A payment was deferred by the acquirer.
    PaymentPending = "payment.pending",
    /// A payment was undone.
    PaymentReversed = "payment.reversed",
    /// Held money was taken.
    PaymentCaptured = "payment.captured",
    /// A session was made.
    SessionOpened = "session.opened",
    /// A part of a session was paid.
    SessionPartial = "session.approved_partial",
    /// A session was paid, or its card stored.
    SessionApproved = "session.approved",
    /// A session ended without its money.
    SessionRejected = "session.rejected",
    /// A session ended with a part of its money.
    SessionPartialExpired = "session.partial_expired",
    /// A card was stored.
    CardStored = "card.stored",
    /// A stored card was taken back.
    CardInvalidated = "card.invalidated",
    /// A settlement was closed.
    SettlementClosed = "settlement.closed",
    /// A refund was accepted.
    RefundApproved = "refund.approved",
    /// A refund was refused.
    RefundDeclined = "refund.declined",
}

/// How loud an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// Written down, told to nobody.
    Silent,
    /// Told to endpoints that want everything.
    Step,
    /// Told to every endpoint.
    Final,
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// The lane of its merchant.
    pub lane: i64,
    /// What it tells of.
    pub event: EventId,
    /// The endpoint's slot.
    pub slot: i64,
    /// Where to.
    pub url: String,
    /// How many attempts have been made.
    pub attempts: i64,
    /// Where it is.
    pub state: DeliveryState,
    /// The request of the last attempt, as JSON text; empty before the first.
    pub request: String,
    /// The answer to the last attempt with what went before, as JSON text; empty when there was no
    /// attempt.
    pub response: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be tried at this time, in the world's time.
    Waiting {
        /// The next try.
        next_at: Timestamp,
    },
    /// The receiver took it.
    Delivered,
    /// The endpoint cannot be sent to any more.
    Failed,
    /// The schedule is used up.
    Exhausted,
}

impl DeliveryState {
    /// The word that is stored and shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Exhausted => "exhausted",
        }
    }
}
