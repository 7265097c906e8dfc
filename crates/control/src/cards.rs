//! Cards that callers name: published test cards only. Other numbers are refused and appear
//! nowhere, neither in an answer nor in a log.

use cobro_domain::Timestamp;
use cobro_domain::payment::DeclineReason;
use cobro_domain::scenario::Scenario;
use cobro_engine::World;
use cobro_engine::ports::TestCard;
use cobro_engine::vault::CardData;
use cobro_surface::json::Json;
use serde_json::{Value, json};

use crate::input::Members;
use crate::refusal::Refusal;

/// The longest name of a holder, in characters.
const HOLDER_MAX: usize = 200;

/// A card as a caller names it (contract, "A card"). Deliberately without `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct NamedCard {
    /// Without spaces.
    number: String,
    expiration: Option<Expiration>,
    holder: Option<String>,
}

/// The last month in which a card is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Expiration {
    year: i64,
    month: i64,
}

impl NamedCard {
    /// Reads a card: a number as text, or an object.
    ///
    /// # Errors
    /// What is not in the form of a card.
    pub(crate) fn read(json: &Json) -> Result<Self, Refusal> {
        if let Some(number) = json.as_str() {
            let number = without_spaces(number);
            return Ok(Self { number, expiration: None, holder: None });
        }
        if json.as_object().is_none() {
            return Err(Refusal::bad("card must be a number as text, or an object"));
        }
        let members = Members::of(json, &["number", "expiration", "cvv", "holder"])?;
        let number = members.text("number")?;
        let number = number.ok_or_else(|| Refusal::bad("number must be text"))?;
        let is_code = |code: &str| {
            matches!(code.len(), 3 | 4) && code.bytes().all(|byte| byte.is_ascii_digit())
        };
        // At a terminal the code decides nothing; a page reads it apart.
        if !members.text("cvv")?.is_none_or(is_code) {
            return Err(Refusal::bad("cvv must be three or four digits"));
        }
        let expiration = members.text("expiration")?.map(|text| {
            Expiration::parse(text).ok_or_else(|| Refusal::bad("expiration must be MM/YY"))
        });
        let holder = members.text("holder")?;
        if holder.is_some_and(|holder| holder.chars().count() > HOLDER_MAX) {
            return Err(Refusal::bad("holder must be text of at most 200 characters"));
        }
        Ok(Self {
            number: without_spaces(number),
            expiration: expiration.transpose()?,
            holder: holder.map(str::to_owned),
        })
    }

    /// The card with this number alone.
    pub(crate) fn numbered(number: &str) -> Self {
        Self { number: number.to_owned(), expiration: None, holder: None }
    }

    /// What its holder types: the expiration that was named, or the card's own, moved ahead where
    /// that is over.
    pub(crate) fn typed(&self, found: &TestCard, now: Timestamp) -> CardData {
        let own = Expiration {
            month: found.facts.expiration_month,
            year: crate::sessions::good_year(found.facts.expiration_year, now),
        };
        let expiration = self.expiration.unwrap_or(own);
        CardData {
            number: self.number.clone(),
            expiration_month: expiration.month,
            expiration_year: expiration.year,
            holder: self.holder.clone().unwrap_or_default(),
        }
    }

    /// The published card that is named, as the world's dialects know it, `channel`'s first.
    ///
    /// # Errors
    /// A number that nobody published.
    pub(crate) fn find(&self, world: &World, channel: &str) -> Result<TestCard, Refusal> {
        let (own, others): (Vec<_>, Vec<_>) =
            world.dialects().iter().partition(|dialect| dialect.name() == channel);
        let holder = self.holder.as_deref();
        let found = own.into_iter().chain(others);
        let found = found.into_iter().find_map(|one| one.test_card(&self.number, holder));
        let card = found
            .ok_or_else(|| Refusal::unfit("the number is not that of a published test card"))?;
        Ok(self.applied(card, world.now()))
    }

    /// The card with the expiration that was named; one that is over declines.
    fn applied(&self, mut card: TestCard, now: Timestamp) -> TestCard {
        let Some(expiration) = self.expiration else { return card };
        card.facts.expiration_month = expiration.month;
        card.facts.expiration_year = expiration.year;
        if expiration < Expiration::of(now) {
            card.scenario = Scenario::Decline(DeclineReason::Expired);
        }
        card
    }

    /// The card as it is kept for later; the security code is not kept.
    pub(crate) fn kept(&self) -> Value {
        if self.expiration.is_none() && self.holder.is_none() {
            return json!(self.number);
        }
        let expiration = self.expiration.map(|expiration| expiration.text());
        json!({"number": self.number, "expiration": expiration, "holder": self.holder})
    }
}

impl Expiration {
    fn parse(text: &str) -> Option<Self> {
        let (month, year) = text.split_once('/')?;
        let number = |digits: &str| -> Option<i64> {
            let is_two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_two.then(|| digits.parse().ok()).flatten()
        };
        let (month, year) = (number(month)?, number(year)?);
        (1..=12).contains(&month).then_some(Self { year: year.saturating_add(2000), month })
    }

    fn of(now: Timestamp) -> Self {
        let day = now.calendar().to_zoned(jiff::tz::TimeZone::UTC);
        Self { year: i64::from(day.year()), month: i64::from(day.month()) }
    }

    fn text(self) -> String {
        format!("{:02}/{:02}", self.month, self.year.rem_euclid(100))
    }
}

fn without_spaces(number: &str) -> String {
    number.chars().filter(|letter| *letter != ' ').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use cobro_domain::card::{CardFacts, CardKind};

    const NUMBER: &str = "4000000000000010";

    fn read(text: &str) -> Result<NamedCard, Refusal> {
        NamedCard::read(&Json::parse(text.as_bytes(), &Default::default()).unwrap())
    }

    #[test]
    fn cards_in_every_form() {
        let table = [
            (r#""4000000000000010""#, json!(NUMBER)),
            (r#""4000 0000 0000 0010""#, json!(NUMBER)),
            (r#"{"number":"4000 0000 0000 0010"}"#, json!(NUMBER)),
            (r#"{"number":"4000000000000010","cvv":"123"}"#, json!(NUMBER)),
            (
                r#"{"number":"4000000000000010","expiration":"11/30","cvv":"1234","holder":"FUND"}"#,
                json!({"number": NUMBER, "expiration": "11/30", "holder": "FUND"}),
            ),
            (
                r#"{"number":"4000000000000010","holder":"FUND"}"#,
                json!({"number": NUMBER, "expiration": null, "holder": "FUND"}),
            ),
        ];
        for (text, kept) in table {
            let card = read(text).unwrap();
            assert_eq!(card.kept(), kept, "{text}");
            let again = read(&card.kept().to_string()).unwrap();
            assert!(again == card, "{text}");
        }
    }

    #[test]
    fn what_is_no_card_is_refused_without_its_number() {
        let table = [
            "4000000000000010",
            "[]",
            "true",
            "{}",
            r#"{"number":4000000000000010}"#,
            r#"{"number":"4000000000000010","cvv":"12"}"#,
            r#"{"number":"4000000000000010","cvv":"12x"}"#,
            r#"{"number":"4000000000000010","cvv":123}"#,
            r#"{"number":"4000000000000010","expiration":"13/30"}"#,
            r#"{"number":"4000000000000010","expiration":"00/30"}"#,
            r#"{"number":"4000000000000010","expiration":"1/30"}"#,
            r#"{"number":"4000000000000010","expiration":"11/2030"}"#,
            r#"{"number":"4000000000000010","expiration":"1130"}"#,
            r#"{"number":"4000000000000010","expiration":"+1/30"}"#,
            r#"{"number":"4000000000000010","expiry":"11/30"}"#,
            r#"{"number":"4000000000000010","holder":7}"#,
        ];
        for text in table {
            let refusal = read(text).err().unwrap();
            assert!(!format!("{refusal:?}").contains("4000"), "{text}");
            assert_eq!(refusal.into_response().status(), 400, "{text}");
        }
    }

    #[test]
    fn a_card_is_good_until_its_month_is_over() {
        let card = TestCard {
            facts: CardFacts {
                brand: "visa".to_owned(),
                kind: CardKind::Credit,
                bin: "400000".to_owned(),
                last_digits: "0010".to_owned(),
                issuer: String::new(),
                expiration_month: 1,
                expiration_year: 2031,
            },
            scenario: Scenario::Approve,
        };
        let expired = Scenario::Decline(DeclineReason::Expired);
        let table = [
            (None, (1, 2031), Scenario::Approve),
            (Some("11/26"), (11, 2026), Scenario::Approve),
            (Some("01/27"), (1, 2027), Scenario::Approve),
            (Some("10/26"), (10, 2026), expired),
            (Some("12/25"), (12, 2025), expired),
        ];
        let now = Timestamp::parse_rfc3339("2026-11-30T23:59:59Z").unwrap();
        for (expiration, shown, scenario) in table {
            let named = NamedCard {
                number: NUMBER.to_owned(),
                expiration: expiration.and_then(Expiration::parse),
                holder: None,
            };
            let card = named.applied(card.clone(), now);
            assert_eq!((card.facts.expiration_month, card.facts.expiration_year), shown);
            assert_eq!(card.scenario, scenario, "{expiration:?}");
        }
    }
}
