//! What the test programs share: the real binary and its data, callers of its sockets, receivers of
//! its notifications, and the people who are known in the demo world.

pub(crate) mod canaries;
pub(crate) mod clip_shop;
pub(crate) mod documents;
pub(crate) mod http;
pub(crate) mod place;
pub(crate) mod point;
pub(crate) mod receiver;
pub(crate) mod server;
pub(crate) mod shape;
pub(crate) mod shop;
pub(crate) mod till;

/// Makes a test on SQLite and a test on PostgreSQL of each function that takes a place.
#[allow(unused_macros, reason = "not every test program has such tests")]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name(&crate::shared::place::Place::sqlite());
            })*
        }
        mod postgres {
            $(#[test]
            fn $name() {
                if let Some(place) = crate::shared::place::Place::postgres() {
                    super::$name(&place);
                }
            })*
        }
    };
}
#[allow(unused_imports, reason = "not every test program has such tests")]
pub(crate) use on_both;
