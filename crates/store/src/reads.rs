//! Reading outside the lanes: a few threads with a connection each.

use std::sync::atomic::{AtomicUsize, Ordering};
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

/// The reading threads. Each is started, and its connection opened, when there is first something to
/// read that no other thread is free for: a small world needs one, and many need none for long.
#[derive(Clone)]
pub(crate) struct ReadPool {
    queue: mpsc::SyncSender<ReadJob>,
    crew: Arc<Crew>,
}

/// Opens a connection for a reading thread.
pub(crate) type Connect = dyn Fn() -> Result<Box<dyn Driver>, DbError> + Send + Sync;

struct Crew {
    jobs: Arc<Mutex<mpsc::Receiver<ReadJob>>>,
    connect: Arc<Connect>,
    clock: Arc<dyn cobro_domain::Clock>,
    threads_max: usize,
    load: Arc<Load>,
}

/// What there is to do, and who could do it.
#[derive(Default)]
struct Load {
    /// Threads that there are.
    threads: AtomicUsize,
    /// Reads that nobody has begun.
    waiting: AtomicUsize,
    /// Threads that have nothing to do.
    free: AtomicUsize,
}

/// How many reads may wait.
const QUEUE_MAX: usize = 4096;

impl ReadPool {
    /// At most so many threads, with connections that `connect` opens.
    pub(crate) fn new(
        threads_max: usize,
        clock: Arc<dyn cobro_domain::Clock>,
        connect: Arc<Connect>,
    ) -> Self {
        let (queue, jobs) = mpsc::sync_channel(QUEUE_MAX);
        let crew = Crew {
            jobs: Arc::new(Mutex::new(jobs)),
            connect,
            clock,
            threads_max: threads_max.max(1),
            load: Arc::default(),
        };
        Self { queue, crew: Arc::new(crew) }
    }

    /// Hands a read to the threads; the answer comes once it is over.
    pub(crate) fn submit(
        &self,
        run: Box<dyn FnOnce(&mut Reader<'_>) + Send>,
    ) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let load = &self.crew.load;
        load.waiting.fetch_add(1, Ordering::SeqCst);
        if let Err(refused) = self.queue.try_send(ReadJob { run, reply }) {
            load.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(match refused {
                mpsc::TrySendError::Full(_) => StoreError::Busy,
                mpsc::TrySendError::Disconnected(_) => StoreError::Closed,
            });
        }
        if load.waiting.load(Ordering::SeqCst) > load.free.load(Ordering::SeqCst) {
            self.crew.grow()?;
        }
        Ok(answer)
    }
}

impl Crew {
    /// Starts one more thread, unless there are enough.
    fn grow(&self) -> Result<(), StoreError> {
        let Some(place) = self.place() else { return Ok(()) };
        let jobs = Arc::clone(&self.jobs);
        let (connect, clock) = (Arc::clone(&self.connect), Arc::clone(&self.clock));
        let serve = move || serve(&jobs, &place.0, connect.as_ref(), clock.as_ref());
        match std::thread::Builder::new().name("cobro-read".into()).spawn(serve) {
            Ok(_) => Ok(()),
            // The others have more to do.
            Err(error) if self.load.threads.load(Ordering::SeqCst) > 0 => {
                tracing::error!(%error, "a reading thread could not be started");
                Ok(())
            }
            Err(error) => Err(StoreError::Database(error.to_string())),
        }
    }

    /// A place for one more thread, if there is one.
    fn place(&self) -> Option<Place> {
        let more = |threads| (threads < self.threads_max).then_some(threads + 1);
        let taken = self.load.threads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        taken.is_ok().then(|| Place(Arc::clone(&self.load)))
    }
}

/// A thread's place in the crew. Should the thread die, another one takes it.
struct Place(Arc<Load>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.threads.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Reads until the store is dropped.
fn serve(
    jobs: &Mutex<mpsc::Receiver<ReadJob>>,
    load: &Load,
    connect: &Connect,
    clock: &dyn cobro_domain::Clock,
) {
    let mut texts = Texts::default();
    let mut connection: Option<Box<dyn Driver>> = None;
    loop {
        load.free.fetch_add(1, Ordering::SeqCst);
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        load.free.fetch_sub(1, Ordering::SeqCst);
        let Ok(job) = job else { return };
        load.waiting.fetch_sub(1, Ordering::SeqCst);
        let driver = match connection.take().map_or_else(connect, Ok) {
            Ok(driver) => connection.insert(driver),
            Err(error) => {
                let _ = job.reply.send(Err(StoreError::Database(format!("{error:?}"))));
                continue;
            }
        };
        run(driver.as_mut(), &mut texts, clock.now(), job);
        driver.rollback();
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Noon;

    impl cobro_domain::Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(0)
        }
    }

    async fn read(pool: &ReadPool) -> Result<(), StoreError> {
        pool.submit(Box::new(|_| ()))?.await.unwrap_or(Err(StoreError::Closed))
    }

    #[tokio::test]
    async fn a_thread_that_died_is_replaced() {
        let opened = AtomicUsize::new(0);
        let connect = move || match opened.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("the first connection breaks its thread"),
            _ => Err(DbError::Failed("no database".to_owned())),
        };
        let pool = ReadPool::new(1, Arc::new(Noon), Arc::new(connect));
        assert!(matches!(read(&pool).await, Err(StoreError::Closed)));
        while pool.crew.load.threads.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
        for _ in 0..3 {
            let found = read(&pool).await;
            assert!(
                matches!(&found, Err(StoreError::Database(text)) if text.contains("no database"))
            );
        }
    }
}
