//! Payments: seed 001; reference, section 2.

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_domain::PaymentId;
use cobro_domain::event::EventKind;
use cobro_domain::payment::{PaymentRefused, PaymentState};
use cobro_domain::session::SessionKind;
use cobro_engine::card_charges::ChargeCard;
use cobro_engine::payment_search::FoundPayment;
use cobro_engine::ports::{NoticeAsk, NoticeRequest};
use cobro_engine::sessions::NewSession;
use cobro_engine::{EngineError, Subject};
use cobro_surface::endpoint::Routes;
use cobro_surface::json::JsonError;
use serde_json::{Value, json};

use crate::call::{Api, Call, serve};
use crate::errors::Refusal;
use crate::fields::{Fields, missing};
use crate::luggage::{Kind, Luggage, page_secret};
use crate::payments_input::NewPayment;
use crate::payments_wire::Shown;
use crate::routes::Surface;
use crate::shop_endpoints as described;
use crate::{checkout, notices, payments_list, payments_wire, transactions};

/// For how long the holder of a card may confirm a payment, in seconds: nothing says how long, so
/// as long as a card token lives.
const CHALLENGE_S: i64 = 15 * 60;

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    let api = Api::Payments;
    routes
        .at(&described::CREATE_PAYMENT, serve(MethodFilter::POST, api, create))
        .at(&described::LIST_PAYMENTS, serve(MethodFilter::GET, listing as fn(&Parts) -> Api, list))
        .at(&described::READ_PAYMENT, serve(MethodFilter::GET, api, read))
        .at(&described::CAPTURE_PAYMENT, serve(MethodFilter::POST, api, capture))
        .at(&described::CANCEL_PAYMENT, serve(MethodFilter::POST, api, cancel))
        .at(&described::CREATE_PAYMENT_SINGULAR, serve(MethodFilter::POST, api, create))
        .at(
            &described::LIST_PAYMENTS_SINGULAR,
            serve(MethodFilter::GET, listing as fn(&Parts) -> Api, list),
        )
        .at(&described::READ_PAYMENT_SINGULAR, serve(MethodFilter::GET, api, read))
}

/// Which of two surfaces a `GET /payments` is for (reference, section 0).
fn listing(parts: &Parts) -> Api {
    if transactions::is_asked(parts) { Api::Transactions } else { Api::Payments }
}

/// Where a payment's own webhook goes, for events of payments and refunds. Those of a payment link
/// are told by the link, all but refunds.
pub(crate) fn own_address(kind: EventKind, luggage: &str) -> Option<String> {
    let is_refund = matches!(kind, EventKind::RefundApproved | EventKind::RefundDeclined);
    let luggage = Luggage::read(luggage);
    let is_told = luggage.is(Kind::Payment) || (luggage.is(Kind::Link) && is_refund);
    let url = luggage.str("webhook_url");
    (is_told && !url.is_empty()).then(|| url.to_owned())
}

/// What a payment's own webhook is told (reference, section 2.8); `None` for events that it is not
/// told of.
pub(crate) fn notice(ask: &NoticeAsk<'_>, data: &Value) -> Option<NoticeRequest> {
    if let Some(refund) = data.get("refund") {
        let kept = Luggage::read(refund.get("luggage").and_then(Value::as_str).unwrap_or_default());
        if !kept.str("link").is_empty() {
            return checkout::refund_notice(ask, data, &kept);
        }
    }
    let payment = data.get("payment").unwrap_or(data);
    let is_new = data.get("is_new").and_then(Value::as_bool).unwrap_or(false);
    let body = json!({
        "id": payment.get("id")?.as_str()?,
        "origin": "payments-api",
        "event_type": if is_new { "INSERT" } else { "UPDATE" },
    });
    Some(notices::notice(ask, &body))
}

/// A payment as it is shown, with the page on which its holder confirms it.
pub(crate) async fn shown(call: &Call, found: &FoundPayment) -> Result<Value, Refusal> {
    let page = match (&found.payment.state, found.payment.session) {
        (PaymentState::Challenged, Some(session)) => {
            let view = call.world().session(found.payment.merchant, session).await;
            let view = view.map_err(|error| Refusal::of(call.api, error))?;
            let luggage = Luggage::read(&found.payment.luggage);
            luggage.page(call.world(), &call.public_url, view.session.number)
        }
        _ => None,
    };
    Ok(payments_wire::payment(Shown { found, page: page.as_deref() }))
}

/// `POST /payments`
async fn create(call: Call) -> Result<Response, Refusal> {
    let body = call.json().map_err(|error| match error {
        JsonError::Empty => missing(call.api, vec!["the body is required".to_owned()]),
        error => Refusal::of_json(call.api, error),
    })?;
    let new = NewPayment::read(&call, &body)?;
    let (world, merchant) = (call.world(), call.shop.caller.merchant);
    let card = world.card_by_token(merchant, &new.token).await;
    let card = card.map_err(|error| charge_refused(&call, error))?;
    let mut kept = new.kept;
    let holder = Luggage::read(&card.luggage).str("name").to_owned();
    kept.insert("holder".to_owned(), holder.into());
    kept.insert("token".to_owned(), new.token.into());
    let mut page_hash = String::new();
    if new.needs_holder {
        kept.insert("three_ds".to_owned(), true.into());
    }
    let mut luggage = Luggage::new(Kind::Payment, kept);
    if new.needs_holder {
        let secret = page_secret(world);
        page_hash = world.key().lookup_hash(&secret);
        luggage = luggage.with_page(world, &secret);
    }
    let session = NewSession {
        kind: SessionKind::Direct,
        amount: Some(new.amount),
        allow_partial: false,
        capture: new.capture,
        offers_storing: false,
        attempts_max: 1,
        page_hash,
        luggage: luggage.text(),
        expires_at: call.now().plus_seconds(CHALLENGE_S),
        // There is no idempotency key here; a token is good for one payment.
        repeatable: None,
        duplicate: None,
        recurrence: None,
    };
    let charge = ChargeCard {
        amount_minor: None,
        installments: new.installments,
        tip_minor: new.tip_minor,
        store: None,
        luggage: None,
        challenge_s: new.needs_holder.then_some(CHALLENGE_S),
    };
    let charged = world.charge_stored_card(&call.shop.caller, card.id, None, session, charge);
    let view = charged.await.map_err(|error| charge_refused(&call, error))?;
    let id = view.payments.first().map(|payment| payment.id);
    let id = id.ok_or_else(|| Refusal::not_found(call.api))?;
    if new.needs_holder && new.is_binary {
        // Nobody is asked: what would have to be confirmed is rejected.
        let answered = world.answer_challenge(merchant, id, false).await;
        answered.map_err(|error| Refusal::of(call.api, error))?;
    }
    told(&call, StatusCode::CREATED, id).await
}

/// A token that cannot be charged: unknown, foreign, expired and used ones are told apart nowhere.
fn charge_refused(call: &Call, error: EngineError) -> Refusal {
    match error {
        EngineError::NotFound(Subject::Card) | EngineError::Vault(_) => {
            let text = "payment_method.token is unknown, has expired or was used";
            Refusal::bad(call.api, text)
        }
        error => Refusal::of(call.api, error),
    }
}

async fn list(call: Call) -> Result<Response, Refusal> {
    match call.api {
        Api::Transactions => transactions::list(call).await,
        _ => payments_list::list(call).await,
    }
}

/// The payment in the path.
fn id_of(call: &Call) -> Result<PaymentId, Refusal> {
    PaymentId::parse(&call.id).ok_or_else(|| Refusal::not_found(call.api))
}

/// The answer with a payment as it is now.
async fn told(call: &Call, status: StatusCode, id: PaymentId) -> Result<Response, Refusal> {
    let found = call.world().payment(call.shop.caller.merchant, id).await;
    let found = found.map_err(|error| Refusal::of(call.api, error))?;
    Ok(call.answer(status, &shown(call, &found).await?))
}

/// `GET /payments/{id}`
async fn read(call: Call) -> Result<Response, Refusal> {
    let id = id_of(&call)?;
    told(&call, StatusCode::OK, id).await
}

/// What an action comes to that a payment's state does not allow.
fn action_refused(call: &Call, error: EngineError) -> Refusal {
    match error {
        EngineError::Payment(PaymentRefused::ExceedsRemainder { .. }) => {
            Refusal::bad(call.api, "amount is more than what was authorized")
        }
        EngineError::Payment(error) => {
            Refusal::new(call.api, StatusCode::CONFLICT, "CL2290", "Conflict")
                .because(error.to_string())
        }
        error => Refusal::of(call.api, error),
    }
}

/// `POST /payments/{id}/capture`; no page describes it (reference, section 2.5).
async fn capture(call: Call) -> Result<Response, Refusal> {
    let id = id_of(&call)?;
    let mut amount = None;
    if !call.body.is_empty() {
        let body = call.json().map_err(|error| Refusal::of_json(call.api, error))?;
        let mut fields = Fields::of(&body);
        if fields.at("amount").is_some() {
            amount = fields.positive_amount("amount");
        }
        fields.done(call.api)?;
    }
    let taken = call.world().capture_payment(&call.shop.caller, id, amount).await;
    taken.map_err(|error| action_refused(&call, error))?;
    told(&call, StatusCode::OK, id).await
}

/// `POST /payments/{id}/cancel`; no page describes it (reference, section 2.5).
async fn cancel(call: Call) -> Result<Response, Refusal> {
    let id = id_of(&call)?;
    let (world, caller) = (call.world(), &call.shop.caller);
    let found = world.payment(caller.merchant, id).await;
    let found = found.map_err(|error| Refusal::of(call.api, error))?;
    let cancelled = if found.payment.state == PaymentState::Challenged {
        world.cancel_challenge(caller, id).await
    } else {
        world.release_payment(caller, id).await
    };
    cancelled.map_err(|error| action_refused(&call, error))?;
    told(&call, StatusCode::OK, id).await
}
