//! The Clip dialect over real sockets: what seeds 000 to 002 and the reference promise to points of
//! sale, shops and ERPs; on SQLite and, for what moves the clock and where `COBRO_TEST_POSTGRES` names
//! a server to make databases on, on PostgreSQL.
//!
//! Nothing here waits for a time: each step waits for an answer or a notification.

#[cfg(test)]
#[path = "../it/http.rs"]
#[allow(dead_code, reason = "shared with another test binary")]
mod http;
#[cfg(test)]
#[path = "../it/place.rs"]
#[allow(dead_code, reason = "shared with another test binary")]
mod place;
#[cfg(test)]
#[path = "../it/receiver.rs"]
#[allow(dead_code, reason = "shared with another test binary")]
mod receiver;
#[cfg(test)]
#[path = "../it/server.rs"]
#[allow(dead_code, reason = "shared with another test binary")]
mod server;
#[cfg(test)]
#[path = "../it/shape.rs"]
#[allow(dead_code, reason = "shared with another test binary")]
mod shape;

#[cfg(test)]
mod card_tokens;
#[cfg(test)]
mod checkout;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod payments_list;
#[cfg(test)]
mod pinpad;
#[cfg(test)]
mod pos;
#[cfg(test)]
mod postback;
#[cfg(test)]
mod refunds;
#[cfg(test)]
mod settlement_input;
#[cfg(test)]
mod settlement_reports;
#[cfg(test)]
mod settlements;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod terminals;
#[cfg(test)]
mod three_ds;
#[cfg(test)]
mod till;
#[cfg(test)]
mod transactions;

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
