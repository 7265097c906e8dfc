//! Refunds on the terminal that took the payment: reference, section 5.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use cobro_domain::{IntentId, TerminalId};
use cobro_engine::refund_intents::CreateRefundIntent;
use cobro_engine::{EngineError, Subject};
use cobro_surface::body::json_response;
use serde_json::{Value, json};

use crate::auth::Seller;
use crate::describe::Settings;
use crate::devices::{device_id, open};
use crate::errors::ApiError;
use crate::intents::repeatable;
use crate::routes::Surface;
use crate::sites::Site;
use crate::{validate, wire};

/// What goes wrong here, in the words of these calls.
fn refused(error: EngineError) -> ApiError {
    match error {
        EngineError::NotFound(Subject::Payment) => ApiError::refunded_payment_not_found(),
        EngineError::NotFound(Subject::Intent) => ApiError::refund_intent_not_found(),
        EngineError::Intent(refused) if refused.phase.is_final() => {
            ApiError::refund_intent_not_found()
        }
        error => error.into(),
    }
}

/// Whether a terminal gives money back: in Brazil one model alone does.
fn gives_back(site: Site, terminal: &TerminalId) -> bool {
    site.refund_model().is_none_or(|model| {
        terminal.0.split_once("__").is_some_and(|(of_terminal, _)| of_terminal == model)
    })
}

/// Whether a terminal is the seller's.
async fn own(seller: &Seller, terminal: &TerminalId) -> Result<(), ApiError> {
    let view = seller.world.terminal(&terminal.0).await?;
    let is_own = view.merchant.id == seller.caller.merchant;
    if is_own { Ok(()) } else { Err(ApiError::device_owner()) }
}

/// `POST /point/integration-api/devices/{device_id}/refund`
pub(crate) async fn create(
    State(surface): State<Surface>,
    Path(device): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut seller, _, headers, body) = open(&surface, request).await?;
    let terminal = device_id(&device)?;
    let new = validate::new_refund_intent(&body)?;
    // Whose the device is, is told first.
    own(&seller, &terminal).await?;
    if !gives_back(Site::of(&seller.caller.account.country), &terminal) {
        return Err(ApiError::bad_request("The device does not support refunds"));
    }
    let found = seller.world.payment_by_number(&seller.caller, new.payment).await;
    let (payment, _) = found.map_err(refused)?;
    loop {
        let settings = Settings::of(&seller.caller.account);
        if !settings.refunds_enabled {
            let message = "The action requested is not valid for the current payment state";
            return Err(ApiError::bad_request(message).caused(2063));
        }
        let command = CreateRefundIntent {
            terminal: terminal.clone(),
            payment: payment.id,
            luggage: Value::Object(new.luggage.clone()).to_string(),
            abandon_after_s: settings.intent_seconds_max,
            repeatable: repeatable(&headers, &format!("refund intent {}", terminal.0), &body),
        };
        match seller.world.create_refund_intent(&seller.caller, command).await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => {
                let body = wire::created_refund_intent(&other.map_err(refused)?);
                return Ok(json_response(StatusCode::CREATED, &body));
            }
        }
    }
}

/// `DELETE /point/integration-api/devices/{device_id}/refund/{id}`
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
        match world.cancel_refund_intent(&seller.caller, terminal.clone(), id).await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => {
                let body = json!({ "id": other.map_err(refused)?.id.to_string() });
                return Ok(json_response(StatusCode::OK, &body));
            }
        }
    }
}

/// `GET /point/integration-api/refund/{id}`
pub(crate) async fn read(
    State(surface): State<Surface>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    let id = IntentId::parse(&id).ok_or_else(ApiError::refund_intent_not_found)?;
    let view = seller.world.refund_intent(&seller.caller, id).await.map_err(refused)?;
    Ok(json_response(StatusCode::OK, &wire::refund_intent(&view)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_brazil_one_model_gives_money_back() {
        let terminal = |id: &str| TerminalId(id.to_owned());
        let table = [
            (Site::Mla, "PAX_A910__SBX1", true),
            (Site::Mlm, "NEWLAND_N950__SBX1", true),
            (Site::Mlb, "GERTEC_MP35P__SBX1", true),
            (Site::Mlb, "PAX_A910__SBX1", false),
        ];
        for (site, id, expected) in table {
            assert_eq!(gives_back(site, &terminal(id)), expected, "{id}");
        }
    }
}
