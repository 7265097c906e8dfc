//! A sandbox without a provider: one merchant, one dialect, an acquirer that does as it is told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use cobro_control::{Access, Autopilot, Control, routes};
use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::fee::FeeSchedule;
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::merchant::{Merchant, Wants};
use cobro_domain::payment::{Owner, Payment, Trace};
use cobro_domain::scenario::Scenario;
use cobro_domain::{Clock, Currency, Entropy, Money, TerminalId, Timestamp};
use cobro_engine::accounts::{NewEndpoint, NewMerchant};
use cobro_engine::clock::WorldClock;
use cobro_engine::intents::CreateIntent;
use cobro_engine::ports::{
    Acquirer, AdviceAnswer, Answer, Authorise, BookLine, Describe, Dialect, Notice, NoticeAsk,
    NoticeRequest, NumberRange, RefundAsk, SeedWorld, SettingsChange, TerminalPlan, TestCard,
};
use cobro_engine::secrets::InstallationKey;
use cobro_engine::world::{Peers, WorldParts};
use cobro_engine::worlds::{MAIN, WorldFactory};
use cobro_engine::{EngineError, World, Worlds};
use cobro_store::rows::WORLD;
use cobro_store::store::Durability;
use cobro_store::{Location, Options, Store};
use cobro_surface::endpoint::Endpoint;
use cobro_surface::journal::Journal;
use futures_util::future::{BoxFuture, FutureExt, ready};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;

/// When every world begins; its real clock stands still.
pub(crate) const BEGIN: &str = "2026-11-20T10:00:00Z";

/// The one published card.
pub(crate) const CARD: &str = "4000000000000010";

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::parse_rfc3339(BEGIN).unwrap()
    }
}

/// Different bytes at each call, the same at each run.
#[derive(Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        for (byte, place) in bytes.iter_mut().zip(0_u64..) {
            let mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(place as u32 * 7);
            *byte = (mixed ^ place) as u8;
        }
    }
}

struct Alone;

impl Peers for Alone {
    fn owner(&self) -> Owner {
        Owner(1)
    }
    fn is_alive(&self, _: Owner) -> BoxFuture<'_, bool> {
        ready(true).boxed()
    }
    fn leads(&self, _: usize) -> BoxFuture<'_, bool> {
        ready(true).boxed()
    }
    fn shared(&self) -> bool {
        false
    }
}

struct Obedient;

impl Acquirer for Obedient {
    fn authorise(&self, ask: Authorise) -> BoxFuture<'_, Answer> {
        let answer = match ask.scenario {
            Scenario::Approve => Answer::Approved { authorization: "301299".to_owned() },
            Scenario::Decline(reason) => Answer::Declined(reason),
            Scenario::Reverse => Answer::Reversed,
            Scenario::Fail => Answer::Failed,
            Scenario::Defer { after_s, .. } => {
                Answer::Deferred { until: ask.at.plus_seconds(after_s) }
            }
            Scenario::Silence => Answer::Silent,
        };
        ready(answer).boxed()
    }
    fn resolve(&self, _: Trace, _: Timestamp) -> BoxFuture<'_, Answer> {
        ready(Answer::Approved { authorization: "301300".to_owned() }).boxed()
    }
    fn reverse(&self, _: Trace, _: Timestamp) -> BoxFuture<'_, AdviceAnswer> {
        ready(AdviceAnswer::Accepted).boxed()
    }
    fn refund(&self, _: RefundAsk) -> BoxFuture<'_, AdviceAnswer> {
        ready(AdviceAnswer::Accepted).boxed()
    }
    fn book(&self, _: Trace, _: i64) -> BoxFuture<'_, Result<Vec<BookLine>, EngineError>> {
        ready(Ok(Vec::new())).boxed()
    }
}

struct Plain;

impl Notice for Plain {
    fn request(&self, ask: &NoticeAsk<'_>) -> Option<NoticeRequest> {
        Some(NoticeRequest {
            url: ask.endpoint.url.clone(),
            headers: Vec::new(),
            body: ask.event.data.clone(),
            timeout_ms: 1000,
        })
    }
    fn next_attempt_s(&self, attempts: i64) -> Option<i64> {
        (attempts < 3).then_some(attempts * 60)
    }
}

impl SeedWorld for Plain {
    fn seed<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<(), EngineError>> {
        async move {
            let plan = |number: i64| TerminalPlan {
                id: format!("TILL-{}-{number}", world.id()),
                model: "TILL".to_owned(),
                settings: "{}".to_owned(),
            };
            let merchant = NewMerchant {
                channel: "plain".to_owned(),
                public_id: "1001".to_owned(),
                name: "Café".to_owned(),
                country: "MX".to_owned(),
                currency: Currency::MXN,
                fees: FeeSchedule { fee_bps: 360, tax_bps: 1600 },
                settings: r#"{"loud":false}"#.to_owned(),
                credentials: vec![(
                    "token".to_owned(),
                    format!("token-{}", world.id()),
                    String::new(),
                )],
                terminals: vec![plan(1), plan(2)],
                endpoints: [0, 1]
                    .map(|slot| NewEndpoint { slot, wants: Wants::Final, secret: String::new() })
                    .to_vec(),
            };
            world.add_merchant(merchant).await.map(|_| ())
        }
        .boxed()
    }
    fn describe<'a>(
        &'a self,
        world: &'a World,
    ) -> BoxFuture<'a, Result<(&'static str, Value), EngineError>> {
        ready(Ok(("plain", json!({"token": format!("token-{}", world.id())})))).boxed()
    }
}

impl Describe for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }
    fn intent_state(&self, phase: IntentPhase) -> &'static str {
        phase.code()
    }
    fn operating_mode(&self, integrated: bool) -> &'static str {
        if integrated { "PDV" } else { "STANDALONE" }
    }
    fn payment_id(&self, payment: &Payment) -> String {
        payment.number.to_string()
    }
    fn payment_numbers(&self) -> NumberRange {
        NumberRange { kind: "payment", from: 1_000_000, size: 1_000_000 }
    }
    fn refund_numbers(&self) -> NumberRange {
        NumberRange { kind: "refund", from: 1_000_000, size: 1_000_000 }
    }
    fn test_card(&self, number: &str, holder: Option<&str>) -> Option<TestCard> {
        let fund = cobro_domain::payment::DeclineReason::InsufficientFunds;
        let scenario = match holder {
            Some("FUND") => Scenario::Decline(fund),
            _ => Scenario::Approve,
        };
        (number == CARD).then(|| TestCard { facts: facts("0010"), scenario })
    }
    fn default_card(&self, _: &Merchant, _: CardKind) -> CardFacts {
        facts("0001")
    }
    fn plan_terminal(
        &self,
        _: &Merchant,
        ordinal: i64,
        model: Option<&str>,
        serial: u64,
    ) -> TerminalPlan {
        TerminalPlan {
            id: format!("TILL-{ordinal}-{serial:x}"),
            model: model.unwrap_or("TILL").to_owned(),
            settings: "{}".to_owned(),
        }
    }
    fn abandon_after_s(&self, _: &Merchant) -> i64 {
        600
    }
    fn settings(&self, merchant: &Merchant) -> Value {
        serde_json::from_str(&merchant.settings).unwrap()
    }
    fn change_settings(&self, _: &Merchant, change: &Value) -> Result<SettingsChange, String> {
        let mut changed = SettingsChange::default();
        for (name, value) in change.as_object().unwrap() {
            match (name.as_str(), value) {
                ("loud", Value::Bool(loud)) => changed.settings = json!({"loud": loud}).to_string(),
                ("webhook", Value::Object(webhook)) => {
                    let all = webhook.get("events") == Some(&json!("all"));
                    for (slot, name) in [(0, "url"), (1, "test_url")] {
                        if let Some(url) = webhook.get(name).and_then(Value::as_str) {
                            changed.endpoints.push((slot, url.to_owned(), all));
                        }
                    }
                }
                _ => return Err(format!("{name} is no setting, or not of that type")),
            }
        }
        Ok(changed)
    }
}

fn facts(last_digits: &str) -> CardFacts {
    CardFacts {
        brand: "visa".to_owned(),
        kind: CardKind::Credit,
        bin: "400000".to_owned(),
        last_digits: last_digits.to_owned(),
        issuer: String::new(),
        expiration_month: 11,
        expiration_year: 2030,
    }
}

/// A directory that goes when the test is over.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Factory {
    directory: Directory,
    entropy: Arc<Counted>,
}

impl Factory {
    async fn world(&self, tag: &str, id: &str, name: &str) -> World {
        let clock = Arc::new(WorldClock::new(Arc::new(Still)));
        let path = self.directory.0.join(format!("{tag}.sqlite"));
        let options = Options {
            location: Location::Sqlite { path, durability: Durability::ProcessOnly },
            lanes: 1,
            readers: 1,
            clock: clock.clone(),
            prove_rerunnable: false,
        };
        let dialects: Vec<Arc<dyn Dialect>> = vec![Arc::new(Plain)];
        let world = World::new(WorldParts {
            vault: None,
            id: id.to_owned(),
            name: name.to_owned(),
            store: Store::open(&WORLD, &options).unwrap(),
            clock,
            acquirer: Arc::new(Obedient),
            key: Arc::new(InstallationKey::new(&[7; 32])),
            entropy: self.entropy.clone(),
            dialects: Arc::new(dialects),
            peers: Arc::new(Alone),
            sandbox: true,
        });
        Plain.seed(&world).await.unwrap();
        world
    }
}

impl WorldFactory for Factory {
    fn make<'a>(
        &'a self,
        tag: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<World, EngineError>> {
        async move { Ok(self.world(tag, &format!("w_{tag}"), name).await) }.boxed()
    }
    fn tags(&self) -> Vec<String> {
        Vec::new()
    }
    fn open<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<World>, EngineError>> {
        ready(Ok(None)).boxed()
    }
    fn close<'a>(&'a self, _: &'a str) -> BoxFuture<'a, ()> {
        ready(()).boxed()
    }
    fn remove(&self, tag: &str) {
        let _ = std::fs::remove_file(self.directory.0.join(format!("{tag}.sqlite")));
    }
}

/// A sandbox with its control API.
pub(crate) struct Sandbox {
    pub(crate) router: Router,
    pub(crate) endpoints: Vec<&'static Endpoint>,
    pub(crate) worlds: Arc<Worlds>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) autopilot: Arc<Autopilot>,
    pub(crate) shutdown: watch::Sender<bool>,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) media_type: String,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Sandbox {
    pub(crate) async fn open() -> Self {
        Self::with_access(Access::Loopback).await
    }

    pub(crate) async fn with_access(access: Access) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cobro-control-{}-{count}", std::process::id());
        let directory = Directory(std::env::temp_dir().join(name));
        let factory = Arc::new(Factory { directory, entropy: Arc::default() });
        let main = factory.world("main", MAIN, "demo").await;
        let worlds = Arc::new(Worlds::new(main, factory));
        let journal = Arc::new(Journal::new(1 << 20));
        let autopilot = Arc::new(Autopilot::new());
        let (shutdown, stops) = watch::channel(false);
        let (router, endpoints) = routes(Control {
            worlds: worlds.clone(),
            journal: journal.clone(),
            access,
            url_policy: Arc::new(|url| !url.contains("169.254.")),
            autopilot: autopilot.clone(),
            shutdown: stops,
        });
        Self { router, endpoints, worlds, journal, autopilot, shutdown }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Told {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let media_type = response.headers().get("content-type");
        let media_type = media_type.map_or("", |value| value.to_str().unwrap()).to_owned();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Told { status, media_type, text, body }
    }

    /// Calls `method path` under `/_cobro/v1/` in a world.
    pub(crate) async fn call_in(&self, world: &str, call: &str, body: &str) -> Told {
        self.send(request(call).header("cobro-world", world).body(body.to_owned().into()).unwrap())
            .await
    }

    /// The same in the main world.
    pub(crate) async fn call(&self, call: &str, body: &str) -> Told {
        self.send(request(call).body(body.to_owned().into()).unwrap()).await
    }

    /// The body of a call that must go well.
    pub(crate) async fn ok(&self, call: &str, body: &str) -> Value {
        let told = self.call(call, body).await;
        assert!(told.status.is_success(), "{call}: {} {}", told.status, told.text);
        told.body
    }

    /// Queues an intent on a terminal, as a point of sale does.
    pub(crate) async fn queue(&self, terminal: &str, luggage: &str) -> Intent {
        let world = self.worlds.main();
        let caller = world.recognise("token", "token-demo").await.unwrap().unwrap();
        let command = CreateIntent {
            terminal: TerminalId(terminal.to_owned()),
            amount: Money::new(1500, Currency::MXN),
            card_kind: None,
            installments: 1,
            retry_declined: false,
            scenario: None,
            luggage: luggage.to_owned(),
            abandon_after_s: 600,
            repeatable: None,
        };
        world.create_intent(&caller, command).await.unwrap()
    }
}

/// A request as a program on the same machine sends it; `call` is `METHOD path`.
pub(crate) fn request(call: &str) -> http::request::Builder {
    let (method, path) = call.split_once(' ').unwrap();
    Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(format!("/_cobro/v1/{path}"))
        .header("host", "localhost:7070")
}
