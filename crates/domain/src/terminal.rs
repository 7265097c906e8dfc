//! Card terminals.

use crate::id::{IntentId, MerchantId, TerminalId};
use crate::time::Timestamp;

/// How a terminal works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperatingMode {
    /// Takes its amounts from a point of sale.
    Integrated,
    /// Takes its amounts from the person at its keys.
    Standalone,
}

coded!(OperatingMode {
    Integrated = "integrated",
    Standalone = "standalone",
});

/// A terminal that belongs to a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whose it is.
    pub merchant: MerchantId,
    /// Its id on the wire.
    pub id: TerminalId,
    /// Its make, for people.
    pub model: String,
    /// How it works.
    pub mode: OperatingMode,
    /// Whether it answers.
    pub online: bool,
    /// Its place among the merchant's terminals, from 1.
    pub ordinal: i64,
    /// The intent that it has, queued or taken: the anchor of "one active intent" (I9).
    pub current: Option<IntentId>,
    /// The intent that it had last, to show its result.
    pub last: Option<IntentId>,
    /// Settings that only dialect and pages read, as JSON text.
    pub settings: String,
    /// When it was paired.
    pub created_at: Timestamp,
}

impl Terminal {
    /// The terminal with `intent` in its queue.
    #[must_use]
    pub fn holding(mut self, intent: IntentId) -> Self {
        self.current = Some(intent);
        self
    }

    /// The terminal after `intent` ended; unchanged when it holds another.
    #[must_use]
    pub fn released(mut self, intent: IntentId) -> Self {
        if self.current == Some(intent) {
            self.current = None;
        }
        self.last = Some(intent);
        self
    }
}
