//! One server per data directory (F57).

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::StoreError;

/// Holds a directory for as long as it lives.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the directory; it is made when it is not there.
    ///
    /// # Errors
    /// When another process holds it, or it cannot be made.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| {
            StoreError::Database(format!("{}: {error}", directory.display()))
        };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join("lock"))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Database(format!(
                "another server is running on {}",
                directory.display()
            ))),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
