//! What a point of sale and the person at its terminal do.

use serde_json::{Value, json};

use super::http::{Answer, Call};
use super::receiver::Receiver;
use super::server::Server;

/// A seller with the terminal of which the tests make use.
#[derive(Clone, Debug)]
pub(crate) struct Seller<'s> {
    pub(crate) server: &'s Server<'s>,
    pub(crate) token: String,
    pub(crate) user_id: i64,
    pub(crate) device: String,
    world: String,
}

/// The demo sellers of the contract.
const DEMO: [(&str, char, &str); 3] = [
    ("MLA", 'a', "PAX_A910__SBX0000001"),
    ("MLB", 'b', "GERTEC_MP35P__SBX0000002"),
    ("MLM", 'c', "NEWLAND_N950__SBX0000003"),
];

impl<'s> Seller<'s> {
    /// A seller of the demo world, by its site.
    pub(crate) fn demo(server: &'s Server<'s>, site: &str) -> Self {
        let place = DEMO.iter().position(|(known, ..)| *known == site).unwrap();
        let (_, letter, device) = DEMO[place];
        let user_id = 100_000_001 + i64::try_from(place).unwrap();
        let random = letter.to_string().repeat(32);
        let token = format!("TEST-1000000000000001-112000-{random}-{user_id}");
        Self { server, token, user_id, device: device.to_owned(), world: "demo".to_owned() }
    }

    /// A seller of a world, as the control API describes it.
    pub(crate) fn of(server: &'s Server<'s>, world: &Value, site: &str) -> Self {
        let sellers = world["mercado_pago"]["sellers"].as_array().unwrap();
        let seller = sellers.iter().find(|seller| seller["site"] == site).unwrap();
        Self {
            server,
            token: seller["access_token"].as_str().unwrap().to_owned(),
            user_id: seller["user_id"].as_i64().unwrap(),
            device: seller["terminals"][0].as_str().unwrap().to_owned(),
            world: world["id"].as_str().unwrap().to_owned(),
        }
    }

    /// The same seller at another terminal.
    pub(crate) fn at(&self, device: &str) -> Self {
        Self { device: device.to_owned(), ..self.clone() }
    }

    pub(crate) fn call(&self, method: &str, target: &str) -> Call {
        Call::new(method, target).bearer(&self.token)
    }

    pub(crate) fn intents(&self) -> String {
        format!("/point/integration-api/devices/{}/payment-intents", self.device)
    }

    /// The request for an intent.
    pub(crate) fn creation(&self, body: &Value) -> Call {
        self.call("POST", &self.intents()).json(body)
    }

    pub(crate) fn post(&self, body: &Value) -> Answer {
        self.server.send(&self.creation(body))
    }

    /// The id of a new intent.
    #[track_caller]
    pub(crate) fn create(&self, body: &Value) -> String {
        let answer = self.post(body).expect(201).json();
        answer["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn cancellation(&self, intent: &str) -> Call {
        self.call("DELETE", &format!("{}/{intent}", self.intents()))
    }

    pub(crate) fn cancel(&self, intent: &str) -> Answer {
        self.server.send(&self.cancellation(intent))
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Value {
        self.server.send(&self.call("GET", target)).expect(200).json()
    }

    #[track_caller]
    pub(crate) fn intent(&self, intent: &str) -> Value {
        self.get(&format!("/point/integration-api/payment-intents/{intent}"))
    }

    #[track_caller]
    pub(crate) fn payment(&self, payment: &str) -> Value {
        self.get(&format!("/v1/payments/{payment}"))
    }

    pub(crate) fn refund(&self, payment: &str, body: &Value) -> Answer {
        let target = format!("/v1/payments/{payment}/refunds");
        self.server.send(&self.call("POST", &target).json(body))
    }

    /// A call of the control API in this seller's world.
    pub(crate) fn control_call(&self, method: &str, path: &str, body: &Value) -> Call {
        let call = Call::new(method, &format!("/_cobro/v1{path}"));
        let call = call.header("cobro-world", &self.world);
        if body.is_null() { call } else { call.json(body) }
    }

    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.send(&self.control_call(method, path, body))
    }

    /// What a person does at the terminal: `fetch`, `card`, `cancel` or `close`.
    pub(crate) fn press(&self, key: &str) -> Call {
        self.control_call("POST", &format!("/terminals/{}/{key}", self.device), &json!({}))
    }

    pub(crate) fn at_terminal(&self, key: &str, body: &Value) -> Answer {
        self.control("POST", &format!("/terminals/{}/{key}", self.device), body)
    }

    pub(crate) fn terminal(&self) -> Value {
        self.control("GET", &format!("/terminals/{}", self.device), &Value::Null).expect(200).json()
    }

    #[track_caller]
    pub(crate) fn change_terminal(&self, change: &Value) {
        self.control("PATCH", &format!("/terminals/{}", self.device), change).expect(200);
    }

    /// Moves the clock of the seller's world.
    #[track_caller]
    pub(crate) fn advance(&self, seconds: i64) -> Value {
        let body = json!({ "seconds": seconds });
        self.control("POST", "/clock/advance", &body).expect(200).json()
    }

    /// The green key and a card; answers the outcome.
    #[track_caller]
    pub(crate) fn take_card(&self, card: &Value) -> Value {
        self.at_terminal("fetch", &json!({})).expect(200);
        self.at_terminal("card", card).expect(200).json()
    }

    /// A whole payment of this amount; answers the intent and the payment.
    #[track_caller]
    pub(crate) fn pay(&self, amount: i64) -> (String, String) {
        let intent = self.create(&json!({ "amount": amount }));
        let outcome = self.take_card(&json!({}));
        assert_eq!(outcome["outcome"], "approved", "{outcome}");
        let payment = outcome["payment"]["id"].as_str().unwrap().to_owned();
        (intent, payment)
    }

    /// The key of the seller's challenge.
    #[track_caller]
    pub(crate) fn integrator_token(&self) -> String {
        let integrator = self.get("/point/integration-api/integrators");
        integrator["token"].as_str().unwrap().to_owned()
    }

    /// Registers and proves a webhook that is told every change.
    #[track_caller]
    pub(crate) fn subscribe(&self) -> Receiver {
        let receiver = Receiver::start(&self.integrator_token());
        let body = json!({ "webhook": receiver.url("/webhook") });
        let target = "/point/integration-api/integrators";
        self.server.send(&self.call("PATCH", target).json(&body)).expect(204);
        self.server.send(&self.call("POST", &format!("{target}/check"))).expect(204);
        receiver
    }
}
