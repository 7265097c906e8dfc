//! The receipts' view of payments: reference, section 5.

use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_surface::endpoint::{Endpoint, Routes};

use crate::call::{Api, Call, serve};
use crate::endpoints::{answer, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;

static READ: Endpoint = Endpoint {
    summary: "Read a payment by its receipt number",
    responses: &[answer(
        401,
        "The credential is missing or unknown.",
        r#"{"response_messages":[{"severity":"error","code":"payclip.unauthorized","text":"Unauthorized"}]}"#,
    )],
    ..endpoint("GET", "/payments/receipt-no/{receipt_no}", "readTransaction", "Transactions")
};

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes.at(&READ, serve(MethodFilter::GET, Api::Transactions, read))
}

/// Whether a `GET /payments` is for this surface: its host decides, else its query.
pub(crate) fn is_asked(_parts: &Parts) -> bool {
    false
}

/// `GET /payments` of this surface.
pub(crate) async fn list(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn read(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}
