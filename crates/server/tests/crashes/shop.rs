//! A point of sale, the person at its terminal, and the server that they use until it dies.

use std::io::{BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::http::{AMPLE, Answer, Call, Connection};
use crate::receiver::Receiver;
use crate::shared::place::Place;
use crate::shared::server::{command, read_address};

const TOKEN: &str = "TEST-1000000000000001-112000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-100000001";
const SELLER: &str = "100000001";
const DEVICE: &str = "PAX_A910__SBX0000001";

/// What an intent is about, in minor units, and what of it is refunded, in pesos.
const AMOUNT: i64 = 150_000;
pub(crate) const REFUND: i64 = 100;

/// The server has died.
#[derive(Debug)]
pub(crate) struct Died;

/// A running server; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
    pub(crate) address: String,
}

impl Server {
    /// Starts one; `Died` when it ends before it listens.
    pub(crate) fn start(place: &Place, crash_at: Option<&str>) -> Result<Self, Died> {
        let mut command = command(place, 0, &["serve", "--port", "0"]);
        command.envs(crash_at.map(|point| ("COBRO_CRASH_AT", point)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let Some(address) = read_address(&mut output) else {
            child.wait().unwrap();
            return Err(Died);
        };
        Ok(Self { child, output: Some(output), address })
    }

    /// Waits until it is dead, of its own doing.
    #[track_caller]
    pub(crate) fn wait_for_death(mut self) {
        let mut output = self.output.take().unwrap();
        let (gone, is_gone) = mpsc::channel();
        std::thread::spawn(move || {
            // Ends when the process does.
            let _ = output.read_to_end(&mut Vec::new());
            gone.send(())
        });
        is_gone.recv_timeout(AMPLE).expect("the server goes on");
        assert!(!self.child.wait().unwrap().success(), "the server stopped in an orderly way");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was answered, and what is not known.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Intents whose end was shown, with the state.
    pub(crate) ended: Vec<(String, &'static str)>,
    /// The intent that is under way.
    pub(crate) current: Option<String>,
    /// The time that was shown last.
    pub(crate) now: jiff::Timestamp,
    /// The payment that is refunded, and whether the refund was answered.
    pub(crate) refunded: Option<(String, bool)>,
}

/// The shop.
#[derive(Debug)]
pub(crate) struct Shop<'a> {
    pub(crate) server: &'a Server,
    pub(crate) receiver: &'a Receiver,
    pub(crate) memory: &'a mut Memory,
}

impl Shop<'_> {
    fn send(&self, call: &Call, status: u16) -> Result<Value, Died> {
        let answered = Connection::open(&self.server.address).and_then(|mut to| to.send(call));
        let Answer { status: found, body, .. } = answered.map_err(|_| Died)?;
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(found, status, "{} {}: {text}", call.method, call.target);
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value, Died> {
        self.send(&Call::new(method, &format!("/_cobro/v1{path}")).json(body), 200)
    }

    fn api(&self, method: &str, target: &str, body: &Value, status: u16) -> Result<Value, Died> {
        let call = Call::new(method, target).bearer(TOKEN);
        self.send(&if body.is_null() { call } else { call.json(body) }, status)
    }

    fn intents() -> String {
        format!("/point/integration-api/devices/{DEVICE}/payment-intents")
    }

    pub(crate) fn subscribe(&self) -> Result<(), Died> {
        let body = json!({ "webhook": { "url": self.receiver.url("/hook") } });
        self.control("PATCH", &format!("/merchants/{SELLER}"), &body).map(drop)
    }

    fn create(&mut self) -> Result<String, Died> {
        self.memory.current = None;
        let created = self.api("POST", &Self::intents(), &json!({ "amount": AMOUNT }), 201)?;
        let id = created["id"].as_str().unwrap().to_owned();
        self.memory.current = Some(id.clone());
        Ok(id)
    }

    fn press(&self, key: &str) -> Result<Value, Died> {
        self.control("POST", &format!("/terminals/{DEVICE}/{key}"), &json!({}))
    }

    fn end(&mut self, id: String, state: &'static str) {
        self.memory.current = None;
        self.memory.ended.push((id, state));
    }

    pub(crate) fn intent(&self, id: &str) -> Result<Value, Died> {
        let target = format!("/point/integration-api/payment-intents/{id}");
        self.api("GET", &target, &Value::Null, 200)
    }

    pub(crate) fn payment(&self, id: &str) -> Result<Value, Died> {
        self.api("GET", &format!("/v1/payments/{id}"), &Value::Null, 200)
    }

    /// Moves the clock, which never goes back.
    pub(crate) fn advance(&mut self, seconds: i64) -> Result<(), Died> {
        let moved = self.control("POST", "/clock/advance", &json!({ "seconds": seconds }))?;
        let now: jiff::Timestamp = moved["now"].as_str().unwrap().parse().unwrap();
        let before = self.memory.now;
        assert!(now.duration_since(before).as_secs() >= seconds, "from {before} to {now}");
        self.memory.now = now;
        Ok(())
    }

    /// Takes a payment; answers the payment's id.
    pub(crate) fn pay(&mut self, outcome: &str, state: &'static str) -> Result<String, Died> {
        let id = self.create()?;
        self.press("fetch")?;
        let tried = self.press("card")?;
        assert_eq!(tried["outcome"], outcome, "{tried}");
        self.end(id, state);
        Ok(tried["payment"]["id"].as_str().unwrap().to_owned())
    }

    /// Everything that a shop does in a day, until the server dies.
    pub(crate) fn work(&mut self) -> Result<(), Died> {
        self.subscribe()?;
        let taken_back = self.create()?;
        self.api("DELETE", &format!("{}/{taken_back}", Self::intents()), &Value::Null, 200)?;
        self.end(taken_back, "CANCELED");
        let given_up = self.create()?;
        self.press("fetch")?;
        self.press("cancel")?;
        self.end(given_up, "CANCELED");
        let payment = self.pay("approved", "FINISHED")?;
        self.memory.refunded = Some((payment.clone(), false));
        let target = format!("/v1/payments/{payment}/refunds");
        self.api("POST", &target, &json!({ "amount": REFUND }), 201)?;
        self.memory.refunded = Some((payment, true));
        self.control("PUT", "/faults", &json!({ "acquirer": "confirmation_required" }))?;
        self.pay("confirmation_required", "CONFIRMATION_REQUIRED")?;
        self.advance(60)?;
        self.control("PUT", "/faults", &json!({ "acquirer": "pending" }))?;
        self.pay("pending", "FINISHED")?;
        self.advance(3600)
    }
}
