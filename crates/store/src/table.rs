//! Tables and the typed rows that live in them.

use thiserror::Error;

use crate::cell::{Cell, FromCell, ToCell};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A 64-bit integer.
    Int,
    /// Text, collated by byte.
    Text,
    /// Bytes.
    Bytes,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A table: every statement that a lane runs on it is built from this.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many of the first columns are the primary key.
    pub key: usize,
    /// The columns, those of the key first.
    pub columns: &'static [Column],
    /// Whether a lane remembers rows after the batch that read or wrote them.
    pub keeping: Keeping,
}

/// Whether a lane remembers a table's rows from batch to batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It does: rows belong to one lane each.
    Remembered,
    /// It must not: several lanes write the same rows (the directory).
    Shared,
    /// It need not: rows are written once and no command reads them again (events).
    Appended,
}

impl Table {
    /// The columns of the primary key.
    pub fn key_columns(&self) -> &'static [Column] {
        self.columns.get(..self.key).unwrap_or_default()
    }

    /// The columns that are not part of the key.
    pub fn other_columns(&self) -> &'static [Column] {
        self.columns.get(self.key..).unwrap_or_default()
    }
}

/// Declares the [`Table`] of a row: `table!("intent", 2; merchant: Bytes, id: Bytes, …)`.
#[macro_export]
macro_rules! table {
    ($name:literal, $key:literal; $($column:ident: $kind:ident),* $(,)?) => {
        $crate::table!($name, $key, Remembered; $($column: $kind),*)
    };
    ($name:literal, $key:literal, $keeping:ident; $($column:ident: $kind:ident),* $(,)?) => {
        &$crate::Table {
            name: $name,
            key: $key,
            keeping: $crate::Keeping::$keeping,
            columns: &[$($crate::Column {
                name: stringify!($column),
                kind: $crate::Kind::$kind,
            }),*],
        }
    };
}

/// A value that is a row of a table.
pub trait Row: Sized {
    /// What names one row.
    type Key: Key;
    /// Where rows of this type live.
    const TABLE: &'static Table;

    /// The value's cells, in the order of the table's columns.
    fn cells(&self) -> Vec<Cell>;

    /// The value of these cells.
    ///
    /// # Errors
    /// When the cells cannot have been written by [`Row::cells`].
    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt>;
}

/// A primary key.
pub trait Key {
    /// The cells of the key's columns.
    fn key_cells(&self) -> Vec<Cell>;
}

macro_rules! keys {
    ($(($($part:ident $place:tt),+);)*) => {$(
        impl<$($part: ToCell),+> Key for ($($part,)+) {
            fn key_cells(&self) -> Vec<Cell> {
                vec![$(self.$place.to_cell()),+]
            }
        }
    )*};
}

keys! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
}

/// A stored row that no version of this program can have written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("table {table}, row {row}: {what} cannot be read")]
pub struct Corrupt {
    /// The table.
    pub table: &'static str,
    /// The row's key, for people.
    pub row: String,
    /// The column or rule that is broken.
    pub what: String,
}

/// The cells of one row, taken one after the other.
#[derive(Debug)]
pub struct Cells<'a> {
    table: &'static Table,
    place: usize,
    cells: &'a [Cell],
}

impl<'a> Cells<'a> {
    /// The cells of a row of `table`.
    pub fn new(table: &'static Table, cells: &'a [Cell]) -> Self {
        Self { table, place: 0, cells }
    }

    /// The next cell's value.
    ///
    /// # Errors
    /// When there is none, or it holds something else.
    #[expect(clippy::should_implement_trait, reason = "each call may read another type")]
    pub fn next<T: FromCell>(&mut self) -> Result<T, Corrupt> {
        let place = self.place;
        self.place += 1;
        self.cells.get(place).and_then(T::from_cell).ok_or_else(|| {
            let column = self.table.columns.get(place).map_or("?", |column| column.name);
            self.corrupt(column)
        })
    }

    /// The next cell's word, looked up by `read`.
    ///
    /// # Errors
    /// When the cell is no text or `read` does not know it.
    pub fn word<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<T, Corrupt> {
        let place = self.place;
        let column = || self.table.columns.get(place).map_or("?", |column| column.name);
        self.place += 1;
        let Some(Cell::Text(word)) = self.cells.get(place) else {
            return Err(self.corrupt(column()));
        };
        read(word).ok_or_else(|| self.corrupt(&format!("{} {word:?}", column())))
    }

    /// The error that names this row.
    pub fn corrupt(&self, what: &str) -> Corrupt {
        let key = self.cells.get(..self.table.key).unwrap_or_default();
        Corrupt { table: self.table.name, row: describe(key), what: what.to_owned() }
    }
}

/// Reads a whole row.
pub(crate) fn decode<R: Row>(cells: impl AsRef<[Cell]>) -> Result<R, Corrupt> {
    R::read(&mut Cells::new(R::TABLE, cells.as_ref()))
}

/// A key as text for people.
pub(crate) fn describe(key: &[Cell]) -> String {
    let parts: Vec<String> = key
        .iter()
        .map(|cell| match cell {
            Cell::Null => "null".to_owned(),
            Cell::Int(value) => value.to_string(),
            Cell::Text(value) => value.to_string(),
            Cell::Bytes(bytes) => uuid::Uuid::from_slice(bytes)
                .map_or_else(|_| format!("{} bytes", bytes.len()), |id| id.to_string()),
        })
        .collect();
    parts.join("/")
}
