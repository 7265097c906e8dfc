//! Charges without a terminal, killed between any two steps: no charge is left without a record or
//! a reversal, and a request that comes again leads to the charge that it made.

use serde_json::{Value, json};

use crate::http::{Answer, Call, Connection};
use crate::receiver::Receiver;
use crate::shared::place::Place;
use crate::shared::server::verify;
use crate::shared::shop::{COLOMBIA, keyword};
use crate::shop::{Died, Server};

/// How a charge that was cut off ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was never begun; the request that comes again makes it.
    NotMade,
    /// It is undone, and the shop is told.
    Undone,
    /// It is there.
    Made,
}

use End::{Made, NotMade, Undone};

/// Points that every charge of a card passes.
const CHARGES: &[(&str, End)] = &[
    ("card.received", NotMade),
    ("card.begin.before_commit", NotMade),
    ("card.begin.committed", Undone),
    ("card.answered", Undone),
    ("charge.store.before_commit", Undone),
    ("card.store.committed", Made),
];

/// How much a hold that was being changed holds in the end, in pesos.
const HOLDS: &[(&str, i64)] = &[
    ("adjust.begin.before_commit", 1_000),
    ("adjust.begin.committed", 1_500),
    ("adjust.answered", 1_500),
    ("adjust.store.before_commit", 1_500),
    ("adjust.store.committed", 1_500),
];

/// Points that a hold passes when it is let go.
const RELEASES: &[&str] = &["release.committed", "reversal.before_send", "reversal.answered"];

/// All points that are tried here.
pub(crate) fn points() -> impl Iterator<Item = &'static &'static str> {
    let charges = CHARGES.iter().map(|(point, _)| point);
    charges.chain(HOLDS.iter().map(|(point, _)| point)).chain(RELEASES)
}

struct Site<'a>(&'a Server);

impl Site<'_> {
    fn send(&self, call: &Call) -> Result<Answer, Died> {
        let answered = Connection::open(&self.0.address).and_then(|mut to| to.send(call));
        answered.map_err(|_| Died)
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value, Died> {
        let call = Call::new(method, &format!("/_cobro/v1{path}")).json(body);
        Ok(self.send(&call)?.expect(200).json())
    }

    /// Sends a body as it is; the answer must be a good one.
    fn post(&self, path: &str, body: &Value) -> Result<Value, Died> {
        Ok(self.send(&Call::new("POST", path).json(body))?.expect(200).json())
    }

    fn call(&self, path: &str, body: Value) -> Result<Value, Died> {
        self.post(path, &COLOMBIA.signed(body))
    }

    fn query(&self, id: &Value) -> Result<Value, Died> {
        self.call(&format!("/api/session/{id}"), json!({}))
    }

    /// Past every deadline.
    fn advance(&self) -> Result<(), Died> {
        self.control("POST", "/clock/advance", &json!({ "seconds": 3600 })).map(drop)
    }

    fn subscribe(&self, receiver: &Receiver) -> Result<(), Died> {
        let body = json!({ "webhook": { "url": receiver.url("/n") } });
        self.control("PATCH", &format!("/merchants/{}", COLOMBIA.login), &body).map(drop)
    }

    fn session(&self, mut body: Value) -> Result<Value, Died> {
        for (name, value) in [
            ("returnUrl", "https://shop.example.org/back"),
            ("ipAddress", "203.0.113.9"),
            ("userAgent", "Tienda/1.0"),
        ] {
            body[name] = json!(value);
        }
        Ok(self.call("/api/session", body)?["requestId"].clone())
    }

    fn token(&self) -> Result<String, Died> {
        let wanted = json!({ "subscription": { "reference": "S-1", "description": "Plan" } });
        let id = self.session(wanted)?;
        self.control("POST", &format!("/sessions/{id}/pay"), &json!({}))?;
        let query = self.query(&id)?;
        Ok(keyword(&query["subscription"]["instrument"], "token"))
    }

    fn approvals(&self) -> Result<usize, Died> {
        let events = self.send(&Call::get("/_cobro/v1/events?limit=1000"))?.expect(200).json();
        let events = events["events"].as_array().unwrap();
        Ok(events.iter().filter(|event| event["kind"] == "payment.approved").count())
    }
}

fn collect(reference: &str, token: &str, kind: Option<&str>) -> Value {
    let mut body = json!({
        "payment": { "reference": reference, "amount": { "currency": "COP", "total": 1_000 } },
        "instrument": { "token": { "token": token } },
    });
    if let Some(kind) = kind {
        body["type"] = json!(kind);
    }
    body
}

fn start(place: &Place, point: Option<&str>) -> Server {
    Server::start(place, point).expect("the server starts")
}

/// What was told of a session.
fn told(receiver: &Receiver, id: &Value) -> Vec<String> {
    let notices = receiver.notices();
    let of = notices.iter().filter(|notice| notice.body["requestId"] == *id);
    of.map(|notice| notice.body["status"]["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn crashes_while_a_stored_card_is_charged() {
    for (point, end) in CHARGES {
        let (place, receiver) = (Place::sqlite(), Receiver::start(""));
        let server = start(&place, None);
        let token = Site(&server).token().unwrap();
        Site(&server).subscribe(&receiver).unwrap();
        drop(server);
        let server = start(&place, Some(point));
        let body = COLOMBIA.signed(collect("C-1", &token, None));
        assert!(Site(&server).post("/api/collect", &body).is_err(), "{point}");
        server.wait_for_death();
        verify(&place);
        let server = start(&place, None);
        let site = Site(&server);
        site.advance().unwrap();
        // The same request again: what it led to, once.
        let answer = site.post("/api/collect", &body).unwrap();
        let (status, approvals) = match end {
            NotMade | Made => ("APPROVED", 1),
            Undone => ("REJECTED", 0),
        };
        assert_eq!(answer["status"]["status"], status, "{point}: {answer}");
        assert_eq!(site.approvals().unwrap(), approvals, "{point}");
        if *end == Undone {
            // Nobody waited for this answer, so that it is told; the charge may be made again.
            let id = &answer["requestId"];
            receiver.wait(|notice| notice.body["requestId"] == *id);
            assert_eq!(told(&receiver, id), ["REJECTED"], "{point}");
            let again = site.call("/api/collect", collect("C-1", &token, None)).unwrap();
            assert_eq!(again["status"]["status"], "APPROVED", "{point}");
        }
        drop(server);
        verify(&place);
    }
}

#[test]
fn crashes_while_a_typed_card_is_charged_and_kept() {
    for (point, end) in CHARGES {
        let (place, receiver) = (Place::sqlite(), Receiver::start(""));
        let server = start(&place, Some(point));
        let site = Site(&server);
        site.subscribe(&receiver).unwrap();
        let amount = json!({ "currency": "COP", "total": 1_000 });
        let payment =
            json!({ "reference": "P-1", "description": "x", "amount": amount, "subscribe": true });
        let id = site.session(json!({ "payment": payment })).unwrap();
        let pay = format!("/sessions/{id}/pay");
        assert!(site.control("POST", &pay, &json!({})).is_err(), "{point}");
        server.wait_for_death();
        verify(&place);
        let server = start(&place, None);
        let site = Site(&server);
        site.control("POST", "/clock/advance", &json!({ "seconds": 600 })).unwrap();
        let found = site.query(&id).unwrap();
        if *end == Made {
            assert_eq!(found["status"]["status"], "APPROVED", "{point}");
        } else {
            // The payer can try again: nothing is taken.
            assert_eq!(found["status"]["status"], "PENDING", "{point}: {found}");
            assert_eq!(site.approvals().unwrap(), 0, "{point}");
            let outcome = site.control("POST", &pay, &json!({})).unwrap();
            assert_eq!(outcome["outcome"], "approved", "{point}");
        }
        let found = site.query(&id).unwrap();
        assert_eq!(found["subscription"]["type"], "token", "{point}: {found}");
        assert_eq!(site.approvals().unwrap(), 1, "{point}");
        receiver.wait(|notice| notice.body["requestId"] == id);
        assert!(told(&receiver, &id).iter().all(|status| status == "APPROVED"), "{point}");
        drop(server);
        verify(&place);
    }
}

/// A check-in, and the point at which its server will die when asked to `act` on it.
fn held(place: &Place, point: &str) -> (Server, i64, Value) {
    let server = start(place, None);
    let token = Site(&server).token().unwrap();
    let body = collect("H-1", &token, Some("checkin"));
    let made = Site(&server).call("/api/collect", body).unwrap();
    drop(server);
    let number = made["payment"][0]["internalReference"].as_i64().unwrap();
    (start(place, Some(point)), number, made["requestId"].clone())
}

#[test]
fn crashes_while_a_hold_is_changed() {
    for (point, holds) in HOLDS {
        let place = Place::sqlite();
        let (server, number, id) = held(&place, point);
        let act = |action: &str, total: i64| {
            json!({ "action": action, "internalReference": number,
                "amount": { "currency": "COP", "total": total } })
        };
        let asked = Site(&server).call("/api/transaction", act("reauthorization", 1_500));
        assert!(asked.is_err(), "{point}");
        server.wait_for_death();
        verify(&place);
        let server = start(&place, None);
        let site = Site(&server);
        site.advance().unwrap();
        let found = site.query(&id).unwrap();
        assert_eq!(found["payment"][0]["amount"]["from"]["total"], *holds, "{point}");
        let taken = site.call("/api/transaction", act("checkout", *holds)).unwrap();
        assert_eq!(taken["status"]["status"], "APPROVED", "{point}");
        drop(server);
        verify(&place);
    }
}

#[test]
fn crashes_while_a_hold_is_let_go() {
    for point in RELEASES {
        let place = Place::sqlite();
        let (server, number, id) = held(&place, point);
        let reverse = json!({ "internalReference": number });
        assert!(Site(&server).call("/api/reverse", reverse).is_err(), "{point}");
        server.wait_for_death();
        verify(&place);
        let server = start(&place, None);
        let site = Site(&server);
        site.advance().unwrap();
        let found = site.query(&id).unwrap();
        assert_eq!(found["payment"][0]["refunded"], true, "{point}: {found}");
        drop(server);
        // The acquirer was told: its book says so too.
        verify(&place);
    }
}
