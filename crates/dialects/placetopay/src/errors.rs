//! Refusals as the API writes them (reference, section 2.8): a status object, nothing else.

use axum::http::StatusCode;
use axum::response::Response;
use cobro_domain::Timestamp;
use cobro_domain::merchant::MerchantState;
use cobro_domain::payment::PaymentRefused;
use cobro_engine::{EngineError, Subject};
use cobro_surface::body::json_response;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::sites::date;
use crate::texts::{Language, Text, filled};

/// A refusal; what it says is put into words when the language is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) http: StatusCode,
    pub(crate) reason: Value,
    pub(crate) text: Text,
    pub(crate) with: Vec<String>,
    /// The caller's credentials changed under way: recognise it again.
    pub(crate) stale: bool,
}

/// Why authentication failed; the number is part of the message (reference, section 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthFailure {
    Malformed = 100,
    UnknownSite = 101,
    WrongKey = 102,
    WrongTime = 103,
    Inactive = 104,
    Expired = 105,
    CredentialsExpired = 106,
}

impl AuthFailure {
    /// Why a site in this state is refused; an active one is not.
    pub(crate) const fn of_state(state: MerchantState) -> Option<Self> {
        match state {
            MerchantState::Active => None,
            MerchantState::Inactive => Some(Self::Inactive),
            MerchantState::Expired => Some(Self::Expired),
            MerchantState::CredentialsExpired => Some(Self::CredentialsExpired),
        }
    }
}

impl Refusal {
    fn new(http: StatusCode, reason: impl Into<Value>, text: Text) -> Self {
        Self { http, reason: reason.into(), text, with: Vec::new(), stale: false }
    }

    /// A 400 with this reason.
    pub(crate) fn bad(reason: impl Into<Value>, text: Text) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason, text)
    }

    fn field(text: Text, with: Vec<String>) -> Self {
        Self { with, ..Self::bad("request_not_valid", text) }
    }

    pub(crate) fn required(path: &str) -> Self {
        Self::field(Text::FieldRequired, vec![path.to_owned()])
    }

    pub(crate) fn invalid(path: &str) -> Self {
        Self::field(Text::FieldInvalid, vec![path.to_owned()])
    }

    pub(crate) fn not_allowed(path: &str) -> Self {
        Self::field(Text::FieldNotAllowed, vec![path.to_owned()])
    }

    pub(crate) fn not_positive(path: &str) -> Self {
        Self::field(Text::FieldNotPositive, vec![path.to_owned()])
    }

    pub(crate) fn too_long(path: &str, max: usize) -> Self {
        Self::field(Text::FieldTooLong, vec![path.to_owned(), max.to_string()])
    }

    pub(crate) fn payer() -> Self {
        Self::bad("payer_data_not_valid", Text::PayerInvalid)
    }

    pub(crate) fn token() -> Self {
        Self::bad("XN", Text::TokenInvalid)
    }

    pub(crate) fn cannot_refund() -> Self {
        Self::bad("BR", Text::CannotRefund)
    }

    pub(crate) fn action(text: Text, action: &str) -> Self {
        Self::field(text, vec![action.to_owned()])
    }

    pub(crate) fn session_unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "request_not_valid", Text::SessionUnknown)
    }

    pub(crate) fn page_unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NA", Text::PageUnknown)
    }

    pub(crate) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "NA", Text::PageUnknown)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request_not_valid", Text::TooLarge)
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "XH", Text::Unavailable)
    }

    fn fault() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "XH", Text::Fault)
    }

    /// The answer.
    pub(crate) fn response(&self, language: Language, at: Timestamp, zone: &TimeZone) -> Response {
        let message = filled(self.text.said(language), &self.with);
        let status = json!({
            "status": "FAILED",
            "reason": self.reason,
            "message": message,
            "date": date(at, zone),
        });
        json_response(self.http, &json!({ "status": status }))
    }
}

impl From<AuthFailure> for Refusal {
    fn from(failure: AuthFailure) -> Self {
        let with = vec![(failure as i64).to_string()];
        let text = Text::AuthenticationFailed;
        Self { with, ..Self::new(StatusCode::UNAUTHORIZED, 401, text) }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound(Subject::Session) => Self::session_unknown(),
            EngineError::NotFound(Subject::Card) => Self::token(),
            EngineError::NotFound(Subject::Payment | Subject::Refund) => Self::cannot_refund(),
            EngineError::Payment(PaymentRefused::NothingLeft) => {
                Self::bad("BR", Text::AlreadyRefunded)
            }
            EngineError::Payment(_) => Self::cannot_refund(),
            EngineError::Session(_) => Self::bad("action_not_allowed", Text::NotPending),
            EngineError::Money(_) => Self::invalid("payment.amount.total"),
            EngineError::StaleCaller => {
                Self { stale: true, ..AuthFailure::CredentialsExpired.into() }
            }
            EngineError::MerchantState(state) => {
                AuthFailure::of_state(state).unwrap_or(AuthFailure::Inactive).into()
            }
            error if error.is_unavailable() => Self::unavailable(),
            EngineError::Unanswered => Self::unavailable(),
            error => {
                tracing::error!(%error, "a request could not be answered");
                Self::fault()
            }
        }
    }
}
