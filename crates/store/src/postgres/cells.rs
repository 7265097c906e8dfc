//! Cells as parameters and results of PostgreSQL's binary protocol.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::cell::Cell;
use crate::driver::{DbError, SetWrite, WriteKind};
use crate::table::Kind;

impl ToSql for Cell {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *kind == Type::INT8 => value.to_sql(kind, out),
            Self::Int(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql(kind, out),
            Self::Text(value) if <&str as ToSql>::accepts(kind) => value.as_str().to_sql(kind, out),
            Self::Bytes(value) if *kind == Type::BYTEA => value.as_slice().to_sql(kind, out),
            Self::Int(_) | Self::Text(_) | Self::Bytes(_) => {
                Err(format!("a parameter is of type {kind}, the value is not").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The cells of a row whose columns are integers, text and bytes.
pub(crate) fn read_row(row: &tokio_postgres::Row) -> Result<Vec<Cell>, DbError> {
    let mut cells = Vec::with_capacity(row.len());
    for (place, column) in row.columns().iter().enumerate() {
        let cell = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(place).map(|value| value.map(Cell::Int)),
            Type::INT4 => row
                .try_get::<_, Option<i32>>(place)
                .map(|value| value.map(|value| Cell::Int(value.into()))),
            Type::TEXT | Type::VARCHAR | Type::NAME => row
                .try_get::<_, Option<&str>>(place)
                .map(|value| value.map(|text| Cell::Text(text.into()))),
            Type::BYTEA => row
                .try_get::<_, Option<&[u8]>>(place)
                .map(|value| value.map(|bytes| Cell::Bytes(bytes.into()))),
            ref other => {
                let name = column.name();
                return Err(DbError::Failed(format!("column {name} holds a {other}")));
            }
        };
        cells.push(cell.map_err(DbError::failed)?.unwrap_or(Cell::Null));
    }
    Ok(cells)
}

/// All values of one column of a set.
enum Array<'a> {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<&'a str>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

/// The columns of a set, one parameter each.
pub(crate) struct Arrays<'a>(Vec<Array<'a>>);

impl<'a> Arrays<'a> {
    /// Turns the rows of a set into columns.
    pub(crate) fn new(set: &'a SetWrite) -> Result<Self, DbError> {
        let columns = match set.kind {
            WriteKind::Delete => set.table.key_columns(),
            WriteKind::Insert | WriteKind::Update => set.table.columns,
        };
        let mut arrays = Vec::with_capacity(columns.len());
        for (place, column) in columns.iter().enumerate() {
            let cells = set.rows.iter().map(|row| row.get(place));
            let array = match column.kind {
                Kind::Int => cells
                    .map(|cell| match cell {
                        Some(Cell::Int(value)) => Some(Some(*value)),
                        Some(Cell::Null) => Some(None),
                        _ => None,
                    })
                    .collect::<Option<_>>()
                    .map(Array::Int),
                Kind::Text => cells
                    .map(|cell| match cell {
                        Some(Cell::Text(value)) => Some(Some(value.as_str())),
                        Some(Cell::Null) => Some(None),
                        _ => None,
                    })
                    .collect::<Option<_>>()
                    .map(Array::Text),
                Kind::Bytes => cells
                    .map(|cell| match cell {
                        Some(Cell::Bytes(value)) => Some(Some(value.as_slice())),
                        Some(Cell::Null) => Some(None),
                        _ => None,
                    })
                    .collect::<Option<_>>()
                    .map(Array::Bytes),
            };
            // SQLite's strict tables refuse such a row, too.
            arrays.push(array.ok_or(DbError::Conflict(set.table.name))?);
        }
        Ok(Self(arrays))
    }

    /// The parameters of the statement that writes the set.
    pub(crate) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0
            .iter()
            .map(|array| match array {
                Array::Int(values) => values as &(dyn ToSql + Sync),
                Array::Text(values) => values,
                Array::Bytes(values) => values,
            })
            .collect()
    }
}
