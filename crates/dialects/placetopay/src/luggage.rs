//! What a session carries for this dialect, and the address of its page.
//!
//! The luggage is JSON: `request` is the request as it was sent, cleaned; `payer` what the payer
//! typed; `page` the sealed secret of the page's address; `card_payer` the person of the token.

use cobro_engine::World;
use cobro_engine::secrets::InstallationKey;
use serde_json::{Map, Value, json};

use crate::auth::LOGIN_KIND;

/// What the secret of a page's address is sealed for.
const PAGE_PURPOSE: &str = "placetopay.page";

/// The keyed hash under which a session's page is looked up, of the secret part of its address:
/// 32 hexadecimal digits, of which the first eight name the world.
pub fn page_hash(key: &InstallationKey, secret_hex: &str) -> String {
    key.lookup_hash(secret_hex)
}

/// The address of a session's page: base, number and secret.
pub fn process_url(base: &str, number: i64, secret_hex: &str) -> String {
    format!("{base}/spa/session/{number}/{secret_hex}")
}

/// A new secret for a page's address: a world's tag first, where it is not the main one.
pub(crate) fn page_secret(world: &World) -> String {
    let secret = hex::encode(world.entropy().seed());
    match world.id().strip_prefix("w_") {
        Some(tag) => format!("{tag}{}", secret.get(8..).unwrap_or_default()),
        None => secret,
    }
}

/// The luggage of a session, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Luggage(Map<String, Value>);

impl Luggage {
    /// The luggage of a new session.
    pub(crate) fn new(world: &World, request: Map<String, Value>, secret: Option<&str>) -> Self {
        let mut members = Map::new();
        members.insert("request".to_owned(), Value::Object(request));
        if let Some(secret) = secret {
            let sealed = world.key().seal(PAGE_PURPOSE, secret.as_bytes(), world.entropy());
            members.insert("page".to_owned(), hex::encode(sealed).into());
        }
        Self(members)
    }

    pub(crate) fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// The request as it was sent.
    pub(crate) fn request(&self) -> Map<String, Value> {
        match self.0.get("request") {
            Some(Value::Object(request)) => request.clone(),
            _ => Map::new(),
        }
    }

    /// A member of the request, by a JSON pointer.
    pub(crate) fn of_request(&self, pointer: &str) -> Option<&Value> {
        self.0.get("request")?.pointer(pointer)
    }

    pub(crate) fn locale(&self) -> Option<&str> {
        self.of_request("/locale")?.as_str()
    }

    /// The merchant's reference: of the payment, else of the subscription.
    pub(crate) fn reference(&self) -> &str {
        let found = ["/payment/reference", "/subscription/reference"]
            .into_iter()
            .find_map(|pointer| self.of_request(pointer)?.as_str());
        found.unwrap_or_default()
    }

    /// Who pays: what was typed, else what the request says.
    pub(crate) fn payer(&self) -> Option<Value> {
        let typed = self.0.get("payer").filter(|payer| payer.is_object());
        typed.or_else(|| self.of_request("/payer")).cloned()
    }

    /// The person that a stored card is kept with: who pays, else who buys.
    pub(crate) fn person(&self) -> Option<Value> {
        self.payer().or_else(|| self.of_request("/buyer").cloned())
    }

    /// A flag of `metadata`.
    pub(crate) fn requires_confirmation(&self) -> bool {
        self.0.get("confirmation").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Notes that the merchant confirms the transaction before it counts.
    pub(crate) fn awaiting_confirmation(mut self) -> Self {
        self.0.insert("confirmation".to_owned(), true.into());
        self
    }

    /// The address of the session's page.
    pub(crate) fn page(&self, world: &World, base: &str, number: i64) -> Option<String> {
        let sealed = hex::decode(self.0.get("page")?.as_str()?).ok()?;
        let secret = world.key().open(PAGE_PURPOSE, &sealed).ok()?;
        Some(process_url(base, number, &String::from_utf8(secret).ok()?))
    }
}

/// What a stored card is kept with: its person.
pub(crate) fn card_luggage(person: Option<Value>) -> String {
    json!({ "payer": person }).to_string()
}

/// The person of a stored card.
pub(crate) fn card_person(luggage: &str) -> Option<Value> {
    let kept: Value = serde_json::from_str(luggage).ok()?;
    kept.get("payer").filter(|payer| payer.is_object()).cloned()
}

/// A secret key, sealed for the settings of a site.
pub(crate) fn sealed_key(world: &World, secret: &str) -> String {
    hex::encode(world.key().seal(LOGIN_KIND, secret.as_bytes(), world.entropy()))
}
