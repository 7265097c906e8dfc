//! Processes that come and go on two databases, with a clock that goes on only when it is told to.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cobro_acquirer_sim::BOOK;
use cobro_domain::payment::Owner;
use cobro_domain::{Clock, Entropy, Timestamp};
use cobro_engine::World;
use cobro_engine::clock::WorldClock;
use cobro_engine::ports::{Acquirer, Dialect};
use cobro_engine::secrets::InstallationKey;
use cobro_engine::world::{Peers, WorldParts};
use cobro_store::rows::WORLD;
use cobro_store::store::Durability;
use cobro_store::{Location, Options, Store};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Runtime;

use super::database::{Database, Directory};

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

/// How a process opens its databases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) lanes: i64,
    pub(crate) prove_rerunnable: bool,
}

/// A process: its threads, its databases and its clock.
pub(crate) struct Process {
    pub(crate) runtime: Runtime,
    pub(crate) store: Store,
    pub(crate) book: Store,
    clock: Arc<WorldClock>,
    gone: mpsc::Receiver<()>,
}

/// What differs from one world to another, but for its vault.
pub(crate) struct Cast {
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) acquirer: Arc<dyn Acquirer>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) peers: Arc<dyn Peers>,
}

impl Process {
    /// Opens the databases of a place; real time is what `real_us` says, in microseconds.
    pub(crate) fn start(place: &Place, real_us: &Arc<AtomicI64>, opening: Opening) -> Self {
        let Opening { lanes, prove_rerunnable } = opening;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (alive, gone) = mpsc::channel();
        let real = RealClock { at: real_us.clone(), _alive: alive };
        let clock = Arc::new(WorldClock::new(Arc::new(real)));
        let (world_at, book_at) = place.locations();
        let options = |location| {
            let clock = clock.clone();
            Options { location, lanes, readers: 1, clock, prove_rerunnable }
        };
        let store = Store::open(&WORLD, &options(world_at)).unwrap();
        let book = Store::open(&BOOK, &options(book_at)).unwrap();
        Self { runtime, store, book, clock, gone }
    }

    /// What a world of this process is made of; it has no vault.
    pub(crate) fn parts(&self, cast: Cast) -> WorldParts {
        let Cast { dialect, acquirer, entropy, peers } = cast;
        WorldParts {
            vault: None,
            id: "demo".to_owned(),
            name: "demo".to_owned(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            acquirer,
            key: Arc::new(InstallationKey::new(&[7; 32])),
            entropy,
            dialects: Arc::new(vec![dialect]),
            peers,
            sandbox: true,
        }
    }

    /// It dies with what is held in it: its tasks stop where they wait. What it had handed to the
    /// databases may still be done, as after a real death; then its connections are closed.
    pub(crate) fn die(self, held: impl Sized) {
        let Self { runtime, store, book, clock, gone } = self;
        drop(runtime);
        drop((held, store, book, clock));
        let end = gone.recv_timeout(GONE_MAX);
        assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected), "a thread goes on");
    }
}

/// The clock goes on from where it was, and the dialects' merchants are there.
pub(crate) async fn wake(world: &World) {
    world.restore_clock().await.unwrap();
    for dialect in world.dialects() {
        dialect.seed(world).await.unwrap();
    }
}

/// Real time, which goes on only when a test says so. Held by every thread of a process, so that
/// its last owner's end is the process's.
struct RealClock {
    at: Arc<AtomicI64>,
    _alive: mpsc::Sender<()>,
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.at.load(Ordering::Relaxed))
    }
}

/// Processes of which it is known who is alive.
pub(crate) struct KnownPeers {
    owner: Owner,
    alive: Arc<Mutex<BTreeSet<Owner>>>,
}

impl KnownPeers {
    /// As `owner` sees them, who is alive itself.
    pub(crate) fn of(owner: Owner, alive: &Arc<Mutex<BTreeSet<Owner>>>) -> Self {
        alive.lock().unwrap().insert(owner);
        Self { owner, alive: alive.clone() }
    }
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
