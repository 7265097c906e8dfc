//! Every statement prepares and runs on both databases, the tables are as they are described, and
//! PostgreSQL finds rows through indexes from the first day.

#[path = "../tests/suite/database.rs"]
#[expect(dead_code, reason = "shared with the suite, which uses all of it")]
pub(crate) mod database;

use crate::cell::Cell;
use crate::driver::{Driver, LANE_BEGIN, SetWrite, WriteKind};
use crate::postgres::{PostgresDriver, Role};
use crate::rows::{DUE_DELIVERIES, DUE_TIMERS, WORLD};
use crate::schema::migrate;
use crate::sql;
use crate::sqlite::{Durability, SqliteDriver};
use crate::table::{Kind, Table};
use database::{Database, Directory};

const KINDS: [WriteKind; 3] = [WriteKind::Insert, WriteKind::Update, WriteKind::Delete];

const CLAIMS: [&str; 2] = [DUE_DELIVERIES.sql, DUE_TIMERS.sql];

fn on_sqlite(case: impl Fn(&mut dyn Driver)) {
    let directory = Directory::new();
    let path = directory.path().join("store.db");
    let mut driver = SqliteDriver::open(&path, Durability::ProcessOnly, false).unwrap();
    migrate(&mut driver, &WORLD, 1, 0).unwrap();
    case(&mut driver);
}

fn on_postgres(case: impl Fn(&mut dyn Driver)) {
    let Some(database) = Database::new() else { return };
    let mut driver = PostgresDriver::open(&database.url(), WORLD.name, Role::Lane).unwrap();
    migrate(&mut driver, &WORLD, 1, 0).unwrap();
    case(&mut driver);
}

/// A row that no check refuses.
pub(crate) fn row(table: &Table) -> Vec<Cell> {
    let cell = |column: &crate::table::Column| match (column.kind, column.name) {
        (Kind::Int, "captured" | "refunded" | "refund_pending") => Cell::Int(0),
        (Kind::Int, _) => Cell::Int(1),
        (Kind::Text, _) => Cell::Text("ñ".into()),
        (Kind::Bytes, _) => Cell::Bytes([0; 16].as_slice().into()),
    };
    table.columns.iter().map(cell).collect()
}

fn every_statement_runs(driver: &mut dyn Driver) {
    let batch = driver.begin(0, 7).unwrap();
    assert_eq!((batch.number, batch.at), (1, 7));
    for table in WORLD.tables {
        let whole = row(table);
        let key: Vec<Cell> = whole.iter().take(table.key).cloned().collect();
        for kind in KINDS {
            let cells = if kind == WriteKind::Delete { &key } else { &whole };
            let set = SetWrite { kind, table, rows: vec![cells.clone().into()] };
            driver.flush(std::slice::from_ref(&set)).unwrap();
            let found = driver.query(&sql::select(table), &key).unwrap();
            let expected = if kind == WriteKind::Delete { vec![] } else { vec![whole.clone()] };
            assert_eq!(found, expected, "{kind:?} {}", table.name);
        }
    }
    for claim in CLAIMS {
        let params = [Cell::Int(0), Cell::Int(7), Cell::Int(10)];
        assert_eq!(driver.query(claim, &params), Ok(vec![]), "{claim}");
    }
    driver.commit().unwrap();
    driver.begin_read().unwrap();
    let lanes = driver.query("SELECT id, batch, at FROM lane", &[]).unwrap();
    assert_eq!(lanes, [[Cell::Int(0), Cell::Int(1), Cell::Int(7)]]);
    driver.rollback();
}

#[test]
fn every_statement_runs_on_sqlite() {
    on_sqlite(every_statement_runs);
}

#[test]
fn every_statement_runs_on_postgres() {
    on_postgres(every_statement_runs);
}

/// `(name, type, place in the primary key or 0)`, by name, of a table as it is described.
fn described(table: &Table, words: &crate::schema::Words) -> Vec<Vec<Cell>> {
    let mut columns: Vec<Vec<Cell>> = Vec::new();
    for (place, column) in (1..).zip(table.columns) {
        let kind = match column.kind {
            Kind::Int => words.int,
            Kind::Text => words.text,
            Kind::Bytes => words.bytes,
        };
        let key = if place <= table.key { i64::try_from(place).unwrap() } else { 0 };
        columns.push(vec![Cell::Text(column.name.into()), Cell::Text(kind.into()), Cell::Int(key)]);
    }
    columns.sort_unstable();
    columns
}

/// The tables are as they are described; `columns` asks the database.
fn tables_match(driver: &mut dyn Driver, columns: &str) {
    for table in WORLD.tables {
        let name = Cell::Text(table.name.into());
        let mut found = driver.query(columns, &[name]).unwrap();
        found.sort_unstable();
        assert_eq!(found, described(table, driver.words()), "{}", table.name);
    }
}

#[test]
fn tables_are_as_described_on_sqlite() {
    on_sqlite(|driver| tables_match(driver, "SELECT name, type, pk FROM pragma_table_info($1)"));
}

#[test]
fn tables_are_as_described_on_postgres() {
    on_postgres(|driver| {
        tables_match(
            driver,
            "SELECT a.attname, upper(format_type(a.atttypid, a.atttypmod)) || \
               CASE WHEN a.attcollation = 0 THEN '' ELSE ' COLLATE \"' || c.collname || '\"' END, \
               COALESCE(array_position(i.indkey::int2[], a.attnum), -1)::int8 + 1 \
             FROM pg_attribute a \
             LEFT JOIN pg_collation c ON c.oid = a.attcollation \
             LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = ($1::text)::regclass AND a.attnum > 0",
        );
    });
}

/// The plan of a statement, as the lane's connection prepares it.
fn plan(driver: &mut dyn Driver, text: &str) -> String {
    let count = (1..).take_while(|place| text.contains(&format!("${place}"))).count();
    let nulls = vec!["NULL"; count].join(", ");
    driver.execute(&format!("PREPARE statement AS {text}")).unwrap();
    let rows = driver.query(&format!("EXPLAIN EXECUTE statement({nulls})"), &[]).unwrap();
    driver.execute("DEALLOCATE statement").unwrap();
    let line = |row: &Vec<Cell>| match row.first() {
        Some(Cell::Text(line)) => line.clone(),
        other => panic!("{other:?}"),
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_fresh_postgres_finds_rows_through_indexes() {
    on_postgres(|driver| {
        let mut statements: Vec<String> =
            CLAIMS.iter().chain([&LANE_BEGIN]).map(|text| (*text).to_owned()).collect();
        for table in WORLD.tables {
            statements.push(sql::select(table));
            statements.extend(
                [WriteKind::Update, WriteKind::Delete].map(|kind| sql::write_set(kind, table)),
            );
        }
        for statement in statements {
            let plan = plan(driver, &statement);
            assert!(plan.contains("Index"), "{statement}\n{plan}");
            for bad in ["Seq Scan", "Hash Join", "Merge Join"] {
                assert!(!plan.contains(bad), "{statement}\n{plan}");
            }
        }
    });
}
