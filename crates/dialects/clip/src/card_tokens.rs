//! Card tokens: reference, section 2.9.

use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_engine::cards::StorePlan;
use cobro_surface::endpoint::{Endpoint, Routes};

use crate::call::{Api, Call, serve};
use crate::endpoints::{CODED_TOO_LARGE, CODED_UNAUTHORIZED, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;

static CREATE: Endpoint = Endpoint {
    summary: "Exchange a card for a token",
    responses: &[CODED_UNAUTHORIZED, CODED_TOO_LARGE],
    ..endpoint("POST", "/card_tokens", "createCardToken", "Card tokens")
};

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes.at(&CREATE, serve(MethodFilter::POST, Api::Payments, create))
}

/// How a card is kept whose token is handed out.
pub(crate) fn store_plan() -> StorePlan {
    StorePlan {
        token: None,
        with_subtoken: false,
        single_use: true,
        lifetime_s: Some(15 * 60),
        luggage: String::new(),
    }
}

/// `POST /card_tokens`
async fn create(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}
