//! The Checkout dialect over real sockets: what seed 004 and the reference promise to a shop; on
//! SQLite and, where `COBRO_TEST_POSTGRES` names a server to make databases on, on PostgreSQL.
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
mod authentication;
#[cfg(test)]
mod collects;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod recurrences;
#[cfg(test)]
mod seed;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod slowness;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod vault;

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
