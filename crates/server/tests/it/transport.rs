//! What clients send besides what is documented: reference, section 1.1.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

const API: &str = "/point/integration-api";

#[test]
fn lenient_transport() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    let (intent, payment) = seller.pay(1500);
    let devices = seller.get(&format!("{API}/devices"));
    let get = |target: &str| seller.call("GET", target);
    let same: [(Call, &Value); 11] = [
        (get(&format!("{API}/devices?")), &devices),
        (get(&format!("{API}/devices/")), &devices),
        (get(&format!("{API}/devices/?")), &devices),
        (get(&format!("{API}/devices?x=1&&limit=50")), &devices),
        (get(&format!("{API}/devices")).json(&json!({})), &devices),
        (get(&format!("{API}/devices")).body("{}"), &devices),
        (get(&format!("{API}/devices")).body("not json"), &devices),
        (get(&format!("/mercadopago{API}/devices")), &devices),
        (get(&format!("{API}/devices?access_token=x")), &devices),
        (Call::get(&format!("{API}/devices?access_token={}", seller.token)), &devices),
        (Call::get(&format!("{API}/devices")).header("Authorization", &seller.token), &devices),
    ];
    for (call, expected) in same {
        let answer = server.send(&call).expect(200);
        assert_eq!(answer.json(), *expected, "{call:?}");
    }
    let paths = [
        format!("{API}/payment-intents/{intent}"),
        format!("/v1/payments/{payment}"),
        format!("/v1/payments/{payment}/refunds"),
    ];
    for path in paths {
        let plain = server.send(&get(&path)).expect(200).text();
        for other in
            [format!("{path}/"), format!("/mercadopago{path}"), format!("/mercadopago{path}/?")]
        {
            assert_eq!(server.send(&get(&other)).expect(200).text(), plain, "{other}");
        }
    }
}

#[test]
fn bodies_whatever_their_content_type() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    let bodies = [
        r#"{"amount":1500}"#,
        " {\r\n\t\"amount\" : 1500 }\n",
        r#"{"amount":1500.0}"#,
        r#"{"amount":1.5E+003}"#,
        r#"{"amount":15e2}"#,
        r#"{"amount":150000e-2}"#,
        r#"{"amount":1500,"additional_info":{"external_reference":"ñandú 😀 \ud83d\ude00"}}"#,
    ];
    let types = [
        None,
        Some("application/json"),
        Some("application/json; charset=UTF-8"),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ];
    for body in bodies {
        for kind in types {
            let call = seller.call("POST", &seller.intents()).body(body);
            let call = match kind {
                Some(kind) => call.header("Content-Type", kind),
                None => call,
            };
            // Headers of the official SDKs, none of which changes anything.
            let call = call
                .header("X-Product-Id", "x")
                .header("X-Tracking-Id", "platform:v20|v20,type:SDK2,so;")
                .header("X-Platform-Id", "x")
                .header("X-Integrator-Id", "x")
                .header("X-Corporation-Id", "x")
                .header("X-Meli-Session-Id", "x")
                .header("X-Test-Token", "true")
                .header("x-test-scope", "sandbox")
                .header("Accept", "text/html");
            let answer = server.send(&call).expect(201).json();
            assert_eq!(answer["amount"], 1500, "{body}");
            let id = answer["id"].as_str().unwrap();
            // odoo sends an empty object with every call.
            server.send(&seller.cancellation(id).json(&json!({}))).expect(200);
        }
    }
    let shown = seller.create(&serde_json::from_str(bodies[6]).unwrap());
    let reference = seller.intent(&shown)["additional_info"]["external_reference"].clone();
    assert_eq!(reference, "ñandú 😀 😀");
}

#[test]
fn every_answer_has_a_name_and_the_connection_stays() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    let mut connection = server.connect();
    let mut names = BTreeSet::new();
    let calls = [
        seller.call("GET", &format!("{API}/devices")),
        seller.call("GET", "/v1/payments/1"),
        seller.creation(&json!({ "amount": 1 })),
        Call::get(&format!("{API}/devices")),
        Call::get("/v1/nothing"),
    ];
    for call in &calls {
        let answer: Answer = connection.send(call).unwrap();
        let kind = "application/json; charset=utf-8";
        assert_eq!(answer.header("content-type"), Some(kind), "{call:?}");
        names.insert(answer.header("x-request-id").unwrap().to_owned());
    }
    assert_eq!(names.len(), calls.len(), "each of its own: {names:?}");
}

#[test]
fn members_stand_in_the_order_of_real_answers() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLB");
    let body = json!({ "amount": 1400, "description": "Mesa 7",
                       "additional_info": { "print_on_terminal": true, "external_reference": "x" } });
    let created = seller.post(&body).expect(201);
    let intent = created.json()["id"].as_str().unwrap().to_owned();
    let outcome = seller.take_card(&json!({}));
    let payment = outcome["payment"]["id"].as_str().unwrap();
    let targets = [
        format!("{API}/payment-intents/{intent}"),
        format!("/v1/payments/{payment}"),
        format!("{API}/devices"),
    ];
    let read = |target: &String| server.send(&seller.call("GET", target)).expect(200);
    for answer in targets.iter().map(read).chain([created]) {
        // A map of this library is sorted, so that writing it again gives the order wanted.
        assert_eq!(answer.text(), answer.json().to_string());
    }
}

#[test]
fn the_list_of_devices_comes_in_pages() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLM");
    let pairing = json!({ "merchant": seller.user_id, "count": 59 });
    seller.control("POST", "/terminals", &pairing).expect(201);
    let page = |query: &str| seller.get(&format!("{API}/devices?{query}"));
    let ids = |page: &Value| -> Vec<String> {
        let devices = page["devices"].as_array().unwrap();
        devices.iter().map(|device| device["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = page("");
    assert_eq!(first["paging"], json!({ "limit": 50, "offset": 0, "total": 60 }));
    let rest = page("offset=50");
    assert_eq!((ids(&first).len(), ids(&rest).len()), (50, 10));
    let all: BTreeSet<String> = ids(&first).into_iter().chain(ids(&rest)).collect();
    assert_eq!(all.len(), 60);
    assert_eq!(ids(&page("limit=2&offset=1")), ids(&first)[1..3]);
    assert_eq!(page("limit=1000")["paging"]["limit"], 50);
    assert!(ids(&page("offset=60")).is_empty());
    let pos = first["devices"][3]["pos_id"].as_i64().unwrap();
    assert_eq!(ids(&page(&format!("pos_id={pos}"))), ids(&first)[3..4]);
    assert_eq!(page("store_id=47792478")["paging"]["total"], 60);
    assert_eq!(page("store_id=1")["paging"]["total"], 0);
    // Each is a terminal like the first.
    let other = seller.at(&ids(&rest)[0]);
    other.pay(1500);
    seller.pay(1500);
}
