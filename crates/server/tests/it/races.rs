//! Many at once: one wins, and the others are told so.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use serde_json::json;

use crate::http::{Answer, Call};
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

crate::on_both!(
    sixty_four_creates_make_one_intent,
    one_key_makes_one_intent,
    cancel_or_green_key_wins,
    refunds_never_exceed_the_payment,
);

/// How many requests are sent at once.
const MANY: usize = 64;

/// How often the red and the green key are pressed together.
const ROUNDS: usize = 200;

/// Sends every request on a connection of its own, all at once.
fn at_once(server: &Server<'_>, calls: Vec<Call>) -> Vec<Answer> {
    let start = Barrier::new(calls.len());
    let send = |call: Call| {
        let mut connection = server.connect();
        start.wait();
        connection.send(&call).unwrap()
    };
    thread::scope(|scope| {
        let running: Vec<_> = calls.into_iter().map(|call| scope.spawn(|| send(call))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn sixty_four_creates_make_one_intent(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let calls: Vec<Call> =
        (0..MANY).map(|n| seller.creation(&json!({ "amount": 1500 + n }))).collect();
    let answers = at_once(&server, calls);
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 201);
    assert_eq!((made.len(), refused.len()), (1, MANY - 1));
    for answer in refused {
        let body = answer.clone().expect(409).json();
        let message = "There is already a queued intent for the device";
        let expected = json!({ "cause": [], "error": "2205", "message": message, "status": 409 });
        assert_eq!(body, expected);
    }
    assert_eq!(seller.terminal()["intent"]["id"], made[0].json()["id"]);
    assert_eq!(server.list("events", "/events").len(), 1);
}

fn one_key_makes_one_intent(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let call = seller.creation(&json!({ "amount": 1500 })).header("X-Idempotency-Key", "k 64");
    let bodies = |server: &Server<'_>| -> BTreeSet<String> {
        let answers = at_once(server, vec![call.clone(); MANY]);
        answers.into_iter().map(|answer| answer.expect(201).text()).collect()
    };
    let first = bodies(&server);
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(server.list("events", "/events").len(), 1);
    let server = server.restart();
    assert_eq!(bodies(&server), first);
    assert_eq!(server.list("events", "/events").len(), 1);
}

fn cancel_or_green_key_wins(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLB");
    let (mut red, mut green) = (server.connect(), server.connect());
    let start = Barrier::new(2);
    let mut won = [0, 0];
    for round in 0..ROUNDS {
        let intent = seller.create(&json!({ "amount": 1500 + round }));
        let (cancellation, fetch) = (seller.cancellation(&intent), seller.press("fetch"));
        let (canceled, fetched) = thread::scope(|scope| {
            let canceling = scope.spawn(|| {
                start.wait();
                // The green key has the longer way: now and then it gets a head start.
                for _ in 0..round % 3 {
                    red.send(&Call::get("/healthz")).unwrap().expect(200);
                }
                red.send(&cancellation).unwrap()
            });
            start.wait();
            let fetched = green.send(&fetch).unwrap();
            (canceling.join().unwrap(), fetched)
        });
        let state = seller.intent(&intent)["state"].clone();
        match (canceled.status, fetched.status) {
            (200, 404) => assert_eq!(state, "CANCELED"),
            (409, 200) => {
                assert_eq!(state, "ON_TERMINAL");
                seller.at_terminal("cancel", &json!({})).expect(200);
            }
            both => panic!("{both:?} {}", canceled.text()),
        }
        won[usize::from(fetched.status == 200)] += 1;
    }
    println!("cancelled {}, fetched {}", won[0], won[1]);
    let ends = server.list("events", "/events");
    let ends = ends.iter().filter(|event| event["kind"] == "intent.canceled").count();
    assert_eq!(ends, ROUNDS, "each ended once");
}

fn refunds_never_exceed_the_payment(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLM");
    let (_, payment) = seller.pay(100_000);
    let target = format!("/v1/payments/{payment}/refunds");
    let call = seller.call("POST", &target).json(&json!({ "amount": 600 }));
    let answers = at_once(&server, vec![call; 32]);
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.expect(400).json()["cause"][0]["code"], 2063);
    }
    let paid = seller.payment(&payment);
    assert_eq!(paid["transaction_amount_refunded"], 600);
    assert_eq!(paid["refunds"].as_array().unwrap().len(), 1);
}
