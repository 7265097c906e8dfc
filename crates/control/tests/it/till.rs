//! A terminal from pairing to receipt.

use serde_json::{Value, json};

use crate::double::{CARD, Sandbox};

const TILL: &str = "TILL-demo-1";

impl Sandbox {
    async fn till(&self) -> Value {
        self.ok(&format!("GET terminals/{TILL}"), "").await
    }

    async fn taken(&self, luggage: &str) -> String {
        let intent = self.queue(TILL, luggage).await;
        self.ok(&format!("POST terminals/{TILL}/fetch"), "").await;
        intent.id.to_string()
    }
}

#[tokio::test]
async fn a_payment_from_the_queue_to_the_receipt() {
    let sandbox = Sandbox::open().await;
    let idle = sandbox.till().await;
    assert_eq!(
        idle,
        json!({"id": TILL, "dialect": "plain", "merchant": "1001", "merchant_name": "Café",
            "model": "TILL", "operating_mode": "PDV", "online": true, "cashier": null,
            "b2b_transactions": null, "autopilot": null, "paper": true, "currency": "MXN",
            "currency_exponent": 2, "intent": null, "pending": [], "last": null})
    );
    let luggage = r#"{"additional_info":{"print_on_terminal":true,"ticket_number":"S0392JED"},"description":"Dos cafés"}"#;
    let id = sandbox.queue(TILL, luggage).await.id.to_string();
    let queued = sandbox.till().await;
    let intent = |state: &str| {
        json!({"id": id, "state": state, "phase": state, "amount_minor": 1500, "currency": "MXN",
            "description": "Dos cafés"})
    };
    assert_eq!(queued["intent"], intent("open"));
    assert_eq!(queued["pending"], json!([intent("open")]));

    let taken = sandbox.ok(&format!("POST terminals/{TILL}/fetch"), "").await;
    assert_eq!((&taken["intent"], &taken["pending"]), (&intent("on_terminal"), &json!([])));
    let body = json!({"card": CARD, "entry": "insert", "hold": true}).to_string();
    let outcome = sandbox.ok(&format!("POST terminals/{TILL}/card"), &body).await;
    let payment = outcome["payment"]["id"].clone();
    assert!(payment.is_string());
    assert_eq!(
        outcome,
        json!({"outcome": "approved", "reason": null, "session": null,
            "intent": {"id": id, "state": "processed"}, "payment": {"id": payment}})
    );
    let held = sandbox.till().await;
    assert_eq!(held["intent"], intent("processed"));
    assert_eq!(held["last"]["intent"], held["intent"]);
    let closed = sandbox.ok(&format!("POST terminals/{TILL}/close"), "{}").await;
    assert_eq!(closed["intent"], json!(null));
    let mut last = closed["last"].clone();
    assert!(last["at"].take().as_str().unwrap().starts_with("2026-11-20T10:00:00"));
    let card = json!({"brand": "visa", "last_digits": "0010", "type": "credit", "entry": "insert"});
    assert_eq!(
        last,
        json!({"intent": intent("finished"), "outcome": "approved", "reason": null,
            "print": true, "ticket": "S0392JED", "at": null,
            "payment": {"id": payment, "authorization_code": "301299", "amount_minor": 1500,
                "tip_minor": 0, "installments": 1, "card": card}})
    );
    let again = sandbox.call(&format!("POST terminals/{TILL}/close"), "").await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn every_outcome_on_demand() {
    let sandbox = Sandbox::open().await;
    let table = [
        ("approved", "finished", Value::Null, true),
        ("rejected", "finished", json!("generic"), true),
        ("reversed", "finished", Value::Null, true),
        ("error", "error", Value::Null, false),
        ("pending", "finished", Value::Null, true),
        ("confirmation_required", "confirmation_required", Value::Null, true),
    ];
    for (word, state, reason, has_payment) in table {
        let set = sandbox.ok("PUT faults", &json!({"acquirer": word}).to_string()).await;
        assert_eq!((&set["acquirer"], &set["times"]), (&json!(word), &json!(1)));
        let id = sandbox.taken("").await;
        let outcome = sandbox.ok(&format!("POST terminals/{TILL}/card"), "").await;
        assert_eq!(outcome["outcome"], word);
        assert_eq!(outcome["reason"], reason, "{word}");
        assert_eq!(outcome["intent"], json!({"id": id, "state": state}));
        assert_eq!(outcome["payment"].is_object(), has_payment, "{word}");
        let last = sandbox.till().await["last"].clone();
        assert_eq!(last["outcome"], word);
        assert_eq!(last["print"], false);
        assert_eq!(sandbox.ok("GET faults", "").await, json!({"faults": []}));
    }
}

#[tokio::test]
async fn faults_are_for_a_terminal_and_can_be_cleared() {
    let sandbox = Sandbox::open().await;
    let other = r#"{"acquirer":"error","terminal":"TILL-demo-2","times":2}"#;
    sandbox.ok("PUT faults", other).await;
    sandbox.taken("").await;
    let outcome = sandbox.ok(&format!("POST terminals/{TILL}/card"), "").await;
    assert_eq!(outcome["outcome"], "approved");
    assert_eq!(sandbox.ok("GET faults", "").await["times"], 2);
    let unknown = sandbox.call("PUT faults", r#"{"acquirer":"error","terminal":"none"}"#).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(sandbox.call("PUT faults", r#"{"acquirer":"lost"}"#).await.status, 400);
    assert_eq!(sandbox.ok("GET faults", "").await["times"], 2, "refusals change nothing");
    assert_eq!(sandbox.ok("PUT faults", "{}").await, json!({"faults": []}));
}

#[tokio::test]
async fn cards_decide() {
    let sandbox = Sandbox::open().await;
    let table = [
        (json!({"card": CARD}), "approved", Value::Null),
        (json!({"card": "4000 0000 0000 0010"}), "approved", Value::Null),
        (json!({"card": {"number": CARD, "expiration": "11/26"}}), "approved", Value::Null),
        (json!({"card": {"number": CARD, "expiration": "10/26"}}), "rejected", json!("expired")),
        (
            json!({"card": {"number": CARD, "holder": "FUND"}}),
            "rejected",
            json!("insufficient_funds"),
        ),
        (json!({"tip_minor": 150, "installments": 3, "card": null}), "approved", Value::Null),
    ];
    for (body, word, reason) in table {
        sandbox.taken("").await;
        let outcome = sandbox.ok(&format!("POST terminals/{TILL}/card"), &body.to_string()).await;
        assert_eq!((&outcome["outcome"], &outcome["reason"]), (&json!(word), &reason), "{body}");
    }
    let id = sandbox.taken("").await;
    for number in ["4111111111111111", "4111 1111 1111 1111", "", "x"] {
        for card in [json!(number), json!({"number": number, "cvv": "123"})] {
            let body = json!({"card": card}).to_string();
            let told = sandbox.call(&format!("POST terminals/{TILL}/card"), &body).await;
            assert_eq!(told.status, 422, "{number}");
            assert!(!told.text.contains("4111"));
        }
    }
    let held = sandbox.till().await["intent"].clone();
    assert_eq!((&held["id"], &held["state"]), (&json!(id), &json!("on_terminal")));
}

#[tokio::test]
async fn keys_at_the_wrong_time_are_conflicts() {
    let sandbox = Sandbox::open().await;
    let key = |key: &str| format!("POST terminals/{TILL}/{key}");
    let nothing = sandbox.call(&key("fetch"), "").await;
    assert_eq!((nothing.status.as_u16(), &nothing.body["code"]), (404, &json!("nothing_queued")));
    for name in ["card", "cancel", "close"] {
        assert_eq!(sandbox.call(&key(name), "").await.status, 409, "{name}");
    }
    let id = sandbox.queue(TILL, "").await.id.to_string();
    assert_eq!(sandbox.call(&key("card"), "").await.status, 409, "nothing was fetched");
    for other in ["00000000-0000-4000-8000-000000000000", "x", ""] {
        let body = json!({"intent_id": other}).to_string();
        assert_eq!(sandbox.call(&key("fetch"), &body).await.status, 404, "{other}");
    }
    let wrong = sandbox.call(&key("fetch"), r#"{"intent":"x"}"#).await;
    assert_eq!(wrong.status, 400, "an unknown member");
    sandbox.ok(&format!("PATCH terminals/{TILL}"), r#"{"online":false}"#).await;
    assert_eq!(sandbox.call(&key("fetch"), "").await.status, 409, "offline");
    sandbox.ok(&format!("PATCH terminals/{TILL}"), r#"{"online":true}"#).await;
    let body = json!({"intent_id": id}).to_string();
    assert_eq!(sandbox.ok(&key("fetch"), &body).await["intent"]["state"], "on_terminal");
    assert_eq!(sandbox.call(&key("fetch"), "").await.status, 409);
    assert_eq!(sandbox.call(&format!("DELETE terminals/{TILL}"), "").await.status, 409);
    let cancelled = sandbox.ok(&key("cancel"), "").await;
    assert_eq!(cancelled["intent"], json!(null));
    assert_eq!(cancelled["last"]["outcome"], "canceled");
    for name in ["fetch", "card", "cancel", "close"] {
        let told = sandbox.call(&format!("POST terminals/none/{name}"), "").await;
        assert_eq!(told.status, 404, "{name}");
    }
}

#[tokio::test]
async fn terminals_are_paired_and_taken_away() {
    let sandbox = Sandbox::open().await;
    let body = r#"{"merchant":1001,"model":"POS","operating_mode":"STANDALONE","cashier":"a@b.example","count":3}"#;
    let told = sandbox.call("POST terminals", body).await;
    assert_eq!(told.status, 201);
    let paired = told.body["terminals"].as_array().unwrap().clone();
    assert_eq!(paired.len(), 3);
    for one in &paired {
        assert_eq!((&one["model"], &one["operating_mode"]), (&json!("POS"), &json!("STANDALONE")));
        assert_eq!(one["cashier"], "a@b.example");
    }
    let mut seen = Vec::new();
    let mut call = "GET terminals?limit=2".to_owned();
    for expected in [2, 2, 1] {
        let page = sandbox.ok(&call, "").await;
        let rows = page["terminals"].as_array().unwrap();
        assert_eq!(rows.len(), expected);
        seen.extend(rows.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        call = format!("GET terminals?limit=2&cursor={}", page["next"].as_str().unwrap_or(""));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let id = paired[0]["id"].as_str().unwrap();
    assert_eq!(sandbox.call(&format!("DELETE terminals/{id}"), "").await.status, 204);
    assert_eq!(sandbox.call(&format!("GET terminals/{id}"), "").await.status, 404);
    assert_eq!(sandbox.call(&format!("DELETE terminals/{id}"), "").await.status, 404);
    let one = sandbox.call("POST terminals", r#"{"merchant":"1001"}"#).await;
    assert_eq!(one.body["terminals"].as_array().unwrap().len(), 1);
    assert_eq!(one.body["terminals"][0]["operating_mode"], "PDV");
    let table = [
        ("{}", 400),
        (r#"{"merchant":true}"#, 400),
        (r#"{"merchant":"1002"}"#, 404),
        (r#"{"merchant":"1001","count":0}"#, 400),
        (r#"{"merchant":"1001","count":10001}"#, 400),
        (r#"{"merchant":"1001","operating_mode":"pdv"}"#, 400),
        (r#"{"merchant":"1001","model":7}"#, 400),
    ];
    for (body, status) in table {
        assert_eq!(sandbox.call("POST terminals", body).await.status.as_u16(), status, "{body}");
    }
}

#[tokio::test]
async fn terminals_are_changed() {
    let sandbox = Sandbox::open().await;
    let patch = format!("PATCH terminals/{TILL}");
    let body = json!({"operating_mode": "STANDALONE", "online": false, "b2b_transactions": true,
        "cashier": "a@b.example", "autopilot": {"enabled": true, "card": {"number": CARD, "cvv": "123"}}});
    let changed = sandbox.ok(&patch, &body.to_string()).await;
    assert_eq!(
        (&changed["operating_mode"], &changed["online"], &changed["cashier"]),
        (&json!("STANDALONE"), &json!(false), &json!("a@b.example"))
    );
    assert_eq!(changed["b2b_transactions"], true);
    assert_eq!(changed["autopilot"], json!({"enabled": true, "delay_ms": 0, "card": CARD}));
    let steps = [
        (r#"{"cashier":null}"#, "cashier", Value::Null),
        (
            r#"{"autopilot":{"enabled":false,"delay_ms":1500}}"#,
            "autopilot",
            json!({"enabled": false, "delay_ms": 1500, "card": CARD}),
        ),
        (
            r#"{"autopilot":{"card":null}}"#,
            "autopilot",
            json!({"enabled": false, "delay_ms": 1500, "card": null}),
        ),
        (r#"{"autopilot":null}"#, "autopilot", Value::Null),
        ("{}", "online", json!(false)),
    ];
    for (body, name, expected) in steps {
        assert_eq!(sandbox.ok(&patch, body).await[name], expected, "{body}");
    }
    let before = sandbox.till().await;
    let table = [
        (r#"{"operating_mode":"pdv"}"#, 400),
        (r#"{"online":"yes"}"#, 400),
        (r#"{"cashier":7}"#, 400),
        (r#"{"cashier":""}"#, 400),
        (r#"{"model":"x"}"#, 400),
        (r#"{"autopilot":true}"#, 400),
        (r#"{"autopilot":{"delay_ms":-1}}"#, 400),
        (r#"{"autopilot":{"delay_ms":86400001}}"#, 400),
        (r#"{"online":true,"autopilot":{"card":"4111111111111111"}}"#, 422),
    ];
    for (body, status) in table {
        let told = sandbox.call(&patch, body).await;
        assert_eq!(told.status.as_u16(), status, "{body}");
        assert!(!told.text.contains("4111"));
        assert_eq!(sandbox.till().await, before, "{body}");
    }
    assert_eq!(sandbox.call("PATCH terminals/none", "{}").await.status, 404);
}
