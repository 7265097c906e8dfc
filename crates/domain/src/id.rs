//! Typed ids.
//!
//! Ids of our own are sixteen bytes whose order is the order in which they were made: time first,
//! then the place in the batch, then randomness (as in RFC 9562, version 7). The version nibble
//! says 4, since one of the dialects shows such an id to clients that check for version 4.

use std::fmt;

use uuid::Uuid;

use crate::time::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id with these sixteen bytes; `None` when there are not sixteen.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }

            /// Reads the hyphenated text form.
            pub fn parse(text: &str) -> Option<Self> {
                if text.len() != 36 {
                    return None;
                }
                Uuid::try_parse(text).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A stored card.
    CardId;
    /// One delivery of one event to one endpoint.
    DeliveryId;
    /// Something that happened and that a merchant may hear of.
    EventId;
    /// A wish to be paid at a terminal.
    IntentId;
    /// Who is paid.
    MerchantId;
    /// One try to take money from one card.
    PaymentId;
    /// A balanced set of ledger entries.
    PostingId;
    /// Money going back for a payment.
    RefundId;
    /// An amount to be paid, or a card to be stored, without a terminal.
    SessionId;
}

/// A terminal's id as its merchant's dialect writes it; unique among the merchant's terminals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerminalId(pub String);

impl fmt::Display for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes the ids of one command: ordered by the batch's time and the command's place in it.
#[derive(Clone, Debug)]
pub struct IdSource {
    at: Timestamp,
    index: u16,
    made: u16,
    state: u64,
}

impl IdSource {
    /// A source for the command at place `index` of the batch that runs at `at`.
    pub fn new(at: Timestamp, index: u16, seed: [u8; 16]) -> Self {
        let (high, low) = seed.split_at(8);
        let state = fold(high) ^ fold(low).rotate_left(32);
        Self { at, index, made: 0, state }
    }

    /// The next id, for any of the typed ids.
    pub fn next_uuid(&mut self) -> Uuid {
        let micros = self.at.micros().max(0).unsigned_abs();
        let (millis, rest) = (micros / 1000, micros % 1000);
        // Sixteen bits of order: the place in the batch, then the count within the command.
        let order = (u64::from(self.index & 0xff) << 8) | u64::from(self.made & 0xff);
        self.made = self.made.wrapping_add(1);
        let high = (millis << 16) | 0x4000 | (rest << 2) | (order >> 14);
        // The variant, the rest of the order, forty-eight bits of chance.
        let low = (0b10 << 62) | ((order & 0x3fff) << 48) | (self.random() >> 16);
        Uuid::from_u64_pair(high, low)
    }

    /// No id that is made at `at` or later is below this one, and none made earlier is not.
    pub fn floor(at: Timestamp) -> Uuid {
        let micros = at.micros().max(0).unsigned_abs();
        let (millis, rest) = (micros / 1000, micros % 1000);
        Uuid::from_u64_pair((millis << 16) | 0x4000 | (rest << 2), 0)
    }

    /// The next 64 pseudo-random bits (splitmix64): good for telling ids apart, not for secrets.
    pub fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn fold(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// A keyed permutation of the integers below `size`, so that numbers shown to clients neither
/// collide nor tell how many there are (`design/architecture.md`, "Ids").
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    key: u64,
    half_bits: u32,
    size: u64,
}

impl Permutation {
    /// A permutation of `0..size` under `key`. `size` must be at least 1 and below 2^62.
    pub const fn new(key: u64, size: u64) -> Self {
        let bits = 64 - size.saturating_sub(1).leading_zeros();
        let half_bits = if bits < 2 { 1 } else { bits.div_ceil(2) };
        Self { key, half_bits, size }
    }

    /// The number that stands for `n`; numbers at or above the size wrap around first.
    pub fn apply(&self, n: u64) -> u64 {
        let mut value = n % self.size;
        loop {
            value = self.rounds(value);
            // Cycle walking: the network permutes the next power of four, so leave and re-enter.
            if value < self.size {
                return value;
            }
        }
    }

    fn rounds(&self, value: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in 0..6_u64 {
            let mut mixer = IdSource {
                at: Timestamp::default(),
                index: 0,
                made: 0,
                state: self.key ^ (right << 8) ^ round,
            };
            (left, right) = (right, left ^ (mixer.random() & mask));
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_grow_with_time_place_and_count() {
        let at = Timestamp::from_micros(1_700_000_000_123_456);
        let mut first = IdSource::new(at, 0, [7; 16]);
        let mut second = IdSource::new(at, 1, [1; 16]);
        let mut later = IdSource::new(at.plus_micros(1), 0, [0; 16]);
        let ids = [first.next_uuid(), first.next_uuid(), second.next_uuid(), later.next_uuid()];
        let mut sorted = ids;
        sorted.sort();
        assert_eq!(ids, sorted);
        for id in ids {
            assert_eq!(id.get_version_num(), 4);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        }
    }

    #[test]
    fn the_floor_parts_earlier_ids_from_later_ones() {
        let at = Timestamp::from_micros(1_700_000_000_123_456);
        let id = |at, seed| IdSource::new(at, 0, [seed; 16]).next_uuid();
        for seed in [0, 7, 255] {
            assert!(id(at, seed) >= IdSource::floor(at));
            assert!(id(at.plus_micros(-1), seed) < IdSource::floor(at));
        }
    }

    #[test]
    fn the_permutation_hits_every_number_once() {
        for size in [1_u64, 2, 3, 10, 1000, 4097] {
            let permutation = Permutation::new(0x1234_5678_9abc_def0, size);
            let hit: HashSet<u64> = (0..size).map(|n| permutation.apply(n)).collect();
            assert_eq!(hit.len() as u64, size);
            assert!(hit.iter().all(|n| *n < size));
        }
    }

    #[test]
    fn another_key_gives_another_order() {
        let one: Vec<u64> = (0..50).map(|n| Permutation::new(1, 1_000_000).apply(n)).collect();
        let two: Vec<u64> = (0..50).map(|n| Permutation::new(2, 1_000_000).apply(n)).collect();
        assert_ne!(one, two);
    }
}
