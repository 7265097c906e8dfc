//! What follows a payment: reverse, capture, confirm, drop (reference, section 5).

use cobro_domain::Money;
use cobro_domain::payment::{Payment, PaymentState};
use cobro_engine::EngineError;
use cobro_engine::refunds::CreateRefund;
use serde_json::{Value, json};

use crate::calls::Call;
use crate::errors::Refusal;
use crate::luggage::Luggage;
use crate::payment_request::plain_amount;
use crate::texts::Text;
use crate::validate::At;

/// The largest internal reference: libraries hold it in 32 bits (reference, section 2.5).
const NUMBER_MAX: i64 = 0x7fff_ffff;

/// The payment with the internal reference of the request; unknown and foreign ones are told
/// apart nowhere.
async fn find(call: &Call, at: &At<'_>) -> Result<Payment, Refusal> {
    let reference = at.member("internalReference");
    let Some(number) = reference.integer(1, NUMBER_MAX).map_err(|_| Refusal::cannot_refund())?
    else {
        return Err(Refusal::bad(0, Text::ReferenceInvalid));
    };
    Ok(call.site.world.payment_by_number(&call.site.caller, number).await?.0)
}

/// The amount of the request in the payment's currency; `None` for all of it.
fn amount(at: &At<'_>, payment: &Payment) -> Result<Option<Money>, Refusal> {
    match plain_amount(&at.member("amount"))? {
        Some(amount) if amount.currency != payment.amount.currency => Err(Refusal::cannot_refund()),
        amount => Ok(amount),
    }
}

/// A transaction with a status of its own before it.
fn told(call: &Call, payment: &Payment) -> Value {
    let luggage = Luggage::read(&payment.luggage);
    let shown = call.teller().transaction(payment, &luggage);
    let status = shown.get("status").cloned().unwrap_or_default();
    json!({ "status": status, "payment": shown })
}

/// `POST /api/reverse`
pub(crate) async fn reverse(call: &Call) -> Result<Value, Refusal> {
    let at = call.at();
    let payment = find(call, &at).await?;
    let world = &call.site.world;
    let amount = amount(&at, &payment)?;
    if amount.is_some_and(|amount| amount.minor == 0) {
        return Err(Refusal::not_positive("amount.total"));
    }
    if matches!(payment.state, PaymentState::Authorized { .. }) {
        // Held money goes back as a whole: nothing was taken.
        if amount.is_some_and(|amount| amount != payment.amount) {
            return Err(Refusal::cannot_refund());
        }
        return released(call, payment).await;
    }
    if matches!(payment.state, PaymentState::Reversed { .. }) {
        return Err(Refusal::bad("BR", Text::AlreadyRefunded));
    }
    let command = CreateRefund {
        payment: payment.id,
        amount_minor: amount.map(|amount| amount.minor),
        within_balance: false,
        luggage: "{}".to_owned(),
        repeatable: Some(refund_once(call)),
    };
    let view = world.create_refund(&call.site.caller, command).await?;
    if view.refund.state == cobro_domain::refund::RefundState::Declined {
        return Err(Refusal::cannot_refund());
    }
    let luggage = Luggage::read(&view.payment.luggage);
    let shown = call.teller().refund(&view.payment, &view.refund, &luggage);
    let status = shown.get("status").cloned().unwrap_or_default();
    Ok(json!({ "status": status, "payment": shown }))
}

/// The request itself; its answer is kept under another key.
fn refund_once(call: &Call) -> cobro_engine::intents::Repeatable {
    let nonce = call.repeatable();
    let digest = cobro_engine::secrets::digest(&[b"refund", &nonce.digest]);
    cobro_engine::intents::Repeatable { digest, ..nonce }
}

/// Lets held money go; the transaction is shown as it was, now given back.
async fn released(call: &Call, payment: Payment) -> Result<Value, Refusal> {
    let world = &call.site.world;
    let after = world.release_payment(&call.site.caller, payment.id).await?;
    let luggage = Luggage::read(&after.luggage);
    let mut shown = call.teller().transaction(&payment, &luggage);
    let approved = Text::TransactionApproved;
    let status = call.teller().status("APPROVED", "00", approved, after.changed_at);
    if let Some(members) = shown.as_object_mut() {
        members.insert("status".to_owned(), status.clone());
        members.insert("refunded".to_owned(), false.into());
    }
    Ok(json!({ "status": status, "payment": shown }))
}

/// `POST /api/transaction`
pub(crate) async fn act(call: &Call) -> Result<Value, Refusal> {
    let at = call.at();
    let member = at.member("action");
    let action = member.text(30)?.ok_or_else(|| member.required())?;
    if action == "reverse" {
        return reverse(call).await;
    }
    if !["checkout", "reauthorization", "confirm", "cancel"].contains(&action.as_str()) {
        return Err(member.invalid());
    }
    let payment = find(call, &at).await?;
    let waits = Luggage::read(&payment.luggage).requires_confirmation();
    let held = matches!(payment.state, PaymentState::Authorized { .. });
    match action.as_str() {
        "confirm" | "cancel" if !waits || !held => {
            Err(Refusal::action(Text::ActionNotSupported, &action))
        }
        "checkout" | "reauthorization" if waits || !held => {
            Err(Refusal::action(Text::ActionImpossible, &action))
        }
        "confirm" => {
            let world = &call.site.world;
            let taken = world.capture_payment(&call.site.caller, payment.id, None).await?;
            Ok(told(call, &taken))
        }
        "cancel" => {
            let world = &call.site.world;
            let dropped = world.release_payment(&call.site.caller, payment.id).await?;
            Ok(told(call, &dropped))
        }
        "checkout" => checkout(call, &at, payment).await,
        _ => reauthorize(call, &at, payment).await,
    }
}

/// Takes held money: another total than the hold, or none at all, which lets it go.
async fn checkout(call: &Call, at: &At<'_>, payment: Payment) -> Result<Value, Refusal> {
    let world = &call.site.world;
    let caller = &call.site.caller;
    let Some(amount) = amount(at, &payment)? else {
        let taken = world.capture_payment(caller, payment.id, None).await?;
        return Ok(told(call, &taken));
    };
    if amount.minor == 0 {
        return released(call, payment).await;
    }
    if amount.minor > payment.amount.minor {
        let adjusted = world.adjust_payment(caller, payment.id, amount.minor).await;
        adjusted.map_err(|error| impossible(error, "checkout"))?;
    }
    let taken = world.capture_payment(caller, payment.id, Some(amount.minor)).await;
    let taken = taken.map_err(|error| impossible(error, "checkout"))?;
    let mut shown = told(call, &taken);
    let side = json!({
        "currency": taken.amount.currency.code(),
        "total": crate::amounts::units_of(taken.captured_minor, taken.amount.currency),
    });
    if let Some(conversion) = shown.pointer_mut("/payment/amount") {
        *conversion = json!({ "from": side, "to": side, "factor": 1 });
    }
    Ok(shown)
}

/// A hold that is being changed, was just taken or let go, or that the acquirer does not change, is
/// refused in the words of the action.
fn impossible(error: EngineError, action: &str) -> Refusal {
    match error {
        EngineError::Payment(_) => Refusal::action(Text::ActionImpossible, action),
        error => error.into(),
    }
}

/// Holds another amount.
async fn reauthorize(call: &Call, at: &At<'_>, payment: Payment) -> Result<Value, Refusal> {
    let place = at.member("amount");
    let amount = amount(at, &payment)?.ok_or_else(|| place.required())?;
    if amount.minor == 0 {
        return Err(Refusal::not_positive("amount.total"));
    }
    let world = &call.site.world;
    let held = world.adjust_payment(&call.site.caller, payment.id, amount.minor).await;
    let held = held.map_err(|error| impossible(error, "reauthorization"))?;
    Ok(told(call, &held))
}
