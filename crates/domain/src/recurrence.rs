//! A payment that recurs: charged again with the same card, on days that follow from the calendar.

use jiff::tz::TimeZone;

use crate::id::{MerchantId, SessionId};
use crate::time::{Day, Timestamp};

/// How often a charge that failed is tried again, once a day, before the recurrence ends.
pub const TRIES_MAX: i64 = 3;

/// The unit of the time between two charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecurrenceUnit {
    /// Days.
    Day,
    /// Months; a day that a month lacks falls on its last.
    Month,
    /// Years.
    Year,
}

coded!(RecurrenceUnit { Day = "day", Month = "month", Year = "year" });

/// Where a recurrence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecurrenceState {
    /// The first charge has not been made.
    Waiting,
    /// Charges follow.
    Active,
    /// None will follow.
    Ended,
}

coded!(RecurrenceState { Waiting = "waiting", Active = "active", Ended = "ended" });

/// A payment that recurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// Who is paid.
    pub merchant: MerchantId,
    /// The session of the first charge.
    pub id: SessionId,
    /// The unit of the interval.
    pub unit: RecurrenceUnit,
    /// How many units lie between two charges.
    pub every: i64,
    /// The day of the second charge; the later ones are counted from it.
    pub starts_on: Day,
    /// The name of the zone in which days are counted.
    pub zone: String,
    /// The second of the day at which charges are made: that of the first.
    pub time_of_day_s: i64,
    /// How many charges there are in all, the first included; no end when absent.
    pub charges_max: Option<i64>,
    /// The last day on which a charge is made.
    pub last_on: Option<Day>,
    /// Where each charge is told; empty for nowhere.
    pub url: String,
    /// How many charges were approved.
    pub charges: i64,
    /// How often the charge that is due was tried in vain.
    pub tries: i64,
    /// Where it is.
    pub state: RecurrenceState,
}

impl Recurrence {
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// The day of the charge after `charges` charges, the first included.
    fn day(&self, charges: i64) -> Day {
        let count = charges.saturating_sub(1).saturating_mul(self.every).clamp(0, 19_000);
        let span = jiff::Span::new();
        let span = match self.unit {
            RecurrenceUnit::Day => span.days(count),
            RecurrenceUnit::Month => span.months(count),
            RecurrenceUnit::Year => span.years(count),
        };
        Day::of(self.starts_on.date().saturating_add(span))
    }

    /// When the next charge is due; `None` when none is left.
    fn next_due(&self) -> Option<Timestamp> {
        if self.charges_max.is_some_and(|max| self.charges >= max) {
            return None;
        }
        let day = self.day(self.charges);
        if self.last_on.is_some_and(|last| day > last) {
            return None;
        }
        Some(self.at_its_time(day))
    }

    /// The moment of a day at which charges are made.
    fn at_its_time(&self, day: Day) -> Timestamp {
        let seconds = jiff::Span::new().seconds(self.time_of_day_s.clamp(0, 86_399));
        let civil = day.date().to_datetime(jiff::civil::Time::midnight()).saturating_add(seconds);
        let moment = civil.to_zoned(self.zone()).map(|zoned| zoned.timestamp().as_microsecond());
        moment.map_or_else(|_| day.begins(&self.zone()), Timestamp::from_micros)
    }

    /// After a charge: the recurrence, and when it is charged again. A charge that failed is tried
    /// again a day later, up to [`TRIES_MAX`] times; one that failed at the very beginning begins
    /// nothing.
    #[must_use]
    pub fn charged(mut self, approved: bool, now: Timestamp) -> (Self, Option<Timestamp>) {
        let due = match (self.state, approved) {
            (RecurrenceState::Ended, _) | (RecurrenceState::Waiting, false) => None,
            (RecurrenceState::Waiting, true) => {
                let civil = now.calendar().to_zoned(self.zone()).time();
                self.time_of_day_s = i64::from(civil.hour()) * 3600
                    + i64::from(civil.minute()) * 60
                    + i64::from(civil.second());
                self.charges = 1;
                self.next_due()
            }
            (RecurrenceState::Active, true) => {
                self.charges += 1;
                self.tries = 0;
                self.next_due()
            }
            (RecurrenceState::Active, false) if self.tries < TRIES_MAX => {
                self.tries += 1;
                Some(self.at_its_time(Day::at(now, &self.zone()).plus(1)))
            }
            (RecurrenceState::Active, false) => None,
        };
        self.state = if due.is_some() { RecurrenceState::Active } else { RecurrenceState::Ended };
        (self, due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn monthly() -> Recurrence {
        Recurrence {
            merchant: MerchantId(Uuid::nil()),
            id: SessionId(Uuid::nil()),
            unit: RecurrenceUnit::Month,
            every: 1,
            starts_on: Day::of(jiff::civil::date(2026, 1, 31)),
            zone: "America/Bogota".to_owned(),
            time_of_day_s: 0,
            charges_max: Some(4),
            last_on: None,
            url: String::new(),
            charges: 0,
            tries: 0,
            state: RecurrenceState::Waiting,
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn charges_fall_on_the_calendar_until_they_are_used_up() {
        let (mut one, mut due) = monthly().charged(true, at("2025-12-31T15:30:00Z"));
        let mut found = Vec::new();
        while let Some(next) = due {
            found.push(next.to_string());
            (one, due) = one.charged(true, next);
        }
        let expected = ["2026-01-31T15:30:00Z", "2026-02-28T15:30:00Z", "2026-03-31T15:30:00Z"];
        assert_eq!(found, expected);
        assert_eq!((one.charges, one.state), (4, RecurrenceState::Ended));
    }

    #[test]
    fn a_charge_on_the_last_day_is_still_made() {
        let last_on = Some(Day::of(jiff::civil::date(2026, 2, 28)));
        let plan = Recurrence { charges_max: None, last_on, ..monthly() };
        let (one, due) = plan.charged(true, at("2025-12-31T15:30:00Z"));
        let (one, due) = one.charged(true, due.unwrap());
        assert_eq!(due, Some(at("2026-02-28T15:30:00Z")));
        assert_eq!(one.charged(true, due.unwrap()).1, None);
    }

    #[test]
    fn four_attempts_in_all_then_it_ends() {
        let (mut one, mut due) = monthly().charged(true, at("2025-12-31T15:30:00Z"));
        let mut found = Vec::new();
        while let Some(next) = due {
            found.push((next.to_string(), one.tries));
            (one, due) = one.charged(false, next);
        }
        let expected: Vec<(String, i64)> = [
            "2026-01-31T15:30:00Z",
            "2026-02-01T15:30:00Z",
            "2026-02-02T15:30:00Z",
            "2026-02-03T15:30:00Z",
        ]
        .into_iter()
        .map(str::to_owned)
        .zip(0..)
        .collect();
        assert_eq!(found, expected);
        assert_eq!(one.state, RecurrenceState::Ended);
        assert_eq!(monthly().charged(false, at("2025-12-31T15:30:00Z")).1, None);
    }
}
