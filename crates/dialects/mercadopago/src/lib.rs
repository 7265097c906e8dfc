//! The Mercado Pago Point dialect: devices, payment intents, the integrator's webhook, the
//! payments that intents lead to and their refunds.
//!
//! Provider field names live in [`wire`] and nowhere else; `map` and `errors` translate the
//! engine's states and refusals exhaustively. What is seed, documented, observed or our own choice
//! is told in `docs/dialects/mercado-pago-point.md`.

mod accounts;
mod auth;
mod cards;
mod describe;
mod devices;
mod endpoints;
mod errors;
mod events;
mod integrators;
mod intents;
mod map;
mod notices;
mod oauth;
mod payments;
mod refund_intents;
mod routes;
mod search;
mod seed;
mod sites;
mod validate;
mod wire;

pub use describe::Point;
pub use routes::{Outbound, OutboundAnswer, Surface, is_ours, not_found, routes, too_large};
