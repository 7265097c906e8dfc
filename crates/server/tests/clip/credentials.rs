//! One reader for every form of the credential, on every surface, and each surface's own refusal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::server::Server;
use crate::shop::{CAFE, KEY, SECRET};

/// A call of each surface, and the body of its 401.
fn surfaces() -> Vec<(&'static str, &'static str, Value)> {
    let text = json!({ "message": "Unauthorized" });
    let coded = json!({ "error_code": "CL1501", "message": "Unauthorized", "detail": [] });
    vec![
        ("GET", "/paymentrequest", text.clone()),
        ("POST", "/paymentrequest", text.clone()),
        ("GET", "/payments?from=2026-01-01&to=2026-01-02", coded.clone()),
        ("POST", "/payments", coded.clone()),
        ("GET", "/payments/x", coded.clone()),
        ("POST", "/card_tokens", coded.clone()),
        ("POST", "/refunds", coded.clone()),
        ("GET", "/refunds/x", coded),
        ("GET", "/settlements", text.clone()),
        ("GET", "/settlements/x", text.clone()),
        ("GET", "/f2f/pinpad/v1/payment", text.clone()),
        ("GET", "/f2f/pinpad/v1/devices/status", text),
    ]
}

#[test]
fn every_form_is_let_in() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let pair = BASE64.encode(format!("{KEY}:{SECRET}"));
    let forms = [
        CAFE.basic(),
        format!("basic {pair}"),
        format!("BASIC  {}", pair.trim_end_matches('=')),
        pair.clone(),
        format!("Bearer {pair}"),
        format!("Bearer {KEY}"),
        format!("bearer test_{KEY}"),
        KEY.to_owned(),
        format!("test_{KEY}"),
    ];
    for form in &forms {
        for header in ["authorization", "x-api-key"] {
            for path in ["/paymentrequest", "/clip/paymentrequest"] {
                let call = Call::get(path).header(header, form);
                let listed = server.send(&call).expect(200).json();
                assert_eq!(listed, json!({ "transactions": [] }), "{header}: {form}");
            }
        }
    }
    // The PHP library sends both headers; one that is good is enough.
    let both = Call::get("/paymentrequest")
        .header("authorization", "Bearer something-else")
        .header("x-api-key", &CAFE.basic());
    server.send(&both).expect(200);
}

#[test]
fn everything_else_is_refused_in_the_surfaces_words() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let encode = |text: &str| format!("Basic {}", BASE64.encode(text));
    let wrong = [
        None,
        Some("Basic".to_owned()),
        Some("Basic %%%".to_owned()),
        Some("Basic AAAA".to_owned()),
        Some(encode(&format!("{KEY}:wrong"))),
        Some(encode(&format!("wrong:{SECRET}"))),
        Some(encode(KEY)),
        Some(encode(":")),
        Some("Bearer wrong".to_owned()),
        Some(format!("Digest {KEY}")),
        Some(format!("Bearer {SECRET}")),
        Some("x".repeat(5000)),
    ];
    for (method, path, body) in surfaces() {
        for given in &wrong {
            let mut call = Call::new(method, path);
            if let Some(given) = given {
                call = call.header("authorization", given).header("x-api-key", given);
            }
            let answer = server.send(&call).expect(401);
            assert_eq!(answer.json(), body, "{method} {path} {given:?}");
        }
    }
}

#[test]
fn a_merchants_state_and_access_decide() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let list = |status: u16| {
        let call = Call::get("/paymentrequest").header("x-api-key", &CAFE.basic());
        server.send(&call).expect(status).json()
    };
    let merchant = format!("/merchants/{KEY}");
    let set = |change: Value| server.control("PATCH", &merchant, &change, 200);
    for (state, status) in [("inactive", 403), ("expired", 403), ("credentials_expired", 401)] {
        set(json!({ "state": state }));
        list(status);
    }
    set(json!({ "state": "active" }));
    list(200);
    set(json!({ "api_access": { "pos": false } }));
    assert_eq!(list(403), json!({ "message": "Forbidden" }));
    let devices = Call::get("/f2f/pinpad/v1/devices/status").header("authorization", &CAFE.basic());
    server.send(&devices).expect(200);
    set(json!({ "api_access": { "pos": true, "settlements": false } }));
    list(200);
    let settlements = Call::get("/settlements?from=2026-11-01&to=2026-11-02");
    server.send(&settlements.header("x-api-key", &CAFE.basic())).expect(403);
}

#[test]
fn credentials_are_in_no_journal() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let pair = BASE64.encode(format!("{KEY}:{SECRET}"));
    for header in ["authorization", "x-api-key"] {
        for form in [CAFE.basic(), pair.clone(), format!("Bearer {pair}"), format!("Basic {pair}x")]
        {
            server.send(&Call::get("/paymentrequest").header(header, &form));
        }
    }
    let journal = json!(server.list("requests", "/requests")).to_string();
    assert!(journal.contains("/paymentrequest"), "{journal}");
    for secret in [pair.as_str(), SECRET] {
        assert!(!journal.contains(secret), "{journal}");
        assert!(!server.log().contains(secret));
    }
}

#[test]
fn each_world_has_a_merchant_of_its_own() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let world = server.control("POST", "/worlds", &json!({ "name": "otro" }), 201);
    let clip = &world["clip"];
    let (key, secret) = (clip["api_key"].as_str().unwrap(), clip["secret"].as_str().unwrap());
    assert!(clip["merchant_id"].as_str().is_some_and(|id| id.len() == 36), "{clip}");
    assert_eq!(clip["cashiers"], json!(["caja1@cafecentral.example"]));
    let terminal = clip["terminals"][0].as_str().unwrap();
    assert!(terminal.starts_with("CLIP_PRO__P8"), "{terminal}");
    assert_ne!(key, KEY);
    let pair = format!("Basic {}", BASE64.encode(format!("{key}:{secret}")));
    let body = json!({ "amount": 10, "reference": "r", "message": "m" });
    let call = Call::new("POST", "/paymentrequest").header("x-api-key", &pair).json(&body);
    assert_eq!(server.send(&call).expect(200).json()["code"], 100);
    let own = Call::get("/paymentrequest").header("x-api-key", &CAFE.basic());
    assert_eq!(server.send(&own).expect(200).json(), json!({ "transactions": [] }));
    let demo = server.control("GET", "/worlds/demo", &Value::Null, 200);
    assert_eq!(demo["clip"]["api_key"], KEY);
    assert_eq!(demo["clip"]["secret"], SECRET);
    server.control(
        "DELETE",
        &format!("/worlds/{}", world["id"].as_str().unwrap()),
        &Value::Null,
        204,
    );
    server.send(&call).expect(401);
}
