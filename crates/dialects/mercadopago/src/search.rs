//! Searching payments: reference, section 10.2.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use cobro_domain::Timestamp;
use cobro_engine::payment_search::{FoundPayment, PaymentOrder, PaymentTime, SearchPayments};
use cobro_surface::body::json_response;
use jiff::{Span, ToSpan};
use serde_json::json;

use crate::devices::{open, pairs};
use crate::errors::ApiError;
use crate::payments::is_shown;
use crate::routes::Surface;
use crate::wire::{self, PaymentBody, PaymentParts, SearchBody};

/// The page that is given when none is asked for.
const PAGE: i64 = 30;

/// The largest page, and the most payments that can be passed over; our choice.
const PAGE_MAX: i64 = 1_000;
const OFFSET_MAX: i64 = 10_000;

/// Over how many months a search goes.
const MONTHS: i64 = 12;

/// `GET /v1/payments/search`
pub(crate) async fn search(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, query, _, _) = open(&surface, request).await?;
    let wanted = wanted(query.as_deref(), seller.world.now())?;
    let (limit, offset) = (wanted.limit, wanted.offset);
    let found = seller.world.search_payments(&seller.caller, wanted).await?;
    let results: Vec<PaymentBody> = found
        .payments
        .into_iter()
        .filter_map(|FoundPayment { payment, mut refunds, terminal }| {
            refunds.retain(is_shown);
            wire::payment(&PaymentParts {
                merchant: &seller.caller.account,
                payment: &payment,
                refunds: &refunds,
                terminal: terminal.as_ref(),
            })
        })
        .collect();
    let paging = json!({ "limit": limit, "offset": offset, "total": found.total });
    Ok(json_response(StatusCode::OK, &SearchBody { paging, results }))
}

fn params_error() -> ApiError {
    ApiError::bad_request("Params Error").caused(1)
}

/// Reads a search. What it does not know it passes over, as clients send more.
fn wanted(query: Option<&str>, now: Timestamp) -> Result<SearchPayments, ApiError> {
    let earliest = moved(now, -(MONTHS.months())).unwrap_or_default();
    let mut wanted = SearchPayments {
        reference: None,
        made_from: earliest,
        range: PaymentTime::Created,
        from: earliest,
        to: now,
        order: PaymentOrder::Time(PaymentTime::Created),
        ascending: false,
        offset: 0,
        limit: PAGE,
    };
    let date = |text: &str| {
        let message = "Date format must be yyyy-MM-dd'T'HH:mm:ss.SSSZ";
        date(text, now).ok_or_else(|| ApiError::bad_request(message).caused(1001))
    };
    for (name, value) in pairs(query) {
        match name.as_str() {
            _ if value.is_empty() => {}
            "sort" => {
                let wrong = || ApiError::bad_request("Invalid sort value").caused(1003);
                wanted.order = match value.as_str() {
                    "id" => PaymentOrder::Number,
                    other => PaymentOrder::Time(time(other).ok_or_else(wrong)?),
                };
            }
            "criteria" => {
                wanted.ascending = match value.to_ascii_lowercase().as_str() {
                    "asc" => true,
                    "desc" => false,
                    _ => return Err(ApiError::bad_request("Invalid criteria value").caused(1004)),
                };
            }
            "external_reference" => wanted.reference = Some(reference(value)?),
            "range" => wanted.range = time(&value).ok_or_else(params_error)?,
            "begin_date" => wanted.from = date(&value)?,
            "end_date" => wanted.to = date(&value)?,
            "limit" => wanted.limit = number(&value, 1, PAGE_MAX)?,
            "offset" => wanted.offset = number(&value, 0, OFFSET_MAX)?,
            _ => {}
        }
    }
    if wanted.from > wanted.to {
        return Err(params_error());
    }
    Ok(wanted)
}

fn reference(text: String) -> Result<String, ApiError> {
    if text.contains('\0') { Err(params_error()) } else { Ok(text) }
}

fn number(text: &str, min: i64, max: i64) -> Result<i64, ApiError> {
    let number: i64 = text.parse().map_err(|_| params_error())?;
    if number > max {
        let message = "Number of rows exceeded the limits";
        return Err(ApiError::bad_request(message).caused(1000));
    }
    if number < min { Err(params_error()) } else { Ok(number) }
}

/// Money is released once it is approved.
fn time(word: &str) -> Option<PaymentTime> {
    match word {
        "date_created" => Some(PaymentTime::Created),
        "date_last_updated" => Some(PaymentTime::Changed),
        "date_approved" | "money_release_date" => Some(PaymentTime::Approved),
        _ => None,
    }
}

/// A time in ISO 8601 with an offset, or one relative to now: `NOW`, `NOW-30DAYS`.
fn date(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(relative) = text.strip_prefix("NOW") {
        return if relative.is_empty() { Some(now) } else { moved(now, span(relative)?) };
    }
    // A plus sign that was not escaped arrives as a space.
    Timestamp::parse_rfc3339(&text.replace(' ', "+"))
}

/// A span such as `-30DAYS`.
fn span(text: &str) -> Option<Span> {
    let digits = text.strip_prefix(['-', '+', ' '])?;
    let end = digits.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = digits.split_at_checked(end)?;
    let count: i64 = count.parse().ok().filter(|count| *count <= 100_000)?;
    let span = match unit.strip_suffix('S').unwrap_or(unit) {
        "MINUTE" => count.minutes(),
        "HOUR" => count.hours(),
        "DAY" => count.days(),
        "MONTH" => Span::new().try_months(count).ok()?,
        "YEAR" => Span::new().try_years(count).ok()?,
        _ => return None,
    };
    Some(if text.starts_with('-') { -span } else { span })
}

fn moved(at: Timestamp, span: Span) -> Option<Timestamp> {
    let zoned = at.calendar().to_zoned(jiff::tz::TimeZone::UTC);
    let moved = zoned.checked_add(span).ok()?;
    Some(Timestamp::from_micros(moved.timestamp().as_microsecond().max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-20T10:00:00Z";

    fn read(query: &str) -> Result<SearchPayments, ApiError> {
        wanted(Some(query), Timestamp::parse_rfc3339(NOW).unwrap())
    }

    #[test]
    fn nothing_asked_for_is_the_last_twelve_months() {
        let search = read("").unwrap();
        assert_eq!(search.from.to_string(), "2025-11-20T10:00:00Z");
        assert_eq!(search.made_from, search.from);
        assert_eq!(search.to.to_string(), NOW);
        assert_eq!((search.limit, search.offset, search.ascending), (30, 0, false));
        assert_eq!(search.order, PaymentOrder::Time(PaymentTime::Created));
        assert_eq!(search.reference, None);
        assert_eq!(read("begin_date=&external_reference=&status=approved").unwrap(), search);
    }

    #[test]
    fn dates_in_every_form() {
        let table = [
            ("NOW", Some(NOW)),
            ("NOW-30DAYS", Some("2026-10-21T10:00:00Z")),
            ("NOW-1DAY", Some("2026-11-19T10:00:00Z")),
            ("NOW-2HOURS", Some("2026-11-20T08:00:00Z")),
            ("NOW-1MONTH", Some("2026-10-20T10:00:00Z")),
            ("NOW-1YEAR", Some("2025-11-20T10:00:00Z")),
            ("NOW-5MINUTES", Some("2026-11-20T09:55:00Z")),
            ("2026-11-20T06:00:00.000-04:00", Some(NOW)),
            ("2026-11-20T12:00:00.000%2B02:00", Some(NOW)),
            ("2026-11-20T12:00:00.000+02:00", Some(NOW)),
            ("2026-11-20T06:00:00.000-0400", Some(NOW)),
            ("2026-11-20T10:00:00Z", Some(NOW)),
            ("2026-11-20", None),
            ("2026-11-20T10:00:00", None),
            ("NOW-", None),
            ("NOW-DAYS", None),
            ("NOW-30WEEKS", None),
            ("NOW30DAYS", None),
            ("NOW-99999999999999999999DAYS", None),
            ("yesterday", None),
        ];
        for (text, expected) in table {
            let found = read(&format!("end_date={text}")).map(|search| search.to.to_string());
            match expected {
                Some(expected) => assert_eq!(found.unwrap(), expected, "{text}"),
                None => assert_eq!(found.unwrap_err().cause[0].code, 1001, "{text}"),
            }
        }
    }

    #[test]
    fn orders_ranges_and_pages() {
        let search = read(
            "sort=date_approved&criteria=asc&range=date_last_updated&limit=1000&offset=10000\
             &external_reference=a%20b&begin_date=NOW-2DAYS&end_date=NOW-1DAYS",
        )
        .unwrap();
        assert_eq!(search.order, PaymentOrder::Time(PaymentTime::Approved));
        assert_eq!(search.range, PaymentTime::Changed);
        assert!(search.ascending);
        assert_eq!((search.limit, search.offset), (1000, 10_000));
        assert_eq!(search.reference.as_deref(), Some("a b"));
        assert_eq!(search.from.to_string(), "2026-11-18T10:00:00Z");
        assert_eq!(search.to.to_string(), "2026-11-19T10:00:00Z");
        let table = [
            ("sort=amount", 1003),
            ("criteria=up", 1004),
            ("range=id", 1),
            ("limit=0", 1),
            ("limit=x", 1),
            ("limit=1001", 1000),
            ("offset=-1", 1),
            ("offset=10001", 1000),
            ("begin_date=NOW&end_date=NOW-1DAY", 1),
            ("external_reference=%00", 1),
        ];
        for (query, code) in table {
            assert_eq!(read(query).unwrap_err().cause[0].code, code, "{query}");
        }
        assert_eq!(read("sort=id").unwrap().order, PaymentOrder::Number);
    }
}
