//! A world with one shop and a dialect of the tests' own, and sessions in it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use cobro_acquirer_sim::{BOOK, SimulatedAcquirer};
use cobro_checkout::order::{card_luggage, with_payer};
use cobro_checkout::{
    Behaviour, Checkout, DocumentType, Merchandise, OfferedCard, Order, Person, router,
};
use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::fee::FeeSchedule;
use cobro_domain::intent::IntentPhase;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{DeclineReason, Owner, Payment};
use cobro_domain::scenario::Scenario;
use cobro_domain::session::{Session, SessionKind};
use cobro_domain::{Clock, Currency, Entropy, Money};
use cobro_engine::accounts::NewMerchant;
use cobro_engine::cards::StorePlan;
use cobro_engine::clock::WorldClock;
use cobro_engine::ports::{
    CardUse, Describe, Dialect, Notice, NoticeAsk, NoticeRequest, NumberRange, SeedWorld,
    SettingsChange, TerminalPlan, TestCard,
};
use cobro_engine::secrets::InstallationKey;
use cobro_engine::sessions::{NewSession, SessionView};
use cobro_engine::vault::VaultKeys;
use cobro_engine::world::{Caller, Peers, WorldParts};
use cobro_engine::worlds::WorldFactory;
use cobro_engine::{EngineError, World, Worlds};
use cobro_store::rows::WORLD;
use cobro_store::store::Durability;
use cobro_store::{Location, Options, Store};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

const NAME: &str = "plain";
const CREDENTIAL: &str = "plain_key";
const KEY: &str = "key-of-the-shop";

/// Cards of the dialect, by what they do.
pub(crate) const APPROVES: &str = "4000000000000010";
pub(crate) const APPROVES_AMEX: &str = "340000000000009";
pub(crate) const DEBIT: &str = "5100000000000008";
pub(crate) const DECLINES: &str = "4000000000000028";
pub(crate) const CHALLENGES: &str = "4000000000000036";
pub(crate) const PENDS: &str = "4000000000000044";
/// Published, and fails the Luhn test.
pub(crate) const ODD: &str = "4000000000000011";

/// A card's number that passes the Luhn test and that nobody published.
#[allow(dead_code, reason = "the example does not look for it")]
pub(crate) const CANARY: &str = "4539578763621486";

static STAGES: AtomicU64 = AtomicU64::new(0);

/// Different bytes at each call, the same at each run.
#[derive(Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            *byte = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
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

/// Makes no further worlds.
struct NoFactory;

impl WorldFactory for NoFactory {
    fn make<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<World, EngineError>> {
        ready(Err(EngineError::Unsupported("one world is all"))).boxed()
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
    fn remove(&self, _: &str) {}
}

/// A directory that goes with its owner.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A world, its shop and its pages.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) router: Router,
    caller: Caller,
    secrets: AtomicU64,
    directory: Directory,
}

/// What a session is about, where it differs from the usual one.
pub(crate) struct Offer {
    pub(crate) kind: SessionKind,
    pub(crate) minor: i64,
    pub(crate) allow_partial: bool,
    pub(crate) offers_storing: bool,
    pub(crate) attempts_max: i64,
    pub(crate) lifetime_s: i64,
    pub(crate) request: Value,
}

/// A payment of 189,900 pesos, 30 minutes long.
pub(crate) fn offer() -> Offer {
    Offer {
        kind: SessionKind::Payment,
        minor: 18_990_000,
        allow_partial: false,
        offers_storing: false,
        attempts_max: 3,
        lifetime_s: 1800,
        request: request(),
    }
}

/// A card to be stored.
pub(crate) fn subscription() -> Offer {
    Offer { kind: SessionKind::Subscription, ..offer() }
}

/// The usual request of a session.
pub(crate) fn request() -> Value {
    json!({
        "locale": "es_CO",
        "payment": {
            "reference": "ORD-2041",
            "description": "Cafetera italiana y dos tazas",
            "fields": [{"keyword": "Entrega", "value": "Calle 10 # 4-20", "displayOn": "both"}],
        },
        "returnUrl": "https://shop.example/back?order=2041",
        "cancelUrl": "https://shop.example/cart",
    })
}

impl Stage {
    pub(crate) async fn new(clock: Arc<dyn Clock>) -> Self {
        let count = STAGES.fetch_add(1, Ordering::Relaxed);
        let name = format!("cobro-checkout-{}-{count}", std::process::id());
        let directory = Directory(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&directory.0).unwrap();
        let clock = Arc::new(WorldClock::new(clock));
        let options = |file: &str| Options {
            location: Location::Sqlite {
                path: directory.0.join(file),
                durability: Durability::ProcessOnly,
            },
            lanes: 1,
            readers: 1,
            clock: clock.clone(),
            prove_rerunnable: false,
        };
        let store = Store::open(&WORLD, &options("world.sqlite")).unwrap();
        let book = Store::open(&BOOK, &options("book.sqlite")).unwrap();
        let keys = format!("1:{}", "07".repeat(32));
        let world = World::new(WorldParts {
            id: "demo".to_owned(),
            name: "demo".to_owned(),
            store,
            clock,
            acquirer: Arc::new(SimulatedAcquirer::new(book)),
            key: Arc::new(InstallationKey::new(&[7; 32])),
            entropy: Arc::new(Counted::default()),
            dialects: Arc::new(vec![Arc::new(Plain) as Arc<dyn Dialect>]),
            vault: Some(Arc::new(VaultKeys::parse(&keys, [9; 32]).unwrap())),
            peers: Arc::new(Alone),
            sandbox: true,
        });
        for dialect in world.dialects() {
            dialect.seed(&world).await.unwrap();
        }
        let caller = world.recognise(CREDENTIAL, KEY).await.unwrap().unwrap();
        let worlds = Arc::new(Worlds::new(world.clone(), Arc::new(NoFactory)));
        let router = router(Checkout { worlds, merchandise: vec![Arc::new(Goods)] });
        Self { world, router, caller, secrets: AtomicU64::new(1), directory }
    }

    /// Makes a session; its page's path and the session.
    pub(crate) async fn open(&self, offer: Offer) -> (String, SessionView) {
        let count = self.secrets.fetch_add(1, Ordering::Relaxed);
        let secret = format!("{count:032x}");
        let peso = Currency::from_code("COP").unwrap();
        let paid = offer.kind == SessionKind::Payment;
        let new = NewSession {
            kind: offer.kind,
            amount: paid.then(|| Money::new(offer.minor, peso)),
            allow_partial: offer.allow_partial,
            capture: true,
            offers_storing: offer.offers_storing,
            attempts_max: offer.attempts_max,
            page_hash: self.world.key().lookup_hash(&secret),
            luggage: json!({"request": offer.request}).to_string(),
            expires_at: self.world.now().plus_seconds(offer.lifetime_s),
            repeatable: None,
            duplicate: None,
            recurrence: None,
        };
        let view = self.world.create_session(&self.caller, new).await.unwrap();
        (format!("/spa/session/{}/{secret}", view.session.number), view)
    }

    /// The session as it is now.
    #[allow(dead_code, reason = "the example does not look")]
    pub(crate) async fn session(&self, view: &SessionView) -> SessionView {
        self.world.session(self.caller.merchant, view.session.id).await.unwrap()
    }

    /// Every byte that the databases hold.
    #[allow(dead_code, reason = "the example does not look")]
    pub(crate) fn stored_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(&self.directory.0).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

struct Goods;

fn is_cedula(text: &str) -> bool {
    (4..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

const DOCUMENTS: &[DocumentType] = &[
    DocumentType {
        code: "CC",
        name: "Cédula de ciudadanía",
        is_valid: is_cedula,
        of_company: false,
        sample: "1040099001",
    },
    DocumentType {
        code: "NIT",
        name: "NIT",
        is_valid: is_cedula,
        of_company: true,
        sample: "900123456",
    },
];

const fn offered(number: &'static str, brand: &'static str, behaviour: Behaviour) -> OfferedCard {
    OfferedCard { number, brand, behaviour }
}

const OFFERED: &[OfferedCard] = &[
    offered(APPROVES, "visa", Behaviour::Approved),
    offered(APPROVES_AMEX, "amex", Behaviour::Approved),
    offered(CHALLENGES, "visa", Behaviour::Challenged),
    offered(DECLINES, "visa", Behaviour::Declined),
    offered(PENDS, "visa", Behaviour::PendingApproved),
];

impl Merchandise for Goods {
    fn channel(&self) -> &'static str {
        NAME
    }

    fn order(&self, _: &Merchant, session: &Session) -> Order {
        let luggage: Value = serde_json::from_str(&session.luggage).unwrap();
        Order::of_request(&luggage["request"])
    }

    fn luggage(&self, session: &Session, payer: &Person) -> String {
        with_payer(&session.luggage, payer)
    }

    fn store_plan(&self, session: &Session, payer: &Person) -> StorePlan {
        StorePlan {
            token: None,
            with_subtoken: true,
            single_use: false,
            lifetime_s: None,
            luggage: card_luggage(&session.luggage, payer),
        }
    }

    fn documents(&self, _: &Merchant) -> &'static [DocumentType] {
        DOCUMENTS
    }

    fn installments_max(&self, _: &Merchant, _: &Session) -> i64 {
        12
    }

    fn test_cards(&self) -> &'static [OfferedCard] {
        OFFERED
    }

    fn luhn_exceptions(&self) -> Vec<&'static str> {
        vec![ODD]
    }

    fn time_zone(&self, _: &Merchant) -> TimeZone {
        TimeZone::get("America/Bogota").unwrap()
    }
}

#[derive(Debug)]
struct Plain;

impl Notice for Plain {
    fn request(&self, _: &NoticeAsk<'_>) -> Option<NoticeRequest> {
        None
    }

    fn next_attempt_s(&self, _: i64) -> Option<i64> {
        None
    }
}

impl SeedWorld for Plain {
    fn seed<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<(), EngineError>> {
        async move {
            let new = NewMerchant {
                channel: NAME.to_owned(),
                public_id: "shop".to_owned(),
                name: "Tienda Demo".to_owned(),
                country: "CO".to_owned(),
                currency: Currency::from_code("COP").unwrap(),
                fees: FeeSchedule { fee_bps: 0, tax_bps: 0 },
                settings: "{}".to_owned(),
                credentials: vec![(CREDENTIAL.to_owned(), KEY.to_owned(), String::new())],
                terminals: Vec::new(),
                endpoints: Vec::new(),
            };
            world.add_merchant(new).await.map(drop)
        }
        .boxed()
    }

    fn describe<'a>(
        &'a self,
        _: &'a World,
    ) -> BoxFuture<'a, Result<(&'static str, Value), EngineError>> {
        ready(Ok((NAME, json!({})))).boxed()
    }
}

impl Describe for Plain {
    fn name(&self) -> &'static str {
        NAME
    }

    fn intent_state(&self, phase: IntentPhase) -> &'static str {
        phase.code()
    }

    fn operating_mode(&self, _: bool) -> &'static str {
        "none"
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

    fn test_card(&self, number: &str, _: Option<&str>) -> Option<TestCard> {
        let (brand, kind, scenario) = match number {
            APPROVES | CHALLENGES | ODD => ("visa", CardKind::Credit, Scenario::Approve),
            APPROVES_AMEX => ("amex", CardKind::Credit, Scenario::Approve),
            DEBIT => ("master", CardKind::Debit, Scenario::Approve),
            DECLINES => {
                let why = DeclineReason::InsufficientFunds;
                ("visa", CardKind::Credit, Scenario::Decline(why))
            }
            PENDS => ("visa", CardKind::Credit, Scenario::Defer { approve: true, after_s: 30 }),
            _ => return None,
        };
        let facts = CardFacts {
            brand: brand.to_owned(),
            kind,
            bin: number[..6].to_owned(),
            last_digits: number[number.len() - 4..].to_owned(),
            issuer: "Banco de Pruebas".to_owned(),
            expiration_month: 12,
            expiration_year: 2031,
        };
        Some(TestCard { facts, scenario })
    }

    fn challenges(&self, use_of: &CardUse<'_>) -> bool {
        use_of.number == CHALLENGES
    }

    fn default_card(&self, _: &Merchant, kind: CardKind) -> CardFacts {
        let card = self.test_card(APPROVES, None).unwrap();
        CardFacts { kind, ..card.facts }
    }

    fn plan_terminal(&self, _: &Merchant, _: i64, _: Option<&str>, _: u64) -> TerminalPlan {
        TerminalPlan { id: "none".to_owned(), model: String::new(), settings: "{}".to_owned() }
    }

    fn abandon_after_s(&self, _: &Merchant) -> i64 {
        600
    }

    fn settings(&self, _: &Merchant) -> Value {
        json!({})
    }

    fn change_settings(&self, _: &Merchant, _: &Value) -> Result<SettingsChange, String> {
        Ok(SettingsChange::default())
    }
}
