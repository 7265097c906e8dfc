//! Document types and how their numbers look (reference, section 8.3).

/// Whether `text` has between `min` and `max` characters that all fit.
fn all(text: &str, min: usize, max: usize, fits: fn(u8) -> bool) -> bool {
    (min..=max).contains(&text.len()) && text.bytes().all(fits)
}

fn digits(text: &str, min: usize, max: usize) -> bool {
    all(text, min, max, |byte| byte.is_ascii_digit())
}

/// Digits of which the first is not zero.
fn counted(text: &str, min: usize, max: usize) -> bool {
    digits(text, min, max) && !text.starts_with('0')
}

fn alphanumeric(text: &str, min: usize, max: usize) -> bool {
    all(text, min, max, |byte| byte.is_ascii_alphanumeric())
}

/// Whether a document's number fits its type; `None` for a type that is not known.
pub(crate) fn fits(kind: &str, number: &str) -> Option<bool> {
    Some(match kind {
        "PPN" | "TAX" | "LIC" => all(number, 4, 16, |b| b.is_ascii_alphanumeric() || b == b'_'),
        "CC" => counted(number, 4, 10),
        "CE" => {
            let rest = number.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
            number.len() - rest.len() <= 5 && counted(rest, 4, 8)
        }
        "TI" => counted(number, 5, 12),
        "RC" => alphanumeric(number, 4, 16),
        "NIT" | "RUT" => counted(number, 7, 10),
        "CI" => digits(number, 10, 10),
        "RUC" => digits(number, 13, 13),
        "CRCPF" => counted(number, 9, 9),
        "CPJ" => counted(number, 10, 10),
        "DIMEX" | "DIDI" => counted(number, 11, 12),
        "CLRUT" => chilean(number),
        "CIP" => panamanian(number),
        "PARUC" => all(number, 1, 16, |b| b.is_ascii_alphanumeric() || b == b'-'),
        "CPF" => digits(number, 10, 11),
        "DNI" => digits(number, 8, 8),
        "PERUC" => {
            digits(number, 11, 11)
                && ["10", "15", "16", "17", "20"].iter().any(|start| number.starts_with(start))
        }
        "HNDNI" | "HNDR" => alphanumeric(number, 1, 15),
        "RTN" => digits(number, 14, 16),
        "BZSSN" => digits(number, 9, 9),
        "BRN" => digits(number, 5, 7),
        "UYCI" => number
            .split_once('-')
            .is_some_and(|(body, check)| digits(body, 6, 7) && digits(check, 1, 1)),
        "UYRUT" => digits(number, 12, 12),
        "EIN" => number
            .split_once('-')
            .is_some_and(|(area, rest)| counted(area, 1, 2) && digits(rest, 7, 7)),
        "SSN" => digits(number, 9, 10),
        _ => return None,
    })
}

/// One or two digits, two groups of one to three with or without a dot before, a check digit.
fn chilean(number: &str) -> bool {
    let Some((body, check)) = number.rsplit_once('-') else { return false };
    let checked =
        check.len() == 1 && check.bytes().all(|b| b.is_ascii_digit() || b == b'k' || b == b'K');
    let groups: Vec<&str> = body.split('.').collect();
    let fits = match groups.as_slice() {
        [whole] => digits(whole, 3, 8),
        [head, tail] => {
            digits(head, 1, 2) && digits(tail, 2, 6) || digits(head, 2, 5) && digits(tail, 1, 3)
        }
        [head, middle, tail] => digits(head, 1, 2) && digits(middle, 1, 3) && digits(tail, 1, 3),
        _ => false,
    };
    checked && fits
}

/// Digits after nothing, `N`, `E`, or `PE` with a number of its own.
fn panamanian(number: &str) -> bool {
    if let Some(rest) = number.strip_prefix("PE") {
        return digits(rest, 5, 24);
    }
    let rest = number.strip_prefix(['N', 'E']).unwrap_or(number);
    digits(rest, 4, 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_their_types() {
        let table = [
            ("CC", "1040099001", true),
            ("CC", "0040099001", false),
            ("CC", "123", false),
            ("CC", "12345678901", false),
            ("CE", "ABC12345", true),
            ("CE", "ABCDEF12345", false),
            ("CE", "12345", true),
            ("TI", "10400", true),
            ("NIT", "900123456", true),
            ("NIT", "900", false),
            ("PPN", "AB_12", true),
            ("PPN", "AB", false),
            ("CI", "0123456789", true),
            ("RUC", "1234567890001", true),
            ("CRCPF", "123456789", true),
            ("CPJ", "1234567890", true),
            ("DIMEX", "12345678901", true),
            ("CLRUT", "12.345.678-K", true),
            ("CLRUT", "12345678-9", true),
            ("CLRUT", "12345678", false),
            ("CIP", "PE1234567", true),
            ("CIP", "N12345", true),
            ("CIP", "12", false),
            ("PARUC", "155-600-1", true),
            ("CPF", "12345678901", true),
            ("DNI", "12345678", true),
            ("PERUC", "20123456789", true),
            ("PERUC", "30123456789", false),
            ("RTN", "12345678901234", true),
            ("BZSSN", "123456789", true),
            ("BRN", "12345", true),
            ("UYCI", "1234567-8", true),
            ("UYCI", "12345678", false),
            ("UYRUT", "123456789012", true),
            ("EIN", "12-1234567", true),
            ("EIN", "02-1234567", false),
            ("SSN", "123456789", true),
        ];
        for (kind, number, expected) in table {
            assert_eq!(fits(kind, number), Some(expected), "{kind} {number}");
        }
        assert_eq!(fits("XX", "1"), None);
    }
}
