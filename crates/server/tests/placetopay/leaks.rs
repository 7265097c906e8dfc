//! Canary cards, codes and secrets: looked for wherever a server leaves something.

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shared::canaries::{CODE, Canaries, SHORT_CODE};
use crate::shop::{COLOMBIA, collect, payment, send, subscription};

crate::on_both!(cards_codes_and_secrets_are_nowhere,);

/// How many charges a payment that recurs has, a day apart.
const CHARGES: usize = 3;

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

    /// Payments whose card the clock charges again: typed for the control API, typed on the page,
    /// and a token's.
    fn recur(&mut self, told: &Receiver) {
        let recurring = json!({ "periodicity": "D", "interval": 1, "maxPeriods": CHARGES,
            "notificationUrl": told.url("/r") });
        let series = |shop: &mut Self, name: &str| {
            let mut body = payment(&shop.reference(name), "COP", 100);
            body["payment"]["recurring"] = recurring.clone();
            shop.call("/api/session", body).expect(200).json()
        };
        let made = series(self, "API");
        let typed = json!({ "card": self.typed(), "otp": "12345" });
        let path = format!("/sessions/{}/pay", made["requestId"]);
        self.server.control("POST", &path, &typed, 200);
        let made = series(self, "FORM");
        self.type_on_page(made["processUrl"].as_str().unwrap(), self.card, self.code());
        let token = COLOMBIA.token(self.server, self.card);
        let mut body = collect(&self.reference("TOKEN"), 100, &token);
        body["payment"]["recurring"] = recurring.clone();
        body["instrument"]["token"]["cvv"] = json!(CODE);
        self.call("/api/collect", body).expect(200);
    }

    /// Types a card on a page.
    fn type_on_page(&mut self, url: &str, number: &str, code: &str) -> Value {
        let page = url.strip_prefix(&format!("http://{}", self.server.address)).unwrap();
        let form = json!({ "number": number, "expiration": "06/34", "cvv": code, "name": "ROSA",
            "document": "1040099001", "documentType": "CC", "email": "rosa@example.org" });
        self.send(&Call::new("POST", page).json(&form)).json()["outcome"].clone()
    }

    /// A code as long as a page wants it for the card.
    fn code(&self) -> &'static str {
        if self.card.starts_with('3') { CODE } else { SHORT_CODE }
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
        let approved = if self.card.starts_with('3') { "rejected" } else { "approved" };
        for (number, code, outcome) in [
            (UNKNOWN, CODE, "invalid"),
            (self.card, "1", "invalid"),
            (self.card, self.code(), approved),
        ] {
            assert_eq!(self.type_on_page(url, number, code), outcome);
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

/// Waits until all charges that recur are told, and looks at them. A card that takes one code alone
/// was charged with another, so that nothing follows.
fn assert_recurred(server: &Server<'_>, told: &Receiver) {
    let taken: Vec<String> = CARDS[..2]
        .iter()
        .flat_map(|card| ["API", "FORM", "TOKEN"].map(|name| format!("{name}-{}", &card[12..])))
        .collect();
    told.wait_for(taken.len() * CHARGES);
    let notices = told.notices();
    for reference in &taken {
        let of = notices.iter().filter(|notice| notice.body["reference"] == **reference);
        let states: Vec<&Value> = of.map(|notice| &notice.body["status"]["status"]).collect();
        assert_eq!(states, [&json!("APPROVED"); CHARGES], "{reference}");
    }
    let rows = server.list("sessions", "/sessions");
    let direct = rows.iter().filter(|row| row["kind"] == "direct");
    let charged = |name: &str| direct.clone().filter(|row| row["reference"] == name).count();
    let (api, form, token) = (charged(&taken[0]), charged(&taken[1]), charged(&taken[2]));
    assert_eq!((api, form, token), (CHARGES - 1, CHARGES - 1, CHARGES));
}

fn cards_codes_and_secrets_are_nowhere(place: &Place) {
    let (receiver, told) = (Receiver::start(""), Receiver::start(""));
    let server = Server::start_logging(place, "trace");
    let setting = format!("/merchants/{}", COLOMBIA.login);
    let webhook = json!({ "webhook": { "url": receiver.url("/n") } });
    server.control("PATCH", &setting, &webhook, 200);
    let mut answers = Vec::new();
    for card in CARDS {
        let mut shop = Curious { server: &server, card, answers: Vec::new() };
        shop.use_everything();
        shop.recur(&told);
        answers.append(&mut shop.answers);
    }
    let days = json!({ "seconds": CHARGES * 24 * 3600 });
    server.control("POST", "/clock/advance", &days, 200);
    assert_recurred(&server, &told);
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
    canaries.assert_not_told(&server, &[&receiver, &told], &lists);
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
