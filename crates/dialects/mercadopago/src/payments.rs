//! The payments that intents lead to, and their refunds: reference, section 10.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use cobro_domain::intent::Intent;
use cobro_domain::payment::Payment;
use cobro_domain::refund::Refund;
use cobro_domain::terminal::Terminal;
use cobro_engine::EngineError;
use cobro_engine::refunds::CreateRefund;
use cobro_surface::body::json_response;

use crate::auth::Seller;
use crate::describe::Settings;
use crate::devices::open;
use crate::errors::ApiError;
use crate::intents::repeatable;
use crate::map::payment_status;
use crate::routes::Surface;
use crate::validate;
use crate::wire::{self, PaymentParts};

struct Found {
    payment: Payment,
    refunds: Vec<Refund>,
}

/// The payment with the number in the path, if the API knows it.
async fn find(seller: &Seller, number: &str) -> Result<Found, ApiError> {
    let number: i64 = number.parse().map_err(|_| ApiError::payment_not_found())?;
    let (payment, refunds) = seller.world.payment_by_number(&seller.caller, number).await?;
    if payment_status(&payment).is_none() {
        return Err(ApiError::payment_not_found());
    }
    Ok(Found { payment, refunds })
}

/// The terminal that took a payment.
async fn terminal(seller: &Seller, payment: &Payment) -> Result<Option<Terminal>, ApiError> {
    let Some(intent) = payment.intent else { return Ok(None) };
    let view: Intent = seller.world.intent(&seller.caller, intent).await?.intent;
    let Some(id) = view.terminal else { return Ok(None) };
    match seller.world.terminal(&id.0).await {
        Ok(view) => Ok(Some(view.terminal)),
        // A terminal may have been taken away since.
        Err(EngineError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `GET /v1/payments/{id}`
pub(crate) async fn read(
    State(surface): State<Surface>,
    Path(number): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    let Found { payment, refunds } = find(&seller, &number).await?;
    let terminal = terminal(&seller, &payment).await?;
    let refunds: Vec<Refund> = refunds.into_iter().filter(is_shown).collect();
    let parts = PaymentParts {
        merchant: &seller.caller.account,
        payment: &payment,
        refunds: &refunds,
        terminal: terminal.as_ref(),
    };
    let body = wire::payment(&parts).ok_or_else(ApiError::payment_not_found)?;
    Ok(json_response(StatusCode::OK, &body))
}

/// A refund that was refused is not among a payment's refunds.
pub(crate) fn is_shown(refund: &Refund) -> bool {
    use cobro_domain::refund::RefundState;
    matches!(refund.state, RefundState::Approved | RefundState::Sending { .. })
}

/// `POST /v1/payments/{id}/refunds`
pub(crate) async fn create_refund(
    State(surface): State<Surface>,
    Path(number): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut seller, _, headers, body) = open(&surface, request).await?;
    let Found { payment, .. } = find(&seller, &number).await?;
    let amount_minor = validate::refund_amount(&body, payment.amount.currency.exponent())?;
    loop {
        if !Settings::of(&seller.caller.account).refunds_enabled {
            let message = "The action requested is not valid for the current payment state";
            return Err(ApiError::bad_request(message).caused(2063));
        }
        let command = CreateRefund {
            payment: payment.id,
            amount_minor,
            within_balance: false,
            luggage: "{}".to_owned(),
            repeatable: repeatable(&headers, &format!("refund {}", payment.number), &body),
        };
        match seller.world.create_refund(&seller.caller, command).await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => {
                let view = other?;
                let body = wire::refund(&seller.caller.account, &view.payment, &view.refund);
                return Ok(json_response(StatusCode::CREATED, &body));
            }
        }
    }
}

/// `GET /v1/payments/{id}/refunds`
pub(crate) async fn list_refunds(
    State(surface): State<Surface>,
    Path(number): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    let Found { payment, refunds } = find(&seller, &number).await?;
    let merchant = &seller.caller.account;
    let refunds: Vec<_> = refunds
        .iter()
        .filter(|refund| is_shown(refund))
        .map(|refund| wire::refund(merchant, &payment, refund))
        .collect();
    Ok(json_response(StatusCode::OK, &refunds))
}

/// `GET /v1/payments/{id}/refunds/{refund_id}`
pub(crate) async fn read_refund(
    State(surface): State<Surface>,
    Path((number, refund)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    let Found { payment, refunds } = find(&seller, &number).await?;
    let wanted: Option<i64> = refund.parse().ok();
    let found = refunds.iter().find(|refund| Some(refund.number) == wanted);
    let refund = found.ok_or(EngineError::NotFound(cobro_engine::Subject::Refund))?;
    let body = wire::refund(&seller.caller.account, &payment, refund);
    Ok(json_response(StatusCode::OK, &body))
}
