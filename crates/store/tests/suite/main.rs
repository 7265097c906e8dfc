//! What a store promises, on SQLite and on PostgreSQL.
//!
//! PostgreSQL is tested when `COBRO_TEST_POSTGRES` holds the URL of a server where databases may
//! be created; each case then makes one of its own and drops it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

mod database;
mod history;
mod opening;
mod processes;
mod raw;
mod reconnecting;
mod session;
mod time;
mod upgrade;
mod writes;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cobro_domain::{Clock, MerchantId, Timestamp};
use cobro_store::rows::{TailRow, WORLD};
use cobro_store::store::Durability;
use cobro_store::{LaneKey, Location, Options, Store, StoreError, TxError};
use database::{Database, Directory};

/// Declares the cases of a module as tests on each database.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $case() { crate::on_sqlite(super::$case) })*
        }
        mod postgres {
            $(#[test] fn $case() { crate::on_postgres(super::$case) })*
        }
    };
}
pub(crate) use on_both;

/// A clock that stands until it is set.
struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

impl StandingClock {
    fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

/// A database to test on, and its clock.
struct Place {
    location: Location,
    clock: Arc<StandingClock>,
    prove_rerunnable: bool,
    // What the place is made of; gone when it is dropped.
    postgres: Option<Database>,
    _directory: Option<Directory>,
}

const START: i64 = 1_700_000_000_000_000;

impl Place {
    fn sqlite() -> Self {
        let directory = Directory::new();
        let path = directory.path().join("store.db");
        let location = Location::Sqlite { path, durability: Durability::Full };
        Self::new(location, None, Some(directory))
    }

    fn postgres() -> Option<Self> {
        let database = Database::new()?;
        let location = Location::Postgres { url: database.url() };
        Some(Self::new(location, Some(database), None))
    }

    fn new(location: Location, postgres: Option<Database>, directory: Option<Directory>) -> Self {
        let clock = Arc::new(StandingClock(AtomicI64::new(START)));
        Self { location, clock, prove_rerunnable: false, postgres, _directory: directory }
    }

    fn options(&self) -> Options {
        Options {
            location: self.location.clone(),
            lanes: 1,
            readers: 1,
            clock: self.clock.clone(),
            prove_rerunnable: self.prove_rerunnable,
        }
    }

    fn open(&self) -> Store {
        Store::open(&WORLD, &self.options()).unwrap()
    }
}

fn on_sqlite(case: impl AsyncFnOnce(&Place)) {
    run(&Place::sqlite(), case);
}

fn on_postgres(case: impl AsyncFnOnce(&Place)) {
    if let Some(place) = Place::postgres() {
        run(&place, case);
    }
}

fn run(place: &Place, case: impl AsyncFnOnce(&Place)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(case(place));
}

/// A command that is on its way.
type Sent<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs commands on a store of one lane so that they share one batch: they wait behind one that
/// holds the lane until all are there.
async fn together<T: Send + 'static>(store: &Store, commands: Vec<Sent<T>>) -> Vec<T> {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (entered, entering) = tokio::sync::oneshot::channel();
    let (mut entered, holder) = (Some(entered), store.clone());
    let gate = tokio::spawn(async move {
        let hold = move |_: &mut cobro_store::Tx<'_>| {
            if let Some(entered) = entered.take() {
                entered.send(()).unwrap();
            }
            // Ends when `release` is dropped.
            let _ = held.recv();
            Err::<(), ()>(())
        };
        holder.write(LaneKey(0), hold).await
    });
    entering.await.unwrap();
    let count = commands.len();
    let sent: Vec<_> = commands.into_iter().map(tokio::spawn).collect();
    while store.waiting() < count {
        tokio::task::yield_now().await;
    }
    drop(release);
    assert_eq!(gate.await.unwrap(), Ok(Err(())));
    let mut answers = Vec::with_capacity(count);
    for answer in sent {
        answers.push(answer.await.unwrap());
    }
    answers
}

/// The merchant that most cases write for.
fn merchant() -> MerchantId {
    MerchantId(uuid::Uuid::from_u128(7))
}

fn tail(kind: &str, last: i64) -> TailRow {
    TailRow { merchant: merchant(), kind: kind.to_owned(), last }
}

fn key(kind: &str) -> (MerchantId, String) {
    (merchant(), kind.to_owned())
}

/// What is stored under a kind, read by a command.
async fn last(store: &Store, kind: &'static str) -> Option<i64> {
    let read = store.write(merchant(), move |tx| {
        let row = tx.get::<TailRow>(&key(kind))?;
        Ok::<_, TxError>(row.map(|row| row.last))
    });
    read.await.unwrap().unwrap()
}

/// Adds one to the row of a kind, which it makes when there is none.
async fn bump(store: &Store, kind: &'static str) -> Result<i64, StoreError> {
    let bumped = store.write(merchant(), move |tx| match tx.get::<TailRow>(&key(kind))? {
        Some(row) => {
            tx.save(&tail(kind, row.last + 1));
            Ok(row.last + 1)
        }
        None => {
            tx.insert(&tail(kind, 1));
            Ok::<_, TxError>(1)
        }
    });
    Ok(bumped.await?.unwrap())
}
