//! The open transaction that a use case works on.

use std::collections::HashSet;

use cobro_domain::Timestamp;
use cobro_domain::id::IdSource;
use foldhash::HashMap;

use crate::cell::{Cell, ToCell};
use crate::driver::{DbError, Driver};
use crate::error::TxError;
use crate::sql;
use crate::table::{Keeping, Key, Row, Table, decode};
use crate::writes::{Change, RowKey, Values, WriteSet};

/// What runs once the command is durable.
pub(crate) type AfterCommit = Box<dyn FnOnce() + Send>;

/// The place of a command in the order of all commits of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitOrder {
    /// The lane.
    pub lane: i64,
    /// The batch.
    pub batch: i64,
    /// The place in the batch.
    pub index: i64,
}

/// Rows of which a command may claim some: the one kind of read that is a range.
#[derive(Debug)]
pub struct Claim<R> {
    /// The query: `SELECT` all columns of the row's table, in their order.
    pub sql: &'static str,
    /// Whether a row is still due, after what this batch has changed.
    pub due: fn(&R, Timestamp) -> bool,
}

/// An open transaction, as one command of a batch sees it: its own writes, then the batch's, then
/// what the lane remembers, then the database.
///
/// Errors of the verbs are handed on with `?`; the lane keeps flags of its own, so that a command
/// that swallows one is not taken for finished.
pub struct Tx<'a> {
    pub(crate) driver: &'a mut dyn Driver,
    pub(crate) memory: &'a mut Memory,
    pub(crate) batch: WriteSet,
    pub(crate) command: WriteSet,
    pub(crate) after_commit: Vec<AfterCommit>,
    pub(crate) order: CommitOrder,
    pub(crate) now: Timestamp,
    pub(crate) failed: Option<TxError>,
    /// In the mode that proves commands re-runnable: rows that may be read without `Again`.
    pub(crate) fetched: Option<HashSet<RowKey>>,
    pub(crate) again: bool,
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("order", &self.order).field("now", &self.now).finish()
    }
}

impl Tx<'_> {
    /// The time of this batch. It never runs backwards on one lane.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Where this command stands in the order of commits.
    pub fn order(&self) -> CommitOrder {
        self.order
    }

    /// A source of ids for this command. `seed` is drawn before the command is handed over, so
    /// that running it again gives the same ids.
    pub fn ids(&self, seed: [u8; 16]) -> IdSource {
        IdSource::new(self.now, u16::try_from(self.order.index).unwrap_or(u16::MAX), seed)
    }

    /// The row with this key.
    ///
    /// # Errors
    /// [`TxError`], to be handed on.
    pub fn get<R: Row>(&mut self, key: &R::Key) -> Result<Option<R>, TxError> {
        let row = RowKey { table: R::TABLE, key: key.key_cells().into() };
        if let Some(change) = self.command.find(&row).or_else(|| self.batch.find(&row)) {
            return change.row().map(decode).transpose().map_err(|e| self.fail(e.into()));
        }
        if let Some(fetched) = &mut self.fetched
            && fetched.insert(row.clone())
        {
            self.again = true;
            return Err(TxError::Again);
        }
        let cells = match self.memory.recall(&row) {
            Some(known) => known,
            None => self.fetch(row)?,
        };
        cells.map(decode).transpose().map_err(|e| self.fail(e.into()))
    }

    /// Adds a row that must not exist yet. Look a key up first where a client controls it: a row
    /// that is there is an error of the whole command.
    pub fn insert<R: Row>(&mut self, row: &R) {
        self.put::<R>(row.cells(), Change::Insert);
    }

    /// Gives a row that exists new values.
    pub fn save<R: Row>(&mut self, row: &R) {
        self.put::<R>(row.cells(), Change::Update);
    }

    /// Removes a row that exists.
    pub fn delete<R: Row>(&mut self, key: &R::Key) {
        self.command.put(RowKey { table: R::TABLE, key: key.key_cells().into() }, Change::Delete);
    }

    /// Rows that are due, by an index, as this batch leaves them. Rows that this batch has added
    /// are not among them; the next claim finds those.
    ///
    /// # Errors
    /// [`TxError`], to be handed on.
    pub fn claim<R: Row>(&mut self, claim: &Claim<R>, limit: i64) -> Result<Vec<R>, TxError> {
        let params = [self.order.lane.to_cell(), self.now.to_cell(), limit.to_cell()];
        let rows = self.driver.query(claim.sql, &params).map_err(|e| self.fail_db(e))?;
        let mut due = Vec::with_capacity(rows.len());
        for cells in rows {
            let key = cells.iter().take(R::TABLE.key).cloned().collect();
            let row = RowKey { table: R::TABLE, key };
            let change = self.command.find(&row).or_else(|| self.batch.find(&row));
            let cells = match change {
                None => Some(cells.into()),
                Some(change) => change.row().cloned(),
            };
            if let Some(cells) = cells {
                let row: R = decode(cells).map_err(|e| self.fail(e.into()))?;
                if (claim.due)(&row, self.now) {
                    due.push(row);
                }
            }
        }
        Ok(due)
    }

    /// Runs `action` once the command is durable, on the lane's thread: wake-ups, nothing slow.
    pub fn after_commit(&mut self, action: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(action));
    }

    fn put<R: Row>(&mut self, cells: Vec<Cell>, change: fn(Values) -> Change) {
        let key = cells.iter().take(R::TABLE.key).cloned().collect();
        self.command.put(RowKey { table: R::TABLE, key }, change(cells.into()));
    }

    fn fetch(&mut self, row: RowKey) -> Result<Option<Values>, TxError> {
        let text = self.memory.select(row.table);
        let rows = self.driver.query(&text, &row.key).map_err(|e| self.fail_db(e))?;
        let found = rows.into_iter().next().map(Values::from);
        self.memory.remember(row, found.clone());
        Ok(found)
    }

    fn fail_db(&mut self, error: DbError) -> TxError {
        let text = match error {
            DbError::Conflict(table) => format!("conflict in {table}"),
            DbError::Failed(text) => text,
        };
        self.fail(TxError::Database(text))
    }

    fn fail(&mut self, error: TxError) -> TxError {
        self.failed = Some(error.clone());
        error
    }
}

/// How many rows a lane remembers in each of two generations.
const REMEMBERED_ROWS_MAX: usize = 12_288;

/// What a lane remembers of its rows from batch to batch. Nobody else writes them; the number of
/// the lane's batch tells whether somebody did after all, and then everything is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    young: HashMap<RowKey, Option<Values>>,
    old: HashMap<RowKey, Option<Values>>,
    selects: HashMap<&'static str, std::sync::Arc<str>>,
    last_batch: Option<i64>,
}

impl Memory {
    /// Forgets everything when the batch that begins does not follow the last one of ours.
    pub(crate) fn begin(&mut self, batch: i64) {
        if self.last_batch.is_none_or(|last| last + 1 != batch) {
            self.forget();
        }
    }

    /// The batch is durable: the next one of ours follows it.
    pub(crate) fn committed(&mut self, batch: i64, writes: &mut WriteSet) {
        self.last_batch = Some(batch);
        for (key, change) in writes.drain() {
            let cells = match change {
                Change::Insert(cells) | Change::Update(cells) => Some(cells),
                Change::Delete => None,
                Change::Nothing => continue,
            };
            self.remember(key, cells);
        }
    }

    /// The batch was dropped, and its number with it.
    pub(crate) fn dropped(&mut self, batch: i64) {
        self.last_batch = Some(batch - 1);
    }

    pub(crate) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
        self.last_batch = None;
    }

    fn recall(&mut self, row: &RowKey) -> Option<Option<Values>> {
        if let Some(known) = self.young.get(row) {
            return Some(known.clone());
        }
        let (key, known) = self.old.remove_entry(row)?;
        self.remember(key, known.clone());
        Some(known)
    }

    fn remember(&mut self, row: RowKey, cells: Option<Values>) {
        if row.table.keeping != Keeping::Remembered {
            return;
        }
        if self.young.len() >= REMEMBERED_ROWS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        // The old generation may know the row too, but the young one is asked first, and takes its
        // place as a whole.
        self.young.insert(row, cells);
    }

    fn select(&mut self, table: &'static Table) -> std::sync::Arc<str> {
        self.selects.entry(table.name).or_insert_with(|| sql::select(table).into()).clone()
    }
}
