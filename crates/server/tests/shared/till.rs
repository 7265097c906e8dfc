//! The demo merchant's terminal, and what a point of sale and the person at it do.

use serde_json::{Value, json};

use super::clip_shop::{APPROVES, CAFE};
use super::http::{Answer, Call};
use super::server::Server;

pub(crate) const CASHIER: &str = "caja1@cafecentral.example";
pub(crate) const TERMINAL: &str = "CLIP_PRO__P8220000001";
pub(crate) const SERIAL: &str = "P8220000001";

/// Calls a path with the merchant's credential.
pub(crate) fn call(server: &Server<'_>, method: &str, path: &str, body: &Value) -> Answer {
    let call = Call::new(method, path).header("x-api-key", &CAFE.basic());
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
    at_terminal(server, "card", &json!({ "card": APPROVES }), 200)
}
