//! Numbers of a JSON text, kept as they were written, and amounts as they are printed.

use std::cmp::Ordering;

use serde_json::value::RawValue;

/// A number token of a JSON text, kept letter by letter so that no amount ever passes through a
/// binary fraction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NumberText(Box<str>);

/// Why a number is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Below zero. Zero itself, and `-0`, is an amount here; whether it may be charged is the
    /// caller's to say.
    #[error("the amount is negative")]
    Negative,
    /// More significant decimals than the currency has; never rounded.
    #[error("the amount has more decimals than the currency")]
    TooManyDecimals,
    /// More minor units than fit 63 bits. Lower limits are the caller's.
    #[error("the amount is too large")]
    TooLarge,
}

/// Why a scaled number is no `i64`.
enum Misfit {
    Fractional,
    OutOfRange,
}

impl NumberText {
    /// A number from text that is exactly one JSON number (RFC 8259, section 6), without white
    /// space around it; for dialects whose clients send amounts as strings.
    pub fn parse(text: &str) -> Option<Self> {
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        let starts = text.bytes().next().is_some_and(|b| b == b'-' || b.is_ascii_digit());
        (starts && raw.get().len() == text.len()).then(|| Self::from_token(text))
    }

    /// Takes a token that a parser has found to be a number.
    pub(super) fn from_token(token: &str) -> Self {
        Self(token.into())
    }

    /// The token as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The exact value when it is integral and fits: `1500`, `1500.0` and `1.5E+003` are 1500,
    /// `-0` is 0. `None` when it is fractional or out of range. Takes time linear in the text,
    /// whatever the exponent.
    pub fn integer(&self) -> Option<i64> {
        self.scaled(0).ok()
    }

    /// Whether the value is integral, of whatever size: `1e308` is, `0.5` is not.
    pub fn is_integral(&self) -> bool {
        !matches!(self.scaled(0), Err(Misfit::Fractional))
    }

    /// Reads the number as decimal units of a currency with `exponent` decimals and gives the
    /// minor units, exactly: with exponent 2, `10.000` is 1000, `1e2` is 10000, and `10.005` is
    /// refused rather than rounded.
    ///
    /// # Errors
    /// Says which rule the number breaks; the sign is looked at first.
    pub fn minor_units(&self, exponent: u32) -> Result<i64, AmountError> {
        match self.scaled(exponent) {
            Ok(minor) if minor < 0 => Err(AmountError::Negative),
            Ok(minor) => Ok(minor),
            Err(_) if self.0.starts_with('-') => Err(AmountError::Negative),
            Err(Misfit::Fractional) => Err(AmountError::TooManyDecimals),
            Err(Misfit::OutOfRange) => Err(AmountError::TooLarge),
        }
    }

    /// The value times ten to the `shift`.
    fn scaled(&self, shift: u32) -> Result<i64, Misfit> {
        let (negative, unsigned) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*self.0),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, saturating_power(power)),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // The value is `whole fraction` as one integer, times ten to the `power - |fraction|`.
        // Only what lies between the outermost non-zero digits counts.
        let fraction = fraction.trim_end_matches('0');
        let (head, tail, stripped) = if fraction.is_empty() {
            let trimmed = whole.trim_end_matches('0');
            (trimmed, "", whole.len().saturating_sub(trimmed.len()))
        } else {
            (whole, fraction, 0)
        };
        let head = head.trim_start_matches('0');
        let tail = if head.is_empty() { tail.trim_start_matches('0') } else { tail };
        if head.is_empty() && tail.is_empty() {
            return Ok(0);
        }
        let zeros = power
            .saturating_add(i64::from(shift))
            .saturating_sub(length(fraction.len()))
            .saturating_add(length(stripped));
        if zeros < 0 {
            return Err(Misfit::Fractional);
        }
        if zeros.saturating_add(length(head.len())).saturating_add(length(tail.len())) > 19 {
            return Err(Misfit::OutOfRange);
        }
        let zeros = usize::try_from(zeros).map_err(|_| Misfit::OutOfRange)?;
        let digits = head.bytes().chain(tail.bytes()).chain(std::iter::repeat_n(b'0', zeros));
        let magnitude =
            digits.fold(0_i128, |sum, digit| sum * 10 + i128::from(digit.saturating_sub(b'0')));
        i64::try_from(if negative { -magnitude } else { magnitude }).map_err(|_| Misfit::OutOfRange)
    }
}

impl From<i64> for NumberText {
    fn from(value: i64) -> Self {
        Self(value.to_string().into())
    }
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The exponent of a number token; one that does not fit is as good as infinite.
fn saturating_power(text: &str) -> i64 {
    text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX })
}

/// Minor units as decimal units in their shortest form: with exponent 2, 9300 is `93`, 360 is
/// `3.6`, 58 is `0.58` and -5 is `-0.05`.
pub fn decimal_text(minor: i64, exponent: u32) -> String {
    let digits = minor.unsigned_abs().to_string();
    let decimals = usize::try_from(exponent).unwrap_or(usize::MAX);
    let (whole, mut fraction) = match digits.len().cmp(&decimals) {
        Ordering::Greater => {
            let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
            (whole, fraction.to_owned())
        }
        // Zero has no digit worth a place; anything else is padded on the left.
        _ if minor == 0 => ("0", String::new()),
        _ => {
            let padding = decimals.saturating_sub(digits.len());
            ("0", "0".repeat(padding) + &digits)
        }
    };
    fraction.truncate(fraction.trim_end_matches('0').len());
    let sign = if minor < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    [sign, whole, point, &fraction].concat()
}

/// [`decimal_text`] as a JSON number that a serialiser prints letter by letter.
#[expect(clippy::expect_used, reason = "the text is a JSON number by construction")]
pub fn decimal_units(minor: i64, exponent: u32) -> Box<RawValue> {
    RawValue::from_string(decimal_text(minor, exponent)).expect("a JSON number")
}
