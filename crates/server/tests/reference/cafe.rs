//! What must have happened at the demo café before a call of Clip can succeed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clip_shop::{APPROVES, CAFE, payment};
use crate::server::Server;
use crate::till;

/// Does what goes before the call, and answers the values of the variables that it names.
pub(crate) fn prepare(
    server: &Server<'_>,
    call: &str,
    variables: &[String],
) -> BTreeMap<String, String> {
    if call == "listCharges" {
        // One of each kind: what is null in the first has a value in the second.
        till::register(server, "mesa-1", &json!(99.5));
        till::pay(server, &registered(server, "mesa-2"));
    }
    variables.iter().map(|name| (name.clone(), value(server, call, name))).collect()
}

/// A value of a variable, from a call of its own.
fn value(server: &Server<'_>, call: &str, name: &str) -> String {
    match (call, name) {
        ("readCharge" | "cancelCharge", "ID") => registered(server, "mesa-7"),
        ("cancelPinPadPayment", "ID") | (_, "PINPAD_REQUEST_ID") => sent(server),
        (_, "SERIAL") => {
            sent(server);
            till::SERIAL.to_owned()
        }
        (_, "TOKEN") => CAFE.token(server, APPROVES),
        ("capturePayment" | "cancelPayment", "PAYMENT_ID") => {
            let token = CAFE.token(server, APPROVES);
            let mut body = payment(&token, "150.25");
            body["capture_method"] = json!("manual");
            text(&CAFE.post(server, "/payments", &body, 201)["id"])
        }
        // Of a payment: to be read, and to be given back.
        (_, "PAYMENT_ID" | "ID") => text(&paid(server)["id"]),
        (_, "RECEIPT_NO") => text(&paid(server)["receipt_no"]),
        (_, "REFUND_ID") => {
            let reference = json!({ "type": "payment", "id": paid(server)["id"] });
            let body = json!({ "reference": reference, "amount": 20.5, "reason": "Taza rota" });
            text(&CAFE.post(server, "/refunds", &body, 200)["id"])
        }
        (_, "PAYMENT_REQUEST_ID") => {
            let body = json!({
                "amount": 300.5, "currency": "MXN", "purchase_description": "Orden 1042",
                "redirection_url": {
                    "success": "https://shop.example/1", "error": "https://shop.example/2",
                    "default": "https://shop.example/3",
                },
            });
            text(&CAFE.post(server, "/v2/checkout", &body, 200)["payment_request_id"])
        }
        (_, "FROM") => {
            let first = today(server);
            paid(server);
            if call == "listSettlements" {
                close_a_day(server);
            }
            first
        }
        (_, "TO") => today(server),
        (_, "SETTLEMENT_ID") => settlement(server),
        _ => panic!("nothing here makes a {name} for {call}"),
    }
}

/// A deposit of one payment.
pub(crate) fn settlement(server: &Server<'_>) -> String {
    let first = today(server);
    paid(server);
    close_a_day(server);
    let target = format!("/settlements?from={first}&to={}", today(server));
    let deposits = CAFE.get(server, &target, 200);
    text(&deposits["settlements"][0]["settlement_report_id"])
}

fn registered(server: &Server<'_>, reference: &str) -> String {
    text(&till::register(server, reference, &json!(180.5))["payment_request_id"])
}

/// A payment that waits for the terminal.
fn sent(server: &Server<'_>) -> String {
    let body =
        json!({ "amount": "180.50", "reference": "mesa-7", "serial_number_pos": till::SERIAL });
    text(&CAFE.post(server, "/f2f/pinpad/v1/payment", &body, 200)["pinpad_request_id"])
}

fn paid(server: &Server<'_>) -> Value {
    let paid = CAFE.pay(server, APPROVES, "150.25");
    assert_eq!(paid["status"], "approved", "{paid}");
    paid
}

/// Moves on until whatever was paid is deposited, holidays and all.
fn close_a_day(server: &Server<'_>) {
    server.control("POST", "/clock/advance", &json!({ "seconds": 8 * 86_400 }), 200);
}

fn today(server: &Server<'_>) -> String {
    text(&server.control("GET", "/clock", &Value::Null, 200)["now"])[..10].to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
