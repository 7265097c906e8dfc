//! The surface: which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cobro_engine::Worlds;
use cobro_surface::endpoint::{Endpoint, Routes};

use crate::call::Api;
use crate::errors::Refusal;
use crate::{card_tokens, checkout, payments, pinpad, pos, refunds, settlements, transactions};

/// What the handlers work with.
#[derive(Clone)]
pub struct Surface {
    /// The worlds.
    pub worlds: Arc<Worlds>,
    /// The beginning of our own addresses, without a slash at the end.
    pub public_url: Arc<str>,
}

impl std::fmt::Debug for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surface").finish_non_exhaustive()
    }
}

/// Every endpoint with its handler; each surface adds its own.
fn table() -> Routes<Surface> {
    let routes = pos::routes(Routes::new());
    let routes = payments::routes(routes);
    let routes = transactions::routes(routes);
    let routes = card_tokens::routes(routes);
    let routes = refunds::routes(routes);
    let routes = settlements::routes(routes);
    let routes = checkout::routes(routes);
    pinpad::routes(routes)
}

/// The router of this dialect, and what it serves.
pub fn routes(surface: Surface) -> (Router, Vec<&'static Endpoint>) {
    let (router, endpoints) = table().finish();
    (router.with_state(surface), endpoints)
}

/// Where each surface's paths begin.
const BEGINNINGS: [(&str, Api); 9] = [
    ("/paymentrequest", Api::Pos),
    ("/payments/receipt-no", Api::Transactions),
    ("/payments", Api::Payments),
    ("/payment", Api::Payments),
    ("/card_tokens", Api::Payments),
    ("/refunds", Api::Refunds),
    ("/settlements", Api::Settlements),
    ("/checkout", Api::Checkout),
    ("/f2f", Api::PinPad),
];

/// The surface that a path, with or without the dialect's prefix, looks like.
fn api_at(path: &str) -> Option<Api> {
    let path = path.strip_prefix("/clip").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let path =
        path.strip_prefix("/v2").filter(|rest| rest.starts_with("/checkout")).unwrap_or(path);
    let found = BEGINNINGS.iter().find(|(beginning, _)| {
        let rest = path.strip_prefix(beginning);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    found.map(|(_, api)| *api)
}

/// Whether a path belongs to this dialect, so that its own error answers what is not there.
pub fn is_ours(path: &str) -> bool {
    api_at(path).is_some()
}

/// The answer to a path or a method that the API does not have.
pub fn not_found(path: &str) -> Response {
    let api = api_at(path).unwrap_or(Api::Pos);
    let refusal = match api {
        // Nothing was looked up: the form is the surface's, the text is not that of a look-up.
        Api::Payments => Refusal::new(api, StatusCode::NOT_FOUND, "BR1301", "Not found"),
        Api::Refunds => Refusal::new(api, StatusCode::NOT_FOUND, "CL1301", "Not Found"),
        Api::Transactions => {
            Refusal::new(api, StatusCode::NOT_FOUND, "payclip.not.found", "not found")
        }
        api => Refusal::not_found(api),
    };
    refusal.into_response()
}

/// The answer to a body that is too large.
pub fn too_large(path: &str) -> Response {
    Refusal::too_large(api_at(path).unwrap_or(Api::Pos)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let (_, endpoints) = table().finish();
        let faults = cobro_surface::endpoint::faults(&endpoints);
        assert!(faults.is_empty(), "{faults:?}");
        for endpoint in endpoints {
            assert!(is_ours(endpoint.path), "{}", endpoint.path);
        }
    }

    #[test]
    fn paths_have_a_surface() {
        let table = [
            ("/paymentrequest", Some(Api::Pos)),
            ("/paymentrequests", None),
            ("/payment", Some(Api::Payments)),
            ("/payments/x", Some(Api::Payments)),
            ("/payments/receipt-no/x", Some(Api::Transactions)),
            ("/clip/refunds/", Some(Api::Refunds)),
            ("/v2/checkout", Some(Api::Checkout)),
            ("/clip/v2/checkout/x", Some(Api::Checkout)),
            ("/checkout/", Some(Api::Checkout)),
            ("/f2f/pinpad/v1/payment", Some(Api::PinPad)),
            ("/v1/payments/1", None),
            ("/v2", None),
            ("/clipboard", None),
            ("/", None),
        ];
        for (path, expected) in table {
            assert_eq!(api_at(path), expected, "{path}");
        }
    }
}
