//! The real binary over real sockets: what issue and reference promise to a point of sale, on
//! SQLite and, where `COBRO_TEST_POSTGRES` names a server to make databases on, on PostgreSQL.
//!
//! Nothing here waits for a time: each step waits for an answer, a notification or a line.

#[cfg(test)]
mod http;
#[cfg(test)]
mod place;
#[cfg(test)]
mod point;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod server;
#[cfg(test)]
mod shape;

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod control;
#[cfg(test)]
mod countries;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod main_job;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod races;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod worlds;

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
