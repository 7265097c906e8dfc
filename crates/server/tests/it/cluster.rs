//! Two servers on one PostgreSQL database under load. One is killed in the middle and started
//! again: nothing is lost or doubled, and what the other one was doing is not undone.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::http::{Answer, Call, Connection};
use crate::place::Place;
use crate::point::Seller;
use crate::receiver::Receiver;
use crate::server::{Server, verify};

/// How many terminals are at work through each server.
const TERMINALS: usize = 6;
/// How many payments each of them takes.
const PAYMENTS: usize = 12;
/// After how many payments of all of them the first server is killed, and started again.
const KILL_AFTER: [usize; 3] = [20, 50, 85];

/// Where a server listens at the moment; `None` while it is down.
struct Way {
    address: Mutex<Option<String>>,
    changed: Condvar,
}

impl Way {
    fn to(address: &str) -> Self {
        Self { address: Mutex::new(Some(address.to_owned())), changed: Condvar::new() }
    }

    fn set(&self, address: Option<String>) {
        *self.address.lock().unwrap() = address;
        self.changed.notify_all();
    }

    /// Sends a request until it is answered: when the server is down, to the one that comes after.
    /// Answers also how often it was sent.
    fn send(&self, call: &Call) -> (Answer, usize) {
        let mut tries = 0;
        loop {
            let address = self.address.lock().unwrap();
            let address = self.changed.wait_while(address, |address| address.is_none()).unwrap();
            let now = address.clone().unwrap();
            drop(address);
            tries += 1;
            let sent = Connection::open(&now).and_then(|mut connection| connection.send(call));
            if let Ok(answer) = sent {
                return (answer, tries);
            }
            // Cut off: it is down, or about to be; then the next address is another one.
            let address = self.address.lock().unwrap();
            let is_same = |address: &mut Option<String>| address.as_ref() == Some(&now);
            drop(self.changed.wait_while(address, is_same).unwrap());
        }
    }
}

/// What came of one payment.
#[derive(Clone, Debug)]
struct Taken {
    intent: String,
    /// The id of the payment that was answered as approved; none when the server was killed before.
    approved: Option<String>,
}

/// A terminal with the point of sale that uses it.
struct Till<'a> {
    way: &'a Way,
    token: &'a str,
    device: &'a str,
    receiver: &'a Receiver,
}

impl Till<'_> {
    fn call(&self, method: &str, target: &str, body: &Value) -> Call {
        let call = Call::new(method, target).bearer(self.token);
        if body.is_null() { call } else { call.json(body) }
    }

    fn press(&self, key: &str) -> Answer {
        let target = format!("/_cobro/v1/terminals/{}/{key}", self.device);
        self.way.send(&Call::new("POST", &target).json(&json!({}))).0
    }

    fn state(&self, intent: &str) -> String {
        let target = format!("/point/integration-api/payment-intents/{intent}");
        let (answer, _) = self.way.send(&self.call("GET", &target, &Value::Null));
        answer.expect(200).json()["state"].as_str().unwrap().to_owned()
    }

    /// One payment, as a client of an official SDK makes it: the same key when it asks again.
    fn take(&self, number: usize) -> Taken {
        let target = format!("/point/integration-api/devices/{}/payment-intents", self.device);
        let reference = format!("{} {number}", self.device);
        let body = json!({ "amount": 1500 + number,
                           "additional_info": { "external_reference": reference } });
        let call = self.call("POST", &target, &body).header("X-Idempotency-Key", &reference);
        let (created, _) = self.way.send(&call);
        let intent = created.expect(201).json()["id"].as_str().unwrap().to_owned();
        loop {
            match self.state(&intent).as_str() {
                "OPEN" => drop(self.press("fetch")),
                "ON_TERMINAL" => {
                    let answer = self.press("card");
                    if answer.status == 200 && answer.json()["outcome"] == "approved" {
                        let payment = answer.json()["payment"]["id"].as_str().unwrap().to_owned();
                        self.finish(&intent);
                        return Taken { intent, approved: Some(payment) };
                    }
                }
                // The server that was asking the acquirer is gone: what became of it, the
                // webhook tells.
                "PROCESSING" => {
                    let other = |state: &Value| state == "PROCESSED" || is_final(state);
                    let of_intent = |body: &Value| body["id"] == intent && other(&body["state"]);
                    self.receiver.wait(|notice| of_intent(&notice.body));
                }
                "PROCESSED" => self.finish(&intent),
                _ => return Taken { intent, approved: None },
            }
        }
    }

    /// Puts the result away, unless that was done before.
    fn finish(&self, intent: &str) {
        if self.state(intent) == "PROCESSED" {
            self.press("close");
        }
        assert_eq!(self.state(intent), "FINISHED");
    }
}

fn is_final(state: &Value) -> bool {
    ["FINISHED", "CANCELED", "ERROR", "ABANDONED", "CONFIRMATION_REQUIRED"]
        .contains(&state.as_str().unwrap())
}

/// Counts payments, and wakes who waits for a count.
#[derive(Default)]
struct Tally {
    done: Mutex<usize>,
    changed: Condvar,
}

impl Tally {
    fn add(&self) {
        *self.done.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn wait_for(&self, count: usize) {
        let done = self.done.lock().unwrap();
        drop(self.changed.wait_while(done, |done| *done < count).unwrap());
    }
}

/// The terminals that take part, all of one merchant.
fn pair(seller: &Seller<'_>) -> Vec<String> {
    let pairing = json!({ "merchant": seller.user_id, "count": 2 * TERMINALS });
    let paired = seller.control("POST", "/terminals", &pairing).expect(201).json();
    let terminals = paired["terminals"].as_array().unwrap();
    terminals.iter().map(|terminal| terminal["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_of_two_servers_is_killed_under_load() {
    let Some(place) = Place::postgres() else { return };
    let start = |number| Server::start_with(&place, number, &["serve", "--port", "0"]);
    let stays = start(0);
    let mut dies = Some(start(1));
    let seller = Seller::demo(&stays, "MLA");
    let receiver = seller.subscribe();
    let devices = pair(&seller);
    let ways = [Way::to(&dies.as_ref().unwrap().address), Way::to(&stays.address)];
    let (tally, verified) = (Tally::default(), AtomicUsize::new(0));

    let taken: Vec<(usize, Vec<Taken>)> = thread::scope(|scope| {
        let mut running = Vec::new();
        for (place, device) in devices.iter().enumerate() {
            let (side, tally) = (place % 2, &tally);
            let (token, receiver) = (&seller.token, &receiver);
            let till = Till { way: &ways[side], token, device, receiver };
            running.push(scope.spawn(move || {
                let one = |number| {
                    let taken = till.take(number);
                    tally.add();
                    taken
                };
                (side, (0..PAYMENTS).map(one).collect::<Vec<Taken>>())
            }));
        }
        for count in KILL_AFTER {
            tally.wait_for(count);
            ways[0].set(None);
            dies.take().unwrap().kill();
            verify(&place);
            let again = dies.insert(start(1));
            ways[0].set(Some(again.address.clone()));
            verify(&place);
            verified.fetch_add(2, Ordering::SeqCst);
        }
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });

    verify(&place);
    check(&stays, &seller, &receiver, &taken);
    drop(dies);
}

fn check(
    stays: &Server<'_>,
    seller: &Seller<'_>,
    receiver: &Receiver,
    taken: &[(usize, Vec<Taken>)],
) {
    let all: Vec<&Taken> = taken.iter().flat_map(|(_, taken)| taken).collect();
    let intents: BTreeSet<&str> = all.iter().map(|one| one.intent.as_str()).collect();
    assert_eq!(intents.len(), 2 * TERMINALS * PAYMENTS, "each request made one intent");
    let unanswered = all.iter().filter(|one| one.approved.is_none()).count();
    println!("{} payments, {unanswered} of them cut off", all.len());
    for (side, taken) in taken {
        for one in taken {
            let state = seller.intent(&one.intent)["state"].clone();
            assert!(is_final(&state), "{one:?}: {state}");
            assert!(
                *side == 0 || one.approved.is_some(),
                "the other server was not killed: {one:?}"
            );
            if let Some(payment) = &one.approved {
                assert_eq!(state, "FINISHED");
                assert_eq!(seller.payment(payment)["status"], "approved", "{one:?}");
                receiver.told(&one.intent, "FINISHED");
            }
        }
    }
    // One event for each: nothing is doubled.
    let events = stays.list("events", "/events");
    let of = |kind: &str| {
        let found = events.iter().filter(|event| event["kind"] == kind);
        found.map(|event| event["subject"].as_str().unwrap()).collect::<Vec<&str>>()
    };
    let opened = of("intent.opened");
    assert_eq!(opened.len(), intents.len());
    assert_eq!(opened.into_iter().collect::<BTreeSet<&str>>(), intents);
    let approved = of("payment.approved");
    let answered = all.iter().filter(|one| one.approved.is_some()).count();
    assert!((answered..=all.len()).contains(&approved.len()), "{} {answered}", approved.len());
    assert_eq!(approved.iter().collect::<BTreeSet<_>>().len(), approved.len());
    assert!(of("payment.reversed").len() <= unanswered, "only what was cut off is undone");
    assert_eq!(stays.list("postings", "/ledger/postings").len(), approved.len());
}

#[test]
fn what_a_dead_server_was_doing_is_given_up_and_no_more() {
    let Some(place) = Place::postgres() else { return };
    let start = |number| Server::start_with(&place, number, &["serve", "--port", "0"]);
    // The first one looks after what others leave behind.
    let (first, lives, dies) = (start(0), start(1), start(2));
    let (seller, other) = (Seller::demo(&first, "MLA"), Seller::demo(&first, "MLB"));
    let receiver = seller.subscribe();
    let others_receiver = other.subscribe();
    let intent = seller.create(&json!({ "amount": 1500 }));
    let lost = other.create(&json!({ "amount": 1500 }));
    for seller in [&seller, &other] {
        seller.at_terminal("fetch", &json!({})).expect(200);
    }
    // The acquirer cannot write its book: it answers nobody.
    let hold = place.hold("cobro_acquirer.book");
    let outcome = thread::scope(|scope| {
        let (mut slow, card) = (lives.connect(), seller.press("card"));
        let living = scope.spawn(move || slow.send(&card).unwrap());
        receiver.told(&intent, "PROCESSING");
        let (mut cut, card) = (dies.connect(), other.press("card"));
        let dead = scope.spawn(move || cut.send(&card));
        others_receiver.told(&lost, "PROCESSING");
        // One stands still with its payment, the other one is gone.
        lives.signal("STOP");
        dies.kill();
        drop(hold);
        assert!(dead.join().unwrap().is_err());
        // The dead one's payment is given up once its silence has lasted long enough ...
        let told = others_receiver.told(&lost, "CONFIRMATION_REQUIRED");
        assert!(told.body["payment"]["id"].is_i64());
        // ... and the living one's is still under way.
        assert_eq!(seller.intent(&intent)["state"], "PROCESSING");
        lives.signal("CONT");
        living.join().unwrap()
    });
    assert_eq!(outcome.expect(200).json()["outcome"], "approved");
    assert_eq!(seller.intent(&intent)["state"], "FINISHED");
    verify(&place);
}

#[test]
fn servers_of_one_database_are_one() {
    let Some(place) = Place::postgres() else { return };
    let start = |number| Server::start_with(&place, number, &["serve", "--port", "0"]);
    let (one, two) = (start(0), start(1));
    let (here, there) = (Seller::demo(&one, "MLB"), Seller::demo(&two, "MLB"));
    let intent = here.create(&json!({ "amount": 1500 }));
    there.post(&json!({ "amount": 1500 })).expect(409);
    assert_eq!(there.intent(&intent), here.intent(&intent));
    there.at_terminal("fetch", &json!({})).expect(200);
    here.cancel(&intent).expect(409);
    let outcome = here.at_terminal("card", &json!({})).expect(200).json();
    let payment = outcome["payment"]["id"].as_str().unwrap();
    assert_eq!(there.payment(payment), here.payment(payment));
    there.refund(payment, &json!({ "amount": 9 })).expect(201);
    here.refund(payment, &json!({ "amount": 9 })).expect(400);
    // A webhook that is set through one is told of what is done through the other.
    let receiver = here.subscribe();
    let (intent, _) = there.pay(1500);
    receiver.told(&intent, "FINISHED");
    // The same request with the same key, at the same time through both.
    let call = here.creation(&json!({ "amount": 1500 })).header("X-Idempotency-Key", "k");
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| one.send(&call));
        (two.send(&call), first.join().unwrap())
    });
    assert_eq!(first.expect(201).text(), second.expect(201).text());
}

#[test]
fn the_clock_moves_for_a_server_alone() {
    let Some(place) = Place::postgres() else { return };
    let start = |number| Server::start_with(&place, number, &["serve", "--port", "0"]);
    let (one, two) = (start(0), start(1));
    let ahead = json!({ "seconds": 60 });
    let refused = one.control("POST", "/clock/advance", &ahead, 409);
    assert_eq!(refused["code"], "unsupported");
    drop(two);
    one.control("POST", "/clock/advance", &ahead, 200);
}
