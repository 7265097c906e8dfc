//! The Clip dialect: charges on a list that the merchant's terminals take from, payments with card
//! tokens, refunds, transactions, settlements, payment links and the PinPad API.
//!
//! Seven surfaces of one provider, each with errors of its own ([`call::Api`]). What is seed,
//! documented, observed or our own choice is told in `docs/dialects/clip.md`.
//!
//! Read in this order: `routes`, `call`, `auth`, `errors`, then the surface in question.

mod auth;
mod calendar;
mod call;
mod card_tokens;
mod cards;
mod checkout;
mod describe;
mod endpoints;
mod errors;
mod notices;
mod payments;
mod pinpad;
mod pos;
mod receipts;
mod refunds;
mod routes;
mod seed;
mod settings;
mod settlements;
mod three_ds;
mod transactions;

pub use describe::Clip;
pub use routes::{Surface, is_ours, not_found, routes, too_large};
