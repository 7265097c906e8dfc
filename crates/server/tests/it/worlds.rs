//! Worlds: each has merchants, credentials, terminals and a clock of its own.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;
use crate::shape::assert_shape;

const API: &str = "/point/integration-api";

#[track_caller]
fn make(server: &Server<'_>) -> Value {
    server.control("POST", "/worlds", &json!({ "name": "prueba" }), 201)
}

fn remove(server: &Server<'_>, world: &Value) {
    let path = format!("/worlds/{}", world["id"].as_str().unwrap());
    server.control("DELETE", &path, &Value::Null, 204);
}

#[test]
fn a_world_has_what_the_contract_says() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let sample = json!({
        "id": "w_01jd", "name": "prueba", "now": "2026-11-20T10:00:00Z",
        "mercado_pago": {
            "client_id": 1_000_000_000_000_001_i64, "client_secret": "x", "webhook_secret": "x",
            "sellers": [{ "site": "MLA", "user_id": 1, "access_token": "x", "integrator_token": "x",
                          "terminals": ["x"] }],
        },
    });
    let made = make(&server);
    let demo = server.control("GET", "/worlds/demo", &Value::Null, 200);
    for world in [&made, &demo] {
        assert_shape("a world", &sample, world);
        let sellers = world["mercado_pago"]["sellers"].as_array().unwrap();
        let sites: Vec<&str> = sellers.iter().map(|one| one["site"].as_str().unwrap()).collect();
        assert_eq!(sites, ["MLA", "MLB", "MLM"]);
    }
    assert!(made["id"].as_str().unwrap().starts_with("w_"));
    assert_eq!(made["name"], "prueba");
    let id = made["id"].as_str().unwrap();
    let read = server.control("GET", &format!("/worlds/{id}"), &Value::Null, 200);
    assert_eq!(read["mercado_pago"], made["mercado_pago"]);
    // Those of the demo world are the ones of the contract.
    assert_eq!(demo["id"], "demo");
    for site in ["MLA", "MLB", "MLM"] {
        let (fixed, shown) = (Seller::demo(&server, site), Seller::of(&server, &demo, site));
        assert_eq!(
            (fixed.token, fixed.device, fixed.user_id),
            (shown.token, shown.device, shown.user_id)
        );
    }
    let secret = "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184";
    assert_eq!(demo["mercado_pago"]["webhook_secret"], secret);
    assert_eq!(demo["mercado_pago"]["client_secret"], "secreto-de-la-aplicacion-demo-01");
}

#[test]
fn worlds_do_not_see_each_other() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let (one, two) = (make(&server), make(&server));
    let sellers = [
        Seller::demo(&server, "MLA"),
        Seller::of(&server, &one, "MLA"),
        Seller::of(&server, &two, "MLA"),
    ];
    let paid: Vec<(String, String)> = sellers.iter().map(|seller| seller.pay(1500)).collect();
    for (place, seller) in sellers.iter().enumerate() {
        let devices = seller.get(&format!("{API}/devices"));
        assert_eq!(devices["paging"]["total"], 1);
        assert_eq!(devices["devices"][0]["id"], *seller.device);
        for (other, stranger) in sellers.iter().enumerate().filter(|(other, _)| *other != place) {
            assert_ne!(seller.token, stranger.token);
            let foreign = seller.at(&stranger.device);
            foreign.post(&json!({ "amount": 1500 })).expect(403);
            foreign.at_terminal("fetch", &json!({})).expect(404);
            let (intent, payment) = &paid[other];
            let intent = format!("{API}/payment-intents/{intent}");
            server.send(&seller.call("GET", &intent)).expect(404);
            // Numbers of payments are the world's own: the same one is another payment here.
            let found = server.send(&seller.call("GET", &format!("/v1/payments/{payment}")));
            if found.status == 200 {
                assert_eq!(found.json()["metadata"]["payment_intent_id"], paid[place].0);
            } else {
                found.expect(404);
            }
        }
        let events = seller.control("GET", "/events", &Value::Null).expect(200).json();
        let merchants = events["events"].as_array().unwrap().iter();
        let own = seller.user_id.to_string();
        assert!(merchants.map(|event| &event["merchant"]).all(|merchant| *merchant == *own));
    }
    remove(&server, &one);
    remove(&server, &two);
}

#[test]
fn a_removed_world_is_gone() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let (world, kept) = (make(&server), make(&server));
    let seller = Seller::of(&server, &world, "MLB");
    seller.pay(1500);
    remove(&server, &world);
    let devices = format!("{API}/devices");
    let answer = server.send(&seller.call("GET", &devices)).expect(401).json();
    assert_eq!(answer["error"], "unauthorized");
    seller.control("GET", "/events", &Value::Null).expect(404);
    let path = format!("/_cobro/v1/worlds/{}", world["id"].as_str().unwrap());
    for method in ["GET", "DELETE"] {
        server.send(&Call::new(method, &path)).expect(404);
    }
    server.send(&Call::new("DELETE", "/_cobro/v1/worlds/demo")).expect(409);
    // The others, and those after a restart, are as they were.
    Seller::of(&server, &kept, "MLB").pay(1500);
    let call = seller.call("GET", &devices);
    let server = server.restart();
    server.send(&call).expect(401);
    Seller::of(&server, &kept, "MLB").pay(1500);
    Seller::demo(&server, "MLB").pay(1500);
}

#[test]
fn each_world_has_a_clock_of_its_own() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let world = make(&server);
    let (demo, other) = (Seller::demo(&server, "MLA"), Seller::of(&server, &world, "MLA"));
    let waiting = other.create(&json!({ "amount": 1500 }));
    let abandoned = demo.create(&json!({ "amount": 1500 }));
    let hour = |seller: &Seller<'_>| {
        let now = seller.control("GET", "/clock", &Value::Null).expect(200).json();
        now["now"].as_str().unwrap()[..13].to_owned()
    };
    let before = hour(&other);
    demo.advance(86_400);
    assert_ne!(hour(&demo)[..10], before[..10]);
    assert_eq!(hour(&other)[..10], before[..10]);
    assert_eq!(demo.intent(&abandoned)["state"], "ABANDONED");
    assert_eq!(other.intent(&waiting)["state"], "OPEN");
    let day = hour(&demo)[..10].to_owned();
    // A restart keeps the time.
    let server = server.restart();
    let demo = Seller::demo(&server, "MLA");
    assert_eq!(hour(&demo)[..10], day);
    let back = json!({ "to": "2020-01-01T00:00:00Z" });
    let refused = demo.control("POST", "/clock/advance", &back).expect(400);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
}
