//! A real world on a file of its own, with a dialect and an acquirer that do what a test says.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cobro_delivery::Deliveries;
use cobro_delivery::address::Policy;
use cobro_delivery::sender::Sender;
use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::event::{Delivery, DeliveryState};
use cobro_domain::fee::FeeSchedule;
use cobro_domain::intent::IntentPhase;
use cobro_domain::merchant::{Merchant, Wants};
use cobro_domain::money::Currency;
use cobro_domain::payment::{Owner, Payment, Trace};
use cobro_domain::{Clock, Entropy, IntentId, MerchantId, Money, TerminalId, Timestamp};
use cobro_engine::accounts::{NewEndpoint, NewMerchant};
use cobro_engine::clock::WorldClock;
use cobro_engine::intents::CreateIntent;
use cobro_engine::ports::{
    Acquirer, AdviceAnswer, Answer, Authorise, BookLine, Describe, Notice, NoticeAsk,
    NoticeRequest, NumberRange, RefundAsk, SeedWorld, SettingsChange, TerminalPlan, TestCard,
};
use cobro_engine::secrets::InstallationKey;
use cobro_engine::world::{Change, Peers, WorldParts};
use cobro_engine::{EngineError, World};
use cobro_store::store::Durability;
use cobro_store::{Location, Options, Store};
use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::endpoint::AMPLE;

/// What the dialect of these tests is called, and the kind of its credentials.
const CHANNEL: &str = "plain";
const TOKEN: &str = "token";

/// When attempts are due, in seconds after the first one.
pub(crate) const SCHEDULE: [i64; 3] = [5, 300, 1_800];

/// The time at which every world begins.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

/// Stands still unless a test moves it.
pub(crate) struct Still(pub(crate) AtomicI64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Never the same bytes twice, and the same ones in every run.
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            *byte = next.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes()[0];
        }
    }
}

/// One process alone.
struct Alone;

impl Peers for Alone {
    fn owner(&self) -> Owner {
        Owner(1)
    }
    fn is_alive(&self, _: Owner) -> BoxFuture<'_, bool> {
        async { true }.boxed()
    }
    fn leads(&self, _: usize) -> BoxFuture<'_, bool> {
        async { true }.boxed()
    }
    fn shared(&self) -> bool {
        false
    }
}

/// Approves everything.
struct Yes;

impl Acquirer for Yes {
    fn authorise(&self, _: Authorise) -> BoxFuture<'_, Answer> {
        async { Answer::Approved { authorization: "1".to_owned() } }.boxed()
    }
    fn resolve(&self, _: Trace, _: Timestamp) -> BoxFuture<'_, Answer> {
        async { Answer::Silent }.boxed()
    }
    fn reverse(&self, _: Trace, _: Timestamp) -> BoxFuture<'_, AdviceAnswer> {
        async { AdviceAnswer::Accepted }.boxed()
    }
    fn capture(&self, _: Trace, _: Money) -> BoxFuture<'_, AdviceAnswer> {
        async { AdviceAnswer::Accepted }.boxed()
    }
    fn refund(&self, _: RefundAsk) -> BoxFuture<'_, AdviceAnswer> {
        async { AdviceAnswer::Accepted }.boxed()
    }
    fn book(&self, _: Trace, _: i64) -> BoxFuture<'_, Result<Vec<BookLine>, EngineError>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

/// What requests look like, as far as tests want to say so.
#[derive(Clone)]
pub(crate) struct Plain {
    pub(crate) timeout: Duration,
    /// Stands behind the event's word in the body.
    pub(crate) padding: String,
}

impl Default for Plain {
    fn default() -> Self {
        Self { timeout: AMPLE, padding: String::new() }
    }
}

impl Notice for Plain {
    fn request(&self, ask: &NoticeAsk<'_>) -> Option<NoticeRequest> {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Some(NoticeRequest {
            url: ask.endpoint.url.clone(),
            headers: vec![
                header("Authorization", "Bearer hush"),
                header("x-attempt", &ask.attempt.to_string()),
                header("x-delivery", ask.delivery),
            ],
            body: format!("{} {}{}", ask.event.subject, ask.event.kind.code(), self.padding),
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap(),
        })
    }

    fn next_attempt_s(&self, attempts: i64) -> Option<i64> {
        SCHEDULE.get(usize::try_from(attempts).unwrap() - 1).copied()
    }
}

impl SeedWorld for Plain {
    fn seed<'a>(&'a self, _: &'a World) -> BoxFuture<'a, Result<(), EngineError>> {
        async { Ok(()) }.boxed()
    }
    fn describe<'a>(
        &'a self,
        _: &'a World,
    ) -> BoxFuture<'a, Result<(&'static str, serde_json::Value), EngineError>> {
        async { Ok((CHANNEL, serde_json::Value::Null)) }.boxed()
    }
}

impl Describe for Plain {
    fn name(&self) -> &'static str {
        CHANNEL
    }
    fn intent_state(&self, phase: IntentPhase) -> &'static str {
        phase.code()
    }
    fn operating_mode(&self, _: bool) -> &'static str {
        "integrated"
    }
    fn payment_id(&self, payment: &Payment) -> String {
        payment.id.to_string()
    }
    fn payment_numbers(&self) -> NumberRange {
        NumberRange { kind: "payment", from: 1, size: 1_000_000 }
    }
    fn refund_numbers(&self) -> NumberRange {
        NumberRange { kind: "refund", from: 1, size: 1_000_000 }
    }
    fn test_card(&self, _: &str, _: Option<&str>) -> Option<TestCard> {
        None
    }
    fn default_card(&self, _: &Merchant, kind: CardKind) -> CardFacts {
        CardFacts {
            brand: "visa".to_owned(),
            kind,
            bin: "411111".to_owned(),
            last_digits: "1111".to_owned(),
            issuer: String::new(),
            expiration_month: 11,
            expiration_year: 2_030,
        }
    }
    fn plan_terminal(&self, _: &Merchant, ordinal: i64, _: Option<&str>, _: u64) -> TerminalPlan {
        plan(&ordinal.to_string())
    }
    fn abandon_after_s(&self, _: &Merchant) -> i64 {
        86_400
    }
    fn settings(&self, _: &Merchant) -> serde_json::Value {
        serde_json::Value::Null
    }
    fn change_settings(
        &self,
        _: &Merchant,
        _: &serde_json::Value,
    ) -> Result<SettingsChange, String> {
        Ok(SettingsChange::default())
    }
}

fn plan(id: &str) -> TerminalPlan {
    TerminalPlan { id: id.to_owned(), model: "T1".to_owned(), settings: "{}".to_owned() }
}

/// A directory that goes when the test ends.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("cobro-delivery-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Opens the world that lives in `place`.
pub(crate) fn open(place: &Place, plain: Plain) -> World {
    open_by(place, plain, Arc::new(Still(AtomicI64::new(START.micros()))))
}

/// The same with a real clock of the test's own.
pub(crate) fn open_by(place: &Place, plain: Plain, real: Arc<dyn Clock>) -> World {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    let clock = Arc::new(WorldClock::new(real));
    let location =
        Location::Sqlite { path: place.0.join("world.db"), durability: Durability::ProcessOnly };
    let options =
        Options { location, lanes: 2, readers: 2, clock: clock.clone(), prove_rerunnable: false };
    let run = RUNS.fetch_add(1, Ordering::SeqCst);
    World::new(WorldParts {
        vault: None,
        id: "demo".to_owned(),
        name: "Demo".to_owned(),
        store: Store::open(&cobro_store::rows::WORLD, &options).unwrap(),
        clock,
        acquirer: Arc::new(Yes),
        key: Arc::new(InstallationKey::new(&[1; 32])),
        entropy: Arc::new(Counted(AtomicU64::new(run << 40))),
        dialects: Arc::new(vec![Arc::new(plain)]),
        peers: Arc::new(Alone),
        sandbox: true,
    })
}

/// A sandbox's deliveries with ample times.
pub(crate) fn deliveries() -> Arc<Deliveries> {
    deliveries_with(AMPLE, AMPLE)
}

/// The same with these times.
pub(crate) fn deliveries_with(patience: Duration, grace: Duration) -> Arc<Deliveries> {
    let sender = Arc::new(Sender::new(Policy::sandbox()));
    Arc::new(Deliveries::with_times(sender, patience, grace))
}

/// The loop of a world, running.
pub(crate) struct Running {
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(deliveries: &Arc<Deliveries>, world: &World) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(deliveries.clone().run(world.clone(), shutdown.clone()));
        Self { shutdown, task }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(AMPLE, self.task).await.unwrap().unwrap();
    }
}

/// A merchant with an endpoint and as many terminals as needed.
pub(crate) struct Shop {
    pub(crate) id: MerchantId,
    name: String,
    terminals: Mutex<u32>,
}

impl Shop {
    pub(crate) async fn open(world: &World, name: &str, url: &str) -> Self {
        let new = NewMerchant {
            channel: CHANNEL.to_owned(),
            public_id: name.to_owned(),
            name: name.to_owned(),
            country: "MX".to_owned(),
            currency: Currency::MXN,
            fees: FeeSchedule { fee_bps: 0, tax_bps: 0 },
            settings: "{}".to_owned(),
            credentials: vec![(TOKEN.to_owned(), name.to_owned(), String::new())],
            terminals: (0..100).map(|number| plan(&format!("{name}-{number}"))).collect(),
            endpoints: vec![NewEndpoint { slot: 0, wants: Wants::All, secret: String::new() }],
        };
        let id = world.add_merchant(new).await.unwrap();
        let shop = Self { id, name: name.to_owned(), terminals: Mutex::new(0) };
        shop.point_to(world, url).await;
        shop
    }

    /// Gives the endpoint an address, and the proof that it is the shop's.
    pub(crate) async fn point_to(&self, world: &World, url: &str) {
        let caller = world.recognise(TOKEN, &self.name).await.unwrap().unwrap();
        world.set_endpoint_url(&caller, 0, url.to_owned()).await.unwrap();
        world.set_endpoint_verified(&caller, 0, url.to_owned(), true).await.unwrap();
    }

    /// An intent on a terminal of its own, taken by that terminal: one thing to tell.
    pub(crate) async fn take(&self, world: &World) -> (TerminalId, IntentId) {
        let number = {
            let mut terminals = self.terminals.lock().unwrap();
            *terminals += 1;
            *terminals - 1
        };
        let terminal = TerminalId(format!("{}-{number}", self.name));
        let caller = world.recognise(TOKEN, &self.name).await.unwrap().unwrap();
        let command = CreateIntent {
            terminal: terminal.clone(),
            amount: Money::new(9_300, Currency::MXN),
            card_kind: None,
            installments: 1,
            retry_declined: false,
            scenario: None,
            luggage: "{}".to_owned(),
            abandon_after_s: 86_400,
            repeatable: None,
        };
        let intent = world.create_intent(&caller, command).await.unwrap();
        world.fetch_intent(self.id, terminal.clone(), None).await.unwrap();
        (terminal, intent.id)
    }

    /// The terminal gives its intent up: one more thing to tell of that intent.
    pub(crate) async fn cancel(&self, world: &World, terminal: TerminalId) {
        world.cancel_on_terminal(self.id, terminal).await.unwrap();
    }
}

/// All deliveries of a world, the oldest first.
pub(crate) async fn all(world: &World) -> Vec<Delivery> {
    let mut found = world.deliveries(None, 1_000).await.unwrap();
    found.reverse();
    found
}

/// The only delivery of a world.
pub(crate) async fn only(world: &World) -> Delivery {
    let [delivery] = <[_; 1]>::try_from(all(world).await).unwrap();
    delivery
}

/// Waits until `count` attempts have been recorded.
pub(crate) async fn recorded(changes: &mut broadcast::Receiver<Change>, count: usize) {
    let mut seen = 0;
    while seen < count {
        let change = tokio::time::timeout(AMPLE, changes.recv()).await.unwrap().unwrap();
        seen += usize::from(matches!(change, Change::Delivery(_)));
    }
}

/// A text of JSON as a value.
pub(crate) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Whether a delivery still waits to be sent.
pub(crate) fn waits(delivery: &Delivery) -> bool {
    matches!(delivery.state, DeliveryState::Waiting { .. })
}
