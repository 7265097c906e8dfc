//! Receipt numbers: seven letters and digits that stand for the integer of a payment or a refund
//! (the forms of seed 001 and of reference, sections 3 and 5).

use cobro_domain::Entropy;
use cobro_engine::ports::NumberRange;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How long a receipt number is.
const LENGTH: usize = 7;

/// Half of all receipt numbers: payments have the lower half, refunds the upper.
const HALF: u64 = 62_u64.pow(7) / 2;
const HALF_FROM: i64 = 62_i64.pow(7) / 2;

/// The integers of payments.
pub(crate) const PAYMENTS: NumberRange = NumberRange { kind: "clip.payment", from: 0, size: HALF };

/// The integers of refunds.
pub(crate) const REFUNDS: NumberRange =
    NumberRange { kind: "clip.refund", from: HALF_FROM, size: HALF };

/// A new code of the same form, drawn by chance.
pub(crate) fn code(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    let all = PAYMENTS.size + REFUNDS.size;
    receipt_no(i64::try_from(u64::from_be_bytes(bytes) % all).unwrap_or_default())
}

/// The receipt number of an integer.
pub(crate) fn receipt_no(number: i64) -> String {
    let mut rest = number.max(0).unsigned_abs();
    let mut letters = [b'0'; LENGTH];
    for place in letters.iter_mut().rev() {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        rest /= 62;
    }
    String::from_utf8_lossy(&letters).into_owned()
}

/// The integer of a receipt number; `None` when it is none.
pub(crate) fn number_of(receipt_no: &str) -> Option<i64> {
    if receipt_no.len() != LENGTH {
        return None;
    }
    receipt_no.bytes().try_fold(0_i64, |sum, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        Some(sum * 62 + i64::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let table =
            [(0, "0000000"), (61, "000000z"), (62, "0000010"), (62_i64.pow(7) - 1, "zzzzzzz")];
        for (number, text) in table {
            assert_eq!(receipt_no(number), text);
            assert_eq!(number_of(text), Some(number));
        }
        for wrong in ["", "000000", "00000000", "00000-0", "ñ00000", "0000 00"] {
            assert_eq!(number_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn payments_and_refunds_do_not_meet() {
        let end = PAYMENTS.from + i64::try_from(PAYMENTS.size).unwrap();
        assert_eq!(end, REFUNDS.from);
        assert!(REFUNDS.from + i64::try_from(REFUNDS.size).unwrap() <= 62_i64.pow(7));
    }
}
