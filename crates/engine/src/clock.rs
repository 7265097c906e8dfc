//! A world's clock: the real one, plus what it has been moved by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cobro_domain::{Clock, Timestamp};

/// The real clock plus an offset.
pub struct WorldClock {
    real: Arc<dyn Clock>,
    offset_us: AtomicI64,
}

impl std::fmt::Debug for WorldClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorldClock").field("offset_us", &self.offset_us).finish_non_exhaustive()
    }
}

impl WorldClock {
    /// A clock that shows real time.
    pub fn new(real: Arc<dyn Clock>) -> Self {
        Self { real, offset_us: AtomicI64::new(0) }
    }

    /// Real time: for authentication windows and for who is alive.
    pub fn real(&self) -> Timestamp {
        self.real.now()
    }

    /// By how much the clock is ahead of real time, in microseconds.
    pub fn offset_us(&self) -> i64 {
        self.offset_us.load(Ordering::Acquire)
    }

    /// Moves the clock so that it is ahead of real time by `offset_us`; never backwards.
    pub(crate) fn set_offset_us(&self, offset_us: i64) {
        self.offset_us.fetch_max(offset_us, Ordering::AcqRel);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.real.now().plus_micros(self.offset_us())
    }
}
