//! A merchant's switches, with their defaults (contract, "Merchant settings").

use cobro_domain::merchant::Merchant;
use cobro_engine::ports::SettingsChange;
use serde_json::{Map, Value, json};

use crate::call::Api;
use crate::notices::POSTBACK_SLOT;

/// When a payment is held until its card's holder has confirmed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThreeDs {
    /// Every payment is.
    Always,
    /// A payment whose request asks for it is.
    Requested,
    /// None is.
    Never,
}

impl ThreeDs {
    const ALL: [Self; 3] = [Self::Always, Self::Requested, Self::Never];

    const fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Requested => "requested",
            Self::Never => "never",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// A merchant's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The largest amount of a payment with a card token, in minor units.
    pub(crate) amount_max_minor: i64,
    /// The smallest amount, in minor units.
    pub(crate) amount_min_minor: i64,
    /// Seconds after which a charge leaves the terminals' list; the real time is not published.
    pub(crate) charge_seconds_max: i64,
    /// Whether the merchant pays for instalments, on top of the base commission.
    pub(crate) installment_surcharge: bool,
    /// The smallest amount that may be paid in instalments, in minor units.
    pub(crate) installments_min_minor: i64,
    /// Whether a refund needs money that has not been disbursed yet.
    pub(crate) refund_balance_rule: bool,
    /// Whether payments can be refunded.
    pub(crate) refunds_enabled: bool,
    /// Seconds after which a terminal gives up a charge that it has taken.
    pub(crate) terminal_seconds_max: i64,
    /// When payments are held for 3-D Secure.
    pub(crate) three_ds: ThreeDs,
}

/// The switches that are booleans, with their defaults.
const SWITCHES: [(&str, bool); 3] =
    [("installment_surcharge", false), ("refund_balance_rule", false), ("refunds_enabled", true)];

/// The settings that are numbers, with their defaults. "More than 500 pesos" for instalments and
/// the largest charge are those of reference, section 2.4; a day on the list is a recommendation
/// of section 1.3.
const NUMBERS: [(&str, i64); 5] = [
    ("amount_max_minor", 20_000_000),
    ("amount_min_minor", 1),
    ("charge_seconds_max", 86_400),
    ("installments_min_minor", 50_001),
    ("terminal_seconds_max", 600),
];

/// The largest number that a setting may be.
const NUMBER_MAX: i64 = 1_000_000_000_000;

/// The surfaces that a merchant may be kept off, by their names in `api_access`.
const SURFACES: [(&str, Api); 7] = [
    ("checkout", Api::Checkout),
    ("payments", Api::Payments),
    ("pinpad", Api::PinPad),
    ("pos", Api::Pos),
    ("refunds", Api::Refunds),
    ("settlements", Api::Settlements),
    ("transactions", Api::Transactions),
];

fn stored(merchant: &Merchant) -> Map<String, Value> {
    serde_json::from_str(&merchant.settings).unwrap_or_default()
}

fn default_number(name: &str) -> i64 {
    NUMBERS.iter().find(|(known, _)| *known == name).map_or(0, |(_, number)| *number)
}

fn default_switch(name: &str) -> bool {
    SWITCHES.iter().any(|(known, is_on)| *known == name && *is_on)
}

impl Settings {
    pub(crate) fn of(merchant: &Merchant) -> Self {
        let stored = stored(merchant);
        let flag = |name: &str| {
            stored.get(name).and_then(Value::as_bool).unwrap_or_else(|| default_switch(name))
        };
        let number = |name: &str| {
            stored.get(name).and_then(Value::as_i64).unwrap_or_else(|| default_number(name))
        };
        let three_ds = stored.get("three_ds").and_then(Value::as_str).and_then(ThreeDs::of);
        Self {
            amount_max_minor: number("amount_max_minor"),
            amount_min_minor: number("amount_min_minor"),
            charge_seconds_max: number("charge_seconds_max"),
            installment_surcharge: flag("installment_surcharge"),
            installments_min_minor: number("installments_min_minor"),
            refund_balance_rule: flag("refund_balance_rule"),
            refunds_enabled: flag("refunds_enabled"),
            terminal_seconds_max: number("terminal_seconds_max"),
            three_ds: three_ds.unwrap_or(ThreeDs::Requested),
        }
    }
}

/// Whether a merchant may use a surface.
pub(crate) fn may_use(merchant: &Merchant, api: Api) -> bool {
    let stored = stored(merchant);
    let Some(access) = stored.get("api_access") else { return true };
    let name = SURFACES.iter().find(|(_, known)| *known == api).map(|(name, _)| *name);
    name.and_then(|name| access.get(name)).and_then(Value::as_bool).unwrap_or(true)
}

/// A text that was put into the settings when the merchant was made.
pub(crate) fn text(merchant: &Merchant, name: &str) -> String {
    stored(merchant).get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The addresses of the merchant's cashiers, as they were when it was made.
pub(crate) fn cashiers(merchant: &Merchant) -> Vec<String> {
    let stored = stored(merchant);
    let listed = stored.get("cashiers").and_then(Value::as_array).cloned().unwrap_or_default();
    listed.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The settings as the control API shows them.
pub(crate) fn shown(merchant: &Merchant) -> Value {
    let settings = Settings::of(merchant);
    let access: Map<String, Value> = SURFACES
        .iter()
        .map(|(name, api)| ((*name).to_owned(), may_use(merchant, *api).into()))
        .collect();
    json!({
        "amount_max_minor": settings.amount_max_minor,
        "amount_min_minor": settings.amount_min_minor,
        "api_access": access,
        "charge_seconds_max": settings.charge_seconds_max,
        "installment_surcharge": settings.installment_surcharge,
        "installments_min_minor": settings.installments_min_minor,
        "refund_balance_rule": settings.refund_balance_rule,
        "refunds_enabled": settings.refunds_enabled,
        "terminal_seconds_max": settings.terminal_seconds_max,
        "three_ds": settings.three_ds.word(),
        "webhook": {},
    })
}

/// The settings after a change.
pub(crate) fn changed(merchant: &Merchant, change: &Value) -> Result<SettingsChange, String> {
    let mut stored = stored(merchant);
    let mut endpoints = Vec::new();
    for (name, value) in change.as_object().ok_or("the body must be an object")? {
        match name.as_str() {
            switch if SWITCHES.iter().any(|(known, _)| *known == switch) => {
                if !value.is_boolean() {
                    return Err(format!("{switch} must be true or false"));
                }
                stored.insert(name.clone(), value.clone());
            }
            number if NUMBERS.iter().any(|(known, _)| *known == number) => {
                let value = value.as_i64().filter(|value| (1..=NUMBER_MAX).contains(value));
                let value = value.ok_or_else(|| format!("{number} must be a positive integer"))?;
                stored.insert(name.clone(), value.into());
            }
            "three_ds" => {
                if value.as_str().and_then(ThreeDs::of).is_none() {
                    return Err("three_ds must be always, requested or never".to_owned());
                }
                stored.insert(name.clone(), value.clone());
            }
            "api_access" => {
                let access = access(stored.remove(name), value)?;
                stored.insert(name.clone(), access);
            }
            // Which changes are told is the surface's to say, so all of them reach the dialect.
            "webhook" => endpoints.push((POSTBACK_SLOT, webhook(value)?, true)),
            _ => return Err(format!("{name} is not a setting of this merchant")),
        }
    }
    Ok(SettingsChange { settings: Value::Object(stored).to_string(), endpoints })
}

fn access(before: Option<Value>, change: &Value) -> Result<Value, String> {
    let mut access = match before {
        Some(Value::Object(access)) => access,
        _ => Map::new(),
    };
    for (name, value) in change.as_object().ok_or("api_access must be an object")? {
        let is_known = SURFACES.iter().any(|(known, _)| known == name);
        if !is_known {
            return Err(format!("api_access.{name} is not known"));
        }
        if !value.is_boolean() {
            return Err(format!("api_access.{name} must be true or false"));
        }
        access.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(access))
}

/// The address of the postback.
fn webhook(value: &Value) -> Result<String, String> {
    if value.is_null() {
        return Ok(String::new());
    }
    let members = value.as_object().ok_or("webhook must be an object or null")?;
    let mut url = String::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("url", Value::String(text)) => url.clone_from(text),
            ("url", Value::Null) => {}
            ("events", Value::String(word)) if word == "final" || word == "all" => {}
            ("events", _) => return Err("webhook.events must be \"final\" or \"all\"".to_owned()),
            _ => return Err(format!("webhook.{name} is not known")),
        }
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use cobro_domain::MerchantId;
    use cobro_domain::fee::FeeSchedule;
    use cobro_domain::merchant::MerchantState;
    use cobro_domain::money::Currency;
    use cobro_domain::time::Timestamp;

    use super::*;

    fn merchant(settings: &Value) -> Merchant {
        Merchant {
            id: MerchantId(uuid::Uuid::nil()),
            channel: "clip".to_owned(),
            public_id: "key".to_owned(),
            name: "Café Central".to_owned(),
            country: "MX".to_owned(),
            currency: Currency::MXN,
            state: MerchantState::Active,
            epoch: 1,
            fees: FeeSchedule { fee_bps: 360, tax_bps: 1600 },
            endpoint_slots: 1,
            settings: settings.to_string(),
            created_at: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn changes_are_read() {
        let table = [
            (json!({"three_ds": "always"}), true),
            (json!({"three_ds": "sometimes"}), false),
            (json!({"refunds_enabled": false, "refund_balance_rule": true}), true),
            (json!({"refunds_enabled": 1}), false),
            (json!({"amount_max_minor": 500_000}), true),
            (json!({"amount_max_minor": 0}), false),
            (json!({"amount_max_minor": "500"}), false),
            (json!({"api_access": {"settlements": false}}), true),
            (json!({"api_access": {"settlement": false}}), false),
            (json!({"api_access": {"settlements": 0}}), false),
            (json!({"api_access": true}), false),
            (json!({"webhook": {"url": "http://localhost/p"}}), true),
            (json!({"webhook": {"test_url": "http://localhost/p"}}), false),
            (json!({"webhook": null}), true),
            (json!({"webhook": 7}), false),
            (json!({"cashiers": []}), false),
            (json!([]), false),
        ];
        for (change, is_good) in table {
            assert_eq!(changed(&merchant(&json!({})), &change).is_ok(), is_good, "{change}");
        }
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = Settings::of(&merchant(&json!({})));
        assert_eq!(settings.three_ds, ThreeDs::Requested);
        assert_eq!((settings.charge_seconds_max, settings.amount_min_minor), (86_400, 1));
        assert!(settings.refunds_enabled && !settings.refund_balance_rule);
        let kept = merchant(&json!({"api_access": {"settlements": false}}));
        assert!(!may_use(&kept, Api::Settlements));
        assert!(may_use(&kept, Api::Refunds));
        let change = changed(&kept, &json!({"api_access": {"refunds": false}})).unwrap();
        let after = merchant(&serde_json::from_str(&change.settings).unwrap());
        assert!(!may_use(&after, Api::Settlements) && !may_use(&after, Api::Refunds));
        assert_eq!(shown(&after)["api_access"]["payments"], true);
    }
}
