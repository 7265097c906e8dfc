//! Payment links: reference, section 6.

use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_domain::session::Session;
use cobro_engine::ports::{NoticeAsk, NoticeRequest};
use cobro_surface::endpoint::{Endpoint, Routes};
use serde_json::Value;

use crate::call::{Api, Call, serve};
use crate::endpoints::{answer, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;

const UNAUTHORIZED: cobro_surface::endpoint::Response = answer(
    401,
    "The credential is missing or unknown.",
    r#"{"message":"Unauthorized","code_message":"401","detail":[]}"#,
);

static CREATE: Endpoint = Endpoint {
    summary: "Make a payment link",
    responses: &[UNAUTHORIZED],
    ..endpoint("POST", "/v2/checkout", "createCheckout", "Payment links")
};

static READ: Endpoint = Endpoint {
    summary: "Read a payment link",
    responses: &[UNAUTHORIZED],
    ..endpoint("GET", "/v2/checkout/{payment_request_id}", "readCheckout", "Payment links")
};

static CREATE_OLD: Endpoint = Endpoint { path: "/checkout", id: "createCheckoutOld", ..CREATE };

static CREATE_OLD_SLASH: Endpoint =
    Endpoint { path: "/checkout/", id: "createCheckoutOldSlash", ..CREATE };

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes
        .at(&CREATE, serve(MethodFilter::POST, Api::Checkout, create))
        .at(&READ, serve(MethodFilter::GET, Api::Checkout, read))
        .at(&CREATE_OLD, serve(MethodFilter::POST, Api::Checkout, create))
        .at(&CREATE_OLD_SLASH, serve(MethodFilter::POST, Api::Checkout, create))
}

/// The word for a link's state.
pub(crate) fn session_word(session: &Session) -> &'static str {
    session.state.code()
}

/// What a link's webhook is told; `None` for events that it is not told of.
pub(crate) fn notice(_ask: &NoticeAsk<'_>, _data: &Value) -> Option<NoticeRequest> {
    None
}

async fn create(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn read(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}
