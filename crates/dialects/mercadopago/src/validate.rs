//! What bodies may say, per country, and the texts that say what is wrong with them: those of the
//! JSON-schema library whose messages clients of the live API match on (reference, section 1.3).

use cobro_domain::card::CardKind;
use cobro_surface::json::{Json, JsonError, Limits};
use serde_json::{Map, Value};

use crate::errors::ApiError;
use crate::map::card_kind;
use crate::sites::Site;

/// Longest external reference and ticket number (reference, section 4.1).
const REFERENCE_LENGTH_MAX: usize = 256;

/// Longest description; our choice.
const DESCRIPTION_LENGTH_MAX: usize = 600;

/// What a valid request for an intent says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewIntent {
    pub(crate) amount: i64,
    pub(crate) card_kind: Option<CardKind>,
    pub(crate) installments: i64,
    /// The members that come back, as they were sent.
    pub(crate) luggage: Map<String, Value>,
}

/// The complaints about one body, in the order of its schema.
#[derive(Debug, Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn add(&mut self, text: impl Into<String>) {
        self.0.push(text.into());
    }

    fn wrong_type(&mut self, path: &str, expected: &str, given: &Json) {
        let given = given.kind_name();
        self.add(format!("{path}: Invalid type. Expected: {expected}, given: {given}"));
    }

    fn none_of(&mut self, path: &str, words: &[&str]) {
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        self.add(format!("{path}: {path} must be one of the following: {}", words.join(", ")));
    }

    /// The members of an object; a complaint for each one that is not known.
    fn members<'a>(&mut self, path: &str, json: &'a Json, known: &[&str]) -> &'a [(String, Json)] {
        let Some(members) = json.as_object() else {
            self.wrong_type(path, "object", json);
            return &[];
        };
        for (name, _) in members {
            if !known.contains(&name.as_str()) {
                self.add(format!("Additional property {name} is not allowed"));
            }
        }
        members
    }

    fn object(&mut self, json: &Json) {
        if json.as_object().is_none() {
            self.wrong_type("(root)", "object", json);
        }
    }

    /// A member that has to be there is not; what is no object was complained about before.
    fn missing(&mut self, json: &Json, name: &str) {
        if json.as_object().is_some() {
            self.add(format!("{name} is required"));
        }
    }

    fn text(&mut self, path: &str, json: &Json, length_max: usize) {
        match json.as_str() {
            None => self.wrong_type(path, "string", json),
            Some(text) if text.chars().count() > length_max => self
                .add(format!("{path}: String length must be less than or equal to {length_max}")),
            Some(_) => {}
        }
    }

    fn finish<T>(self, value: T) -> Result<T, ApiError> {
        if self.0.is_empty() { Ok(value) } else { Err(ApiError::bad_request(self.0.join(", "))) }
    }
}

/// Reads a body.
pub(crate) fn body(bytes: &[u8]) -> Result<Json, ApiError> {
    Json::parse(bytes, &Limits::default()).map_err(|error| match error {
        JsonError::Empty => ApiError::bad_request("Invalid JSON: the body is empty"),
        JsonError::Nul => ApiError::bad_request("Invalid JSON: U+0000 is not allowed"),
        JsonError::DuplicateKey => ApiError::bad_request("Invalid JSON: a member comes twice"),
        _ => ApiError::bad_request("Invalid JSON"),
    })
}

/// Reads the request for an intent.
pub(crate) fn new_intent(site: Site, amount_min: i64, json: &Json) -> Result<NewIntent, ApiError> {
    let mut complaints = Complaints::default();
    let known: &[&str] = if site.takes_payment_options() {
        &["amount", "description", "payment", "additional_info"]
    } else {
        &["amount", "additional_info"]
    };
    complaints.members("(root)", json, known);
    let amount = amount(&mut complaints, site, amount_min, json);
    let mut luggage = Map::new();
    if let Some(info) = json.get("additional_info") {
        luggage.insert("additional_info".to_owned(), additional_info(&mut complaints, info));
    }
    let (mut kind, mut installments) = (None, 1);
    if site.takes_payment_options() {
        if let Some(description) = json.get("description") {
            complaints.text("description", description, DESCRIPTION_LENGTH_MAX);
            luggage.insert("description".to_owned(), description.to_value());
        }
        if let Some(payment) = json.get("payment") {
            (kind, installments) = payment_options(&mut complaints, payment);
            luggage.insert("payment".to_owned(), payment.to_value());
        }
    }
    complaints.finish(NewIntent { amount, card_kind: kind, installments, luggage })
}

fn amount(complaints: &mut Complaints, site: Site, amount_min: i64, json: &Json) -> i64 {
    let Some(amount) = json.get("amount") else {
        if json.as_object().is_some() {
            complaints.add("amount is required");
        }
        return 0;
    };
    let Some(number) = amount.as_number().filter(|number| number.is_integral()) else {
        complaints.wrong_type("amount", "integer", amount);
        return 0;
    };
    // What does not fit is beyond every limit, on the side that its sign says.
    let beyond = if number.as_str().starts_with('-') { i64::MIN } else { i64::MAX };
    let minor = number.integer().unwrap_or(beyond);
    if minor < amount_min {
        complaints.add(format!("amount: Must be greater than or equal to {amount_min}"));
    } else if minor > site.amount_max() {
        let amount_max = site.amount_max();
        complaints.add(format!("amount: Must be less than or equal to {amount_max}"));
    }
    minor
}

fn additional_info(complaints: &mut Complaints, info: &Json) -> Value {
    let known = ["external_reference", "print_on_terminal", "ticket_number"];
    for (name, value) in complaints.members("additional_info", info, &known) {
        let path = format!("additional_info.{name}");
        match name.as_str() {
            "external_reference" | "ticket_number" => {
                complaints.text(&path, value, REFERENCE_LENGTH_MAX);
            }
            "print_on_terminal" if value.as_bool().is_none() => {
                complaints.wrong_type(&path, "boolean", value);
            }
            _ => {}
        }
    }
    info.to_value()
}

const TYPES: [&str; 3] = ["credit_card", "debit_card", "voucher_card"];
const COSTS: [&str; 2] = ["seller", "buyer"];
const VOUCHERS: [&str; 2] = ["sodexo", "alelo"];

fn payment_options(complaints: &mut Complaints, payment: &Json) -> (Option<CardKind>, i64) {
    let known = ["type", "installments", "installments_cost", "voucher_type"];
    let (mut kind, mut installments) = (None, 1);
    let members = complaints.members("payment", payment, &known);
    for (name, value) in members {
        let path = format!("payment.{name}");
        match name.as_str() {
            "type" => {
                kind = value.as_str().and_then(card_kind);
                one_of(complaints, &path, value, &TYPES);
            }
            "installments" => installments = installments_of(complaints, &path, value),
            "installments_cost" => one_of(complaints, &path, value, &COSTS),
            "voucher_type" => one_of(complaints, &path, value, &VOUCHERS),
            _ => {}
        }
    }
    for (name, needed) in [
        ("installments", CardKind::Credit),
        ("installments_cost", CardKind::Credit),
        ("voucher_type", CardKind::Voucher),
    ] {
        if payment.get(name).is_some() && kind != Some(needed) {
            let needed = crate::map::card_type(needed);
            complaints.add(format!("payment.{name} is only allowed with type {needed}"));
        }
    }
    (kind, installments)
}

fn one_of(complaints: &mut Complaints, path: &str, value: &Json, words: &[&str]) {
    match value.as_str() {
        None => complaints.wrong_type(path, "string", value),
        Some(word) if !words.contains(&word) => complaints.none_of(path, words),
        Some(_) => {}
    }
}

fn installments_of(complaints: &mut Complaints, path: &str, value: &Json) -> i64 {
    let Some(number) = value.as_number().filter(|number| number.is_integral()) else {
        complaints.wrong_type(path, "integer", value);
        return 1;
    };
    let installments = number.integer().unwrap_or(i64::MAX);
    if installments < 1 {
        complaints.add(format!("{path}: Must be greater than or equal to 1"));
    } else if installments > 72 {
        complaints.add(format!("{path}: Must be less than or equal to 72"));
    }
    installments
}

/// Reads the new operating mode of a device: whether it is integrated.
pub(crate) fn operating_mode(bytes: &[u8]) -> Result<bool, ApiError> {
    // One of the official SDKs sends no body here.
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::bad_request("operating_mode is required"));
    }
    let json = body(bytes)?;
    let mut complaints = Complaints::default();
    complaints.members("(root)", &json, &["operating_mode"]);
    let mode = json.get("operating_mode");
    match mode {
        Some(mode) => one_of(&mut complaints, "operating_mode", mode, &["PDV", "STANDALONE"]),
        None if json.as_object().is_some() => complaints.add("operating_mode is required"),
        None => {}
    }
    complaints.finish(mode.and_then(Json::as_str) == Some("PDV"))
}

/// Reads the new address of the integrator's webhook; empty to remove it.
pub(crate) fn webhook(bytes: &[u8]) -> Result<String, ApiError> {
    let json = body(bytes)?;
    let mut complaints = Complaints::default();
    complaints.members("(root)", &json, &["webhook"]);
    match json.get("webhook") {
        Some(webhook) => complaints.text("webhook", webhook, 2048),
        None if json.as_object().is_some() => complaints.add("webhook is required"),
        None => {}
    }
    let url = json.get("webhook").and_then(Json::as_str).unwrap_or_default().to_owned();
    complaints.finish(url)
}

/// What a valid request for a refund intent says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewRefundIntent {
    /// The number of the payment.
    pub(crate) payment: i64,
    /// The members that come back.
    pub(crate) luggage: Map<String, Value>,
}

/// What a terminal may print for a refund.
const TICKETS: [&str; 2] = ["SELLER_TICKET", "BUYER_TICKET"];

/// Reads the request for a refund intent.
pub(crate) fn new_refund_intent(bytes: &[u8]) -> Result<NewRefundIntent, ApiError> {
    let json = body(bytes)?;
    let mut complaints = Complaints::default();
    complaints.members("(root)", &json, &["payment_id", "additional_info"]);
    let payment = match json.get("payment_id") {
        // The number of a payment is what other calls show as a number.
        Some(Json::Number(number)) => number.integer().filter(|number| *number > 0),
        Some(Json::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()
        }
        Some(Json::String(_)) => None,
        Some(other) => {
            complaints.wrong_type("payment_id", "string", other);
            Some(0)
        }
        None => {
            complaints.missing(&json, "payment_id");
            Some(0)
        }
    };
    if payment.is_none() {
        complaints.add("payment_id: Does not match pattern '^[0-9]+$'");
    }
    let mut luggage = Map::new();
    if let Some(info) = json.get("additional_info") {
        for (name, value) in complaints.members("additional_info", info, &["print_on_terminal"]) {
            if name == "print_on_terminal" {
                tickets(&mut complaints, value);
            }
        }
        luggage.insert("additional_info".to_owned(), info.to_value());
    }
    complaints.finish(NewRefundIntent { payment: payment.unwrap_or(0), luggage })
}

fn tickets(complaints: &mut Complaints, value: &Json) {
    let path = "additional_info.print_on_terminal";
    let Some(tickets) = value.as_array() else {
        complaints.wrong_type(path, "array", value);
        return;
    };
    for (place, ticket) in tickets.iter().enumerate() {
        one_of(complaints, &format!("{path}.{place}"), ticket, &TICKETS);
    }
}

/// Longest description of a test user; our choice.
const TEST_USER_DESCRIPTION_MAX: usize = 256;

/// Reads the request for a test user: its site, and its description where one has to be there.
/// What else there is, is passed over.
pub(crate) fn test_user(
    bytes: &[u8],
    is_described: bool,
) -> Result<(Site, Option<String>), ApiError> {
    let json = body(bytes)?;
    let mut complaints = Complaints::default();
    complaints.object(&json);
    let sites = Site::ALL.map(Site::code);
    let site = match json.get("site_id") {
        Some(site) => {
            one_of(&mut complaints, "site_id", site, &sites);
            site.as_str().unwrap_or_default()
        }
        None => {
            complaints.missing(&json, "site_id");
            ""
        }
    };
    let description = json.get("description").filter(|_| is_described);
    match description {
        Some(text) => complaints.text("description", text, TEST_USER_DESCRIPTION_MAX),
        None if is_described => complaints.missing(&json, "description"),
        None => {}
    }
    let description = description.and_then(Json::as_str).map(str::to_owned);
    complaints.finish((Site::of(site), description))
}

/// Reads the channels on which events of devices are told.
pub(crate) fn event_channels(bytes: &[u8]) -> Result<Vec<String>, ApiError> {
    let json = body(bytes)?;
    let mut complaints = Complaints::default();
    complaints.members("(root)", &json, &["event_channel_devices"]);
    let mut channels = Vec::new();
    match json.get("event_channel_devices") {
        Some(Json::Array(words)) => {
            if !words.iter().all(|word| word.as_str() == Some("email")) {
                return Err(ApiError::bad_request("Notification channel is not allowed"));
            }
            channels.extend(words.iter().take(1).filter_map(Json::as_str).map(str::to_owned));
        }
        Some(other) => complaints.wrong_type("event_channel_devices", "array", other),
        None => complaints.missing(&json, "event_channel_devices"),
    }
    complaints.finish(channels)
}

/// Reads how much is to be refunded, in minor units; `None` for everything.
pub(crate) fn refund_amount(bytes: &[u8], exponent: u32) -> Result<Option<i64>, ApiError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let json = body(bytes)?;
    if json.as_object().is_none() {
        return Err(ApiError::bad_request("Invalid JSON"));
    }
    let not_numeric = || ApiError::bad_request("amount attribute must be numeric").caused(4041);
    let amount = match json.get("amount") {
        None | Some(Json::Null) => return Ok(None),
        Some(amount) => amount.as_number().ok_or_else(not_numeric)?,
    };
    use cobro_surface::json::AmountError;
    match amount.minor_units(exponent) {
        Ok(minor) if minor > 0 => Ok(Some(minor)),
        Ok(_) | Err(AmountError::Negative) => {
            Err(ApiError::bad_request("amount attribute must be positive").caused(4040))
        }
        Err(AmountError::TooManyDecimals) => Err(not_numeric()),
        Err(AmountError::TooLarge) => Ok(Some(i64::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(site: Site, text: &str) -> String {
        match body(text.as_bytes()).and_then(|json| new_intent(site, site.amount_min(), &json)) {
            Ok(intent) => format!("ok {}", intent.amount),
            Err(error) => error.message,
        }
    }

    /// Bodies of requests for intents, and what is said of them.
    const REQUESTS: &[(Site, &str, &str)] = {
        use Site::{Mla, Mlb, Mlm};
        &[
            (Mla, r#"{"amount":1500}"#, "ok 1500"),
            (Mla, r#"{"amount":1500.0}"#, "ok 1500"),
            (Mla, r#"{"amount":1.5E+003}"#, "ok 1500"),
            (Mla, r#"{"amount":500}"#, "ok 500"),
            (Mla, r#"{"amount":499}"#, "amount: Must be greater than or equal to 500"),
            (Mla, r#"{"amount":-0}"#, "amount: Must be greater than or equal to 500"),
            (Mlb, r#"{"amount":100}"#, "ok 100"),
            (Mlb, r#"{"amount":7000001}"#, "amount: Must be less than or equal to 7000000"),
            (Mlm, r#"{"amount":35000000}"#, "ok 35000000"),
            (Mlm, r#"{"amount":1e308}"#, "amount: Must be less than or equal to 35000000"),
            (
                Mla,
                r#"{"amount":-99999999999999999999}"#,
                "amount: Must be greater than or equal to 500",
            ),
            (Mla, r#"{"amount":1500.5}"#, "amount: Invalid type. Expected: integer, given: number"),
            (Mla, r#"{"amount":"1500"}"#, "amount: Invalid type. Expected: integer, given: string"),
            (Mla, r#"{"amount":null}"#, "amount: Invalid type. Expected: integer, given: null"),
            (Mla, "{}", "amount is required"),
            (Mla, "[]", "(root): Invalid type. Expected: object, given: array"),
            (Mla, "nonsense", "Invalid JSON"),
            (Mla, "", "Invalid JSON: the body is empty"),
            (Mla, r#"{"amount":1,"amount":2}"#, "Invalid JSON: a member comes twice"),
            (
                Mla,
                "{\"amount\":1500,\"additional_info\":{\"external_reference\":\"a\\u0000\"}}",
                "Invalid JSON: U+0000 is not allowed",
            ),
            (
                Mla,
                r#"{"amount":1500,"description":"x"}"#,
                "Additional property description is not allowed",
            ),
            (Mlm, r#"{"amount":1500,"payment":{}}"#, "Additional property payment is not allowed"),
            (
                Mla,
                r#"{"amount":1500,"additional_info":{"x":1}}"#,
                "Additional property x is not allowed",
            ),
            (
                Mla,
                r#"{"amount":1500,"additional_info":{"print_on_terminal":"yes"}}"#,
                "additional_info.print_on_terminal: Invalid type. Expected: boolean, given: string",
            ),
            (
                Mla,
                r#"{"amount":1500,"additional_info":7}"#,
                "additional_info: Invalid type. Expected: object, given: integer",
            ),
            (
                Mlb,
                r#"{"amount":1400,"description":"Mesa 7","payment":{"type":"credit_card","installments":3,"installments_cost":"seller"}}"#,
                "ok 1400",
            ),
            (
                Mlb,
                r#"{"amount":1400,"payment":{"type":"gold"}}"#,
                "payment.type: payment.type must be one of the following: \"credit_card\", \"debit_card\", \"voucher_card\"",
            ),
            (
                Mlb,
                r#"{"amount":1400,"payment":{"type":"debit_card","installments":2}}"#,
                "payment.installments is only allowed with type credit_card",
            ),
            (
                Mlb,
                r#"{"amount":1400,"payment":{"type":"credit_card","installments":73}}"#,
                "payment.installments: Must be less than or equal to 72",
            ),
            (
                Mlb,
                r#"{"amount":1400,"payment":{"type":"voucher_card","voucher_type":"alelo"}}"#,
                "ok 1400",
            ),
            (
                Mla,
                r#"{"amount":1,"x":2,"y":3}"#,
                "Additional property x is not allowed, Additional property y is not allowed, amount: Must be greater than or equal to 500",
            ),
        ]
    };

    #[test]
    fn requests_for_intents() {
        let long = format!(
            r#"{{"amount":1500,"additional_info":{{"external_reference":"{}"}}}}"#,
            "x".repeat(257)
        );
        let too_long = "additional_info.external_reference: String length must be less than or \
                        equal to 256";
        assert_eq!(complaint(Site::Mla, &long), too_long);
        for (site, text, expected) in REQUESTS {
            assert_eq!(complaint(*site, text), *expected, "{text}");
        }
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(complaint(Site::Mla, &deep), "Invalid JSON");
    }

    #[test]
    fn refund_amounts() {
        let amount = |text: &str| refund_amount(text.as_bytes(), 2).map_err(|e| e.cause[0].code);
        assert_eq!(amount(""), Ok(None));
        assert_eq!(amount("{}"), Ok(None));
        assert_eq!(amount(r#"{"amount":null}"#), Ok(None));
        assert_eq!(amount(r#"{"amount":5}"#), Ok(Some(500)));
        assert_eq!(amount(r#"{"amount":5.25}"#), Ok(Some(525)));
        assert_eq!(amount(r#"{"amount":5.255}"#), Err(4041));
        assert_eq!(amount(r#"{"amount":"5"}"#), Err(4041));
        assert_eq!(amount(r#"{"amount":0}"#), Err(4040));
        assert_eq!(amount(r#"{"amount":-1}"#), Err(4040));
        assert_eq!(amount(r#"{"amount":1e300}"#), Ok(Some(i64::MAX)));
    }

    #[test]
    fn requests_for_refund_intents() {
        let read = |text: &str| new_refund_intent(text.as_bytes()).map_err(|e| e.message);
        let whole = r#"{"payment_id":"57031040004","additional_info":{"print_on_terminal":["SELLER_TICKET","BUYER_TICKET"]}}"#;
        let intent = read(whole).unwrap();
        assert_eq!(intent.payment, 57_031_040_004);
        let info = serde_json::json!({ "print_on_terminal": ["SELLER_TICKET", "BUYER_TICKET"] });
        assert_eq!(intent.luggage.get("additional_info"), Some(&info));
        assert_eq!(read(r#"{"payment_id":57031040004}"#).unwrap().payment, 57_031_040_004);
        let table = [
            ("{}", "payment_id is required"),
            ("[]", "(root): Invalid type. Expected: object, given: array"),
            ("", "Invalid JSON: the body is empty"),
            (r#"{"payment_id":"x"}"#, "payment_id: Does not match pattern '^[0-9]+$'"),
            (r#"{"payment_id":""}"#, "payment_id: Does not match pattern '^[0-9]+$'"),
            (r#"{"payment_id":-7}"#, "payment_id: Does not match pattern '^[0-9]+$'"),
            (
                r#"{"payment_id":"99999999999999999999"}"#,
                "payment_id: Does not match pattern '^[0-9]+$'",
            ),
            (r#"{"payment_id":null}"#, "payment_id: Invalid type. Expected: string, given: null"),
            (r#"{"payment_id":"7","amount":1}"#, "Additional property amount is not allowed"),
            (
                r#"{"payment_id":"7","additional_info":{"print_on_terminal":true}}"#,
                "additional_info.print_on_terminal: Invalid type. Expected: array, given: boolean",
            ),
            (
                r#"{"payment_id":"7","additional_info":{"print_on_terminal":["ALL"]}}"#,
                "additional_info.print_on_terminal.0: additional_info.print_on_terminal.0 must be \
                 one of the following: \"SELLER_TICKET\", \"BUYER_TICKET\"",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn requests_for_test_users_and_channels() {
        let user = |text: &str, described| {
            test_user(text.as_bytes(), described).map_err(|error| error.message)
        };
        assert_eq!(user(r#"{"site_id":"MLB","x":1}"#, false), Ok((Site::Mlb, None)));
        let described = r#"{"site_id":"MLM","description":"caja"}"#;
        assert_eq!(user(described, true), Ok((Site::Mlm, Some("caja".to_owned()))));
        assert_eq!(user(described, false), Ok((Site::Mlm, None)));
        assert_eq!(user("{}", true).unwrap_err(), "site_id is required, description is required");
        for wrong in ["", "[]", r#"{"site_id":"MLC"}"#, r#"{"site_id":7}"#] {
            assert!(user(wrong, false).is_err(), "{wrong}");
        }
        let channels = |text: &str| event_channels(text.as_bytes()).map_err(|error| error.message);
        let email = Ok(vec!["email".to_owned()]);
        assert_eq!(channels(r#"{"event_channel_devices":["email"]}"#), email);
        assert_eq!(channels(r#"{"event_channel_devices":[]}"#), Ok(Vec::new()));
        for wrong in [r#"{"event_channel_devices":["sms"]}"#, r#"{"event_channel_devices":[1]}"#] {
            assert_eq!(channels(wrong).unwrap_err(), "Notification channel is not allowed");
        }
        for wrong in ["{}", "[]", r#"{"event_channel_devices":"email"}"#] {
            assert!(channels(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn modes_and_webhooks() {
        assert_eq!(operating_mode(br#"{"operating_mode":"PDV"}"#), Ok(true));
        assert_eq!(operating_mode(br#"{"operating_mode":"STANDALONE"}"#), Ok(false));
        for wrong in ["", "{}", "[]", "{\"operating_mode\":null}", "{\"operating_mode\":\"pdv\"}"] {
            assert!(operating_mode(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert_eq!(webhook(br#"{"webhook":""}"#), Ok(String::new()));
        for wrong in ["", "{}", "{\"webhook\":7}", "{\"webhook\":\"x\",\"y\":1}"] {
            assert!(webhook(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
