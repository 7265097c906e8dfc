//! The document says what these calls do: every status that it has is met here, and each answer
//! has the form of its example.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;
use crate::shared::documents::{Walked, operations};

const API: &str = "/point/integration-api";

/// The paths of which this test is.
const OURS: [&str; 11] = [
    "/oauth/token",
    "/users/me",
    "/users/test",
    "/users/test_user",
    "/v1/payments/search",
    "/point/integration-api/devices/{device_id}/refund",
    "/point/integration-api/devices/{device_id}/refund/{refund_intent_id}",
    "/point/integration-api/integrator",
    "/point/integration-api/payment-intents/events",
    "/point/integration-api/refund/{refund_intent_id}",
    "/point/integration-api/payment-intents/{payment_intent_id}/events",
];

#[test]
fn every_documented_answer() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    walk_refund_intents(&seller);
    walk_accounts(&seller);
    let operations = operations(&server, "/openapi/mercadopago.json");
    let ours: Vec<_> =
        operations.iter().filter(|operation| OURS.contains(&operation.path.as_str())).collect();
    assert!(OURS.iter().all(|path| ours.iter().any(|operation| operation.path == *path)));
    for operation in &ours {
        if operation.said["responses"].get("401").is_some() {
            let target = operation.path.replace("{device_id}", &seller.device);
            let target = target.replace(['{', '}'], "");
            server.send(&Call::new(&operation.method, &target)).expect(401);
        }
    }
    let walked = Walked { operations: &operations, calls: server.calls(), varies: &[] };
    // A server that is busy is not met here.
    walked.assert_told(ours, |_, status| !status.starts_with('5'));
}

/// Refunds on the terminal, and what is told of intents and payments afterwards.
fn walk_refund_intents(seller: &Seller<'_>) {
    let send = |method: &str, target: &str, body: &str, status: u16| {
        seller.server.send(&seller.call(method, target).body(body)).expect(status)
    };
    let none = "0f6f3c52-0d0e-4b7e-9d3b-6a3f5a1c7e20";
    let reference = json!({ "external_reference": "x" });
    let intent = seller.create(&json!({ "amount": 150_000, "additional_info": reference }));
    let paid = seller.take_card(&json!({ "entry": "insert" }));
    let payment = paid["payment"]["id"].as_str().unwrap();
    let info = json!({ "print_on_terminal": ["SELLER_TICKET"] });
    let body = &json!({ "payment_id": payment, "additional_info": info }).to_string();
    let refunds = format!("{API}/devices/{}/refund", seller.device);
    let foreign = format!("{API}/devices/PAX_A910__SBX9999999/refund");
    send("POST", &refunds, "{}", 400);
    send("POST", &foreign, body, 403);
    send("DELETE", &format!("{foreign}/{none}"), "", 403);
    send("POST", &refunds, r#"{"payment_id":"1"}"#, 404);
    send("POST", &refunds, &"x".repeat((1 << 20) + 1), 413);
    let canceled = send("POST", &refunds, body, 201).json();
    send("POST", &refunds, body, 409);
    send("DELETE", &format!("{refunds}/{}", canceled["id"].as_str().unwrap()), "", 200);
    send("DELETE", &format!("{refunds}/{none}"), "", 404);
    let refund = send("POST", &refunds, body, 201).json();
    let refund = refund["id"].as_str().unwrap();
    seller.at_terminal("fetch", &json!({})).expect(200);
    send("DELETE", &format!("{refunds}/{refund}"), "", 409);
    seller.at_terminal("card", &json!({})).expect(200);
    send("GET", &format!("{API}/refund/{refund}"), "", 200);
    send("GET", &format!("{API}/refund/{none}"), "", 404);

    let events = format!("{API}/payment-intents/events");
    let clock = seller.server.control("GET", "/clock", &Value::Null, 200);
    let day = &clock["now"].as_str().unwrap()[..10];
    send("GET", &format!("{events}?startDate={day}&endDate={day}"), "", 200);
    send("GET", &events, "", 400);
    send("GET", &format!("{API}/payment-intents/{intent}/events"), "", 200);
    send("GET", &format!("{API}/payment-intents/{none}/events"), "", 404);
    send("GET", "/v1/payments/search?limit=1", "", 200);
    send("GET", "/v1/payments/search?sort=x", "", 400);
}

/// Users, tokens and channels.
fn walk_accounts(seller: &Seller<'_>) {
    let server = seller.server;
    let send = |method: &str, target: &str, body: &str, status: u16| {
        server.send(&seller.call(method, target).body(body)).expect(status)
    };
    let large = "x".repeat((1 << 20) + 1);
    let integrator = format!("{API}/integrator");
    send("PATCH", &integrator, r#"{"event_channel_devices":["email"]}"#, 204);
    send("PATCH", &integrator, r#"{"event_channel_devices":["sms"]}"#, 400);
    send("PATCH", &integrator, &large, 413);
    send("GET", &integrator, "", 200);
    send("GET", "/users/me", "", 200);
    let whole = r#"{"site_id":"MLA","description":"x"}"#;
    send("POST", "/users/test", whole, 201);
    let user = send("POST", "/users/test_user", whole, 201).json();
    let code = server.control("POST", "/oauth/codes", &json!({ "user_id": user["id"] }), 201);
    let body = json!({
        "client_id": "1000000000000001",
        "client_secret": "secreto-de-la-aplicacion-demo-01",
        "code": code["code"],
        "grant_type": "authorization_code",
    });
    let token = server.send(&Call::new("POST", "/oauth/token").json(&body)).expect(200).json();
    server.send(&Call::new("POST", "/oauth/token").json(&body)).expect(400);
    server.send(&Call::new("POST", "/oauth/token").body(large.as_str())).expect(413);
    let token = token["access_token"].as_str().unwrap();
    for target in ["/users/test", "/users/test_user"] {
        send("POST", target, "{}", 400);
        send("POST", target, &large, 413);
        server.send(&Call::new("POST", target).bearer(token).body(whole)).expect(403);
    }
}
