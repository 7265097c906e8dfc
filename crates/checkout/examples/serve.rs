//! Serves the card page alone, with a session of each kind: `serve [ADDRESS:PORT]`. Prints the
//! address of each page. For work on the pages; the world and its dialect are those of the tests.

#![expect(clippy::unwrap_used, reason = "a tool for work on the pages")]
#![expect(clippy::indexing_slicing, reason = "card numbers of its own")]

#[path = "../tests/it/stage.rs"]
mod stage;

use std::sync::Arc;
use std::time::Instant;

use cobro_domain::{Clock, Timestamp};
use serde_json::json;
use stage::{Offer, Stage, offer, request, subscription};

/// Runs on from a moment of its own.
struct Running(Instant);

impl Clock for Running {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.0.elapsed().as_micros()).unwrap();
        Timestamp::parse_rfc3339("2026-11-20T15:00:00Z").unwrap().plus_micros(elapsed)
    }
}

/// Listens on the address given, `127.0.0.1:7272` unless told.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7272".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let stage = Stage::new(Arc::new(Running(Instant::now()))).await;
    let mut known = request();
    known["payer"] = json!({
        "name": "Rosa", "surname": "Lemus", "document": "1040099001", "documentType": "CC",
        "email": "rosa@example.org",
    });
    let mut at_once = request();
    at_once["skipResult"] = json!(true);
    at_once["returnUrl"] = json!(format!("{base}/spa/assets/icon.svg"));
    let all: Vec<(&str, Offer)> = vec![
        ("payment", offer()),
        ("second", offer()),
        ("partial", Offer { allow_partial: true, offers_storing: true, ..offer() }),
        ("subscription", subscription()),
        ("known", Offer { request: known, ..offer() }),
        ("skip", Offer { request: at_once, ..offer() }),
        ("short", Offer { lifetime_s: 62, ..offer() }),
    ];
    for (name, offer) in all {
        println!("{name} {base}{}", stage.open(offer).await.0);
    }
    println!("ready");
    let world = stage.world.clone();
    tokio::spawn(async move {
        let mut every = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            every.tick().await;
            let _ = world.fire_due().await;
        }
    });
    axum::serve(listener, stage.router.clone()).await
}
