//! Money is an integer count of minor units with a currency; arithmetic is checked (I17).

use std::fmt;

use thiserror::Error;

/// A currency of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The Argentine peso.
    pub const ARS: Self = Self(iso_currency::Currency::ARS);
    /// The Brazilian real.
    pub const BRL: Self = Self(iso_currency::Currency::BRL);
    /// The Mexican peso.
    pub const MXN: Self = Self(iso_currency::Currency::MXN);

    /// The currency with this three-letter code, upper case; `None` when there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code).map(Self)
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals the minor unit has: 2 for most, 0 for CLP and PYG.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why an amount could not be reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The result does not fit in 64 bits.
    #[error("the amount is out of range")]
    OutOfRange,
    /// Two amounts of different currencies met.
    #[error("amounts in {left} and {right} cannot be reckoned together")]
    CurrencyMismatch {
        /// The currency of the left side.
        left: Currency,
        /// The currency of the right side.
        right: Currency,
    },
}

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units: cents, or whole units where the currency has none smaller.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// When the currencies differ or the sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    /// The difference; may be negative.
    ///
    /// # Errors
    /// When the currencies differ or the difference does not fit.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.minor, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_come_from_the_standard() {
        for (code, exponent) in [("MXN", 2), ("ARS", 2), ("BRL", 2), ("CLP", 0), ("PYG", 0)] {
            assert_eq!(Currency::from_code(code).unwrap().exponent(), exponent, "{code}");
        }
        assert_eq!(Currency::from_code("XYZ1"), None);
    }

    #[test]
    fn sums_are_checked() {
        let mxn = |minor| Money::new(minor, Currency::MXN);
        assert_eq!(mxn(10).plus(mxn(20)), Ok(mxn(30)));
        assert_eq!(mxn(10).minus(mxn(20)), Ok(mxn(-10)));
        assert_eq!(mxn(i64::MAX).plus(mxn(1)), Err(MoneyError::OutOfRange));
        assert!(mxn(1).plus(Money::new(1, Currency::ARS)).is_err());
    }
}
