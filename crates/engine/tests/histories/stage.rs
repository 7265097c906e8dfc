//! Where a history plays: databases that last, and processes that come and go on them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cobro_acquirer_sim::{BOOK, SimulatedAcquirer};
use cobro_domain::payment::Owner;
use cobro_domain::{Clock, DeliveryId, Timestamp};
use cobro_engine::World;
use cobro_engine::clock::WorldClock;
use cobro_engine::deliveries::{AttemptOutcome, Attempted, Prepared};
use cobro_engine::ports::{Acquirer, Dialect};
use cobro_engine::secrets::InstallationKey;
use cobro_engine::world::{Deliverer, Peers, WorldParts};
use cobro_store::rows::WORLD;
use cobro_store::store::Durability;
use cobro_store::{Cell, Location, Options, Schema, Store};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Runtime;

use crate::chance::{SeededEntropy, mix};
use crate::database::{Database, Directory};
use crate::dialect::Plain;
use crate::wild::{Kind, Line, Point, Wild};

/// 2026-01-01T00:00:00Z, in microseconds.
const START_US: i64 = 1_767_225_600_000_000;

/// How long the threads of a process that is gone may take to end.
const GONE_MAX: Duration = Duration::from_secs(60);

/// Two databases: a world's and its acquirer's book.
pub(crate) enum Place {
    Sqlite(Directory),
    Postgres { world: Database, book: Database },
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(Directory::new())
    }

    /// `None` when there is no server to test with.
    pub(crate) fn postgres() -> Option<Self> {
        Some(Self::Postgres { world: Database::new()?, book: Database::new()? })
    }

    fn locations(&self) -> (Location, Location) {
        match self {
            Self::Sqlite(directory) => {
                let at = |name: &str| Location::Sqlite {
                    path: directory.path().join(name),
                    durability: Durability::ProcessOnly,
                };
                (at("world.sqlite"), at("book.sqlite"))
            }
            Self::Postgres { world, book } => {
                let at = |database: &Database| Location::Postgres { url: database.url() };
                (at(world), at(book))
            }
        }
    }
}

/// What outlives the processes.
pub(crate) struct Stage {
    place: Place,
    lanes: i64,
    prove_rerunnable: bool,
    real_us: Arc<AtomicI64>,
    entropy: Arc<SeededEntropy>,
    alive: Arc<Mutex<BTreeSet<Owner>>>,
    owners: AtomicI64,
    pub(crate) line: Arc<Line>,
    pub(crate) mailbox: Arc<Mailbox>,
}

impl Stage {
    pub(crate) fn new(place: Place, seed: u64, lanes: i64, prove_rerunnable: bool) -> Self {
        let line = Arc::new(Line::new(seed));
        Self {
            place,
            lanes,
            prove_rerunnable,
            real_us: Arc::new(AtomicI64::new(START_US)),
            entropy: Arc::new(SeededEntropy::new(seed)),
            alive: Arc::default(),
            owners: AtomicI64::new(0),
            mailbox: Arc::new(Mailbox { seed, line: line.clone(), received: Mutex::default() }),
            line,
        }
    }

    /// Real time goes on.
    pub(crate) fn pass(&self, micros: i64) {
        self.real_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// A process starts: it opens the databases and does what waits for it.
    pub(crate) fn start(&self) -> Life {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (alive, gone) = mpsc::channel();
        let real = RealClock { at: self.real_us.clone(), _alive: alive };
        let clock = Arc::new(WorldClock::new(Arc::new(real)));
        let (world_at, book_at) = self.place.locations();
        let options = |location| Options {
            location,
            lanes: self.lanes,
            readers: 1,
            clock: clock.clone(),
            prove_rerunnable: self.prove_rerunnable,
        };
        let store = Store::open(&WORLD, &options(world_at)).unwrap();
        let book = Store::open(&BOOK, &options(book_at)).unwrap();
        let wild = Arc::new(Wild::new(self.line.clone(), SimulatedAcquirer::new(book.clone())));
        // The owners before this one are dead: the directory's lock would prove it.
        self.alive.lock().unwrap().clear();
        let world = World::new(self.parts(store, clock.clone(), wild.clone()));
        let life = Life { runtime, world, wild, book, clock, gone };
        life.runtime.block_on(async {
            life.world.restore_clock().await.unwrap();
            life.world.set_deliverer(self.mailbox.clone());
            for dialect in life.world.dialects() {
                dialect.seed(&life.world).await.unwrap();
            }
            life.world.sweep().await.unwrap();
            life.world.fire_due().await.unwrap();
        });
        life
    }

    /// A second process on the same databases, which may take `life` for dead.
    pub(crate) fn rival(&self, life: &Life, takes_for_dead: bool) -> World {
        let owner = life.world.peers().owner();
        if takes_for_dead {
            self.alive.lock().unwrap().remove(&owner);
        } else {
            self.alive.lock().unwrap().insert(owner);
        }
        let store = life.world.store().clone();
        World::new(self.parts(store, life.clock.clone(), life.wild.clone()))
    }

    fn parts(&self, store: Store, clock: Arc<WorldClock>, wild: Arc<Wild>) -> WorldParts {
        let owner = Owner(self.owners.fetch_add(1, Ordering::Relaxed) + 1);
        self.alive.lock().unwrap().insert(owner);
        let dialects: Vec<Arc<dyn Dialect>> = vec![Arc::new(Plain)];
        WorldParts {
            vault: None,
            id: "demo".to_owned(),
            name: "demo".to_owned(),
            store,
            clock,
            acquirer: wild as Arc<dyn Acquirer>,
            key: Arc::new(InstallationKey::new(&[7; 32])),
            entropy: self.entropy.clone(),
            dialects: Arc::new(dialects),
            peers: Arc::new(KnownPeers { owner, alive: self.alive.clone() }),
            sandbox: true,
        }
    }
}

/// A process.
pub(crate) struct Life {
    pub(crate) runtime: Runtime,
    pub(crate) world: World,
    pub(crate) wild: Arc<Wild>,
    book: Store,
    clock: Arc<WorldClock>,
    gone: mpsc::Receiver<()>,
}

impl Life {
    /// The process dies: its tasks stop where they wait. What it had handed to the databases may
    /// still be done, as after a real death; then its connections are closed.
    pub(crate) fn die(self) {
        let Self { runtime, world, wild, book, clock, gone } = self;
        drop(runtime);
        drop((world, wild, book, clock));
        let end = gone.recv_timeout(GONE_MAX);
        assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected), "a thread goes on");
    }

    /// Every row of both databases.
    pub(crate) fn dump(&self) -> Vec<(String, Vec<Vec<Cell>>)> {
        let mut tables = Vec::new();
        for (store, schema) in [(self.world.store(), &WORLD), (&self.book, &BOOK)] {
            tables.extend(self.runtime.block_on(dump(store, schema)));
        }
        tables
    }
}

async fn dump(store: &Store, schema: &'static Schema) -> Vec<(String, Vec<Vec<Cell>>)> {
    let mut texts = vec![
        ("lane".to_owned(), "SELECT id, batch, at FROM lane ORDER BY id".to_owned()),
        ("migration".to_owned(), "SELECT number FROM migration ORDER BY number".to_owned()),
    ];
    for table in schema.tables {
        let names = |columns: &[cobro_store::Column]| {
            columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
        };
        let (all, key) = (names(table.columns), names(table.key_columns()));
        let text = format!("SELECT {all} FROM {} ORDER BY {key}", table.name);
        texts.push((table.name.to_owned(), text));
    }
    let read = store.read(move |reader| {
        texts
            .into_iter()
            .map(|(name, text)| Ok((name, reader.rows(&text, &[])?)))
            .collect::<Result<Vec<_>, _>>()
    });
    read.await.unwrap()
}

/// Real time, which goes on only when the history says so. Held by every thread of a process, so
/// that its last owner's end is the process's.
struct RealClock {
    at: Arc<AtomicI64>,
    _alive: mpsc::Sender<()>,
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.at.load(Ordering::Relaxed))
    }
}

struct KnownPeers {
    owner: Owner,
    alive: Arc<Mutex<BTreeSet<Owner>>>,
}

impl Peers for KnownPeers {
    fn owner(&self) -> Owner {
        self.owner
    }

    fn is_alive(&self, owner: Owner) -> BoxFuture<'_, bool> {
        let alive = owner == self.owner || self.alive.lock().unwrap().contains(&owner);
        async move { alive }.boxed()
    }

    fn leads(&self, _lane: usize) -> BoxFuture<'_, bool> {
        async { true }.boxed()
    }

    fn shared(&self) -> bool {
        false
    }
}

/// The receiver of every webhook.
pub(crate) struct Mailbox {
    seed: u64,
    line: Arc<Line>,
    pub(crate) received: Mutex<BTreeSet<DeliveryId>>,
}

impl Mailbox {
    async fn attempt(&self, world: &World, delivery: cobro_domain::event::Delivery) -> Attempted {
        let id = delivery.id;
        let prepared = world.prepare_delivery(&delivery).await.unwrap();
        let number = u64::try_from(delivery.attempts).unwrap();
        let (low, high) = (id.0.as_u64_pair().0, id.0.as_u64_pair().1);
        let takes = mix(&[self.seed, low, high, number]) % 100 < 80;
        let outcome = match prepared {
            Prepared::Nothing => AttemptOutcome::Impossible,
            Prepared::Request(_) if takes => AttemptOutcome::Delivered,
            Prepared::Request(_) => AttemptOutcome::Again,
        };
        if outcome == AttemptOutcome::Delivered {
            self.received.lock().unwrap().insert(id);
        }
        Attempted { delivery, request: String::new(), response: String::new(), outcome }
    }
}

impl Deliverer for Mailbox {
    fn deliver_due<'a>(&'a self, world: &'a World) -> BoxFuture<'a, ()> {
        async move {
            for lane in 0..world.store().lanes() {
                let due = world.due_deliveries(lane, 1000).await.unwrap();
                let mut attempts = Vec::new();
                for delivery in due {
                    attempts.push(self.attempt(world, delivery).await);
                }
                if !attempts.is_empty() {
                    self.line.pass(Kind::Delivery, Point::AfterBooking).await;
                    world.record_attempts(lane, attempts).await.unwrap();
                }
            }
        }
        .boxed()
    }
}
