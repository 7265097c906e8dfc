//! The hosted card page: `GET` and `POST /spa/session/{requestId}/{secret}`, the only pages that
//! card holders see and the only ones that take a card's number (Placetopay reference, 3.2).
//!
//! The page talks to the engine; what is particular to the dialect whose session it shows comes in
//! as [`Merchandise`]. It works without scripts: a plain form, checked here, and a redirect after
//! each success. Scripts make it kinder and change nothing of what it does.
//!
//! Invariants: nothing typed of a card is ever written into a page, an address or a log; nothing is
//! loaded from elsewhere and nothing is inline; no answer may be kept by a cache; no text that people
//! read stands outside `texts/*.ftl`.
//!
//! Read in this order: [`merchandise`], [`form`], `desk`, `stand`, `routes`, `page`.

mod brands;
mod desk;
pub mod form;
pub mod merchandise;
mod money;
pub mod order;
mod page;
mod routes;
mod stand;

use std::sync::Arc;

use cobro_engine::Worlds;
use cobro_surface::assets::{Asset, CSS, JS, SVG};
use cobro_surface::texts::{Language, Texts};

pub use cobro_engine::typed_cards::PASSING_CODE;
pub use merchandise::{Behaviour, DocumentType, Merchandise, OfferedCard};
pub use order::{Order, Person};

/// What the page is told by the program that mounts it.
pub struct Checkout {
    /// Where sessions are found.
    pub worlds: Arc<Worlds>,
    /// What each dialect with a page sells; a session of another channel has none.
    pub merchandise: Vec<Arc<dyn Merchandise>>,
}

impl std::fmt::Debug for Checkout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkout").finish_non_exhaustive()
    }
}

/// Routes of the page and of its assets, under `/spa/`. They must stand outside of whatever keeps
/// bodies of requests: those of the page hold card numbers.
pub fn router(checkout: Checkout) -> axum::Router {
    routes::router(checkout)
}

const FILES: [(Language, &str); 3] = [
    (Language::Es, include_str!("../texts/es.ftl")),
    (Language::PtBr, include_str!("../texts/pt-BR.ftl")),
    (Language::En, include_str!("../texts/en.ftl")),
];

/// The texts. What is wrong with them, a test finds.
fn texts() -> Texts {
    Texts::new(FILES).0
}

/// Every asset there is; a file that is not named here is not served.
const ASSETS: &[Asset] = &[
    Asset::new("checkout.css", CSS, include_str!("../assets/checkout.css")),
    Asset::new("checkout.js", JS, include_str!("../assets/checkout.js")),
    Asset::new("card.js", JS, include_str!("../assets/card.js")),
    Asset::new("dom.js", JS, include_str!("../assets/dom.js")),
    Asset::new("arrow.svg", SVG, include_str!("../assets/arrow.svg")),
    Asset::new("icon.svg", SVG, include_str!("../assets/icon.svg")),
];

#[cfg(test)]
mod tests;
