//! Published test cards (reference, section 10.4) and what a holder's name makes them do.

use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::payment::DeclineReason;
use cobro_domain::scenario::Scenario;
use cobro_engine::ports::TestCard;

use crate::sites::Site;

struct Published {
    site: Site,
    number: &'static str,
    brand: &'static str,
    kind: CardKind,
}

const fn card(site: Site, number: &'static str, brand: &'static str, kind: CardKind) -> Published {
    Published { site, number, brand, kind }
}

/// The first card of a site and kind is the one that is used when none is named.
const PUBLISHED: [Published; 12] = [
    card(Site::Mla, "5031755734530604", "master", CardKind::Credit),
    card(Site::Mla, "4509953566233704", "visa", CardKind::Credit),
    card(Site::Mla, "371180303257522", "amex", CardKind::Credit),
    card(Site::Mla, "4002768694395619", "debvisa", CardKind::Debit),
    card(Site::Mlb, "5031433215406351", "master", CardKind::Credit),
    card(Site::Mlb, "4235647728025682", "visa", CardKind::Credit),
    card(Site::Mlb, "375365153556885", "amex", CardKind::Credit),
    card(Site::Mlb, "5067766783888311", "debelo", CardKind::Debit),
    card(Site::Mlm, "5474925432670366", "master", CardKind::Credit),
    card(Site::Mlm, "4075595716483764", "visa", CardKind::Credit),
    card(Site::Mlm, "5579053461482647", "debmaster", CardKind::Debit),
    card(Site::Mlm, "4189141221267633", "debvisa", CardKind::Debit),
];

/// Expiry of every published test card.
const EXPIRATION: (i64, i64) = (11, 2030);

/// The published test card with this number.
pub(crate) fn find(number: &str, holder: Option<&str>) -> Option<TestCard> {
    let found = PUBLISHED.iter().find(|card| card.number == number)?;
    Some(TestCard { facts: facts(found), scenario: holder_scenario(holder.unwrap_or_default()) })
}

/// A card that approves.
pub(crate) fn default_card(site: Site, kind: CardKind) -> CardFacts {
    let of_site = || PUBLISHED.iter().filter(|card| card.site == site);
    let found = of_site().find(|card| card.kind == kind).or_else(|| of_site().next());
    let mut card = found
        .map_or_else(|| facts(&card(site, "0000000000000000", "visa", CardKind::Credit)), facts);
    // No voucher card is published: one of the site's cards stands for it.
    card.kind = kind;
    card
}

fn facts(card: &Published) -> CardFacts {
    let cut = card.number.len().saturating_sub(4);
    CardFacts {
        brand: card.brand.to_owned(),
        kind: card.kind,
        bin: card.number.get(..6).unwrap_or_default().to_owned(),
        last_digits: card.number.get(cut..).unwrap_or_default().to_owned(),
        issuer: "24".to_owned(),
        expiration_month: EXPIRATION.0,
        expiration_year: EXPIRATION.1,
    }
}

/// What a holder's name makes the acquirer do; another name approves.
fn holder_scenario(holder: &str) -> Scenario {
    let reason = match holder.trim().to_ascii_uppercase().as_str() {
        "OTHE" => DeclineReason::Generic,
        "CALL" => DeclineReason::CallIssuer,
        "FUND" => DeclineReason::InsufficientFunds,
        "SECU" => DeclineReason::SecurityCode,
        "EXPI" => DeclineReason::Expired,
        "FORM" => DeclineReason::BadForm,
        "CARD" => DeclineReason::CardNumber,
        "INST" => DeclineReason::Installments,
        "DUPL" => DeclineReason::Duplicate,
        "LOCK" => DeclineReason::Inactive,
        "CTNA" => DeclineReason::KindNotAccepted,
        "ATTE" => DeclineReason::TooManyTries,
        "BLAC" => DeclineReason::Blocked,
        "UNSU" => DeclineReason::BrandNotSupported,
        "TEST" => DeclineReason::AmountRule,
        "CONT" => return Scenario::Defer { approve: true, after_s: 30 },
        _ => return Scenario::Approve,
    };
    Scenario::Decline(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_decide() {
        for published in &PUBLISHED {
            assert!(cobro_domain::card::luhn(published.number), "{}", published.number);
            let card = find(published.number, None).unwrap();
            assert_eq!(card.scenario, Scenario::Approve);
            assert!(published.number.starts_with(&card.facts.bin));
        }
        let fund = find("5031433215406351", Some("fund")).unwrap();
        assert_eq!(fund.scenario, Scenario::Decline(DeclineReason::InsufficientFunds));
        assert_eq!(find("4111111111111111", None), None);
        for site in Site::ALL {
            for kind in [CardKind::Credit, CardKind::Debit, CardKind::Voucher] {
                assert_eq!(default_card(site, kind).kind, kind);
            }
        }
    }
}
