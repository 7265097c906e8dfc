//! The surface: which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, patch, post};
use cobro_engine::Worlds;
use cobro_surface::body::json_response;
use cobro_surface::endpoint::{Endpoint, Routes};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::errors::ApiError;
use crate::{
    accounts, devices, endpoints, events, integrators, intents, oauth, payments, refund_intents,
    search,
};

/// What a receiver answered to a call of ours.
#[derive(Clone, Debug)]
pub struct OutboundAnswer {
    /// The status.
    pub status: u16,
    /// The body, as far as it was read.
    pub body: bytes::Bytes,
}

/// Calls to other people's servers, under the address policy of the mode.
pub trait Outbound: Send + Sync {
    /// Whether this address may be called at all.
    fn allows(&self, url: &str) -> bool;

    /// Fetches an address; `None` when nothing usable came back.
    fn fetch(&self, url: String) -> BoxFuture<'_, Option<OutboundAnswer>>;
}

/// What the handlers work with.
#[derive(Clone)]
pub struct Surface {
    /// The worlds.
    pub worlds: Arc<Worlds>,
    /// Calls to other people's servers.
    pub outbound: Arc<dyn Outbound>,
}

impl std::fmt::Debug for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surface").finish_non_exhaustive()
    }
}

/// The router of this dialect, and what it serves.
pub fn routes(surface: Surface) -> (Router, Vec<&'static Endpoint>) {
    let (router, endpoints) = Routes::new()
        .at(&endpoints::LIST_DEVICES, get(devices::list))
        .at(&endpoints::CHANGE_DEVICE, patch(devices::change))
        .at(&endpoints::CREATE_INTENT, post(intents::create))
        .at(&endpoints::CANCEL_INTENT, delete(intents::cancel))
        .at(&endpoints::READ_INTENT, get(intents::read))
        .at(&endpoints::INTENT_EVENT, get(events::last))
        .at(&endpoints::INTENT_EVENTS, get(events::by_day))
        .at(&endpoints::CREATE_REFUND_INTENT, post(refund_intents::create))
        .at(&endpoints::CANCEL_REFUND_INTENT, delete(refund_intents::cancel))
        .at(&endpoints::READ_REFUND_INTENT, get(refund_intents::read))
        .at(&endpoints::READ_INTEGRATORS, get(integrators::read))
        .at(&endpoints::SET_WEBHOOK, patch(integrators::set_webhook))
        .at(&endpoints::CHECK_WEBHOOK, post(integrators::check))
        .at(&endpoints::READ_INTEGRATOR, get(integrators::read_one))
        .at(&endpoints::CHANGE_INTEGRATOR, patch(integrators::change_one))
        .at(&endpoints::SEARCH_PAYMENTS, get(search::search))
        .at(&endpoints::READ_PAYMENT, get(payments::read))
        .at(&endpoints::CREATE_REFUND, post(payments::create_refund))
        .at(&endpoints::LIST_REFUNDS, get(payments::list_refunds))
        .at(&endpoints::READ_REFUND, get(payments::read_refund))
        .at(&endpoints::MAKE_TEST_USER, post(accounts::make_test_user))
        .at(&endpoints::MAKE_DESCRIBED_TEST_USER, post(accounts::make_described_test_user))
        .at(&endpoints::READ_ME, get(accounts::me))
        .at(&endpoints::TOKEN, post(oauth::token))
        .finish();
    (router.with_state(surface), endpoints)
}

/// Whether a path belongs to this dialect, so that its own error answers what is not there.
pub fn is_ours(path: &str) -> bool {
    ["/point/", "/v1/", "/users/", "/oauth/", "/terminals/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// The answer to a path or a method that the API does not have.
pub fn not_found() -> Response {
    let body = json!({
        "error": "resource not found",
        "message": "Si quieres conocer los recursos de la API que se encuentran disponibles visita \
                    el Sitio de Desarrolladores de MercadoLibre \
                    (https://developers.mercadopago.com)",
    });
    json_response(StatusCode::NOT_FOUND, &body)
}

/// The answer to a body that is too large.
pub fn too_large() -> Response {
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    ApiError::new(status, "bad_request", "Request entity too large").response()
}
