//! Canary cards, codes and secrets: looked for wherever a server leaves something.

use std::path::Path;

use serde_json::{Value, json};

use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shop::{COLOMBIA, collect, payment, send, subscription};

crate::on_both!(cards_codes_and_secrets_are_nowhere,);

const CODE: &str = "7391";

/// Numbers whose appearance anywhere is a leak.
const CARDS: [&str; 3] = ["4110760000000081", "5180300000000005", "376651001281274"];

/// The forms in which a text may hide in bytes.
fn forms(text: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let mut forms = vec![
        text.as_bytes().to_vec(),
        hex::encode(text).into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(text).into_bytes(),
    ];
    if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        for separator in [" ", "-", "%20"] {
            let groups: Vec<&str> = (0..4).map(|n| &text[n * 4..n * 4 + 4]).collect();
            forms.push(groups.join(separator).into_bytes());
        }
        forms.push(hex::decode(text).unwrap());
    }
    forms
}

#[track_caller]
fn assert_clean(what: &str, bytes: &[u8], canaries: &[&str]) {
    for canary in canaries {
        for form in forms(canary) {
            let found = bytes.windows(form.len()).any(|window| window == form);
            assert!(!found, "{canary} is in {what}");
        }
    }
}

fn scan(directory: &Path, canaries: &[&str]) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += scan(&path, canaries);
        } else if let Ok(bytes) = std::fs::read(&path) {
            assert_clean(&path.display().to_string(), &bytes, canaries);
            files += 1;
        }
    }
    files
}

/// Everything that a shop can do with a card, also what is refused.
fn use_everything(
    server: &Server<'_>,
    card: &str,
    answers: &mut Vec<Vec<u8>>,
    seen: &mut Vec<Vec<u8>>,
) {
    let mut call = |path: &str, body: Value| {
        let answer = send(server, path, &COLOMBIA.signed(body));
        answers.push(answer.body.clone());
        answer
    };
    let made = call("/api/session", subscription()).expect(200).json();
    let typed = json!({ "number": card, "expiration": "06/34", "cvv": CODE });
    let path = format!("/sessions/{}/pay", made["requestId"]);
    server.control("POST", &path, &json!({ "card": typed, "otp": "12345" }), 200);
    let query = call(&format!("/api/session/{}", made["requestId"]), json!({})).json();
    let token = crate::shop::keyword(&query["subscription"]["instrument"], "token");
    let mut body = collect(&format!("LEAK-{}", &card[12..]), 100, &token);
    body["instrument"]["token"]["cvv"] = json!(CODE);
    let charged = call("/api/collect", body.clone()).expect(200).json();
    let number = charged["payment"][0]["internalReference"].clone();
    call("/api/reverse", json!({ "internalReference": number }));
    // Where no card belongs.
    body["payer"] = json!({ "name": card, "surname": card });
    call("/api/collect", body.clone()).expect(400);
    body["payer"] = Value::Null;
    body["instrument"]["card"] = json!({ "number": card, "cvv": CODE });
    call("/api/collect", body.clone()).expect(400);
    let mut with_buyer = payment("LEAK", "COP", 100);
    with_buyer["buyer"] = json!({ "name": card, "surname": "Lemus" });
    let made = call("/api/session", with_buyer).expect(200).json();
    let path = format!("/sessions/{}/pay", made["requestId"]);
    server.control("POST", &path, &json!({ "card": typed, "otp": "12345" }), 200);
    call(&format!("/api/session/{}", made["requestId"]), json!({})).expect(200);
    // On the page: a card that is refused, one that is charged, one that is challenged.
    let mut on_page = payment("LEAK-PAGE", "COP", 100);
    on_page["payment"]["reference"] = json!(format!("PAGE-{}", &card[12..]));
    let made = call("/api/session", on_page).expect(200).json();
    let url = made["processUrl"].as_str().unwrap();
    let page = url.strip_prefix(&format!("http://{}", server.address)).unwrap().to_owned();
    for (number, code) in [("4000000000000002", CODE), (card, "1"), (card, CODE)] {
        let form = json!({ "number": number, "expiration": "06/34", "cvv": code, "name": "ROSA",
            "document": "1040099001", "documentType": "CC", "email": "rosa@example.org" });
        seen.push(server.send(&crate::http::Call::new("POST", &page).json(&form)).body);
    }
    seen.push(server.send(&crate::http::Call::get(&page)).body);
    // Numbers that nobody published, and numbers where none belongs.
    let unknown = json!({ "card": { "number": "4000000000000002", "cvv": CODE } });
    let pay = format!("/sessions/{}/pay", made["requestId"]);
    let refused = crate::http::Call::new("POST", &format!("/_cobro/v1{pay}")).json(&unknown);
    seen.push(server.send(&refused).body);
    for path in [format!("/api/session/{card}"), format!("/api/nothing/{card}")] {
        let answer = send(server, &path, &COLOMBIA.signed(json!({ "x": card })));
        seen.push(answer.body);
    }
    let broken = format!("{{\"card\": {card}");
    let mut broken_call = crate::http::Call::new("POST", "/api/collect").json(&Value::Null);
    broken_call.body = Some(broken.into_bytes());
    seen.push(server.send(&broken_call).body);
    // Charges whose answer is late or never comes, and a hold that is changed and let go.
    server.control("PUT", "/faults", &json!({ "acquirer": "confirmation_required" }), 200);
    call("/api/collect", collect(&format!("LOST-{}", &card[12..]), 100, &token));
    let mut hold = collect(&format!("HOLD-{}", &card[12..]), 100, &token);
    hold["type"] = json!("checkin");
    let held = call("/api/collect", hold).json();
    let number = held["payment"][0]["internalReference"].clone();
    let amount = json!({ "currency": "COP", "total": 120 });
    call(
        "/api/transaction",
        json!({ "action": "reauthorization", "internalReference": number, "amount": amount }),
    );
    call("/api/transaction", json!({ "action": "reverse", "internalReference": number }));
    call("/api/gateway/token", json!({ "instrument": { "token": { "token": token } } }));
    let information = json!({ "instrument": { "card": { "number": card } } });
    call("/api/gateway/information", information).expect(200);
    call("/api/instrument/invalidate", json!({ "instrument": { "token": { "token": token } } }));
}

fn cards_codes_and_secrets_are_nowhere(place: &Place) {
    let receiver = Receiver::start("");
    let server = Server::start_logging(place, "trace");
    let setting = format!("/merchants/{}", COLOMBIA.login);
    let webhook = json!({ "webhook": { "url": receiver.url("/n") } });
    server.control("PATCH", &setting, &webhook, 200);
    let (mut answers, mut seen) = (Vec::new(), Vec::new());
    for card in CARDS {
        use_everything(&server, card, &mut answers, &mut seen);
    }
    answers.append(&mut seen);
    server.control("POST", "/clock/advance", &json!({ "seconds": 3600 }), 200);
    let rotated = crate::server::command(place, 0, &["vault", "rotate"]).output().unwrap();
    assert!(rotated.status.success());
    answers.extend([rotated.stdout, rotated.stderr]);
    // Of a card that takes one code alone, the payment is rejected and its session goes on.
    receiver.wait_for(CARDS.len() * 2 - 1);
    let secrets = [CARDS[0], CARDS[1], CARDS[2], "4000000000000002", COLOMBIA.secret];
    for answer in &answers {
        assert_clean("an answer", answer, &secrets);
    }
    for notice in receiver.notices() {
        assert_clean("a notification", notice.body.to_string().as_bytes(), &secrets);
    }
    for path in ["/requests", "/events", "/deliveries", "/sessions", "/cards"] {
        let name = path.trim_start_matches('/');
        let rows = Value::Array(server.list(name, path)).to_string();
        assert_clean(path, rows.as_bytes(), &secrets);
        assert_clean(path, rows.as_bytes(), &[&format!("\"{CODE}\"")]);
    }
    let metrics = server.send(&crate::http::Call::get("/metrics")).expect(200);
    assert_clean("metrics", &metrics.body, &secrets);
    for path in ["/console/sites", "/openapi/placetopay.json", "/openapi/control.json"] {
        let page = server.send(&crate::http::Call::get(path));
        assert_clean(path, &page.body, &secrets);
    }
    let log = server.log();
    // Nor the keys that the cards are sealed with.
    let keys = std::fs::read_to_string(place.data(0).join("vault.keys")).unwrap();
    for key in keys.lines().filter_map(|line| line.split(':').nth(1)) {
        assert!(!log.contains(key), "a vault key is in the log");
        assert!(!place.rows().contains(key), "a vault key is in the database");
    }
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log says little: {log}");
    assert_clean("the log", log.as_bytes(), &secrets);
    drop(server);
    assert!(scan(place.directory(), &secrets) > 1);
    let rows = place.rows();
    assert!(place.is_sqlite() || rows.contains("placetopay"));
    assert_clean("the database", rows.as_bytes(), &secrets);
}
