//! What the engine asks of this dialect.

use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::intent::IntentPhase;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::Payment;
use cobro_engine::ports::{Consent, Describe, NumberRange, SettingsChange, TerminalPlan, TestCard};
use serde_json::{Map, Value, json};

use crate::notices::SIGNED_SLOT;
use crate::sites::Site;
use crate::{cards, map, oauth, wire};

/// The dialect's name.
pub(crate) const NAME: &str = "mercadopago";

/// The Mercado Pago Point dialect, as the engine knows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Point;

/// After how many seconds an intent is abandoned; the real time is not published.
const INTENT_SECONDS_MAX: i64 = 600;

/// A seller's settings with their defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Whether the id of an intent's payment is a number; the seed has a string.
    pub(crate) payment_id_as_number: bool,
    /// The smallest amount of an intent, in minor units.
    pub(crate) amount_min_minor: i64,
    /// Whether payments can be refunded.
    pub(crate) refunds_enabled: bool,
    /// Seconds after which an intent that nobody takes on is abandoned.
    pub(crate) intent_seconds_max: i64,
}

impl Settings {
    pub(crate) fn of(merchant: &Merchant) -> Self {
        let site = Site::of(&merchant.country);
        let stored: Map<String, Value> =
            serde_json::from_str(&merchant.settings).unwrap_or_default();
        let flag =
            |name: &str, default| stored.get(name).and_then(Value::as_bool).unwrap_or(default);
        let number =
            |name: &str, default| stored.get(name).and_then(Value::as_i64).unwrap_or(default);
        Self {
            payment_id_as_number: flag("payment_id_as_number", false),
            amount_min_minor: number("amount_min_minor", site.amount_min()),
            refunds_enabled: flag("refunds_enabled", true),
            intent_seconds_max: number("intent_seconds_max", INTENT_SECONDS_MAX),
        }
    }
}

impl Describe for Point {
    fn name(&self) -> &'static str {
        NAME
    }

    fn intent_state(&self, phase: IntentPhase) -> &'static str {
        map::intent_state(phase)
    }

    fn operating_mode(&self, integrated: bool) -> &'static str {
        wire::operating_mode(integrated)
    }

    fn payment_id(&self, payment: &Payment) -> String {
        payment.number.to_string()
    }

    fn reference(&self, luggage: &str) -> Option<String> {
        let luggage: Value = serde_json::from_str(luggage).ok()?;
        let reference = luggage.pointer("/additional_info/external_reference")?.as_str()?;
        Some(reference.to_owned()).filter(|reference| !reference.is_empty())
    }

    fn consent(&self, merchant: &Merchant, tag: Option<&str>, secret: &str) -> Option<Consent> {
        Some(Consent {
            code: oauth::grant_text(tag, secret, &merchant.public_id),
            kind: oauth::CODE_KIND,
            lifetime_s: oauth::CODE_LIFETIME_S,
        })
    }

    fn payment_numbers(&self) -> NumberRange {
        // Eleven digits (reference, section 1.2).
        NumberRange { kind: "mp.payment", from: 10_000_000_000, size: 90_000_000_000 }
    }

    fn refund_numbers(&self) -> NumberRange {
        // Ten digits, below 2^31 (reference, section 1.2).
        NumberRange { kind: "mp.refund", from: 1_000_000_000, size: 1_147_483_647 }
    }

    fn test_card(&self, number: &str, holder: Option<&str>) -> Option<TestCard> {
        cards::find(number, holder)
    }

    fn default_card(&self, merchant: &Merchant, kind: CardKind) -> CardFacts {
        cards::default_card(Site::of(&merchant.country), kind)
    }

    fn plan_terminal(
        &self,
        merchant: &Merchant,
        ordinal: i64,
        model: Option<&str>,
        serial: u64,
    ) -> TerminalPlan {
        let site = Site::of(&merchant.country);
        let usable = |model: &&str| {
            !model.is_empty()
                && model.len() <= 32
                && !model.contains("__")
                && model.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        let model = model.filter(usable).unwrap_or(site.device_model());
        // As the provider's terminals have them (reference, section 1.2). Clients look for a serial
        // number anywhere in an id, so it begins unlike those of seeded terminals.
        plan(model, &format!("{model}__SMARTPOS{serial:010}"), ordinal)
    }

    fn abandon_after_s(&self, merchant: &Merchant) -> i64 {
        Settings::of(merchant).intent_seconds_max
    }

    fn settings(&self, merchant: &Merchant) -> Value {
        let stored: Map<String, Value> =
            serde_json::from_str(&merchant.settings).unwrap_or_default();
        let settings = Settings::of(merchant);
        json!({
            "amount_min_minor": settings.amount_min_minor,
            "intent_seconds_max": settings.intent_seconds_max,
            "payment_id_as_number": settings.payment_id_as_number,
            "refunds_enabled": settings.refunds_enabled,
            "webhook": stored.get("webhook").cloned().unwrap_or(Value::Null),
        })
    }

    fn change_settings(
        &self,
        merchant: &Merchant,
        change: &Value,
    ) -> Result<SettingsChange, String> {
        let mut stored: Map<String, Value> =
            serde_json::from_str(&merchant.settings).unwrap_or_default();
        let mut endpoints = Vec::new();
        let change = change.as_object().ok_or("the body must be an object")?;
        for (name, value) in change {
            match name.as_str() {
                "payment_id_as_number" | "refunds_enabled" if value.is_boolean() => {
                    stored.insert(name.clone(), value.clone());
                }
                "payment_id_as_number" | "refunds_enabled" => {
                    return Err(format!("{name} must be true or false"));
                }
                "amount_min_minor" | "intent_seconds_max" => {
                    let number = value.as_i64().filter(|number| (1..=100_000_000).contains(number));
                    let number =
                        number.ok_or_else(|| format!("{name} must be a positive integer"))?;
                    stored.insert(name.clone(), number.into());
                }
                "webhook" => {
                    let webhook = signed_webhook(value)?;
                    endpoints.push((SIGNED_SLOT, webhook.url.clone(), webhook.all));
                    stored.insert(name.clone(), value.clone());
                }
                _ => return Err(format!("{name} is not a setting of this merchant")),
            }
        }
        Ok(SettingsChange { settings: Value::Object(stored).to_string(), endpoints })
    }
}

struct SignedWebhook {
    url: String,
    all: bool,
}

/// The signed subscription: a test token's events go to the test address where one is set.
fn signed_webhook(value: &Value) -> Result<SignedWebhook, String> {
    if value.is_null() {
        return Ok(SignedWebhook { url: String::new(), all: false });
    }
    let members = value.as_object().ok_or("webhook must be an object or null")?;
    let address = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(url)) => Ok(Some(url.clone())),
        Some(_) => Err(format!("webhook.{name} must be text")),
    };
    let (url, test_url) = (address("url")?, address("test_url")?);
    let all = match members.get("events").and_then(Value::as_str) {
        Some("all") => true,
        Some("final") => false,
        None if !members.contains_key("events") => false,
        _ => return Err("webhook.events must be \"final\" or \"all\"".to_owned()),
    };
    if let Some(unknown) = members
        .keys()
        .find(|name| !["url", "test_url", "events", "signature"].contains(&name.as_str()))
    {
        return Err(format!("webhook.{unknown} is not known"));
    }
    Ok(SignedWebhook { url: test_url.or(url).unwrap_or_default(), all })
}

/// A terminal's particulars, with the store and point of sale that it stands in.
pub(crate) fn plan(model: &str, id: &str, ordinal: i64) -> TerminalPlan {
    let settings = json!({
        "external_pos_id": format!("SUC01POS{ordinal:02}"),
        "pos_id": 47_792_475 + ordinal,
        "store_id": "47792478",
    });
    TerminalPlan { id: id.to_owned(), model: model.to_owned(), settings: settings.to_string() }
}

#[cfg(test)]
mod tests {
    use super::signed_webhook;
    use serde_json::json;

    #[test]
    fn the_signed_webhook_is_read() {
        let ok = |value| signed_webhook(&value).map(|webhook| (webhook.url, webhook.all));
        assert_eq!(ok(json!(null)), Ok((String::new(), false)));
        assert_eq!(ok(json!({"url": "http://a"})), Ok(("http://a".into(), false)));
        let both = json!({"url": "http://a", "test_url": "http://b", "events": "all"});
        assert_eq!(ok(both), Ok(("http://b".into(), true)));
        for wrong in [json!(7), json!({"url": 7}), json!({"events": "some"}), json!({"x": 1})] {
            assert!(signed_webhook(&wrong).is_err(), "{wrong}");
        }
    }
}
