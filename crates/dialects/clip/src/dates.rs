//! Times as clients of this provider write them, and as it writes them.

use cobro_domain::Timestamp;
use jiff::civil;

/// Where in a day a date without a time stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// At its first instant.
    Start,
    /// At its last.
    End,
}

/// Reads a time in any of the forms of reference, section 2.2: seconds or none, a fraction, dashes
/// instead of colons (the pattern of seed 001), an offset instead of `Z`, or a date alone. Without
/// an offset it is UTC.
pub(crate) fn moment(text: &str, edge: Edge) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_ascii() || text.len() > 40 {
        return None;
    }
    let (date_text, rest) = match text.split_once(['T', 't', ' ']) {
        Some((date, rest)) => (date, Some(rest)),
        None => (text, None),
    };
    let date = date(date_text)?;
    let Some(rest) = rest else {
        let start = instant(date, civil::Time::midnight(), 0)?;
        return Some(match edge {
            Edge::Start => start,
            Edge::End => start.plus_micros(24 * 3_600 * 1_000_000 - 1),
        });
    };
    let (clock, offset_s) = offset(rest)?;
    instant(date, time(clock)?, offset_s)
}

fn instant(date: civil::Date, time: civil::Time, offset_s: i32) -> Option<Timestamp> {
    let offset = jiff::tz::Offset::from_seconds(offset_s).ok()?;
    let at = offset.to_timestamp(date.to_datetime(time)).ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

/// `YYYY-MM-DD`.
fn date(text: &str) -> Option<civil::Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    civil::Date::new(
        number(year, 4)?,
        i8::try_from(number(month, 2)?).ok()?,
        i8::try_from(number(day, 2)?).ok()?,
    )
    .ok()
}

/// Digits, as many as are said.
fn number(text: &str, length: usize) -> Option<i16> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The time before an offset, and the offset in seconds.
fn offset(text: &str) -> Option<(&str, i32)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    // A dashed time has dashes of its own: an offset's minus sign stands before `hh:mm` or `hhmm`
    // at the end, and after a time with colons.
    let sign = match text.rfind('+') {
        Some(at) => Some((at, 1)),
        None if text.contains(':') => text.rfind('-').map(|at| (at, -1)),
        None => None,
    };
    let Some((at, sign)) = sign else { return Some((text, 0)) };
    let (clock, zone) = text.split_at_checked(at)?;
    let zone = zone.get(1..)?;
    let (hours, minutes) = match zone.split_once(':') {
        Some(parts) => parts,
        None if zone.len() == 4 => zone.split_at_checked(2)?,
        None => (zone, "00"),
    };
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours <= 18 && minutes < 60)
        .then(|| (clock, sign * (i32::from(hours) * 3_600 + i32::from(minutes) * 60)))
}

/// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.fraction`, with colons or dashes.
fn time(text: &str) -> Option<civil::Time> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let separator = if clock.contains(':') { ':' } else { '-' };
    let mut parts = clock.split(separator);
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = match parts.next() {
        Some(second) => number(second, 2)?,
        None if fraction.is_some() => return None,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    let nanos = match fraction {
        None => 0,
        Some(digits) if (1..=9).contains(&digits.len()) => {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| format!("{digits:0<9}").parse::<i32>().ok()).flatten()?
        }
        Some(_) => return None,
    };
    let small = |value: i16| i8::try_from(value).ok();
    civil::Time::new(small(hour)?, small(minute)?, small(second)?, nanos).ok()
}

/// A time with nine decimals, as payments have them.
pub(crate) fn nanoseconds(at: Timestamp) -> String {
    at.calendar().strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// A time in whole seconds, as refunds, transactions and payment links have them.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.calendar().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_is_documented_or_sent() {
        let table = [
            ("2023-10-15T00:00Z", "2023-10-15T00:00:00Z"),
            ("2024-02-22T00:00:00Z", "2024-02-22T00:00:00Z"),
            ("2024-02-22T23-59-59Z", "2024-02-22T23:59:59Z"),
            ("2024-02-22T23-59Z", "2024-02-22T23:59:00Z"),
            ("2024-02-22t23:59:59z ", "2024-02-22T23:59:59Z"),
            ("2024-02-22 23:59:59", "2024-02-22T23:59:59Z"),
            ("2024-02-27T04:14:50.868762942Z", "2024-02-27T04:14:50.868762Z"),
            ("2024-02-27T04:14:50.8Z", "2024-02-27T04:14:50.8Z"),
            ("2024-02-22T00:00:00-06:00", "2024-02-22T06:00:00Z"),
            ("2024-02-22T00:00:00+0530", "2024-02-21T18:30:00Z"),
            ("2024-02-22T00:00+00:00", "2024-02-22T00:00:00Z"),
            ("2024-02-22T00-00-00+01:00", "2024-02-21T23:00:00Z"),
            ("2024-02-22T10:00:00", "2024-02-22T10:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ];
        for (text, expected) in table {
            let found = moment(text, Edge::Start).map(|at| at.to_string());
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
        let end = moment("2024-02-22", Edge::End).map(|at| at.to_string());
        assert_eq!(end.as_deref(), Some("2024-02-22T23:59:59.999999Z"));
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            " ",
            "yesterday",
            "2024",
            "2024-02",
            "2024-2-22",
            "24-02-22",
            "2024-02-30",
            "2024-13-01",
            "2023-02-29",
            "2024-02-22T",
            "2024-02-22TZ",
            "2024-02-22T24:00:00Z",
            "2024-02-22T10:60:00Z",
            "2024-02-22T10Z",
            "2024-02-22T10:00:00.Z",
            "2024-02-22T10:00.5Z",
            "2024-02-22T10:00:00:00Z",
            "2024-02-22T10:00:00+25:00",
            "2024-02-22T10:00:00+1",
            "22/02/2024",
            "1708560000",
            "2024-02-22T10:00:00ZZ",
            "２０２４-02-22",
            "2024-02-22T10:00:00.1234567891Z",
            "+2024-02-22",
            "2024-02-22-01",
        ] {
            assert_eq!(moment(text, Edge::Start), None, "{text}");
        }
    }

    #[test]
    fn times_are_written() {
        let at = moment("2024-02-27T04:14:50.868762942Z", Edge::Start).unwrap();
        assert_eq!(nanoseconds(at), "2024-02-27T04:14:50.868762000Z");
        assert_eq!(seconds(at), "2024-02-27T04:14:50Z");
    }
}
