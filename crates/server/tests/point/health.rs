//! The journal of notifications: every attempt, the addresses' health, and sending many again.

use serde_json::{Value, json};

use crate::place::Place;
use crate::point::Seller;
use crate::receiver::Receiver;
use crate::server::Server;

fn subscribed<'s>(server: &'s Server<'_>) -> (Seller<'s>, Receiver) {
    let seller = Seller::demo(server, "MLA");
    let receiver = Receiver::start("");
    let webhook = json!({ "webhook": { "url": receiver.url("/signed") } });
    seller.control("PATCH", &format!("/merchants/{}", seller.user_id), &webhook).expect(200);
    (seller, receiver)
}

fn deliveries(server: &Server<'_>) -> Vec<Value> {
    server.list("deliveries", "/deliveries")
}

/// Cancels an intent of its own, and waits until its notification has been tried.
fn told(seller: &Seller<'_>) -> Value {
    let mut live = seller.server.live("");
    seller.cancel(&seller.create(&json!({ "amount": 1500 }))).expect(200);
    live.wait(|name, row| name == "delivery" && row["response"] != Value::Null)
}

fn every_attempt_is_kept_with_its_times(place: &Place) {
    let server = Server::start(place);
    let (seller, receiver) = subscribed(&server);
    receiver.refuse(2);
    let first = told(&seller);
    assert_eq!((&first["state"], &first["attempts"][0]["attempt"]), (&json!("waiting"), &json!(1)));
    for attempts in [2, 3] {
        let next_at = deliveries(&server)[0]["next_at"].clone();
        server.control("POST", "/clock/advance", &json!({ "to": next_at }), 200);
        assert_eq!(deliveries(&server)[0]["attempt"], attempts);
    }
    let done = deliveries(&server).remove(0);
    assert_eq!((&done["state"], &done["response"]["status"]), (&json!("delivered"), &json!(200)));
    assert!(done["response"].get("earlier").is_none(), "{done}");
    let attempts = done["attempts"].as_array().unwrap();
    let statuses: Vec<&Value> = attempts.iter().map(|one| &one["response"]["status"]).collect();
    assert_eq!(statuses, [500, 500, 200]);
    for (before, after) in attempts.iter().zip(&attempts[1..]) {
        assert!(before["at"].as_str() < after["due_at"].as_str(), "{done}");
        assert!(after["due_at"].as_str() <= after["at"].as_str(), "{done}");
        assert!(before["request"]["headers"]["x-signature"].is_string(), "{done}");
        assert_eq!(before["request"]["body"], done["request"]["body"]);
    }
    // A server that starts again has read it all from its database.
    let server = server.restart();
    assert_eq!(deliveries(&server).remove(0), done);
}

#[test]
fn addresses_have_a_health_and_many_are_sent_again() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let health = || server.control("GET", "/endpoints", &Value::Null, 200)["endpoints"].clone();
    assert_eq!(health(), json!([]));
    let (seller, receiver) = subscribed(&server);
    told(&seller);
    receiver.refuse(1);
    let refused = told(&seller);
    let [found] = health().as_array().unwrap().clone().try_into().unwrap();
    for (member, expected) in [
        ("url", json!(receiver.url("/signed"))),
        ("merchant", json!("100000001")),
        ("deliveries", json!(2)),
        ("delivered", json!(1)),
        ("waiting", json!(1)),
        ("attempts", json!(2)),
        ("success_percent", json!(100)),
        ("next_at", refused["next_at"].clone()),
    ] {
        assert_eq!(found[member], expected, "{member} in {found}");
    }
    let last = &found["last"];
    assert_eq!((&last["id"], &last["status"]), (&refused["id"], &json!(500)), "{found}");

    let ids: Vec<Value> = deliveries(&server).iter().map(|row| row["id"].clone()).collect();
    let before = receiver.notices().len();
    let made = server.control("POST", "/deliveries/replay", &json!({ "ids": ids }), 200);
    receiver.wait_for(before + 2);
    for (row, old) in made["deliveries"].as_array().unwrap().iter().zip(&ids) {
        assert!(row["id"] != *old && row["state"] == "waiting" && row["attempts"] == json!([]));
    }
    for (body, status) in [
        (json!({ "ids": [] }), 400),
        (json!({ "ids": [1] }), 400),
        (json!({}), 400),
        (json!({ "ids": ["none"] }), 404),
    ] {
        server.control("POST", "/deliveries/replay", &body, status);
    }
}

crate::on_both!(every_attempt_is_kept_with_its_times);
