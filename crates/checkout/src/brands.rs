//! Card brands: how their numbers begin, how long numbers and security codes are.
//!
//! The browser gets the same table, so that page and server never disagree.

use serde_json::{Value, json};

/// A brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brand {
    /// Its usual lower-case name.
    pub(crate) id: &'static str,
    /// Its name for people.
    pub(crate) name: &'static str,
    /// First and last prefix of each range, of the same length.
    prefixes: &'static [(&'static str, &'static str)],
    /// How the digits are parted on the card; beyond it by four.
    groups: &'static [u8],
    /// Length of the security code.
    pub(crate) code: usize,
}

const FOURS: &[u8] = &[4, 4, 4, 4, 3];

const fn brand(
    id: &'static str,
    name: &'static str,
    prefixes: &'static [(&'static str, &'static str)],
) -> Brand {
    Brand { id, name, prefixes, groups: FOURS, code: 3 }
}

/// The brands with ranges of their own, the special before the general (ranges as the issuers
/// publish them; ISO/IEC 7812).
pub(crate) const BRANDS: &[Brand] = &[
    Brand {
        groups: &[4, 6, 5],
        code: 4,
        ..brand("amex", "American Express", &[("34", "34"), ("37", "37")])
    },
    Brand {
        groups: &[4, 6, 4],
        ..brand("diners", "Diners Club", &[("300", "305"), ("36", "36"), ("38", "39")])
    },
    brand("codensa", "Codensa", &[("590712", "590712")]),
    brand("discover", "Discover", &[("6011", "6011"), ("644", "649"), ("65", "65")]),
    brand("master", "Mastercard", &[("51", "55"), ("2221", "2720")]),
    brand("maestro", "Maestro", &[("50", "50"), ("56", "58"), ("6759", "6763")]),
    brand("visa", "Visa", &[("4", "4")]),
];

impl Brand {
    /// The brand that numbers with this beginning belong to.
    pub(crate) fn of_number(number: &str) -> Option<&'static Self> {
        BRANDS.iter().find(|brand| {
            brand.prefixes.iter().any(|(from, to)| {
                number.get(..from.len()).is_some_and(|start| (*from..=*to).contains(&start))
            })
        })
    }

    /// The brand with this name.
    pub(crate) fn of_id(id: &str) -> Option<&'static Self> {
        BRANDS.iter().find(|brand| brand.id == id)
    }
}

/// The name for people of a brand; its own word when it is not in the table.
pub(crate) fn name(id: &str) -> &str {
    Brand::of_id(id).map_or(id, |brand| brand.name)
}

/// The table for the browser.
pub(crate) fn table() -> Value {
    let rows = BRANDS.iter().map(|brand| {
        json!({
            "id": brand.id, "name": brand.name, "prefixes": brand.prefixes,
            "groups": brand.groups, "code": brand.code,
        })
    });
    Value::Array(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tell_their_brand() {
        for (number, expected) in [
            ("4111111111111111", Some("visa")),
            ("5367680000000005", Some("master")),
            ("2221000000000009", Some("master")),
            ("2720999999999996", Some("master")),
            ("2721000000000000", None),
            ("377222581193005", Some("amex")),
            ("36545400000008", Some("diners")),
            ("6550590000000001", Some("discover")),
            ("5907120000000000", Some("codensa")),
            ("6759649826438453", Some("maestro")),
            ("8810060001592705", None),
            ("3", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(Brand::of_number(number).map(|brand| brand.id), expected, "{number}");
        }
    }
}
