//! The world's clock.

use axum::routing::{get, post};
use cobro_domain::Timestamp;
use cobro_surface::endpoint::{Endpoint, Routes};
use serde_json::{Value, json};

use crate::Shared;
use crate::answers::{CONFLICT, answer, call, read_responses, write_responses};
use crate::input::{Input, Members, Selected};
use crate::refusal::{Answer, Refusal};
use crate::view::ok;
use crate::worlds::to_the_end;

static READ: Endpoint = Endpoint {
    summary: "Tells the world's time",
    responses: read_responses![answer(200, "The time", r#"{"now":"2026-11-20T10:00:00Z"}"#)],
    ..call("GET", "/_cobro/v1/clock", "readClock")
};

static ADVANCE: Endpoint = Endpoint {
    summary: "Moves the world's clock by seconds, or to a time; what falls due is done first",
    request: Some(r#"{"seconds":60}"#),
    responses: write_responses![
        answer(
            200,
            "The new time, and what fell due",
            r#"{"now":"2026-11-20T10:01:00Z","due":[{"at":"2026-11-20T10:00:30Z","kind":"close_result","subject":"PAX_A910__SBX0000001"}]}"#,
        ),
        CONFLICT
    ],
    ..call("POST", "/_cobro/v1/clock/advance", "advanceClock")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&READ, get(read)).at(&ADVANCE, post(advance))
}

async fn read(Selected(world): Selected) -> Answer {
    Ok(ok(&json!({"now": world.now().to_string()})))
}

async fn advance(Selected(world): Selected, input: Input) -> Answer {
    let to = target(input.members(&["seconds", "to"])?, world.now())?;
    let own = world.clone();
    let due = to_the_end(async move { own.advance_to(to).await }).await?;
    let due: Vec<Value> = due
        .into_iter()
        .map(|due| json!({"at": due.at.to_string(), "kind": due.kind, "subject": due.subject}))
        .collect();
    Ok(ok(&json!({"now": world.now().to_string(), "due": due})))
}

/// Where the clock is to be moved to.
fn target(members: Members<'_>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let late = || Refusal::bad("the clock cannot be moved beyond the year 9998");
    match (members.get("seconds"), members.get("to")) {
        (Some(seconds), None) => {
            let seconds = seconds.as_number().and_then(|number| number.integer());
            let seconds = seconds.ok_or_else(|| Refusal::bad("seconds must be a whole number"))?;
            if seconds < 0 {
                return Err(cobro_engine::EngineError::ClockBackwards.into());
            }
            let to = now.plus_seconds(seconds);
            let moved = to.micros().saturating_sub(now.micros());
            if seconds.checked_mul(1_000_000) == Some(moved) { Ok(to) } else { Err(late()) }
        }
        (None, Some(to)) => {
            let to = to.as_str().and_then(Timestamp::parse_rfc3339);
            let to = to.ok_or_else(|| Refusal::bad("to must be a time of RFC 3339"))?;
            // The clock keeps within the years that a timestamp keeps within.
            if to > to.plus_micros(0) { Err(late()) } else { Ok(to) }
        }
        (None, None) | (Some(_), Some(_)) => {
            Err(Refusal::bad("either seconds or to must be given"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use cobro_surface::json::Json;

    #[test]
    fn targets_of_the_clock() {
        let now = Timestamp::parse_rfc3339("2026-11-20T10:00:00Z").unwrap();
        let table = [
            (r#"{"seconds":60}"#, Some("2026-11-20T10:01:00Z")),
            (r#"{"seconds":0}"#, Some("2026-11-20T10:00:00Z")),
            (r#"{"seconds":6e1}"#, Some("2026-11-20T10:01:00Z")),
            (r#"{"to":"2026-11-21T00:00:00-05:00"}"#, Some("2026-11-21T05:00:00Z")),
            (r#"{"seconds":null,"to":"2026-11-21T00:00:00Z"}"#, Some("2026-11-21T00:00:00Z")),
            (r#"{"seconds":-1}"#, None),
            (r#"{"seconds":0.5}"#, None),
            (r#"{"seconds":"60"}"#, None),
            (r#"{"seconds":9223372036854775807}"#, None),
            (r#"{"seconds":999999999999}"#, None),
            (r#"{"to":"tomorrow"}"#, None),
            (r#"{"to":"2026-11-21"}"#, None),
            (r#"{"to":"9999-06-01T00:00:00Z"}"#, None),
            (r#"{"to":60}"#, None),
            (r#"{"seconds":1,"to":"2026-11-21T00:00:00Z"}"#, None),
            ("{}", None),
        ];
        for (body, expected) in table {
            let json = Json::parse(body.as_bytes(), &Default::default()).unwrap();
            let found = target(Members::of(&json, &["seconds", "to"]).unwrap(), now);
            match (found, expected) {
                (Ok(to), Some(text)) => assert_eq!(to.to_string(), text, "{body}"),
                (Err(refusal), None) => {
                    assert_eq!(refusal.into_response().status(), 400, "{body}");
                }
                (found, _) => panic!("{body}: {found:?}"),
            }
        }
    }
}
