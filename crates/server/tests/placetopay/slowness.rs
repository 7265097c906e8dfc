//! An acquirer that is slow, or never answers. Nobody waits: the clock is moved. It also goes on by
//! itself, so that between what is compared lie many seconds.

use serde_json::{Value, json};

use crate::http::Answer;
use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shop::{COLOMBIA, charges, collect, payment, send, status};

crate::on_both!(
    a_slow_charge_is_pending_first_and_told_later,
    an_answer_within_patience_is_the_answer,
    an_answer_that_never_comes_is_undone,
    a_page_waits_no_longer_than_a_program,
    a_charge_of_the_clock_is_answered_when_the_clock_says_so,
);

/// Before this many seconds a pending charge must be answered.
const ANSWERED_S: i64 = 11;

fn set(server: &Server<'_>, fault: &Value) {
    server.control("PUT", "/faults", fault, 200);
}

fn advance(server: &Server<'_>, seconds: i64) {
    server.control("POST", "/clock/advance", &json!({ "seconds": seconds }), 200);
}

/// Waits until the fault has met its charge, which the acquirer then has.
fn until_met(server: &Server<'_>) {
    while server.control("GET", "/faults", &Value::Null, 200)["faults"] != json!([]) {}
}

/// Does something while another thread waits for an answer.
fn meanwhile(server: &Server<'_>, path: &str, body: &Value, act: impl FnOnce()) -> Answer {
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || send(server, path, body));
        until_met(server);
        act();
        waiting.join().unwrap()
    })
}

fn told_to(server: &Server<'_>) -> Receiver {
    let receiver = Receiver::start("");
    let setting = format!("/merchants/{}", COLOMBIA.login);
    let webhook = json!({ "webhook": { "url": receiver.url("/n") } });
    server.control("PATCH", &setting, &webhook, 200);
    receiver
}

fn query(server: &Server<'_>, id: &Value) -> Value {
    COLOMBIA.call(server, &format!("/api/session/{id}"), json!({}), 200)
}

fn a_slow_charge_is_pending_first_and_told_later(place: &Place) {
    let server = Server::start(place);
    let token = COLOMBIA.token(&server, "4111111111111111");
    let receiver = told_to(&server);
    let before = charges(&server);
    set(&server, &json!({ "acquirer": "slow", "delay_ms": 29_000 }));
    let body = COLOMBIA.signed(collect("SLOW", 45_900, &token));
    let first = meanwhile(&server, "/api/collect", &body, || advance(&server, ANSWERED_S));
    let answer = first.clone().expect(200).json();
    assert_eq!(status(&answer), ("PENDING", "PT"));
    assert_eq!(answer["payment"], Value::Null);
    let id = &answer["requestId"];
    assert_eq!(status(&query(&server, id)), ("PENDING", "PT"));
    assert_eq!(charges(&server), before);
    assert!(receiver.notices().is_empty());
    advance(&server, 20);
    let done = query(&server, id);
    assert_eq!(status(&done), ("APPROVED", "00"));
    assert_eq!(status(&done["payment"][0]), ("APPROVED", "00"));
    let notice = receiver.wait(|notice| notice.body["requestId"] == *id);
    assert_eq!(notice.body["status"], done["status"]);
    assert_eq!(charges(&server), before + 1);
    // The same request again gets what it got, and so does the same charge.
    assert_eq!(send(&server, "/api/collect", &body).expect(200).body, first.body);
    let again = COLOMBIA.call(&server, "/api/collect", collect("SLOW", 45_900, &token), 200);
    assert_eq!((&again["requestId"], charges(&server)), (id, before + 1));
    assert_eq!(receiver.notices().len(), 1);
}

fn an_answer_within_patience_is_the_answer(place: &Place) {
    let server = Server::start(place);
    let token = COLOMBIA.token(&server, "4111111111111111");
    let receiver = told_to(&server);
    for (fault, outer) in [
        (json!({ "acquirer": "slow", "delay_ms": 2_000 }), ("APPROVED", "00")),
        (json!({ "acquirer": "rejected", "delay_ms": 2_000 }), ("REJECTED", "XN")),
    ] {
        set(&server, &fault);
        let name = fault["acquirer"].as_str().unwrap();
        let body = COLOMBIA.signed(collect(name, 100, &token));
        let answer = meanwhile(&server, "/api/collect", &body, || advance(&server, 2));
        assert_eq!(status(&answer.expect(200).json()), outer);
    }
    assert!(receiver.notices().is_empty());
}

fn an_answer_that_never_comes_is_undone(place: &Place) {
    let server = Server::start(place);
    let token = COLOMBIA.token(&server, "4111111111111111");
    let receiver = told_to(&server);
    // The second one answers too late: its approval does not count any more.
    for fault in
        [json!({ "acquirer": "silent" }), json!({ "acquirer": "slow", "delay_ms": 31_000 })]
    {
        set(&server, &fault);
        let body = COLOMBIA.signed(collect(fault["acquirer"].as_str().unwrap(), 100, &token));
        let answer = meanwhile(&server, "/api/collect", &body, || advance(&server, ANSWERED_S));
        let answer = answer.expect(200).json();
        assert_eq!(status(&answer), ("PENDING", "PT"));
        let id = &answer["requestId"];
        advance(&server, 80);
        assert_eq!(query(&server, id)["status"]["status"], "REJECTED");
        let notice = receiver.wait(|notice| notice.body["requestId"] == *id);
        assert_eq!(notice.body["status"]["status"], "REJECTED");
    }
    assert_eq!(charges(&server), 0);
}

fn a_page_waits_no_longer_than_a_program(place: &Place) {
    let server = Server::start(place);
    let receiver = told_to(&server);
    let mut body = payment("SLOW-PAGE", "COP", 100);
    body["payment"]["subscribe"] = json!(true);
    let id = COLOMBIA.call(&server, "/api/session", body, 200)["requestId"].clone();
    set(&server, &json!({ "acquirer": "slow", "delay_ms": 29_000 }));
    let outcome = std::thread::scope(|scope| {
        let path = format!("/sessions/{id}/pay");
        let server = &server;
        let paying = scope.spawn(move || server.control("POST", &path, &json!({}), 200));
        until_met(server);
        advance(server, ANSWERED_S);
        paying.join().unwrap()
    });
    assert_eq!(outcome["outcome"], "pending");
    assert_eq!(query(&server, &id)["subscription"], Value::Null);
    advance(&server, 20);
    let notice = receiver.wait(|notice| notice.body["requestId"] == id);
    assert_eq!(notice.body["status"]["status"], "APPROVED");
    // Who is told of a session finds its token there.
    assert_eq!(query(&server, &id)["subscription"]["type"], "token");
}

fn a_charge_of_the_clock_is_answered_when_the_clock_says_so(place: &Place) {
    const DAY_S: i64 = 24 * 3600;
    let server = Server::start(place);
    let receiver = Receiver::start("");
    let token = COLOMBIA.token(&server, "4111111111111111");
    let mut body = collect("SLOW-AGAIN", 100, &token);
    body["payment"]["recurring"] = json!({ "periodicity": "D", "interval": 2, "maxPeriods": 2,
        "notificationUrl": receiver.url("/r") });
    COLOMBIA.call(&server, "/api/collect", body, 200);
    receiver.wait_for(1);
    set(&server, &json!({ "acquirer": "slow", "delay_ms": 10_000 }));
    advance(&server, 2 * DAY_S + 1);
    assert_eq!((charges(&server), receiver.notices().len()), (1, 1));
    assert_eq!(server.control("GET", "/faults", &Value::Null, 200)["faults"], json!([]));
    advance(&server, 10);
    assert_eq!(charges(&server), 2);
    receiver.wait_for(2);
    assert_eq!(receiver.notices()[1].body["status"]["status"], "APPROVED");
}
