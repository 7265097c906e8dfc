//! Payments that recur: the clock charges the card of the first.

use serde_json::{Value, json};

use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shop::{COLOMBIA, charges, collect, payment};

crate::on_both!(
    charges_follow_until_they_are_used_up,
    a_charge_that_fails_is_tried_four_times_in_all,
);

const DAY: i64 = 24 * 3600;

fn advance(server: &Server<'_>, seconds: i64) {
    server.control("POST", "/clock/advance", &json!({ "seconds": seconds }), 200);
}

/// What was told of recurring charges: how often it was tried, whether more follow, the status.
fn told(receiver: &Receiver) -> Vec<(i64, bool, String)> {
    let read = |body: &Value| {
        let recurring = &body["recurring"];
        assert!(body["internalReference"].is_i64() && body.get("requestId").is_none(), "{body}");
        assert!(body["signature"].is_string());
        (
            recurring["tries"].as_i64().unwrap(),
            recurring["enabled"].as_bool().unwrap(),
            body["status"]["status"].as_str().unwrap().to_owned(),
        )
    };
    receiver.notices().iter().map(|notice| read(&notice.body)).collect()
}

fn recurring(receiver: &Receiver, max: i64) -> Value {
    json!({ "periodicity": "D", "interval": 2, "maxPeriods": max,
        "notificationUrl": receiver.url("/r") })
}

fn charges_follow_until_they_are_used_up(place: &Place) {
    let server = Server::start(place);
    let receiver = Receiver::start("");
    // Typed on a page, and a token: the card of the first charge is charged again.
    let mut body = payment("REC-1", "COP", 100);
    body["payment"]["recurring"] = recurring(&receiver, 3);
    let id = COLOMBIA.call(&server, "/api/session", body, 200)["requestId"].clone();
    server.control("POST", &format!("/sessions/{id}/pay"), &json!({}), 200);
    receiver.wait_for(1);
    assert_eq!(charges(&server), 1);
    let query = COLOMBIA.call(&server, &format!("/api/session/{id}"), json!({}), 200);
    assert_eq!(query["subscription"], Value::Null, "the card is nobody's token");
    advance(&server, 2 * DAY - 60);
    assert_eq!(charges(&server), 1);
    advance(&server, 120);
    assert_eq!(charges(&server), 2);
    advance(&server, 30 * DAY);
    assert_eq!(charges(&server), 3);
    receiver.wait_for(3);
    let approved = |enabled| (0, enabled, "APPROVED".to_owned());
    assert_eq!(told(&receiver), [approved(true), approved(true), approved(false)]);
    let token = COLOMBIA.token(&server, "4111111111111111");
    let mut body = collect("REC-2", 100, &token);
    body["payment"]["recurring"] = recurring(&receiver, -1);
    COLOMBIA.call(&server, "/api/collect", body, 200);
    let before = charges(&server);
    advance(&server, 10 * DAY + 60);
    assert_eq!(charges(&server), before + 5);
    // A token that was invalidated is charged no more.
    let body = json!({ "instrument": { "token": { "token": token } } });
    COLOMBIA.call(&server, "/api/instrument/invalidate", body, 200);
    advance(&server, 10 * DAY);
    assert_eq!(charges(&server), before + 5);
}

fn a_charge_that_fails_is_tried_four_times_in_all(place: &Place) {
    let server = Server::start(place);
    let receiver = Receiver::start("");
    let token = COLOMBIA.token(&server, "4111111111111111");
    let mut body = collect("REC-3", 100, &token);
    body["payment"]["recurring"] = recurring(&receiver, -1);
    COLOMBIA.call(&server, "/api/collect", body, 200);
    let faults = json!({ "acquirer": "rejected", "times": 4 });
    server.control("PUT", "/faults", &faults, 200);
    advance(&server, 30 * DAY);
    receiver.wait_for(5);
    let rejected = |tries, enabled| (tries, enabled, "REJECTED".to_owned());
    let expected = [
        (0, true, "APPROVED".to_owned()),
        rejected(0, true),
        rejected(1, true),
        rejected(2, true),
        rejected(3, false),
    ];
    assert_eq!(told(&receiver), expected);
    assert_eq!(charges(&server), 1);
}
