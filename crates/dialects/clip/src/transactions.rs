//! The receipts' view of payments: reference, section 5.

use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::MethodFilter;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use cobro_domain::card::{CardEntry, CardKind};
use cobro_domain::payment::Payment;
use cobro_engine::EngineError;
use cobro_engine::payment_pages::TakenPayments;
use cobro_engine::payment_search::FoundPayment;
use cobro_surface::endpoint::Routes;
use serde_json::{Map, Value, json};

use crate::call::{Api, Call, serve};
use crate::dates::{Edge, moment, seconds};
use crate::errors::Refusal;
use crate::fields::{pesos, pesos_text};
use crate::luggage::Luggage;
use crate::receipts::{number_of, receipt_no};
use crate::routes::Surface;
use crate::shop_endpoints::READ_TRANSACTION;

/// The widest range, in hours.
const HOURS_MAX: i64 = 720;

/// How many transactions a page has unless the request says otherwise, and at most.
const LIMIT: i64 = 20;
const LIMIT_MAX: i64 = 100;

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes.at(&READ_TRANSACTION, serve(MethodFilter::GET, Api::Transactions, read))
}

/// Whether a `GET /payments` is for this surface: the provider's host decides, else its query
/// (reference, section 0).
pub(crate) fn is_asked(parts: &Parts) -> bool {
    let header = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
    let host = header.or_else(|| parts.uri.host()).unwrap_or_default().to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or_default();
    let is_provider =
        |domain: &str| host.strip_suffix(domain).is_some_and(|name| name.ends_with('.'));
    if is_provider("payclip.com") || is_provider("payclip.io") {
        return host.split('.').next().is_some_and(|name| name.ends_with("api-gw"));
    }
    let pairs = parts.uri.query().unwrap_or_default().split('&');
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).any(|(name, value)| match name {
        "limit" | "last4" | "pagination_token" | "paginationToken" => true,
        "status" => ["paid", "cancelled"].iter().any(|word| value.eq_ignore_ascii_case(word)),
        _ => false,
    })
}

/// A page that is asked for, and how the request is shown in the answer.
struct Asked {
    wanted: TakenPayments,
    shown: Map<String, Value>,
}

/// What every answer says of the request: its parameters as text.
fn shown(call: &Call) -> Map<String, Value> {
    let token = call.parameter("pagination_token").or_else(|| call.parameter("paginationToken"));
    let mut shown = Map::new();
    let mut show = |name: &str, value: &str| _ = shown.insert(name.to_owned(), value.into());
    show("pagination_token", token.unwrap_or_default());
    show("limit", call.parameter("limit").unwrap_or("20"));
    show("from", call.parameter("from").unwrap_or_default());
    show("to", call.parameter("to").unwrap_or_default());
    for name in ["status", "last4"] {
        if let Some(value) = call.parameter(name) {
            show(name, value);
        }
    }
    shown
}

fn asked(call: &Call) -> Option<Asked> {
    let from = moment(call.parameter("from")?, Edge::Start)?;
    let to = moment(call.parameter("to")?, Edge::End)?;
    let hours_us = to.micros().checked_sub(from.micros())?;
    if !(0..=HOURS_MAX * 3_600 * 1_000_000).contains(&hours_us) {
        return None;
    }
    let limit = match call.parameter("limit") {
        None => LIMIT,
        Some(text) => text.parse::<i64>().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))?,
    };
    let returned = match call.parameter("status") {
        None => None,
        Some(word) if word.eq_ignore_ascii_case("paid") => Some(false),
        Some(word) if word.eq_ignore_ascii_case("cancelled") => Some(true),
        Some(_) => return None,
    };
    let last_digits = match call.parameter("last4") {
        None => None,
        Some(text) if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(text.to_owned())
        }
        Some(_) => return None,
    };
    let token = call.parameter("pagination_token").or_else(|| call.parameter("paginationToken"));
    let before = match token {
        None => None,
        Some(token) => Some(place(token)?),
    };
    let wanted = TakenPayments { from, to, returned, last_digits, before, limit };
    Some(Asked { wanted, shown: shown(call) })
}

/// The place that a token stands for: base64 of a number, with or without padding.
fn place(token: &str) -> Option<i64> {
    let bytes = STANDARD.decode(token).or_else(|_| STANDARD_NO_PAD.decode(token)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let is_number = text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn token(place: Option<i64>) -> String {
    place.map(|place| STANDARD.encode(place.to_string())).unwrap_or_default()
}

/// `query` and `meta` of an answer: what was asked, and where the next page begins.
fn company(mut shown: Map<String, Value>, next: Option<i64>) -> Map<String, Value> {
    let query = Value::Object(shown.clone());
    shown.insert("pagination_token".to_owned(), token(next).into());
    shown.insert("item_type".to_owned(), "Payment".into());
    let mut body = Map::new();
    body.insert("query".to_owned(), query);
    body.insert("meta".to_owned(), shown.into());
    body.insert("response_messages".to_owned(), json!([]));
    body
}

/// `GET /payments` of this surface.
pub(crate) async fn list(call: Call) -> Result<Response, Refusal> {
    let Some(asked) = asked(&call) else {
        let mut beside = company(shown(&call), None);
        beside.remove("response_messages");
        beside.insert("items".to_owned(), json!([]));
        return Err(Refusal::bad(call.api, "bad request").beside(beside.into()));
    };
    let found = call.world().taken_payments(call.shop.caller.merchant, asked.wanted).await;
    let found = found.map_err(|error| Refusal::of(call.api, error))?;
    let mut body = company(asked.shown, found.next);
    let items = found.payments.iter().map(|one| item(one, |minor| pesos_text(minor).into()));
    body.insert("items".to_owned(), items.collect());
    Ok(call.answer(StatusCode::OK, &Value::Object(body)))
}

/// `GET /payments/receipt-no/{receipt_no}`. Whoever asks for a receipt that nobody has still gets
/// `query` back: a plugin checks its credentials that way.
async fn read(call: Call) -> Result<Response, Refusal> {
    let query = json!({ "receipt_no": call.id });
    let unknown = || {
        let text = "Could not find the receipt no.";
        Refusal::not_found(call.api).beside(json!({
            "query": query,
            "meta": null,
            "item": null,
            "response_messages":
                [{ "severity": "Error", "code": "payclip.not.found", "text": text }],
        }))
    };
    let refused = |error| match error {
        EngineError::NotFound(_) => unknown(),
        error => Refusal::of(call.api, error),
    };
    let number = number_of(&call.id).ok_or_else(unknown)?;
    let (world, caller) = (call.world(), &call.shop.caller);
    let (payment, _) = world.payment_by_number(caller, number).await.map_err(refused)?;
    if payment.captured_minor == 0 {
        return Err(unknown());
    }
    let found = world.payment(caller.merchant, payment.id).await.map_err(refused)?;
    let body = json!({
        "query": query,
        "meta": { "item_type": "payment" },
        "item": item(&found, pesos),
        "response_messages": [],
    });
    Ok(call.answer(StatusCode::OK, &body))
}

/// A payment as a receipt. Amounts are text in the list and numbers alone.
fn item(found: &FoundPayment, amount: impl Fn(i64) -> Value) -> Value {
    let payment = &found.payment;
    let luggage = Luggage::read(&payment.luggage);
    let terminal = found.terminal.as_ref().map(|terminal| Luggage::read(&terminal.settings));
    let cashier = terminal.map(|settings| settings.str("cashier").to_owned()).unwrap_or_default();
    let terms = (payment.installments > 1).then(|| payment.installments.to_string());
    let net_minor = payment.captured_minor.saturating_sub(payment.tip_minor).max(0);
    let is_number = amount(0).is_number();
    // No terminal here knows where it stands.
    let place = if is_number { json!(0) } else { json!("0") };
    json!({
        "receipt_no": receipt_no(payment.number),
        "created_at": seconds(payment.created_at),
        "location": { "longitude": place, "latitude": place },
        "user_email": cashier,
        "status": if payment.is_fully_refunded() { "Cancelled" } else { "Paid" },
        "payment_method": kind_word(payment.card.kind),
        "sub_type": entry_word(payment),
        "card": {
            "brand": brand_word(&payment.card.brand),
            "issuer": payment.card.issuer,
            "last4": payment.card.last_digits,
        },
        "currency": payment.amount.currency.code(),
        "terms": terms,
        "amount": amount(net_minor),
        "tip": amount(payment.tip_minor),
        "total": amount(payment.captured_minor),
        "merchant_invoice": luggage.first(&["external_reference", "reference"]),
    })
}

const fn kind_word(kind: CardKind) -> &'static str {
    match kind {
        CardKind::Credit => "CREDIT",
        CardKind::Debit | CardKind::Voucher => "DEBIT",
        CardKind::Prepaid => "PREPAID",
    }
}

const fn entry_word(payment: &Payment) -> &'static str {
    match payment.entry {
        CardEntry::Insert => "EMV_SIGNATURE",
        CardEntry::Tap => "EMV_CONTACTLESS",
        CardEntry::Swipe => "MAGSTRIPE",
        CardEntry::Typed => "CARD_NOT_PRESENT",
    }
}

fn brand_word(brand: &str) -> String {
    match brand {
        "master" => "MC".to_owned(),
        other => other.to_ascii_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(host: &str, path: &str) -> bool {
        let request = axum::http::Request::get(path).header(HOST, host).body(()).unwrap();
        is_asked(&request.into_parts().0)
    }

    #[test]
    fn the_host_decides_then_the_query() {
        let table = [
            ("api-gw.payclip.com", "/payments", true),
            ("testapi-gw.payclip.com:443", "/payments?size=10", true),
            ("API.payclip.com", "/payments?limit=5", false),
            ("api.payclip.com", "/payments", false),
            ("sandbox.payclip.com", "/payments?last4=1111", false),
            ("127.0.0.1:7070", "/payments?from=a&to=b", false),
            ("127.0.0.1:7070", "/payments?limit=5", true),
            ("127.0.0.1:7070", "/payments?from=a&last4=1111", true),
            ("127.0.0.1:7070", "/payments?pagination_token=Mg==", true),
            ("127.0.0.1:7070", "/payments?paginationToken=Mg==", true),
            ("127.0.0.1:7070", "/payments?status=paid", true),
            ("127.0.0.1:7070", "/payments?status=approved", false),
            ("api-gw.payclip.com.example", "/payments", false),
            ("api-gw.notpayclip.com", "/payments", false),
        ];
        for (host, path, expected) in table {
            assert_eq!(asked_by(host, path), expected, "{host}{path}");
        }
    }

    #[test]
    fn tokens_are_read_back() {
        assert_eq!(place(&token(Some(2))), Some(2));
        assert_eq!(token(Some(2)), "Mg==");
        assert_eq!(place("Mg"), Some(2));
        assert_eq!(token(None), "");
        for wrong in ["", "2", "!!", "LTI=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
