//! Journals and books of one payment.

use cobro_surface::journal::Entry;
use serde_json::json;

use crate::double::Sandbox;

const TILL: &str = "TILL-demo-1";

async fn paid(sandbox: &Sandbox) {
    sandbox.queue(TILL, "").await;
    sandbox.ok(&format!("POST terminals/{TILL}/fetch"), "").await;
    sandbox.ok(&format!("POST terminals/{TILL}/card"), "").await;
}

#[tokio::test]
async fn events_are_newest_first_in_pages() {
    let sandbox = Sandbox::open().await;
    paid(&sandbox).await;
    let events = sandbox.ok("GET events", "").await["events"].as_array().unwrap().clone();
    let mut kinds: Vec<&str> = events.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"intent.finished"), Some(&"intent.opened")));
    kinds.sort_unstable();
    let life = [
        "intent.finished",
        "intent.on_terminal",
        "intent.opened",
        "intent.processed",
        "intent.processing",
        "payment.approved",
    ];
    assert_eq!(kinds, life);
    for event in &events {
        assert_eq!((&event["dialect"], &event["merchant"]), (&json!("plain"), &json!("1001")));
        assert!(event["data"].is_object() && event["subject"].is_string());
        assert!(event["at"].as_str().unwrap().starts_with("2026-11-20T10:00:00"));
    }
    let first = sandbox.ok("GET events?limit=4", "").await;
    let cursor = first["next"].as_str().unwrap();
    let second = sandbox.ok(&format!("GET events?limit=4&cursor={cursor}"), "").await;
    assert_eq!(second["next"], json!(null));
    let both = [&first["events"], &second["events"]];
    let all: Vec<_> = both.iter().flat_map(|page| page.as_array().unwrap().clone()).collect();
    assert_eq!(all, events);
}

#[tokio::test]
async fn the_books_add_up() {
    let sandbox = Sandbox::open().await;
    paid(&sandbox).await;
    let balances = sandbox.ok("GET ledger/balances", "").await["balances"].clone();
    let sum = |rows: &serde_json::Value, member: &str| -> i64 {
        rows.as_array().unwrap().iter().map(|row| row[member].as_i64().unwrap()).sum()
    };
    assert_eq!(sum(&balances, "balance_minor"), 0);
    let receivable =
        json!({"account": "acquirer_receivable", "currency": "MXN", "balance_minor": 1500});
    assert!(balances.as_array().unwrap().contains(&receivable));
    let postings = sandbox.ok("GET ledger/postings", "").await["postings"].clone();
    assert_eq!(postings.as_array().unwrap().len(), 1);
    let posting = &postings[0];
    assert_eq!(sum(&posting["entries"], "amount_minor"), 0);
    assert_eq!(posting["entries"][0]["account"], "acquirer_receivable");
    assert!(posting["id"].is_string() && posting["event"].is_string() && posting["at"].is_string());
    paid(&sandbox).await;
    let page = sandbox.ok("GET ledger/postings?limit=1", "").await;
    let next = page["next"].as_str().unwrap();
    let rest = sandbox.ok(&format!("GET ledger/postings?limit=1&cursor={next}"), "").await;
    assert_eq!((&rest["postings"], &rest["next"]), (&postings, &json!(null)));
}

#[tokio::test]
async fn deliveries_are_listed_and_sent_again() {
    let sandbox = Sandbox::open().await;
    let webhook = r#"{"webhook":{"url":"http://localhost:9/hook"}}"#;
    sandbox.ok("PATCH merchants/1001", webhook).await;
    paid(&sandbox).await;
    let listed = sandbox.ok("GET deliveries", "").await["deliveries"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1, "final states alone");
    let delivery = &listed[0];
    assert_eq!(delivery["url"], "http://localhost:9/hook");
    assert_eq!((&delivery["state"], &delivery["attempt"]), (&json!("waiting"), &json!(1)));
    assert!(delivery["next_at"].is_string() && delivery["response"].is_null());
    let id = delivery["id"].as_str().unwrap();
    let again = sandbox.ok(&format!("POST deliveries/{id}/replay"), "").await;
    assert_ne!(again["id"], delivery["id"]);
    assert_eq!(again["event_id"], delivery["event_id"]);
    let listed = sandbox.ok("GET deliveries", "").await["deliveries"].clone();
    assert_eq!((&listed[0], &listed[1]), (&again, delivery));
    for id in ["x", "00000000-0000-4000-8000-000000000000"] {
        let told = sandbox.call(&format!("POST deliveries/{id}/replay"), "").await;
        assert_eq!(told.status, 404, "{id}");
    }
}

#[tokio::test]
async fn requests_are_those_of_the_world() {
    let sandbox = Sandbox::open().await;
    let entry = |path: &str| Entry {
        at_us: 1_795_168_800_250_000,
        path: path.into(),
        status: 201,
        ..Entry::default()
    };
    for path in ["/1", "/2", "/3"] {
        sandbox.journal.push("demo", entry(path));
    }
    sandbox.journal.push("w_00000001", entry("/other"));
    let page = sandbox.ok("GET requests?limit=2", "").await;
    let paths = |page: &serde_json::Value| -> Vec<String> {
        let rows = page["requests"].as_array().unwrap();
        rows.iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths(&page), ["/3", "/2"]);
    assert_eq!(page["requests"][0]["at"], "2026-11-20T10:00:00.25Z");
    let next = page["next"].as_str().unwrap();
    let rest = sandbox.ok(&format!("GET requests?limit=2&cursor={next}"), "").await;
    assert_eq!((paths(&rest), &rest["next"]), (vec!["/1".to_owned()], &json!(null)));
}
