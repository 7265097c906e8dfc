//! Worlds of a running server that nobody uses.

use cobro_domain::Timestamp;
use cobro_engine::World;
use cobro_engine::faults::{Fault, Pace};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

const HOUR_S: i64 = 3600;

/// A world beside a server's main one.
struct Stage<'a> {
    running: &'a Running,
    id: String,
    token: String,
    terminal: String,
}

impl<'a> Stage<'a> {
    async fn new(running: &'a Running) -> Self {
        let (id, token, terminal) = (String::new(), String::new(), String::new());
        let mut stage = Self { running, id, token, terminal };
        let (status, made) = stage.call("POST /_cobro/v1/worlds", &json!({"name": "CI"})).await;
        assert_eq!(status, 201, "{made}");
        let seller = &made["mercado_pago"]["sellers"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        stage.id = text(&made["id"]);
        stage.token = text(&seller["access_token"]);
        stage.terminal = text(&seller["terminals"][0]);
        stage
    }

    /// One request: its status and the JSON that it was answered with.
    async fn call(&self, request: &str, body: &Value) -> (u16, Value) {
        let host = self.running.url.strip_prefix("http://").unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let token = &self.token;
        let request = format!(
            "{request} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// An intent, which ends by itself some minutes later.
    async fn intent(&self) -> Value {
        let path = format!("POST /point/integration-api/devices/{}/payment-intents", self.terminal);
        let (status, intent) = self.call(&path, &json!({"amount": 150_000})).await;
        assert_eq!(status, 201, "{intent}");
        intent
    }

    async fn world(&self) -> World {
        self.running.worlds.by_id(&self.id).await.unwrap()
    }

    fn is_open(&self) -> bool {
        self.running.worlds.all_open().iter().any(|world| world.id() == self.id)
    }

    async fn look(&self) {
        self.running.worlds.close_unused().await;
        tokio::task::yield_now().await;
    }

    /// Waits until the world is closed, which may have something to finish first.
    async fn closed(&self) {
        self.look().await;
        assert!(self.is_open(), "it was used since the last look");
        while self.is_open() {
            self.look().await;
        }
    }
}

/// How often a world that must stay open is looked at: oftener than it takes another to be closed.
const LOOKS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn worlds_that_nobody_uses_are_closed() {
    let running = start(Config::throw_away(true)).await.unwrap();
    comes_back_as_it_was(&Stage::new(&running).await).await;
    stays_open_while_it_is_needed(&Stage::new(&running).await).await;
    closes_after_its_last_page(&Stage::new(&running).await).await;
    is_forgotten_when_its_file_has_gone(&Stage::new(&running).await).await;
    running.stop().await.unwrap();
}

async fn comes_back_as_it_was(stage: &Stage<'_>) {
    let hour_later = {
        let world = stage.world().await;
        let later = world.now().plus_seconds(HOUR_S);
        world.advance_to(later).await.unwrap();
        later
    };
    let intent = stage.intent().await;
    stage.closed().await;
    let id = intent["id"].as_str().unwrap();
    let path = format!("GET /point/integration-api/payment-intents/{id}");
    let (status, found) = stage.call(&path, &Value::Null).await;
    assert_eq!((status, &found["state"]), (200, &json!("OPEN")), "{found}");
    assert!(stage.world().await.now() >= hour_later, "the clock was not brought back");

    stage.closed().await;
    let worlds = &stage.running.worlds;
    let due = worlds.next_due().expect("the intent ends by itself");
    let real = worlds.main().clock().real();
    assert!(due > real && due < real.plus_seconds(HOUR_S), "{due} is the world's time");
    worlds.open_due(Timestamp::from_micros(due.micros() - 1)).await;
    assert!(!stage.is_open());
    worlds.open_due(due).await;
    assert!(stage.is_open());
    assert_eq!(worlds.next_due(), None);

    let path = format!("DELETE /_cobro/v1/worlds/{}", stage.id);
    assert_eq!(stage.call(&path, &Value::Null).await.0, 204);
    let left = std::fs::read_dir(stage.running.directory().join("worlds")).unwrap();
    assert_eq!(left.count(), 0);
}

async fn stays_open_while_it_is_needed(stage: &Stage<'_>) {
    let fault = || Fault {
        scenario: None,
        pace: Pace::Silent,
        word: "silent".to_owned(),
        terminal: None,
        times: 1,
    };
    type Need = fn(World, Fault) -> Box<dyn std::any::Any>;
    let needs: [(&str, Need); 3] = [
        ("somebody works in it", |world, _| Box::new(world)),
        ("a page listens to it", |world, _| Box::new(world.changes())),
        ("it is to fail next time", |world, fault| {
            world.set_faults(vec![fault]);
            Box::new(())
        }),
    ];
    for (what, need) in needs {
        let needed = need(stage.world().await, fault());
        for _ in 0..LOOKS {
            stage.look().await;
            assert!(stage.is_open(), "{what}");
        }
        drop(needed);
        stage.world().await.set_faults(Vec::new());
        stage.closed().await;
    }
}

async fn closes_after_its_last_page(stage: &Stage<'_>) {
    let host = stage.running.url.strip_prefix("http://").unwrap();
    let Stage { id, terminal, .. } = stage;
    let request = format!(
        "GET /_cobro/v1/live?world={id}&terminal={terminal} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    );
    let mut page = TcpStream::connect(host).await.unwrap();
    page.write_all(request.as_bytes()).await.unwrap();
    let (mut told, mut part) = (String::new(), [0; 4096]);
    while !told.contains("event: terminal") {
        let read = page.read(&mut part).await.unwrap();
        assert!(read > 0, "{told}");
        told.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    for _ in 0..LOOKS {
        stage.look().await;
        assert!(stage.is_open());
    }
    drop(page);
    while stage.is_open() {
        stage.look().await;
    }
}

async fn is_forgotten_when_its_file_has_gone(stage: &Stage<'_>) {
    stage.intent().await;
    stage.closed().await;
    let worlds = &stage.running.worlds;
    let due = worlds.next_due().unwrap();
    let tag = stage.id.strip_prefix("w_").unwrap();
    let file = format!("worlds/{tag}.sqlite");
    std::fs::remove_file(stage.running.directory().join(file)).unwrap();
    worlds.open_due(due).await;
    assert_eq!(worlds.next_due(), None);
    assert!(worlds.by_id(&stage.id).await.is_err());
}
