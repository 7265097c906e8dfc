//! Time and chance come in through the door: both are traits, implemented outside.

use std::fmt;

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The last moment that a world's clock may be moved to: 9999-01-01T00:00:00Z, in microseconds.
const LATEST_US: i64 = 253_370_764_800_000_000;

impl Timestamp {
    /// The moment that is `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment `micros` later (earlier when negative); stays within the years 1970 to 9999.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros).clamp(0, LATEST_US))
    }

    /// The moment `seconds` later; stays within the years 1970 to 9999.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }

    /// The same moment as a value of the calendar library.
    pub fn calendar(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Reads an RFC 3339 time with an offset; `None` when it is not one.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Some(Self(parsed.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with microseconds only where there are some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.calendar())
    }
}

/// A calendar day, as days since 1970-01-01. Whose zone it is counted in, the context says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// The day of a calendar date.
    pub fn of(date: jiff::civil::Date) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        Self(i64::from(epoch.until(date).map_or(0, |span| span.get_days())))
    }

    /// The day of a moment in a zone.
    pub fn at(moment: Timestamp, zone: &jiff::tz::TimeZone) -> Self {
        Self::of(moment.calendar().to_zoned(zone.clone()).date())
    }

    /// The calendar date.
    pub fn date(self) -> jiff::civil::Date {
        let days = i32::try_from(self.0).unwrap_or(0).clamp(-700_000, 2_900_000);
        let span = jiff::Span::new().days(days);
        jiff::civil::date(1970, 1, 1).saturating_add(span)
    }

    /// The moment at which the day begins in a zone.
    pub fn begins(self, zone: &jiff::tz::TimeZone) -> Timestamp {
        let start = self.date().to_zoned(zone.clone());
        Timestamp(start.map_or(0, |start| start.timestamp().as_microsecond()))
    }

    /// The day `days` later.
    #[must_use]
    pub const fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl fmt::Display for Day {
    /// `YYYY-MM-DD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())
    }
}

/// Where a world takes its time from.
pub trait Clock: Send + Sync {
    /// The world's present moment.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from: the operating system in the server, a seed in a test.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with randomness fit for secrets.
    fn fill(&self, bytes: &mut [u8]);

    /// Sixteen random bytes: what one command needs for its ids.
    fn seed(&self) -> [u8; 16] {
        let mut seed = [0; 16];
        self.fill(&mut seed);
        seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_read_and_written() {
        let table = [
            ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
            ("2026-11-20T10:00:00.25Z", "2026-11-20T10:00:00.25Z"),
            ("2026-11-20T05:00:00-05:00", "2026-11-20T10:00:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(Timestamp::parse_rfc3339(text).unwrap().to_string(), expected);
        }
        assert_eq!(Timestamp::parse_rfc3339("2026-11-20"), None);
    }

    #[test]
    fn days_are_counted_in_a_zone() {
        let mexico = jiff::tz::TimeZone::get("America/Mexico_City").unwrap();
        let moment = Timestamp::parse_rfc3339("2026-03-01T05:59:59Z").unwrap();
        assert_eq!(Day::at(moment, &mexico).to_string(), "2026-02-28");
        let next = moment.plus_seconds(1);
        assert_eq!(Day::at(next, &mexico).to_string(), "2026-03-01");
        assert_eq!(Day::at(next, &mexico).begins(&mexico), next);
        assert_eq!(Day::of(Day(20_000).date()), Day(20_000));
        assert_eq!(Day(0).plus(-1).to_string(), "1969-12-31");
    }

    #[test]
    fn arithmetic_stays_in_range() {
        assert_eq!(Timestamp::from_micros(5).plus_seconds(i64::MAX).micros(), LATEST_US);
        assert_eq!(Timestamp::from_micros(5).plus_seconds(-9).micros(), 0);
    }
}
