//! The published sandbox cards: what they are and what they do (reference, section 2.10).

use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::payment::DeclineReason;
use cobro_domain::scenario::Scenario;
use cobro_engine::ports::TestCard;

/// The issuer declines without saying why.
const DO_NOT_HONOR: DeclineReason = DeclineReason::Generic;

/// What the columns of the table do, in their order.
const OUTCOMES: [Scenario; 5] = [
    Scenario::Approve,
    Scenario::Decline(DeclineReason::InsufficientFunds),
    Scenario::Decline(DO_NOT_HONOR),
    Scenario::Decline(DeclineReason::Restricted),
    Scenario::Decline(DeclineReason::AmountRule),
];

/// One row of the table: an issuer's cards, by outcome; an empty number where none is published.
struct Row {
    brand: &'static str,
    kind: CardKind,
    country: &'static str,
    issuer: &'static str,
    numbers: [&'static str; 5],
}

/// Expiry of a card of which none is told: any future one is good.
const EXPIRATION: (i64, i64) = (12, 2035);

const ROWS: [Row; 13] = [
    // The first card of a kind stands for it where none is named.
    Row {
        brand: "master",
        kind: CardKind::Credit,
        country: "MX",
        issuer: "SANTANDER MEXICO",
        numbers: [
            "5177136199824515",
            "5177134282349839",
            "5177132762165477",
            "5177137336291766",
            "5177131151610598",
        ],
    },
    Row {
        brand: "visa",
        kind: CardKind::Credit,
        country: "MX",
        issuer: "BBVA BANCOMER SA",
        numbers: [
            "4555128482797669",
            "4555126387272952",
            "4555124951976546",
            "4555126464792591",
            "4555127277126233",
        ],
    },
    Row {
        brand: "amex",
        kind: CardKind::Debit,
        country: "MX",
        issuer: "AEB MEXICO SA-SERVE PLATFORM",
        numbers: [
            "377770358335399",
            "377770541774520",
            "377770520127013",
            "377770887509613",
            "377770935123896",
        ],
    },
    Row {
        brand: "amex",
        kind: CardKind::Debit,
        country: "US",
        issuer: "AMERICAN EXPRESS COMPANY",
        numbers: [
            "349028833584288",
            "349028153670097",
            "349028915463054",
            "349028444099841",
            "349028694976300",
        ],
    },
    Row {
        brand: "amex",
        kind: CardKind::Credit,
        country: "MX",
        issuer: "AMEXBANK",
        numbers: [
            "379907880667372",
            "379907148479842",
            "379907289747023",
            "379907456170025",
            "379907519095607",
        ],
    },
    Row {
        brand: "amex",
        kind: CardKind::Credit,
        country: "US",
        issuer: "AMERICAN EXPRESS COMPANY",
        numbers: [
            "349996347610601",
            "349996704195386",
            "349996210951538",
            "349996436877459",
            "349996943913540",
        ],
    },
    Row {
        brand: "visa",
        kind: CardKind::Debit,
        country: "US",
        issuer: "BANK OF THE WEST",
        numbers: [
            "4436968353241031",
            "4436965656541760",
            "4436968834203659",
            "4436969496650369",
            "4436965538616277",
        ],
    },
    Row {
        brand: "visa",
        kind: CardKind::Prepaid,
        country: "MX",
        issuer: "CIBANCO PR",
        numbers: [
            "4746469153355902",
            "",
            "4746464772355300",
            "4746467113246237",
            "4746462229056935",
        ],
    },
    Row {
        brand: "visa",
        kind: CardKind::Credit,
        country: "US",
        issuer: "NEVADA STATE BANK",
        numbers: [
            "4065503514846523",
            "4065507860853728",
            "4065508500608936",
            "4065508992011896",
            "4065505330411929",
        ],
    },
    Row {
        brand: "visa",
        kind: CardKind::Voucher,
        country: "MX",
        issuer: "TOKA INVESTMENT PR",
        numbers: [
            "4208318689081956",
            "4208312218017433",
            "4208316178021657",
            "4208316706262831",
            "4208318842645341",
        ],
    },
    Row {
        brand: "master",
        kind: CardKind::Debit,
        country: "US",
        issuer: "UNION BANK COMPANY THE",
        numbers: [
            "5581168067405507",
            "5581161719999118",
            "5581162926959622",
            "5581165965928960",
            "5581166638502158",
        ],
    },
    Row {
        brand: "master",
        kind: CardKind::Prepaid,
        country: "MX",
        issuer: "SI VALE",
        numbers: [
            "5241739156938129",
            "5241738495336110",
            "5241736984606092",
            "5241732108979242",
            "5241738955054229",
        ],
    },
    // The published table says of the first of these that it is Mexican; the others decide.
    Row {
        brand: "master",
        kind: CardKind::Credit,
        country: "US",
        issuer: "FIRST NATIONAL BANK OF OMAHA",
        numbers: [
            "5216509312757445",
            "5216505450131153",
            "5216506995049843",
            "5216502876379557",
            "5216507997638146",
        ],
    },
];

/// The number of a card that approves, for a holder who names none.
pub(crate) const DEFAULT_NUMBER: &str = "5177136199824515";

/// The published card with this number.
pub(crate) fn find(number: &str) -> Option<TestCard> {
    if number.is_empty() {
        return None;
    }
    ROWS.iter().find_map(|row| {
        let place = row.numbers.iter().position(|published| *published == number)?;
        let scenario = *OUTCOMES.get(place)?;
        Some(TestCard { facts: facts(row, number), scenario })
    })
}

/// A card of this kind that approves.
pub(crate) fn default_card(kind: CardKind) -> CardFacts {
    let [first, ..] = &ROWS;
    let row = ROWS.iter().find(|row| row.kind == kind).unwrap_or(first);
    let [number, ..] = row.numbers;
    facts(row, number)
}

/// The country of a card's issuer, as far as it may be known without its number; Mexico for a card
/// that is not published.
pub(crate) fn country(card: &CardFacts) -> &'static str {
    let is_of =
        |number: &&str| number.starts_with(&card.bin) && number.ends_with(&card.last_digits);
    let row = ROWS.iter().find(|row| row.numbers.iter().any(is_of));
    row.map_or("MX", |row| row.country)
}

fn facts(row: &Row, number: &str) -> CardFacts {
    let cut = number.len().saturating_sub(4);
    let (expiration_month, expiration_year) = EXPIRATION;
    CardFacts {
        brand: row.brand.to_owned(),
        kind: row.kind,
        bin: number.get(..6).unwrap_or_default().to_owned(),
        last_digits: number.get(cut..).unwrap_or_default().to_owned(),
        issuer: row.issuer.to_owned(),
        expiration_month,
        expiration_year,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_published_one() {
        let mut numbers = std::collections::BTreeSet::new();
        for row in &ROWS {
            for number in row.numbers.iter().filter(|number| !number.is_empty()) {
                assert!(cobro_domain::card::luhn(number), "{number}");
                assert!(numbers.insert(*number), "{number}");
                let length = if row.brand == "amex" { 15 } else { 16 };
                assert_eq!(number.len(), length, "{number}");
                assert_eq!(country(&find(number).unwrap().facts), row.country, "{number}");
            }
        }
        assert_eq!(numbers.len(), 64);
        assert_eq!(find(""), None);
        assert_eq!(find("4111111111111111"), None);
    }

    #[test]
    fn a_number_decides() {
        let table = [
            ("5177136199824515", Scenario::Approve),
            ("5177134282349839", Scenario::Decline(DeclineReason::InsufficientFunds)),
            ("4555124951976546", Scenario::Decline(DO_NOT_HONOR)),
            ("4746467113246237", Scenario::Decline(DeclineReason::Restricted)),
            ("349996943913540", Scenario::Decline(DeclineReason::AmountRule)),
        ];
        for (number, scenario) in table {
            assert_eq!(find(number).unwrap().scenario, scenario, "{number}");
        }
        assert_eq!(find(DEFAULT_NUMBER).unwrap().scenario, Scenario::Approve);
        for kind in [CardKind::Credit, CardKind::Debit, CardKind::Prepaid, CardKind::Voucher] {
            assert_eq!(default_card(kind).kind, kind);
        }
    }
}
