//! A site's switches, with their defaults (contract, "Merchant settings").

use cobro_domain::merchant::Merchant;
use cobro_engine::ports::SettingsChange;
use serde_json::{Map, Value, json};

use crate::notices::SITE_SLOT;

/// A site's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// After how many failed tries a session ends.
    pub(crate) card_attempts_max: i64,
    /// Whether a transaction can wait for the merchant's confirmation.
    pub(crate) confirmation_flow: bool,
    /// How many destinations a dispersion has at most.
    pub(crate) dispersion_max: i64,
    /// The word that tells that a token was invalidated.
    pub(crate) invalidate_status: String,
    /// Whether SHA-1 digests are refused.
    pub(crate) refuse_sha1: bool,
    /// Whether the seed's REQUIRED marks of collect are enforced.
    pub(crate) strict_collect: bool,
}

/// The switches that are booleans.
const SWITCHES: [&str; 3] = ["confirmation_flow", "refuse_sha1", "strict_collect"];

fn stored(merchant: &Merchant) -> Map<String, Value> {
    serde_json::from_str(&merchant.settings).unwrap_or_default()
}

impl Settings {
    pub(crate) fn of(merchant: &Merchant) -> Self {
        let stored = stored(merchant);
        let flag = |name: &str| stored.get(name).and_then(Value::as_bool).unwrap_or(false);
        let number =
            |name: &str, default| stored.get(name).and_then(Value::as_i64).unwrap_or(default);
        let word = stored.get("invalidate_status").and_then(Value::as_str);
        Self {
            card_attempts_max: number("card_attempts_max", 10),
            confirmation_flow: flag("confirmation_flow"),
            dispersion_max: number("dispersion_max", 3),
            invalidate_status: word.unwrap_or("APPROVED").to_owned(),
            refuse_sha1: flag("refuse_sha1"),
            strict_collect: flag("strict_collect"),
        }
    }
}

/// Whether notifications are signed with SHA-256; SHA-1, which every library verifies, unless the
/// setting says otherwise.
pub(crate) fn signs_sha256(merchant: &Merchant) -> bool {
    stored(merchant)
        .get("webhook")
        .and_then(|webhook| webhook.get("signature"))
        .and_then(Value::as_str)
        == Some("sha256")
}

/// The settings as the control API shows them.
pub(crate) fn shown(merchant: &Merchant) -> Value {
    let settings = Settings::of(merchant);
    let signature = if signs_sha256(merchant) { "sha256" } else { "sha1" };
    json!({
        "card_attempts_max": settings.card_attempts_max,
        "confirmation_flow": settings.confirmation_flow,
        "dispersion_max": settings.dispersion_max,
        "invalidate_status": settings.invalidate_status,
        "refuse_sha1": settings.refuse_sha1,
        "strict_collect": settings.strict_collect,
        "webhook": { "signature": signature },
    })
}

/// The settings after a change.
pub(crate) fn changed(merchant: &Merchant, change: &Value) -> Result<SettingsChange, String> {
    let mut stored = stored(merchant);
    let mut endpoints = Vec::new();
    for (name, value) in change.as_object().ok_or("the body must be an object")? {
        match name.as_str() {
            switch if SWITCHES.contains(&switch) => {
                if !value.is_boolean() {
                    return Err(format!("{switch} must be true or false"));
                }
                stored.insert(name.clone(), value.clone());
            }
            "card_attempts_max" | "dispersion_max" => {
                let number = value.as_i64().filter(|number| (1..=100).contains(number));
                let number = number.ok_or_else(|| format!("{name} must be from 1 to 100"))?;
                stored.insert(name.clone(), number.into());
            }
            "invalidate_status" => {
                if !matches!(value.as_str(), Some("APPROVED" | "OK")) {
                    return Err("invalidate_status must be APPROVED or OK".to_owned());
                }
                stored.insert(name.clone(), value.clone());
            }
            "webhook" => {
                let (url, all) = webhook(value)?;
                endpoints.push((SITE_SLOT, url, all));
                stored.insert(name.clone(), value.clone());
            }
            _ => return Err(format!("{name} is not a setting of this merchant")),
        }
    }
    Ok(SettingsChange { settings: Value::Object(stored).to_string(), endpoints })
}

/// The address of notifications, and whether every change is told.
fn webhook(value: &Value) -> Result<(String, bool), String> {
    if value.is_null() {
        return Ok((String::new(), false));
    }
    let members = value.as_object().ok_or("webhook must be an object or null")?;
    let mut address = (String::new(), false);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("url", Value::String(url)) => address.0.clone_from(url),
            ("url", Value::Null) => {}
            ("signature", Value::String(word)) if word == "sha1" || word == "sha256" => {}
            ("signature", _) => {
                return Err("webhook.signature must be \"sha1\" or \"sha256\"".to_owned());
            }
            ("events", Value::String(word)) if word == "final" || word == "all" => {
                address.1 = word == "all";
            }
            ("events", _) => return Err("webhook.events must be \"final\" or \"all\"".to_owned()),
            _ => return Err(format!("webhook.{name} is not known")),
        }
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_are_read() {
        let url = || "http://localhost/n".to_owned();
        let table = [
            (json!(null), Some((String::new(), false))),
            (json!({"url": "http://localhost/n"}), Some((url(), false))),
            (json!({"url": "http://localhost/n", "signature": "sha256"}), Some((url(), false))),
            (json!({"url": "http://localhost/n", "events": "all"}), Some((url(), true))),
            (json!({"url": 7}), None),
            (json!({"signature": "md5"}), None),
            (json!({"test_url": "x"}), None),
            (json!(7), None),
        ];
        for (value, expected) in table {
            assert_eq!(webhook(&value).ok(), expected, "{value}");
        }
    }
}
