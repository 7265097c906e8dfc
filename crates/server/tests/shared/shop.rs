//! A shop: signs its calls as the provider's libraries do.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::http::{Answer, Call};
use super::server::Server;

/// The Colombian site of the demo world.
pub(crate) const COLOMBIA: Shop =
    Shop { login: "c0b70000000000000000000000000001", secret: "llave-secreta-01" };
/// The Chilean one.
pub(crate) const CHILE: Shop =
    Shop { login: "c0b70000000000000000000000000002", secret: "llave-secreta-02" };

#[derive(Clone, Copy, Debug)]
pub(crate) struct Shop {
    pub(crate) login: &'static str,
    pub(crate) secret: &'static str,
}

/// A site's present moment as a seed.
pub(crate) fn now() -> String {
    let seconds = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    at(seconds)
}

/// A moment, in seconds since 1970, as a seed.
pub(crate) fn at(seconds: u64) -> String {
    let moment = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
    moment.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

pub(crate) fn sha256(nonce: &[u8], seed: &str, secret: &str) -> String {
    let digest = Sha256::new().chain_update(nonce).chain_update(seed).chain_update(secret);
    BASE64.encode(digest.finalize())
}

pub(crate) fn sha1(nonce: &[u8], seed: &str, secret: &str) -> String {
    let digest = Sha1::new().chain_update(nonce).chain_update(seed).chain_update(secret);
    BASE64.encode(digest.finalize())
}

impl Shop {
    /// Fresh authentication, with a nonce that no other call has.
    pub(crate) fn auth(self) -> Value {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let nonce = LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let seed = now();
        json!({
            "login": self.login,
            "tranKey": sha256(&nonce, &seed, self.secret),
            "nonce": BASE64.encode(nonce),
            "seed": seed,
        })
    }

    /// The body with fresh authentication.
    pub(crate) fn signed(self, mut body: Value) -> Value {
        body["auth"] = self.auth();
        body
    }

    /// Calls the API; the status must be `status`.
    #[track_caller]
    pub(crate) fn call(self, server: &Server<'_>, path: &str, body: Value, status: u16) -> Value {
        send(server, path, &self.signed(body)).expect(status).json()
    }

    /// A subscription session whose card is stored, and its query.
    #[track_caller]
    pub(crate) fn subscribe(self, server: &Server<'_>, card: &str) -> Value {
        let made = self.call(server, "/api/session", subscription(), 200);
        let id = made["requestId"].as_i64().unwrap();
        let path = format!("/sessions/{id}/pay");
        let outcome = server.control("POST", &path, &json!({ "card": card, "otp": "12345" }), 200);
        assert_eq!(outcome["outcome"], "approved", "{outcome}");
        self.call(server, &format!("/api/session/{id}"), json!({}), 200)
    }

    /// A token of a card.
    #[track_caller]
    pub(crate) fn token(self, server: &Server<'_>, card: &str) -> String {
        keyword(&self.subscribe(server, card)["subscription"]["instrument"], "token")
    }
}

/// Sends a body as it is.
#[track_caller]
pub(crate) fn send(server: &Server<'_>, path: &str, body: &Value) -> Answer {
    server.send(&Call::new("POST", path).json(body))
}

/// The value of a keyword, as text.
#[track_caller]
pub(crate) fn keyword(pairs: &Value, name: &str) -> String {
    let found = pairs.as_array().unwrap().iter().find(|pair| pair["keyword"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {pairs}"))["value"].as_str().unwrap().into()
}

pub(crate) fn payer() -> Value {
    json!({"document": "1040099001", "documentType": "CC", "name": "Rosa", "surname": "Lemus",
        "email": "rosa@example.org", "mobile": "+573000000001"})
}

pub(crate) fn subscription() -> Value {
    json!({
        "locale": "es_CO",
        "buyer": payer(),
        "subscription": { "reference": "SUB-77", "description": "Plan anual" },
        "returnUrl": "https://shop.example.org/back",
        "ipAddress": "203.0.113.9",
        "userAgent": "Mozilla/5.0",
    })
}

pub(crate) fn payment(reference: &str, currency: &str, total: i64) -> Value {
    json!({
        "locale": "es_CO",
        "payment": {
            "reference": reference,
            "description": "Prueba",
            "amount": { "currency": currency, "total": total },
        },
        "returnUrl": "https://shop.example.org/back",
        "ipAddress": "203.0.113.9",
        "userAgent": "Mozilla/5.0",
    })
}

/// A collect as libraries send it: without payer, description, address and agent.
pub(crate) fn collect(reference: &str, total: i64, token: &str) -> Value {
    json!({
        "payment": { "reference": reference, "amount": { "currency": "COP", "total": total } },
        "instrument": { "token": { "token": token, "installments": "0" } },
        "provider": null,
    })
}

#[track_caller]
pub(crate) fn status(answer: &Value) -> (&str, &str) {
    let status = &answer["status"];
    (status["status"].as_str().unwrap(), status["reason"].as_str().unwrap_or("number"))
}

/// The acquirer's charges, as the books have them.
pub(crate) fn charges(server: &Server<'_>) -> usize {
    let rows = server.list("events", "/events");
    rows.iter().filter(|event| event["kind"] == "payment.approved").count()
}
