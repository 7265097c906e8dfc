//! Canary cards, codes and secrets: looked for wherever a server leaves something.

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shared::canaries::{CODE, Canaries};
use crate::shop::{COLOMBIA, collect, payment, send, subscription};

crate::on_both!(cards_codes_and_secrets_are_nowhere,);

/// Numbers whose appearance anywhere is a leak.
const CARDS: [&str; 3] = ["4110760000000081", "5180300000000005", "376651001281274"];

/// One that nobody published.
const UNKNOWN: &str = "4000000000000002";

/// A shop that keeps every answer that it gets.
struct Curious<'a> {
    server: &'a Server<'a>,
    card: &'a str,
    answers: Vec<Vec<u8>>,
}

impl Curious<'_> {
    fn call(&mut self, path: &str, body: Value) -> Answer {
        let answer = send(self.server, path, &COLOMBIA.signed(body));
        self.answers.push(answer.body.clone());
        answer
    }

    fn send(&mut self, call: &Call) -> Answer {
        let answer = self.server.send(call);
        self.answers.push(answer.body.clone());
        answer
    }

    fn reference(&self, name: &str) -> String {
        format!("{name}-{}", &self.card[12..])
    }

    fn typed(&self) -> Value {
        json!({ "number": self.card, "expiration": "06/34", "cvv": CODE })
    }

    /// Everything that a shop can do with a card, also what is refused.
    fn use_everything(&mut self) {
        let made = self.call("/api/session", subscription()).expect(200).json();
        let path = format!("/sessions/{}/pay", made["requestId"]);
        let typed = json!({ "card": self.typed(), "otp": "12345" });
        self.server.control("POST", &path, &typed, 200);
        let query = self.call(&format!("/api/session/{}", made["requestId"]), json!({})).json();
        let token = crate::shop::keyword(&query["subscription"]["instrument"], "token");
        self.charge(&token);
        self.use_pages();
        self.send_nonsense();
        self.hold(&token);
        let instrument = json!({ "instrument": { "token": { "token": token } } });
        self.call("/api/gateway/token", instrument.clone());
        let information = json!({ "instrument": { "card": { "number": self.card } } });
        self.call("/api/gateway/information", information).expect(200);
        self.call("/api/instrument/invalidate", instrument);
    }

    /// Charges of a token; numbers and codes also where none belongs.
    fn charge(&mut self, token: &str) {
        let mut body = collect(&self.reference("LEAK"), 100, token);
        body["instrument"]["token"]["cvv"] = json!(CODE);
        let charged = self.call("/api/collect", body.clone()).expect(200).json();
        let number = charged["payment"][0]["internalReference"].clone();
        self.call("/api/reverse", json!({ "internalReference": number }));
        body["payer"] = json!({ "name": self.card, "surname": self.card });
        self.call("/api/collect", body.clone()).expect(400);
        body["payer"] = Value::Null;
        body["instrument"]["card"] = json!({ "number": self.card, "cvv": CODE });
        self.call("/api/collect", body.clone()).expect(400);
        let lost = json!({ "acquirer": "confirmation_required" });
        self.server.control("PUT", "/faults", &lost, 200);
        self.call("/api/collect", collect(&self.reference("LOST"), 100, token));
    }

    /// On the page, by the control API and by the form: a card that is refused, one with a wrong
    /// code, one that is charged.
    fn use_pages(&mut self) {
        let mut with_buyer = payment("LEAK", "COP", 100);
        with_buyer["buyer"] = json!({ "name": self.card, "surname": "Lemus" });
        let made = self.call("/api/session", with_buyer).expect(200).json();
        let path = format!("/sessions/{}/pay", made["requestId"]);
        let typed = json!({ "card": self.typed(), "otp": "12345" });
        self.server.control("POST", &path, &typed, 200);
        self.call(&format!("/api/session/{}", made["requestId"]), json!({})).expect(200);
        let on_page = payment(&self.reference("PAGE"), "COP", 100);
        let made = self.call("/api/session", on_page).expect(200).json();
        let url = made["processUrl"].as_str().unwrap();
        let page = url.strip_prefix(&format!("http://{}", self.server.address)).unwrap();
        let unknown = json!({ "card": { "number": UNKNOWN, "cvv": CODE } });
        let path = format!("/_cobro/v1/sessions/{}/pay", made["requestId"]);
        self.send(&Call::new("POST", &path).json(&unknown)).expect(422);
        for (number, code) in [(UNKNOWN, CODE), (self.card, "1"), (self.card, CODE)] {
            let form = json!({ "number": number, "expiration": "06/34", "cvv": code,
                "name": "ROSA", "document": "1040099001", "documentType": "CC",
                "email": "rosa@example.org" });
            self.send(&Call::new("POST", page).json(&form));
        }
        self.send(&Call::get(page));
    }

    /// Numbers in paths, in members that nobody knows, and in what is no JSON.
    fn send_nonsense(&mut self) {
        for path in ["/api/session/", "/api/nothing/"] {
            let path = format!("{path}{}", self.card);
            self.call(&path, json!({ "x": self.card })).expect(404);
        }
        let mut broken = Call::new("POST", "/api/collect").json(&Value::Null);
        broken.body = Some(format!("{{\"card\": {}", self.card).into_bytes());
        self.send(&broken).expect(401);
    }

    /// A hold that is changed and let go.
    fn hold(&mut self, token: &str) {
        let mut hold = collect(&self.reference("HOLD"), 100, token);
        hold["type"] = json!("checkin");
        let held = self.call("/api/collect", hold).json();
        let number = held["payment"][0]["internalReference"].clone();
        let act = |action: &str| {
            json!({ "action": action, "internalReference": number,
                "amount": { "currency": "COP", "total": 120 } })
        };
        self.call("/api/transaction", act("reauthorization"));
        self.call("/api/transaction", act("reverse"));
    }
}

fn cards_codes_and_secrets_are_nowhere(place: &Place) {
    let receiver = Receiver::start("");
    let server = Server::start_logging(place, "trace");
    let setting = format!("/merchants/{}", COLOMBIA.login);
    let webhook = json!({ "webhook": { "url": receiver.url("/n") } });
    server.control("PATCH", &setting, &webhook, 200);
    let mut answers = Vec::new();
    for card in CARDS {
        let mut shop = Curious { server: &server, card, answers: Vec::new() };
        shop.use_everything();
        answers.append(&mut shop.answers);
    }
    server.control("POST", "/clock/advance", &json!({ "seconds": 3600 }), 200);
    let rotated = crate::server::command(place, 0, &["vault", "rotate"]).output().unwrap();
    assert!(rotated.status.success());
    answers.extend([rotated.stdout, rotated.stderr]);
    // Of a card that takes one code alone, the payment is rejected and its session goes on.
    receiver.wait_for(CARDS.len() * 2 - 1);
    let secrets = [CARDS[0], CARDS[1], CARDS[2], UNKNOWN, COLOMBIA.secret];
    let canaries = Canaries(&secrets);
    for answer in &answers {
        canaries.assert_not_in("an answer", answer);
    }
    let lists = ["requests", "events", "deliveries", "sessions", "cards"];
    canaries.assert_not_told(&server, &receiver, &lists);
    let metrics = server.send(&Call::get("/metrics")).expect(200);
    canaries.assert_not_in("metrics", &metrics.body);
    for path in ["/console/sites", "/openapi/placetopay.json", "/openapi/control.json"] {
        let page = server.send(&Call::get(path));
        canaries.assert_not_in(path, &page.body);
    }
    let log = server.log();
    // Nor the keys that the cards are sealed with.
    let keys = std::fs::read_to_string(place.data(0).join("vault.keys")).unwrap();
    for key in keys.lines().filter_map(|line| line.split(':').nth(1)) {
        assert!(!log.contains(key), "a vault key is in the log");
        assert!(!place.rows().contains(key), "a vault key is in the database");
    }
    drop(server);
    assert!(canaries.assert_not_below(place.directory()) > 1);
    let rows = place.rows();
    assert!(place.is_sqlite() || rows.contains("placetopay"));
    canaries.assert_not_in("the database", rows.as_bytes());
}
