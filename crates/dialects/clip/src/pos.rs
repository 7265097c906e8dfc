//! Charges for terminals: seed 000; reference, section 1.

use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_domain::intent::IntentPhase;
use cobro_engine::ports::{NoticeAsk, NoticeRequest};
use cobro_surface::endpoint::{Endpoint, Routes, Security};
use serde_json::Value;

use crate::call::{Api, Call, serve};
use crate::endpoints::{TOO_LARGE, UNAUTHORIZED, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;

const KEY: Security = Security::Header("x-api-key");

static REGISTER: Endpoint = Endpoint {
    summary: "Register a charge for the terminals",
    security: KEY,
    responses: &[UNAUTHORIZED, TOO_LARGE],
    ..endpoint("POST", "/paymentrequest", "registerCharge", "Charges at terminals")
};

static LIST: Endpoint = Endpoint {
    summary: "List charges",
    security: KEY,
    responses: &[UNAUTHORIZED],
    ..endpoint("GET", "/paymentrequest", "listCharges", "Charges at terminals")
};

static READ: Endpoint = Endpoint {
    summary: "Read a charge",
    security: KEY,
    responses: &[UNAUTHORIZED],
    ..endpoint("GET", "/paymentrequest/{id}", "readCharge", "Charges at terminals")
};

static CANCEL: Endpoint = Endpoint {
    summary: "Take a charge off the list",
    security: KEY,
    responses: &[UNAUTHORIZED],
    ..endpoint("DELETE", "/paymentrequest/{id}", "cancelCharge", "Charges at terminals")
};

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes
        .at(&REGISTER, serve(MethodFilter::POST, Api::Pos, register))
        .at(&LIST, serve(MethodFilter::GET, Api::Pos, list))
        .at(&READ, serve(MethodFilter::GET, Api::Pos, read))
        .at(&CANCEL, serve(MethodFilter::DELETE, Api::Pos, cancel))
}

/// Where a charge is, as points of sale are told. Neither the numbers nor the words are published:
/// this table is our choice (reference, section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending = 1,
    Completed = 2,
    Cancelled = 3,
    Declined = 4,
    Expired = 5,
}

impl Status {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// The status of a charge whose last try is not a decline.
pub(crate) const fn status(phase: IntentPhase) -> Status {
    match phase {
        IntentPhase::Open
        | IntentPhase::OnTerminal
        | IntentPhase::Processing
        | IntentPhase::ConfirmationRequired => Status::Pending,
        IntentPhase::Processed | IntentPhase::Finished => Status::Completed,
        IntentPhase::Canceled => Status::Cancelled,
        IntentPhase::Error => Status::Declined,
        IntentPhase::Abandoned => Status::Expired,
    }
}

/// The postback; `None` for events that it does not tell.
pub(crate) fn notice(_ask: &NoticeAsk<'_>, _data: &Value) -> Option<NoticeRequest> {
    None
}

async fn register(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn list(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn read(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn cancel(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}
