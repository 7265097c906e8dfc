//! A store: lanes to write, threads to read, one schema, one clock.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cobro_domain::{Clock, MerchantId, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::cell::Cell;
use crate::driver::{DbError, Driver};
use crate::error::StoreError;
use crate::lane::{Job, Lane, LaneCounters, QUEUE_MAX, Shared, Verdict};
pub use crate::lock::DirectoryLock;
use crate::postgres::{PostgresDriver, Role};
use crate::reads::{ReadPool, Reader};
use crate::schema::{Schema, migrate};
pub use crate::sqlite::Durability;
use crate::sqlite::SqliteDriver;
use crate::tx::{Memory, Tx};

/// Where a store lives.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// How durable its commits are.
        durability: Durability,
    },
    /// A PostgreSQL database; the schema's tables live in a schema of its name.
    Postgres {
        /// `postgres://user:password@host:port/database`. With `?sslmode=require` the connection
        /// is encrypted and the server's certificate checked; without, it is plain.
        url: String,
    },
}

impl std::fmt::Debug for Location {
    /// Without the URL, which holds a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { path, .. } => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres { .. } => f.write_str("Postgres"),
        }
    }
}

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Where it lives.
    pub location: Location,
    /// How many lanes a new store gets; one that exists keeps its number.
    pub lanes: i64,
    /// How many threads read at most.
    pub readers: usize,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Answers `Again` at the first read of every row: proves that commands can be run again.
    pub prove_rerunnable: bool,
}

/// Which lane a command belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneKey(pub u8);

impl From<MerchantId> for LaneKey {
    /// A merchant's slot is the last byte of its id; a slot always maps to the same lane.
    fn from(merchant: MerchantId) -> Self {
        Self(merchant.0.as_bytes().last().copied().unwrap_or(0))
    }
}

/// A store. Cheap to clone; closed when the last clone is dropped.
#[derive(Clone)]
pub struct Store {
    lanes: Arc<[LaneHandle]>,
    reads: ReadPool,
    clock: Arc<dyn Clock>,
}

struct LaneHandle {
    queue: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("lanes", &self.lanes.len()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a store, makes it or brings it to the newest version first, and starts its threads.
    ///
    /// Blocks until it is done; may be called from asynchronous code.
    ///
    /// # Errors
    /// When the database cannot be reached, is newer than this program, or fails.
    pub fn open(schema: &'static Schema, options: &Options) -> Result<Self, StoreError> {
        // A driver may bring a runtime of its own, which cannot run on a thread that has one.
        std::thread::scope(|scope| scope.spawn(|| Self::open_here(schema, options)).join())
            .unwrap_or(Err(StoreError::Panicked))
    }

    /// Makes an empty store of one lane as a SQLite file and closes it: the file is complete, so that
    /// copies of it are empty stores, too. Blocks until it is done.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn make_file(
        schema: &'static Schema,
        path: &Path,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (path, durability) = (path.to_owned(), Durability::ProcessOnly);
        let location = Location::Sqlite { path, durability };
        let mut driver = connect(schema, &location, false).map_err(refused)?;
        migrate(driver.as_mut(), schema, 1, now.micros()).map_err(refused)
    }

    /// Opens a store that exists, to read it only, also while a server runs on it. Commands are
    /// answered [`StoreError::Closed`].
    ///
    /// # Errors
    /// When there is no such store, or it is of another version than this program.
    pub fn open_to_read(schema: &'static Schema, options: &Options) -> Result<Self, StoreError> {
        std::thread::scope(|scope| scope.spawn(|| Self::readers_only(schema, options)).join())
            .unwrap_or(Err(StoreError::Panicked))
    }

    fn readers_only(schema: &'static Schema, options: &Options) -> Result<Self, StoreError> {
        if let Location::Sqlite { path, .. } = &options.location
            && !path.exists()
        {
            let missing = format!("{}: there is no such database", path.display());
            return Err(StoreError::Database(missing));
        }
        let mut reader = connect(schema, &options.location, true).map_err(refused)?;
        let versions = reader.query(NEWEST_VERSION, &[]).map_err(refused)?;
        let found = versions.first().and_then(|row| row.first());
        let expected = schema.migrations.last().map_or(0, |last| last.number);
        if found != Some(&crate::cell::Cell::Int(expected)) {
            let text = format!("the database is not at version {expected} of {}", schema.name);
            return Err(StoreError::Database(text));
        }
        let reads = readers(schema, options);
        Ok(Self { lanes: Arc::new([]), reads, clock: options.clock.clone() })
    }

    fn open_here(schema: &'static Schema, options: &Options) -> Result<Self, StoreError> {
        let mut first = connect(schema, &options.location, false).map_err(refused)?;
        let now = options.clock.now().micros();
        migrate(first.as_mut(), schema, options.lanes.max(1), now).map_err(refused)?;
        let lanes = first.query("SELECT id, at FROM lane ORDER BY id", &[]).map_err(refused)?;
        first.rollback();
        let mut first = Some(first);
        let mut handles = Vec::with_capacity(lanes.len());
        for (number, row) in lanes.iter().enumerate() {
            let driver = match first.take() {
                Some(driver) => driver,
                None => connect(schema, &options.location, false).map_err(refused)?,
            };
            let lane = start_lane(i64::try_from(number).unwrap_or(0), driver, options)?;
            if let Some(Cell::Int(at)) = row.get(1) {
                lane.shared.last_at.store(*at, Ordering::Release);
            }
            handles.push(lane);
        }
        let reads = readers(schema, options);
        Ok(Self { lanes: handles.into(), reads, clock: options.clock.clone() })
    }

    /// Runs a command on the lane of `key` and answers once it is durable. The inner result is
    /// the command's own; when it is an error, nothing that it wrote stays.
    ///
    /// # Errors
    /// [`StoreError`] when the command could not be run or made durable.
    pub async fn write<T, E, F>(
        &self,
        key: impl Into<LaneKey>,
        command: F,
    ) -> Result<Result<T, E>, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let kept = Arc::new(Mutex::new(None));
        let (mut command, result) = (command, Arc::clone(&kept));
        let run = move |tx: &mut Tx<'_>| {
            let done = command(tx);
            let verdict = if done.is_ok() { Verdict::Done } else { Verdict::Refused };
            *lock(&result) = Some(done);
            verdict
        };
        self.submit(key.into(), Box::new(run))?.await.map_err(|_| StoreError::Closed)??;
        let done = lock(&kept).take();
        done.ok_or(StoreError::Panicked)
    }

    fn submit(
        &self,
        key: LaneKey,
        run: Box<dyn FnMut(&mut Tx<'_>) -> Verdict + Send>,
    ) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let handle = self.lanes.get(self.lane_of(key)).ok_or(StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        match handle.queue.try_send(Job { run, reply }) {
            Ok(()) => Ok(answer),
            Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(StoreError::Closed),
        }
    }

    /// Reads in a fresh snapshot: what was acknowledged before is seen.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let kept = Arc::new(Mutex::new(None));
        let result = Arc::clone(&kept);
        let run = move |reader: &mut Reader<'_>| *lock(&result) = Some(read(reader));
        self.reads.submit(Box::new(run))?.await.map_err(|_| StoreError::Closed)??;
        let found = lock(&kept).take();
        found.unwrap_or(Err(StoreError::Panicked))
    }

    /// How many lanes there are.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The number of the lane that serves a key.
    pub fn lane_of(&self, key: LaneKey) -> usize {
        usize::from(key.0) % self.lanes.len().max(1)
    }

    /// A key that is served by the lane with this number.
    pub fn key_of(lane: usize) -> LaneKey {
        LaneKey(u8::try_from(lane).unwrap_or(0))
    }

    /// Whether nothing can be written any more, after a failed commit.
    pub fn is_stopped(&self) -> bool {
        self.lanes.iter().any(|lane| lane.shared.stopped.load(Ordering::Acquire))
    }

    /// The counters of each lane.
    pub fn counters(&self) -> impl Iterator<Item = &LaneCounters> {
        self.lanes.iter().map(|lane| &lane.shared.counters)
    }

    /// How many commands wait, on all lanes.
    pub fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| QUEUE_MAX - lane.queue.capacity()).sum()
    }

    /// The store's time: the clock's, but never before what was committed last.
    pub fn now(&self) -> Timestamp {
        let last = self.lanes.iter().map(|lane| lane.shared.last_at.load(Ordering::Acquire)).max();
        Timestamp::from_micros(self.clock.now().micros().max(last.unwrap_or(0)))
    }
}

/// A result's place. It is written whole, so one that a panic poisoned is still good.
fn lock<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

const NEWEST_VERSION: &str = "SELECT COALESCE(MAX(number), 0) FROM migration";

fn start_lane(
    number: i64,
    driver: Box<dyn Driver>,
    options: &Options,
) -> Result<LaneHandle, StoreError> {
    let (queue, jobs) = mpsc::channel(QUEUE_MAX);
    let shared = Arc::new(Shared::default());
    let lane = Lane {
        number,
        driver,
        queue: jobs,
        clock: options.clock.clone(),
        shared: shared.clone(),
        memory: Memory::default(),
        prove_rerunnable: options.prove_rerunnable,
    };
    std::thread::Builder::new()
        .name(format!("cobro-lane-{number}"))
        .spawn(move || lane.run())
        .map_err(|error| StoreError::Database(error.to_string()))?;
    Ok(LaneHandle { queue, shared })
}

fn readers(schema: &'static Schema, options: &Options) -> ReadPool {
    let location = options.location.clone();
    let connect = move || connect(schema, &location, true);
    ReadPool::new(options.readers, options.clock.clone(), Arc::new(connect))
}

fn connect(
    schema: &'static Schema,
    location: &Location,
    read_only: bool,
) -> Result<Box<dyn Driver>, DbError> {
    match location {
        Location::Sqlite { path, durability } => {
            if let Some(directory) = path.parent().filter(|directory| *directory != Path::new("")) {
                std::fs::create_dir_all(directory).map_err(DbError::failed)?;
            }
            Ok(Box::new(SqliteDriver::open(path, *durability, read_only)?))
        }
        Location::Postgres { url } => {
            let role = if read_only { Role::Reader } else { Role::Lane };
            Ok(Box::new(PostgresDriver::open(url, schema.name, role)?))
        }
    }
}

fn refused(error: DbError) -> StoreError {
    match error {
        DbError::Conflict(table) => StoreError::Conflict(table),
        DbError::Failed(text) => StoreError::Database(text),
    }
}
