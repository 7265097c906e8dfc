//! The document says what the calls around terminals do: every status that it has is met here, and
//! each answer has the form of an example.

use serde_json::{Value, json};

use crate::documents;
use crate::http::Call;
use crate::place::Place;
use crate::server::Server;
use crate::shared::documents::{Operation, operations};
use crate::shop::{CAFE, KEY};
use crate::till::{SERIAL, TERMINAL, at_terminal, call, register};

const PINPAD: &str = "/f2f/pinpad/v1";

#[test]
fn every_documented_answer() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    walk_charges(&server);
    walk_requests(&server);
    let large = "x".repeat((1 << 20) + 1);
    for path in ["/paymentrequest", "/f2f/pinpad/v1/payment", "/f2f/pinpad/v1/devices"] {
        let call = Call::new("POST", path).header("x-api-key", &CAFE.basic());
        server.send(&call.body(large.clone())).expect(413);
    }
    let operations = operations(&server, "/openapi/clip.json");
    let is_ours = |path: &str| path.starts_with("/paymentrequest") || path.starts_with("/f2f/");
    let ours: Vec<_> = operations.iter().filter(|one| is_ours(&one.path)).collect();
    assert_eq!(ours.len(), 10);
    let target = |path: &str| path.replace("{id}", "x").replace("{serial}", SERIAL);
    for Operation { method, path, .. } in &ours {
        server.send(&Call::new(method, &target(path))).expect(401);
    }
    let access = json!({ "api_access": { "pos": false, "pinpad": false } });
    server.control("PATCH", &format!("/merchants/{KEY}"), &access, 200);
    for Operation { method, path, .. } in &ours {
        call(&server, method, &target(path), &Value::Null).expect(403);
    }
    documents::assert_told(&server, &operations, ours);
}

fn walk_charges(server: &Server<'_>) {
    let send = |method: &str, path: &str, status: u16| {
        call(server, method, path, &Value::Null).expect(status);
    };
    let code = |made: &Value| made["payment_request_code"].as_str().unwrap().to_owned();
    let paid = code(&register(server, "a", &json!(10)));
    register(server, "a", &json!(10));
    call(server, "POST", "/paymentrequest", &json!({})).expect(400);
    at_terminal(server, "fetch", &json!({ "intent_id": paid }), 200);
    at_terminal(server, "card", &json!({}), 200);
    let charge = format!("/paymentrequest/{paid}");
    send("GET", &charge, 200);
    send("DELETE", &charge, 409);
    let canceled = code(&register(server, "b", &json!(10)));
    send("DELETE", &format!("/paymentrequest/{canceled}"), 200);
    send("GET", "/paymentrequest", 200);
    for method in ["GET", "DELETE"] {
        send(method, "/paymentrequest/0000000", 404);
    }
}

fn walk_requests(server: &Server<'_>) {
    let payment = format!("{PINPAD}/payment");
    let body =
        |serial: &str| json!({ "amount": 10, "reference": "r", "serial_number_pos": serial });
    let create = |body: &Value, status: u16| call(server, "POST", &payment, body).expect(status);
    let send = |method: &str, path: &str, status: u16| {
        call(server, method, path, &Value::Null).expect(status);
    };
    let by_serial = format!("{payment}/serial-number/{SERIAL}");
    create(&json!({}), 400);
    create(&body("P8000"), 404);
    let sent = create(&body(SERIAL), 200).json();
    let id = sent["pinpad_request_id"].as_str().unwrap();
    create(&body(SERIAL), 400);
    let read = format!("{payment}?pinpadRequestId={id}");
    send("GET", &read, 200);
    send("GET", &payment, 400);
    send("GET", &format!("{payment}?pinpadRequestId=x"), 404);
    send("DELETE", &format!("{payment}/{id}"), 200);
    send("DELETE", &format!("{payment}/{id}"), 404);
    send("DELETE", &by_serial, 404);
    create(&body(SERIAL), 200);
    send("DELETE", &by_serial, 200);
    let sent = create(&body(SERIAL), 200).json();
    at_terminal(server, "fetch", &json!({}), 200);
    send("DELETE", &format!("{payment}/{}", sent["pinpad_request_id"].as_str().unwrap()), 400);
    send("DELETE", &by_serial, 400);
    at_terminal(server, "cancel", &json!({}), 200);
    let online = |is_on: bool| {
        let change = json!({ "online": is_on });
        server.control("PATCH", &format!("/terminals/{TERMINAL}"), &change, 200);
    };
    online(false);
    create(&body(SERIAL), 400);
    online(true);
    send("GET", &format!("{PINPAD}/devices/status"), 200);
    let devices = |serial: &str, status: u16| {
        let preferences = json!({ "is_kiosk_mode_enabled": true, "timeout_seg": 60 });
        let body = json!({ "devices": [serial], "preferences": preferences });
        call(server, "POST", &format!("{PINPAD}/devices"), &body).expect(status);
    };
    devices(SERIAL, 200);
    devices("P8000", 404);
    call(server, "POST", &format!("{PINPAD}/devices"), &json!({})).expect(400);
}
