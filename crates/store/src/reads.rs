//! Reading outside the lanes: a few threads with a connection each.

use std::sync::{Arc, Mutex, PoisonError, mpsc};

use cobro_domain::Timestamp;
use foldhash::HashMap;
use tokio::sync::oneshot;

use crate::cell::Cell;
use crate::driver::{DbError, Driver};
use crate::error::StoreError;
use crate::sql;
use crate::table::{Key, Row, decode};

/// What looks rows up by key, by table.
type Texts = HashMap<&'static str, Arc<str>>;

/// A read, and who waits for it. What it found is kept by the closure, so that a reading thread
/// and its queue are the same for all of them.
struct ReadJob {
    run: Box<dyn FnOnce(&mut Reader<'_>) + Send>,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

/// A connection in a snapshot of its own.
pub struct Reader<'a> {
    driver: &'a mut dyn Driver,
    texts: &'a mut Texts,
    now: Timestamp,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("now", &self.now).finish()
    }
}

impl Reader<'_> {
    /// The world's time when the read began.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The row with this key.
    ///
    /// # Errors
    /// When the database fails or the row cannot be read.
    pub fn get<R: Row>(&mut self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let text = self.texts.entry(R::TABLE.name).or_insert_with(|| sql::select(R::TABLE).into());
        let text = Arc::clone(text);
        let rows = self.rows(&text, &key.key_cells())?;
        Ok(rows.into_iter().next().map(decode).transpose()?)
    }

    /// The rows of a query that selects all columns of the row's table, in their order.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub fn list<R: Row>(&mut self, sql: &str, params: &[Cell]) -> Result<Vec<R>, StoreError> {
        Ok(self.rows(sql, params)?.into_iter().map(decode).collect::<Result<_, _>>()?)
    }

    /// Rows of a table; `rest` is what follows `FROM table`, in the subset of SQL that both
    /// databases understand.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub fn select<R: Row>(&mut self, rest: &str, params: &[Cell]) -> Result<Vec<R>, StoreError> {
        self.list(&format!("{} {rest}", sql::select_all(R::TABLE)), params)
    }

    /// The cells of a query's rows.
    ///
    /// # Errors
    /// When the database fails.
    pub fn rows(&mut self, sql: &str, params: &[Cell]) -> Result<Vec<Vec<Cell>>, StoreError> {
        self.driver.query(sql, params).map_err(|error| match error {
            DbError::Conflict(table) => StoreError::Conflict(table),
            DbError::Failed(text) => StoreError::Database(text),
        })
    }
}

/// The reading threads.
#[derive(Clone)]
pub(crate) struct ReadPool {
    queue: mpsc::SyncSender<ReadJob>,
}

/// How many reads may wait.
const QUEUE_MAX: usize = 4096;

impl ReadPool {
    pub(crate) fn start(
        drivers: Vec<Box<dyn Driver>>,
        clock: &Arc<dyn cobro_domain::Clock>,
    ) -> Self {
        let (queue, jobs) = mpsc::sync_channel::<ReadJob>(QUEUE_MAX);
        let jobs = Arc::new(Mutex::new(jobs));
        for mut driver in drivers {
            let (jobs, clock) = (jobs.clone(), clock.clone());
            let serve = move || {
                let mut texts = Texts::default();
                loop {
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    run(driver.as_mut(), &mut texts, clock.now(), job);
                    driver.rollback();
                }
            };
            if let Err(error) = std::thread::Builder::new().name("cobro-read".into()).spawn(serve) {
                tracing::error!(%error, "a reading thread could not be started");
            }
        }
        Self { queue }
    }

    /// Hands a read to the threads; the answer comes once it is over.
    pub(crate) fn submit(
        &self,
        run: Box<dyn FnOnce(&mut Reader<'_>) + Send>,
    ) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(ReadJob { run, reply }) {
            Ok(()) => Ok(answer),
            Err(mpsc::TrySendError::Full(_)) => Err(StoreError::Busy),
            Err(mpsc::TrySendError::Disconnected(_)) => Err(StoreError::Closed),
        }
    }
}

/// Runs a read in a snapshot of its own.
fn run(driver: &mut dyn Driver, texts: &mut Texts, now: Timestamp, job: ReadJob) {
    let ReadJob { run, reply } = job;
    let read = || {
        // A lost connection is made anew once; a snapshot begins with the first query.
        if driver.begin_read().is_err() {
            driver
                .reconnect()
                .and_then(|()| driver.begin_read())
                .map_err(|error| StoreError::Database(format!("{error:?}")))?;
        }
        run(&mut Reader { driver, texts, now });
        Ok(())
    };
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    let _ = reply.send(result.unwrap_or(Err(StoreError::Panicked)));
}
