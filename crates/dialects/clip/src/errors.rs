//! Errors as each surface writes them (reference, section 0.3).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cobro_engine::EngineError;
use cobro_surface::body::json_response;
use cobro_surface::json::JsonError;
use serde_json::{Value, json};

use crate::call::Api;

/// A refusal of one surface. Which of its members are shown is the surface's form to say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    /// On which surface.
    pub(crate) api: Api,
    /// The status.
    pub(crate) status: StatusCode,
    /// `error_code`, `code`, `code_message`; not shown by the surfaces that have no codes.
    pub(crate) code: String,
    /// `message`, or the text of a transactions message.
    pub(crate) message: String,
    /// What exactly is wrong, one line each.
    pub(crate) detail: Vec<String>,
    /// Members beside those of the form, or the whole body of an answer without one.
    pub(crate) beside: Value,
    /// The caller's credentials changed under way: recognise it again.
    pub(crate) stale: bool,
}

impl Refusal {
    /// A refusal with a code and a message.
    pub(crate) fn new(api: Api, status: StatusCode, code: &str, message: &str) -> Self {
        Self {
            api,
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            detail: Vec::new(),
            beside: Value::Null,
            stale: false,
        }
    }

    /// The same with one more line of detail.
    #[must_use]
    pub(crate) fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail.push(detail.into());
        self
    }

    /// The same with members beside those of the form.
    #[must_use]
    pub(crate) fn beside(mut self, beside: Value) -> Self {
        self.beside = beside;
        self
    }

    /// No credential, or one that nobody has.
    pub(crate) fn unauthorized(api: Api) -> Self {
        let code = match api {
            Api::Payments | Api::Refunds => "CL1501",
            Api::Checkout => "401",
            Api::Transactions => "payclip.unauthorized",
            Api::Pos | Api::Settlements | Api::PinPad => "",
        };
        Self::new(api, StatusCode::UNAUTHORIZED, code, "Unauthorized")
    }

    /// A credential that is known and may not do this.
    pub(crate) fn forbidden(api: Api) -> Self {
        let code = match api {
            Api::Payments | Api::Refunds => "CL1500",
            Api::Checkout => "403",
            Api::Transactions => "payclip.forbidden",
            Api::Pos | Api::Settlements | Api::PinPad => "",
        };
        Self::new(api, StatusCode::FORBIDDEN, code, "Forbidden")
    }

    /// A request that breaks a rule of the surface; `text` names the member or parameter.
    pub(crate) fn bad(api: Api, text: &str) -> Self {
        let status = StatusCode::BAD_REQUEST;
        match api {
            Api::Payments | Api::Refunds => {
                Self::new(api, status, "CL2290", "Bad Request").because(text)
            }
            Api::Checkout => Self::new(api, status, "002", "Bad Request").because(text),
            Api::Transactions => Self::new(api, status, "payclip.bad.request", "bad request"),
            Api::PinPad => Self::new(api, status, "ERROR_BODY_STRUCTURE", text),
            Api::Pos | Api::Settlements => Self::new(api, status, "", text),
        }
    }

    /// What is named is not there, or is another merchant's.
    pub(crate) fn not_found(api: Api) -> Self {
        let status = StatusCode::NOT_FOUND;
        match api {
            Api::Payments => {
                Self::new(api, status, "BR1301", "Not found").because("payment not found")
            }
            Api::Refunds => {
                Self::new(api, status, "CL1301", "Not Found").because("Payment not found.")
            }
            Api::Checkout => Self::new(api, status, "021", "Not Found"),
            Api::Transactions => {
                Self::new(api, status, "payclip.not.found", "Could not find the receipt no.")
            }
            Api::PinPad => Self::new(api, status, "NOT_FOUND", "Not Found"),
            Api::Pos | Api::Settlements => Self::new(api, status, "", "Not Found"),
        }
    }

    /// A body that is too large.
    pub(crate) fn too_large(api: Api) -> Self {
        let text = "the body is too large";
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..Self::bad(api, text) }
    }

    /// Too busy, or the acquirer does not answer.
    pub(crate) fn unavailable(api: Api) -> Self {
        let code = match api {
            Api::Payments | Api::Refunds => "AI1899",
            Api::Checkout => "503",
            Api::Transactions => "payclip.unavailable",
            Api::PinPad => "SERVICE_UNAVAILABLE",
            Api::Pos | Api::Settlements => "",
        };
        Self::new(api, StatusCode::SERVICE_UNAVAILABLE, code, "Service unavailable, try again")
    }

    fn fault(api: Api) -> Self {
        let code = match api {
            Api::Payments | Api::Refunds => "AI1899",
            Api::Checkout => "500",
            Api::Transactions => "payclip.internal.error",
            Api::PinPad => "INTERNAL_ERROR",
            Api::Pos | Api::Settlements => "",
        };
        Self::new(api, StatusCode::INTERNAL_SERVER_ERROR, code, "Internal error")
    }

    /// What an engine's refusal comes to where the handler has nothing more particular to say.
    pub(crate) fn of(api: Api, error: EngineError) -> Self {
        match error {
            EngineError::StaleCaller => Self { stale: true, ..Self::unavailable(api) },
            EngineError::MerchantState(_) => Self::forbidden(api),
            EngineError::NotFound(_) => Self::not_found(api),
            EngineError::Money(_) => Self::bad(api, "amount is out of range"),
            error if error.is_unavailable() => Self::unavailable(api),
            EngineError::Unanswered => Self::unavailable(api),
            EngineError::Balance
            | EngineError::Exists(_)
            | EngineError::TerminalBusy
            | EngineError::TerminalStandalone
            | EngineError::TerminalOffline
            | EngineError::NothingQueued
            | EngineError::NothingTaken
            | EngineError::Intent(_)
            | EngineError::Payment(_)
            | EngineError::Session(_)
            | EngineError::Vault(_)
            | EngineError::ClockBackwards
            | EngineError::Unsupported(_)
            | EngineError::Fault(_)
            | EngineError::Store(_)
            | EngineError::Tx(_) => {
                tracing::error!(%error, "a request could not be answered");
                Self::fault(api)
            }
        }
    }

    /// A body that is no JSON that we read, or none at all.
    pub(crate) fn of_json(api: Api, error: JsonError) -> Self {
        match error {
            JsonError::TooLarge => Self::too_large(api),
            error => Self::bad(api, &error.to_string()),
        }
    }

    fn body(&self) -> Value {
        let mut body = match self.api {
            Api::Pos | Api::Settlements => json!({ "message": self.message }),
            Api::Payments | Api::Refunds => json!({
                "error_code": self.code,
                "message": self.message,
                "detail": self.detail,
            }),
            Api::Transactions => json!({
                "response_messages": [
                    { "severity": "error", "code": self.code, "text": self.message },
                ],
            }),
            Api::Checkout => json!({
                "message": self.message,
                "code_message": self.code,
                "detail": self.detail,
            }),
            // Whoever has no key is told no code (reference, section 7).
            Api::PinPad if self.code.is_empty() => json!({ "message": self.message }),
            Api::PinPad => json!({ "code": self.code, "message": self.message }),
        };
        if let (Some(members), Value::Object(beside)) = (body.as_object_mut(), &self.beside) {
            members.extend(beside.clone());
        }
        body
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        json_response(self.status, &self.body())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_surface_has_its_own_form() {
        let table = [
            (Api::Pos, json!({"message": "Unauthorized"})),
            (Api::Settlements, json!({"message": "Unauthorized"})),
            (Api::PinPad, json!({"message": "Unauthorized"})),
            (
                Api::Payments,
                json!({"error_code": "CL1501", "message": "Unauthorized", "detail": []}),
            ),
            (
                Api::Refunds,
                json!({"error_code": "CL1501", "message": "Unauthorized", "detail": []}),
            ),
            (
                Api::Checkout,
                json!({"message": "Unauthorized", "code_message": "401", "detail": []}),
            ),
            (
                Api::Transactions,
                json!({"response_messages": [{
                    "severity": "error", "code": "payclip.unauthorized", "text": "Unauthorized",
                }]}),
            ),
        ];
        for (api, expected) in table {
            assert_eq!(Refusal::unauthorized(api).body(), expected, "{api:?}");
        }
        let refused = Refusal::bad(Api::Payments, "amount must be positive");
        let expected = json!({
            "error_code": "CL2290", "message": "Bad Request", "detail": ["amount must be positive"],
        });
        assert_eq!(refused.body(), expected);
        let beside = Refusal::bad(Api::Transactions, "x").beside(json!({"items": []}));
        assert_eq!(beside.body()["items"], json!([]));
    }
}
