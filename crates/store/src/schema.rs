//! Schemas: the tables of a store and the numbered steps that lead to them.

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
