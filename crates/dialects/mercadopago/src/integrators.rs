//! The integrator's webhook and its challenge: seed 003, section 3; reference, section 6.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cobro_domain::Timestamp;
use cobro_domain::merchant::Merchant;
use cobro_engine::EngineError;
use cobro_engine::secrets::same_secret;
use cobro_surface::body::json_response;
use cobro_surface::json::{Json, Limits};
use serde_json::{Value, json};

use crate::devices::open;
use crate::errors::ApiError;
use crate::notices::{CHALLENGE_SLOT, SIGNED_SLOT, hmac_hex};
use crate::routes::Surface;
use crate::validate;
use crate::wire::event_time;

/// `GET /point/integration-api/integrators`
pub(crate) async fn read(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    let found = seller.world.endpoint(seller.caller.merchant, CHALLENGE_SLOT).await;
    let (endpoint, token) = found?;
    let body = json!({
        "is_valid_webhook": endpoint.verified,
        "token": token,
        "webhook": endpoint.url,
    });
    Ok(json_response(StatusCode::OK, &body))
}

/// `PATCH /point/integration-api/integrators`
pub(crate) async fn set_webhook(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut seller, _, _, body) = open(&surface, request).await?;
    let url = validate::webhook(&body)?;
    if !url.is_empty() && !surface.outbound.allows(&url) {
        return Err(ApiError::bad_request("webhook: Does not match format 'uri'"));
    }
    loop {
        let world = seller.world.clone();
        let set = world.set_endpoint_url(&seller.caller, CHALLENGE_SLOT, url.clone());
        match set.await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => {
                other?;
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
        }
    }
}

/// `POST /point/integration-api/integrators/check`
pub(crate) async fn check(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut seller, _, _, _) = open(&surface, request).await?;
    let (endpoint, token) = seller.world.endpoint(seller.caller.merchant, CHALLENGE_SLOT).await?;
    let failed = || ApiError::bad_request("The webhook could not be validated");
    if endpoint.url.is_empty() {
        return Err(ApiError::bad_request("There is no webhook to validate"));
    }
    let mut code = [0; 16];
    seller.world.entropy().fill(&mut code);
    let code = hex::encode(code);
    let separator = if endpoint.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}challengeCode={code}", endpoint.url);
    let answer = surface.outbound.fetch(url).await;
    let proven = answer.is_some_and(|answer| {
        answer.status == 200 && is_proof(&answer.body, &hmac_hex(&token, &code))
    });
    loop {
        let (world, url) = (seller.world.clone(), endpoint.url.clone());
        let set = world.set_endpoint_verified(&seller.caller, CHALLENGE_SLOT, url, proven);
        match set.await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => break other?,
        }
    }
    if proven { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(failed()) }
}

/// What a seller's settings keep of the newer call.
const CHANNELS: &str = "event_channel_devices";
const CHANGED: &str = "integrator_changed_us";

fn setting(merchant: &Merchant, name: &str) -> Option<Value> {
    let settings: Value = serde_json::from_str(&merchant.settings).ok()?;
    settings.get(name).cloned()
}

/// `GET /point/integration-api/integrator`
pub(crate) async fn read_one(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    let merchant = &seller.caller.account;
    let (signed, _) = seller.world.endpoint(merchant.id, SIGNED_SLOT).await?;
    let changed = setting(merchant, CHANGED).and_then(|changed| changed.as_i64());
    let changed = changed.map_or(merchant.created_at, Timestamp::from_micros);
    let body = json!({
        "created_at": event_time(merchant.created_at),
        "event_channel_devices": setting(merchant, CHANNELS).unwrap_or_else(|| json!([])),
        "id": integrator_id(merchant),
        "notification_url_enabled": !signed.url.is_empty(),
        "updated_at": event_time(changed),
    });
    Ok(json_response(StatusCode::OK, &body))
}

/// A number that stays, below 2^31.
fn integrator_id(merchant: &Merchant) -> i64 {
    let (_, low) = merchant.id.0.as_u64_pair();
    i64::try_from(low & 0x7fff_ffff).unwrap_or(0)
}

/// `PATCH /point/integration-api/integrator`
pub(crate) async fn change_one(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut seller, _, _, body) = open(&surface, request).await?;
    let channels = validate::event_channels(&body)?;
    loop {
        let world = seller.world.clone();
        let change = vec![
            (CHANNELS.to_owned(), json!(channels)),
            (CHANGED.to_owned(), json!(world.now().micros())),
        ];
        match world.change_own_settings(&seller.caller, change).await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => {
                other?;
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
        }
    }
}

/// Whether a receiver's answer holds the encrypted challenge.
fn is_proof(body: &[u8], expected: &str) -> bool {
    let Ok(json) = Json::parse(body, &Limits::default()) else { return false };
    let Some(given) = json.get("encrypted_challenge").and_then(Json::as_str) else { return false };
    same_secret(given.to_ascii_lowercase().as_bytes(), expected.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::is_proof;

    #[test]
    fn proofs() {
        let table = [
            (r#"{"encrypted_challenge":"abcd"}"#, true),
            (r#"{"encrypted_challenge":"ABCD"}"#, true),
            (r#"{"encrypted_challenge":"abce"}"#, false),
            (r#"{"encrypted_challenge":7}"#, false),
            ("{}", false),
            ("abcd", false),
        ];
        for (body, expected) in table {
            assert_eq!(is_proof(body.as_bytes(), "abcd"), expected, "{body}");
        }
    }
}
