//! The SQLite driver: the bundled library, write-ahead log, full sync.

mod checkpointer;

use std::path::{Path, PathBuf};

use foldhash::HashMap;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};

use crate::cell::Cell;
use crate::driver::{Batch, DbError, Driver, LANE_BEGIN, SetWrite, WriteKind};
use crate::schema::{SQLITE, Schema, Words};
use crate::sql;

use checkpointer::{Checkpointer, checkpoint};

/// The oldest library that may be used: older ones can corrupt a database in WAL mode when two
/// connections write and checkpoint at once (reliability reference, section 2).
const OLDEST_VERSION: i32 = 3_051_003;

/// After so many rows the log is copied into the database; a row is one to three pages of the log.
const ROWS_TO_COPY: usize = 1000;

/// A log of so many pages (128 MiB) is copied by the lane itself: nobody else did.
const TOO_LONG_LOG: i64 = 32_768;

/// What the pages of a connection may take in memory, in kibibytes; taken only as they are read.
/// After a commit that parted a page in two, SQLite goes through all pages of the connection, so on
/// the lane more of them are dearer than reading one again from the memory of the system.
const LANE_CACHE_KIB: i64 = 16_384;
const READER_CACHE_KIB: i64 = 65_536;

/// How durable a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives a power cut.
    Full,
    /// Survives the process being killed, not a power cut: for throw-away worlds.
    ProcessOnly,
}

pub(crate) struct SqliteDriver {
    path: PathBuf,
    durability: Durability,
    connection: Connection,
    read_only: bool,
    in_transaction: bool,
    /// Rows written since the log was last copied.
    rows_in_log: usize,
    /// There once there was much to copy.
    checkpointer: Option<Checkpointer>,
    /// What writes one row, by kind and table.
    texts: HashMap<(WriteKind, &'static str), String>,
}

impl SqliteDriver {
    /// Opens a database file; the writing connection makes it when it is not there.
    pub(crate) fn open(
        path: &Path,
        durability: Durability,
        read_only: bool,
    ) -> Result<Self, DbError> {
        if rusqlite::version_number() < OLDEST_VERSION {
            return Err(DbError::Failed(format!("SQLite {} is too old", rusqlite::version())));
        }
        let connection = connect(path, durability, read_only).map_err(DbError::failed)?;
        Ok(Self {
            path: path.to_owned(),
            durability,
            connection,
            read_only,
            in_transaction: false,
            rows_in_log: 0,
            checkpointer: None,
            texts: HashMap::default(),
        })
    }

    /// Runs a statement that is prepared once for the connection.
    fn run(&self, text: &str) -> Result<(), DbError> {
        let mut statement = self.connection.prepare_cached(text).map_err(DbError::failed)?;
        statement.execute(()).map(|_| ()).map_err(DbError::failed)
    }

    /// Copies what is left of a long log, so that the next batch begins it anew.
    fn finish_log(&self) {
        let Some(checkpointer) = &self.checkpointer else { return };
        if !checkpointer.rest_is_small() {
            return;
        }
        match checkpoint(&self.connection) {
            Ok((pages, _)) if pages < 0 => checkpointer.ask_again(),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the rest of the log could not be copied"),
        }
    }

    /// Has the log copied when much was written.
    fn copy_log(&mut self) -> Result<(), DbError> {
        if self.rows_in_log < ROWS_TO_COPY {
            return Ok(());
        }
        self.rows_in_log = 0;
        if self.checkpointer.is_none() {
            let beside = connect(&self.path, self.durability, false).map_err(DbError::failed)?;
            self.checkpointer = Some(Checkpointer::start(beside)?);
        }
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.nudge();
        }
        Ok(())
    }
}

fn connect(path: &Path, durability: Durability, read_only: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if read_only {
        flags |= OpenFlags::SQLITE_OPEN_READ_ONLY;
    } else {
        flags |= OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::ProcessOnly => "OFF",
    };
    connection.set_prepared_statement_cache_capacity(128);
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    if !read_only {
        // First, since making a log syncs, too.
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", TOO_LONG_LOG)?;
    }
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let cache_kib = if read_only { READER_CACHE_KIB } else { LANE_CACHE_KIB };
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    Ok(connection)
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Self::Bytes(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
        })
    }
}

fn cell(value: ValueRef<'_>) -> Result<Cell, DbError> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Int(value),
        ValueRef::Text(bytes) => {
            Cell::Text(std::str::from_utf8(bytes).map_err(DbError::failed)?.into())
        }
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.into()),
        ValueRef::Real(_) => return Err(DbError::Failed("a column holds a real".to_owned())),
    })
}

/// Whether a row broke a constraint: unique, check, not null, or the type of a strict column.
fn is_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

impl Driver for SqliteDriver {
    fn begin(&mut self, lane: i64, now: i64) -> Result<Batch, DbError> {
        self.rollback();
        self.finish_log();
        self.run("BEGIN IMMEDIATE")?;
        self.in_transaction = true;
        let mut statement = self.connection.prepare_cached(LANE_BEGIN).map_err(DbError::failed)?;
        statement
            .query_row((now, lane), |row| Ok(Batch { number: row.get(0)?, at: row.get(1)? }))
            .map_err(DbError::failed)
    }

    fn begin_read(&mut self) -> Result<(), DbError> {
        self.rollback();
        self.run("BEGIN")?;
        self.in_transaction = true;
        Ok(())
    }

    fn query(&mut self, sql: &str, params: &[Cell]) -> Result<Vec<Vec<Cell>>, DbError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(DbError::failed)?;
        let columns = statement.column_count();
        let mut rows =
            statement.query(rusqlite::params_from_iter(params)).map_err(DbError::failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(DbError::failed)? {
            let mut cells = Vec::with_capacity(columns);
            for place in 0..columns {
                cells.push(cell(row.get_ref(place).map_err(DbError::failed)?)?);
            }
            found.push(cells);
        }
        Ok(found)
    }

    fn flush(&mut self, sets: &[SetWrite]) -> Result<(), DbError> {
        for set in sets {
            let text = self
                .texts
                .entry((set.kind, set.table.name))
                .or_insert_with(|| sql::write_one(set.kind, set.table));
            let mut statement = self.connection.prepare_cached(text).map_err(DbError::failed)?;
            self.rows_in_log += set.rows.len();
            for row in &set.rows {
                let key = set.table.key.min(row.len());
                let written = match set.kind {
                    WriteKind::Update => {
                        let (key, others) = row.split_at(key);
                        statement.execute(rusqlite::params_from_iter(others.iter().chain(key)))
                    }
                    WriteKind::Insert | WriteKind::Delete => {
                        statement.execute(rusqlite::params_from_iter(row.iter()))
                    }
                };
                match written {
                    Ok(1) => {}
                    Ok(_) => return Err(DbError::Conflict(set.table.name)),
                    Err(error) if is_constraint(&error) => {
                        let table = set.table.name;
                        tracing::warn!(table, %error, "rows were refused");
                        return Err(DbError::Conflict(table));
                    }
                    Err(error) => return Err(DbError::failed(error)),
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), DbError> {
        self.in_transaction = false;
        self.run("COMMIT")?;
        if let Err(error) = self.copy_log() {
            // The lane copies a log that grows too long; what was committed is durable.
            tracing::warn!(?error, "nobody copies the log");
        }
        Ok(())
    }

    fn rollback(&mut self) {
        if self.in_transaction || !self.connection.is_autocommit() {
            self.in_transaction = false;
            if let Err(error) = self.run("ROLLBACK") {
                tracing::warn!(?error, "a rollback failed");
            }
        }
    }

    fn commit_failure_is_fatal(&self) -> bool {
        true
    }

    fn reconnect(&mut self) -> Result<(), DbError> {
        self.connection =
            connect(&self.path, self.durability, self.read_only).map_err(DbError::failed)?;
        self.in_transaction = false;
        Ok(())
    }

    fn words(&self) -> &'static Words {
        &SQLITE
    }

    fn begin_migration(&mut self, _: &Schema) -> Result<(), DbError> {
        self.rollback();
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(DbError::failed)?;
        self.in_transaction = true;
        Ok(())
    }

    fn execute(&mut self, text: &str) -> Result<(), DbError> {
        self.connection.execute_batch(text).map_err(DbError::failed)
    }
}
