//! The values that columns hold: text, 64-bit integers and bytes, and nothing else.

use cobro_domain::money::Currency;
use cobro_domain::payment::{Owner, Trace};
use cobro_domain::time::Day;
use cobro_domain::{
    CardId, DeliveryId, EventId, IntentId, MerchantId, PaymentId, PostingId, RefundId, SessionId,
    TerminalId, Timestamp,
};
use smallvec::SmallVec;
use smol_str::SmolStr;
use uuid::Uuid;

/// One value of one column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// No value.
    Null,
    /// An integer: numbers, minor units, microseconds, 0 and 1 for booleans.
    Int(i64),
    /// Text without U+0000. Words and currencies fit without memory of their own.
    Text(SmolStr),
    /// Bytes: ids, digests, ciphertext. Ids fit without memory of their own.
    Bytes(SmallVec<[u8; 16]>),
}

/// What can be put into a column.
pub trait ToCell {
    /// The value as a cell.
    fn to_cell(&self) -> Cell;
}

/// What can be read from a column.
pub trait FromCell: Sized {
    /// The cell's value; `None` when the cell cannot hold it.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl ToCell for i64 {
    fn to_cell(&self) -> Cell {
        Cell::Int(*self)
    }
}

impl FromCell for i64 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Int(value) => Some(*value),
            _ => None,
        }
    }
}

impl ToCell for bool {
    fn to_cell(&self) -> Cell {
        Cell::Int(i64::from(*self))
    }
}

impl FromCell for bool {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Int(0) => Some(false),
            Cell::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl ToCell for str {
    fn to_cell(&self) -> Cell {
        Cell::Text(self.into())
    }
}

impl ToCell for String {
    fn to_cell(&self) -> Cell {
        Cell::Text(self.into())
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(value) => Some(value.to_string()),
            _ => None,
        }
    }
}

impl ToCell for [u8] {
    fn to_cell(&self) -> Cell {
        Cell::Bytes(self.into())
    }
}

impl ToCell for Vec<u8> {
    fn to_cell(&self) -> Cell {
        Cell::Bytes(self.as_slice().into())
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Bytes(value) => Some(value.to_vec()),
            _ => None,
        }
    }
}

impl<T: ToCell> ToCell for Option<T> {
    fn to_cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Null, ToCell::to_cell)
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

impl<T: ToCell + ?Sized> ToCell for &T {
    fn to_cell(&self) -> Cell {
        (**self).to_cell()
    }
}

macro_rules! ids {
    ($($name:ident),*) => {$(
        impl ToCell for $name {
            fn to_cell(&self) -> Cell {
                self.0.to_cell()
            }
        }

        impl FromCell for $name {
            fn from_cell(cell: &Cell) -> Option<Self> {
                FromCell::from_cell(cell).map(Self)
            }
        }
    )*};
}

impl ToCell for Uuid {
    fn to_cell(&self) -> Cell {
        Cell::Bytes(self.as_bytes().as_slice().into())
    }
}

impl FromCell for Uuid {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => Self::from_slice(bytes).ok(),
            _ => None,
        }
    }
}

ids!(DeliveryId, EventId, IntentId, MerchantId, PaymentId, PostingId, RefundId, TerminalId);
ids!(Day, CardId, SessionId, Owner, Trace);

impl ToCell for Timestamp {
    fn to_cell(&self) -> Cell {
        Cell::Int(self.micros())
    }
}

impl FromCell for Timestamp {
    fn from_cell(cell: &Cell) -> Option<Self> {
        i64::from_cell(cell).map(Self::from_micros)
    }
}

impl ToCell for Currency {
    fn to_cell(&self) -> Cell {
        Cell::Text(self.code().into())
    }
}

impl FromCell for Currency {
    fn from_cell(cell: &Cell) -> Option<Self> {
        String::from_cell(cell).and_then(|code| Self::from_code(&code))
    }
}
