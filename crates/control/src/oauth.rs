//! A seller's consent, without the page on which a person gives it.

use axum::routing::post;
use cobro_surface::body::json_response;
use cobro_surface::endpoint::{Endpoint, Routes};
use cobro_surface::json::Json;
use http::StatusCode;
use serde_json::json;

use crate::Shared;
use crate::answers::{CONFLICT, answer, call, write_responses};
use crate::input::{Input, Members, Selected};
use crate::refusal::{Answer, Refusal};

/// The longest address or challenge, in bytes.
const TEXT_MAX: usize = 2_048;

static CONSENT: Endpoint = Endpoint {
    summary: "A seller's consent, as an authorization code that works once, for ten minutes",
    request: Some(r#"{"user_id":100000001,"redirect_uri":"https://tienda.example/vuelta"}"#),
    responses: write_responses![
        answer(201, "The code", r#"{"code":"TG-0123456789abcdef0123456789abcdef-100000001"}"#),
        CONFLICT
    ],
    ..call("POST", "/_cobro/v1/oauth/codes", "giveConsent")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&CONSENT, post(consent))
}

async fn consent(Selected(world): Selected, input: Input) -> Answer {
    let known = ["user_id", "redirect_uri", "code_challenge", "code_challenge_method"];
    let members = input.members(&known)?;
    let user = members.get("user_id").and_then(user_id);
    let user = user.ok_or_else(|| Refusal::bad("user_id must be a whole number, or its text"))?;
    let code = world.consent(&user, &bound(members)?).await?;
    Ok(json_response(StatusCode::CREATED, &json!({ "code": code })))
}

/// What the code is bound to: the address of the request for it (RFC 6749, section 4.1.3), and the
/// challenge that its verifier has to meet (RFC 7636, section 4.3; `plain` unless told).
fn bound(members: Members<'_>) -> Result<String, Refusal> {
    let text = |name: &str| -> Result<Option<&str>, Refusal> {
        let text = members.text(name)?;
        if text.is_some_and(|text| text.is_empty() || text.len() > TEXT_MAX) {
            return Err(Refusal::bad(format!("{name} must be text of 1 to {TEXT_MAX} bytes")));
        }
        Ok(text)
    };
    let mut bound = serde_json::Map::new();
    if let Some(address) = text("redirect_uri")? {
        bound.insert("redirect_uri".to_owned(), json!(address));
    }
    let method = text("code_challenge_method")?.unwrap_or("plain");
    if !["plain", "S256"].contains(&method) {
        return Err(Refusal::bad("code_challenge_method must be S256 or plain"));
    }
    if let Some(challenge) = text("code_challenge")? {
        bound.insert("code_challenge".to_owned(), json!(challenge));
        bound.insert("code_challenge_method".to_owned(), json!(method));
    }
    Ok(json!(bound).to_string())
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
