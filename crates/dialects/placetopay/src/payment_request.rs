//! What is to be paid: amount, taxes, items, dispersion, modifiers (reference, sections 2.3, 2.4
//! and 2.6).

use cobro_domain::{Currency, Money};
use serde_json::{Map, Value, json};

use crate::amounts::{integer, number, rounded, units};
use crate::errors::Refusal;
use crate::fields::Fields;
use crate::persons::{Role, person};
use crate::recurring::{self, Plan};
use crate::texts::Text;
use crate::validate::{At, is_description, is_reference, put};

const TAXES: [&str; 7] = [
    "valueAddedTax",
    "exciseDuty",
    "ice",
    "airportTax",
    "stateTax",
    "reducedStateTax",
    "municipalTax",
];

const DETAILS: [&str; 12] = [
    "discount",
    "additional",
    "vatDevolutionBase",
    "shipping",
    "handlingFee",
    "insurance",
    "giftWrap",
    "subtotal",
    "fee",
    "tip",
    "airline",
    "interests",
];

const MODIFIER_CODES: [i64; 5] = [17_934, 18_083, 19_210, 18_910, 18_999];

/// How many items are kept.
const ITEMS_MAX: usize = 50;

/// What a modifier takes off, in basis points: the one rate that was observed.
pub(crate) const MODIFIER_BPS: i64 = 500;

/// A payment that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PaymentRequest {
    pub(crate) reference: String,
    /// What is to be charged, after modifiers.
    pub(crate) amount: Money,
    pub(crate) allow_partial: bool,
    pub(crate) subscribe: bool,
    pub(crate) recurring: Option<Plan>,
    /// What is kept and given back.
    pub(crate) kept: Map<String, Value>,
}

/// What a request allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) dispersion_max: i64,
    pub(crate) is_checkin: bool,
    /// On collect, parts and consent are ignored, and a description may be required.
    pub(crate) is_collect: bool,
    pub(crate) strict: bool,
    /// The site's today.
    pub(crate) today: jiff::civil::Date,
}

/// An amount, its echo and whether it has taxes or details.
struct Amount {
    money: Money,
    kept: Map<String, Value>,
    has_parts: bool,
}

impl PaymentRequest {
    pub(crate) fn read(at: &At<'_>, rules: Rules, fields: &mut Fields) -> Result<Self, Refusal> {
        let at = at.object()?.ok_or_else(|| at.required())?;
        let reference = reference(&at.member("reference"))?;
        let description = description(&at.member("description"), 250)?;
        if description.is_none() && rules.strict && rules.is_collect {
            return Err(at.member("description").required());
        }
        let amount = amount(&at.member("amount"))?;
        if amount.money.minor == 0 {
            return Err(Refusal::not_positive(at.member("amount.total").path()));
        }
        let allow_partial = at.member("allowPartial").flag()? && !rules.is_collect;
        let subscribe = at.member("subscribe").flag()? && !rules.is_collect;
        let recurring = recurring::read(&at.member("recurring"), rules.today)?;
        let dispersion = dispersion(&at, &amount, rules.dispersion_max)?;
        let partial = at.member("allowPartial");
        let excluded = recurring.is_some() || dispersion.is_some() || rules.is_checkin;
        if allow_partial && (excluded || amount.has_parts) {
            return Err(Refusal::not_allowed(partial.path()));
        }
        if dispersion.is_some() && (amount.has_parts || rules.is_checkin) {
            return Err(Refusal::not_allowed(at.member("dispersion").path()));
        }
        let modifiers = modifiers(&at.member("modifiers"))?;
        let mut money = amount.money;
        if modifiers.is_some() {
            money.minor -= modifier_discount(money.minor);
        }
        let mut kept = Map::new();
        put(&mut kept, "reference", Some(reference.clone()));
        put(&mut kept, "description", description);
        put(&mut kept, "amount", Some(Value::Object(amount.kept)));
        put(&mut kept, "allowPartial", Some(allow_partial));
        put(&mut kept, "shipping", person(&at.member("shipping"), Role::Shipping)?);
        put(&mut kept, "items", items(&at.member("items"))?);
        put(&mut kept, "fields", fields.read(&at.member("fields"))?);
        put(&mut kept, "recurring", recurring.as_ref().map(|plan| plan.kept.clone()));
        put(&mut kept, "subscribe", Some(subscribe));
        put(&mut kept, "dispersion", dispersion);
        put(&mut kept, "modifiers", modifiers);
        put(&mut kept, "processorFields", Fields::default().read(&at.member("processorFields"))?);
        Ok(Self { reference, amount: money, allow_partial, subscribe, recurring, kept })
    }
}

/// What modifiers take off an amount, rounded half up.
pub(crate) const fn modifier_discount(minor: i64) -> i64 {
    (minor / 10_000) * MODIFIER_BPS + ((minor % 10_000) * MODIFIER_BPS + 5_000) / 10_000
}

/// The merchant's reference.
pub(crate) fn reference(at: &At<'_>) -> Result<String, Refusal> {
    let text = at.text(32)?.ok_or_else(|| at.required())?;
    if is_reference(&text) { Ok(text) } else { Err(at.invalid()) }
}

/// The merchant's description.
pub(crate) fn description(at: &At<'_>, max: usize) -> Result<Option<String>, Refusal> {
    let text = at.text(max)?;
    match &text {
        Some(text) if !is_description(text) => Err(at.invalid()),
        _ => Ok(text),
    }
}

/// An amount alone: of a reverse or a capture, where zero may mean something.
pub(crate) fn plain_amount(at: &At<'_>) -> Result<Option<Money>, Refusal> {
    if at.is_absent() {
        return Ok(None);
    }
    amount(at).map(|amount| Some(amount.money))
}

fn amount(at: &At<'_>) -> Result<Amount, Refusal> {
    let at = at.object()?.ok_or_else(|| at.required())?;
    let currency = at.member("currency");
    let code = currency.text(3)?.ok_or_else(|| currency.required())?;
    let known = Currency::from_code(&code).ok_or_else(|| currency.invalid())?;
    let total = at.member("total");
    let sum = total.json().ok_or_else(|| total.required())?;
    let sum = number(sum).ok_or_else(|| total.invalid())?;
    if sum.as_str().starts_with('-') {
        return Err(Refusal::not_positive(total.path()));
    }
    let minor = rounded(&sum, known.exponent()).ok_or_else(|| total.invalid())?;
    let money = Money::new(minor, known);
    let mut kept = Map::new();
    put(&mut kept, "currency", Some(code));
    put(&mut kept, "total", Some(units(money)));
    let taxes = parts(&at.member("taxes"), &TAXES, known)?;
    let details = parts(&at.member("details"), &DETAILS, known)?;
    let has_parts = taxes.is_some() || details.is_some();
    put(&mut kept, "taxes", taxes);
    put(&mut kept, "details", details);
    Ok(Amount { money, kept, has_parts })
}

/// Taxes or details; an entry of an unknown kind is dropped (contract).
fn parts(at: &At<'_>, kinds: &[&str], currency: Currency) -> Result<Option<Value>, Refusal> {
    let mut kept = Vec::new();
    for at in at.list()? {
        let Some(at) = at.object()? else { continue };
        let Some(kind) = at.member("kind").text(64)? else { continue };
        if !kinds.contains(&kind.as_str()) {
            continue;
        }
        let mut part = Map::new();
        put(&mut part, "kind", Some(kind));
        for name in ["amount", "base"] {
            let member = at.member(name);
            let Some(json) = member.json() else { continue };
            let minor = number(json).and_then(|number| rounded(&number, currency.exponent()));
            let minor = minor.ok_or_else(|| member.invalid())?;
            put(&mut part, name, Some(units(Money::new(minor, currency))));
        }
        kept.push(Value::Object(part));
    }
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

fn items(at: &At<'_>) -> Result<Option<Value>, Refusal> {
    let mut kept = Vec::new();
    for at in at.list()?.into_iter().take(ITEMS_MAX) {
        let Some(at) = at.object()? else { continue };
        let mut item = Map::new();
        put(&mut item, "sku", at.member("sku").cut_text(30)?);
        put(&mut item, "name", at.member("name").cut_text(120)?);
        let category = at.member("category");
        let word = category.text(20)?;
        if !matches!(word.as_deref(), None | Some("digital" | "physical")) {
            return Err(category.invalid());
        }
        put(&mut item, "category", word);
        for name in ["qty", "price", "tax"] {
            let member = at.member(name);
            let Some(json) = member.json() else { continue };
            if name == "qty" && json.as_str().is_some() {
                put(&mut item, name, member.cut_text(30)?);
                continue;
            }
            let number = number(json).ok_or_else(|| member.invalid())?;
            put(&mut item, name, Some(cobro_surface::json::Json::Number(number).to_value()));
        }
        kept.push(Value::Object(item));
    }
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

fn dispersion(payment: &At<'_>, whole: &Amount, max: i64) -> Result<Option<Value>, Refusal> {
    let list = payment.member("dispersion");
    let (mut kept, mut sum) = (Vec::new(), Money::zero(whole.money.currency));
    for at in list.list()? {
        let part = amount(&at.member("amount"))?;
        sum = sum.plus(part.money).map_err(|_| at.member("amount").member("currency").invalid())?;
        let agreement = at.member("agreement");
        let number = match agreement.json() {
            None => Value::Null,
            Some(json) => {
                integer(json).map(|_| json.to_value()).ok_or_else(|| agreement.invalid())?
            }
        };
        let kind = at.member("agreementType");
        let word = kind.text(20)?;
        if !matches!(word.as_deref(), None | Some("MERCHANT" | "AIRLINE")) {
            return Err(kind.invalid());
        }
        kept.push(json!({
            "amount": part.kept, "agreement": number,
            "agreementType": word.unwrap_or_else(|| "MERCHANT".to_owned()),
        }));
    }
    if kept.is_empty() {
        return Ok(None);
    }
    if i64::try_from(kept.len()).unwrap_or(i64::MAX) > max {
        return Err(Refusal::bad("max_dispersion_error", Text::TooManyDispersions));
    }
    if sum != whole.money {
        return Err(list.invalid());
    }
    Ok(Some(Value::Array(kept)))
}

fn modifiers(at: &At<'_>) -> Result<Option<Value>, Refusal> {
    let mut kept = Vec::new();
    for at in at.list()? {
        let kind = at.member("type");
        match kind.text(40)?.ok_or_else(|| kind.required())?.as_str() {
            // The seed's prose spells it without the first N.
            "FEDERAL_GOVERNMENT" | "FEDERAL_GOVERMENT" => {}
            _ => return Err(kind.invalid()),
        }
        let code = at.member("code");
        let known = code.json().and_then(integer).filter(|code| MODIFIER_CODES.contains(code));
        let known = match (known, code.is_absent()) {
            (Some(known), _) => known,
            (None, true) => return Err(code.required()),
            (None, false) => return Err(code.invalid()),
        };
        let invoice = at.member("additional").member("invoice");
        let number = invoice.text(9)?.ok_or_else(|| invoice.required())?;
        kept.push(json!({ "type": "FEDERAL_GOVERNMENT", "code": known,
                          "additional": { "invoice": number } }));
    }
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_surface::json::Json;

    const RULES: Rules = Rules {
        dispersion_max: 3,
        is_checkin: false,
        is_collect: false,
        strict: false,
        today: jiff::civil::date(2026, 11, 20),
    };

    fn read(change: &Value, rules: Rules) -> Result<PaymentRequest, Refusal> {
        let mut payment = json!({"reference": "R-1", "description": "Prueba",
            "amount": {"currency": "COP", "total": 100}});
        for (name, value) in change.as_object().unwrap() {
            payment[name] = value.clone();
        }
        let json = Json::from(&json!({ "payment": payment }));
        PaymentRequest::read(&At::body(&json).member("payment"), rules, &mut Fields::default())
    }

    #[test]
    fn the_smallest_request_gets_its_defaults() {
        let read = read(&json!({}), RULES).unwrap();
        let expected = json!({"reference": "R-1", "description": "Prueba", "allowPartial": false,
            "subscribe": false, "amount": {"currency": "COP", "total": 100}});
        assert_eq!(Value::Object(read.kept), expected);
        assert_eq!((read.amount.minor, read.amount.currency.code()), (10_000, "COP"));
    }

    #[test]
    fn amounts_taxes_and_details() {
        let amount = json!({"amount": {"currency": "USD", "total": "576.9875",
            "taxes": [{"kind": "valueAddedTax", "amount": 10.005, "base": 90}, {"kind": "x"}],
            "details": [{"kind": "tip", "amount": "1"}, {"kind": "nothing", "amount": "x"}]}});
        let read = read(&amount, RULES).unwrap();
        assert_eq!(read.amount.minor, 57_699);
        assert_eq!(
            read.kept["amount"],
            json!({"currency": "USD", "total": 576.99,
            "taxes": [{"kind": "valueAddedTax", "amount": 10.01, "base": 90}],
            "details": [{"kind": "tip", "amount": 1}]})
        );
    }

    #[test]
    fn what_is_refused_names_its_field() {
        let long = "x".repeat(33);
        let text = "x".repeat(251);
        let taxes = json!([{"kind": "ice", "amount": 1}]);
        let amount = |total: Value| json!({"amount": {"currency": "COP", "total": total}});
        let part = |total: i64| json!({"amount": {"currency": "COP", "total": total}});
        let recurring = json!({"periodicity": "M", "interval": 1, "maxPeriods": 3});
        let invoice = json!({"invoice": "1"});
        let table = [
            (json!({"reference": null}), "payment.reference"),
            (json!({"reference": ""}), "payment.reference"),
            (json!({"reference": long}), "payment.reference"),
            (json!({"reference": "a\"b"}), "payment.reference"),
            (json!({"description": text}), "payment.description"),
            (json!({"description": "¿?"}), "payment.description"),
            (json!({"amount": null}), "payment.amount"),
            (json!({"amount": {"total": 1}}), "payment.amount.currency"),
            (json!({"amount": {"currency": "ZZZ", "total": 1}}), "payment.amount.currency"),
            (json!({"amount": {"currency": "COP"}}), "payment.amount.total"),
            (amount(json!(0)), "payment.amount.total"),
            (amount(json!(-1)), "payment.amount.total"),
            (amount(json!("x")), "payment.amount.total"),
            (amount(json!(1e30)), "payment.amount.total"),
            (json!({"allowPartial": true, "recurring": recurring}), "payment.allowPartial"),
            (
                json!({"allowPartial": true, "amount":
                    {"currency": "COP", "total": 100, "taxes": taxes}}),
                "payment.allowPartial",
            ),
            (json!({"dispersion": [part(60), part(60)]}), "payment.dispersion"),
            (json!({"dispersion": [{"agreement": 1}]}), "payment.dispersion.0.amount"),
            (
                json!({"dispersion": [{"amount": {"currency": "COP", "total": 100},
                    "agreement": "x"}]}),
                "payment.dispersion.0.agreement",
            ),
            (json!({"items": [{"category": "other"}]}), "payment.items.0.category"),
            (json!({"modifiers": [{"code": 17934}]}), "payment.modifiers.0.type"),
            (
                json!({"modifiers": [{"type": "FEDERAL_GOVERNMENT", "code": 1,
                    "additional": invoice}]}),
                "payment.modifiers.0.code",
            ),
            (
                json!({"modifiers": [{"type": "FEDERAL_GOVERMENT", "code": "17934"}]}),
                "payment.modifiers.0.additional.invoice",
            ),
        ];
        for (change, path) in table {
            let refusal = read(&change, RULES).unwrap_err();
            assert_eq!(refusal.reason, "request_not_valid", "{change}");
            assert_eq!(refusal.with.first().map(String::as_str), Some(path), "{change}");
        }
        let four = json!({"dispersion": [part(25), part(25), part(25), part(25)]});
        assert_eq!(read(&four, RULES).unwrap_err().reason, "max_dispersion_error");
    }

    #[test]
    fn parts_are_spread_and_modified() {
        let spread = json!({"dispersion": [
            {"amount": {"currency": "COP", "total": 60.5}, "agreement": "122", "agreementType": "AIRLINE"},
            {"amount": {"currency": "COP", "total": 39.5}, "agreement": ""}]});
        let spread = read(&spread, RULES).unwrap();
        assert_eq!(spread.kept["dispersion"][0]["agreement"], "122");
        assert_eq!(spread.kept["dispersion"][1]["agreementType"], "MERCHANT");
        let modified = json!({"modifiers": [{"type": "FEDERAL_GOVERMENT", "code": "17934",
            "additional": {"invoice": "123456789"}}]});
        let modified = read(&modified, RULES).unwrap();
        assert_eq!(modified.kept["modifiers"][0]["type"], "FEDERAL_GOVERNMENT");
        assert_eq!(modified.amount.minor, 9_500);
        assert_eq!(modifier_discount(19_900_000), 995_000);
        assert_eq!(modifier_discount(10), 1);
    }

    #[test]
    fn items_are_cut() {
        let many: Vec<Value> = (0..60)
            .map(|_| {
                json!({"sku": "s".repeat(40), "name": "n".repeat(130), "qty": "2",
                "price": 1400.5, "category": "physical"})
            })
            .collect();
        let read = read(&json!({ "items": many }), RULES).unwrap();
        let items = read.kept["items"].as_array().unwrap();
        assert_eq!(items.len(), 50);
        assert_eq!(items[0]["sku"].as_str().unwrap().len(), 30);
        assert_eq!(items[0]["name"].as_str().unwrap().len(), 120);
        assert_eq!((&items[0]["qty"], &items[0]["price"]), (&json!("2"), &json!(1400.5)));
    }

    #[test]
    fn collect_ignores_parts_and_may_be_strict() {
        let rules = Rules { is_collect: true, ..RULES };
        let ignored = read(&json!({"allowPartial": true, "subscribe": true}), rules).unwrap();
        assert!(!ignored.allow_partial && !ignored.subscribe);
        assert_eq!(ignored.kept["subscribe"], false);
        assert!(read(&json!({"description": null}), rules).is_ok());
        let strict = Rules { strict: true, ..rules };
        assert!(read(&json!({"description": null}), strict).is_err());
    }
}
