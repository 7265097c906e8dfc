//! The Placetopay Checkout dialect: sessions, charges of stored cards, reverses, notifications.
//!
//! Field names of the provider live in the files of the calls and in `wire`; what is seed,
//! documented, observed or our own choice is told in `docs/dialects/placetopay.md`.
//!
//! Read in this order: `routes`, `calls`, `auth`, `validate`, `payment_request`, `wire`.

mod amounts;
mod auth;
mod calls;
mod cards;
mod collect;
mod describe;
mod documents;
mod endpoints;
mod errors;
mod fields;
mod hosted;
mod instruments;
mod luggage;
mod notices;
mod payment_request;
mod persons;
mod recurring;
mod routes;
mod seed;
mod sessions;
mod settings;
mod sites;
mod texts;
mod transactions;
mod validate;
mod wire;

pub use describe::Checkout;
pub use hosted::{document_fits, locale_of, published_numbers, zone_of};
pub use luggage::{page_hash, process_url};
pub use routes::{Surface, is_ours, not_found, routes, too_large, wrong_method};
