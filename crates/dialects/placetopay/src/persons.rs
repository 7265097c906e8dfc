//! Persons: payer, buyer, shipping (reference, section 2.2).

use serde_json::{Map, Value};

use crate::documents;
use crate::errors::Refusal;
use crate::validate::{At, has_card_number, put};

/// Whose data they are: a payer's faults refuse the request, a buyer's are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Payer,
    Buyer,
    Shipping,
}

const EMAIL_MAX: usize = 80;

/// The person at `at`, cleaned.
pub(crate) fn person(at: &At<'_>, role: Role) -> Result<Option<Value>, Refusal> {
    let Some(at) = at.object()? else { return Ok(None) };
    let mut person = Map::new();
    let kind = at.member("documentType").text(6)?;
    let document = at.member("document").text(25)?;
    check_document(&at, kind.as_deref(), document.as_deref())?;
    put(&mut person, "documentType", kind);
    put_as_sent(&mut person, &at, "document");
    for name in ["name", "surname"] {
        let member = at.member(name);
        let text = member.text(60)?;
        let hides_card = text.as_deref().is_some_and(has_card_number);
        match (hides_card, role) {
            (false, _) => put(&mut person, name, text),
            (true, Role::Buyer) => {}
            (true, _) => return Err(Refusal::payer()),
        }
    }
    put(&mut person, "company", at.member("company").text(60)?);
    let email = at.member("email").text(usize::MAX)?;
    let good = email.as_deref().is_none_or(is_email);
    match (good, role) {
        (true, _) => put(&mut person, "email", email),
        (false, Role::Buyer) => {}
        (false, _) => return Err(Refusal::payer()),
    }
    at.member("mobile").text(30)?;
    put_as_sent(&mut person, &at, "mobile");
    put(&mut person, "address", address(&at.member("address"))?);
    if role == Role::Buyer {
        person.retain(|_, value| !value.as_str().is_some_and(has_card_number));
    }
    Ok((!person.is_empty()).then_some(Value::Object(person)))
}

/// A number stays a number.
fn put_as_sent(person: &mut Map<String, Value>, at: &At<'_>, name: &str) {
    put(person, name, at.member(name).json().map(cobro_surface::json::Json::to_value));
}

fn check_document(at: &At<'_>, kind: Option<&str>, number: Option<&str>) -> Result<(), Refusal> {
    let Some(number) = number else { return Ok(()) };
    let kind = kind.ok_or_else(|| at.member("documentType").required())?;
    match documents::fits(kind, number) {
        Some(true) => Ok(()),
        Some(false) => Err(at.member("document").invalid()),
        None => Err(at.member("documentType").invalid()),
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.chars().count() <= EMAIL_MAX
        && !local.is_empty()
        && !domain.is_empty()
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

/// An address: city, postal code and street are cut, not refused.
fn address(at: &At<'_>) -> Result<Option<Value>, Refusal> {
    let Some(at) = at.object()? else { return Ok(None) };
    let mut address = Map::new();
    let country = at.member("country");
    let code = country.text(2)?;
    let fits =
        |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !code.as_ref().is_none_or(fits) {
        return Err(country.invalid());
    }
    put(&mut address, "country", code);
    put(&mut address, "state", at.member("state").text(60)?);
    for (name, max) in [("city", 30), ("postalCode", 10), ("street", 128)] {
        put(&mut address, name, at.member(name).cut_text(max)?);
    }
    at.member("phone").text(20)?;
    put_as_sent(&mut address, &at, "phone");
    Ok((!address.is_empty()).then_some(Value::Object(address)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_surface::json::Json;
    use serde_json::json;

    fn read(value: &Value, role: Role) -> Result<Option<Value>, Refusal> {
        let json = Json::from(&json!({ "payer": value }));
        person(&At::body(&json).member("payer"), role)
    }

    #[test]
    fn what_fits_is_kept_as_sent() {
        let sent = json!({"document": "1040099001", "documentType": "CC", "name": "Rosa",
            "surname": "Lemus", "email": "rosa@example.org", "mobile": 3_111_111_111_i64,
            "company": "", "extra": 1, "address": {"state": "Antioquia", "country": "CO",
            "street": "x".repeat(200), "city": "Medellín", "postalCode": "050012000000"}});
        let kept = read(&sent, Role::Payer).unwrap().unwrap();
        assert_eq!(kept["mobile"], 3_111_111_111_i64);
        assert_eq!(kept["address"]["street"].as_str().unwrap().len(), 128);
        assert_eq!(kept["address"]["postalCode"], "0500120000");
        assert_eq!((kept.get("company"), kept.get("extra")), (None, None));
        assert_eq!(read(&json!([]), Role::Payer), Ok(None));
        assert_eq!(read(&json!({}), Role::Payer), Ok(None));
    }

    #[test]
    fn what_does_not_fit_is_refused_or_dropped() {
        let long = format!("{}@example.org", "a".repeat(80));
        let table = [
            (json!({"email": long}), "payer_data_not_valid"),
            (json!({"email": "nobody"}), "payer_data_not_valid"),
            (json!({"name": "4111 1111 1111 1111"}), "payer_data_not_valid"),
            (json!({"name": "a".repeat(61)}), "request_not_valid"),
            (json!({"document": "1"}), "request_not_valid"),
            (json!({"document": "1", "documentType": "CC"}), "request_not_valid"),
            (json!({"document": "1040099001", "documentType": "ZZ"}), "request_not_valid"),
            (json!({"address": {"country": "COL"}}), "request_not_valid"),
            (json!({"name": true}), "request_not_valid"),
            (json!("x"), "request_not_valid"),
        ];
        for (sent, reason) in table {
            assert_eq!(read(&sent, Role::Payer).unwrap_err().reason, reason, "{sent}");
        }
        for dropped in [json!({"email": long}), json!({"name": "4111111111111111"})] {
            assert_eq!(read(&dropped, Role::Buyer), Ok(None), "{dropped}");
        }
    }
}
