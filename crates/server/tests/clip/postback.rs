//! The postback of the account: one message for each outcome, unsigned, sent once.

use serde_json::{Value, json};

use crate::place::Place;
use crate::receiver::{Notice, Receiver};
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{APPROVES, KEY, NO_FUNDS};
use crate::till::{at_terminal, register};

/// The body that the reference recommends.
fn sample() -> Value {
    json!({
        "id": "4a0f2d31-0f3a-4b4d-8bde-6a9d1e1f7c55",
        "payment_request_code": "pTf84Kd",
        "payment_request_id": "0d7f1f0e-6a43-4f6e-9d2b-1c5f4a7a2b10",
        "transaction_id": "5d1b9a54-2f2e-4a6e-8d39-7a3f6d3c9e21",
        "receipt_no": "T96suhh",
        "merchant_invoice_id": "order-1042",
        "amount": 245.5,
        "currency": "MXN",
        "status_description": "COMPLETED",
        "created_at": "2025-10-31T00:00:00Z",
    })
}

fn words(notices: &[Notice]) -> Vec<String> {
    let word = |one: &Notice| one.body["status_description"].as_str().unwrap().to_owned();
    notices.iter().map(word).collect()
}

fn outcomes_are_told_once_and_steps_are_not(place: &Place) {
    let server = Server::start(place);
    let receiver = Receiver::start("");
    let webhook = json!({ "webhook": { "url": receiver.url("/postback") } });
    let shown = server.control("PATCH", &format!("/merchants/{KEY}"), &webhook, 200);
    assert_eq!(shown["webhook"]["url"], receiver.url("/postback"));

    let made = register(&server, "order-1042", &json!(245.5));
    at_terminal(&server, "fetch", &json!({}), 200);
    at_terminal(&server, "card", &json!({ "card": NO_FUNDS }), 200);
    let outcome = at_terminal(&server, "card", &json!({ "card": APPROVES }), 200);
    receiver.wait_for(2);
    register(&server, "order-1043", &json!(1));
    at_terminal(&server, "fetch", &json!({}), 200);
    at_terminal(&server, "cancel", &json!({}), 200);
    receiver.wait_for(3);
    register(&server, "order-1044", &json!(1));
    server.control("POST", "/clock/advance", &json!({ "seconds": 86_400 }), 200);
    receiver.wait_for(4);
    let notices = receiver.notices();
    assert_eq!(words(&notices), ["DECLINED", "COMPLETED", "CANCELLED", "CANCELLED"]);

    let paid = &notices[1].body;
    assert_shape("postback", &sample(), paid);
    assert_eq!(paid["payment_request_code"], made["payment_request_code"]);
    assert_eq!(paid["payment_request_id"], made["payment_request_id"]);
    assert_eq!(paid["transaction_id"], outcome["payment"]["id"]);
    assert_eq!(paid["merchant_invoice_id"], "order-1042");
    assert_eq!(paid["amount"], 245.5);
    assert_eq!(notices[2].body["transaction_id"], Value::Null);
    assert!(notices.iter().all(|one| one.target == "/postback"));

    // Nothing was tried that had nothing to tell, and nothing is sent twice.
    let deliveries = server.list("deliveries", "/deliveries");
    assert_eq!(deliveries.len(), 4);
    assert!(deliveries.iter().all(|one| one["state"] == "delivered"), "{deliveries:?}");
}

fn a_receiver_that_fails_is_not_asked_again(place: &Place) {
    let server = Server::start(place);
    let webhook = json!({ "webhook": { "url": "http://127.0.0.1:9/postback" } });
    server.control("PATCH", &format!("/merchants/{KEY}"), &webhook, 200);
    register(&server, "a", &json!(1));
    at_terminal(&server, "fetch", &json!({}), 200);
    at_terminal(&server, "card", &json!({}), 200);
    server.control("POST", "/clock/advance", &json!({ "seconds": 1_000_000 }), 200);
    let deliveries = server.list("deliveries", "/deliveries");
    let told: Vec<_> = deliveries.iter().map(|one| (&one["attempt"], &one["state"])).collect();
    assert_eq!(told, [(&json!(1), &json!("exhausted"))]);
}

crate::on_both!(outcomes_are_told_once_and_steps_are_not, a_receiver_that_fails_is_not_asked_again);
