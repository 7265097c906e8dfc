//! Processes that come and go on two databases, with a clock that goes on only when it is told to.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use cobro_acquirer_sim::{BOOK, SimulatedAcquirer};
use cobro_domain::payment::Owner;
use cobro_domain::{Clock, Timestamp};
use cobro_engine::World;
use cobro_engine::clock::WorldClock;
use cobro_engine::ports::Dialect;
use cobro_engine::secrets::InstallationKey;
use cobro_engine::vault::VaultKeys;
use cobro_engine::world::{Peers, WorldParts};
use cobro_store::rows::WORLD;
use cobro_store::store::Durability;
use cobro_store::{Location, Options, Store};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Runtime;

use crate::chance::SeededEntropy;
use crate::database::{Database, Directory};
use crate::dialect::Settling;

/// 2026-01-05T06:00:00Z, midnight of a Monday in Mexico City, in microseconds.
pub(crate) const START_US: i64 = 1_767_592_800_000_000;

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

/// A process.
pub(crate) struct Life {
    pub(crate) runtime: Runtime,
    pub(crate) world: World,
    gone: mpsc::Receiver<()>,
}

impl Life {
    /// A process starts on the databases of a place.
    pub(crate) fn start(place: &Place, entropy: &Arc<SeededEntropy>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (alive, gone) = mpsc::channel();
        let clock = Arc::new(WorldClock::new(Arc::new(Stopped { _alive: alive })));
        let (world_at, book_at) = place.locations();
        let options = |location| Options {
            location,
            lanes: 1,
            readers: 1,
            clock: clock.clone(),
            prove_rerunnable: false,
        };
        let store = Store::open(&WORLD, &options(world_at)).unwrap();
        let book = Store::open(&BOOK, &options(book_at)).unwrap();
        let dialects: Vec<Arc<dyn Dialect>> = vec![Arc::new(Settling)];
        let keys = VaultKeys::parse(&format!("1:{}", "42".repeat(32)), [3; 32]).unwrap();
        let world = World::new(WorldParts {
            id: "demo".to_owned(),
            name: "demo".to_owned(),
            store,
            clock,
            acquirer: Arc::new(SimulatedAcquirer::new(book)),
            key: Arc::new(InstallationKey::new(&[7; 32])),
            entropy: entropy.clone(),
            dialects: Arc::new(dialects),
            vault: Some(Arc::new(keys)),
            peers: Arc::new(Alone),
            sandbox: true,
        });
        let life = Self { runtime, world, gone };
        life.runtime.block_on(async {
            life.world.restore_clock().await.unwrap();
            for dialect in life.world.dialects() {
                dialect.seed(&life.world).await.unwrap();
            }
            life.world.fire_due().await.unwrap();
        });
        life
    }

    /// The process dies: its tasks stop where they wait. What it had handed to the databases may
    /// still be done, as after a real death.
    pub(crate) fn die(self) {
        let Self { runtime, world, gone } = self;
        drop(runtime);
        drop(world);
        let end = gone.recv_timeout(GONE_MAX);
        assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected), "a thread goes on");
    }
}

/// Real time stands still. Held by every thread of a process, so that its last owner's end is the
/// process's.
struct Stopped {
    _alive: mpsc::Sender<()>,
}

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(START_US)
    }
}

struct Alone;

impl Peers for Alone {
    fn owner(&self) -> Owner {
        Owner(1)
    }

    fn is_alive(&self, _owner: Owner) -> BoxFuture<'_, bool> {
        async { true }.boxed()
    }

    fn leads(&self, _lane: usize) -> BoxFuture<'_, bool> {
        async { true }.boxed()
    }

    fn shared(&self) -> bool {
        false
    }
}
