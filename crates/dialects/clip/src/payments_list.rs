//! `GET /payments`: seed 001; reference, section 2.2.

use axum::http::StatusCode;
use axum::response::Response;
use cobro_domain::Timestamp;
use serde_json::{Value, json};

use crate::call::Call;
use crate::dates::{Edge, moment};
use crate::errors::Refusal;
use crate::fields::missing;
use crate::payments::shown;

/// How many payments a page has unless the request says otherwise.
const SIZE: i64 = 50;

/// The largest page; more is cut (the seed asks for 100 and shows 50).
const SIZE_MAX: i64 = 100;

/// A page that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    from: Timestamp,
    to: Timestamp,
    size: i64,
    number: i64,
}

impl Page {
    fn read(call: &Call) -> Result<Self, Refusal> {
        let absent: Vec<String> = ["from", "to"]
            .into_iter()
            .filter(|name| call.parameter(name).is_none())
            .map(|name| format!("{name} is required"))
            .collect();
        if !absent.is_empty() {
            return Err(missing(call.api, absent));
        }
        let time = |name: &str, edge| {
            let found = call.parameter(name).and_then(|text| moment(text, edge));
            found.ok_or_else(|| Refusal::bad(call.api, &format!("{name} must be an ISO 8601 date")))
        };
        let (from, to) = (time("from", Edge::Start)?, time("to", Edge::End)?);
        if from > to {
            return Err(Refusal::bad(call.api, "from must not be after to"));
        }
        let whole = |name: &str, default| match call.parameter(name) {
            None => Ok(default),
            Some(text) => text.parse::<i64>().ok().filter(|number| *number >= 1).ok_or_else(|| {
                Refusal::bad(call.api, &format!("{name} must be a positive integer"))
            }),
        };
        let size = whole("size", SIZE)?.min(SIZE_MAX);
        // The answer calls it `number`; no page names the parameter, so both words are read.
        let number = whole("number", whole("page", 1)?)?;
        Ok(Self { from, to, size, number })
    }
}

/// `GET /payments`
pub(crate) async fn list(call: Call) -> Result<Response, Refusal> {
    let page = Page::read(&call)?;
    let merchant = call.shop.caller.merchant;
    let found = call.world().payments_between(merchant, page.from, page.to, page.size, page.number);
    let found = found.await.map_err(|error| Refusal::of(call.api, error))?;
    let mut results = Vec::with_capacity(found.payments.len());
    for payment in &found.payments {
        results.push(shown(&call, payment).await?);
    }
    let pages = found.total.saturating_add(page.size - 1) / page.size;
    let body = json!({
        "pages": {
            "size": page.size,
            "number": page.number,
            "total": pages,
            "total_results": found.total,
        },
        "results": Value::Array(results),
    });
    Ok(call.answer(StatusCode::OK, &body))
}
