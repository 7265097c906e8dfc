//! A seller's consent, without the page on which a person gives it.

use axum::routing::post;
use cobro_surface::body::json_response;
use cobro_surface::endpoint::{Endpoint, Routes, Security};
use cobro_surface::json::Json;
use http::StatusCode;
use serde_json::json;

use crate::Shared;
use crate::answers::{
    BAD, CONFLICT, FAULT, ONE, REFUSED, TAG, TOO_LARGE, UNAVAILABLE, UNKNOWN, answer,
};
use crate::input::{Input, Selected};
use crate::refusal::{Answer, Refusal};

static CONSENT: Endpoint = Endpoint {
    method: "POST",
    path: "/_cobro/v1/oauth/codes",
    id: "giveConsent",
    summary: "A seller's consent, as an authorization code that works once, for ten minutes",
    tag: TAG,
    security: Security::None,
    parameters: ONE,
    request: Some(r#"{"user_id":100000001}"#),
    responses: &[
        answer(201, "The code", r#"{"code":"TG-0123456789abcdef0123456789abcdef-100000001"}"#),
        BAD,
        REFUSED,
        UNKNOWN,
        CONFLICT,
        TOO_LARGE,
        FAULT,
        UNAVAILABLE,
    ],
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&CONSENT, post(consent))
}

async fn consent(Selected(world): Selected, input: Input) -> Answer {
    let user = input.members(&["user_id"])?.get("user_id").and_then(user_id);
    let user = user.ok_or_else(|| Refusal::bad("user_id must be a whole number, or its text"))?;
    let code = world.consent(&user).await?;
    Ok(json_response(StatusCode::CREATED, &json!({ "code": code })))
}

/// An id, as a number or as its text.
fn user_id(json: &Json) -> Option<String> {
    match json.as_str() {
        Some(text) => Some(text.to_owned()).filter(|text| !text.is_empty()),
        None => json.as_number()?.integer().map(|number| number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::user_id;
    use cobro_surface::json::Json;

    #[test]
    fn ids_are_numbers_or_their_text() {
        let table = [
            ("100000001", Some("100000001")),
            ("1.0", Some("1")),
            ("\"100000001\"", Some("100000001")),
            ("\"\"", None),
            ("1.5", None),
            ("true", None),
            ("{}", None),
        ];
        for (text, expected) in table {
            let json = Json::parse(text.as_bytes(), &Default::default()).unwrap();
            assert_eq!(user_id(&json).as_deref(), expected, "{text}");
        }
    }
}
