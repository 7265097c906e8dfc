//! Which day money is paid out on: sales of a day in Mexico City on the next business day
//! (seed 002 pays Friday's sales on Monday; reference, section 4.3).
//!
//! Business days are Monday to Friday, less the days on which the country's banks are closed, as
//! its banking commission (CNBV) publishes them each year.

use cobro_domain::Timestamp;
use cobro_domain::time::Day;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// No run of days on which nothing is paid out is as long.
const CLOSED_DAYS_MAX: usize = 14;

/// The zone in which a merchant's days are cut.
pub(crate) fn zone() -> TimeZone {
    // The zone's rules are part of the program; its offset of today is what is left without them.
    let fallback = || TimeZone::fixed(jiff::tz::offset(-6));
    TimeZone::get("America/Mexico_City").unwrap_or_else(|_| fallback())
}

/// The day of a moment.
pub(crate) fn day(at: Timestamp) -> Day {
    Day::at(at, &zone())
}

/// The day on which money that is taken at a moment is paid out.
pub(crate) fn settles_on(at: Timestamp) -> Day {
    let first = day(at).plus(1);
    let days = std::iter::successors(Some(first), |day| Some(day.plus(1)));
    days.take(CLOSED_DAYS_MAX).find(|day| is_business_day(day.date())).unwrap_or(first)
}

/// When the settlement of a day is closed: when the day begins, since all sales that are paid out
/// on it are of days before.
pub(crate) fn closes(day: Day) -> Timestamp {
    day.begins(&zone())
}

/// Whether banks are open.
fn is_business_day(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_bank_holiday(date)
}

/// The commission's list: the statutory holidays, of which three are kept on a Monday, Maundy
/// Thursday, Good Friday, the day of the dead, and the bank employee's day.
fn is_bank_holiday(date: Date) -> bool {
    let monday = |nth: i8| date.weekday() == Weekday::Monday && (date.day() - 1) / 7 + 1 == nth;
    match (date.month(), date.day()) {
        (1, 1) | (5, 1) | (9, 16) | (11, 2) | (12, 12 | 25) => true,
        (2, _) => monday(1),
        (3, _) if monday(3) => true,
        (11, _) => monday(3),
        // A president takes office every six years.
        (10, 1) => (date.year() - 2024).rem_euclid(6) == 0,
        (3 | 4, _) => is_holy(date),
        _ => false,
    }
}

/// Whether a date is the Thursday or Friday before Easter.
fn is_holy(date: Date) -> bool {
    let Some(easter) = easter(date.year()) else { return false };
    let days = Day::of(easter).0 - Day::of(date).0;
    matches!(days, 2 | 3)
}

/// Easter Sunday of the Gregorian calendar (the computus of Meeus, Jones and Butcher).
fn easter(year: i16) -> Option<Date> {
    let of_year = i32::from(year);
    let golden = of_year % 19;
    let (century, of_century) = (of_year / 100, of_year % 100);
    let skipped = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - skipped + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * sunday) / 451;
    let march = epact + sunday - 7 * late + 114;
    let (month, day) = (i8::try_from(march / 31).ok()?, i8::try_from(march % 31 + 1).ok()?);
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn sales_are_paid_out_on_the_next_business_day() {
        let table = [
            // Seed 002: a Friday's sales are paid out on Monday.
            ("2020-01-10T12:00:00-06:00", "2020-01-13"),
            ("2026-11-17T00:00:00-06:00", "2026-11-18"),
            ("2026-11-17T23:59:59.999999-06:00", "2026-11-18"),
            // Midnight in UTC is another day's evening.
            ("2026-11-18T00:00:00Z", "2026-11-18"),
            ("2026-11-20T23:59:59-06:00", "2026-11-23"),
            ("2026-11-21T12:00:00-06:00", "2026-11-23"),
            ("2026-11-22T23:59:59-06:00", "2026-11-23"),
            // The third Monday of November is a holiday.
            ("2026-11-13T12:00:00-06:00", "2026-11-17"),
            // Holy Week: Wednesday's sales wait for the Monday after Easter.
            ("2026-04-01T12:00:00-06:00", "2026-04-06"),
            ("2026-12-24T12:00:00-06:00", "2026-12-28"),
            ("2026-12-31T23:00:00-06:00", "2027-01-04"),
            // Summer time, which ended in 2022.
            ("2022-07-04T23:30:00-05:00", "2022-07-05"),
        ];
        for (moment, expected) in table {
            assert_eq!(settles_on(at(moment)).to_string(), expected, "{moment}");
        }
    }

    #[test]
    fn the_bank_holidays_of_published_years() {
        let table: [(i16, &[(i8, i8)]); 3] = [
            (
                2024,
                &[
                    (1, 1),
                    (2, 5),
                    (3, 18),
                    (3, 28),
                    (3, 29),
                    (5, 1),
                    (9, 16),
                    (10, 1),
                    (11, 2),
                    (11, 18),
                    (12, 12),
                    (12, 25),
                ],
            ),
            (
                2025,
                &[
                    (1, 1),
                    (2, 3),
                    (3, 17),
                    (4, 17),
                    (4, 18),
                    (5, 1),
                    (9, 16),
                    (11, 2),
                    (11, 17),
                    (12, 12),
                    (12, 25),
                ],
            ),
            (
                2026,
                &[
                    (1, 1),
                    (2, 2),
                    (3, 16),
                    (4, 2),
                    (4, 3),
                    (5, 1),
                    (9, 16),
                    (11, 2),
                    (11, 16),
                    (12, 12),
                    (12, 25),
                ],
            ),
        ];
        for (year, expected) in table {
            let first = Date::new(year, 1, 1).unwrap();
            let days = std::iter::successors(Some(first), |date| date.tomorrow().ok());
            let found: Vec<(i8, i8)> = days
                .take_while(|date| date.year() == year)
                .filter(|date| is_bank_holiday(*date))
                .map(|date| (date.month(), date.day()))
                .collect();
            assert_eq!(found, expected, "{year}");
        }
    }

    #[test]
    fn easter_falls_where_it_did() {
        for (year, month, day) in
            [(1999, 4, 4), (2008, 3, 23), (2020, 4, 12), (2025, 4, 20), (2026, 4, 5), (2038, 4, 25)]
        {
            assert_eq!(easter(year), Date::new(year, month, day).ok());
        }
    }

    #[test]
    fn a_settlement_closes_when_its_day_begins() {
        let day = settles_on(at("2026-11-20T12:00:00-06:00"));
        assert_eq!(closes(day), at("2026-11-23T00:00:00-06:00"));
        assert_eq!(settles_on(closes(day)), day.plus(1));
    }
}
