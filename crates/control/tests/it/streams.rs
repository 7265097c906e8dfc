//! Live streams, and terminals that work by themselves.

use std::sync::Arc;

use axum::body::Body;
use cobro_control::{Access, Autopilot};
use cobro_domain::event::{Event, EventKind};
use cobro_domain::{EventId, TerminalId};
use cobro_engine::Change;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::double::{CARD, Sandbox, request};

const TILL: &str = "TILL-demo-1";

/// An open stream.
struct Stream(Body);

impl Stream {
    async fn open(sandbox: &Sandbox, query: &str) -> Self {
        let request = request(&format!("GET live{query}")).body(Body::empty()).unwrap();
        let response = sandbox.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body())
    }

    /// The next event's name and data; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        let frame = self.0.frame().await?.unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
        };
        Some((field("event:"), serde_json::from_str(&field("data:")).unwrap()))
    }

    /// The last outcomes that terminals show until the clock is told next.
    async fn outcomes_until_clock(&mut self) -> Vec<Value> {
        let mut outcomes = Vec::new();
        loop {
            match self.next().await.expect("the stream goes on") {
                (name, _) if name == "clock" => return outcomes,
                (name, data) if name == "terminal" => {
                    outcomes.push(data["last"]["outcome"].clone());
                }
                _ => {}
            }
        }
    }

    /// The next event of this name.
    async fn named(&mut self, name: &str) -> Value {
        loop {
            let (found, data) = self.next().await.expect("the stream goes on");
            if found == name {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn a_terminal_is_shown_as_it_changes() {
    let sandbox = Sandbox::open().await;
    let mut stream = Stream::open(&sandbox, &format!("?terminal={TILL}&world=demo")).await;
    let (name, first) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), &first["id"]), ("terminal", &json!(TILL)));
    sandbox.queue("TILL-demo-2", "").await;
    sandbox.queue(TILL, "").await;
    // Nothing is told of the other terminal.
    let (name, own) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), &own["kind"]), ("event", &json!("intent.opened")));
    assert_eq!(own["data"]["terminal"], TILL);
    let queued = stream.named("terminal").await;
    assert_eq!((&queued["id"], &queued["intent"]["state"]), (&json!(TILL), &json!("open")));
    sandbox.ok("POST clock/advance", r#"{"seconds":5}"#).await;
    assert_eq!(stream.named("clock").await, json!({"now": "2026-11-20T10:00:05Z"}));
    sandbox.shutdown.send(true).unwrap();
    assert_eq!(stream.next().await, None, "streams end when the server stops");
    let unknown = sandbox.call("GET live?terminal=none", "").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(sandbox.call("GET live?world=w_00000000", "").await.status, 404);
}

#[tokio::test]
async fn a_pending_payment_is_shown_when_it_is_decided() {
    for query in ["", "?terminal=TILL-demo-1"] {
        shown_when_decided(query).await;
    }
}

async fn shown_when_decided(query: &str) {
    let sandbox = Sandbox::open().await;
    let mut stream = Stream::open(&sandbox, query).await;
    sandbox.ok("PUT faults", r#"{"acquirer":"pending"}"#).await;
    sandbox.queue(TILL, "").await;
    sandbox.ok(&format!("POST terminals/{TILL}/fetch"), "").await;
    sandbox.ok(&format!("POST terminals/{TILL}/card"), "").await;
    sandbox.ok("POST clock/advance", r#"{"seconds":0}"#).await;
    assert_eq!(stream.outcomes_until_clock().await.last(), Some(&json!("pending")));
    sandbox.ok("POST clock/advance", r#"{"seconds":60}"#).await;
    assert_eq!(stream.outcomes_until_clock().await, [json!("approved")]);
}

#[tokio::test]
async fn a_stream_that_lags_is_told_to_read_anew() {
    let sandbox = Sandbox::open().await;
    let mut stream = Stream::open(&sandbox, "").await;
    for _ in 0..1100 {
        sandbox.worlds.main().announce(Change::Clock);
    }
    assert_eq!(stream.next().await, Some(("reload".to_owned(), json!({}))));
    assert_eq!(stream.next().await.unwrap().0, "clock");
}

#[tokio::test]
async fn a_stream_of_one_terminal_lags_alone() {
    let sandbox = Sandbox::open().await;
    let open = async |till: &str| {
        let mut stream = Stream::open(&sandbox, &format!("?terminal={till}")).await;
        assert_eq!(stream.next().await.unwrap().0, "terminal");
        stream
    };
    let (mut slow, mut other) = (open(TILL).await, open("TILL-demo-2").await);
    let gone = open("TILL-demo-2").await;
    drop(gone);
    let world = sandbox.worlds.main();
    let merchant = world.merchant_at(TILL).await.unwrap().id;
    // However often a terminal changes, its present state is told once.
    for _ in 0..300 {
        world.announce(Change::Terminal(merchant, TerminalId(TILL.to_owned())));
        tokio::task::yield_now().await;
    }
    world.announce(Change::Clock);
    assert_eq!(slow.next().await.unwrap().0, "terminal");
    assert_eq!(slow.next().await.unwrap().0, "clock");
    assert_eq!(other.next().await.unwrap().0, "clock");
    let event = Arc::new(Event {
        id: EventId::from_slice(&[7; 16]).unwrap(),
        merchant,
        at: world.now(),
        kind: EventKind::IntentOpened,
        subject: "x".to_owned(),
        data: json!({"terminal": TILL}).to_string(),
    });
    for _ in 0..300 {
        world.announce(Change::Event(Arc::clone(&event)));
        // Whoever passes changes on keeps up, and only the stream is slow.
        tokio::task::yield_now().await;
    }
    world.announce(Change::Clock);
    assert_eq!(other.next().await.unwrap().0, "clock");
    assert_eq!(slow.next().await, Some(("reload".to_owned(), json!({}))));
    world.announce(Change::Clock);
    assert_eq!(slow.next().await.unwrap().0, "clock");
}

#[tokio::test]
async fn a_stream_ends_with_its_world() {
    let sandbox = Sandbox::open().await;
    for is_one in [false, true] {
        let made = sandbox.ok("POST worlds", "").await;
        let id = made["id"].as_str().unwrap();
        let listed = sandbox.ok(&format!("GET terminals?world={id}"), "").await;
        let till = &listed["terminals"][0]["id"];
        let mut query = format!("?world={id}");
        if is_one {
            query.push_str(&format!("&terminal={}", till.as_str().unwrap()));
        }
        let mut stream = Stream::open(&sandbox, &query).await;
        if is_one {
            assert_eq!(stream.next().await.unwrap().0, "terminal");
        }
        sandbox.ok(&format!("DELETE worlds/{id}"), "").await;
        assert_eq!(stream.next().await, None);
    }
}

/// Waits until a terminal has been paid by itself.
async fn paid(stream: &mut Stream, till: &str) {
    loop {
        let terminal = stream.named("terminal").await;
        let last = &terminal["last"];
        if terminal["id"] == till && last["intent"]["state"] == "finished" {
            assert_eq!(last["outcome"], "approved");
            assert_eq!(last["payment"]["card"]["last_digits"], "0010");
            return;
        }
    }
}

fn pilot(delay_ms: i64) -> String {
    json!({"autopilot": {"enabled": true, "delay_ms": delay_ms, "card": CARD}}).to_string()
}

#[tokio::test]
async fn the_autopilot_waits_for_the_worlds_clock() {
    let sandbox = Sandbox::open().await;
    let stops = sandbox.shutdown.subscribe();
    let running = tokio::spawn(sandbox.autopilot.clone().run(sandbox.worlds.clone(), stops));
    sandbox.ok(&format!("PATCH terminals/{TILL}"), &pilot(10_000)).await;
    let mut stream = Stream::open(&sandbox, "").await;
    sandbox.queue("TILL-demo-2", "").await;
    sandbox.queue(TILL, "").await;
    sandbox.ok("POST clock/advance", r#"{"seconds":9}"#).await;
    let waiting = sandbox.ok(&format!("GET terminals/{TILL}"), "").await;
    assert_eq!(waiting["intent"]["state"], "open");
    sandbox.ok("POST clock/advance", r#"{"seconds":2}"#).await;
    paid(&mut stream, TILL).await;
    let other = sandbox.ok("GET terminals/TILL-demo-2", "").await;
    assert_eq!(other["intent"]["state"], "open", "nobody asked it to work by itself");
    sandbox.shutdown.send(true).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn the_autopilot_finds_its_terminals_again() {
    let sandbox = Sandbox::open().await;
    sandbox.ok(&format!("PATCH terminals/{TILL}"), &pilot(0)).await;
    sandbox.queue(TILL, "").await;
    sandbox.ok("POST clock/advance", r#"{"seconds":1}"#).await;
    let mut stream = Stream::open(&sandbox, "").await;
    let stops = sandbox.shutdown.subscribe();
    let restarted = Arc::new(Autopilot::new());
    let running = tokio::spawn(restarted.run(sandbox.worlds.clone(), stops));
    paid(&mut stream, TILL).await;
    sandbox.shutdown.send(true).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn a_ticket_opens_the_stream_and_nothing_else() {
    let sandbox = Sandbox::with_access(Access::Token("tok-1".to_owned())).await;
    let send = async |call: &str, token: Option<&str>| {
        let request = request(call);
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        let request = request.body(Body::empty()).unwrap();
        sandbox.router.clone().oneshot(request).await.unwrap()
    };
    assert_eq!(send("POST live/tickets", None).await.status(), 403);
    let made = send("POST live/tickets", Some("tok-1")).await;
    assert_eq!(made.status(), 201);
    let made = made.into_body().collect().await.unwrap().to_bytes();
    let made: Value = serde_json::from_slice(&made).unwrap();
    let ticket = made["ticket"].as_str().unwrap();
    assert_eq!((ticket.len(), &made["expires_in"]), (32, &json!(60)));
    let table = [
        (format!("GET live?ticket={ticket}"), 200),
        (format!("GET live?terminal={TILL}&ticket={ticket}"), 200),
        (format!("GET live?ticket={}", &ticket[1..]), 403),
        ("GET live?ticket=".to_owned(), 403),
        ("GET live".to_owned(), 403),
        (format!("GET clock?ticket={ticket}"), 403),
        (format!("POST live/tickets?ticket={ticket}"), 403),
    ];
    for (call, status) in table {
        assert_eq!(send(&call, None).await.status().as_u16(), status, "{call}");
    }
}
