//! Payment intents: seed 003, sections 4.2 to 7; reference, sections 4.1 to 4.3.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cobro_domain::payment::DeclineReason;
use cobro_domain::scenario::Scenario;
use cobro_domain::{IntentId, Money};
use cobro_engine::EngineError;
use cobro_engine::intents::{CreateIntent, Repeatable};
use cobro_engine::secrets::digest;
use cobro_surface::body::json_response;
use serde_json::{Value, json};

use crate::describe::Settings;
use crate::devices::{device_id, open};
use crate::errors::ApiError;
use crate::routes::Surface;
use crate::sites::{Site, installments_on};
use crate::{validate, wire};

/// For how long a repeated key leads to the first answer, in seconds; not published.
const KEY_LIFETIME_S: i64 = 24 * 3600;

/// The key of a request that may be repeated. Another body under the same key is a new request
/// (reference, section 1.1), so the body is part of what the key stands for.
pub(crate) fn repeatable(headers: &HeaderMap, scope: &str, body: &[u8]) -> Option<Repeatable> {
    let key = headers.get("x-idempotency-key").filter(|key| !key.is_empty())?;
    let digest = digest(&[key.as_bytes(), scope.as_bytes(), body]);
    Some(Repeatable { digest, lifetime_s: KEY_LIFETIME_S })
}

/// What a magic amount makes the simulated acquirer do; both units count (reference, 9.3).
pub(crate) const fn magic(amount: i64) -> Option<Scenario> {
    match amount {
        1_100 | 110_000 => Some(Scenario::Reverse),
        1_200 | 120_000 => Some(Scenario::Decline(DeclineReason::Generic)),
        1_300 | 130_000 => Some(Scenario::Fail),
        _ => None,
    }
}

/// `POST /point/integration-api/devices/{device_id}/payment-intents`
pub(crate) async fn create(
    State(surface): State<Surface>,
    Path(device): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut seller, _, headers, body) = open(&surface, request).await?;
    let terminal = device_id(&device)?;
    let json = validate::body(&body)?;
    loop {
        let account = &seller.caller.account;
        let (site, settings) = (Site::of(&account.country), Settings::of(account));
        let new = validate::new_intent(site, settings.amount_min_minor, &json)?;
        let command = CreateIntent {
            terminal: terminal.clone(),
            amount: Money::new(new.amount, site.currency()),
            card_kind: new.card_kind,
            installments: installments_on(&terminal.0, new.amount, new.installments),
            retry_declined: false,
            scenario: if seller.world.is_sandbox() { magic(new.amount) } else { None },
            luggage: Value::Object(new.luggage).to_string(),
            abandon_after_s: settings.intent_seconds_max,
            repeatable: repeatable(&headers, &terminal.0, &body),
        };
        match seller.world.create_intent(&seller.caller, command).await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => {
                let body = wire::created_intent(site, &other?);
                return Ok(json_response(StatusCode::CREATED, &body));
            }
        }
    }
}

/// `DELETE /point/integration-api/devices/{device_id}/payment-intents/{id}`
pub(crate) async fn cancel(
    State(surface): State<Surface>,
    Path((device, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut seller, _, _, _) = open(&surface, request).await?;
    let terminal = device_id(&device)?;
    // An id of another form names no intent; whose the device is, is told first.
    let id = IntentId::parse(&id).unwrap_or(IntentId(uuid::Uuid::nil()));
    loop {
        let world = seller.world.clone();
        match world.cancel_intent(&seller.caller, terminal.clone(), id).await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => {
                let body = json!({ "id": other?.id.to_string() });
                return Ok(json_response(StatusCode::OK, &body));
            }
        }
    }
}

/// `GET /point/integration-api/payment-intents/{id}`
pub(crate) async fn read(
    State(surface): State<Surface>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    let id = IntentId::parse(&id).ok_or_else(ApiError::intent_not_found)?;
    let view = seller.world.intent(&seller.caller, id).await?;
    let account = &seller.caller.account;
    let as_number = Settings::of(account).payment_id_as_number;
    let body = wire::intent(Site::of(&account.country), &view, as_number);
    Ok(json_response(StatusCode::OK, &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_amounts_count_in_both_units() {
        let table = [
            (1_100, Some(Scenario::Reverse)),
            (110_000, Some(Scenario::Reverse)),
            (1_200, Some(Scenario::Decline(DeclineReason::Generic))),
            (130_000, Some(Scenario::Fail)),
            (1_500, None),
        ];
        for (amount, expected) in table {
            assert_eq!(magic(amount), expected);
        }
    }

    #[test]
    fn a_key_stands_for_its_path_and_body() {
        let mut headers = HeaderMap::new();
        assert_eq!(repeatable(&headers, "a", b"x"), None);
        headers.insert("x-idempotency-key", "k".parse().unwrap());
        let one = repeatable(&headers, "a", b"x");
        assert_eq!(repeatable(&headers, "a", b"x"), one);
        assert_ne!(repeatable(&headers, "a", b"y"), one);
        assert_ne!(repeatable(&headers, "b", b"x"), one);
    }
}
