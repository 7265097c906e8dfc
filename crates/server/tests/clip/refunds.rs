//! Refunds: the table of errors, keys, cancellations, races.

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::place::Place;
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{APPROVES, CAFE, NO_FUNDS, assert_refused, payment};

fn wanted(payment: &Value, amount: &Value) -> Value {
    json!({
        "reference": { "type": "payment", "id": payment["id"] },
        "amount": amount,
        "reason": "Damaged item",
    })
}

fn send(server: &Server<'_>, body: &Value) -> Answer {
    CAFE.send(server, Call::new("POST", "/refunds").json(body))
}

fn refund(server: &Server<'_>, payment: &Value, amount: &Value) -> Value {
    send(server, &wanted(payment, amount)).expect(200).json()
}

fn read(server: &Server<'_>, payment: &Value) -> Value {
    CAFE.get(server, &format!("/payments/{}", payment["id"].as_str().unwrap()), 200)
}

fn advance(server: &Server<'_>, seconds: i64) {
    server.control("POST", "/clock/advance", &json!({ "seconds": seconds }), 200);
}

/// To noon in Mexico of a day to come, so that the test does not cross a day by itself.
fn to_noon(server: &Server<'_>) {
    server.control("POST", "/clock/advance", &json!({ "to": "2030-03-05T18:00:00Z" }), 200);
}

fn a_refund_as_the_reference_shows_it(place: &Place) {
    let server = Server::start(place);
    to_noon(&server);
    let paid = CAFE.pay(&server, APPROVES, "100");
    let made = refund(&server, &paid, &json!(50));
    let sample = json!({
        "id": "7f2ffd14-a171-487f-acb3-ede3b19a5001",
        "status": "approved",
        "status_message": "Refunded. Merchant initiated.",
        "amount": 50.0,
        "receipt_no": "9vcLT53",
        "created_at": "2025-03-05T18:09:13Z",
        "currency": "MXN",
        "reference": { "type": "payment", "id": "3d62e0a1-57a8-4d22-8a90-d59e0d94f001" },
        "reason": "Damaged item",
    });
    assert_shape("a refund", &sample, &made);
    let mut expected = made.clone();
    for (name, value) in [
        ("status", json!("approved")),
        ("status_message", json!("Refunded. Merchant initiated.")),
        ("amount", json!(50)),
        ("currency", json!("MXN")),
        ("reference", json!({ "type": "payment", "id": paid["id"] })),
        ("reason", json!("Damaged item")),
    ] {
        expected[name] = value;
    }
    assert_eq!(made, expected);
    assert_ne!((&made["id"], &made["receipt_no"]), (&paid["id"], &paid["receipt_no"]));
    let id = made["id"].as_str().unwrap();
    assert_eq!(CAFE.get(&server, &format!("/refunds/{id}"), 200), made);
    let after = read(&server, &paid);
    assert_eq!((&after["status"], &after["amount_refunded"]), (&json!("approved"), &json!(50)));
    assert_eq!(after["status_detail"]["code"], "AP-REF01");
    assert_eq!((&after["refunds"], &after["version"]), (&json!([made]), &json!(2)));
    // The rest, by the receipt, as an official plugin posts it: with a slash, without a reason.
    let body = json!({ "reference": { "type": "receipt", "id": paid["receipt_no"] },
        "amount": "50.00", "currency": "MXN" });
    let rest = CAFE.post(&server, "/refunds/", &body, 200);
    assert_eq!((&rest["reason"], &rest["reference"]), (&json!(""), &body["reference"]));
    let after = read(&server, &paid);
    assert_eq!((&after["status"], &after["amount_refunded"]), (&json!("refunded"), &json!(100)));
    assert_eq!(after["status_detail"]["code"], "RE-REF01");
    assert_eq!(after["refunds"].as_array().unwrap().len(), 2);
}

fn all_of_it_on_the_same_day_is_a_cancellation(place: &Place) {
    let server = Server::start(place);
    to_noon(&server);
    let cancelled = CAFE.pay(&server, APPROVES, "100");
    let late = CAFE.pay(&server, APPROVES, "100");
    let evening = CAFE.pay(&server, APPROVES, "100");
    let made = refund(&server, &cancelled, &json!(100));
    assert_eq!((&made["id"], &made["receipt_no"]), (&cancelled["id"], &cancelled["receipt_no"]));
    let path = |id: &Value| format!("/refunds/{}", id.as_str().unwrap());
    assert_eq!(CAFE.get(&server, &path(&made["id"]), 200), made);
    assert_eq!(read(&server, &cancelled)["status_detail"]["code"], "RE-REF01");
    // A payment that was not cancelled is no refund.
    let answer = CAFE.send(&server, Call::get(&path(&late["id"])));
    assert_refused(&answer, 404, "CL1301", "a payment");
    // Eleven hours and a half later it is the same day in Mexico, twelve hours later the next.
    advance(&server, 41_400);
    assert_eq!(refund(&server, &evening, &json!(100))["id"], evening["id"]);
    advance(&server, 1_800);
    let made = refund(&server, &late, &json!(100));
    assert_ne!(made["id"], late["id"]);
    assert_eq!(CAFE.get(&server, &path(&made["id"]), 200), made);
}

fn the_table_of_errors(place: &Place) {
    let server = Server::start(place);
    to_noon(&server);
    let paid = CAFE.pay(&server, APPROVES, "1000");
    let refused = |body: &Value, status: u16, code: &str| {
        assert_refused(&send(&server, body), status, code, &body.to_string());
    };
    let all = |payment: &Value| wanted(payment, &json!(10));
    // 404: unknown, and not approved.
    for id in ["3d62e0a1-57a8-4d22-8a90-d59e0d94f001", "x", "0000000"] {
        for kind in ["payment", "transaction", "receipt"] {
            let mut body = all(&paid);
            body["reference"] = json!({ "type": kind, "id": id });
            refused(&body, 404, "AI1300");
        }
    }
    refused(&all(&CAFE.pay(&server, NO_FUNDS, "1000")), 404, "AI1800");
    let mut held = payment(&CAFE.token(&server, APPROVES), "1000");
    held["capture_method"] = json!("manual");
    refused(&all(&CAFE.post(&server, "/payments", &held, 201)), 404, "AI1800");
    // 409: amounts.
    refused(&wanted(&paid, &json!(1000.01)), 409, "AI1801");
    refund(&server, &paid, &json!(400));
    refused(&wanted(&paid, &json!(600.01)), 409, "AI1802");
    refused(&wanted(&paid, &json!(2000)), 409, "AI1801");
    refund(&server, &paid, &json!(600));
    refused(&wanted(&paid, &json!(0.01)), 409, "AI1802");
    // 409: instalments, age, the setting.
    let mut months = payment(&CAFE.token(&server, APPROVES), "1000");
    months["installments"] = json!(6);
    refused(&all(&CAFE.post(&server, "/payments", &months, 201)), 409, "AI1806");
    let old = CAFE.pay(&server, APPROVES, "1000");
    let setting = format!("/merchants/{}", CAFE.key);
    server.control("PATCH", &setting, &json!({ "refunds_enabled": false }), 200);
    refused(&all(&old), 409, "AI1805");
    server.control("PATCH", &setting, &json!({ "refunds_enabled": true }), 200);
    advance(&server, 180 * 86_400);
    refund(&server, &old, &json!(1));
    advance(&server, 86_400);
    refused(&all(&old), 409, "AI1803");
    // The envelope, as the reference prints it.
    let answer = send(&server, &wanted(&CAFE.pay(&server, APPROVES, "1"), &json!(2))).json();
    let expected = json!({ "error_code": "AI1801", "message": "Conflict",
        "detail": ["The refund amount is greater than the original."] });
    assert_eq!(answer, expected);
    // Look-ups and credentials.
    for id in ["3d62e0a1-57a8-4d22-8a90-d59e0d94f001", "x", "%00"] {
        let answer = CAFE.send(&server, Call::get(&format!("/refunds/{id}")));
        assert_refused(&answer, 404, "CL1301", id);
    }
    let bare = server.send(&Call::new("POST", "/refunds").json(&all(&old)));
    assert_refused(&bare, 401, "CL1501", "no credential");
    server.control("PATCH", &setting, &json!({ "api_access": { "refunds": false } }), 200);
    assert_refused(&send(&server, &all(&old)), 403, "CL1500", "kept off");
}

#[test]
fn bad_refunds_are_refused_and_change_nothing() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let paid = CAFE.pay(&server, APPROVES, "100");
    let good = wanted(&paid, &json!(10));
    let before = server.traces();
    for (pointer, value, code) in [
        ("/reference", Value::Null, "CL2200"),
        ("/reference/type", Value::Null, "CL2200"),
        ("/reference/id", json!(""), "CL2200"),
        ("/amount", Value::Null, "CL2200"),
        ("/amount", json!(""), "CL2200"),
        ("/reference", json!("payment"), "CL2200"),
        ("/reference/type", json!("order"), "CL2290"),
        ("/amount", json!(0), "CL2290"),
        ("/amount", json!(-5), "CL2290"),
        ("/amount", json!("ten"), "CL2290"),
        ("/amount", json!(1.005), "CL2290"),
        ("/amount", json!(true), "CL2290"),
        ("/reason", json!("x".repeat(501)), "CL2290"),
        ("/reason", json!({}), "CL2290"),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        assert_refused(&send(&server, &body), 400, code, &body.to_string());
    }
    for body in ["", "{", "[]", "null"] {
        let answer = CAFE.send(&server, Call::new("POST", "/refunds").body(body));
        assert_eq!(answer.status, 400, "{body:?}");
    }
    // Another merchant's payment is as unknown as none.
    let world = server.control("POST", "/worlds", &json!({}), 201);
    let other = crate::shop::Shop {
        key: world["clip"]["api_key"].as_str().unwrap(),
        secret: world["clip"]["secret"].as_str().unwrap(),
    };
    let foreign = other.send(&server, Call::new("POST", "/refunds").json(&good));
    assert_refused(&foreign, 404, "AI1300", "a foreign payment");
    assert_eq!(server.traces(), before);
    assert_eq!(read(&server, &paid), paid);
}

fn a_key_is_remembered_for_a_minute(place: &Place) {
    let server = Server::start(place);
    to_noon(&server);
    let paid = CAFE.pay(&server, APPROVES, "100");
    let keyed = |key: &str, amount: i64| {
        let body = wanted(&paid, &json!(amount));
        CAFE.send(&server, Call::new("POST", "/refunds").header("Idempotency-Key", key).json(&body))
    };
    let first = keyed("k-1", 30).expect(200);
    assert_eq!(keyed("k-1", 30).expect(200).body, first.body);
    // The clock runs on meanwhile.
    advance(&server, 45);
    assert_eq!(keyed("k-1", 30).expect(200).body, first.body);
    // Another refund under the same key is none of ours to guess.
    assert_refused(&keyed("k-1", 31), 400, "CL2290", "another amount");
    assert_eq!(read(&server, &paid)["amount_refunded"], 30);
    advance(&server, 16);
    let second = keyed("k-1", 30).expect(200);
    assert_ne!(second.body, first.body);
    let third = keyed("k-2", 40).expect(200).json();
    assert_eq!(read(&server, &paid)["amount_refunded"], 100);
    // All is given back; the key still leads to its refund.
    assert_eq!(keyed("k-2", 40).expect(200).json(), third);
    assert_refused(&keyed("k-3", 1), 409, "AI1802", "another key");
    let server = server.restart();
    let body = wanted(&paid, &json!(40));
    let call = Call::new("POST", "/refunds").header("idempotency-key", "k-2").json(&body);
    assert_eq!(CAFE.send(&server, call).expect(200).json(), third);
}

fn the_balance_covers_a_refund_where_the_rule_is_on(place: &Place) {
    let server = Server::start(place);
    to_noon(&server);
    let setting = format!("/merchants/{}", CAFE.key);
    let old = CAFE.pay(&server, APPROVES, "100");
    // Three days later the first payment has been paid out, and nothing else was sold.
    advance(&server, 3 * 86_400);
    assert_eq!(refund(&server, &old, &json!(10))["status"], "approved");
    server.control("PATCH", &setting, &json!({ "refund_balance_rule": true }), 200);
    let answer = send(&server, &wanted(&old, &json!(10)));
    assert_refused(&answer, 409, "AI1400", "nothing that is not paid out");
    // What was given back before counts against what is sold: 10 are owed.
    CAFE.pay(&server, APPROVES, "40");
    let answer = send(&server, &wanted(&old, &json!(30.01)));
    assert_refused(&answer, 409, "AI1400", "more than the balance");
    assert_eq!(refund(&server, &old, &json!(30))["status"], "approved");
    assert_refused(&send(&server, &wanted(&old, &json!(1))), 409, "AI1400", "used up");
    assert_eq!(read(&server, &old)["amount_refunded"], 40);
}

/// A few rounds over sockets; a thousand are played in process (`cobro-engine`, `payments`).
#[test]
fn of_thirty_two_at_once_one_succeeds() {
    const ROUNDS: usize = 25;
    let place = Place::sqlite();
    let server = Server::start(&place);
    for round in 0..ROUNDS {
        let paid = CAFE.pay(&server, APPROVES, "100");
        let body = wanted(&paid, &json!(60));
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..32).map(|_| scope.spawn(|| send(&server, &body))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let (taken, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(taken.len(), 1, "round {round}");
        for answer in refused {
            let code = answer.json()["error_code"].clone();
            assert!(code == "AI1802" || code == "AI1807", "{}", answer.text());
        }
        let after = read(&server, &paid);
        assert_eq!(after["amount_refunded"], 60, "round {round}");
        assert_eq!(after["refunds"], json!([taken[0].json()]), "round {round}");
    }
}

#[test]
fn of_thirty_two_under_one_key_all_get_the_same() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let paid = CAFE.pay(&server, APPROVES, "100");
    let body = wanted(&paid, &json!(60));
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let call = || {
            let call = Call::new("POST", "/refunds").header("idempotency-key", "race").json(&body);
            CAFE.send(&server, call)
        };
        let all: Vec<_> = (0..32).map(|_| scope.spawn(call)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let first = answers[0].clone().expect(200);
    assert!(answers.iter().all(|answer| answer.body == first.body), "{answers:?}");
    assert_eq!(read(&server, &paid)["amount_refunded"], 60);
}

crate::on_both!(
    a_refund_as_the_reference_shows_it,
    all_of_it_on_the_same_day_is_a_cancellation,
    the_table_of_errors,
    a_key_is_remembered_for_a_minute,
    the_balance_covers_a_refund_where_the_rule_is_on
);
