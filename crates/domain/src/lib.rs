//! The vocabulary and the rules of taking payments: pure values, no I/O.
//!
//! What lives here: money, ids, time, terminals, intents, payments, refunds, the ledger and the
//! events that tell of them. Each state machine is an enum whose variants carry the data that
//! exists only in that state; a transition consumes the value and returns the next one.
//!
//! What is deliberately absent: clocks, randomness, serialisation, SQL, networks, and every word
//! that only one provider uses. What providers disagree about arrives as a parameter.
//!
//! Read in this order: [`money`], [`time`], [`id`], [`intent`], [`payment`], [`ledger`].

/// Gives an enum without data the word under which each of its values is stored and shown.
macro_rules! coded {
    ($name:ident { $($variant:ident = $code:literal),* $(,)? }) => {
        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word that is stored.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The value of a stored word.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }
    };
}

pub mod card;
pub mod event;
pub mod fee;
pub mod id;
pub mod intent;
pub mod ledger;
pub mod merchant;
pub mod money;
pub mod payment;
pub mod recurrence;
pub mod refund;
pub mod scenario;
pub mod session;
pub mod settlement;
pub mod terminal;
pub mod time;

pub use id::{
    CardId, DeliveryId, EventId, IntentId, MerchantId, PaymentId, PostingId, RefundId, SessionId,
    TerminalId,
};
pub use money::{Currency, Money};
pub use time::{Clock, Entropy, Timestamp};
