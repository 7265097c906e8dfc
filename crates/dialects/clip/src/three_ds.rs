//! The page on which a card's holder confirms a payment.

use axum::Router;

use crate::routes::Surface;

/// The pages, for people.
pub(crate) fn pages() -> Router<Surface> {
    Router::new()
}
