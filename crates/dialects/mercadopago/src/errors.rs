//! Errors as the API writes them (reference, section 1.3). Clients match on the texts.

use axum::http::StatusCode;
use axum::response::Response;
use cobro_engine::{EngineError, Subject};
use cobro_surface::body::json_response;
use serde::Serialize;

/// An error of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) cause: Vec<Cause>,
}

/// A member of `cause`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cause {
    pub(crate) code: i64,
    pub(crate) data: Option<String>,
    pub(crate) description: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    cause: &'a [Cause],
    error: &'a str,
    message: &'a str,
    status: u16,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), cause: Vec::new() }
    }

    /// The same with one cause, whose description is the message.
    pub(crate) fn caused(mut self, code: i64) -> Self {
        self.cause.push(Cause { code, data: None, description: self.message.clone() });
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(crate) fn device_owner() -> Self {
        Self::new(StatusCode::FORBIDDEN, "104", "Forbidden Error checking device owner")
    }

    pub(crate) fn intent_not_found() -> Self {
        let message = "Not-found - Payment intent doesn't exist";
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn refund_intent_not_found() -> Self {
        let message = "Not-found - Refund intent doesn't exist";
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The payment of a refund intent is not there, or another terminal took it.
    pub(crate) fn refunded_payment_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Device or Payment not found").caused(2000)
    }

    pub(crate) fn payment_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Payment not found").caused(2000)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized - Token is invalid")
    }

    /// The 401 of the Payments API for a call without a token.
    pub(crate) fn token_missing() -> Self {
        let message = "Must provide your access_token to proceed";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message).caused(5)
    }

    fn internal() -> Self {
        let message = "Internal server error";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }

    fn unavailable() -> Self {
        let message = "Service unavailable, please try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", message)
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response {
        let envelope = Envelope {
            cause: &self.cause,
            error: &self.code,
            message: &self.message,
            status: self.status.as_u16(),
        };
        json_response(self.status, &envelope)
    }
}

impl axum::response::IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.response()
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound(Subject::Terminal) => Self::device_owner(),
            EngineError::NotFound(Subject::Payment) => Self::payment_not_found(),
            EngineError::NotFound(Subject::Refund) => {
                Self::new(StatusCode::NOT_FOUND, "not_found", "Refund not found").caused(2032)
            }
            EngineError::NotFound(
                Subject::Intent
                | Subject::Card
                | Subject::Delivery
                | Subject::Merchant
                | Subject::Session
                | Subject::Settlement
                | Subject::World,
            ) => Self::intent_not_found(),
            EngineError::TerminalBusy => {
                let message = "There is already a queued intent for the device";
                Self::new(StatusCode::CONFLICT, "2205", message)
            }
            EngineError::TerminalStandalone => {
                Self::bad_request("The device is not in PDV operating mode")
            }
            // An intent that is final is no longer there for the point of sale; one that the
            // terminal has is for the terminal to cancel (reference, section 4.2).
            EngineError::Intent(refused) if refused.phase.is_final() => Self::intent_not_found(),
            EngineError::Intent(_) => {
                let message = "The intent cannot be canceled. \
                               Verify if the intent is already being processed";
                Self::new(StatusCode::CONFLICT, "conflict", message)
            }
            EngineError::Payment(_) => {
                let message = "The action requested is not valid for the current payment state";
                Self::bad_request(message).caused(2063)
            }
            EngineError::Money(_) => Self::bad_request("The amount is out of range"),
            EngineError::StaleCaller | EngineError::MerchantState(_) => Self::unauthorized(),
            error if error.is_unavailable() => Self::unavailable(),
            EngineError::Unanswered => Self::unavailable(),
            EngineError::Exists(_)
            | EngineError::Balance
            | EngineError::TerminalOffline
            | EngineError::NothingQueued
            | EngineError::NothingTaken
            | EngineError::ClockBackwards
            | EngineError::Unsupported(_)
            | EngineError::Fault(_)
            | EngineError::Session(_)
            | EngineError::Vault(_)
            | EngineError::Store(_)
            | EngineError::Tx(_) => {
                tracing::error!(%error, "a request could not be answered");
                Self::internal()
            }
        }
    }
}
