//! What a merchant pays for a payment, and what of it comes back with a refund.

use crate::money::MoneyError;

/// A merchant's price: shares in basis points (hundredths of a percent).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeSchedule {
    /// The fee's share of the amount, in basis points.
    pub fee_bps: i64,
    /// The tax on the fee, in basis points of the fee.
    pub tax_bps: i64,
}

/// A fee and the tax on it, in minor units of the payment's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Fee {
    /// The fee without tax.
    pub fee_minor: i64,
    /// The tax on the fee.
    pub tax_minor: i64,
}

impl FeeSchedule {
    /// Fee and tax of an amount: each rounded half away from zero to the minor unit, the tax
    /// reckoned on the rounded fee (reliability reference, section 2.2).
    ///
    /// # Errors
    /// When a product does not fit in 64 bits.
    pub fn of(&self, amount_minor: i64) -> Result<Fee, MoneyError> {
        let fee_minor = share(amount_minor, self.fee_bps, 10_000)?;
        let tax_minor = share(fee_minor, self.tax_bps, 10_000)?;
        Ok(Fee { fee_minor, tax_minor })
    }
}

impl Fee {
    /// Fee and tax together.
    pub const fn total_minor(self) -> i64 {
        self.fee_minor.saturating_add(self.tax_minor)
    }

    /// The part that belongs to `part_minor` of `whole_minor`. Asked with growing parts, the
    /// differences add up to the whole fee exactly once the part is the whole.
    ///
    /// # Errors
    /// When a product does not fit in 64 bits.
    pub fn part(self, part_minor: i64, whole_minor: i64) -> Result<Self, MoneyError> {
        if whole_minor <= 0 {
            return Ok(Self::default());
        }
        Ok(Self {
            fee_minor: share(self.fee_minor, part_minor, whole_minor)?,
            tax_minor: share(self.tax_minor, part_minor, whole_minor)?,
        })
    }
}

/// `amount × numerator ÷ denominator`, rounded half away from zero.
fn share(amount: i64, numerator: i64, denominator: i64) -> Result<i64, MoneyError> {
    let product = i128::from(amount) * i128::from(numerator);
    let denominator = i128::from(denominator);
    let half = if product < 0 { -denominator / 2 } else { denominator / 2 };
    i64::try_from((product + half) / denominator).map_err(|_| MoneyError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_round_half_up_per_payment() {
        let mx = FeeSchedule { fee_bps: 360, tax_bps: 1600 };
        // The settlement example of seed 002: 100.00 pays 3.60 and 0.58 tax.
        let table = [(10_000, 360, 58), (1, 0, 0), (14, 1, 0), (0, 0, 0), (30_000, 1080, 173)];
        for (amount, fee_minor, tax_minor) in table {
            assert_eq!(mx.of(amount), Ok(Fee { fee_minor, tax_minor }), "{amount}");
        }
        assert!(FeeSchedule { fee_bps: i64::MAX, tax_bps: 0 }.of(i64::MAX).is_err());
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let fee = Fee { fee_minor: 7, tax_minor: 3 };
        let mut given = 0;
        for refunded in [33, 66, 99, 100] {
            given = fee.part(refunded, 100).unwrap().fee_minor.max(given);
        }
        assert_eq!(given, 7);
        assert_eq!(fee.part(100, 100), Ok(fee));
        assert_eq!(fee.part(1, 0), Ok(Fee::default()));
    }
}
