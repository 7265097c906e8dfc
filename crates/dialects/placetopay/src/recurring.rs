//! How a payment recurs (reference, section 2.4; contract, "Recurring").

use cobro_domain::time::Day;
use serde_json::{Map, Value, json};

use crate::errors::Refusal;
use crate::validate::At;

/// The unit of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    Day,
    Month,
    Year,
}

/// A recurrence that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) period: Period,
    pub(crate) interval: i64,
    /// On which day the second charge falls.
    pub(crate) next: Day,
    /// How many charges there are in all; `None` for no end.
    pub(crate) charges_max: Option<i64>,
    /// The last day on which a charge is made.
    pub(crate) last: Option<Day>,
    pub(crate) url: String,
    /// What is kept and given back.
    pub(crate) kept: Value,
}

pub(crate) fn read(at: &At<'_>, today: jiff::civil::Date) -> Result<Option<Plan>, Refusal> {
    let Some(at) = at.object()? else { return Ok(None) };
    let periodicity = at.member("periodicity");
    let word = periodicity.text(1)?.ok_or_else(|| periodicity.required())?;
    let period = match word.as_str() {
        "D" => Period::Day,
        "M" => Period::Month,
        "Y" => Period::Year,
        _ => return Err(periodicity.invalid()),
    };
    let interval_at = at.member("interval");
    let interval = interval_at.integer(1, 127)?.ok_or_else(|| interval_at.required())?;
    let max_at = at.member("maxPeriods");
    let max = max_at.integer(-1, 32_767)?.ok_or_else(|| max_at.required())?;
    if max == 0 {
        return Err(max_at.invalid());
    }
    let next_at = at.member("nextPayment");
    let next = match next_at.day()? {
        Some(day) if day <= today => return Err(next_at.invalid()),
        Some(day) => day,
        None => after(today, period, interval),
    };
    let last = at.member("dueDate").day()?;
    let url = at.member("notificationUrl").uri()?;
    let mut kept = Map::new();
    kept.extend([
        ("periodicity".to_owned(), json!(word)),
        ("interval".to_owned(), json!(interval)),
        ("nextPayment".to_owned(), json!(next.to_string())),
        ("maxPeriods".to_owned(), json!(max)),
    ]);
    if let Some(last) = last {
        kept.insert("dueDate".to_owned(), json!(last.to_string()));
    }
    if let Some(url) = &url {
        kept.insert("notificationUrl".to_owned(), json!(url));
    }
    Ok(Some(Plan {
        period,
        interval,
        next: Day::of(next),
        charges_max: (max > 0).then_some(max),
        last: last.map(Day::of),
        url: url.unwrap_or_default(),
        kept: Value::Object(kept),
    }))
}

/// The day one interval later; a day that the month lacks falls on its last.
fn after(day: jiff::civil::Date, period: Period, interval: i64) -> jiff::civil::Date {
    let span = jiff::Span::new();
    let span = match period {
        Period::Day => span.days(interval),
        Period::Month => span.months(interval),
        Period::Year => span.years(interval),
    };
    day.saturating_add(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_surface::json::Json;

    fn read_at(value: &Value) -> Result<Option<Plan>, Refusal> {
        let json = Json::from(&json!({ "recurring": value }));
        read(&At::body(&json).member("recurring"), jiff::civil::date(2026, 1, 31))
    }

    #[test]
    fn recurrences_are_read() {
        let plan = read_at(&json!({"periodicity": "M", "interval": "1", "maxPeriods": "-1"}));
        let plan = plan.unwrap().unwrap();
        assert_eq!((plan.next.to_string().as_str(), plan.charges_max), ("2026-02-28", None));
        assert_eq!(plan.kept["maxPeriods"], -1);
        let plan = read_at(&json!({"periodicity": "D", "interval": 15, "maxPeriods": 12,
            "nextPayment": "2026-08-24", "dueDate": "2026-09-24",
            "notificationUrl": "https://shop.example/n"}));
        let plan = plan.unwrap().unwrap();
        assert_eq!((plan.next.to_string().as_str(), plan.charges_max), ("2026-08-24", Some(12)));
        for wrong in [
            json!({"periodicity": "W", "interval": 1, "maxPeriods": 1}),
            json!({"periodicity": "D", "interval": 0, "maxPeriods": 1}),
            json!({"periodicity": "D", "interval": 128, "maxPeriods": 1}),
            json!({"periodicity": "D", "interval": 1, "maxPeriods": 0}),
            json!({"periodicity": "D", "interval": 1}),
            json!({"periodicity": "D", "maxPeriods": 1}),
            json!({"interval": 1, "maxPeriods": 1}),
            json!({"periodicity": "D", "interval": 1, "maxPeriods": 1, "nextPayment": "2026-01-31"}),
        ] {
            assert!(read_at(&wrong).is_err(), "{wrong}");
        }
        assert_eq!(read_at(&json!(null)), Ok(None));
    }
}
