//! What the Point API has besides taking payments, over the real binary: events, search, refunds
//! on the terminal, signed webhooks, accounts and tokens; on SQLite and, where
//! `COBRO_TEST_POSTGRES` names a server to make databases on, on PostgreSQL.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod accounts;
mod documents;
mod events;
mod health;
mod integrator;
mod refund_intents;
mod search;
mod tokens;
mod webhooks;

use shared::{http, on_both, place, point, receiver, server};

/// Calls as somebody with a token, and the status that must come back.
#[track_caller]
pub(crate) fn ask(
    server: &server::Server<'_>,
    token: &str,
    (method, target): (&str, &str),
    body: &serde_json::Value,
    status: u16,
) -> serde_json::Value {
    let call = http::Call::new(method, target).bearer(token);
    let call = if body.is_null() { call } else { call.json(body) };
    let answer = server.send(&call).expect(status);
    if answer.body.is_empty() { serde_json::Value::Null } else { answer.json() }
}
