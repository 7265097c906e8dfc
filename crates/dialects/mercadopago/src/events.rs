//! What happened to payment intents last: reference, sections 4.4 and 4.5.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use cobro_domain::time::Day;
use cobro_domain::{IntentId, Timestamp};
use cobro_surface::body::json_response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::devices::{open, pairs};
use crate::errors::ApiError;
use crate::map::intent_state;
use crate::routes::Surface;
use crate::wire::event_time;

/// How many days may lie between the first and the last one.
const DAYS_MAX: i64 = 30;

/// How many intents are read at a time; the answer itself has no pages.
const PAGE: i64 = 5_000;

/// `GET /point/integration-api/payment-intents/{id}/events`
pub(crate) async fn last(
    State(surface): State<Surface>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    let id = IntentId::parse(&id).ok_or_else(ApiError::intent_not_found)?;
    let intent = seller.world.intent(&seller.caller, id).await?.intent;
    let body = json!({
        "created_on": event_time(intent.changed_at),
        "status": intent_state(intent.phase()),
    });
    Ok(json_response(StatusCode::OK, &body))
}

/// `GET /point/integration-api/payment-intents/events`
pub(crate) async fn by_day(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, query, _, _) = open(&surface, request).await?;
    let (from, to) = days(query.as_deref())?;
    let mut events: Vec<Value> = Vec::new();
    let mut before = None;
    loop {
        let page = seller.world.intent_events(&seller.caller, from, to, before, PAGE).await?;
        before = page.last().map(|event| event.intent);
        let is_last = i64::try_from(page.len()).unwrap_or(0) < PAGE;
        events.extend(page.into_iter().map(|event| {
            json!({
                "created_on": event_time(event.at),
                "payment_intent_id": event.intent.to_string(),
                "status": intent_state(event.phase),
            })
        }));
        if is_last {
            return Ok(json_response(StatusCode::OK, &json!({ "events": events })));
        }
    }
}

/// The beginning of the first day and the end of the last one, in UTC.
fn days(query: Option<&str>) -> Result<(Timestamp, Timestamp), ApiError> {
    let pairs = pairs(query);
    let day = |name: &str| {
        let (_, text) = pairs.iter().find(|(key, _)| key == name)?;
        // The library reads further forms.
        let is_plain = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
        let date: Date = is_plain.then(|| text.parse().ok()).flatten()?;
        Some(Day::of(date))
    };
    match (day("startDate"), day("endDate")) {
        (Some(first), Some(last)) if (0..=DAYS_MAX).contains(&(last.0 - first.0)) => {
            Ok((first.begins(&TimeZone::UTC), last.plus(1).begins(&TimeZone::UTC)))
        }
        _ => Err(ApiError::bad_request("startDate and/or endDate are missing or incorrect")),
    }
}

#[cfg(test)]
mod tests {
    use super::days;

    #[test]
    fn days_are_whole_and_at_most_thirty_apart() {
        let table = [
            (
                "startDate=2026-03-02&endDate=2026-03-02",
                Some(("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")),
            ),
            (
                "endDate=2026-03-31&startDate=2026-03-01&x=1",
                Some(("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")),
            ),
            ("startDate=2026-03-01&endDate=2026-04-01", None),
            ("startDate=2026-03-02&endDate=2026-03-01", None),
            ("startDate=2026-03-02", None),
            ("endDate=2026-03-02", None),
            ("startDate=2026-02-30&endDate=2026-03-01", None),
            ("startDate=20260302&endDate=20260302", None),
            ("startDate=02-03-2026&endDate=02-03-2026", None),
            ("startDate=2026-03-02T00:00:00Z&endDate=2026-03-02T00:00:00Z", None),
            ("startDate=&endDate=", None),
            ("", None),
        ];
        for (query, expected) in table {
            let found = days(Some(query)).ok();
            let found = found.map(|(from, to)| (from.to_string(), to.to_string()));
            let expected = expected.map(|(from, to)| (from.to_owned(), to.to_owned()));
            assert_eq!(found, expected, "{query}");
        }
        assert!(days(None).is_err());
    }
}
