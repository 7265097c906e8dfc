//! Published test cards and what each yields (reference, section 8.5), brands and their codes
//! (section 8.4).

use cobro_domain::Money;
use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::payment::DeclineReason;
use cobro_domain::scenario::Scenario;
use cobro_engine::ports::{CardUse, TestCard};

/// What a test card does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behaviour {
    Approves,
    Rejects,
    /// Stays open for a while, then approves or not.
    Waits {
        approve: bool,
        after_s: i64,
    },
    Breaks,
    BelowLimit,
    /// Approves with this expiry and code alone.
    Exact {
        month: i64,
        year: i64,
        code: &'static str,
    },
}

use Behaviour::{Approves, BelowLimit, Breaks, Rejects};

/// After how many seconds a pending card, and one that is processed by hand, resolves (contract).
const PENDING_S: i64 = 30;
/// After how many seconds a "180 s" card resolves.
const LATE_S: i64 = 180;

const fn pending(approve: bool) -> Behaviour {
    Behaviour::Waits { approve, after_s: PENDING_S }
}

const fn late(approve: bool) -> Behaviour {
    Behaviour::Waits { approve, after_s: LATE_S }
}

/// Numbers by what they do.
const PUBLISHED: &[(Behaviour, &[&str])] = &[
    (
        Approves,
        &[
            "4111111111111111",
            "4110760000000081",
            "4110770010002837",
            "4381080000000029",
            "4110760000000008",
            "5367680000000005",
            "5180300000000005",
            "5292594382060745",
            "377222581193005",
            "36545400000008",
            "36545407032848",
            "6550590000000001",
            "6557351234543156",
            "6508410000000001",
            "6508410000000047",
            "6759649826438453",
            "8810060001592705",
            "5903090000000000",
            "5903120000000000",
            "5058740200053106",
            "0215020177972730",
            "2215714777972730",
            "5077120000008725945",
        ],
    ),
    (
        Rejects,
        &[
            "4110760000000016",
            "4005580000000040",
            "4716375184092180",
            "4381080000000011",
            "5367680000000013",
            "5180300000000039",
            "376651792202224",
            "36545400000248",
            "6550590000000019",
            "6557351234543164",
            "6508410000000021",
            "6508410000000039",
            "5058760305223909",
            "0215026116775785",
            "5077122000019136403",
        ],
    ),
    (
        pending(true),
        &[
            "4110760000000032",
            "4110760000000073",
            "4509564638437551",
            "5180300000000047",
            "376651552907400",
            "36545407032806",
            "6550590000000027",
            "6508410000000054",
            "2215716999194052",
            // Processed by hand.
            "36545400000701",
            "36545407032780",
            "376651707554974",
        ],
    ),
    (
        pending(false),
        &[
            "4110760000000040",
            "4048370000000037",
            "4381080000000003",
            "4864921336824366",
            "4931974429847108",
            "5180300000000054",
            "376651743308161",
            "376651736695301",
            "36545407030701",
            "6550590000000035",
            "0215025888083941",
            "0215027111105163",
            // Processed by hand.
            "4532034637206853",
        ],
    ),
    (late(true), &["4110760000000024", "4666666666666669", "36545400000438", "376651242830343"]),
    (late(false), &["4110760000000115"]),
    (
        Breaks,
        &[
            "4110760000000065",
            "376651841246735",
            "2215719446775653",
            "5077122291247660955",
            "5058740900041432",
        ],
    ),
    (BelowLimit, &["4110760000000057", "376651911424709", "5077122223995193780"]),
    (Behaviour::Exact { month: 11, year: 2028, code: "917" }, &["4012888888881881"]),
    (Behaviour::Exact { month: 6, year: 2034, code: "4637" }, &["376651001281274"]),
];

/// Numbers whose issuer asks the holder (3-D Secure, challenge flow).
const CHALLENGED: [&str; 5] = [
    "4110760000000008",
    "5292594382060745",
    "6508410000000047",
    "4110760000000032",
    "5180300000000047",
];

/// Expiry of a card that takes any future one.
const EXPIRATION: (i64, i64) = (12, 2035);

/// The amount below which some cards approve, in minor units: 200 US dollars. There is no rate
/// table here; for Colombian and Chilean pesos a round rate stands, for others the same figure.
fn is_below_limit(amount: Money) -> bool {
    let limit = match amount.currency.code() {
        "COP" => 800_000,
        "CLP" => 200_000,
        _ => 200,
    };
    amount.minor < limit * 10_i64.saturating_pow(amount.currency.exponent())
}

fn behaviour(number: &str) -> Option<Behaviour> {
    let found = PUBLISHED.iter().find(|(_, numbers)| numbers.contains(&number));
    found.map(|(behaviour, _)| *behaviour)
}

/// Every published number.
pub(crate) fn published() -> impl Iterator<Item = &'static str> {
    PUBLISHED.iter().flat_map(|(_, numbers)| numbers.iter().copied())
}

/// Whether the holder of this card is asked before it is used on a page.
pub(crate) fn is_challenged(number: &str) -> bool {
    CHALLENGED.contains(&number)
}

/// The card with this number, used with a good expiry and code.
pub(crate) fn find(number: &str) -> Option<TestCard> {
    let behaviour = behaviour(number)?;
    let expiration = match behaviour {
        Behaviour::Exact { month, year, .. } => (month, year),
        _ => EXPIRATION,
    };
    let scenario = scenario(behaviour, expiration, None, None);
    Some(TestCard { facts: facts(number, expiration), scenario })
}

/// The card that is about to be used. A code that was not given is not checked: a token has none.
pub(crate) fn in_use(use_of: &CardUse<'_>) -> Option<TestCard> {
    let behaviour = behaviour(use_of.number)?;
    let scenario = scenario(behaviour, use_of.expiration, use_of.code, use_of.amount);
    Some(TestCard { facts: facts(use_of.number, use_of.expiration), scenario })
}

fn scenario(
    behaviour: Behaviour,
    expiration: (i64, i64),
    code: Option<&str>,
    amount: Option<Money>,
) -> Scenario {
    match behaviour {
        Approves => Scenario::Approve,
        Rejects => Scenario::Decline(DeclineReason::Generic),
        Behaviour::Waits { approve, after_s } => Scenario::Defer { approve, after_s },
        Breaks => Scenario::Fail,
        BelowLimit if amount.is_none_or(is_below_limit) => Scenario::Approve,
        BelowLimit => Scenario::Decline(DeclineReason::AmountRule),
        Behaviour::Exact { month, year, .. } if expiration != (month, year) => {
            Scenario::Decline(DeclineReason::Expired)
        }
        Behaviour::Exact { code: right, .. } if code.is_some_and(|code| code != right) => {
            Scenario::Decline(DeclineReason::SecurityCode)
        }
        Behaviour::Exact { .. } => Scenario::Approve,
    }
}

/// What may be kept of a card.
pub(crate) fn facts(number: &str, expiration: (i64, i64)) -> CardFacts {
    let cut = number.len().saturating_sub(4);
    let brand = Brand::of(number);
    CardFacts {
        brand: brand.method.to_owned(),
        kind: brand.kind,
        bin: number.get(..6).unwrap_or_default().to_owned(),
        last_digits: number.get(cut..).unwrap_or_default().to_owned(),
        issuer: issuer(number).to_owned(),
        expiration_month: expiration.0,
        expiration_year: expiration.1,
    }
}

/// Who issued a card; only one test card's issuer is documented.
fn issuer(number: &str) -> &'static str {
    if number.starts_with("411111") { "JPMORGAN CHASE BANK, N.A." } else { "BANCO DE PRUEBAS" }
}

/// How a brand is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brand {
    /// The payment method.
    pub(crate) method: &'static str,
    /// The method's name.
    pub(crate) name: &'static str,
    /// The franchise's code.
    pub(crate) franchise: &'static str,
    kind: CardKind,
}

const fn brand(method: &'static str, name: &'static str, franchise: &'static str) -> Brand {
    Brand { method, name, franchise, kind: CardKind::Credit }
}

const BRANDS: [Brand; 11] = [
    brand("visa", "Visa", "CR_VS"),
    brand("master", "Mastercard", "RM_MC"),
    brand("amex", "American Express", "CR_AM"),
    brand("diners", "Diners", "CR_DN"),
    brand("discover", "Discover", "DF_DS"),
    Brand { kind: CardKind::Debit, ..brand("visa_electron", "Visa Electron", "CR_VE") },
    Brand { kind: CardKind::Debit, ..brand("maestro", "Maestro", "RM_MS") },
    brand("codensa", "Codensa", "TY_CO"),
    brand("alkosto", "Alkosto", "TY_AK"),
    Brand { kind: CardKind::Debit, ..brand("ath_card", "ATH", "_ATH_") },
    Brand { kind: CardKind::Prepaid, ..brand("ebt", "EBT", "_EBT_") },
];

impl Brand {
    /// The brand of a number, by its first digits.
    pub(crate) fn of(number: &str) -> Self {
        const STARTS: [(&str, &str); 27] = [
            ("4026", "visa_electron"),
            ("417500", "visa_electron"),
            ("4508", "visa_electron"),
            ("4844", "visa_electron"),
            ("4913", "visa_electron"),
            ("4917", "visa_electron"),
            ("4", "visa"),
            ("51", "master"),
            ("52", "master"),
            ("53", "master"),
            ("54", "master"),
            ("55", "master"),
            ("34", "amex"),
            ("37", "amex"),
            ("30", "diners"),
            ("36", "diners"),
            ("38", "diners"),
            ("6011", "discover"),
            ("65", "discover"),
            ("67", "maestro"),
            ("5077", "ebt"),
            ("5058", "alkosto"),
            ("5903", "codensa"),
            ("5907", "codensa"),
            ("8810", "codensa"),
            ("021", "ath_card"),
            ("2215", "ath_card"),
        ];
        let found = STARTS.iter().find(|(start, _)| number.starts_with(start));
        Self::named(found.map_or("visa", |(_, method)| method))
    }

    /// The brand with this method; a card of another dialect's making counts as a Visa.
    pub(crate) fn named(method: &str) -> Self {
        let found = BRANDS.iter().find(|brand| brand.method == method);
        found.or(BRANDS.first()).copied().unwrap_or(brand("visa", "Visa", "CR_VS"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_domain::Currency;
    use cobro_domain::card::luhn;

    fn use_of<'a>(number: &'a str, code: Option<&'a str>, minor: i64) -> CardUse<'a> {
        let usd = Currency::from_code("USD").unwrap();
        CardUse {
            number,
            holder: "",
            expiration: (11, 2028),
            code,
            amount: Some(Money::new(minor, usd)),
        }
    }

    #[test]
    fn every_number_is_there_once_and_twelve_fail_the_luhn_test() {
        let mut numbers: Vec<&str> =
            PUBLISHED.iter().flat_map(|(_, numbers)| numbers.iter().copied()).collect();
        let failing = numbers.iter().filter(|number| !luhn(number)).count();
        assert_eq!(failing, 12);
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]));
        for number in numbers {
            let card = find(number).unwrap();
            assert!(number.ends_with(&card.facts.last_digits));
            assert!(Brand::named(&card.facts.brand).franchise.len() <= 5, "{number}");
        }
        assert_eq!(find("4000000000000002"), None);
        assert!(CHALLENGED.iter().all(|number| find(number).is_some()));
    }

    #[test]
    fn amount_expiry_and_code_decide() {
        let approve = Scenario::Approve;
        let decline = Scenario::Decline;
        let table = [
            ("4110760000000057", None, 19_999, approve),
            ("4110760000000057", None, 20_000, decline(DeclineReason::AmountRule)),
            ("4012888888881881", Some("917"), 1, approve),
            ("4012888888881881", None, 1, approve),
            ("4012888888881881", Some("918"), 1, decline(DeclineReason::SecurityCode)),
            ("376651001281274", Some("4637"), 1, decline(DeclineReason::Expired)),
            ("4110760000000016", None, 1, decline(DeclineReason::Generic)),
            ("4110760000000065", None, 1, Scenario::Fail),
            ("4110760000000032", None, 1, Scenario::Defer { approve: true, after_s: 30 }),
            ("4110760000000115", None, 1, Scenario::Defer { approve: false, after_s: 180 }),
        ];
        for (number, code, minor, expected) in table {
            assert_eq!(
                in_use(&use_of(number, code, minor)).unwrap().scenario,
                expected,
                "{number}"
            );
        }
    }

    #[test]
    fn brands_by_their_first_digits() {
        let table = [
            ("4111111111111111", "visa", "CR_VS"),
            ("5367680000000005", "master", "RM_MC"),
            ("377222581193005", "amex", "CR_AM"),
            ("36545400000008", "diners", "CR_DN"),
            ("6550590000000001", "discover", "DF_DS"),
            ("0215020177972730", "ath_card", "_ATH_"),
            ("5077120000008725945", "ebt", "_EBT_"),
            ("4026000000000000", "visa_electron", "CR_VE"),
        ];
        for (number, method, franchise) in table {
            let brand = Brand::of(number);
            assert_eq!((brand.method, brand.franchise), (method, franchise), "{number}");
        }
    }
}
