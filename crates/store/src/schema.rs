//! Schemas: the tables of a store and the numbered steps that lead to them.

use crate::cell::Cell;
use crate::driver::{DbError, Driver};
use crate::table::Table;

/// A set of tables that belong together.
#[derive(Debug)]
pub struct Schema {
    /// Its name: the schema's name on PostgreSQL.
    pub name: &'static str,
    /// Its tables, as the newest version has them.
    pub tables: &'static [&'static Table],
    /// The steps, oldest first. A step is never changed once it was released; new ones add.
    pub migrations: &'static [Migration],
}

/// One step: plain statements that add, and that can be run again.
#[derive(Debug)]
pub struct Migration {
    /// Its number: one more than the one before.
    pub number: i64,
    /// The statements, separated by `;`. `{int}`, `{text}`, `{bytes}` and `{table}` (the words
    /// after the closing parenthesis of a table) stand for what differs between the databases.
    pub sql: &'static str,
}

/// What every store has besides its schema's own tables.
pub(crate) const COMMON: &str = "
CREATE TABLE IF NOT EXISTS lane (
    id {int} NOT NULL PRIMARY KEY, batch {int} NOT NULL, at {int} NOT NULL
) {table};
CREATE TABLE IF NOT EXISTS migration (
    number {int} NOT NULL PRIMARY KEY, applied_at {int} NOT NULL
) {table};
CREATE TABLE IF NOT EXISTS meta (
    name {text} NOT NULL PRIMARY KEY, value {int} NOT NULL
) {table}";

/// The words that differ between the databases.
pub(crate) struct Words {
    pub(crate) int: &'static str,
    pub(crate) text: &'static str,
    pub(crate) bytes: &'static str,
    pub(crate) table: &'static str,
}

/// SQLite: strict types, and rows that live in their primary key.
pub(crate) const SQLITE: Words =
    Words { int: "INTEGER", text: "TEXT", bytes: "BLOB", table: "WITHOUT ROWID, STRICT" };

/// PostgreSQL: text collates by byte.
pub(crate) const POSTGRES: Words =
    Words { int: "BIGINT", text: "TEXT COLLATE \"C\"", bytes: "BYTEA", table: "" };

impl Words {
    /// The statements of a step with this database's words.
    pub(crate) fn fill(&self, sql: &str) -> Vec<String> {
        let filled = sql
            .replace("{int}", self.int)
            .replace("{text}", self.text)
            .replace("{bytes}", self.bytes)
            .replace("{table}", self.table);
        filled.split(';').map(str::trim).filter(|text| !text.is_empty()).map(String::from).collect()
    }
}

/// Brings a database to the schema's newest version and makes the lane rows: in one transaction,
/// so that a migration that is killed has not happened (F58).
pub(crate) fn migrate(
    driver: &mut dyn Driver,
    schema: &Schema,
    lanes: i64,
    now: i64,
) -> Result<(), DbError> {
    let done = steps(driver, schema, lanes, now);
    if done.is_err() {
        driver.rollback();
    }
    done
}

fn steps(driver: &mut dyn Driver, schema: &Schema, lanes: i64, now: i64) -> Result<(), DbError> {
    driver.begin_migration(schema)?;
    let words = driver.words();
    for statement in words.fill(COMMON) {
        driver.execute(&statement)?;
    }
    let applied = number(driver, "SELECT COALESCE(MAX(number), 0) FROM migration")?;
    if schema.migrations.last().is_some_and(|last| last.number < applied) {
        return Err(DbError::Failed(format!(
            "the database is at version {applied}, newer than this program"
        )));
    }
    for migration in schema.migrations.iter().filter(|step| step.number > applied) {
        for statement in words.fill(migration.sql) {
            driver.execute(&statement)?;
        }
        let number = migration.number;
        driver.execute(&format!("INSERT INTO migration VALUES ({number}, {now})"))?;
    }
    if number(driver, "SELECT COUNT(*) FROM lane")? == 0 {
        for lane in 0..lanes {
            driver.execute(&format!("INSERT INTO lane VALUES ({lane}, 0, {now})"))?;
        }
    }
    driver.commit()
}

fn number(driver: &mut dyn Driver, query: &str) -> Result<i64, DbError> {
    let rows = driver.query(query, &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(Cell::Int(number)) => Ok(*number),
        _ => Err(DbError::Failed(format!("no number: {query}"))),
    }
}
