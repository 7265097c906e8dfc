//! The demo merchant: its credential in every form, its terminal, and the calls that most tests
//! make.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::server::Server;

pub(crate) const KEY: &str = "c11b0000-0000-4000-8000-000000000001";
pub(crate) const SECRET: &str = "5ec2e700-0000-4000-8000-000000000001";
pub(crate) const CASHIER: &str = "caja1@cafecentral.example";
pub(crate) const TERMINAL: &str = "CLIP_PRO__P8220000001";
pub(crate) const SERIAL: &str = "P8220000001";

/// A published card that approves, and one that lacks money.
pub(crate) const GOOD_CARD: &str = "5177136199824515";
pub(crate) const POOR_CARD: &str = "4555126387272952";

/// Key and secret as most clients send them.
pub(crate) fn basic() -> String {
    format!("Basic {}", BASE64.encode(format!("{KEY}:{SECRET}")))
}

/// Calls a path with the merchant's credential.
pub(crate) fn call(server: &Server<'_>, method: &str, path: &str, body: &Value) -> Answer {
    let call = Call::new(method, path).header("x-api-key", &basic());
    server.send(&if body.is_null() { call } else { call.json(body) })
}

/// The same; the status must be `status`.
#[track_caller]
pub(crate) fn asked(
    server: &Server<'_>,
    method: &str,
    path: &str,
    body: &Value,
    status: u16,
) -> Value {
    call(server, method, path, body).expect(status).json()
}

/// Registers a charge.
#[track_caller]
pub(crate) fn register(server: &Server<'_>, reference: &str, amount: &Value) -> Value {
    let body = json!({ "amount": amount, "reference": reference, "message": "Mesa 4" });
    asked(server, "POST", "/paymentrequest", &body, 200)
}

/// All charges, the newest first.
#[track_caller]
pub(crate) fn charges(server: &Server<'_>) -> Vec<Value> {
    let listed = asked(server, "GET", "/paymentrequest", &Value::Null, 200);
    listed["transactions"].as_array().unwrap().clone()
}

/// The charge with this id or code.
#[track_caller]
pub(crate) fn charge(server: &Server<'_>, id: &str) -> Value {
    asked(server, "GET", &format!("/paymentrequest/{id}"), &Value::Null, 200)
}

/// Does something at the demo terminal.
#[track_caller]
pub(crate) fn at_terminal(server: &Server<'_>, what: &str, body: &Value, status: u16) -> Value {
    server.control("POST", &format!("/terminals/{TERMINAL}/{what}"), body, status)
}

/// What the demo terminal shows.
#[track_caller]
pub(crate) fn terminal(server: &Server<'_>) -> Value {
    server.control("GET", &format!("/terminals/{TERMINAL}"), &Value::Null, 200)
}

/// Charges it at the terminal with a card that approves.
#[track_caller]
pub(crate) fn pay(server: &Server<'_>, code: &str) -> Value {
    at_terminal(server, "fetch", &json!({ "intent_id": code }), 200);
    at_terminal(server, "card", &json!({ "card": GOOD_CARD }), 200)
}
