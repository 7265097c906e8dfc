//! Both generations of notifications side by side: reference, sections 8.1 to 8.4.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::point::Seller;
use crate::receiver::{Notice, Receiver, hmac_hex};
use crate::server::Server;

const SECRET: &str = "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184";

/// What the validator of the official Node SDK accepts, in its order: a header of `key=value`
/// parts, digits as `ts`, the signed text of what is there, and a `ts` in seconds that is not
/// older than the tolerance.
fn validate(notice: &Notice, secret: &str, tolerance_s: i64, now_s: i64) -> Result<(), String> {
    let mut parts = notice.header("x-signature").split(',').filter_map(|part| part.split_once('='));
    let ts = parts.clone().find(|(key, _)| key.trim() == "ts").map(|(_, value)| value.trim());
    let ts = ts.ok_or("MissingTimestamp")?;
    let seconds: i64 = ts.parse().map_err(|_| "MalformedSignatureHeader")?;
    let hash = parts.find(|(key, _)| key.trim() == "v1").map(|(_, value)| value.trim());
    let query = notice.target.split_once('?').map_or("", |(_, query)| query);
    let id = query.split('&').find_map(|pair| pair.strip_prefix("data.id=")).unwrap_or_default();
    let request = notice.header("x-request-id");
    let text = format!("id:{id};request-id:{request};ts:{ts};");
    if hash.ok_or("MissingHash")? != hmac_hex(secret, &text) {
        return Err("SignatureMismatch".to_owned());
    }
    if (now_s - seconds).abs() > tolerance_s {
        return Err("TimestampOutOfTolerance".to_owned());
    }
    Ok(())
}

/// Real time.
fn now_s() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}

fn subscribe(seller: &Seller<'_>, webhook: &Value) {
    let path = format!("/merchants/{}", seller.user_id);
    seller.control("PATCH", &path, &json!({ "webhook": webhook })).expect(200);
}

fn side_by_side(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let challenged = seller.subscribe();
    let signed = Receiver::start("");
    subscribe(&seller, &json!({ "url": signed.url("/signed?shop=1") }));
    let intent = seller.create(&json!({
        "amount": 150_000,
        "additional_info": { "external_reference": "caja-3-0001", "ticket_number": "B0001" },
    }));
    seller.take_card(&json!({}));
    let plain = challenged.told(&intent, "FINISHED");
    let notice = signed.told(&intent, "FINISHED");
    // The same body, whose time is the world's.
    assert_eq!(notice.body, plain.body);
    let payment = seller.intent(&intent)["payment"]["id"].as_str().unwrap().to_owned();
    assert_eq!(notice.body["payment"]["id"].to_string(), payment);
    assert_eq!(notice.body["caller_id"], 100_000_001);
    assert_eq!(notice.body["client_id"], 1_000_000_000_000_001_i64);
    let info = json!({ "external_reference": "caja-3-0001", "ticket_number": "B0001" });
    assert_eq!(notice.body["additional_info"], info);
    assert_eq!(plain.header("x-signature"), "");
    assert_eq!(plain.target, "/webhook");
    let query = format!("/signed?shop=1&data.id={intent}&type=point_integration_wh");
    assert_eq!(notice.target, query);

    let now = now_s();
    assert_eq!(validate(&notice, SECRET, 300, now), Ok(()));
    let error = |text: &str| Err(text.to_owned());
    assert_eq!(validate(&notice, "another", 300, now), error("SignatureMismatch"));
    let mut tampered = notice.clone();
    tampered.target = tampered.target.replace(&intent, "0f6f3c52-0d0e-4b7e-9d3b-6a3f5a1c7e20");
    assert_eq!(validate(&tampered, SECRET, 300, now), error("SignatureMismatch"));

    // The first generation is told each step, the second one final states.
    let states = |receiver: &Receiver| -> Vec<String> {
        let notices = receiver.notices();
        notices.iter().map(|one| one.body["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(&signed), ["FINISHED"]);
    challenged.wait_for(4);
    assert_eq!(states(&challenged), ["ON_TERMINAL", "PROCESSING", "PROCESSED", "FINISHED"]);
}

fn settings_of_the_signed_one(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLM");
    let (test, production) = (Receiver::start(""), Receiver::start(""));
    // A test token's events go to the test address; here with every step.
    let webhook =
        json!({ "url": production.url("/"), "test_url": test.url("/t"), "events": "all" });
    subscribe(&seller, &webhook);
    // A world that was moved by a day signs with real time all the same.
    seller.advance(86_400);
    let intent = seller.create(&json!({ "amount": 1_500 }));
    seller.take_card(&json!({}));
    let notice = test.told(&intent, "FINISHED");
    test.wait_for(4);
    assert_eq!(validate(&notice, SECRET, 300, now_s()), Ok(()));
    let path = format!("/merchants/{}", seller.user_id);
    let shown = seller.control("GET", &path, &Value::Null).expect(200).json();
    assert_eq!(shown["webhook"], webhook, "{shown}");

    // Without the test address they go to the other one; each attempt is signed anew.
    subscribe(&seller, &json!({ "url": production.url("/p") }));
    production.refuse(1);
    let intent = seller.create(&json!({ "amount": 1_500 }));
    seller.cancel(&intent).expect(200);
    production.told(&intent, "CANCELED");
    let mut live = server.live("");
    let waits = |name: &str, delivery: &Value| name == "delivery" && delivery["state"] == "waiting";
    if !server.list("deliveries", "/deliveries").iter().any(|one| waits("delivery", one)) {
        live.wait(waits);
    }
    seller.advance(300);
    production.wait_for(2);
    let notices = production.notices();
    assert_eq!(notices[0].header("x-request-id"), notices[1].header("x-request-id"));
    for notice in &notices {
        assert_eq!(validate(notice, SECRET, 300, now_s()), Ok(()));
        assert!(notice.is(&intent, "CANCELED") && notice.body.get("payment").is_none());
    }

    // And none at all once it is removed.
    subscribe(&seller, &Value::Null);
    let count = production.notices().len();
    seller.pay(1_500);
    let deliveries = server.list("deliveries", "/deliveries");
    assert_eq!(
        deliveries[0]["request"]["body"].as_str().map(|body| body.contains("CANCELED")),
        Some(true)
    );
    assert_eq!(production.notices().len(), count);
    server.send(&Call::get("/healthz")).expect(200);
}

crate::on_both!(side_by_side, settings_of_the_signed_one);
