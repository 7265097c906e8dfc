//! Refunds: reference, section 3.

use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_surface::endpoint::{Endpoint, Routes};

use crate::call::{Api, Call, serve};
use crate::endpoints::{CODED_TOO_LARGE, CODED_UNAUTHORIZED, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;

static CREATE: Endpoint = Endpoint {
    summary: "Give money back",
    responses: &[CODED_UNAUTHORIZED, CODED_TOO_LARGE],
    ..endpoint("POST", "/refunds", "createRefund", "Refunds")
};

static CREATE_SLASH: Endpoint = Endpoint {
    summary: "The same as `/refunds`",
    path: "/refunds/",
    id: "createRefundSlash",
    ..CREATE
};

static READ: Endpoint = Endpoint {
    summary: "Read a refund",
    responses: &[CODED_UNAUTHORIZED],
    ..endpoint("GET", "/refunds/{id}", "readRefund", "Refunds")
};

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes
        .at(&CREATE, serve(MethodFilter::POST, Api::Refunds, create))
        .at(&CREATE_SLASH, serve(MethodFilter::POST, Api::Refunds, create))
        .at(&READ, serve(MethodFilter::GET, Api::Refunds, read))
}

async fn create(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn read(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}
