//! The control API: its shapes, its lists, and whom it lets in (contract, "Control API").

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::point::Seller;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shape::assert_shape;

#[test]
fn shapes_of_the_contract() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLB");
    let receiver = Receiver::start("");
    let webhook = json!({ "webhook": { "url": receiver.url("/signed"), "events": "all" } });
    server.control("PATCH", &format!("/merchants/{}", seller.user_id), &webhook, 200);

    let intent = seller.create(&json!({ "amount": 1500 }));
    let shown = json!({ "id": "x", "state": "x", "amount_minor": 1, "currency": "x" });
    let mut terminal = json!({
        "id": "x", "dialect": "x", "merchant": "x", "operating_mode": "x", "online": true,
        "intent": shown, "pending": [shown],
    });
    assert_shape("a terminal with an intent", &terminal, &seller.terminal());
    let held = seller.terminal();
    assert_eq!(held["pending"], json!([held["intent"]]));
    assert_eq!((&held["dialect"], &held["merchant"]), (&json!("mercadopago"), &json!("100000002")));
    let outcome = seller.take_card(&json!({ "card": "5031433215406351" }));
    let sample = json!({ "outcome": "x", "reason": null, "intent": { "id": "x", "state": "x" },
                         "session": null, "payment": { "id": "x" } });
    assert_shape("an outcome", &sample, &outcome);
    assert_eq!(outcome.as_object().unwrap().len(), 5);
    terminal["intent"] = Value::Null;
    terminal["pending"] = json!([]);
    assert_shape("a free terminal", &terminal, &seller.terminal());
    assert_eq!(seller.terminal()["intent"], Value::Null);
    assert_eq!(seller.terminal()["pending"], json!([]));
    receiver.told(&intent, "FINISHED");
    server.live("").next();
    lists(&server);
}

/// Each list has rows of its shape.
fn lists(server: &Server<'_>) {
    let table = [
        (
            "balances",
            "/ledger/balances",
            json!({ "account": "x", "currency": "x", "balance_minor": 1 }),
        ),
        (
            "postings",
            "/ledger/postings",
            json!({ "id": "x", "at": "x", "event": "x",
                    "entries": [{ "account": "x", "currency": "x", "amount_minor": 1 }] }),
        ),
        (
            "events",
            "/events",
            json!({ "id": "x", "at": "x", "dialect": "x", "merchant": "x", "kind": "x",
                    "subject": "x", "data": {} }),
        ),
        (
            "deliveries",
            "/deliveries",
            json!({ "id": "x", "event_id": "x", "dialect": "x", "url": "x", "attempt": 1,
                    "state": "x", "next_at": null,
                    "request": { "headers": {}, "body": null }, "response": null }),
        ),
        (
            "requests",
            "/requests",
            json!({ "id": "x", "at": "x", "dialect": "x", "host": "x", "method": "x", "path": "x",
                    "status": 1, "duration_us": 1, "request": { "headers": {}, "body": null },
                    "response": { "headers": {}, "body": null } }),
        ),
    ];
    for (plural, path, sample) in table {
        let rows = server.list(plural, path);
        assert!(!rows.is_empty(), "{plural}");
        for row in rows {
            assert_shape(plural, &sample, &row);
        }
    }
}

#[test]
fn lists_come_in_pages_newest_first() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    for _ in 0..4 {
        seller.pay(1500);
    }
    for (plural, path) in [
        ("events", "/events"),
        ("postings", "/ledger/postings"),
        ("balances", "/ledger/balances"),
        ("terminals", "/terminals"),
    ] {
        let all = server.list(plural, path);
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server.control("GET", &format!("{path}?limit=2{cursor}"), &Value::Null, 200);
            let rows = page[plural].as_array().unwrap();
            assert!((1..=2).contains(&rows.len()), "{plural}: {page}");
            walked.extend(rows.iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(walked, all, "{plural}");
        if all[0].get("at").is_some() {
            let times: Vec<&str> = all.iter().map(|row| row["at"].as_str().unwrap()).collect();
            assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
        }
        for query in ["limit=0", "limit=1001", "limit=x", "limit=-1"] {
            let answer = server.send(&Call::get(&format!("/_cobro/v1{path}?{query}"))).expect(400);
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            assert_eq!(answer.json()["status"], 400);
        }
    }
}

#[test]
fn foreign_pages_and_unknown_paths_are_refused() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let target = "/_cobro/v1/worlds/demo";
    for (name, value, status) in [
        ("Host", "evil.example", 403),
        ("Host", "127.0.0.1.evil.example", 403),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Sec-Fetch-Site", "same-origin", 200),
        ("Host", "localhost", 200),
    ] {
        let answer = server.send(&Call::get(target).header(name, value)).expect(status);
        assert_eq!(answer.json().get("mercado_pago").is_some(), status == 200, "{name}: {value}");
    }
    let unknown = Call::get("/_cobro/v1/clock").header("Cobro-World", "w_none");
    let table = [
        (unknown, 404),
        (Call::get("/_cobro/v1/nothing"), 404),
        (Call::new("PUT", "/_cobro/v1/clock"), 405),
        (Call::get("/_cobro/v1/terminals/none"), 404),
        (Call::get("/_cobro/v1/merchants/none"), 404),
        (Call::get("/_cobro/v1/worlds/w_none"), 404),
        (Call::new("POST", "/_cobro/v1/clock/advance").body("nonsense"), 400),
        (Call::new("POST", "/_cobro/v1/clock/advance").body(r#"{"seconds":-1}"#), 400),
    ];
    for (call, status) in table {
        let answer = server.send(&call).expect(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{call:?}");
        assert_eq!(answer.json()["status"], status);
    }
}

#[test]
fn secrets_are_not_shown_in_the_journal() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    let (_, payment) = seller.pay(1500);
    seller.integrator_token();
    let requests = server.control("GET", "/requests?limit=1000", &Value::Null, 200);
    let text = requests.to_string();
    assert!(text.contains(&payment) || text.contains("payment-intents"));
    assert!(!text.contains(&seller.token), "the access token");
    assert!(!text.contains(&seller.integrator_token()), "the integrator's token");
    assert!(!server.log().contains(&seller.token));
    let first = requests["requests"].as_array().unwrap().last().unwrap();
    assert_eq!((&first["method"], &first["status"]), (&json!("POST"), &json!(201)));
    assert_eq!(first["request"]["body"], json!({ "amount": 1500 }));
}

fn a_delivery_is_replayed_and_tried_again(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let mut live = server.live("");
    let receiver = Receiver::start("");
    receiver.refuse(2);
    let webhook = json!({ "webhook": { "url": receiver.url("/signed") } });
    server.control("PATCH", "/merchants/100000001", &webhook, 200);
    let intent = seller.create(&json!({ "amount": 1500 }));
    seller.cancel(&intent).expect(200);
    receiver.wait_for(1);
    let failed = live.wait(|name, data| {
        name == "delivery" && data["attempt"] == 1 && data["response"].is_object()
    });
    assert_eq!((&failed["state"], &failed["response"]["status"]), (&json!("waiting"), &json!(500)));
    assert!(failed["next_at"].is_string());
    // The schedule of the reference: 5 minutes after the first attempt, then 45.
    seller.advance(290);
    assert_eq!(receiver.notices().len(), 1);
    seller.advance(20);
    receiver.wait_for(2);
    seller.advance(2_600);
    receiver.wait_for(3);
    let done = server.list("deliveries", "/deliveries");
    assert_eq!((&done[0]["state"], &done[0]["attempt"]), (&json!("delivered"), &json!(3)));
    let path = format!("/deliveries/{}/replay", done[0]["id"].as_str().unwrap());
    let replay = server.control("POST", &path, &json!({}), 200);
    assert_ne!(replay["id"], done[0]["id"]);
    receiver.wait_for(4);
    let bodies: Vec<Value> = receiver.notices().into_iter().map(|one| one.body).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

crate::on_both!(a_delivery_is_replayed_and_tried_again);
