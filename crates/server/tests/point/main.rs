//! What the Point API has besides taking payments, over the real binary: events, search, refunds
//! on the terminal, signed webhooks, accounts and tokens; on SQLite and, where
//! `COBRO_TEST_POSTGRES` names a server to make databases on, on PostgreSQL.

#[cfg(test)]
#[path = "../it/http.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod http;
#[cfg(test)]
#[path = "../it/place.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod place;
#[cfg(test)]
#[path = "../it/point.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod point;
#[cfg(test)]
#[path = "../it/receiver.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod receiver;
#[cfg(test)]
#[path = "../it/server.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod server;
#[cfg(test)]
#[path = "../it/shape.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod shape;

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod events;
#[cfg(test)]
mod health;
#[cfg(test)]
mod integrator;
#[cfg(test)]
mod refund_intents;
#[cfg(test)]
mod search;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod webhooks;

/// Makes a test on SQLite and a test on PostgreSQL of each function that takes a place.
#[cfg(test)]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name(&crate::place::Place::sqlite());
            })*
        }
        mod postgres {
            $(#[test]
            fn $name() {
                if let Some(place) = crate::place::Place::postgres() {
                    super::$name(&place);
                }
            })*
        }
    };
}
#[cfg(test)]
pub(crate) use on_both;

/// Calls as somebody with a token, and the status that must come back.
#[cfg(test)]
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
