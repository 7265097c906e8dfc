//! What a database must be able to do for a lane and for a reader.

use crate::cell::Cell;
use crate::schema::{Schema, Words};
use crate::table::Table;
use crate::writes::Values;

/// How a set of rows is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum WriteKind {
    /// Rows that exist get new values. Flushed before inserts, so that what one command frees
    /// another can take in the same batch.
    Update,
    /// Rows that exist go.
    Delete,
    /// Rows that must not exist yet.
    Insert,
}

/// Rows of one table that are written together, sorted by key.
#[derive(Debug)]
pub(crate) struct SetWrite {
    pub(crate) kind: WriteKind,
    pub(crate) table: &'static Table,
    /// Whole rows; for [`WriteKind::Delete`] keys only.
    pub(crate) rows: Vec<Values>,
}

/// The batch that a lane has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    /// Its number; the next one of the same lane is one higher, whoever runs it.
    pub(crate) number: i64,
    /// The time of every command in it, in microseconds.
    pub(crate) at: i64,
}

/// What a database says when something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DbError {
    /// Fewer rows were written than there should have been, or one broke a constraint.
    Conflict(&'static str),
    /// A failure; the transaction is over.
    Failed(String),
}

impl DbError {
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// One connection.
pub(crate) trait Driver: Send {
    /// Opens a transaction and takes the lane's row.
    fn begin(&mut self, lane: i64, now: i64) -> Result<Batch, DbError>;

    /// Opens a snapshot for reading.
    fn begin_read(&mut self) -> Result<(), DbError>;

    /// The rows of a query whose columns are integers, text and bytes.
    fn query(&mut self, sql: &str, params: &[Cell]) -> Result<Vec<Vec<Cell>>, DbError>;

    /// Writes the sets in their order; every row must be met exactly once.
    fn flush(&mut self, sets: &[SetWrite]) -> Result<(), DbError>;

    /// Makes the transaction durable.
    fn commit(&mut self) -> Result<(), DbError>;

    /// Drops the transaction; also when there is none.
    fn rollback(&mut self);

    /// Whether a commit that fails means that nothing may be written any more (SQLite), or that
    /// the connection was lost and can be made anew (PostgreSQL).
    fn commit_failure_is_fatal(&self) -> bool;

    /// Makes a lost connection anew.
    fn reconnect(&mut self) -> Result<(), DbError>;

    /// The words that this database uses where they differ.
    fn words(&self) -> &'static Words;

    /// Opens a transaction that no other process migrates in.
    fn begin_migration(&mut self, schema: &Schema) -> Result<(), DbError>;

    /// Runs one statement without parameters or result: steps of migrations.
    fn execute(&mut self, text: &str) -> Result<(), DbError>;
}

/// Takes a lane's row for the batch that begins; parameters: the time, the lane. The number grows by
/// one and the time grows, whatever the clock says.
pub(crate) const LANE_BEGIN: &str = "UPDATE lane SET batch = batch + 1, \
     at = CASE WHEN at + 1 > $1 THEN at + 1 ELSE $1 END WHERE id = $2 RETURNING batch, at";
