//! Payments: seed 001; reference, section 2.

use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_engine::ports::{NoticeAsk, NoticeRequest};
use cobro_surface::endpoint::{Endpoint, Routes};
use serde_json::Value;

use crate::call::{Api, Call, serve};
use crate::endpoints::{CODED_TOO_LARGE, CODED_UNAUTHORIZED, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;
use crate::transactions;

static CREATE: Endpoint = Endpoint {
    summary: "Charge a card token",
    responses: &[CODED_UNAUTHORIZED, CODED_TOO_LARGE],
    ..endpoint("POST", "/payments", "createPayment", "Payments")
};

static LIST: Endpoint = Endpoint {
    summary: "List payments by date",
    responses: &[CODED_UNAUTHORIZED],
    ..endpoint("GET", "/payments", "listPayments", "Payments")
};

static READ: Endpoint = Endpoint {
    summary: "Read a payment",
    responses: &[CODED_UNAUTHORIZED],
    ..endpoint("GET", "/payments/{id}", "readPayment", "Payments")
};

static CAPTURE: Endpoint = Endpoint {
    summary: "Take money that is held",
    responses: &[CODED_UNAUTHORIZED, CODED_TOO_LARGE],
    ..endpoint("POST", "/payments/{id}/capture", "capturePayment", "Payments")
};

static CANCEL: Endpoint = Endpoint {
    summary: "Let money go that is held",
    responses: &[CODED_UNAUTHORIZED, CODED_TOO_LARGE],
    ..endpoint("POST", "/payments/{id}/cancel", "cancelPayment", "Payments")
};

static CREATE_SINGULAR: Endpoint = Endpoint {
    summary: "The same as `/payments`",
    ..with_path(&CREATE, "/payment", "createPaymentSingular")
};

static LIST_SINGULAR: Endpoint = Endpoint {
    summary: "The same as `/payments`",
    ..with_path(&LIST, "/payment", "listPaymentsSingular")
};

static READ_SINGULAR: Endpoint = Endpoint {
    summary: "The same as `/payments/{id}`",
    ..with_path(&READ, "/payment/{id}", "readPaymentSingular")
};

const fn with_path(endpoint: &Endpoint, path: &'static str, id: &'static str) -> Endpoint {
    Endpoint { path, id, ..*endpoint }
}

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    let api = Api::Payments;
    routes
        .at(&CREATE, serve(MethodFilter::POST, api, create))
        .at(&LIST, serve(MethodFilter::GET, listing as fn(&Parts) -> Api, list))
        .at(&READ, serve(MethodFilter::GET, api, read))
        .at(&CAPTURE, serve(MethodFilter::POST, api, capture))
        .at(&CANCEL, serve(MethodFilter::POST, api, cancel))
        .at(&CREATE_SINGULAR, serve(MethodFilter::POST, api, create))
        .at(&LIST_SINGULAR, serve(MethodFilter::GET, listing as fn(&Parts) -> Api, list))
        .at(&READ_SINGULAR, serve(MethodFilter::GET, api, read))
}

/// Which of two surfaces a `GET /payments` is for (reference, section 0).
fn listing(parts: &Parts) -> Api {
    if transactions::is_asked(parts) { Api::Transactions } else { Api::Payments }
}

/// What a payment's own webhook is told; `None` for events that it is not told of.
pub(crate) fn notice(_ask: &NoticeAsk<'_>, _data: &Value) -> Option<NoticeRequest> {
    None
}

async fn create(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn list(call: Call) -> Result<Response, Refusal> {
    match call.api {
        Api::Transactions => transactions::list(call).await,
        api => Err(Refusal::unavailable(api)),
    }
}

async fn read(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn capture(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn cancel(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}
