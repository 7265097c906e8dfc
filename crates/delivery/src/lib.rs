//! Outgoing webhooks: claim, format and sign, send, record.
//!
//! - [`address`] decides which addresses a webhook may go to, by mode. It is asked when an address
//!   is registered and again at each delivery.
//! - [`sender`] makes one HTTP request to such an address, bounded in time and in size, and connects
//!   to no address that was not checked.
//! - [`worker`] is the loop of a world: it claims deliveries that are due, sends them side by side
//!   and in order where order matters, and records what came of them. It also fires the world's
//!   timers.
//!
//! What is deliberately absent: what a webhook says and how it is signed, which receiver's answer
//! counts and when it is tried again. Those are the dialect's
//! ([`Notice`](cobro_engine::ports::Notice)).

pub mod address;
pub mod sender;
pub mod worker;

pub use worker::Deliveries;
