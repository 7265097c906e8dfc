//! Outgoing webhooks: claim, format and sign, send, record.
//!
//! - [`address`] decides which addresses a webhook may go to, by mode. It is asked when an address
//!   is registered and again at each delivery.
//! - [`sender`] makes one HTTP request to such an address, bounded in time and in size, and connects
//!   to no address that was not checked.

pub mod address;
pub mod sender;
