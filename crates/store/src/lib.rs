//! Lanes, write set, rows and SQL on SQLite and PostgreSQL.
//!
//! A use case is a synchronous function over an open transaction ([`Tx`]). [`Store::write`] hands
//! it to a *lane*: one thread that owns one connection, runs the waiting commands in one database
//! transaction, commits once, and only then answers all of them. What a command writes goes to a
//! write set that is flushed set-wise before the commit; a command that is refused just drops its
//! own writes. `docs/decisions/0002-lanes.md` says why.
//!
//! What is deliberately absent: rules (they live in `domain`), use cases (`engine`), and every
//! other way to write: nothing but a lane opens a writing connection.
//!
//! Read in this order: [`table`], [`tx`], [`lane`], [`store`], then [`rows`].

pub mod cell;
#[cfg(test)]
mod conformance;
mod driver;
mod error;
mod lane;
mod lock;
mod postgres;
mod reads;
pub mod rows;
pub mod schema;
pub mod session;
mod sql;
mod sqlite;
pub mod store;
pub mod table;
pub mod tx;
mod writes;

pub use cell::{Cell, FromCell, ToCell};
pub use error::{StoreError, TxError};
pub use reads::Reader;
pub use schema::Schema;
pub use session::Session;
pub use store::{LaneKey, Location, Options, Store};
pub use table::{Cells, Column, Corrupt, Keeping, Kind, Row, Table};
pub use tx::Tx;
