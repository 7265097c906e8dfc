//! The PostgreSQL driver: one connection on a runtime of its own, driven from the lane's thread.
//!
//! What a batch waits for: `BEGIN` and the lane's row together, the rows that its commands read
//! and the lane does not remember, all sets together, `COMMIT`.

mod cells;
mod link;

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, SimpleQueryMessage, Statement};

use crate::cell::Cell;
use crate::driver::{Batch, DbError, Driver, LANE_BEGIN, SetWrite, WriteKind};
use crate::schema::{POSTGRES, Schema, Words};
use crate::sql;
use crate::table::Table;
use cells::{Arrays, read_row};
pub(crate) use link::{Failure, Server};

/// Every statement of a lane looks rows up by key, so that plans that read whole tables are never
/// right, and a plan made once is right for every batch: without this, a database that was never
/// analysed runs at a quarter of its speed (`docs/decisions/0002-lanes.md`). Compiling a plan
/// costs more than running it.
const LANE_SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; \
     SET synchronous_commit = on; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '30s'";

const READER_SETTINGS: &str = "SET default_transaction_read_only = on; SET jit = off; \
     SET idle_in_transaction_session_timeout = '60s'";

/// A lane's statement that is not answered for so long never will be.
const LANE_ANSWER_MAX: Duration = Duration::from_secs(60);
/// The same for reports.
const READER_ANSWER_MAX: Duration = Duration::from_secs(600);
/// The same for a step of a migration.
const MIGRATION_ANSWER_MAX: Duration = Duration::from_secs(3600);

/// How many sets are sent before their answers are read. Few enough that `join_all` starts them
/// in their order.
const SETS_IN_FLIGHT: usize = 16;

/// How many prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 512;

/// Advisory locks live in one space per database; these are the first of their two numbers.
pub(crate) const MIGRATION_LOCK: i32 = 0x636f_6201;
pub(crate) const OWNER_LOCK: i32 = 0x636f_6202;
pub(crate) const LEADER_LOCK: i32 = 0x636f_6203;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Lane,
    Reader,
}

pub(crate) struct PostgresDriver {
    // Dropped before the runtime that drives it.
    link: Option<Link>,
    runtime: Runtime,
    server: Server,
    schema: &'static str,
    role: Role,
    answer_max: Duration,
    in_transaction: bool,
}

/// A connection and what was prepared on it.
struct Link {
    client: Client,
    statements: HashMap<String, Statement>,
    sets: HashMap<(WriteKind, &'static str), Statement>,
}

impl Link {
    async fn prepare(&mut self, text: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(text).await?;
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn prepare_set(
        &mut self,
        kind: WriteKind,
        table: &'static Table,
    ) -> Result<Statement, Failure> {
        if let Some(statement) = self.sets.get(&(kind, table.name)) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&sql::write_set(kind, table)).await?;
        self.sets.insert((kind, table.name), statement.clone());
        Ok(statement)
    }
}

impl PostgresDriver {
    /// Connects. Blocks, and must not be called on a thread that drives a runtime.
    pub(crate) fn open(url: &str, schema: &'static str, role: Role) -> Result<Self, DbError> {
        let runtime = runtime()?;
        let server = Server::new(url)?;
        let answer_max = role.answer_max();
        let mut driver =
            Self { link: None, runtime, server, schema, role, answer_max, in_transaction: false };
        driver.connect()?;
        Ok(driver)
    }

    fn connect(&mut self) -> Result<(), DbError> {
        self.link = None;
        self.in_transaction = false;
        let settings = match self.role {
            Role::Lane => LANE_SETTINGS,
            Role::Reader => READER_SETTINGS,
        };
        let setup = format!(
            "SET search_path = \"{}\"; SET client_min_messages = warning; {settings}",
            self.schema
        );
        let client = self.runtime.block_on(async {
            let connected = async {
                let client = self.server.connect().await?;
                client.batch_execute(&setup).await?;
                Ok::<_, Failure>(client)
            };
            tokio::time::timeout(LANE_ANSWER_MAX, connected)
                .await
                .unwrap_or_else(|_| Err(Failure::lost("the server does not answer")))
        })?;
        self.link = Some(Link { client, statements: HashMap::new(), sets: HashMap::new() });
        Ok(())
    }

    /// Runs `work` on the connection; drops the connection when it is lost.
    fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Link) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(link) = self.link.as_mut() else {
            return Err(Failure::lost("there is no connection"));
        };
        let limit = self.answer_max;
        let result = self.runtime.block_on(async {
            tokio::time::timeout(limit, work(link))
                .await
                .unwrap_or_else(|_| Err(Failure::lost("the server does not answer")))
        });
        if let Err(failure) = &result
            && failure.lost
        {
            self.link = None;
            self.in_transaction = false;
        }
        result
    }

    fn simple(&mut self, text: &str) -> Result<(), Failure> {
        self.run(async |link| Ok(link.client.batch_execute(text).await?))
    }

    /// The first value that a statement answers with.
    fn word(&mut self, text: &str) -> Result<Option<String>, Failure> {
        let messages = self.run(async |link| Ok(link.client.simple_query(text).await?))?;
        Ok(messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }

    fn begin_lane(&mut self, lane: i64, now: i64) -> Result<Batch, Failure> {
        self.in_transaction = true;
        let rows = self.run(async |link| {
            let statement = link.prepare(LANE_BEGIN).await?;
            let params: [&(dyn ToSql + Sync); 2] = [&now, &lane];
            // Sent in this order, answered together.
            let begin = link.client.batch_execute("BEGIN");
            let take = link.client.query(&statement, &params);
            let (began, rows) = join(begin, take).await;
            began?;
            let rows = rows?;
            let [row] = rows.as_slice() else { return Ok(None) };
            Ok(Some(Batch { number: row.try_get(0)?, at: row.try_get(1)? }))
        })?;
        rows.ok_or_else(|| Failure {
            text: format!("lane {lane} has no row"),
            code: String::new(),
            lost: false,
        })
    }

    fn flush_some(&mut self, sets: &[SetWrite]) -> Result<(), DbError> {
        let arrays = sets.iter().map(Arrays::new).collect::<Result<Vec<_>, _>>()?;
        let answers = self.run(async |link| {
            let mut statements = Vec::with_capacity(sets.len());
            for set in sets {
                statements.push(link.prepare_set(set.kind, set.table).await?);
            }
            let params: Vec<_> = arrays.iter().map(Arrays::params).collect();
            let writes = statements
                .iter()
                .zip(&params)
                .map(|(statement, params)| link.client.execute(statement, params));
            Ok(join_all(writes).await)
        })?;
        // After the first error the server refuses the rest, so the first one is the cause.
        for (answer, set) in answers.into_iter().zip(sets) {
            let table = set.table.name;
            match answer.map_err(Failure::from) {
                Ok(written) if written == set.rows.len() as u64 => {}
                Ok(_) => return Err(DbError::Conflict(table)),
                Err(failure) if failure.is_conflict() => {
                    tracing::warn!(table, error = failure.text, "rows were refused");
                    return Err(DbError::Conflict(table));
                }
                Err(failure) => {
                    if failure.lost {
                        self.link = None;
                        self.in_transaction = false;
                    }
                    return Err(failure.into());
                }
            }
        }
        Ok(())
    }
}

impl Role {
    fn answer_max(self) -> Duration {
        match self {
            Self::Lane => LANE_ANSWER_MAX,
            Self::Reader => READER_ANSWER_MAX,
        }
    }
}

/// A runtime for one connection, driven by the thread that owns it.
pub(crate) fn runtime() -> Result<Runtime, DbError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DbError::failed)
}

impl Driver for PostgresDriver {
    fn begin(&mut self, lane: i64, now: i64) -> Result<Batch, DbError> {
        self.rollback();
        if self.link.is_some() {
            match self.begin_lane(lane, now) {
                Ok(batch) => return Ok(batch),
                // Nothing was written on it yet, so a new connection can begin instead.
                Err(failure) if failure.lost => {}
                Err(failure) => {
                    self.rollback();
                    return Err(failure.into());
                }
            }
        }
        self.connect()?;
        let begun = self.begin_lane(lane, now);
        if begun.is_err() {
            self.rollback();
        }
        Ok(begun?)
    }

    fn begin_read(&mut self) -> Result<(), DbError> {
        self.rollback();
        if self.link.is_none() {
            self.connect()?;
        }
        self.in_transaction = true;
        Ok(self.simple("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?)
    }

    fn query(&mut self, sql: &str, params: &[Cell]) -> Result<Vec<Vec<Cell>>, DbError> {
        let rows = self.run(async |link| {
            let statement = link.prepare(sql).await?;
            let params: Vec<_> = params.iter().map(|cell| cell as &(dyn ToSql + Sync)).collect();
            Ok(link.client.query(&statement, &params).await?)
        })?;
        rows.iter().map(read_row).collect()
    }

    fn flush(&mut self, sets: &[SetWrite]) -> Result<(), DbError> {
        sets.chunks(SETS_IN_FLIGHT).try_for_each(|sets| self.flush_some(sets))
    }

    fn commit(&mut self) -> Result<(), DbError> {
        let committed = self.simple("COMMIT");
        self.in_transaction = false;
        self.answer_max = self.role.answer_max();
        Ok(committed?)
    }

    fn rollback(&mut self) {
        self.answer_max = self.role.answer_max();
        if self.in_transaction {
            self.in_transaction = false;
            if let Err(failure) = self.simple("ROLLBACK") {
                tracing::warn!(error = failure.text, "a rollback failed");
                self.link = None;
            }
        }
    }

    fn commit_failure_is_fatal(&self) -> bool {
        false
    }

    fn reconnect(&mut self) -> Result<(), DbError> {
        if self.link.is_none() { self.connect() } else { Ok(()) }
    }

    fn words(&self) -> &'static Words {
        &POSTGRES
    }

    fn begin_migration(&mut self, schema: &Schema) -> Result<(), DbError> {
        self.rollback();
        self.answer_max = MIGRATION_ANSWER_MAX;
        let encoding = self.word("SHOW server_encoding")?.unwrap_or_default();
        if encoding != "UTF8" {
            return Err(DbError::Failed(format!("the database is in {encoding}, not in UTF8")));
        }
        self.in_transaction = true;
        // One process at a time; the others wait, and then find nothing left to do.
        self.simple(&format!(
            "BEGIN; SET LOCAL lock_timeout = '10min'; \
             SELECT pg_advisory_xact_lock({MIGRATION_LOCK}, 0)"
        ))?;
        let name = schema.name;
        // Asked first, since IF NOT EXISTS needs the right to create schemas even where there is
        // nothing to create.
        let exists = format!("SELECT 1 FROM pg_namespace WHERE nspname = '{name}'");
        if self.word(&exists)?.is_none() {
            self.simple(&format!("CREATE SCHEMA \"{name}\""))?;
        }
        Ok(())
    }

    fn execute(&mut self, text: &str) -> Result<(), DbError> {
        Ok(self.simple(text)?)
    }
}
