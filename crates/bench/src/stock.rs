//! What a measurement starts from: a world with sellers and terminals, in process.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cobro_acquirer_sim::{BOOK, SimulatedAcquirer};
use cobro_domain::payment::Owner;
use cobro_domain::terminal::OperatingMode;
use cobro_domain::{Clock, Entropy, MerchantId, Timestamp};
use cobro_engine::World;
use cobro_engine::accounts::NewMerchant;
use cobro_engine::clock::WorldClock;
use cobro_engine::ports::{Acquirer, Describe as _, Dialect, TerminalPlan};
use cobro_engine::secrets::InstallationKey;
use cobro_engine::world::{Peers, WorldParts};
use cobro_engine::worlds::MAIN;
use cobro_mercadopago::Point;
use cobro_store::rows::WORLD;
use cobro_store::session::{GRACE, Session};
use cobro_store::store::Durability;
use cobro_store::{Location, Options, Store};
use futures_util::future::{BoxFuture, FutureExt as _, try_join_all};

/// How many sellers the load is spread over, where it is spread.
pub(crate) const SELLERS: usize = 1000;

/// How many terminals each of them has.
pub(crate) const TILLS_EACH: i64 = 10;

/// How many terminals the one seller has, where the load is not spread: as many as a large chain.
const TILLS_OF_ONE: i64 = 2_000;

/// How many sellers are made at once.
const MADE_AT_ONCE: usize = 64;

/// The kind under which the dialect looks access tokens up.
const TOKEN_KIND: &str = "mp.access_token";

/// The token of the demo world's first seller.
const DEMO_TOKEN: &str = "TEST-1000000000000001-112000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-100000001";

/// The public id of the demo world's first seller.
const DEMO_SELLER: &str = "100000001";

/// Installation keys are secrets of installations; that of a measurement is none.
pub(crate) const KEY: [u8; 32] = [7; 32];

/// A terminal, and who may call for it.
#[derive(Clone, Debug)]
pub(crate) struct Till {
    pub(crate) token: String,
    pub(crate) device: String,
}

/// The terminals that load is put on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tills {
    /// All of one seller.
    pub(crate) one: Vec<Till>,
    /// Of many sellers; neighbours belong to different ones.
    pub(crate) spread: Vec<Till>,
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "a measurement runs in real time"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        let micros = since.map_or(0, |since| since.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "what the server pays for randomness, too")]
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}

/// Randomness and time, as the server has them.
pub(crate) fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy)
}

/// The present moment.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

struct OwnSession(Session);

impl Peers for OwnSession {
    fn owner(&self) -> Owner {
        self.0.owner()
    }
    fn is_alive(&self, owner: Owner) -> BoxFuture<'_, bool> {
        self.0.is_alive_async(owner).boxed()
    }
    fn leads(&self, lane: usize) -> BoxFuture<'_, bool> {
        self.0.leads_async(i64::try_from(lane).unwrap_or(0)).boxed()
    }
    fn shared(&self) -> bool {
        false
    }
}

/// A world's databases, and who acts as its acquirer.
pub(crate) struct Place {
    world: Location,
    book: Location,
    lanes: i64,
}

impl Place {
    /// The files that a server would have in this data directory.
    pub(crate) fn sqlite(data: &Path) -> Self {
        let file =
            |name: &str| Location::Sqlite { path: data.join(name), durability: Durability::Full };
        Self { world: file("cobro.sqlite"), book: file("cobro.acquirer.sqlite"), lanes: 1 }
    }

    /// A PostgreSQL database, with as many lanes as a server makes.
    pub(crate) fn postgres(url: &str) -> Self {
        let location = Location::Postgres { url: url.to_owned() };
        Self { world: location.clone(), book: location, lanes: 2 }
    }

    /// Opens the world. With `acquirer`, that one is asked; without, the simulator with its book.
    pub(crate) async fn open(self, acquirer: Option<Arc<dyn Acquirer>>) -> anyhow::Result<World> {
        let clock = Arc::new(WorldClock::new(Arc::new(SystemClock)));
        let options = |location: &Location, readers| Options {
            location: location.clone(),
            lanes: self.lanes,
            readers,
            clock: clock.clone(),
            prove_rerunnable: false,
        };
        let store = Store::open(&WORLD, &options(&self.world, 2))?;
        let acquirer = match acquirer {
            Some(acquirer) => acquirer,
            None => {
                let book = Store::open(&BOOK, &options(&self.book, 1))?;
                Arc::new(SimulatedAcquirer::new(book)) as Arc<dyn Acquirer>
            }
        };
        let session = Session::open(&self.world, &store, GRACE).await?;
        let dialects: Vec<Arc<dyn Dialect>> = vec![Arc::new(Point)];
        Ok(World::new(WorldParts {
            vault: None,
            id: MAIN.to_owned(),
            name: "demo".to_owned(),
            store,
            clock,
            acquirer,
            key: Arc::new(InstallationKey::new(&KEY)),
            entropy: entropy(),
            dialects: Arc::new(dialects),
            peers: Arc::new(OwnSession(session)),
            sandbox: true,
        }))
    }
}

/// Fills a new world with what every world has, and with many sellers and terminals.
pub(crate) async fn populate(world: &World) -> anyhow::Result<Tills> {
    for dialect in world.dialects() {
        dialect.seed(world).await?;
    }
    let demo = world.find_merchant(Point.name(), DEMO_SELLER).await?;
    let demo = demo.context("the demo world has no seller")?.id;
    let one = pair(world, demo, DEMO_TOKEN, TILLS_OF_ONE).await?;
    let mut sellers = Vec::with_capacity(SELLERS);
    let numbers: Vec<usize> = (0..SELLERS).collect();
    for some in numbers.chunks(MADE_AT_ONCE) {
        sellers.extend(try_join_all(some.iter().map(|number| seller(world, *number))).await?);
    }
    let each = usize::try_from(TILLS_EACH).unwrap_or(1);
    let mut spread = Vec::with_capacity(SELLERS * each);
    for place in 0..each {
        spread.extend(sellers.iter().filter_map(|tills| tills.get(place).cloned()));
    }
    Ok(Tills { one, spread })
}

async fn seller(world: &World, number: usize) -> anyhow::Result<Vec<Till>> {
    let demo = world.find_merchant(Point.name(), DEMO_SELLER).await?;
    let demo = demo.context("the demo world has no seller")?;
    let public_id = (300_000_000 + number).to_string();
    // No digits of a world's tag in the beginning: such a token belongs to the main world.
    let token = format!("TEST-1000000000000001-112000-xxxxxxxx{number:024x}-{public_id}");
    let model = "PAX_A910";
    // Shorter than the serials that pairing draws, so that none of them is the same.
    let plan = |place: i64| TerminalPlan {
        id: format!("{model}__SBX9{number:05}{place:02}"),
        model: model.to_owned(),
        settings: "{}".to_owned(),
    };
    let plans: Vec<TerminalPlan> = (1..=TILLS_EACH).map(plan).collect();
    let new = NewMerchant {
        channel: demo.channel,
        public_id: public_id.clone(),
        name: format!("Kiosco {number}"),
        country: demo.country,
        currency: demo.currency,
        fees: demo.fees,
        settings: "{}".to_owned(),
        credentials: vec![(TOKEN_KIND.to_owned(), token.clone(), String::new())],
        terminals: plans.clone(),
        endpoints: Vec::new(),
    };
    world.add_merchant(new).await?;
    let till = |plan: TerminalPlan| Till { token: token.clone(), device: plan.id };
    Ok(plans.into_iter().map(till).collect())
}

async fn pair(
    world: &World,
    merchant: MerchantId,
    token: &str,
    count: i64,
) -> anyhow::Result<Vec<Till>> {
    let ids = world.pair_terminals(merchant, None, OperatingMode::Integrated, count).await?;
    Ok(ids.into_iter().map(|id| Till { token: token.to_owned(), device: id.0 }).collect())
}

/// Where a data directory's terminals are listed, so that a filled one can be used again.
const TILLS_FILE: &str = "tills";

impl Tills {
    /// Leaves the list beside the data.
    pub(crate) fn save(&self, data: &Path) -> anyhow::Result<()> {
        let line = |kind: &str, till: &Till| format!("{kind} {} {}\n", till.token, till.device);
        let one = self.one.iter().map(|till| line("one", till));
        let text: String = one.chain(self.spread.iter().map(|till| line("spread", till))).collect();
        Ok(std::fs::write(data.join(TILLS_FILE), text)?)
    }

    /// Reads the list.
    pub(crate) fn load(data: &Path) -> anyhow::Result<Self> {
        let mut tills = Self::default();
        for line in std::fs::read_to_string(data.join(TILLS_FILE))?.lines() {
            let mut words = line.split(' ').map(str::to_owned);
            let (Some(kind), Some(token), Some(device)) =
                (words.next(), words.next(), words.next())
            else {
                anyhow::bail!("the list of terminals cannot be read");
            };
            let list = if kind == "one" { &mut tills.one } else { &mut tills.spread };
            list.push(Till { token, device });
        }
        Ok(tills)
    }
}

/// Makes a data directory with a populated world, as a server would have made it.
pub(crate) fn make_data(runtime: &tokio::runtime::Runtime, data: &Path) -> anyhow::Result<Tills> {
    std::fs::create_dir_all(data)?;
    std::fs::write(data.join("key"), hex::encode(KEY))?;
    let tills = runtime.block_on(async {
        let world = Place::sqlite(data).open(None).await?;
        populate(&world).await
    })?;
    settle(data)?;
    tills.save(data)?;
    Ok(tills)
}

/// Moves what is in the write-ahead logs into the databases, so that their files can be copied.
/// Waits for the threads that still hold a connection.
pub(crate) fn settle(data: &Path) -> anyhow::Result<()> {
    for name in ["cobro.sqlite", "cobro.acquirer.sqlite"] {
        let connection = rusqlite::Connection::open(data.join(name))?;
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = connection.query_row(checkpoint, [], |row| row.get(0))?;
        anyhow::ensure!(busy == 0, "{name} is still in use");
    }
    Ok(())
}
