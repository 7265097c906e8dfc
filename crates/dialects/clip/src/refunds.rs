//! Refunds: reference, section 3.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_domain::payment::{Payment, PaymentRefused, PaymentState};
use cobro_domain::refund::Refund;
use cobro_domain::time::Day;
use cobro_domain::{PaymentId, RefundId};
use cobro_engine::EngineError;
use cobro_engine::intents::Repeatable;
use cobro_engine::refunds::CreateRefund;
use cobro_engine::secrets::digest;
use cobro_surface::endpoint::Routes;
use cobro_surface::json::JsonError;
use serde_json::{Value, json};

use crate::call::{Api, Call, serve};
use crate::errors::Refusal;
use crate::fields::{Fields, missing};
use crate::luggage::{Kind, Luggage};
use crate::receipts::number_of;
use crate::routes::Surface;
use crate::settings::Settings;
use crate::shop_endpoints as described;
use crate::{calendar, payments_wire};

/// For how long an idempotency key is remembered, in seconds (reference, section 3.1).
const KEY_S: i64 = 60;

/// How many calendar days old a payment may be (reference, section 3.1).
const DAYS_MAX: i64 = 180;

/// The longest reason, in characters; none is documented.
const REASON_MAX: usize = 500;

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes
        .at(&described::CREATE_REFUND, serve(MethodFilter::POST, Api::Refunds, create))
        .at(&described::CREATE_REFUND_SLASH, serve(MethodFilter::POST, Api::Refunds, create))
        .at(&described::READ_REFUND, serve(MethodFilter::GET, Api::Refunds, read))
}

/// What is to be given back.
struct Wanted {
    /// The payment's id, unless it is named by its receipt.
    payment: Option<PaymentId>,
    /// The integer of its receipt.
    receipt: Option<i64>,
    amount_minor: i64,
    reason: String,
    /// `reference` as it was sent.
    reference: Value,
}

fn wanted(call: &Call) -> Result<Wanted, Refusal> {
    let body = call.json().map_err(|error| match error {
        JsonError::Empty => missing(call.api, vec!["the body is required".to_owned()]),
        error => Refusal::of_json(call.api, error),
    })?;
    let mut fields = Fields::of(&body);
    let kind = fields.required_text("reference.type", 32);
    let id = fields.required_text("reference.id", 64);
    let amount = fields.positive_amount("amount");
    let reason = fields.text("reason", REASON_MAX).unwrap_or_default();
    // Older pages say `payment`, newer ones `transaction` (reference, section 3.1).
    let by_receipt = match kind.as_deref() {
        Some("receipt") => true,
        Some("payment" | "transaction") | None => false,
        Some(_) => {
            fields.reject("reference.type", "must be payment, transaction or receipt");
            false
        }
    };
    fields.done(call.api)?;
    let (kind, id) = (kind.unwrap_or_default(), id.unwrap_or_default());
    Ok(Wanted {
        payment: PaymentId::parse(&id).filter(|_| !by_receipt),
        receipt: number_of(&id).filter(|_| by_receipt),
        amount_minor: amount.unwrap_or_default(),
        reason,
        reference: json!({ "type": kind, "id": id }),
    })
}

/// The payment that is named; unknown and foreign ones are told apart nowhere.
async fn find(call: &Call, wanted: &Wanted) -> Result<Payment, Refusal> {
    let unknown = || refused(call, StatusCode::NOT_FOUND, "AI1300", "Transaction ID not found.");
    let (world, caller) = (call.world(), &call.shop.caller);
    let found = match (wanted.payment, wanted.receipt) {
        (Some(id), _) => world.payment(caller.merchant, id).await.map(|found| found.payment),
        (None, Some(number)) => {
            world.payment_by_number(caller, number).await.map(|(payment, _)| payment)
        }
        (None, None) => return Err(unknown()),
    };
    found.map_err(|error| match error {
        EngineError::NotFound(_) => unknown(),
        error => Refusal::of(call.api, error),
    })
}

/// A refusal of the table of reference, section 3.1: the reason phrase and the text beside it.
fn refused(call: &Call, status: StatusCode, code: &str, text: &str) -> Refusal {
    Refusal::new(call.api, status, code, status.canonical_reason().unwrap_or_default())
        .because(text)
}

fn conflict(call: &Call, code: &str, text: &str) -> Refusal {
    refused(call, StatusCode::CONFLICT, code, text)
}

/// What does not change while a key is remembered, so that a repetition finds the same.
fn check(call: &Call, settings: &Settings, payment: &Payment) -> Result<(), Refusal> {
    if !matches!(payment.state, PaymentState::Approved { .. }) {
        let text = "The payment is not approved.";
        return Err(refused(call, StatusCode::NOT_FOUND, "AI1800", text));
    }
    if !settings.refunds_enabled {
        return Err(conflict(call, "AI1805", "Refunds are disabled."));
    }
    if payment.installments > 1 {
        let text = "Refund is disabled for payments with MSI and MCI.";
        return Err(conflict(call, "AI1806", text));
    }
    let zone = calendar::zone();
    let age = Day::at(call.now(), &zone).0 - Day::at(payment.created_at, &zone).0;
    if age > DAYS_MAX {
        return Err(conflict(call, "AI1803", "The refund date has expired."));
    }
    Ok(())
}

/// Whether the payment is taken back as a whole on its own day: such a refund is a cancellation and
/// has the payment's id (contract).
fn is_cancellation(call: &Call, payment: &Payment, amount_minor: i64) -> bool {
    let zone = calendar::zone();
    let same_day = Day::at(call.now(), &zone) == Day::at(payment.created_at, &zone);
    same_day && amount_minor == payment.captured_minor && payment.refundable_minor() == amount_minor
}

/// That a key repeated within a minute leads to the first refund.
fn repeatable(call: &Call) -> Option<Repeatable> {
    let key = call.header("idempotency-key").filter(|key| !key.is_empty())?;
    let merchant = call.shop.caller.merchant;
    let digest = digest(&[b"clip refund", merchant.0.as_bytes(), key.as_bytes()]);
    Some(Repeatable { digest, lifetime_s: KEY_S })
}

/// `POST /refunds`
async fn create(call: Call) -> Result<Response, Refusal> {
    let wanted = wanted(&call)?;
    let settings = Settings::of(call.merchant());
    let payment = find(&call, &wanted).await?;
    check(&call, &settings, &payment)?;
    let amount_minor = wanted.amount_minor;
    let cancellation = is_cancellation(&call, &payment, amount_minor);
    let carried = Luggage::read(&payment.luggage);
    let link = payment.session.filter(|_| carried.is(Kind::Link)).map(|id| id.to_string());
    let command = CreateRefund {
        payment: payment.id,
        amount_minor: Some(amount_minor),
        within_balance: settings.refund_balance_rule,
        luggage: json!({
            "reason": wanted.reason,
            "reference": wanted.reference,
            "cancellation": cancellation,
            "link": link.unwrap_or_default(),
        })
        .to_string(),
        repeatable: repeatable(&call),
    };
    let created = call.world().create_refund(&call.shop.caller, command).await;
    let view = match created {
        Ok(view) => view,
        Err(error) => return Err(not_created(&call, payment.id, amount_minor, error).await),
    };
    let is_same = view.refund.payment == payment.id && view.refund.amount.minor == amount_minor;
    if !is_same {
        let text = "idempotency-key was used for another refund";
        return Err(Refusal::bad(call.api, text));
    }
    Ok(call.answer(StatusCode::OK, &payments_wire::refund(&view.refund, &view.payment)))
}

/// Why a refund was not made. What is left is looked at once more: while another refund of the
/// payment is being answered, nobody knows what will be left.
async fn not_created(call: &Call, id: PaymentId, amount_minor: i64, error: EngineError) -> Refusal {
    match error {
        EngineError::Balance => conflict(call, "AI1400", "Insufficient funds to make the refund."),
        EngineError::Payment(
            PaymentRefused::ExceedsRemainder { .. } | PaymentRefused::NothingLeft,
        ) => match call.world().payment(call.shop.caller.merchant, id).await {
            Ok(found) if amount_minor > found.payment.captured_minor => {
                let text = "The refund amount is greater than the original.";
                conflict(call, "AI1801", text)
            }
            Ok(found) if found.payment.refund_pending_minor > 0 => {
                let text = "Refund in process for this transaction. Please try again later.";
                conflict(call, "AI1807", text)
            }
            Ok(_) => {
                let text = "The refund amount, plus previous refunds, is greater than the original \
                            amount.";
                conflict(call, "AI1802", text)
            }
            Err(error) => Refusal::of(call.api, error),
        },
        EngineError::Payment(PaymentRefused::NotApproved(_)) => {
            refused(call, StatusCode::NOT_FOUND, "AI1800", "The payment is not approved.")
        }
        error => Refusal::of(call.api, error),
    }
}

/// `GET /refunds/{id}`: a refund, or the cancellation that has its payment's id.
async fn read(call: Call) -> Result<Response, Refusal> {
    let unknown = || Refusal::not_found(call.api);
    let refused = |error| match error {
        EngineError::NotFound(_) => Refusal::not_found(call.api),
        error => Refusal::of(call.api, error),
    };
    let (world, merchant) = (call.world(), call.shop.caller.merchant);
    let id = RefundId::parse(&call.id).ok_or_else(unknown)?;
    let body = match world.refund(merchant, id).await {
        Ok(view) if Luggage::read(&view.refund.luggage).flag("cancellation") => {
            return Err(unknown());
        }
        Ok(view) => payments_wire::refund(&view.refund, &view.payment),
        Err(EngineError::NotFound(_)) => {
            let found = world.payment(merchant, PaymentId(id.0)).await.map_err(refused)?;
            let is_it = |refund: &&Refund| Luggage::read(&refund.luggage).flag("cancellation");
            let refund = found.refunds.iter().rfind(is_it).ok_or_else(unknown)?;
            payments_wire::refund(refund, &found.payment)
        }
        Err(error) => return Err(refused(error)),
    };
    Ok(call.answer(StatusCode::OK, &body))
}
