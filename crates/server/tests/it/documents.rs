//! The documents say what the server does: every path that they have is called here, every status
//! of the dialect is met, and each answer has the form of its example.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::http::{Call, Events};
use crate::place::Place;
use crate::point::Seller;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shared::documents::{Operation, Walked, examples, operations, operations_of};

const API: &str = "/point/integration-api";

/// Paths that the programs beside this one walk: the rest of Point, and the other dialects.
const ELSEWHERE: [&str; 18] = [
    "/payment",
    "/card_tokens",
    "/refunds",
    "/settlements",
    "/checkout",
    "/v2/checkout",
    "/f2f/",
    "/oauth/",
    "/users/",
    "/v1/payments/search",
    "/point/integration-api/integrator",
    "/point/integration-api/refund/",
    "/point/integration-api/devices/{device_id}/refund",
    "/point/integration-api/payment-intents/events",
    "/point/integration-api/payment-intents/{payment_intent_id}/events",
    "/api/",
    "/_cobro/v1/sessions/",
    "/_cobro/v1/settlements",
];

fn is_elsewhere(path: &str) -> bool {
    // The plural is ours, the singular is not.
    let is_plural = path.starts_with("/point/integration-api/integrators");
    !is_plural && ELSEWHERE.iter().any(|prefix| path.starts_with(prefix))
}

#[test]
fn documents_are_openapi() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let mut parts = BTreeSet::new();
    let names = ["mercadopago", "control", "placetopay", "clip"];
    let names = names.map(|name| format!("/openapi/{name}.json"));
    for name in names.iter().map(String::as_str).chain(["/openapi.json"]) {
        let answer = server.send(&Call::get(name));
        if answer.status == 404 {
            continue;
        }
        let document = answer.expect(200).json();
        assert_eq!(document["openapi"], "3.1.0", "{name}");
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        let mut ids = BTreeSet::new();
        for Operation { method, path, said: operation } in operations_of(&document) {
            let what = format!("{name}: {method} {path}");
            assert!(ids.insert(operation["operationId"].to_string()), "{what}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{what}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(status.parse::<u16>().is_ok(), "{what}");
                for (kind, example) in examples(response) {
                    let is_json = kind.ends_with("json") && !example.is_string();
                    assert!(is_json || kind == "text/event-stream", "{what} {status}: {example}");
                }
            }
            let has_body = operation.get("requestBody").is_some();
            let example = examples(&operation["requestBody"]);
            assert_eq!(example.len(), usize::from(has_body), "{what}");
            if name != "/openapi.json" {
                parts.insert((method, path));
            }
        }
    }
    let all = operations(&server, "/openapi.json").into_iter();
    let all: BTreeSet<_> = all.map(|one| (one.method, one.path)).collect();
    assert_eq!(all, parts, "the whole is its parts");
    for wrong in ["/openapi/none.json", "/openapi/mercadopago", "/openapi/"] {
        server.send(&Call::get(wrong)).expect(404);
    }
}

#[test]
fn every_documented_route_and_answer() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    walk_dialect(&server);
    walk_control(&server);
    let operations = operations(&server, "/openapi.json");
    // What an event has to say differs from kind to kind, and a recorded request is whatever a
    // caller sent.
    let varies = &["/data/", "/body", "/headers/"];
    let walked = Walked { operations: &operations, calls: server.calls(), varies };
    let ours = operations.iter().filter(|one| !is_elsewhere(&one.path));
    // A server that is busy or broken is not met here; of the control API only what works.
    walked.assert_told(ours, |operation, status| {
        !status.starts_with('5')
            && (status.starts_with('2') || !operation.path.starts_with("/_cobro"))
    });
}

/// Waits until it is written down that the end of an intent was told.
fn delivered(live: &mut Events, intent: &str) {
    live.wait(|name, delivery| {
        let body = delivery["request"]["body"].as_str().unwrap_or_default();
        name == "delivery"
            && delivery["state"] == "delivered"
            && body.contains(intent)
            && body.contains("CANCELED")
    });
}

/// A request for an intent with every member that it may have in Argentina.
fn whole_intent() -> Value {
    json!({
        "amount": 150_000,
        "additional_info": {
            "external_reference": "x", "print_on_terminal": true, "ticket_number": "T",
        },
    })
}

/// Meets every status that the dialect's document has, but those of a server that is busy.
fn walk_dialect(server: &Server<'_>) {
    let seller = Seller::demo(server, "MLA");
    let foreign = seller.at("PAX_A910__SBX9999999");
    let none = "0f6f3c52-0d0e-4b7e-9d3b-6a3f5a1c7e20";
    let device = format!("{API}/devices/{}", seller.device);
    let foreign_device = format!("{API}/devices/{}", foreign.device);
    let integrators = format!("{API}/integrators");
    let check = format!("{integrators}/check");
    let send = |method: &str, target: &str, body: &str, status: u16| {
        server.send(&seller.call(method, target).body(body)).expect(status)
    };

    send("GET", &format!("{API}/devices?limit=0"), "", 400);
    send("GET", &format!("{API}/devices"), "", 200);
    send("PATCH", &device, r#"{"operating_mode":"PDV"}"#, 200);
    send("PATCH", &device, "", 400);
    send("PATCH", &foreign_device, r#"{"operating_mode":"PDV"}"#, 403);
    send("POST", &check, "", 400);
    send("PATCH", &integrators, "{}", 400);
    let receiver = seller.subscribe();
    let mut live = server.live("");
    send("GET", &integrators, "", 200);

    let body = &whole_intent().to_string();
    let intents = seller.intents();
    let created = send("POST", &intents, body, 201).json();
    let intent = created["id"].as_str().unwrap();
    send("POST", &intents, body, 409);
    send("POST", &intents, "{}", 400);
    send("POST", &foreign.intents(), body, 403);
    send("DELETE", &format!("{}/{intent}", foreign.intents()), "", 403);
    send("DELETE", &format!("{intents}/{none}"), "", 404);
    send("GET", &format!("{API}/payment-intents/{none}"), "", 404);
    seller.at_terminal("fetch", &json!({})).expect(200);
    send("DELETE", &format!("{intents}/{intent}"), "", 409);
    let outcome = seller.at_terminal("card", &json!({})).expect(200).json();
    receiver.told(intent, "FINISHED");
    send("GET", &format!("{API}/payment-intents/{intent}"), "", 200);
    let canceled = seller.create(&whole_intent());
    send("DELETE", &format!("{intents}/{canceled}"), "", 200);
    delivered(&mut live, &canceled);

    let payment = format!("/v1/payments/{}", outcome["payment"]["id"].as_str().unwrap());
    let refunds = format!("{payment}/refunds");
    let refund = send("POST", &refunds, r#"{"amount":5.5}"#, 201).json();
    send("POST", &refunds, r#"{"amount":5000}"#, 400);
    send("GET", &payment, "", 200);
    send("GET", &refunds, "", 200);
    send("GET", &format!("{refunds}/{}", refund["id"]), "", 200);
    send("GET", &format!("{refunds}/1"), "", 404);
    send("GET", "/v1/payments/1", "", 404);
    send("GET", "/v1/payments/1/refunds", "", 404);
    send("POST", "/v1/payments/1/refunds", "", 404);
    let large = "x".repeat((1 << 20) + 1);
    for (method, target) in
        [("PATCH", &device), ("POST", &intents), ("PATCH", &integrators), ("POST", &refunds)]
    {
        send(method, target, &large, 413);
    }
    for Operation { method, path, said } in operations(server, "/openapi/mercadopago.json") {
        if is_elsewhere(&path) {
            continue;
        }
        assert!(said["responses"].get("401").is_some(), "{method} {path}");
        let target = path.replace("{device_id}", &seller.device).replace(['{', '}'], "");
        server.send(&Call::new(&method, &target)).expect(401);
    }
}

/// Calls everything that the control API can do.
fn walk_control(server: &Server<'_>) {
    let control = |method: &str, path: &str, body: Value, status: u16| {
        server.control(method, path, &body, status)
    };
    let nothing = || Value::Null;
    let world = control("POST", "/worlds", json!({ "name": "prueba" }), 201);
    let world = format!("/worlds/{}", world["id"].as_str().unwrap());
    control("GET", &world, nothing(), 200);
    control("DELETE", &world, nothing(), 204);

    let paired = control("POST", "/terminals", json!({ "merchant": "100000001", "count": 2 }), 201);
    let id = |place: usize| paired["terminals"][place]["id"].as_str().unwrap().to_owned();
    let seller = Seller::demo(server, "MLA").at(&id(0));
    let terminal = format!("/terminals/{}", seller.device);
    control("DELETE", &format!("/terminals/{}", id(1)), nothing(), 204);
    control("GET", "/terminals", nothing(), 200);
    control("GET", "/sessions", nothing(), 200);
    control("GET", "/cards", nothing(), 200);
    let change = json!({ "cashier": "caja1@tienda.example", "online": true });
    control("PATCH", &terminal, change, 200);
    let fault = json!({ "acquirer": "rejected", "terminal": seller.device, "times": 1 });
    control("PUT", "/faults", fault, 200);
    control("GET", "/faults", nothing(), 200);
    seller.create(&whole_intent());
    control("POST", &format!("{terminal}/fetch"), json!({}), 200);
    let outcome = control("POST", &format!("{terminal}/card"), json!({ "hold": true }), 200);
    assert_eq!(outcome["outcome"], "rejected");
    control("POST", &format!("{terminal}/close"), json!({}), 200);
    seller.create(&whole_intent());
    control("POST", &format!("{terminal}/fetch"), json!({}), 200);
    control("GET", &terminal, nothing(), 200);
    control("POST", &format!("{terminal}/cancel"), json!({}), 200);

    let receiver = Receiver::start("");
    let webhook = json!({ "webhook": { "url": receiver.url("/signed"), "events": "final" } });
    control("PATCH", "/merchants/100000001", webhook, 200);
    control("GET", "/merchants/100000001", nothing(), 200);
    let mut live = server.live("");
    let intent = seller.create(&whole_intent());
    seller.cancel(&intent).expect(200);
    delivered(&mut live, &intent);
    let deliveries = control("GET", "/deliveries", nothing(), 200);
    let delivery = deliveries["deliveries"][0]["id"].as_str().unwrap();
    control("POST", &format!("/deliveries/{delivery}/replay"), json!({}), 200);
    receiver.wait_for(2);
    control("POST", "/deliveries/replay", json!({ "ids": [delivery] }), 200);
    control("GET", "/endpoints", nothing(), 200);
    control("POST", "/live/tickets", json!({}), 201);
    server.live("?terminal=PAX_A910__SBX0000001").wait(|name, _| name == "terminal");
    control("GET", "/clock", nothing(), 200);
    seller.create(&whole_intent());
    control("POST", "/clock/advance", json!({ "seconds": 700 }), 200);
    control("POST", "/oauth/codes", json!({ "user_id": 100_000_001 }), 201);
    for list in ["/requests", "/events", "/ledger/balances", "/ledger/postings"] {
        control("GET", list, nothing(), 200);
    }
}
