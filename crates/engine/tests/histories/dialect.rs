//! A dialect of the tests' own: it belongs to no provider and says the least that the ports allow.

use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::fee::FeeSchedule;
use cobro_domain::intent::IntentPhase;
use cobro_domain::merchant::{Merchant, Wants};
use cobro_domain::money::Currency;
use cobro_domain::payment::Payment;
use cobro_engine::accounts::{NewEndpoint, NewMerchant};
use cobro_engine::ports::{
    Describe, Notice, NoticeAsk, NoticeRequest, NumberRange, SeedWorld, SettingsChange,
    TerminalPlan, TestCard,
};
use cobro_engine::{EngineError, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

pub(crate) const NAME: &str = "plain";

/// The kind of the merchants' only credential.
pub(crate) const CREDENTIAL: &str = "plain_key";

/// After how long an intent is abandoned, in seconds.
pub(crate) const ABANDON_AFTER_S: i64 = 600;

/// When a delivery is tried again, in seconds after it was made.
const SCHEDULE_S: [i64; 4] = [5, 60, 300, 1800];

/// How many merchants a world has; the last one has no endpoint.
pub(crate) const MERCHANTS: usize = 3;

/// How many terminals each has.
pub(crate) const TERMINALS: usize = 2;

#[derive(Debug)]
pub(crate) struct Plain;

pub(crate) fn public_id(merchant: usize) -> String {
    format!("merchant-{merchant}")
}

pub(crate) fn credential(merchant: usize) -> String {
    format!("key-of-merchant-{merchant}")
}

pub(crate) fn terminal_id(merchant: usize, terminal: usize) -> String {
    format!("T-{merchant}-{terminal}")
}

impl Notice for Plain {
    fn request(&self, ask: &NoticeAsk<'_>) -> Option<NoticeRequest> {
        Some(NoticeRequest {
            url: ask.endpoint.url.clone(),
            headers: vec![("x-delivery".to_owned(), ask.delivery.to_owned())],
            body: ask.event.data.clone(),
            timeout_ms: 1000,
        })
    }

    fn next_attempt_s(&self, attempts: i64) -> Option<i64> {
        SCHEDULE_S.get(usize::try_from(attempts - 1).ok()?).copied()
    }
}

impl SeedWorld for Plain {
    fn seed<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<(), EngineError>> {
        async move {
            let currencies = [Currency::ARS, Currency::BRL, Currency::MXN];
            for (place, currency) in currencies.into_iter().enumerate().take(MERCHANTS) {
                seed_merchant(world, place, currency).await?;
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

async fn seed_merchant(world: &World, place: usize, currency: Currency) -> Result<(), EngineError> {
    if world.find_merchant(NAME, &public_id(place)).await?.is_some() {
        return Ok(());
    }
    let terminals = (0..TERMINALS).map(|terminal| TerminalPlan {
        id: terminal_id(place, terminal),
        model: "none".to_owned(),
        settings: "{}".to_owned(),
    });
    let has_endpoint = place + 1 < MERCHANTS;
    let wants = if place == 0 { Wants::All } else { Wants::Final };
    let endpoint = NewEndpoint { slot: 1, wants, secret: format!("secret-{place}") };
    world
        .add_merchant(NewMerchant {
            channel: NAME.to_owned(),
            public_id: public_id(place),
            name: format!("Merchant {place}"),
            country: "XX".to_owned(),
            currency,
            fees: FeeSchedule { fee_bps: 360, tax_bps: 1600 },
            settings: "{}".to_owned(),
            credentials: vec![(CREDENTIAL.to_owned(), credential(place), String::new())],
            terminals: terminals.collect(),
            endpoints: if has_endpoint { vec![endpoint] } else { Vec::new() },
        })
        .await?;
    if has_endpoint {
        let caller = world.recognise(CREDENTIAL, &credential(place)).await?.unwrap();
        let url = format!("https://pos-{place}.example/hook");
        world.set_endpoint_url(&caller, 1, url.clone()).await?;
        world.set_endpoint_verified(&caller, 1, url, true).await?;
    }
    Ok(())
}

impl Describe for Plain {
    fn name(&self) -> &'static str {
        NAME
    }

    fn intent_state(&self, phase: IntentPhase) -> &'static str {
        phase.code()
    }

    fn operating_mode(&self, integrated: bool) -> &'static str {
        if integrated { "integrated" } else { "standalone" }
    }

    fn payment_id(&self, payment: &Payment) -> String {
        payment.number.to_string()
    }

    fn payment_numbers(&self) -> NumberRange {
        NumberRange { kind: "plain payment", from: 1_000, size: 1_000_000 }
    }

    fn refund_numbers(&self) -> NumberRange {
        NumberRange { kind: "plain refund", from: 1_000, size: 1_000_000 }
    }

    fn test_card(&self, _number: &str, _holder: Option<&str>) -> Option<TestCard> {
        None
    }

    fn default_card(&self, _merchant: &Merchant, kind: CardKind) -> CardFacts {
        CardFacts {
            brand: "visa".to_owned(),
            kind,
            bin: "411111".to_owned(),
            last_digits: "1111".to_owned(),
            issuer: String::new(),
            expiration_month: 12,
            expiration_year: 2031,
        }
    }

    fn plan_terminal(
        &self,
        _merchant: &Merchant,
        ordinal: i64,
        _model: Option<&str>,
        serial: u64,
    ) -> TerminalPlan {
        TerminalPlan {
            id: format!("T-{ordinal}-{serial:x}"),
            model: "none".to_owned(),
            settings: "{}".to_owned(),
        }
    }

    fn abandon_after_s(&self, _merchant: &Merchant) -> i64 {
        ABANDON_AFTER_S
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
