//! Where a history plays: databases that last, and processes that come and go on them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use cobro_acquirer_sim::{BOOK, SimulatedAcquirer};
use cobro_domain::DeliveryId;
use cobro_domain::payment::Owner;
use cobro_engine::World;
use cobro_engine::deliveries::{AttemptOutcome, Attempted, Prepared};
use cobro_engine::world::Deliverer;
use cobro_store::rows::WORLD;
use cobro_store::{Cell, Schema, Store};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::dialect::Plain;
use crate::shared::chance::{SeededEntropy, mix};
use crate::shared::process::{Cast, KnownPeers, Opening, Place, Process, wake};
use crate::wild::{Kind, Line, Point, Wild};

/// 2026-01-01T00:00:00Z, in microseconds.
const START_US: i64 = 1_767_225_600_000_000;

/// What outlives the processes.
pub(crate) struct Stage {
    place: Place,
    opening: Opening,
    real_us: Arc<AtomicI64>,
    entropy: Arc<SeededEntropy>,
    alive: Arc<Mutex<BTreeSet<Owner>>>,
    owners: AtomicI64,
    pub(crate) line: Arc<Line>,
    pub(crate) mailbox: Arc<Mailbox>,
}

impl Stage {
    pub(crate) fn new(place: Place, seed: u64, opening: Opening) -> Self {
        let line = Arc::new(Line::new(seed));
        Self {
            place,
            opening,
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
        let process = Process::start(&self.place, &self.real_us, self.opening);
        let acquirer = SimulatedAcquirer::new(process.book.clone());
        let wild = Arc::new(Wild::new(self.line.clone(), acquirer));
        // The owners before this one are dead: the directory's lock would prove it.
        self.alive.lock().unwrap().clear();
        let world = self.world(&process, &wild);
        let life = Life { process, world, wild };
        life.run(async {
            life.world.set_deliverer(self.mailbox.clone());
            wake(&life.world).await;
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
        self.world(&life.process, &life.wild)
    }

    fn world(&self, process: &Process, wild: &Arc<Wild>) -> World {
        let owner = Owner(self.owners.fetch_add(1, Ordering::Relaxed) + 1);
        World::new(process.parts(Cast {
            dialect: Arc::new(Plain),
            acquirer: wild.clone(),
            entropy: self.entropy.clone(),
            peers: Arc::new(KnownPeers::of(owner, &self.alive)),
        }))
    }
}

/// A process with its world.
pub(crate) struct Life {
    process: Process,
    pub(crate) world: World,
    pub(crate) wild: Arc<Wild>,
}

impl Life {
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.process.runtime.block_on(work)
    }

    pub(crate) fn die(self) {
        self.process.die((self.world, self.wild));
    }

    /// Every row of both databases.
    pub(crate) fn dump(&self) -> Vec<(String, Vec<Vec<Cell>>)> {
        let mut tables = Vec::new();
        for (store, schema) in [(&self.process.store, &WORLD), (&self.process.book, &BOOK)] {
            tables.extend(self.run(dump(store, schema)));
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
