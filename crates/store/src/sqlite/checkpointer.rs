//! Copies the write-ahead log into the database beside the lane, which would stand still for it:
//! on a large database 4,000 pages are 50 ms of writing all over the file.
//!
//! A log that is being written to is never copied to its end, so it would never begin anew. Once it
//! is long, the lane copies the little that is left between two batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::driver::DbError;

/// A log of so many pages (32 MiB) should begin anew.
const LONG_LOG: i64 = 8192;

/// The lane may stand still for so many pages.
const FEW_PAGES: i64 = 512;

/// The thread that copies.
pub(super) struct Checkpointer {
    nudges: Option<SyncSender<()>>,
    rest_is_small: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts it with a connection of its own, which must be as durable as the lane's.
    pub(super) fn start(connection: Connection) -> Result<Self, DbError> {
        let (nudges, nudged) = sync_channel(1);
        let rest_is_small = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&rest_is_small);
        let thread = std::thread::Builder::new()
            .name("cobro-log".into())
            .spawn(move || run(&connection, &nudged, &told))
            .map_err(DbError::failed)?;
        Ok(Self { nudges: Some(nudges), rest_is_small, thread: Some(thread) })
    }

    /// Says that much was written. Never waits; whoever copies looks once more afterwards. Once the
    /// lane has been asked to copy the rest, nobody is in its way until it has.
    pub(super) fn nudge(&self) {
        if self.rest_is_small.load(Ordering::Acquire) {
            return;
        }
        if let Some(nudges) = &self.nudges {
            let _ = nudges.try_send(());
        }
    }

    /// Whether the lane should copy the rest of a long log now. Says so once.
    pub(super) fn rest_is_small(&self) -> bool {
        self.rest_is_small.swap(false, Ordering::AcqRel)
    }

    /// Says that the lane could not copy the rest, so that it is asked again.
    pub(super) fn ask_again(&self) {
        self.rest_is_small.store(true, Ordering::Release);
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.nudges = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, nudged: &Receiver<()>, rest_is_small: &AtomicBool) {
    while nudged.recv().is_ok() {
        match copy(connection) {
            Ok(true) => {
                // Only one can copy at a time: the lane gets its turn before the next round.
                let _ = nudged.try_recv();
                rest_is_small.store(true, Ordering::Release);
            }
            Ok(false) => {}
            // The log grows until the lane copies it itself; nothing is lost.
            Err(error) => tracing::warn!(%error, "the log could not be copied"),
        }
    }
}

/// Copies what is in the log; of a long log also what was written meanwhile. Answers whether a long
/// log should begin anew now, since little of it is left for the lane to copy.
fn copy(connection: &Connection) -> rusqlite::Result<bool> {
    let (pages, _) = checkpoint(connection)?;
    if pages < LONG_LOG {
        return Ok(false);
    }
    let (pages, copied) = checkpoint(connection)?;
    Ok(pages - copied <= FEW_PAGES)
}

/// Copies as much of the log as no reader still needs there. Waits for nobody. Answers how many
/// pages the log has and how many of them are copied; both are negative when another connection is
/// copying.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
    statement.query_row((), |row| Ok((row.get(1)?, row.get(2)?)))
}

#[cfg(test)]
mod tests {
    use cobro_domain::event::Event;

    use super::*;
    use crate::cell::Cell;
    use crate::conformance::database::Directory;
    use crate::conformance::row;
    use crate::driver::{Driver as _, SetWrite, WriteKind};
    use crate::rows::WORLD;
    use crate::schema::migrate;
    use crate::sqlite::{Durability, ROWS_TO_COPY, SqliteDriver, TOO_LONG_LOG, connect};
    use crate::table::Row;

    /// A database with a log, in a directory that goes when it is dropped.
    struct Logged {
        lane: Connection,
        beside: Connection,
        directory: Directory,
    }

    fn connect_in(directory: &Directory) -> Connection {
        connect(&directory.path().join("logged.sqlite"), Durability::ProcessOnly, false).unwrap()
    }

    impl Logged {
        fn new() -> Self {
            let directory = Directory::new();
            let (lane, beside) = (connect_in(&directory), connect_in(&directory));
            let logged = Self { lane, beside, directory };
            logged.lane.execute_batch("CREATE TABLE page (text TEXT NOT NULL)").unwrap();
            logged
        }

        /// Writes at least so many pages.
        fn write(&self, pages: i64) {
            let rows = "INSERT INTO page SELECT hex(zeroblob(2000)) FROM (WITH RECURSIVE \
                        n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                        SELECT i FROM n)";
            self.lane.execute(rows, (pages,)).unwrap();
        }
    }

    #[test]
    fn a_short_log_is_copied_and_left_to_grow() {
        let logged = Logged::new();
        logged.write(100);
        assert!(!copy(&logged.beside).unwrap());
        let (pages, copied) = checkpoint(&logged.beside).unwrap();
        assert!(pages >= 100 && copied == pages, "{copied} of {pages}");
    }

    #[test]
    fn a_long_log_begins_anew_once_the_lane_has_copied_the_rest() {
        let logged = Logged::new();
        logged.write(LONG_LOG);
        let reader = connect_in(&logged.directory);
        reader.execute_batch("BEGIN; SELECT COUNT(*) FROM page").unwrap();
        // What comes while the log is copied, here because a reader keeps it, is not copied.
        logged.write(10);
        assert!(copy(&logged.beside).unwrap());
        reader.execute_batch("COMMIT").unwrap();
        logged.write(10);
        let (pages, copied) = checkpoint(&logged.lane).unwrap();
        assert!(pages > LONG_LOG && copied == pages, "{copied} of {pages}");
        logged.write(10);
        let (pages, _) = checkpoint(&logged.beside).unwrap();
        assert!((10..100).contains(&pages), "{pages}");
    }

    #[test]
    fn a_reader_keeps_the_log_and_nobody_waits_for_it() {
        let logged = Logged::new();
        logged.write(10);
        let count = "SELECT COUNT(*) FROM page";
        logged.beside.execute_batch("BEGIN").unwrap();
        let before: i64 = logged.beside.query_row(count, (), |row| row.get(0)).unwrap();
        logged.write(LONG_LOG);
        let (pages, copied) = checkpoint(&logged.lane).unwrap();
        assert!(copied < pages, "{copied} of {pages}");
        // The lane is not asked to copy so much.
        assert!(!copy(&connect_in(&logged.directory)).unwrap());
        let now: i64 = logged.beside.query_row(count, (), |row| row.get(0)).unwrap();
        assert_eq!(now, before);
        logged.beside.execute_batch("COMMIT").unwrap();
        let (pages, copied) = checkpoint(&logged.lane).unwrap();
        assert_eq!(copied, pages);
    }

    #[test]
    fn the_lane_is_told_once_and_the_thread_ends_with_its_owner() {
        let logged = Logged::new();
        logged.write(LONG_LOG);
        let Logged { lane, beside, directory: _directory } = logged;
        let checkpointer = Checkpointer::start(beside).unwrap();
        checkpointer.nudge();
        let told = Arc::clone(&checkpointer.rest_is_small);
        // Dropping waits for what was asked for.
        drop(checkpointer);
        assert!(told.load(Ordering::Acquire));
        let (pages, copied) = checkpoint(&lane).unwrap();
        assert_eq!(copied, pages);
    }

    /// A driver, and who looks at its log.
    fn driven(directory: &Directory) -> (SqliteDriver, Connection) {
        let path = directory.path().join("logged.sqlite");
        let mut driver = SqliteDriver::open(&path, Durability::ProcessOnly, false).unwrap();
        migrate(&mut driver, &WORLD, 1, 0).unwrap();
        (driver, connect_in(directory))
    }

    /// How many pages the log has and how many of them are copied; copies nothing.
    fn length(observer: &Connection) -> (i64, i64) {
        let length = "PRAGMA wal_checkpoint(NOOP)";
        observer.query_row(length, (), |row| Ok((row.get(1)?, row.get(2)?))).unwrap()
    }

    #[test]
    fn a_driver_copies_the_rest_before_a_batch_when_it_is_told() {
        let directory = Directory::new();
        let (mut driver, observer) = driven(&directory);
        driver.checkpointer = Some(Checkpointer::start(connect_in(&directory)).unwrap());
        let (pages, copied) = length(&observer);
        assert!(pages > 0 && copied == 0, "{copied} of {pages}");
        driver.checkpointer.as_ref().unwrap().ask_again();
        driver.begin(0, 1).unwrap();
        assert_eq!(length(&observer), (pages, pages));
    }

    #[test]
    fn the_log_of_a_driver_that_always_writes_begins_anew() {
        let directory = Directory::new();
        let (mut driver, observer) = driven(&directory);
        let table = <Event as Row>::TABLE;
        let mut longest = 0;
        let mut at = 0_u64;
        loop {
            let rows = (0..ROWS_TO_COPY).map(|_| {
                at += 1;
                let mut cells = row(table);
                cells[0] = Cell::Bytes(at.to_be_bytes().repeat(2).into());
                *cells.last_mut().unwrap() = Cell::Text("x".repeat(3000).into());
                cells.into()
            });
            let set = SetWrite { kind: WriteKind::Insert, table, rows: rows.collect() };
            driver.begin(0, 1).unwrap();
            driver.flush(&[set]).unwrap();
            driver.commit().unwrap();
            let (pages, _) = length(&observer);
            if pages < longest {
                break;
            }
            longest = pages;
            assert!(longest < TOO_LONG_LOG, "the log does not begin anew");
        }
    }
}
