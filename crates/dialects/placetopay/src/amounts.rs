//! Amounts: exact, rounded half up to the currency's minor unit (reference, section 2.3).

use cobro_domain::{Currency, Money};
use cobro_surface::json::{Json, NumberText, decimal_text};
use serde_json::Value;

/// The largest amount, in minor units: what a JSON number of every client can hold exactly.
const MINOR_MAX: i64 = 9_007_199_254_740_991;

/// The longest number that is read.
const DIGITS_MAX: usize = 64;

/// A number, or text that is one: SDKs send both.
pub(crate) fn number(json: &Json) -> Option<NumberText> {
    match json {
        Json::Number(number) => Some(number.clone()),
        Json::String(text) => NumberText::parse(text.trim()),
        _ => None,
    }
}

/// A whole number, or text that is one.
pub(crate) fn integer(json: &Json) -> Option<i64> {
    number(json)?.integer()
}

/// The minor units of a number of units, rounded half up; `None` when it is negative or does not
/// fit.
pub(crate) fn rounded(number: &NumberText, exponent: u32) -> Option<i64> {
    let text = number.as_str();
    if text.len() > DIGITS_MAX {
        return None;
    }
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction].concat();
    let is_zero = digits.bytes().all(|digit| matches!(digit, b'0' | b'-'));
    if is_zero {
        return Some(0);
    }
    if digits.starts_with('-') || power.abs() > 64 {
        return None;
    }
    let point = i64::try_from(whole.len()).ok()? + power + i64::from(exponent);
    let mut minor: i64 = 0;
    for place in 0..point.max(0) {
        let digit = digit_at(&digits, place);
        minor = minor.checked_mul(10)?.checked_add(digit)?;
    }
    let next = if point < 0 { 0 } else { digit_at(&digits, point) };
    let minor = minor.checked_add(i64::from(next >= 5))?;
    (minor <= MINOR_MAX).then_some(minor)
}

fn digit_at(digits: &str, place: i64) -> i64 {
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    digits.as_bytes().get(place).map_or(0, |byte| i64::from(byte.saturating_sub(b'0')))
}

/// An amount as a JSON number of units.
pub(crate) fn units(amount: Money) -> Value {
    units_of(amount.minor, amount.currency)
}

/// Minor units as a JSON number of units.
pub(crate) fn units_of(minor: i64, currency: Currency) -> Value {
    serde_json::from_str(&decimal_text(minor, currency.exponent())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_half_up() {
        let table = [
            ("576.12345", 2, Some(57_612)),
            ("576.9875", 2, Some(57_699)),
            ("576.12345", 0, Some(576)),
            ("576.9875", 0, Some(577)),
            ("0.005", 2, Some(1)),
            ("0.004", 2, Some(0)),
            ("0.0049", 2, Some(0)),
            ("10000", 2, Some(1_000_000)),
            ("1e3", 2, Some(100_000)),
            ("1.5E-1", 2, Some(15)),
            ("9e-3", 2, Some(1)),
            ("9e-9", 2, Some(0)),
            ("0", 2, Some(0)),
            ("-0.0", 2, Some(0)),
            ("-1", 2, None),
            ("1e30", 2, None),
            ("1e99999", 2, None),
            ("99999999999999999999", 2, None),
        ];
        for (text, exponent, expected) in table {
            let number = NumberText::parse(text).unwrap();
            assert_eq!(rounded(&number, exponent), expected, "{text}");
        }
    }

    #[test]
    fn amounts_are_numbers_again() {
        let money = |minor, code| Money::new(minor, Currency::from_code(code).unwrap());
        assert_eq!(units(money(4_590_000, "COP")), serde_json::json!(45900));
        assert_eq!(units(money(1_055, "USD")), serde_json::json!(10.55));
        assert_eq!(units(money(576, "CLP")), serde_json::json!(576));
        assert_eq!(number(&Json::String(" 500 ".into())).unwrap().integer(), Some(500));
        assert_eq!(number(&Json::String("x".into())), None);
    }
}
