//! Amounts as people write them. Integers throughout.

use cobro_domain::Money;
use cobro_domain::money::Currency;
use cobro_surface::texts::Language;

/// Countries that write `1,000.50`; the rest of Latin America writes `1.000,50` (CLDR).
const POINT_COUNTRIES: [&str; 12] =
    ["BZ", "DO", "GT", "HN", "MX", "MLM", "NI", "PA", "PE", "PR", "SV", "US"];

/// Where an amount is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    thousands: char,
    decimal: char,
}

impl Style {
    /// How this language writes amounts in this country (ISO 3166-1 alpha-2).
    pub(crate) fn new(language: Language, country: &str) -> Self {
        let point = match language {
            Language::En => true,
            Language::PtBr => false,
            Language::Es => POINT_COUNTRIES.contains(&country),
        };
        if point {
            Self { thousands: ',', decimal: '.' }
        } else {
            Self { thousands: '.', decimal: ',' }
        }
    }

    /// The digits of an amount: `189.900,00`.
    pub(crate) fn digits(self, money: Money) -> String {
        let exponent = usize::try_from(money.currency.exponent()).unwrap_or(0);
        let all = format!("{:0>width$}", money.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = all.split_at(all.len() - exponent);
        let mut text = String::with_capacity(all.len() + 8);
        if money.minor < 0 {
            text.push('-');
        }
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push(self.thousands);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(self.decimal);
            text.push_str(fraction);
        }
        text
    }

    /// An amount with its symbol and its currency's code: `$ 189.900,00 COP`.
    pub(crate) fn amount(self, money: Money) -> String {
        let code = money.currency.code();
        format!("{}{} {code}", symbol(code), self.digits(money))
    }

    /// Reads what a person typed, in minor units: with or without separators, in this style. Both
    /// separators may mean the decimals where only they can: `10.5` is ten and a half everywhere,
    /// `10.500` is ten thousand five hundred where the point parts thousands.
    pub(crate) fn parse(self, text: &str, currency: Currency) -> Option<i64> {
        let compact: String = text.chars().filter(|one| !one.is_whitespace()).collect();
        let exponent = usize::try_from(currency.exponent()).unwrap_or(0);
        let decimal = compact.rfind([',', '.']).filter(|at| {
            let (after, mark) = (compact.len() - at - 1, &compact[*at..=*at]);
            let alone = compact.matches(mark).count() == 1;
            (1..=exponent).contains(&after) && (alone || mark.starts_with(self.decimal))
        });
        let (whole, fraction) = match decimal {
            Some(at) => compact.split_at(at),
            None => (compact.as_str(), ""),
        };
        let whole = grouped(whole)?;
        let fraction = fraction.trim_start_matches([',', '.']);
        let padded = format!("{whole}{fraction:0<exponent$}");
        padded.bytes().all(|byte| byte.is_ascii_digit()).then(|| padded.parse().ok()).flatten()
    }
}

/// The digits of a whole number whose thousands may be parted, by one kind of separator.
fn grouped(text: &str) -> Option<String> {
    let separators: Vec<char> = text.chars().filter(|one| !one.is_ascii_digit()).collect();
    let Some(first) = separators.first() else {
        return (!text.is_empty()).then(|| text.to_owned());
    };
    let is_separator = [',', '.'].contains(first) && separators.iter().all(|one| one == first);
    let mut groups = text.split(*first);
    let head = groups.next().unwrap_or_default();
    let sound = is_separator && (1..=3).contains(&head.len()) && groups.all(|one| one.len() == 3);
    sound.then(|| text.chars().filter(char::is_ascii_digit).collect())
}

/// What stands before the digits.
fn symbol(code: &str) -> &'static str {
    match code {
        "ARS" | "CLP" | "COP" | "MXN" | "USD" | "UYU" => "$\u{a0}",
        "BRL" => "R$\u{a0}",
        "PEN" => "S/\u{a0}",
        "CRC" => "₡",
        "HNL" => "L\u{a0}",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn amounts_are_written() {
        for (language, country, minor, code, expected) in [
            (Language::Es, "CO", 18_990_000, "COP", "$\u{a0}189.900,00 COP"),
            (Language::Es, "CL", 1_234_567, "CLP", "$\u{a0}1.234.567 CLP"),
            (Language::Es, "MX", 100_050, "MXN", "$\u{a0}1,000.50 MXN"),
            (Language::PtBr, "CO", 5, "BRL", "R$\u{a0}0,05 BRL"),
            (Language::En, "CO", 99_999, "USD", "$\u{a0}999.99 USD"),
            (Language::En, "CO", 0, "JPY", "0 JPY"),
        ] {
            let money = Money::new(minor, currency(code));
            assert_eq!(Style::new(language, country).amount(money), expected);
        }
    }

    #[test]
    fn amounts_are_read() {
        let (es, en) = (Style::new(Language::Es, "CO"), Style::new(Language::En, "CO"));
        for (style, text, code, expected) in [
            (es, "10000", "COP", Some(1_000_000)),
            (es, "10.000", "COP", Some(1_000_000)),
            (es, "1.234.567,8", "COP", Some(123_456_780)),
            (es, "10.000,50", "COP", Some(1_000_050)),
            (es, "10.5", "COP", Some(1_050)),
            (es, "10,000.50", "COP", Some(1_000_050)),
            (es, "10.000", "CLP", Some(10_000)),
            (es, "10,5", "CLP", None),
            (en, "10,000.50", "USD", Some(1_000_050)),
            (en, "10,000", "USD", Some(1_000_000)),
            (en, " 1 000 ", "USD", Some(100_000)),
            (es, "1.00.000", "COP", None),
            (es, "-5", "COP", None),
            (es, "1e3", "COP", None),
            (es, "", "COP", None),
            (es, "99999999999999999999", "COP", None),
        ] {
            assert_eq!(style.parse(text, currency(code)), expected, "{text} {code}");
        }
    }
}
