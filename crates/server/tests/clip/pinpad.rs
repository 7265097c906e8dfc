//! The PinPad API, as far as the reference describes it (section 7).

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shop::{APPROVES, CAFE, NO_FUNDS};
use crate::till::{SERIAL, TERMINAL, asked, at_terminal, terminal};

const API: &str = "/f2f/pinpad/v1";

fn body(reference: &str) -> Value {
    json!({ "amount": "200.50", "reference": reference, "serial_number_pos": SERIAL })
}

#[track_caller]
fn send(server: &Server<'_>, body: &Value, status: u16) -> Value {
    asked(server, "POST", &format!("{API}/payment"), body, status)
}

#[track_caller]
fn read(server: &Server<'_>, id: &str) -> Value {
    let path = format!("{API}/payment?pinpadRequestId={id}");
    asked(server, "GET", &path, &Value::Null, 200)
}

#[test]
fn a_request_is_paid_and_told_of() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let receiver = Receiver::start("");
    let mut wanted = body("mesa-7");
    wanted["webhook_url"] = json!(receiver.url("/pinpad"));
    wanted["tip_amount"] = json!(20);
    let sent = send(&server, &wanted, 200);
    let id = sent["pinpad_request_id"].as_str().unwrap();
    assert!(id.starts_with("pinpad-"), "{sent}");
    assert_eq!((&sent["reference"], &sent["amount"]), (&json!("mesa-7"), &json!("200.50")));
    assert_eq!(sent["serial_number_pos"], SERIAL);
    let waiting = read(&server, id);
    assert_eq!((&waiting["status"], &waiting["amount_paid"]), (&json!("PENDING"), &json!("0.00")));
    // The terminal has it in its own queue; any id that is shown for it takes it.
    assert_eq!(terminal(&server)["pending"].as_array().unwrap().len(), 1);
    at_terminal(&server, "fetch", &json!({ "intent_id": id }), 200);
    assert_eq!(read(&server, id)["status"], "IN_PROCESS");
    assert_eq!(
        at_terminal(&server, "card", &json!({ "card": NO_FUNDS }), 200)["outcome"],
        "rejected"
    );
    assert_eq!(read(&server, id)["status"], "IN_PROCESS");
    let outcome =
        at_terminal(&server, "card", &json!({ "card": APPROVES, "entry": "insert" }), 200);
    assert_eq!(outcome["outcome"], "approved");
    let paid = read(&server, id);
    assert_eq!(paid["status"], "COMPLETED");
    assert_eq!((&paid["amount"], &paid["amount_paid"]), (&json!("200.50"), &json!("220.50")));
    assert_eq!(paid["tip_amount"], "20.00");
    let made = paid["create_date"].as_str().unwrap();
    assert!(made.len() == 19 && !made.ends_with('Z'), "{made}");
    assert_eq!(paid["detail"], Value::Null);
    let path = format!("{API}/payment?pinpadRequestId={id}");
    let detailed = Call::get(&path).header("authorization", &CAFE.basic());
    let detailed =
        server.send(&detailed.header("Pinpad-Include-Detail", "true")).expect(200).json();
    let result = &detailed["detail"]["results"][0];
    assert_eq!(result["id"], outcome["payment"]["id"]);
    assert_eq!((&result["type"], &result["entry_mode"]), (&json!("pos"), &json!("CHIP")));
    assert_eq!(result["device"]["id"], SERIAL);
    assert_eq!(result["status"], "approved");
    receiver.wait_for(3);
    let notices = receiver.notices();
    for notice in &notices {
        let expected = json!({
            "id": id, "origin": "pinpad-payments-api", "event_type": "PINPAD_INTENT_STATUS_CHANGED",
        });
        assert_eq!(notice.body, expected);
    }
    assert_eq!(notices.len(), 3);
}

#[test]
fn a_terminal_has_one_request_and_one_that_waits() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let first = send(&server, &body("uno"), 200)["pinpad_request_id"].clone();
    let busy = send(&server, &body("dos"), 400);
    assert_eq!(busy["code"], "PAYMENT_PENDING");
    let data = json!({ "current_payment_on_transaction": null, "payment_enqueued": first });
    assert_eq!(busy["data"], data);
    at_terminal(&server, "fetch", &json!({}), 200);
    let sent = send(&server, &body("detras"), 200);
    assert_eq!(sent["current_payment_on_transaction"], first);
    let behind = sent["pinpad_request_id"].clone();
    assert_eq!(read(&server, behind.as_str().unwrap())["status"], "PENDING");
    let busy = send(&server, &body("dos"), 400);
    let data = json!({ "current_payment_on_transaction": first, "payment_enqueued": behind });
    assert_eq!(busy["data"], data);
    // It is taken when the first has ended, whatever the list of charges is set to.
    let path = format!("/terminals/{TERMINAL}");
    server.control("PATCH", &path, &json!({ "b2b_transactions": false }), 200);
    at_terminal(&server, "card", &json!({ "card": APPROVES }), 200);
    at_terminal(&server, "fetch", &json!({}), 200);
    assert_eq!(read(&server, behind.as_str().unwrap())["status"], "IN_PROCESS");
    at_terminal(&server, "card", &json!({ "card": APPROVES }), 200);
    assert_eq!(read(&server, behind.as_str().unwrap())["status"], "COMPLETED");
    at_terminal(&server, "fetch", &json!({}), 404);

    let first = send(&server, &body("uno"), 200)["pinpad_request_id"].clone();
    at_terminal(&server, "fetch", &json!({}), 200);
    let behind = send(&server, &body("detras"), 200)["pinpad_request_id"].clone();
    let path = format!("{API}/payment/serial-number/{SERIAL}");
    let canceled = asked(&server, "DELETE", &path, &Value::Null, 200);
    assert_eq!(
        (&canceled["pinpad_request_id"], &canceled["status"]),
        (&behind, &json!("CANCELED"))
    );
    // Its place is free again.
    let behind = send(&server, &body("otra"), 200)["pinpad_request_id"].clone();
    let path = format!("{API}/payment/{}", behind.as_str().unwrap());
    asked(&server, "DELETE", &path, &Value::Null, 200);
    let path = format!("{API}/payment/{}", first.as_str().unwrap());
    assert_eq!(asked(&server, "DELETE", &path, &Value::Null, 400)["code"], "PAYMENT_PENDING");
    at_terminal(&server, "cancel", &json!({}), 200);
    assert_eq!(read(&server, first.as_str().unwrap())["status"], "CANCELED");
    asked(&server, "DELETE", &path, &Value::Null, 404);

    let second = send(&server, &body("dos"), 200)["pinpad_request_id"].clone();
    let path = format!("{API}/payment/{}", second.as_str().unwrap());
    assert_eq!(asked(&server, "DELETE", &path, &Value::Null, 200)["status"], "CANCELED");
    send(&server, &body("tres"), 200);
    let path = format!("{API}/payment/serial-number/{SERIAL}");
    let canceled = asked(&server, "DELETE", &path, &Value::Null, 200);
    assert_eq!((&canceled["reference"], &canceled["status"]), (&json!("tres"), &json!("CANCELED")));
    asked(&server, "DELETE", &path, &Value::Null, 404);
}

#[test]
fn whoever_waits_is_answered_when_the_terminal_takes_it() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let autopilot = json!({ "autopilot": { "enabled": true, "delay_ms": 0, "card": APPROVES } });
    server.control("PATCH", &format!("/terminals/{TERMINAL}"), &autopilot, 200);
    let call = Call::new("POST", &format!("{API}/payment")).header("authorization", &CAFE.basic());
    let call = call.header("Pinpad-Wait-Response", "true").json(&body("espera"));
    let sent = server.send(&call).expect(200).json();
    let status = read(&server, sent["pinpad_request_id"].as_str().unwrap())["status"].clone();
    assert_ne!(status, "PENDING");
}

#[test]
fn a_decline_ends_a_request_that_is_not_to_be_tried_again() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let mut wanted = body("una-vez");
    wanted["preferences"] = json!({ "is_retry_enabled": false });
    let id = send(&server, &wanted, 200)["pinpad_request_id"].clone();
    at_terminal(&server, "fetch", &json!({}), 200);
    at_terminal(&server, "card", &json!({ "card": NO_FUNDS }), 200);
    assert_eq!(read(&server, id.as_str().unwrap())["status"], "FAILED");
    at_terminal(&server, "card", &json!({ "card": APPROVES }), 409);
}

#[test]
fn terminals_and_their_state() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let status = |server: &Server<'_>| {
        asked(server, "GET", &format!("{API}/devices/status"), &Value::Null, 200)
    };
    let shown = status(&server);
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert_eq!(
        (&shown[0]["serial_number"], &shown[0]["status"]),
        (&json!(SERIAL), &json!("active"))
    );
    server.control("PATCH", &format!("/terminals/{TERMINAL}"), &json!({ "online": false }), 200);
    assert_eq!(status(&server)[0]["status"], "expired");
    let refused = send(&server, &body("x"), 400);
    assert_eq!(refused["code"], "ERR10_04");
    assert_eq!(refused["name"], "STORING PAYMENT - DEVICE UNAVAILABLE");
    let preferences = json!({ "is_kiosk_mode_enabled": true, "timeout_seg": 60 });
    let change = json!({ "devices": [SERIAL], "preferences": preferences });
    let changed = asked(&server, "POST", &format!("{API}/devices"), &change, 200);
    let expected = json!({ "devices": [{ "serial_number": SERIAL, "preferences": preferences }] });
    assert_eq!(changed, expected);
}

#[test]
fn bad_requests_change_nothing() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let before = server.traces();
    let with = |name: &str, value: Value| {
        let mut body = body("r");
        body[name] = value;
        body
    };
    let table = [
        (json!([]), "ERROR_BODY_STRUCTURE", 400),
        (json!({}), "ERROR_BODY_STRUCTURE", 400),
        (with("amount", json!("mucho")), "ERROR_BODY_STRUCTURE", 400),
        (with("amount", json!(0)), "ERROR_BODY_STRUCTURE", 400),
        (with("amount", json!(1.005)), "ERROR_BODY_STRUCTURE", 400),
        (with("tip_amount", json!(-1)), "ERROR_BODY_STRUCTURE", 400),
        (with("webhook_url", json!("ftp://x")), "ERROR_BODY_STRUCTURE", 400),
        (with("preferences", json!({ "tip_options": [0] })), "ERROR_BODY_STRUCTURE", 400),
        (with("serial_number_pos", json!("P8999")), "NOT_FOUND", 404),
        (with("serial_number_pos", json!("🎉")), "NOT_FOUND", 404),
    ];
    for (body, code, status) in table {
        let answer = send(&server, &body, status);
        assert_eq!(answer["code"], code, "{body}");
        assert!(answer["message"].is_string(), "{answer}");
    }
    let paths = [
        "/payment?pinpadRequestId=x",
        "/payment?pinpadRequestId=pinpad-0197a000-0000-4000-8000-000000000001",
    ];
    for path in paths {
        let answer = asked(&server, "GET", &format!("{API}{path}"), &Value::Null, 404);
        assert_eq!(answer["code"], "NOT_FOUND", "{path}");
    }
    asked(&server, "GET", &format!("{API}/payment"), &Value::Null, 400);
    asked(&server, "DELETE", &format!("{API}/payment/serial-number/x"), &Value::Null, 404);
    let devices = format!("{API}/devices");
    for wrong in [
        json!({}),
        json!({ "devices": [] }),
        json!({ "devices": [1] }),
        json!({ "devices": vec!["x"; 26] }),
    ] {
        asked(&server, "POST", &devices, &wrong, 400);
    }
    asked(&server, "POST", &devices, &json!({ "devices": ["x"] }), 404);
    assert_eq!(server.traces(), before);
}
