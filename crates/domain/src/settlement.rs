//! What a merchant is paid out on one day.

use crate::fee::Fee;
use crate::id::MerchantId;
use crate::money::{Currency, MoneyError};
use crate::time::{Day, Timestamp};

/// What a merchant is paid out on one day: running totals while it is open, final once closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Whose it is.
    pub merchant: MerchantId,
    /// The day of the pay-out.
    pub day: Day,
    /// The currency.
    pub currency: Currency,
    /// What was taken, less what went back, in minor units.
    pub gross_minor: i64,
    /// The fees and taxes that are kept.
    pub fee: Fee,
    /// How many rows it has: payments that were not refunded as a whole within it, and refunds of
    /// payments of earlier settlements.
    pub rows: i64,
    /// Whether anything can still be added.
    pub state: SettlementState,
}

/// Whether anything can still be added to a settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettlementState {
    /// It can.
    Open,
    /// It was closed, and is never changed again (I12).
    Closed {
        /// The number of its report.
        report: String,
        /// When.
        at: Timestamp,
    },
}

impl Settlement {
    /// A settlement with nothing in it yet.
    pub const fn new(merchant: MerchantId, day: Day, currency: Currency) -> Self {
        Self {
            merchant,
            day,
            currency,
            gross_minor: 0,
            fee: Fee { fee_minor: 0, tax_minor: 0 },
            rows: 0,
            state: SettlementState::Open,
        }
    }

    /// The settlement with this much more in it; amounts may be negative.
    ///
    /// # Errors
    /// When a total does not fit.
    pub fn with(mut self, gross_minor: i64, fee: Fee, rows: i64) -> Result<Self, MoneyError> {
        let sum = |left: i64, right: i64| left.checked_add(right).ok_or(MoneyError::OutOfRange);
        self.gross_minor = sum(self.gross_minor, gross_minor)?;
        self.fee.fee_minor = sum(self.fee.fee_minor, fee.fee_minor)?;
        self.fee.tax_minor = sum(self.fee.tax_minor, fee.tax_minor)?;
        self.rows = sum(self.rows, rows)?;
        Ok(self)
    }

    /// What is paid out: gross less fee and tax.
    pub const fn net_minor(&self) -> i64 {
        self.gross_minor - self.fee.fee_minor - self.fee.tax_minor
    }

    /// Whether anything can still be added.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, SettlementState::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn totals_add_up() {
        let empty = Settlement::new(MerchantId(Uuid::nil()), Day(1), Currency::MXN);
        let fee = Fee { fee_minor: 360, tax_minor: 58 };
        let one = empty.clone().with(10_000, fee, 1).unwrap();
        assert_eq!((one.net_minor(), one.rows), (9_582, 1));
        let back = Fee { fee_minor: -360, tax_minor: -58 };
        assert_eq!(one.with(-10_000, back, -1).unwrap(), empty);
        assert!(empty.with(i64::MAX, fee, 1).unwrap().with(1, fee, 1).is_err());
    }
}
