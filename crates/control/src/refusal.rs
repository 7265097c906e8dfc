//! Why a call was refused, as problem details (RFC 9457).

use axum::response::{IntoResponse, Response};
use cobro_engine::{EngineError, Subject};
use cobro_surface::problem::Problem;
use http::StatusCode;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Refusal>;

/// A problem on its way out; boxed, since it is large and rare.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Problem>);

impl Refusal {
    /// A refusal with a text for people. The text must not repeat what the caller sent: it could
    /// be a card number.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(status).detail(detail.into())))
    }

    /// The request does not say what it should.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The request is clear, and what it asks for is not possible.
    pub(crate) fn unfit(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }
}

impl Refusal {
    /// The same with a word for programs.
    pub(crate) fn with_code(self, code: &str) -> Self {
        Self(Box::new(self.0.member("code", code)))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        let status = status_of(&error);
        let detail = match &error {
            EngineError::NotFound(subject) => format!("there is no such {}", word(*subject)),
            EngineError::Exists(subject) => format!("there is such a {} already", word(*subject)),
            // What is broken inside is for the log, not for callers.
            EngineError::Fault(_) | EngineError::Store(_) | EngineError::Tx(_) => {
                tracing::error!(%error, "a control call failed");
                "the call could not be done; the server's log says why".to_owned()
            }
            _ => error.to_string(),
        };
        Self(Box::new(Problem::new(status).detail(detail).member("code", code_of(&error))))
    }
}

/// The status of a refusal; every refusal of the engine has one.
fn status_of(error: &EngineError) -> StatusCode {
    match error {
        EngineError::NotFound(_) | EngineError::NothingQueued => StatusCode::NOT_FOUND,
        EngineError::Exists(_)
        | EngineError::TerminalBusy
        | EngineError::TerminalStandalone
        | EngineError::TerminalOffline
        | EngineError::NothingTaken
        | EngineError::Intent(_)
        | EngineError::Payment(_)
        | EngineError::Session(_)
        | EngineError::StaleCaller
        | EngineError::MerchantState(_)
        | EngineError::Unsupported(_) => StatusCode::CONFLICT,
        EngineError::ClockBackwards => StatusCode::BAD_REQUEST,
        EngineError::Money(_) => StatusCode::UNPROCESSABLE_ENTITY,
        EngineError::Unanswered => StatusCode::GATEWAY_TIMEOUT,
        EngineError::Balance => StatusCode::CONFLICT,
        EngineError::Store(_) | EngineError::Tx(_) => StatusCode::SERVICE_UNAVAILABLE,
        EngineError::Fault(_) | EngineError::Vault(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A word for programs that tell refusals of one status apart.
const fn code_of(error: &EngineError) -> &'static str {
    match error {
        EngineError::NotFound(_) => "not_found",
        EngineError::Exists(_) => "exists",
        EngineError::TerminalBusy => "terminal_busy",
        EngineError::TerminalStandalone => "terminal_standalone",
        EngineError::TerminalOffline => "terminal_offline",
        EngineError::NothingQueued => "nothing_queued",
        EngineError::NothingTaken => "nothing_taken",
        EngineError::Intent(_) => "intent_state",
        EngineError::Payment(_) => "payment_state",
        EngineError::Session(_) => "session_state",
        EngineError::Vault(_) => "vault",
        EngineError::StaleCaller => "stale_caller",
        EngineError::MerchantState(_) => "merchant_state",
        EngineError::Money(_) => "amount",
        EngineError::Unanswered => "unanswered",
        EngineError::Balance => "balance",
        EngineError::ClockBackwards => "clock_backwards",
        EngineError::Unsupported(_) => "unsupported",
        EngineError::Fault(_) => "fault",
        EngineError::Store(_) | EngineError::Tx(_) => "store",
    }
}

const fn word(subject: Subject) -> &'static str {
    match subject {
        Subject::Card => "card",
        Subject::Delivery => "delivery",
        Subject::Intent => "intent",
        Subject::Merchant => "merchant",
        Subject::Payment => "payment",
        Subject::Refund => "refund",
        Subject::Session => "session",
        Subject::Settlement => "settlement",
        Subject::Terminal => "terminal",
        Subject::World => "world",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_domain::intent::{IntentAction, IntentPhase, IntentRefused};
    use cobro_domain::merchant::MerchantState;
    use cobro_domain::money::MoneyError;
    use cobro_domain::payment::PaymentRefused;
    use cobro_store::StoreError;

    #[test]
    fn every_refusal_of_the_engine_is_a_problem() {
        let intent =
            IntentRefused { phase: IntentPhase::Finished, action: IntentAction::CancelOnTerminal };
        let table = [
            (EngineError::NotFound(Subject::Terminal), 404, "there is no such terminal"),
            (EngineError::NotFound(Subject::World), 404, "there is no such world"),
            (EngineError::Exists(Subject::Terminal), 409, "there is such a terminal already"),
            (EngineError::TerminalBusy, 409, "the terminal has an intent already"),
            (EngineError::TerminalStandalone, 409, "the terminal is not integrated"),
            (EngineError::TerminalOffline, 409, "the terminal is offline"),
            (EngineError::NothingQueued, 404, "nothing is queued for the terminal"),
            (EngineError::NothingTaken, 409, "the terminal has not taken an intent"),
            (
                EngineError::Intent(intent),
                409,
                "an intent that is finished cannot take CancelOnTerminal",
            ),
            (
                EngineError::Payment(PaymentRefused::NothingLeft),
                409,
                "everything has been refunded",
            ),
            (EngineError::StaleCaller, 409, "the caller has to be recognised again"),
            (EngineError::MerchantState(MerchantState::Expired), 409, "the merchant is expired"),
            (EngineError::Money(MoneyError::OutOfRange), 422, "the amount is out of range"),
            (EngineError::Unanswered, 504, "the outcome is not known yet"),
            (EngineError::ClockBackwards, 400, "the clock cannot be moved backwards"),
            (EngineError::Unsupported("not here"), 409, "not here"),
            (
                EngineError::Fault("secret".to_owned()),
                500,
                "the call could not be done; the server's log says why",
            ),
            (
                EngineError::Store(StoreError::Busy),
                503,
                "the call could not be done; the server's log says why",
            ),
        ];
        let mut codes = std::collections::BTreeSet::new();
        for (error, status, detail) in table {
            codes.insert(code_of(&error));
            let problem = Refusal::from(error).0;
            assert_eq!(
                (problem.status.as_u16(), problem.detail.as_deref()),
                (status, Some(detail))
            );
        }
        assert_eq!(codes.len(), 17, "a code for each kind");
    }
}
