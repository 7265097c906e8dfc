//! Payment links: reference, section 6.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_domain::event::EventKind;
use cobro_domain::money::Currency;
use cobro_domain::session::{Session, SessionEnd, SessionKind, SessionState};
use cobro_domain::{Money, SessionId, Timestamp};
use cobro_engine::ports::{NoticeAsk, NoticeRequest};
use cobro_engine::sessions::{NewSession, SessionView};
use cobro_surface::endpoint::Routes;
use cobro_surface::json::Json;
use serde_json::{Map, Value, json};

use crate::call::{Api, Call, serve};
use crate::dates::{Edge, moment, seconds};
use crate::errors::Refusal;
use crate::fields::{Fields, pesos};
use crate::luggage::{Kind, Luggage, page_secret};
use crate::notices;
use crate::payments_input::described;
use crate::receipts::receipt_no;
use crate::routes::Surface;
use crate::settings::Settings;
use crate::shop_endpoints as described;

/// How long a link is open unless the request says otherwise, in seconds.
const LIFETIME_S: i64 = 72 * 3600;

/// After how many declined cards a link is cancelled (reference, section 6).
const ATTEMPTS_MAX: i64 = 5;

/// How much of `metadata` is kept, in bytes.
const METADATA_MAX: usize = 16 * 1024;

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes
        .at(&described::CREATE_LINK, serve(MethodFilter::POST, Api::Checkout, create))
        .at(&described::READ_LINK, serve(MethodFilter::GET, Api::Checkout, read))
        .at(&described::CREATE_LINK_OLD, serve(MethodFilter::POST, Api::Checkout, create))
        .at(&described::CREATE_LINK_OLD_SLASH, serve(MethodFilter::POST, Api::Checkout, create))
}

/// The word for a link's state.
pub(crate) fn session_word(session: &Session) -> &'static str {
    match session.state {
        SessionState::Pending if session.attempts == 0 => "CHECKOUT_CREATED",
        SessionState::Pending
        | SessionState::Processing { .. }
        | SessionState::ApprovedPartial
        | SessionState::PartialExpired => "CHECKOUT_PENDING",
        SessionState::Approved => "CHECKOUT_COMPLETED",
        SessionState::Rejected { end: SessionEnd::Expired } => "CHECKOUT_EXPIRED",
        SessionState::Rejected { .. } => "CHECKOUT_CANCELLED",
    }
}

/// Where a link's own webhook goes.
pub(crate) fn own_address(luggage: &str) -> Option<String> {
    let luggage = Luggage::read(luggage);
    let url = luggage.str("webhook_url");
    (luggage.is(Kind::Link) && !url.is_empty()).then(|| url.to_owned())
}

/// What has become of a link, as its webhook says it: status, text, and the member that has the
/// time of it.
type News = (&'static str, &'static str, &'static str);

fn news(data: &Value) -> Option<News> {
    let word = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    Some(match (word("state"), word("end")) {
        ("pending", _) if data.get("payment").is_none_or(Value::is_null) => {
            ("CREATED", "Payment Request Created", "")
        }
        ("pending", _) => ("PENDING", "Payment Request Pending", "declined_at"),
        ("approved", _) => ("COMPLETED", "Payment Request Completed", "completed_at"),
        ("rejected", "expired") => ("EXPIRED", "Payment Request Expired", "expired_at"),
        ("rejected", _) => ("CANCELED", "Payment Request Canceled", "canceled_at"),
        _ => return None,
    })
}

/// What a link's webhook is told (reference, section 6); `None` for events that it is not told of.
pub(crate) fn notice(ask: &NoticeAsk<'_>, data: &Value) -> Option<NoticeRequest> {
    let luggage = Luggage::read(data.get("luggage")?.as_str()?);
    if !luggage.is(Kind::Link) {
        return None;
    }
    let (status, text, moment) = news(data)?;
    let id = data.get("session")?.as_str()?;
    let mut body = told(ask, "CHECKOUT", id, status, text, &luggage);
    let payment = data.get("payment").filter(|payment| payment.is_object());
    let at = seconds(ask.event.at);
    let members = body.as_object_mut()?;
    members.insert("expires_at".to_owned(), luggage.str("expires_at").into());
    members.insert("created_at".to_owned(), luggage.str("created_at").into());
    if !moment.is_empty() {
        members.insert(moment.to_owned(), at.clone().into());
    }
    // Copies of the page write this one in both ways.
    if moment == "canceled_at" {
        members.insert("cancelled_at".to_owned(), at.clone().into());
    }
    if let Some(payment) = payment {
        members.insert("transaction_id".to_owned(), payment.get("id").cloned().unwrap_or_default());
        members.insert("payment_type".to_owned(), "CARD".into());
        if status == "COMPLETED" {
            members.insert("payment_date".to_owned(), at.into());
            let number = payment.get("number").and_then(Value::as_i64)?;
            members.insert("receipt_no".to_owned(), receipt_no(number).into());
        }
    }
    Some(notices::notice(ask, &body))
}

/// What a link's webhook is told of a refund.
pub(crate) fn refund_notice(
    ask: &NoticeAsk<'_>,
    data: &Value,
    refund: &Luggage,
) -> Option<NoticeRequest> {
    let accepted = ask.event.kind == EventKind::RefundApproved;
    let (status, text) =
        if accepted { ("APPROVED", "Refund Approved") } else { ("DECLINED", "Refund Declined") };
    let mut body = told(ask, "REFUND", refund.str("link"), status, text, &Luggage::default());
    let payment = data.get("payment")?;
    let members = body.as_object_mut()?;
    members.insert("transaction_id".to_owned(), payment.get("id").cloned().unwrap_or_default());
    let number = payment.get("number").and_then(Value::as_i64)?;
    members.insert("receipt_no".to_owned(), receipt_no(number).into());
    Some(notices::notice(ask, &body))
}

/// The members of every webhook of a link. What is not known is `null`.
fn told(
    ask: &NoticeAsk<'_>,
    resource: &str,
    id: &str,
    status: &str,
    text: &str,
    luggage: &Luggage,
) -> Value {
    json!({
        "id": ask.event.id.to_string(),
        "api_version": "1.0",
        "payment_request_id": id,
        "transaction_id": null,
        "resource": resource,
        "resource_status": status,
        "detail_type": text,
        "attempts": ask.attempt,
        "sent_date": seconds(ask.at),
        "created_at": seconds(ask.event.at),
        "completed_at": null,
        "expires_at": null,
        "cancelled_at": null,
        "canceled_at": null,
        "expired_at": null,
        "declined_at": null,
        "payment_date": null,
        "me_reference_id": luggage.str("external_reference"),
        "receipt_no": null,
        "payment_type": null,
        "barcode": null,
        "customer_email": luggage.object("customer").get("email"),
    })
}

/// A link that is asked for, checked.
struct NewLink {
    amount: Money,
    expires_at: Timestamp,
    kept: Map<String, Value>,
}

impl NewLink {
    fn read(call: &Call, body: &Json) -> Result<Self, Refusal> {
        let settings = Settings::of(call.merchant());
        let mut fields = Fields::of(body);
        let minor = fields.positive_amount("amount");
        if minor.is_some_and(|minor| minor > settings.amount_max_minor) {
            fields.reject("amount", "is above the maximum");
        }
        match fields.required_text("currency", 8) {
            Some(code) if code != Currency::MXN.code() => fields.reject("currency", "must be MXN"),
            _ => {}
        }
        let mut kept = Map::new();
        let mut keep = |name: &str, value: Value| _ = kept.insert(name.to_owned(), value);
        if fields.at("purchase_description").is_none() {
            fields.miss("purchase_description");
        }
        let description = described(&mut fields, "purchase_description").unwrap_or_default();
        keep("description", description.into());
        let [success, error, otherwise] = ["success", "error", "default"]
            .map(|name| fields.url(&format!("redirection_url.{name}")));
        let or = |url: &str| if url.is_empty() { otherwise.clone() } else { url.to_owned() };
        keep("return_url", or(&success).into());
        keep("cancel_url", or(&error).into());
        let webhook = fields.url("webhook_url");
        keep("webhook_url", webhook.into());
        keep("metadata", fields.object("metadata", METADATA_MAX));
        let reference = fields.text("metadata.me_reference_id", 255).unwrap_or_default();
        keep("external_reference", reference.into());
        let mut customer = Map::new();
        for (theirs, ours) in [("name", "first_name"), ("email", "email"), ("phone", "phone")] {
            let text = fields.text(&format!("metadata.customer_info.{theirs}"), 255);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                customer.insert(ours.to_owned(), text.into());
            }
        }
        keep("customer", customer.into());
        let now = call.now();
        let expires_at = match fields.text("expires_at", 40) {
            None => now.plus_seconds(LIFETIME_S),
            Some(text) if text.is_empty() => now.plus_seconds(LIFETIME_S),
            Some(text) => match moment(&text, Edge::End) {
                Some(at) if at > now => at,
                Some(_) => {
                    fields.reject("expires_at", "must be in the future");
                    now
                }
                None => {
                    fields.reject("expires_at", "must be an ISO 8601 date");
                    now
                }
            },
        };
        keep("expires_at", seconds(expires_at).into());
        keep("created_at", seconds(now).into());
        fields.done(call.api)?;
        let amount = Money::new(minor.unwrap_or_default(), Currency::MXN);
        Ok(Self { amount, expires_at, kept })
    }
}

/// `POST /v2/checkout`
async fn create(call: Call) -> Result<Response, Refusal> {
    let body = call.json().map_err(|error| Refusal::of_json(call.api, error))?;
    let new = NewLink::read(&call, &body)?;
    let world = call.world();
    let secret = page_secret(world);
    let session = NewSession {
        kind: SessionKind::Payment,
        amount: Some(new.amount),
        allow_partial: false,
        capture: true,
        offers_storing: false,
        attempts_max: ATTEMPTS_MAX,
        page_hash: world.key().lookup_hash(&secret),
        luggage: Luggage::new(Kind::Link, new.kept).with_page(world, &secret).text(),
        expires_at: new.expires_at,
        repeatable: None,
        duplicate: None,
        recurrence: None,
    };
    let view = world.create_session(&call.shop.caller, session).await;
    let view = view.map_err(|error| Refusal::of(call.api, error))?;
    Ok(call.answer(StatusCode::OK, &shown(&call, &view)))
}

/// `GET /v2/checkout/{payment_request_id}`
async fn read(call: Call) -> Result<Response, Refusal> {
    let id = SessionId::parse(&call.id);
    let id = id.ok_or_else(|| Refusal::bad(call.api, "payment_request_id must be a UUID"))?;
    let view = call.world().session(call.shop.caller.merchant, id).await;
    let view = view.map_err(|error| Refusal::of(call.api, error))?;
    if !Luggage::read(&view.session.luggage).is(Kind::Link) {
        return Err(Refusal::not_found(call.api));
    }
    Ok(call.answer(StatusCode::OK, &shown(&call, &view)))
}

/// A payment link.
fn shown(call: &Call, view: &SessionView) -> Value {
    let session = &view.session;
    let luggage = Luggage::read(&session.luggage);
    let paid = view.payments.iter().find(|payment| payment.captured_minor > 0);
    json!({
        "payment_request_id": session.id.to_string(),
        "payment_request_url": luggage.page(call.world(), &call.public_url, session.number),
        "object_type": "payment_link",
        "status": session_word(session),
        "amount": pesos(session.amount.map_or(0, |amount| amount.minor)),
        "currency": session.amount.map(|amount| amount.currency.code()),
        "purchase_description": luggage.str("description"),
        "receipt_no": paid.map(|payment| receipt_no(payment.number)),
        "created_at": seconds(session.created_at),
        "expires_at": seconds(session.expires_at),
        "metadata": luggage.object("metadata"),
    })
}
