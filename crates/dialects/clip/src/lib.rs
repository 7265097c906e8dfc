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
mod dates;
mod deposits;
mod describe;
mod endpoints;
mod errors;
mod fields;
mod hosted;
mod luggage;
mod notices;
mod offers;
mod payments;
mod payments_input;
mod payments_list;
mod payments_wire;
mod pinpad;
mod pos;
mod receipts;
mod refunds;
mod routes;
mod seed;
mod settings;
mod settlements;
mod shop_endpoints;
mod transactions;

pub use deposits::{DepositRow, DepositRows};
pub use describe::Clip;
pub use hosted::{Carried, carried, receipt_number, time_zone};
pub use routes::{Surface, is_ours, not_found, routes, too_large};
