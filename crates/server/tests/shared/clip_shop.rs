//! A merchant's programs: they sign in as real clients do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::http::{Answer, Call};
use super::server::Server;

/// The merchant of the demo world.
pub(crate) const CAFE: Shop = Shop { key: KEY, secret: SECRET };
pub(crate) const KEY: &str = "c11b0000-0000-4000-8000-000000000001";
pub(crate) const SECRET: &str = "5ec2e700-0000-4000-8000-000000000001";

/// A published card that approves: Mastercard credit, Mexico.
pub(crate) const APPROVES: &str = "5177136199824515";
/// One without enough money: Visa credit, Mexico.
pub(crate) const NO_FUNDS: &str = "4555126387272952";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Shop<'a> {
    pub(crate) key: &'a str,
    pub(crate) secret: &'a str,
}

impl Shop<'_> {
    /// `Basic` and the key with its secret.
    pub(crate) fn basic(self) -> String {
        format!("Basic {}", BASE64.encode(format!("{}:{}", self.key, self.secret)))
    }

    /// Sends a call under `Authorization`.
    #[track_caller]
    pub(crate) fn send(self, server: &Server<'_>, call: Call) -> Answer {
        server.send(&call.header("authorization", &self.basic()))
    }

    #[track_caller]
    pub(crate) fn get(self, server: &Server<'_>, target: &str, status: u16) -> Value {
        self.send(server, Call::get(target)).expect(status).json()
    }

    #[track_caller]
    pub(crate) fn post(self, server: &Server<'_>, path: &str, body: &Value, status: u16) -> Value {
        self.send(server, Call::new("POST", path).json(body)).expect(status).json()
    }

    /// A token of a card.
    #[track_caller]
    pub(crate) fn token(self, server: &Server<'_>, number: &str) -> String {
        let made = self.post(server, "/card_tokens", &card(number), 201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// A payment of a new token, as it is answered.
    #[track_caller]
    pub(crate) fn pay(self, server: &Server<'_>, number: &str, amount: &str) -> Value {
        let token = self.token(server, number);
        self.post(server, "/payments", &payment(&token, amount), 201)
    }
}

/// A card as it is sent for a token.
pub(crate) fn card(number: &str) -> Value {
    json!({
        "cardholder_name": "Ana Lopez",
        "card_number": number,
        "card_exp_month": "12",
        "card_exp_year": "35",
        "cvv": if number.starts_with('3') { "1234" } else { "123" },
    })
}

/// A payment with the members that are required and a description.
pub(crate) fn payment(token: &str, amount: &str) -> Value {
    let amount: Value = serde_json::from_str(amount).unwrap();
    json!({
        "amount": amount,
        "currency": "MXN",
        "description": "Order 1042",
        "payment_method": { "token": token },
        "customer": { "email": "ana@example.com", "phone": "5512345678" },
    })
}

/// Refuses nothing: an error of payments, refunds and card tokens with this status and code.
#[track_caller]
pub(crate) fn assert_refused(answer: &Answer, status: u16, code: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let body = answer.json();
    assert_eq!(body["error_code"], code, "{what}: {body}");
    assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()), "{what}: {body}");
    let detail = body["detail"].as_array().unwrap();
    assert!(detail.iter().all(Value::is_string), "{what}: {body}");
}
