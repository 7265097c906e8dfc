//! The use cases and the ports they need.
//!
//! Each use case loads, lets the domain decide, saves, posts and emits, in one transaction of one
//! lane ([`cobro_store::Tx`]). A call to the acquirer takes three steps: commit what is about to be
//! sent, call, commit the answer; it runs in a task that goes on when the caller hangs up.
//!
//! What is deliberately absent: HTTP, SQL texts of the hot path, and every provider's name. What
//! is particular to a provider comes in as a value of a command or through [`ports::Dialect`].
//!
//! Read in this order: [`ports`], [`world`], [`intents`], [`charges`], [`refunds`], [`recovery`].

/// Puts the future of a use case in a box. A bare one would be compiled once more in every room that
/// calls it; this is where the engine's code ends and theirs begins.
pub(crate) use async_recursion::async_recursion as boxed;

pub mod accounts;
mod alarms;
pub mod answers;
pub mod attempts;
mod balance;
pub mod books;
pub mod captures;
pub mod card_charges;
pub mod cards;
pub mod challenges;
pub mod charges;
pub mod clock;
pub mod crash;
pub mod deliveries;
pub mod deposits;
mod emit;
pub mod error;
pub mod expiry;
pub mod faults;
pub mod grants;
pub mod intent_events;
pub mod intents;
pub mod journal;
pub mod listings;
pub mod payment_pages;
pub mod payment_search;
pub mod pool;
pub mod ports;
pub mod recovery;
pub mod recurring;
pub mod refund_intents;
pub mod refunds;
pub mod rotation;
pub mod secrets;
pub mod sessions;
pub mod settlements;
pub mod terminals;
pub mod timers;
pub mod trials;
pub mod typed_cards;
pub mod vault;
pub mod verify;
mod verify_books;
mod verify_settlements;
pub mod world;
pub mod worlds;

pub use error::{EngineError, Subject};
pub use world::{Caller, Change, World};
pub use worlds::Worlds;
