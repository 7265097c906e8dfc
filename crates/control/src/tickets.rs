//! Tickets to the live stream. A browser's `EventSource` can send no header, so whoever holds the
//! control token asks for a ticket first, and names it in the query. A ticket opens the stream and
//! nothing else, for a minute of real time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::routing::post;
use cobro_domain::Timestamp;
use cobro_engine::World;
use cobro_engine::secrets::same_secret;
use cobro_surface::body::json_response;
use cobro_surface::endpoint::{Endpoint, Routes};
use http::{Method, StatusCode, Uri};
use serde_json::json;

use crate::Shared;
use crate::answers::{BAD, REFUSED, TOO_LARGE, answer, call};
use crate::input::Input;
use crate::refusal::Answer;

/// How long a ticket is good, in seconds of real time.
const GOOD_S: i64 = 60;

/// How many tickets are good at once; the oldest ends for the next.
const TICKETS_MAX: usize = 1_000;

/// What a ticket opens.
const OPENS: &str = "/_cobro/v1/live";

static TICKET: Endpoint = Endpoint {
    summary: "A ticket to the live stream, for pages that cannot send a header: ?ticket=…",
    parameters: &[],
    request: Some("{}"),
    responses: &[
        answer(
            201,
            "The ticket, good for a minute and for the stream alone",
            r#"{"ticket":"5f0c3a1e9b7d4286a1c3e5f708192a3b","expires_in":60}"#,
        ),
        BAD,
        REFUSED,
        TOO_LARGE,
    ],
    ..call("POST", "/_cobro/v1/live/tickets", "makeTicket")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&TICKET, post(make))
}

async fn make(State(shared): State<Shared>, input: Input) -> Answer {
    input.members(&[])?;
    let ticket = shared.tickets.issue(shared.control.worlds.main());
    Ok(json_response(StatusCode::CREATED, &json!({"ticket": ticket, "expires_in": GOOD_S})))
}

/// The tickets that are good, the oldest first.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<VecDeque<(String, Timestamp)>>);

impl Tickets {
    fn issue(&self, world: &World) -> String {
        let ticket: String =
            world.entropy().seed().iter().map(|byte| format!("{byte:02x}")).collect();
        let until = world.clock().real().plus_seconds(GOOD_S);
        let mut good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= TICKETS_MAX {
            good.pop_front();
        }
        good.push_back((ticket.clone(), until));
        ticket
    }

    /// Whether a request is let in by a ticket.
    pub(crate) fn open(&self, method: &Method, uri: &Uri, now: Timestamp) -> bool {
        let query = uri.query().unwrap_or_default();
        let given = query.split('&').find_map(|pair| pair.strip_prefix("ticket="));
        let (Some(given), OPENS, &Method::GET) = (given, uri.path(), method) else { return false };
        let mut good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        good.retain(|(_, until)| *until > now);
        good.iter().any(|(ticket, _)| same_secret(ticket.as_bytes(), given.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_its_time() {
        let now = Timestamp::default();
        let tickets = Tickets::default();
        tickets.0.lock().unwrap().push_back(("abc".to_owned(), now.plus_seconds(GOOD_S)));
        let uri = Uri::from_static("/_cobro/v1/live?world=demo&ticket=abc");
        for (seconds, is_good) in [(0, true), (59, true), (60, false), (0, false)] {
            let at = now.plus_seconds(seconds);
            assert_eq!(tickets.open(&Method::GET, &uri, at), is_good, "{seconds}");
        }
    }
}
