//! A database with very many payments, made from one real payment: its rows are copied with other
//! ids, numbers and times, straight into the file. It takes a while, so it is kept and lent to the
//! next run.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cobro_domain::time::Day;
use cobro_store::rows::WORLD;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::inside::Counter;
use crate::process::copy_files;
use crate::stock::{self, Place, SELLERS};

/// The tables that a payment writes to, by the merchant that it belongs to.
const TABLES: [&str; 5] = ["intent", "payment", "entry", "event", "idempotency"];

/// Raised when what is filled in changes.
const VERSION: u32 = 1;

/// Over how many microseconds of the past the payments are spread: twenty hours.
const SPAN_US: i64 = 20 * 3600 * 1_000_000;

/// A filled database, in use by one run.
pub(crate) struct Lent {
    kept: PathBuf,
    used: PathBuf,
}

impl Lent {
    /// The data directory.
    pub(crate) fn path(&self) -> &Path {
        &self.used
    }

    /// Keeps it for the next run. Without this it is made anew, since a run that was cut off may
    /// have left terminals that are not free.
    pub(crate) fn give_back(self) -> anyhow::Result<()> {
        let _ = std::fs::remove_file(self.used.join("address"));
        Ok(std::fs::rename(&self.used, &self.kept)?)
    }
}

/// A kept file is on the disk alone; the one that it is compared with was just written, and is in
/// the system's memory.
fn read_once(path: &Path) -> anyhow::Result<()> {
    std::io::copy(&mut std::fs::File::open(path)?, &mut std::io::sink())?;
    Ok(())
}

/// A data directory with `payments` payments, spread evenly over the many sellers.
pub(crate) fn lend(
    runtime: &tokio::runtime::Runtime,
    work: &Path,
    payments: usize,
) -> anyhow::Result<Lent> {
    let mut schema = DefaultHasher::new();
    (VERSION, payments, stock::TILLS_EACH).hash(&mut schema);
    WORLD.migrations.iter().for_each(|step| step.sql.hash(&mut schema));
    let name = format!("filled-{payments}-{:016x}", schema.finish());
    let (kept, used) = (work.join(&name), work.join(format!("{name}-in-use")));
    if used.exists() {
        std::fs::remove_dir_all(&used)?;
    }
    if kept.exists() {
        std::fs::rename(&kept, &used)?;
        read_once(&used.join("cobro.sqlite"))?;
        return Ok(Lent { kept, used });
    }
    eprintln!("Storing {payments} payments; kept for the next run …");
    let making = work.join(format!("{name}-making"));
    if making.exists() {
        std::fs::remove_dir_all(&making)?;
    }
    let tills = stock::make_data(runtime, &making)?;
    runtime.block_on(async {
        let world = Place::sqlite(&making).open(None).await?;
        Counter::new(&world, tills.spread.get(..1).unwrap_or_default()).await?.sample().await?;
        world.drain().await;
        Ok::<_, anyhow::Error>(())
    })?;
    stock::settle(&making)?;
    fill(&making, payments).context("filling the database")?;
    std::fs::create_dir_all(&used)?;
    copy_files(&making, &used)?;
    std::fs::remove_dir_all(&making)?;
    Ok(Lent { kept, used })
}

/// One table of the sample.
struct Sample {
    insert: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// Turns the sample's rows into those of another payment.
struct Copies {
    merchant: Vec<u8>,
    /// The ids in the sample, other than the merchant's, as bytes and as text.
    ids: Vec<(Vec<u8>, String)>,
    number: String,
    at_us: i64,
}

/// Which payment a copy is.
struct Copy<'a> {
    merchant: &'a [u8],
    /// From 1; the sample is 0.
    n: i64,
    /// Among those of its merchant.
    ordinal: i64,
    at_us: i64,
}

fn fill(data: &Path, payments: usize) -> anyhow::Result<()> {
    let mut world = Connection::open(data.join("cobro.sqlite"))?;
    let merchants = column(
        &world,
        "SELECT id FROM merchant WHERE name LIKE 'Kiosco _%' AND public_id >= '3' ORDER BY id",
    )?;
    anyhow::ensure!(merchants.len() == SELLERS, "{} sellers", merchants.len());
    let owner = column(&world, "SELECT merchant FROM payment")?;
    let owner = owner.first().context("there is no sample")?.clone();
    let samples: Vec<Sample> =
        TABLES.iter().map(|table| sample(&world, table, &owner)).collect::<anyhow::Result<_>>()?;
    let copies = Copies::of(&samples, &owner)?;
    let each = payments / SELLERS;
    let last = stock::now().micros();
    let plan = |place: usize, turn: usize| -> anyhow::Result<(i64, i64)> {
        let n = i64::try_from(turn * SELLERS + place)?;
        Ok((n, last - SPAN_US + SPAN_US / i64::try_from(payments)? * n))
    };
    quick(&world)?;
    let indexes = take_indexes(&world)?;
    let transaction = world.transaction()?;
    for (place, merchant) in merchants.iter().enumerate() {
        for turn in 0..each {
            let (n, at_us) = plan(place, turn)?;
            let ordinal = i64::try_from(turn)? + 2;
            let one = Copy { merchant, n: n + 1, ordinal, at_us };
            for sample in &samples {
                let mut insert = transaction.prepare_cached(&sample.insert)?;
                for row in &sample.rows {
                    let cells = row.iter().zip(&sample.columns);
                    let cells = cells.map(|(cell, name)| copies.cell(cell, name, &one));
                    insert.execute(rusqlite::params_from_iter(cells))?;
                }
            }
        }
    }
    let ordinal = i64::try_from(each)? + 2;
    transaction.execute("DELETE FROM tail WHERE kind = 'payment'", [])?;
    for merchant in &merchants {
        let tail = "INSERT INTO tail (merchant, kind, last) VALUES (?1, 'payment', ?2)";
        transaction.execute(tail, (merchant, ordinal))?;
    }
    let next = i64::try_from(payments)? + 10;
    transaction.execute("UPDATE counter SET next = next + ?1", [next])?;
    transaction.commit()?;
    for text in indexes {
        world.execute_batch(&text)?;
    }
    fill_book(data, payments, &merchants)
}

/// The day on which all of them are paid out.
pub(crate) const SETTLED_ON: Day = Day(20_000);

/// Gives the merchant of the one stored payment very many, a millisecond apart: the rows that lists
/// are made of, and nothing else. Answers which merchant that is.
pub(crate) fn fill_one(data: &Path, payments: usize) -> anyhow::Result<Vec<u8>> {
    let mut world = Connection::open(data.join("cobro.sqlite"))?;
    let merchant = column(&world, "SELECT merchant FROM payment")?;
    let merchant = merchant.first().context("there is no sample")?.clone();
    let sample = sample(&world, "payment", &merchant)?;
    let samples = [sample];
    let copies = Copies::of(&samples, &merchant)?;
    let [sample] = &samples;
    let row = sample.rows.first().context("there is no sample")?;
    let count = i64::try_from(payments)?;
    let first_us = stock::now().micros() / 1000 * 1000 - count * 1000;
    quick(&world)?;
    let indexes = take_indexes(&world)?;
    let transaction = world.transaction()?;
    transaction.execute("DELETE FROM payment", [])?;
    for n in 1..=count {
        let at_us = first_us + n * 1000;
        let one = Copy { merchant: &merchant, n, ordinal: n, at_us };
        let cells = row.iter().zip(&sample.columns);
        let cells = cells.map(|(cell, name)| copies.cell(cell, name, &one));
        let mut insert = transaction.prepare_cached(&sample.insert)?;
        insert.execute(rusqlite::params_from_iter(cells))?;
    }
    let tail = "UPDATE tail SET last = ?1 WHERE kind = 'payment' AND merchant = ?2";
    transaction.execute(tail, (count, &merchant))?;
    transaction.execute("UPDATE payment SET settles_on = ?1", [SETTLED_ON.0])?;
    transaction.commit()?;
    for text in indexes {
        world.execute_batch(&text)?;
    }
    Ok(merchant)
}

/// The acquirer's lines: one for each payment, as its trace number says.
fn fill_book(data: &Path, payments: usize, merchants: &[Vec<u8>]) -> anyhow::Result<()> {
    let mut book = Connection::open(data.join("cobro.acquirer.sqlite"))?;
    let owner = column(&book, "SELECT merchant FROM book")?;
    let sample = sample(&book, "book", owner.first().context("the book is empty")?)?;
    let row = sample.rows.first().context("the book is empty")?;
    quick(&book)?;
    let transaction = book.transaction()?;
    for n in 0..payments {
        let mut insert = transaction.prepare_cached(&sample.insert)?;
        let merchant = merchants.get(n % merchants.len()).context("no merchant")?;
        let trace = i64::try_from(n)? + 1 + TRACE_OFFSET;
        let cells = row.iter().zip(&sample.columns).map(|(cell, name)| match name.as_str() {
            "trace" | "original" => Value::Integer(trace),
            "merchant" => Value::Blob(merchant.clone()),
            _ => cell.clone(),
        });
        insert.execute(rusqlite::params_from_iter(cells))?;
    }
    Ok(transaction.commit()?)
}

/// The sample has trace number 1.
const TRACE_OFFSET: i64 = 1;

/// A database that is being made need not survive a crash.
fn quick(connection: &Connection) -> anyhow::Result<()> {
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection.pragma_update(None, "cache_size", -1_000_000)?)
}

/// Takes the indexes away, and gives the texts that make them anew: sorting is quicker than
/// inserting.
fn take_indexes(connection: &Connection) -> anyhow::Result<Vec<String>> {
    let list = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
    let mut statement = connection.prepare(list)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(String, String)> = found.collect::<Result<_, _>>()?;
    for (name, _) in &found {
        connection.execute_batch(&format!("DROP INDEX \"{name}\""))?;
    }
    Ok(found.into_iter().map(|(_, sql)| sql).collect())
}

fn column(connection: &Connection, query: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn sample(connection: &Connection, table: &str, merchant: &[u8]) -> anyhow::Result<Sample> {
    let mut statement =
        connection.prepare(&format!("SELECT * FROM \"{table}\" WHERE merchant = ?1"))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let rows = statement.query_map([merchant], |row| (0..width).map(|at| row.get(at)).collect())?;
    let rows: Vec<Vec<Value>> = rows.collect::<Result<_, _>>()?;
    anyhow::ensure!(!rows.is_empty(), "the sample has nothing in {table}");
    let holes = vec!["?"; width].join(", ");
    Ok(Sample { insert: format!("INSERT INTO \"{table}\" VALUES ({holes})"), columns, rows })
}

impl Copies {
    fn of(samples: &[Sample], merchant: &[u8]) -> anyhow::Result<Self> {
        let mut ids: Vec<(Vec<u8>, String)> = Vec::new();
        let (mut number, mut at_us) = (None, None);
        for sample in samples {
            for (cell, name) in sample.rows.iter().flat_map(|row| row.iter().zip(&sample.columns)) {
                match cell {
                    Value::Blob(bytes) if bytes.len() == 16 && bytes != merchant => {
                        let known = ids.iter().any(|(known, _)| known == bytes);
                        if !known {
                            ids.push((bytes.clone(), id_text(bytes)));
                        }
                    }
                    Value::Integer(value) if name == "number" => number = Some(*value),
                    Value::Integer(value) if name == "created_at" => {
                        at_us = Some(at_us.map_or(*value, |least: i64| least.min(*value)));
                    }
                    _ => {}
                }
            }
        }
        Ok(Self {
            merchant: merchant.to_vec(),
            ids,
            number: number.context("the sample has no number")?.to_string(),
            at_us: at_us.context("the sample has no time")?,
        })
    }

    fn cell(&self, cell: &Value, name: &str, copy: &Copy<'_>) -> Value {
        match cell {
            Value::Blob(bytes) if *bytes == self.merchant => Value::Blob(copy.merchant.to_vec()),
            Value::Blob(bytes) if bytes.len() == 16 => {
                let place = self.ids.iter().position(|(id, _)| id == bytes).unwrap_or(0);
                Value::Blob(new_id(place, copy))
            }
            // A digest.
            Value::Blob(bytes) => {
                let number = copy.n.to_be_bytes();
                let mixed = copy.n.wrapping_mul(0x1e37_79b9_7f4a_7c15).to_be_bytes();
                let rest = bytes.iter().skip(number.len() * 2).copied();
                Value::Blob(mixed.into_iter().chain(number).chain(rest).collect())
            }
            Value::Text(text) => Value::Text(self.text(text, copy)),
            // Below the range from which numbers are drawn, so that none is met again.
            Value::Integer(_) if name == "number" => Value::Integer(copy.n),
            Value::Integer(_) if name == "ordinal" => Value::Integer(copy.ordinal),
            Value::Integer(_) if name == "trace" => Value::Integer(copy.n + TRACE_OFFSET),
            Value::Integer(at) if name == "at" || name.ends_with("_at") => {
                Value::Integer(at - self.at_us + copy.at_us)
            }
            other => other.clone(),
        }
    }

    fn text(&self, text: &str, copy: &Copy<'_>) -> String {
        // An id has 36 characters; most texts are shorter.
        if text.len() < 36 {
            return text.to_owned();
        }
        let mut text = text.replace(&self.number, &copy.n.to_string());
        for (place, (_, id)) in self.ids.iter().enumerate() {
            if text.contains(id) {
                text = text.replace(id, &id_text(&new_id(place, copy)));
            }
        }
        text
    }
}

/// An id as the engine would have made it: milliseconds first, then what tells it from others.
fn new_id(place: usize, copy: &Copy<'_>) -> Vec<u8> {
    let millis = u128::try_from(copy.at_us / 1000).unwrap_or(0);
    let place = u128::try_from(place).unwrap_or(0) & 0xfff;
    let n = u128::try_from(copy.n).unwrap_or(0);
    (millis << 80 | 0x4 << 76 | place << 64 | 0x8 << 60 | n).to_be_bytes().to_vec()
}

/// The text of an id: hexadecimal in five groups.
fn id_text(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    let group = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    [group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_ids_numbers_and_times_of_its_own() {
        let (old, merchant) = (vec![3; 16], vec![1; 16]);
        let copies = Copies {
            merchant: merchant.clone(),
            ids: vec![(vec![2; 16], id_text(&[2; 16])), (old.clone(), id_text(&old))],
            number: "41234567890".to_owned(),
            at_us: 1_000_000,
        };
        let copy = Copy { merchant: &[9; 16], n: 5, ordinal: 7, at_us: 9_000_000 };
        let new = new_id(1, &copy);
        let integer = Value::Integer;
        let table = [
            ("merchant", Value::Blob(merchant), Value::Blob(vec![9; 16])),
            ("id", Value::Blob(old.clone()), Value::Blob(new.clone())),
            ("subject", Value::Text(id_text(&old)), Value::Text(id_text(&new))),
            ("currency", Value::Text("ARS".into()), Value::Text("ARS".into())),
            ("number", integer(41_234_567_890), integer(5)),
            ("ordinal", integer(1), integer(7)),
            ("trace", integer(1), integer(6)),
            ("changed_at", integer(1_000_002), integer(9_000_002)),
            ("amount", integer(1500), integer(1500)),
            ("owner", Value::Null, Value::Null),
        ];
        for (name, cell, expected) in table {
            assert_eq!(copies.cell(&cell, name, &copy), expected, "{name}");
        }
        let data = format!("{{\"intent\":\"{}\",\"number\":41234567890}}", id_text(&old));
        let expected = format!("{{\"intent\":\"{}\",\"number\":5}}", id_text(&new));
        let copied = copies.cell(&Value::Text(data), "data", &copy);
        assert_eq!(copied, Value::Text(expected));
    }
}
