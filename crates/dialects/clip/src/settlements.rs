//! Deposits: seed 002; reference, section 4.

use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_surface::endpoint::{Endpoint, Routes};

use crate::call::{Api, Call, serve};
use crate::endpoints::{UNAUTHORIZED, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;

static LIST: Endpoint = Endpoint {
    summary: "List deposits by date",
    responses: &[UNAUTHORIZED],
    ..endpoint("GET", "/settlements", "listSettlements", "Settlements")
};

static READ: Endpoint = Endpoint {
    summary: "Read a deposit with its payments",
    responses: &[UNAUTHORIZED],
    ..endpoint("GET", "/settlements/{id}", "readSettlement", "Settlements")
};

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes
        .at(&LIST, serve(MethodFilter::GET, Api::Settlements, list))
        .at(&READ, serve(MethodFilter::GET, Api::Settlements, read))
}

async fn list(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn read(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}
