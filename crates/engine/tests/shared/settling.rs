//! A dialect of the tests' own that settles by day: sales of a day in Mexico City are paid out on
//! the next day that is neither Saturday nor Sunday.

use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::fee::FeeSchedule;
use cobro_domain::intent::IntentPhase;
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Currency;
use cobro_domain::payment::{DeclineReason, Payment};
use cobro_domain::scenario::Scenario;
use cobro_domain::time::Day;
use cobro_domain::{MerchantId, Timestamp};
use cobro_engine::accounts::NewMerchant;
use cobro_engine::ports::{
    Describe, Notice, NoticeAsk, NoticeRequest, NumberRange, SeedWorld, SettingsChange,
    TerminalPlan, TestCard,
};
use cobro_engine::{EngineError, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

pub(crate) const NAME: &str = "settling";

/// The kind of the merchants' only credential.
pub(crate) const CREDENTIAL: &str = "settling_key";

/// How many merchants there are. The last one bears a surcharge on instalments.
pub(crate) const MERCHANTS: usize = 3;

/// The number of a card that approves, and of one that declines.
pub(crate) const APPROVES: &str = "4111111111111111";
pub(crate) const DECLINES: &str = "4000000000000002";

#[derive(Debug)]
pub(crate) struct Settling;

pub(crate) fn mexico() -> TimeZone {
    TimeZone::get("America/Mexico_City").unwrap()
}

pub(crate) fn key_of(merchant: usize) -> String {
    format!("key-of-merchant-{merchant}")
}

pub(crate) async fn merchant_id(world: &World, merchant: usize) -> MerchantId {
    let name = format!("merchant-{merchant}");
    world.find_merchant(NAME, &name).await.unwrap().unwrap().id
}

fn is_business_day(day: Day) -> bool {
    !matches!(day.date().weekday(), Weekday::Saturday | Weekday::Sunday)
}

impl Notice for Settling {
    fn request(&self, _ask: &NoticeAsk<'_>) -> Option<NoticeRequest> {
        None
    }

    fn next_attempt_s(&self, _attempts: i64) -> Option<i64> {
        None
    }
}

impl SeedWorld for Settling {
    fn seed<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<(), EngineError>> {
        async move {
            for merchant in 0..MERCHANTS {
                let public_id = format!("merchant-{merchant}");
                if world.find_merchant(NAME, &public_id).await?.is_some() {
                    continue;
                }
                let settings = json!({ "surcharge": merchant + 1 == MERCHANTS });
                world
                    .add_merchant(NewMerchant {
                        channel: NAME.to_owned(),
                        name: public_id.clone(),
                        public_id,
                        country: "MX".to_owned(),
                        currency: Currency::MXN,
                        fees: FeeSchedule { fee_bps: 360, tax_bps: 1600 },
                        settings: settings.to_string(),
                        credentials: vec![(CREDENTIAL.to_owned(), key_of(merchant), String::new())],
                        terminals: Vec::new(),
                        endpoints: Vec::new(),
                    })
                    .await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn describe<'a>(
        &'a self,
        _world: &'a World,
    ) -> BoxFuture<'a, Result<(&'static str, Value), EngineError>> {
        async { Ok((NAME, json!({}))) }.boxed()
    }
}

impl Describe for Settling {
    fn name(&self) -> &'static str {
        NAME
    }

    fn intent_state(&self, phase: IntentPhase) -> &'static str {
        phase.code()
    }

    fn operating_mode(&self, _integrated: bool) -> &'static str {
        "none"
    }

    fn payment_id(&self, payment: &Payment) -> String {
        payment.number.to_string()
    }

    fn payment_numbers(&self) -> NumberRange {
        NumberRange { kind: "settling payment", from: 1, size: 10_000_000 }
    }

    fn refund_numbers(&self) -> NumberRange {
        NumberRange { kind: "settling refund", from: 1, size: 10_000_000 }
    }

    fn test_card(&self, number: &str, _holder: Option<&str>) -> Option<TestCard> {
        let scenario = match number {
            APPROVES => Scenario::Approve,
            DECLINES => Scenario::Decline(DeclineReason::InsufficientFunds),
            _ => return None,
        };
        Some(TestCard { facts: card(), scenario })
    }

    fn fees(&self, merchant: &Merchant, installments: i64) -> FeeSchedule {
        let settings: Value = serde_json::from_str(&merchant.settings).unwrap();
        let bears = settings["surcharge"] == true && installments > 1;
        let fee_bps = merchant.fees.fee_bps + if bears { 450 } else { 0 };
        FeeSchedule { fee_bps, ..merchant.fees }
    }

    fn settles_on(&self, _merchant: &Merchant, at: Timestamp) -> Option<Day> {
        let mut day = Day::at(at, &mexico()).plus(1);
        while !is_business_day(day) {
            day = day.plus(1);
        }
        Some(day)
    }

    fn settlement_closes(&self, _merchant: &Merchant, day: Day) -> Timestamp {
        day.begins(&mexico())
    }

    fn default_card(&self, _merchant: &Merchant, _kind: CardKind) -> CardFacts {
        card()
    }

    fn plan_terminal(
        &self,
        _merchant: &Merchant,
        _ordinal: i64,
        _model: Option<&str>,
        serial: u64,
    ) -> TerminalPlan {
        let (model, settings) = ("none".to_owned(), "{}".to_owned());
        TerminalPlan { id: format!("T-{serial}"), model, settings }
    }

    fn abandon_after_s(&self, _merchant: &Merchant) -> i64 {
        600
    }

    fn settings(&self, _merchant: &Merchant) -> Value {
        json!({})
    }

    fn change_settings(
        &self,
        _merchant: &Merchant,
        _change: &Value,
    ) -> Result<SettingsChange, String> {
        Ok(SettingsChange::default())
    }
}

pub(crate) fn card() -> CardFacts {
    CardFacts {
        brand: "visa".to_owned(),
        kind: CardKind::Credit,
        bin: "411111".to_owned(),
        last_digits: "1111".to_owned(),
        issuer: String::new(),
        expiration_month: 12,
        expiration_year: 2031,
    }
}
