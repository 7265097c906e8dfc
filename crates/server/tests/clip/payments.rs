//! Payments with card tokens: created, read, held, captured, cancelled, told.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{APPROVES, CAFE, NO_FUNDS, assert_refused, payment};

/// The payment of seed 001, member by member. Two things of it are left: the e-mail address, which
/// the page's own site has blotted out, and `identification`, whose values stand in the wrong
/// members (reference, section 2.1); both come back as they were sent.
pub(crate) fn sample() -> Value {
    json!({
        "id": "3d62e0-57a8-d22-a90-d59e0d94f",
        "amount": 0.01,
        "tip_amount": 0,
        "amount_refunded": 0,
        "installment_amount": 0.01,
        "installments": 1,
        "capture_method": "automatic",
        "net_amount": 0.01,
        "paid_amount": 0.01,
        "captured_amount": 0.01,
        "binary_mode": false,
        "approved_at": "2024-02-27T04:14:50.868762942Z",
        "country": "MX",
        "currency": "MXN",
        "description": "Test Transparent Checkout API",
        "external_reference": "",
        "customer": {
            "address": { "city": "Benito Juárez", "country": "México",
                "colony": "San Pedro de los pinos", "number": "118", "postal_code": "03800",
                "state": "ciudad de México", "street": "Av Uno" },
            "description": "Descripción",
            "email": "john@example.com",
            "first_name": "John",
            "last_name": "Doe",
            "identification": { "id": "INE", "type": "123456" },
            "phone": "5555555555",
        },
        "payment_method": {
            "id": "master",
            "type": "credit_card",
            "card": { "bin": "555555", "issuer": "SANTANDER PR", "name": "John Doe Doe",
                "country": "MX", "last_digits": "2222", "exp_year": "99", "exp_month": "12" },
            "token": "0915e7-f6f-862-89e-0c5d71ae6",
        },
        "pending_action": {},
        "receipt_no": "SzWn",
        "refunds": [],
        "statement_descriptor": "",
        "status": "approved",
        "status_detail": { "code": "AP-PAI01", "message": "paid" },
        "metadata": {},
        "return_url": "",
        "webhook_url": "",
        "created_at": "2024-02-27T04:14:49.687206862Z",
        "version": 1,
    })
}

/// A time with nine decimals.
fn is_time(text: &Value) -> bool {
    let text = text.as_str().unwrap();
    text.len() == 30 && text.ends_with('Z') && text.as_bytes()[19] == b'.'
}

#[test]
fn a_payment_as_the_seed_shows_it() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let sample = sample();
    let token = CAFE.token(&server, APPROVES);
    let mut body = payment(&token, "0.01");
    body["description"] = sample["description"].clone();
    body["customer"] = sample["customer"].clone();
    let paid = CAFE.post(&server, "/payments", &body, 201);
    assert_shape("a payment", &sample, &paid);
    // What is the payment's own, and what is its card's, differs; the rest is the same.
    let mut expected = sample.clone();
    for own in ["id", "receipt_no", "created_at", "approved_at"] {
        expected[own] = paid[own].clone();
    }
    expected["payment_method"]["token"] = json!(token);
    expected["payment_method"]["card"] = json!({ "bin": "517713", "issuer": "SANTANDER MEXICO",
        "name": "Ana Lopez", "country": "MX", "last_digits": "4515", "exp_year": "35",
        "exp_month": "12" });
    assert_eq!(paid, expected);
    assert_eq!(paid["id"].as_str().unwrap().len(), 36);
    assert!(is_time(&paid["created_at"]) && is_time(&paid["approved_at"]), "{paid}");
    let letters = paid["receipt_no"].as_str().unwrap();
    assert!((4..=8).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_alphanumeric()));
    // Read alone and in the list it is the same, under either path.
    let id = paid["id"].as_str().unwrap();
    for path in ["/payments", "/payment"] {
        assert_eq!(CAFE.get(&server, &format!("{path}/{id}"), 200), paid);
        let query = "?from=2020-01-01&to=2099-01-01";
        let list = CAFE.get(&server, &format!("{path}{query}"), 200);
        assert_eq!(list["results"], json!([paid]));
    }
}

#[test]
fn every_member_comes_back() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let token = CAFE.token(&server, APPROVES);
    // The payment of reference, section 2.2, and what other clients send.
    let body = json!({
        "amount": "1200.00",
        "tip_amount": 100,
        "installments": 3,
        "currency": "MXN",
        "country": "MX",
        "capture_method": "automatic",
        "binary_mode": true,
        "description": "~!@#$%^&*()\\=+|[{]};:'\"/? Café, mesa_4 - ñ",
        "external_reference": "orden 1042_á-b",
        "customer": {
            "first_name": "Ana", "last_name": "López", "email": "ana@example.com",
            "phone": 5512345678_i64,
            "address": { "street": "Amores", "exterior_number": "12", "interior_number": "3B",
                "reference": "puerta azul", "postal_code": "03100" },
            "identification": { "id": "LOPA900101", "type": "CURP" },
        },
        "payment_method": { "token": token },
        "metadata": { "cart": [1, 2], "nested": { "a": null } },
        "return_url": "https://shop.example.org/back?a=b",
        "statement_descriptor": "CAFE",
        "location": { "ip": "203.0.113.9" },
        "prevention_data": { "session_id": "x", "request_3ds": false, "source": "web" },
        "nobody_knows": { "this": true },
    });
    let paid = CAFE.post(&server, "/payments", &body, 201);
    for (name, expected) in [
        ("amount", json!(1200)),
        ("tip_amount", json!(100)),
        ("installments", json!(3)),
        ("installment_amount", json!(433.33)),
        ("net_amount", json!(1200)),
        ("paid_amount", json!(1300)),
        ("captured_amount", json!(1300)),
        ("binary_mode", json!(true)),
        ("description", body["description"].clone()),
        ("external_reference", json!("orden1042_á-b")),
        ("metadata", body["metadata"].clone()),
        ("return_url", body["return_url"].clone()),
        ("statement_descriptor", json!("CAFE")),
        ("webhook_url", json!("")),
    ] {
        assert_eq!(paid[name], expected, "{name}");
    }
    assert_eq!(paid.get("nobody_knows"), None);
    let customer = &paid["customer"];
    assert_eq!(customer["phone"], "5512345678");
    assert_eq!(customer["address"]["interior_number"], "3B");
    assert_eq!(customer["address"]["city"], "");
    assert_eq!(customer["identification"], body["customer"]["identification"]);
}

#[test]
fn money_is_held_and_taken_or_let_go() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let hold = |amount: &str| {
        let mut body = payment(&CAFE.token(&server, APPROVES), amount);
        body["capture_method"] = json!("manual");
        CAFE.post(&server, "/payments", &body, 201)
    };
    let act = |payment: &Value, action: &str, body: &Value, status: u16| {
        let path = format!("/payments/{}/{action}", payment["id"].as_str().unwrap());
        let call = Call::new("POST", &path);
        let call = if body.is_null() { call } else { call.json(body) };
        CAFE.send(&server, call).expect(status).json()
    };
    let held = hold("100");
    assert_eq!(
        (&held["status"], &held["capture_method"]),
        (&json!("authorized"), &json!("manual"))
    );
    assert_eq!(held["status_detail"], json!({"code": "AU-CAP01", "message": "pending capture"}));
    assert_eq!((&held["approved_at"], &held["captured_amount"]), (&json!(""), &json!(0)));
    let too_much = act(&held, "capture", &json!({ "amount": 100.01 }), 400);
    assert_eq!(too_much["error_code"], "CL2290");
    for wrong in [json!({ "amount": 0 }), json!({ "amount": -1 }), json!({ "amount": 1.005 })] {
        act(&held, "capture", &wrong, 400);
    }
    let taken = act(&held, "capture", &json!({ "amount": "60.50" }), 200);
    assert_eq!(taken["status_detail"]["code"], "AP-PAI01");
    assert_eq!((&taken["amount"], &taken["captured_amount"]), (&json!(100), &json!(60.5)));
    assert_eq!((&taken["net_amount"], &taken["version"]), (&json!(60.5), &json!(2)));
    for action in ["capture", "cancel"] {
        assert_eq!(act(&taken, action, &Value::Null, 409)["error_code"], "CL2290");
    }
    let whole = act(&hold("30"), "capture", &Value::Null, 200);
    assert_eq!(whole["captured_amount"], 30);
    let dropped = act(&hold("20"), "cancel", &Value::Null, 200);
    assert_eq!((&dropped["status"], &dropped["captured_amount"]), (&json!("cancelled"), &json!(0)));
    assert_eq!(dropped["status_detail"]["code"], "CA-MER01");
    act(&dropped, "capture", &Value::Null, 409);
    // What is paid at once, or was rejected, is neither held nor taken.
    for number in [APPROVES, NO_FUNDS] {
        let paid = CAFE.pay(&server, number, "5");
        for action in ["capture", "cancel"] {
            act(&paid, action, &Value::Null, 409);
        }
    }
    let unknown = json!({ "id": "3d62e0a1-57a8-4d22-8a90-d59e0d94f001" });
    assert_eq!(act(&unknown, "capture", &Value::Null, 404)["error_code"], "BR1301");
    assert_eq!(act(&unknown, "cancel", &Value::Null, 404)["error_code"], "BR1301");
}

#[test]
fn the_single_look_up_knows_its_own() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let world = server.control("POST", "/worlds", &json!({}), 201);
    let other = crate::shop::Shop {
        key: world["clip"]["api_key"].as_str().unwrap(),
        secret: world["clip"]["secret"].as_str().unwrap(),
    };
    let foreign = other.pay(&server, APPROVES, "10");
    let foreign = foreign["id"].as_str().unwrap();
    for id in [foreign, "3d62e0a1-57a8-4d22-8a90-d59e0d94f001", "x", "3d62e0a1", "%00", "%ff"] {
        for path in ["/payments", "/payment"] {
            let answer = CAFE.send(&server, Call::get(&format!("{path}/{id}")));
            assert_refused(&answer, 404, "BR1301", id);
            // The error object of seed 001.
            let expected = json!({ "error_code": "BR1301", "message": "Not found",
                "detail": ["payment not found"] });
            assert_eq!(answer.json(), expected);
        }
    }
    for credential in ["", "Bearer nobody", "Basic %%%", "Basic", "Digest x"] {
        let call = Call::get(&format!("/payments/{foreign}")).header("authorization", credential);
        assert_refused(&server.send(&call), 401, "CL1501", credential);
    }
}

/// Bodies that are refused: what is changed, and the code.
fn bad_bodies() -> Vec<(&'static str, Value, &'static str)> {
    let mut table = Vec::new();
    for (name, value) in [
        ("/amount", Value::Null),
        ("/amount", json!("")),
        ("/currency", Value::Null),
        ("/payment_method", Value::Null),
        ("/payment_method/token", Value::Null),
        ("/payment_method/token", json!("")),
        ("/customer", Value::Null),
        ("/customer/email", Value::Null),
        ("/customer/phone", json!("")),
        ("/payment_method", json!("token")),
    ] {
        table.push((name, value, "CL2200"));
    }
    for (name, value) in wrong_members() {
        table.push((name, value, "CL2290"));
    }
    table
}

fn wrong_members() -> Vec<(&'static str, Value)> {
    let text = |length: usize| json!("a".repeat(length));
    vec![
        ("/amount", json!(0)),
        ("/amount", json!("0.00")),
        ("/amount", json!(-1)),
        ("/amount", json!("-0.01")),
        ("/amount", json!(1.005)),
        ("/amount", json!("10.001")),
        ("/amount", json!("1,000.00")),
        ("/amount", json!("diez")),
        ("/amount", json!("1e400")),
        ("/amount", json!(true)),
        ("/amount", json!([1])),
        ("/amount", json!(200_000.01)),
        ("/amount", json!(99_999_999_999_999_i64)),
        ("/tip_amount", json!(-1)),
        ("/tip_amount", json!("0.005")),
        ("/currency", json!("USD")),
        ("/currency", json!("mxn")),
        ("/currency", json!(484)),
        ("/country", json!("US")),
        ("/payment_method/token", text(129)),
        ("/customer", json!("Ana")),
        ("/customer/email", json!("ana")),
        ("/customer/email", json!("ana@")),
        ("/customer/phone", json!("123")),
        ("/customer/phone", json!("teléfono")),
        ("/customer/first_name", json!("5177 1361 9982 4515")),
        ("/customer/address", json!("Amores 12")),
        ("/customer/identification", json!([])),
        ("/description", json!("")),
        ("/description", json!("Pago 🎉")),
        ("/description", json!("línea\nnueva")),
        ("/description", text(256)),
        ("/description", json!({ "text": "x" })),
        ("/external_reference", text(37)),
        ("/external_reference", json!("a#1")),
        ("/external_reference", json!("🎉")),
        ("/capture_method", json!("later")),
        ("/installments", json!(2)),
        ("/installments", json!(0)),
        ("/installments", json!(36)),
        ("/installments", json!("three")),
        ("/installments", json!(3.5)),
        // Months are offered for more than 500 pesos.
        ("/installments", json!(3)),
        ("/binary_mode", json!("yes")),
        ("/webhook_url", json!("ftp://example.org")),
        ("/webhook_url", json!("javascript:alert(1)")),
        ("/return_url", json!("/back")),
        ("/metadata", json!("x")),
        ("/metadata", json!({ "x": "y".repeat(9000) })),
        ("/prevention_data/request_3ds", json!("perhaps")),
    ]
}

#[test]
fn bad_payments_are_refused_and_change_nothing() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let token = CAFE.token(&server, APPROVES);
    let good = payment(&token, "100");
    let before = server.traces();
    for (pointer, value, code) in bad_bodies() {
        let mut body = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent);
        match parent {
            Some(parent) => parent[name] = value,
            None => body["prevention_data"] = json!({ name: value }),
        }
        let answer = CAFE.send(&server, Call::new("POST", "/payments").json(&body));
        assert_refused(&answer, 400, code, &body.to_string());
    }
    for body in ["", "{", "[]", "7", "{\"amount\":1,\"amount\":2}", "\u{feff}{}", "\u{0}"] {
        let answer = CAFE.send(&server, Call::new("POST", "/payments").body(body));
        assert_eq!(answer.status, 400, "{body:?}: {}", answer.text());
    }
    let answer = server.send(&Call::new("POST", "/payments").json(&good));
    assert_refused(&answer, 401, "CL1501", "no credential");
    assert_eq!(server.traces(), before);
    // Nothing of all that has used the token.
    assert_eq!(CAFE.post(&server, "/payments", &good, 201)["status"], "approved");
}

fn what_becomes_of_a_payment_is_told_to_its_own_webhook(place: &Place) {
    let server = Server::start(place);
    let receiver = Receiver::start("");
    let notice = |id: &Value, kind: &str| {
        let expected = json!({ "id": id, "origin": "payments-api", "event_type": kind });
        receiver.wait(|notice| notice.body == expected)
    };
    let mut body = payment(&CAFE.token(&server, APPROVES), "100");
    body["webhook_url"] = json!(receiver.url("/payments?a=b"));
    body["capture_method"] = json!("manual");
    receiver.refuse(1);
    let held = CAFE.post(&server, "/payments", &body, 201);
    assert_eq!(notice(&held["id"], "INSERT").target, "/payments?a=b");
    let id = held["id"].as_str().unwrap();
    CAFE.post(&server, &format!("/payments/{id}/capture"), &json!({}), 200);
    notice(&held["id"], "UPDATE");
    let refund =
        json!({ "reference": { "type": "payment", "id": id }, "amount": 10, "reason": "" });
    CAFE.post(&server, "/refunds", &refund, 200);
    let mut declined = payment(&CAFE.token(&server, NO_FUNDS), "100");
    declined["webhook_url"] = json!(receiver.url("/payments"));
    let declined = CAFE.post(&server, "/payments", &declined, 201);
    notice(&declined["id"], "INSERT");
    // The first was answered with an error and is not sent again, whatever the clock says.
    server.control("POST", "/clock/advance", &json!({ "seconds": 30 * 24 * 3600 }), 200);
    receiver.wait_for(4);
    let kinds: Vec<Value> = receiver
        .notices()
        .iter()
        .filter(|notice| notice.body["id"] == held["id"])
        .map(|notice| notice.body["event_type"].clone())
        .collect();
    assert_eq!(kinds, ["INSERT", "UPDATE", "UPDATE"]);
    assert_eq!(receiver.notices().len(), 4);
}

fn an_answer_that_stays_out_leaves_a_payment_that_is_waited_for(place: &Place) {
    let server = Server::start(place);
    // A card of another dialect that its issuer decides on later.
    let paid = CAFE.pay(&server, "4110760000000073", "100");
    assert_eq!(paid["status"], "pending");
    assert_eq!(paid["status_detail"]["code"], "PE-TIC01");
    assert_eq!((&paid["captured_amount"], &paid["pending_action"]), (&json!(0), &json!({})));
    server.control("POST", "/clock/advance", &json!({ "seconds": 31 }), 200);
    let id = paid["id"].as_str().unwrap();
    let after = CAFE.get(&server, &format!("/payments/{id}"), 200);
    assert_eq!((&after["status"], &after["captured_amount"]), (&json!("approved"), &json!(100)));
    for (outcome, status, code) in
        [("error", "rejected", "RE-ISS14"), ("reversed", "cancelled", "CA-AUT01")]
    {
        server.control("PUT", "/faults", &json!({ "acquirer": outcome }), 200);
        let paid = CAFE.pay(&server, APPROVES, "100");
        assert_eq!(
            (&paid["status"], &paid["status_detail"]["code"]),
            (&json!(status), &json!(code))
        );
    }
}

crate::on_both!(
    what_becomes_of_a_payment_is_told_to_its_own_webhook,
    an_answer_that_stays_out_leaves_a_payment_that_is_waited_for
);
