//! Charges at terminals: seed 000, and what the reference adds to it (section 1).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::server::{Server, verify};
use crate::shape::assert_shape;
use crate::shop::{APPROVES, CAFE, KEY, NO_FUNDS};
use crate::till::{
    CASHIER, TERMINAL, asked, at_terminal, call, charge, charges, pay, register, terminal,
};

/// The seed's sample of a list, with `0` where its types say number and text where they say text.
fn sample() -> Value {
    json!({ "transactions": [{
        "paymentRequestId": "string",
        "transactionId": "string",
        "merchantId": "string",
        "merchantToken": "string",
        "paymentRequestCode": "string",
        "amount": 0,
        "currency": "string",
        "merchantInvoiceId": "cobro-septiembre17",
        "statusCode": 0,
        "statusMsg": "string",
        "expiresAt": { "epochSecond": 0, "nano": 0 },
        "assignedUserId": "string",
        "message": "pago pendiente",
        // Nobody is asked for an address: the one member that is always null.
        "consumerEmail": null,
        "createdByUserId": "string",
        "closedAt": { "epochSecond": 0, "nano": 0 },
        "createdAt": { "epochSecond": 0, "nano": 0 },
        "updatedAt": { "epochSecond": 0, "nano": 0 },
    }] })
}

/// The seed's body, member by member.
fn whole() -> Value {
    json!({
        "amount": 245.5,
        "assigned_user": CASHIER,
        "reference": "cobro-septiembre17",
        "user_id": "2f6c1b0d-8a8e-4d53-bb1f-5f0f6a6f7e02",
        "message": "pago pendiente",
    })
}

/// Runs a test on each database that there is.
fn on_both(test: impl Fn(&Server<'_>)) {
    for place in [Some(Place::sqlite()), Place::postgres()].into_iter().flatten() {
        test(&Server::start(&place));
    }
}

#[test]
fn a_charge_from_the_register_to_the_list() {
    on_both(|server| {
        let made = asked(server, "POST", "/paymentrequest", &whole(), 200);
        let sample_answer = json!({ "code": 100, "description": "string", "message": "string" });
        assert_shape("POST /paymentrequest", &sample_answer, &made);
        assert_eq!(made["code"], 100);
        assert_eq!(made["description"], "Transaction Device Saved Success");
        assert_eq!(made["message"], made["description"]);
        assert_eq!(made["amount"], "245.50");
        assert_eq!(made["payment_request_status"], "PENDING");
        let code = made["payment_request_code"].as_str().unwrap();
        assert_eq!(code.len(), 7);

        // Pending from the moment that it is registered, and null where nothing is known yet.
        let pending = charge(server, code);
        assert_eq!(pending["statusMsg"], "PENDING");
        assert_eq!(pending["statusCode"], 1);
        assert_eq!((&pending["transactionId"], &pending["closedAt"]), (&Value::Null, &Value::Null));
        let shown = &terminal(server)["pending"][0];
        assert_eq!(shown["id"], pending["paymentRequestId"]);
        assert_eq!((&shown["amount_minor"], &shown["state"]), (&json!(24_550), &json!("PENDING")));
        assert_eq!(shown["description"], "pago pendiente");

        let outcome = pay(server, code);
        assert_eq!(outcome["outcome"], "approved");
        assert_eq!(outcome["intent"]["state"], "COMPLETED");
        let listed = asked(server, "GET", "/paymentrequest", &Value::Null, 200);
        assert_shape("GET /paymentrequest", &sample(), &listed);
        let paid = &listed["transactions"][0];
        assert_eq!(paid["transactionId"], outcome["payment"]["id"]);
        assert_eq!(paid["statusMsg"], "COMPLETED");
        assert_eq!(paid["statusCode"], 2);
        assert_eq!(paid["amount"], 245.5);
        assert_eq!(paid["currency"], "MXN");
        assert_eq!(paid["merchantInvoiceId"], "cobro-septiembre17");
        assert_eq!(paid["assignedUserId"], CASHIER);
        assert_eq!(paid["createdByUserId"], whole()["user_id"]);
        assert_eq!(paid["paymentRequestCode"], code);
        let seconds = |name: &str| paid[name]["epochSecond"].as_i64().unwrap();
        assert_eq!(seconds("expiresAt") - seconds("createdAt"), 86_400);
        assert!(seconds("closedAt") >= seconds("createdAt"));
        assert_eq!(*paid, charge(server, paid["paymentRequestId"].as_str().unwrap()));
        assert_eq!(terminal(server)["pending"], json!([]));
        // The order of the seed's members.
        let text = call(server, "GET", "/paymentrequest", &Value::Null).text();
        let places: Vec<usize> = ["paymentRequestId", "merchantToken", "amount", "updatedAt"]
            .map(|name| text.find(name).unwrap())
            .to_vec();
        assert!(places.is_sorted(), "{text}");
    });
}

#[test]
fn a_reference_leads_to_its_first_charge() {
    on_both(|server| {
        let first = register(server, "cuenta-7", &json!(100));
        let again = register(server, "cuenta-7", &json!("250.75"));
        assert_eq!(again["code"], 101);
        assert_eq!(again["description"], "Reference Already Exists");
        assert_eq!(again["message"], again["description"]);
        assert_eq!(again["amount"], "100.00");
        assert_eq!(again["payment_request_code"], first["payment_request_code"]);
        assert_eq!(charges(server).len(), 1);
        // Unique over all states.
        let code = first["payment_request_code"].as_str().unwrap();
        pay(server, code);
        let paid = register(server, "cuenta-7", &json!(100));
        assert_eq!(
            (&paid["code"], &paid["payment_request_status"]),
            (&json!(101), &json!("COMPLETED"))
        );
        assert_eq!(charges(server).len(), 1);
    });
}

#[test]
fn a_race_for_one_reference_makes_one_charge() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let made = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..32 {
            let (server, made) = (&server, Arc::clone(&made));
            scope.spawn(move || {
                let answer = register(server, "carrera", &json!(5));
                made.fetch_add(usize::from(answer["code"] == 100), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert_eq!(charges(&server).len(), 1);
}

#[test]
fn lists_are_newest_first_and_by_person() {
    on_both(|server| {
        for (reference, user) in [("a", None), ("b", Some(CASHIER)), ("c", Some("caja2@x.example"))]
        {
            let mut body = json!({ "amount": 1, "reference": reference, "message": "m" });
            if let Some(user) = user {
                body["assigned_user"] = json!(user);
            }
            asked(server, "POST", "/paymentrequest", &body, 200);
        }
        let references = |query: &str| -> Vec<String> {
            let path = format!("/paymentrequest{query}");
            let listed = asked(server, "GET", &path, &Value::Null, 200);
            let all = listed["transactions"].as_array().unwrap().clone();
            all.iter().map(|one| one["merchantInvoiceId"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(references(""), ["c", "b", "a"]);
        assert_eq!(references("?assigned_user=caja1%40cafecentral.example"), ["b"]);
        assert_eq!(references("?assigned_user=CAJA2@X.example"), ["c"]);
        assert_eq!(references("?assigned_user=nadie@x.example"), Vec::<String>::new());
        // A terminal shows what is for everybody and what is for who is signed in.
        let pending = |server: &Server<'_>| -> Vec<i64> {
            let shown = terminal(server)["pending"].as_array().unwrap().clone();
            shown.iter().map(|one| one["amount_minor"].as_i64().unwrap()).collect()
        };
        assert_eq!(pending(server).len(), 2);
        let set = |change: Value| {
            server.control("PATCH", &format!("/terminals/{TERMINAL}"), &change, 200)
        };
        set(json!({ "cashier": "Caja2@x.example" }));
        assert_eq!(pending(server).len(), 2);
        let world = server.control("GET", "/worlds/demo", &Value::Null, 200);
        assert_eq!(world["clip"]["cashiers"], json!([CASHIER, "Caja2@x.example"]));
        set(json!({ "cashier": null }));
        assert_eq!(pending(server).len(), 1);
        // The setting of the device: off, and nothing is shown or taken.
        set(json!({ "cashier": CASHIER, "b2b_transactions": false }));
        assert_eq!(pending(server).len(), 0);
        at_terminal(server, "fetch", &json!({}), 404);
        let all = charges(server);
        let code = |place: usize| all[place]["paymentRequestCode"].clone();
        at_terminal(server, "fetch", &json!({ "intent_id": code(1) }), 404);
        set(json!({ "b2b_transactions": true }));
        // Another person's charge is not taken either, even by its name.
        at_terminal(server, "fetch", &json!({ "intent_id": code(0) }), 404);
        assert_eq!(pending(server).len(), 2);
    });
}

#[test]
fn one_terminal_takes_a_charge_and_the_others_show_it_no_more() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let paired = server.control("POST", "/terminals", &json!({ "merchant": KEY, "count": 7 }), 201);
    let ids: Vec<String> = paired["terminals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    for round in 0..20 {
        let made = register(&server, &format!("r{round}"), &json!(10));
        let code = made["payment_request_code"].as_str().unwrap();
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for id in &ids {
                let (server, taken) = (&server, &taken);
                scope.spawn(move || {
                    let path = format!("/_cobro/v1/terminals/{id}/fetch");
                    let fetch = Call::new("POST", &path).json(&json!({ "intent_id": code }));
                    let answer = server.send(&fetch);
                    match answer.status {
                        200 => _ = taken.fetch_add(1, Ordering::Relaxed),
                        status => assert!(matches!(status, 404 | 409), "{}", answer.text()),
                    }
                });
            }
        });
        assert_eq!(taken.load(Ordering::Relaxed), 1);
        let holder = ids.iter().find(|id| {
            let shown = server.control("GET", &format!("/terminals/{id}"), &Value::Null, 200);
            assert_eq!(shown["pending"], json!([]));
            shown["intent"].is_object()
        });
        let path = format!("/terminals/{}/card", holder.unwrap());
        let outcome = server.control("POST", &path, &json!({ "card": APPROVES }), 200);
        assert_eq!(outcome["outcome"], "approved");
    }
    assert!(charges(&server).iter().all(|one| one["statusMsg"] == "COMPLETED"));
}

#[test]
fn terminals_that_ask_for_any_charge_get_one_each() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let paired = server.control("POST", "/terminals", &json!({ "merchant": KEY, "count": 8 }), 201);
    let ids = paired["terminals"].as_array().unwrap();
    for n in 0..ids.len() {
        register(&server, &format!("r{n}"), &json!(10));
    }
    std::thread::scope(|scope| {
        for id in ids {
            let (server, path) =
                (&server, format!("/terminals/{}/fetch", id["id"].as_str().unwrap()));
            scope.spawn(move || server.control("POST", &path, &json!({}), 200));
        }
    });
    assert_eq!(terminal(&server)["pending"], json!([]));
    at_terminal(&server, "fetch", &json!({}), 404);
}

#[test]
fn a_decline_can_be_tried_again() {
    on_both(|server| {
        let made = register(server, "reintento", &json!(600));
        let code = made["payment_request_code"].as_str().unwrap();
        at_terminal(server, "fetch", &json!({ "intent_id": code }), 200);
        let outcome = at_terminal(server, "card", &json!({ "card": NO_FUNDS }), 200);
        assert_eq!(
            (&outcome["outcome"], &outcome["reason"]),
            (&json!("rejected"), &json!("insufficient_funds"))
        );
        assert_eq!(outcome["intent"]["state"], "DECLINED");
        assert_eq!(terminal(server)["intent"]["state"], "DECLINED");
        let declined = charge(server, code);
        assert_eq!(
            (&declined["statusMsg"], &declined["statusCode"]),
            (&json!("DECLINED"), &json!(4))
        );
        assert_eq!(declined["transactionId"], outcome["payment"]["id"]);
        assert_eq!(declined["closedAt"], Value::Null);
        // It is still on the terminal: the next card, with a tip and in months.
        let body = json!({ "card": APPROVES, "tip_minor": 6_000, "installments": 3 });
        let outcome = at_terminal(server, "card", &body, 200);
        assert_eq!(outcome["outcome"], "approved");
        let paid = charge(server, code);
        assert_eq!(paid["statusMsg"], "COMPLETED");
        assert_eq!(paid["transactionId"], outcome["payment"]["id"]);
        // The charge is what was registered; the tip is the payment's.
        assert_eq!(paid["amount"], 600);
        let last = &terminal(server)["last"]["payment"];
        assert_eq!((&last["amount_minor"], &last["tip_minor"]), (&json!(66_000), &json!(6_000)));
        assert_eq!(last["installments"], 3);
    });
}

fn whatever_the_acquirer_does_a_charge_says_where_it_stands(place: &Place) {
    let server = Server::start(place);
    // What it says at once, and after an hour.
    let table = [
        ("approved", "COMPLETED", "COMPLETED"),
        ("rejected", "DECLINED", "EXPIRED"),
        ("error", "DECLINED", "DECLINED"),
        ("reversed", "CANCELLED", "CANCELLED"),
        ("pending", "PENDING", "COMPLETED"),
        ("confirmation_required", "PENDING", "CANCELLED"),
    ];
    for (outcome, at_once, later) in table {
        let made = register(&server, outcome, &json!(10));
        let code = made["payment_request_code"].as_str().unwrap();
        server.control("PUT", "/faults", &json!({ "acquirer": outcome, "times": 1 }), 200);
        at_terminal(&server, "fetch", &json!({ "intent_id": code }), 200);
        let told = at_terminal(&server, "card", &json!({}), 200);
        assert_eq!(told["outcome"], outcome);
        assert_eq!(told["intent"]["state"], at_once, "{outcome}");
        let shown = charge(&server, code);
        assert_eq!(shown["statusMsg"], at_once, "{outcome}");
        let is_closed = at_once != "PENDING" && outcome != "rejected";
        assert_eq!(shown["closedAt"].is_object(), is_closed, "{outcome}: {shown}");
        server.control("POST", "/clock/advance", &json!({ "seconds": 3600 }), 200);
        let shown = charge(&server, code);
        assert_eq!(shown["statusMsg"], later, "{outcome}");
        assert!(shown["closedAt"].is_object(), "{outcome}: {shown}");
        assert_eq!(terminal(&server)["intent"], Value::Null, "{outcome}");
    }
    drop(server);
    verify(place);
}

#[test]
fn given_up_after_a_decline() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let made = register(&server, "nada", &json!(10));
    let code = made["payment_request_code"].as_str().unwrap();
    at_terminal(&server, "fetch", &json!({}), 200);
    at_terminal(&server, "card", &json!({ "card": NO_FUNDS }), 200);
    at_terminal(&server, "cancel", &json!({}), 200);
    let given_up = charge(&server, code);
    assert_eq!((&given_up["statusMsg"], &given_up["statusCode"]), (&json!("CANCELLED"), &json!(3)));
    assert!(given_up["closedAt"].is_object());
    at_terminal(&server, "card", &json!({ "card": APPROVES }), 409);
    drop(server);
    verify(&place);
}

fn time_runs_out_on_the_list_and_on_the_terminal(place: &Place) {
    let server = &Server::start(place);
    let advance = |seconds: i64| {
        server.control("POST", "/clock/advance", &json!({ "seconds": seconds }), 200)
    };
    let first = register(server, "vence", &json!(10));
    advance(86_399);
    let second = register(server, "queda", &json!(10));
    advance(1);
    let code = |made: &Value| made["payment_request_code"].as_str().unwrap().to_owned();
    let expired = charge(server, &code(&first));
    assert_eq!((&expired["statusMsg"], &expired["statusCode"]), (&json!("EXPIRED"), &json!(5)));
    assert_eq!(expired["closedAt"]["epochSecond"], expired["expiresAt"]["epochSecond"]);
    assert_eq!(charge(server, &code(&second))["statusMsg"], "PENDING");
    at_terminal(server, "fetch", &json!({ "intent_id": code(&first) }), 404);
    at_terminal(server, "fetch", &json!({}), 200);
    advance(600);
    assert_eq!(charge(server, &code(&second))["statusMsg"], "EXPIRED");
    assert_eq!(terminal(server)["intent"], Value::Null);
    // A setting of the merchant's.
    let change = json!({ "charge_seconds_max": 60 });
    server.control("PATCH", &format!("/merchants/{KEY}"), &change, 200);
    let third = register(server, "corta", &json!(10));
    advance(60);
    assert_eq!(charge(server, &code(&third))["statusMsg"], "EXPIRED");
}

#[test]
fn a_charge_is_taken_back_only_from_the_list() {
    on_both(|server| {
        let cancel = |id: &str, status: u16| {
            asked(server, "DELETE", &format!("/paymentrequest/{id}"), &Value::Null, status)
        };
        let made = register(server, "uno", &json!(10));
        let code = made["payment_request_code"].as_str().unwrap();
        assert_eq!(cancel(code, 200)["statusMsg"], "CANCELLED");
        assert_eq!(cancel(code, 409), json!({ "message": "the charge is closed" }));
        assert_eq!(terminal(server)["pending"], json!([]));
        let made = register(server, "dos", &json!(10));
        let id = made["payment_request_id"].as_str().unwrap();
        at_terminal(server, "fetch", &json!({ "intent_id": id }), 200);
        assert_eq!(cancel(id, 409), json!({ "message": "the charge is on a terminal" }));
        for unknown in
            ["0000000", "x", "0197a000-0000-4000-8000-000000000001", "%F0%9F%8E%89", "%ff"]
        {
            let path = format!("/paymentrequest/{unknown}");
            for method in ["GET", "DELETE"] {
                let answer = asked(server, method, &path, &Value::Null, 404);
                assert_eq!(answer, json!({ "message": "Not Found" }), "{method} {unknown}");
            }
        }
    });
}

#[test]
fn bad_requests_change_nothing() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let before = server.traces();
    let body = |members: &str| format!(r#"{{"reference":"r","message":"m",{members}}}"#);
    let long = "x".repeat(256);
    let table: Vec<(String, &str)> = vec![
        (String::new(), "the body is empty"),
        ("{".to_owned(), "the body is not valid JSON"),
        ("[]".to_owned(), "the body must be a JSON object"),
        (r#"{"amount":1,"amount":2}"#.to_owned(), "the body has an object with the same key twice"),
        ("{}".to_owned(), "amount is required"),
        (body(r#""amount":null"#), "amount is required"),
        (body(r#""amount":"""#), "amount is required"),
        (body(r#""amount":0"#), "amount must be greater than 0"),
        (body(r#""amount":-1"#), "amount must not be negative"),
        (body(r#""amount":1.001"#), "amount must have at most 2 decimals"),
        (body(r#""amount":"1,5""#), "amount must be a number"),
        (body(r#""amount":{}"#), "amount must be a number"),
        (body(r#""amount":1e99"#), "amount is too large"),
        (body(r#""amount":1,"assigned_user":"caja""#), "assigned_user must be an e-mail address"),
        (body(r#""amount":1,"user_id":[]"#), "user_id must be a string"),
        (r#"{"amount":1,"message":"m"}"#.to_owned(), "reference is required"),
        (r#"{"amount":1,"reference":"r"}"#.to_owned(), "message is required"),
        (
            format!(r#"{{"amount":1,"message":"m","reference":"{long}"}}"#),
            "reference must have at most 255 characters",
        ),
    ];
    for (body, expected) in table {
        let call = Call::new("POST", "/paymentrequest").header("x-api-key", &CAFE.basic());
        let answer = server.send(&call.body(body.clone())).expect(400);
        assert_eq!(answer.json(), json!({ "message": expected }), "{body}");
    }
    let large = Call::new("POST", "/paymentrequest").header("x-api-key", &CAFE.basic());
    let answer = server.send(&large.body("x".repeat((1 << 20) + 1))).expect(413);
    assert_eq!(answer.json(), json!({ "message": "the body is too large" }));
    for (method, path) in [("PUT", "/paymentrequest"), ("GET", "/paymentrequest/a/b")] {
        let answer = asked(&server, method, path, &Value::Null, 404);
        assert_eq!(answer, json!({ "message": "Not Found" }), "{method} {path}");
    }
    assert_eq!(server.traces(), before);
    // What real clients send: a number as text, an integer as reference, a GET with a body.
    let odd = json!({ "amount": "20", "reference": 1042, "message": "☕", "more": [1] });
    asked(&server, "POST", "/paymentrequest", &odd, 200);
    let listed = asked(&server, "GET", "/paymentrequest", &json!({ "jsonReq": 1 }), 200);
    assert_eq!(listed["transactions"][0]["merchantInvoiceId"], "1042");
}

#[test]
fn another_merchants_charge_is_not_there() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let made = register(&server, "mio", &json!(10));
    let id = made["payment_request_id"].as_str().unwrap();
    let world = server.control("POST", "/worlds", &json!({}), 201);
    let key = world["clip"]["api_key"].as_str().unwrap();
    let foreign = Call::get(&format!("/paymentrequest/{id}")).header("x-api-key", key);
    server.send(&foreign).expect(404);
    // A Point intent's id is none of this surface's, and neither is a PinPad request's.
    let body = json!({ "amount": 10, "reference": "p", "serial_number_pos": "P8220000001" });
    let sent = asked(&server, "POST", "/f2f/pinpad/v1/payment", &body, 200);
    let id =
        sent["pinpad_request_id"].as_str().unwrap().strip_prefix("pinpad-").unwrap().to_owned();
    asked(&server, "GET", &format!("/paymentrequest/{id}"), &Value::Null, 404);
    assert_eq!(charges(&server).len(), 1);
}

#[test]
fn an_autopilot_takes_charges_from_the_list() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let autopilot = json!({ "autopilot": { "enabled": true, "delay_ms": 0, "card": APPROVES } });
    server.control("PATCH", &format!("/terminals/{TERMINAL}"), &autopilot, 200);
    let mut live = server.live("");
    let made = register(&server, "solo", &json!(10));
    let id = made["payment_request_id"].as_str().unwrap();
    live.wait(|name, event| {
        name == "event" && event["kind"] == "intent.finished" && event["subject"] == id
    });
    assert_eq!(charge(&server, id)["statusMsg"], "COMPLETED");
}

#[test]
fn live_pages_hear_of_the_list() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let mut one = server.live(&format!("?terminal={TERMINAL}"));
    let mut all = server.live("");
    register(&server, "vivo", &json!(10));
    let shown = one.wait(|name, shown| {
        name == "terminal" && shown["pending"].as_array().is_some_and(|list| list.len() == 1)
    });
    assert_eq!(shown["pending"][0]["offers"]["tip_percents"], json!([10, 15, 20]));
    assert_eq!(shown["pending"][0]["offers"]["installments"], json!([]));
    let pool = all.wait(|name, _| name == "pool");
    assert_eq!(pool, json!({ "dialect": "clip", "merchant": KEY }));
}

crate::on_both!(
    whatever_the_acquirer_does_a_charge_says_where_it_stands,
    time_runs_out_on_the_list_and_on_the_terminal
);
