//! The samples of the seed and of the reference (sections 3, 4, 6, 8.3 and 10), sent and compared:
//! every member of a sample must be there with its type, and what a sample says must be equal must
//! be equal. The files say where each comes from; ids, times and names in them are our own.

use std::path::Path;

use serde_json::{Value, json};

use crate::place::Place;
use crate::point::Seller;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shape::assert_shape;

/// What is different each time, so that only its type counts.
const VARYING: [&str; 18] = [
    "id",
    "device_id",
    "pos_id",
    "store_id",
    "external_pos_id",
    "payment_id",
    "token",
    "created_at",
    "caller_id",
    "client_id",
    "date_created",
    "date_approved",
    "date_last_updated",
    "money_release_date",
    "authorization_code",
    "collector_id",
    "payment_intent_id",
    "name",
];
/// What depends on the demo seller and its cards.
const OWN: [&str; 3] = ["statement_descriptor", "expiration_month", "expiration_year"];

fn samples() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = directory.join("../dialects/mercadopago/fixtures/samples");
    let mut samples = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let sample = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        samples.push((path.file_name().unwrap().to_str().unwrap().to_owned(), sample));
    }
    samples.sort_by(|one, other| one.0.cmp(&other.0));
    samples
}

/// What a sample has besides types must be equal, but for what varies.
#[track_caller]
fn assert_says(what: &str, sample: &Value, value: &Value) {
    assert_shape(what, sample, value);
    differences(what, sample, value);
}

#[track_caller]
fn differences(what: &str, sample: &Value, value: &Value) {
    match (sample, value) {
        (Value::Object(members), _) => {
            for (name, sample) in members {
                let varies = VARYING.contains(&name.as_str()) || OWN.contains(&name.as_str());
                if sample.is_object() || sample.is_array() || !varies {
                    differences(&format!("{what}/{name}"), sample, &value[name]);
                }
            }
        }
        (Value::Array(samples), Value::Array(values)) => {
            assert_eq!(samples.len(), values.len(), "{what}");
            for (sample, value) in samples.iter().zip(values) {
                differences(what, sample, value);
            }
        }
        _ => assert_eq!(sample, value, "{what}"),
    }
}

/// What is there before a request is sent.
#[derive(Default)]
struct Given {
    intent: String,
    payment: String,
    refund: String,
    receiver: Option<Receiver>,
}

/// The body with which a sample of this country begins.
fn creation(site: &str) -> Value {
    let name = format!("intent_create_{}.json", site.to_lowercase());
    let (_, sample) = samples().into_iter().find(|(known, _)| *known == name).unwrap();
    sample["request"]["body"].clone()
}

fn given(seller: &Seller<'_>, site: &str, word: &str) -> Given {
    let mut given = Given::default();
    match word {
        "nothing" => return given,
        "subscribed" => {
            given.receiver = Some(seller.subscribe());
            return given;
        }
        _ => given.intent = seller.create(&creation(site)),
    }
    match word {
        "queued" => {}
        "taken" => drop(seller.at_terminal("fetch", &json!({})).expect(200)),
        "paid" | "refunded" => {
            let outcome = seller.take_card(&json!({}));
            given.payment = outcome["payment"]["id"].as_str().unwrap().to_owned();
        }
        _ => panic!("{word}"),
    }
    if word == "refunded" {
        let refund = seller.refund(&given.payment, &json!({ "amount": 5 })).expect(201).json();
        given.refund = refund["id"].to_string();
    }
    given
}

fn play_request(name: &str, sample: &Value, seller: &Seller<'_>, given: &Given) {
    let request = &sample["request"];
    let target = request["path"].as_str().unwrap();
    let target = target
        .replace("{device}", &seller.device)
        .replace("{intent}", &given.intent)
        .replace("{payment}", &given.payment)
        .replace("{refund}", &given.refund);
    let call = seller.call(request["method"].as_str().unwrap(), &target);
    let call = match request.get("body") {
        Some(body) => call.json(body),
        None => call,
    };
    let answer = seller.server.send(&call);
    assert_eq!(answer.status, sample["response"]["status"], "{name}: {}", answer.text());
    match sample["response"].get("body") {
        Some(body) => assert_says(name, body, &answer.json()),
        None => assert!(answer.body.is_empty(), "{name}"),
    }
}

fn play_notice(name: &str, sample: &Value, seller: &Seller<'_>, given: &Given) {
    let intent = seller.create(&sample["request"]);
    let outcome = sample["outcome"].as_str().unwrap();
    if outcome == "canceled" {
        seller.cancel(&intent).expect(200);
    } else {
        seller.control("PUT", "/faults", &json!({ "acquirer": outcome })).expect(200);
        assert_eq!(seller.take_card(&json!({}))["outcome"], outcome, "{name}");
    }
    let notice = &sample["notice"];
    let told = given.receiver.as_ref().unwrap().told(&intent, notice["state"].as_str().unwrap());
    assert_says(name, notice, &told.body);
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&told.body), names(notice), "{name}: no member too many");
    assert_eq!(told.header("content-type"), "application/json; charset=utf-8");
}

#[test]
fn samples_of_the_seed_and_the_reference() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let samples = samples();
    assert!(samples.len() >= 32, "{}", samples.len());
    for (name, sample) in samples {
        // A world of its own for each, so that none is in another's way.
        let world = server.control("POST", "/worlds", &json!({}), 201);
        let site = sample["site"].as_str().unwrap();
        let seller = Seller::of(&server, &world, site);
        assert!(sample["source"].as_str().is_some_and(|source| source.contains("reference")));
        let given = given(&seller, site, sample["given"].as_str().unwrap());
        if sample.get("notice").is_some() {
            play_notice(&name, &sample, &seller, &given);
        } else {
            play_request(&name, &sample, &seller, &given);
        }
        let path = format!("/worlds/{}", world["id"].as_str().unwrap());
        server.control("DELETE", &path, &Value::Null, 204);
    }
}
