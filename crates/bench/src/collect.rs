//! Charges of stored cards: one signed request each, with the card decrypted for it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::clock::{Slice, Watched};
use crate::load::{Wire, drive};
use crate::stock::{entropy, now};
use crate::traffic::{CONNECTIONS, Caller, expect};

/// The Colombian site of the demo world.
const LOGIN: &str = "c0b70000000000000000000000000001";
const SECRET_KEY: &str = "llave-secreta-01";

/// A site with the token of a card for each connection.
pub(crate) struct Site {
    caller: Caller,
    tokens: Vec<String>,
    tag: [u8; 16],
    count: AtomicU64,
}

impl Site {
    /// Stores the cards, which is not measured.
    pub(crate) fn subscribe(caller: Caller) -> anyhow::Result<Self> {
        let mut site =
            Self { caller, tokens: Vec::new(), tag: entropy().seed(), count: AtomicU64::new(0) };
        let next = AtomicUsize::new(0);
        let address = site.caller.address();
        let (_, tokens) = drive(address, 8, &Watched::default(), async |wire| {
            if next.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
                return Ok(None);
            }
            site.store_card(wire).await.map(Some)
        })?;
        site.tokens = tokens;
        Ok(site)
    }

    async fn store_card(&self, wire: &mut Wire) -> anyhow::Result<String> {
        let session = json!({
            "subscription": { "reference": "BENCH", "description": "Plan" },
            "returnUrl": "https://shop.example.org/back",
            "ipAddress": "127.0.0.1",
            "userAgent": "bench",
        });
        let made = self.call(wire, "/api/session", session).await?;
        let id = made.get("requestId").and_then(Value::as_i64).context("no requestId")?;
        let mut request = Vec::new();
        let pay = format!("/_cobro/v1/sessions/{id}/pay");
        self.caller.write(&mut request, "POST", &pay, "", "{}");
        expect(wire, &request, 200).await?;
        let query = self.call(wire, &format!("/api/session/{id}"), json!({})).await?;
        let pairs = query.pointer("/subscription/instrument").and_then(Value::as_array);
        let is_token = |pair: &&Value| pair.get("keyword").is_some_and(|name| name == "token");
        let token = pairs.and_then(|pairs| pairs.iter().find(is_token)?.get("value")?.as_str());
        Ok(token.context("no token")?.to_owned())
    }

    async fn call(&self, wire: &mut Wire, path: &str, body: Value) -> anyhow::Result<Value> {
        let mut request = Vec::with_capacity(1024);
        self.signed(path, body, &mut request);
        Ok(serde_json::from_slice(expect(wire, &request, 200).await?)?)
    }

    /// A request with authentication of its own.
    fn signed(&self, path: &str, mut body: Value, out: &mut Vec<u8>) {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let nonce = [self.tag.as_slice(), &number.to_be_bytes()].concat();
        let seed = now().to_string();
        let digest = Sha256::new().chain_update(&nonce).chain_update(&seed);
        let digest = digest.chain_update(SECRET_KEY).finalize();
        let auth = json!({
            "login": LOGIN,
            "tranKey": BASE64.encode(digest),
            "nonce": BASE64.encode(&nonce),
            "seed": seed,
        });
        if let Some(members) = body.as_object_mut() {
            members.insert("auth".to_owned(), auth);
        }
        self.caller.write(out, "POST", path, "", &body.to_string());
    }

    /// Charges for as long as asked, each of another reference.
    pub(crate) fn collects(&self, time: Duration, watched: &Watched) -> anyhow::Result<Slice> {
        let next = AtomicUsize::new(0);
        let until = Instant::now() + time;
        let tag = hex::encode(self.tag);
        let (slice, _) = drive(self.caller.address(), CONNECTIONS, watched, async |wire| {
            if Instant::now() >= until {
                return Ok(None);
            }
            let place = next.fetch_add(1, Ordering::Relaxed);
            let token = self.tokens.get(place % self.tokens.len().max(1)).context("no token")?;
            let reference = tag.get(..16).unwrap_or_default();
            let body = json!({
                "payment": {
                    "reference": format!("{reference}{place}"),
                    "description": "Plan",
                    "amount": { "currency": "COP", "total": 45_900 },
                },
                "instrument": { "token": { "token": token } },
            });
            let mut request = Vec::with_capacity(1024);
            self.signed("/api/collect", body, &mut request);
            let answer = expect(wire, &request, 200).await?;
            anyhow::ensure!(
                answer.windows(10).any(|text| text == b"\"APPROVED\""),
                "a charge was not approved: {}",
                String::from_utf8_lossy(answer)
            );
            Ok(Some(()))
        })?;
        Ok(slice)
    }
}
