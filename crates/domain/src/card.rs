//! Cards: what may be kept beside the vault (BIN and last digits at most, I16), and stored ones.

use crate::id::{CardId, MerchantId};
use crate::time::Timestamp;

/// What kind of account a card draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardKind {
    /// Credit.
    Credit,
    /// Debit.
    Debit,
    /// Prepaid.
    Prepaid,
    /// Meal or fuel voucher.
    Voucher,
}

coded!(CardKind {
    Credit = "credit",
    Debit = "debit",
    Prepaid = "prepaid",
    Voucher = "voucher",
});

/// How a card was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardEntry {
    /// Held to the reader.
    Tap,
    /// Chip.
    Insert,
    /// Magnetic stripe.
    Swipe,
    /// Typed by its holder on a page, or from a stored token.
    Typed,
}

coded!(CardEntry {
    Tap = "tap",
    Insert = "insert",
    Swipe = "swipe",
    Typed = "typed",
});

/// A card as a payment remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardFacts {
    /// The brand's usual lower-case name: `visa`, `master`, `amex`, …
    pub brand: String,
    /// What kind of card it is.
    pub kind: CardKind,
    /// The first six digits.
    pub bin: String,
    /// The last four digits.
    pub last_digits: String,
    /// Who issued it, when known.
    pub issuer: String,
    /// Month of expiry, 1 to 12.
    pub expiration_month: i64,
    /// Year of expiry, four digits.
    pub expiration_year: i64,
}

/// A card that a merchant may charge again by a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCard {
    /// Whose token it is; another merchant's is another one.
    pub merchant: MerchantId,
    /// Our id.
    pub id: CardId,
    /// The random token.
    pub token: String,
    /// A token of digits, where the dialect has one.
    pub subtoken: Option<String>,
    /// Which key-encryption key wraps its data key.
    pub key_id: i64,
    /// The wrapped data key; empty once the card was invalidated.
    pub wrapped_key: Vec<u8>,
    /// Number, expiry and holder, encrypted; empty once the card was invalidated.
    pub sealed: Vec<u8>,
    /// A keyed hash of the number, to recognise the same card again.
    pub fingerprint: String,
    /// What may be known without opening it.
    pub facts: CardFacts,
    /// Whether it can be used.
    pub state: StoredCardState,
    /// Whether one use is all.
    pub single_use: bool,
    /// Until when it can be used, where that is limited.
    pub expires_at: Option<Timestamp>,
    /// What the dialect keeps with it, as JSON text: the person it belongs to.
    pub luggage: String,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// Whether a stored card can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoredCardState {
    /// It can.
    Active,
    /// It was used, and one use was all.
    Used,
    /// Its merchant took it back; what it held is destroyed.
    Invalidated,
}

coded!(StoredCardState { Active = "active", Used = "used", Invalidated = "invalidated" });

/// Whether a run of digits passes the Luhn test (ISO/IEC 7812-1, annex B).
pub fn luhn(digits: &str) -> bool {
    if digits.len() < 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match (place % 2, digit) {
                (0, digit) => digit,
                (_, digit) if digit > 4 => digit * 2 - 9,
                (_, digit) => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::luhn;

    #[test]
    fn luhn_table() {
        for (digits, valid) in [
            ("4111111111111111", true),
            ("5031433215406351", true),
            ("375365153556885", true),
            ("4111111111111112", false),
            ("6508410000000001", false),
            ("0", false),
            ("4111 1111", false),
        ] {
            assert_eq!(luhn(digits), valid, "{digits}");
        }
    }
}
