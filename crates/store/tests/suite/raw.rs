//! Rows of every table of a world as bare cells, so that no table can be forgotten.

use std::marker::PhantomData;

use cobro_domain::card::StoredCard;
use cobro_domain::event::{Delivery, Event};
use cobro_domain::intent::Intent;
use cobro_domain::merchant::{Endpoint, Merchant};
use cobro_domain::payment::Payment;
use cobro_domain::recurrence::Recurrence;
use cobro_domain::refund::Refund;
use cobro_domain::session::Session;
use cobro_domain::settlement::Settlement;
use cobro_domain::terminal::Terminal;
use cobro_store::rows::{
    AdjustmentRow, AliasRow, CounterRow, DirectoryRow, EntryRow, GrantRow, IdempotencyRow, MetaRow,
    ReferenceRow, TailRow, Timer, TrialRow, WORLD,
};
use cobro_store::table::Key;
use cobro_store::{Cell, Cells, Corrupt, FromCell, Kind, Row, Table, Tx, TxError};

/// A row of the table of `T`, whatever its cells mean.
pub(crate) struct Raw<T> {
    cells: Vec<Cell>,
    of: PhantomData<T>,
}

struct Any(Cell);

impl FromCell for Any {
    fn from_cell(cell: &Cell) -> Option<Self> {
        Some(Self(cell.clone()))
    }
}

pub(crate) struct RawKey(Vec<Cell>);

impl Key for RawKey {
    fn key_cells(&self) -> Vec<Cell> {
        self.0.clone()
    }
}

impl<T: Row> Row for Raw<T> {
    type Key = RawKey;
    const TABLE: &'static Table = T::TABLE;

    fn cells(&self) -> Vec<Cell> {
        self.cells.clone()
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        let read = T::TABLE.columns.iter().map(|_| cells.next::<Any>().map(|any| any.0));
        Ok(Self { cells: read.collect::<Result<_, _>>()?, of: PhantomData })
    }
}

type Get = fn(&mut Tx<'_>, Vec<Cell>) -> Result<Option<Vec<Cell>>, TxError>;

/// The verbs of `Tx` on one table's bare rows.
pub(crate) struct Verbs {
    pub(crate) table: &'static Table,
    pub(crate) get: Get,
    pub(crate) insert: fn(&mut Tx<'_>, Vec<Cell>),
    pub(crate) save: fn(&mut Tx<'_>, Vec<Cell>),
    pub(crate) delete: fn(&mut Tx<'_>, Vec<Cell>),
}

const fn verbs<T: Row>() -> Verbs {
    Verbs {
        table: T::TABLE,
        get: |tx, key| Ok(tx.get::<Raw<T>>(&RawKey(key))?.map(|row| row.cells)),
        insert: |tx, cells| tx.insert(&Raw::<T> { cells, of: PhantomData }),
        save: |tx, cells| tx.save(&Raw::<T> { cells, of: PhantomData }),
        delete: |tx, key| tx.delete::<Raw<T>>(&RawKey(key)),
    }
}

/// Every table of a world.
pub(crate) static VERBS: &[Verbs] = &[
    verbs::<Merchant>(),
    verbs::<DirectoryRow>(),
    verbs::<AliasRow>(),
    verbs::<Endpoint>(),
    verbs::<Terminal>(),
    verbs::<Intent>(),
    verbs::<Payment>(),
    verbs::<Refund>(),
    verbs::<EntryRow>(),
    verbs::<Event>(),
    verbs::<Delivery>(),
    verbs::<TailRow>(),
    verbs::<CounterRow>(),
    verbs::<Timer>(),
    verbs::<IdempotencyRow>(),
    verbs::<MetaRow>(),
    verbs::<StoredCard>(),
    verbs::<Session>(),
    verbs::<Settlement>(),
    verbs::<ReferenceRow>(),
    verbs::<GrantRow>(),
    verbs::<TrialRow>(),
    verbs::<Recurrence>(),
    verbs::<AdjustmentRow>(),
];

/// The verbs of a table.
pub(crate) fn verbs_of(table: &str) -> &'static Verbs {
    VERBS.iter().find(|verbs| verbs.table.name == table).unwrap()
}

/// Columns that may be empty.
const NULLABLE: [&str; 4] = ["current_intent", "next_at", "owner", "approved_at"];

/// The cells of a row; `version` changes what is not part of a key, unique or checked.
pub(crate) fn sample(table: &Table, row: i64, version: i64) -> Vec<Cell> {
    let cell = |(place, column): (usize, &cobro_store::Column)| {
        let version = if place < table.key { 0 } else { version };
        let name = column.name;
        if NULLABLE.contains(&name) && (row + version) % 2 == 0 {
            return Cell::Null;
        }
        match (column.kind, name) {
            (_, "merchant") => bytes(row % 3),
            (Kind::Int, "number" | "ordinal") => Cell::Int(row),
            (Kind::Int, "amount") => Cell::Int(1000 + version),
            (Kind::Int, "captured" | "refunded" | "refund_pending" | "tip" | "lane") => {
                Cell::Int(0)
            }
            (Kind::Int, _) => Cell::Int(row * 1000 + version),
            // By byte, capitals come before small letters and those before accented ones.
            (Kind::Text, _) => {
                let word = ["ñ", "a", "B"][(row % 3) as usize];
                Cell::Text(format!("{word}{name} {row} {version}").into())
            }
            (Kind::Bytes, _) => bytes(row * 1000 + version),
        }
    };
    table.columns.iter().enumerate().map(cell).collect()
}

fn bytes(number: i64) -> Cell {
    Cell::Bytes(u128::try_from(number).unwrap().to_be_bytes().as_slice().into())
}

#[test]
fn no_table_of_a_world_is_forgotten() {
    let ours: Vec<_> = VERBS.iter().map(|verbs| verbs.table.name).collect();
    let world: Vec<_> = WORLD.tables.iter().map(|table| table.name).collect();
    assert_eq!(ours, world);
}
