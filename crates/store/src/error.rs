//! What can go wrong between a use case and the disk.

use thiserror::Error;

use crate::table::Corrupt;

/// An error inside a use case that is not the use case's own. Hand it on with `?`: the lane
/// decides what becomes of the command by flags of its own, so it cannot be swallowed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TxError {
    /// A row is not at hand yet; the lane fetches it and runs the command again.
    #[error("the row is being fetched; the command runs again")]
    Again,
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(String),
    /// A stored row cannot be read.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

/// Why a command or a read has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The lane's queue is full; nothing was done.
    #[error("the queue is full")]
    Busy,
    /// The store is closed, or stopped writing after a failure; nothing was done.
    #[error("the store is closed")]
    Closed,
    /// What the command wrote meets rows that it did not expect; nothing was done.
    #[error("conflicting rows in table {0}")]
    Conflict(&'static str),
    /// The command panicked; nothing was done.
    #[error("the command panicked")]
    Panicked,
    /// The database failed; nothing was done.
    #[error("the database failed: {0}")]
    Database(String),
    /// The commit was not answered: the command may or may not have been done.
    #[error("the commit was not answered: {0}")]
    Unknown(String),
    /// A stored row cannot be read.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
}

impl From<TxError> for StoreError {
    fn from(error: TxError) -> Self {
        match error {
            TxError::Again => Self::Database("a row was asked for outside a lane".to_owned()),
            TxError::Database(text) => Self::Database(text),
            TxError::Corrupt(corrupt) => Self::Corrupt(corrupt),
        }
    }
}
