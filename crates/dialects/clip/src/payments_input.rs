//! What a payment may ask for: reference, section 2.4; characters and lengths of seed 001.

use cobro_domain::Money;
use cobro_domain::money::Currency;
use cobro_surface::json::Json;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::errors::Refusal;
use crate::fields::{Fields, has_card_number, is_description, is_email, reference};
use crate::settings::{Settings, ThreeDs};

/// The longest description, in characters (seed 001).
const DESCRIPTION_MAX: usize = 255;

/// The longest reference, in characters (seed 001).
const REFERENCE_MAX: usize = 36;

/// The longest text of which no length is documented, in characters.
const TEXT_MAX: usize = 255;

/// How much of `metadata` is kept, in bytes.
const METADATA_MAX: usize = 8 * 1024;

/// The months of a payment in instalments; 1 is none (seed 001).
const INSTALLMENTS: [i64; 7] = [1, 3, 6, 9, 12, 18, 24];

/// A payment that is asked for, checked.
pub(crate) struct NewPayment {
    /// The token of its card.
    pub(crate) token: String,
    /// What is to be paid, tip included.
    pub(crate) amount: Money,
    /// The part of it that is a tip, in minor units.
    pub(crate) tip_minor: i64,
    /// In how many months.
    pub(crate) installments: i64,
    /// Whether the money is taken at once.
    pub(crate) capture: bool,
    /// Whether its holder has to confirm it first.
    pub(crate) needs_holder: bool,
    /// Whether it is rejected rather than held for its holder.
    pub(crate) is_binary: bool,
    /// What comes back with it.
    pub(crate) kept: Map<String, Value>,
}

impl NewPayment {
    /// Reads a payment; everything that is missing, or everything that is wrong, at once.
    pub(crate) fn read(call: &Call, body: &Json) -> Result<Self, Refusal> {
        let settings = Settings::of(call.merchant());
        let mut fields = Fields::of(body);
        let minor = fields.positive_amount("amount");
        currency(&mut fields);
        let token = fields.required_text("payment_method.token", 128);
        let tip_minor = fields.amount("tip_amount").unwrap_or(0);
        let installments = installments(&mut fields, minor.unwrap_or(0) + tip_minor, &settings);
        if let Some(minor) = minor {
            if minor < settings.amount_min_minor {
                fields.reject("amount", "is below the minimum");
            }
            if minor.saturating_add(tip_minor) > settings.amount_max_minor {
                fields.reject("amount", "is above the maximum");
            }
        }
        let capture = capture(&mut fields);
        let is_binary = fields.flag("binary_mode");
        let asks = fields.flag("prevention_data.request_3ds");
        let needs_holder = match settings.three_ds {
            ThreeDs::Always => true,
            ThreeDs::Requested => asks,
            ThreeDs::Never => false,
        };
        let kept = kept(&mut fields, is_binary);
        fields.done(call.api)?;
        let minor = minor.unwrap_or_default().saturating_add(tip_minor);
        Ok(Self {
            token: token.unwrap_or_default(),
            amount: Money::new(minor, Currency::MXN),
            tip_minor,
            installments,
            capture,
            needs_holder,
            is_binary,
            kept,
        })
    }
}

fn currency(fields: &mut Fields<'_>) {
    match fields.required_text("currency", 8) {
        Some(code) if code != Currency::MXN.code() => fields.reject("currency", "must be MXN"),
        _ => {}
    }
    if fields.text("country", 8).is_some_and(|code| !code.is_empty() && code != "MX") {
        fields.reject("country", "must be MX");
    }
}

fn installments(fields: &mut Fields<'_>, minor: i64, settings: &Settings) -> i64 {
    let months = fields.integer("installments").unwrap_or(1);
    if !INSTALLMENTS.contains(&months) {
        fields.reject("installments", "must be 1, 3, 6, 9, 12, 18 or 24");
    } else if months > 1 && minor > 0 && minor < settings.installments_min_minor {
        fields.reject("installments", "are not offered for this amount");
    }
    months
}

fn capture(fields: &mut Fields<'_>) -> bool {
    match fields.text("capture_method", 32).as_deref() {
        None | Some("" | "automatic") => true,
        Some("manual") => false,
        Some(_) => {
            fields.reject("capture_method", "must be automatic or manual");
            true
        }
    }
}

/// What comes back with the payment.
fn kept(fields: &mut Fields<'_>, is_binary: bool) -> Map<String, Value> {
    let mut kept = Map::new();
    let mut keep = |name: &str, value: Value| _ = kept.insert(name.to_owned(), value);
    if let Some(text) = described(fields, "description") {
        keep("description", text.into());
    }
    if let Some(text) = fields.text("external_reference", TEXT_MAX) {
        match reference(&text) {
            Some(text) if text.chars().count() <= REFERENCE_MAX => {
                keep("external_reference", text.into());
            }
            Some(_) => fields.reject("external_reference", "must have at most 36 characters"),
            None => fields.reject("external_reference", "has characters that are not allowed"),
        }
    }
    for name in ["webhook_url", "return_url"] {
        let url = fields.url(name);
        keep(name, url.into());
    }
    let descriptor = fields.text("statement_descriptor", TEXT_MAX).unwrap_or_default();
    keep("statement_descriptor", descriptor.into());
    keep("metadata", fields.object("metadata", METADATA_MAX));
    keep("customer", customer(fields).into());
    keep("binary_mode", is_binary.into());
    kept
}

/// A description: 1 to 255 characters, no emoji.
pub(crate) fn described(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let text = fields.text(name, DESCRIPTION_MAX)?;
    if text.is_empty() {
        fields.reject(name, "must not be empty");
    } else if !is_description(&text) {
        fields.reject(name, "has characters that are not allowed");
    }
    Some(text)
}

/// The customer as sent, cleaned.
fn customer(fields: &mut Fields<'_>) -> Map<String, Value> {
    let mut kept = Map::new();
    if fields.at("customer").is_some_and(|value| !matches!(value, Json::Object(_))) {
        fields.reject("customer", "must be an object");
        return kept;
    }
    match fields.required_text("customer.email", TEXT_MAX) {
        Some(email) if !is_email(&email) => {
            fields.reject("customer.email", "must be an e-mail address");
        }
        Some(email) => _ = kept.insert("email".to_owned(), email.into()),
        None => {}
    }
    if let Some(phone) = fields.required_text("customer.phone", 32) {
        let digits = phone.chars().filter(char::is_ascii_digit).count();
        if digits < 7 || !phone.chars().all(|one| one.is_ascii_digit() || " +-().".contains(one)) {
            fields.reject("customer.phone", "must be a telephone number");
        }
        kept.insert("phone".to_owned(), phone.into());
    }
    for name in ["first_name", "last_name", "description"] {
        let path = format!("customer.{name}");
        if let Some(text) = fields.text(&path, TEXT_MAX) {
            // A card's number must not be kept beside the vault.
            if has_card_number(&text) {
                fields.reject(&path, "has characters that are not allowed");
            }
            kept.insert(name.to_owned(), text.into());
        }
    }
    let address = [
        "city",
        "colony",
        "country",
        "number",
        "postal_code",
        "state",
        "street",
        "exterior_number",
        "interior_number",
        "reference",
    ];
    for (name, members) in [("address", &address[..]), ("identification", &["id", "type"])] {
        if let Some(part) = part(fields, &format!("customer.{name}"), members) {
            kept.insert(name.to_owned(), part.into());
        }
    }
    kept
}

/// Members of an object as text.
fn part(fields: &mut Fields<'_>, path: &str, names: &[&str]) -> Option<Map<String, Value>> {
    match fields.at(path)? {
        Json::Object(_) => {}
        _ => {
            fields.reject(path, "must be an object");
            return None;
        }
    }
    let mut kept = Map::new();
    for name in names {
        if let Some(text) = fields.text(&format!("{path}.{name}"), TEXT_MAX) {
            kept.insert((*name).to_owned(), text.into());
        }
    }
    Some(kept)
}
