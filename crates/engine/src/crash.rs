//! Points at which a process can be made to die, so that a test can kill the real binary between
//! any two steps of a use case (reliability reference, section 2, rule 9).
//!
//! `COBRO_CRASH_AT=charge.begin.committed` ends the process the first time that it gets to the
//! point of that name, `charge.begin.committed:3` the third time. Release builds have no such
//! points: there [`point`] does nothing, and the variable is not read.
//!
//! A point is called `WHAT.STEP`: `….before_commit` stands at the end of a command, before its
//! batch is flushed; `….committed` where it is durable and nobody has been told yet;
//! `….before_send` and `….answered` on either side of a message.

#[cfg(debug_assertions)]
use std::sync::OnceLock;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that names a point.
pub const VARIABLE: &str = "COBRO_CRASH_AT";

#[cfg(debug_assertions)]
struct Planned {
    name: String,
    /// How many more times it is passed, the last time included.
    left: AtomicU64,
}

#[cfg(debug_assertions)]
static PLANNED: OnceLock<Option<Planned>> = OnceLock::new();

/// Ends the process, as if it were killed, when this is the point that was asked for.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    let planned = PLANNED.get_or_init(|| std::env::var(VARIABLE).ok().map(|text| parse(&text)));
    if let Some(planned) = planned
        && planned.name == name
        && planned.left.fetch_sub(1, Ordering::AcqRel) == 1
    {
        std::process::abort();
    }
}

/// Does nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn point(_name: &'static str) {}

#[cfg(debug_assertions)]
fn parse(text: &str) -> Planned {
    let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
    Planned { name: name.to_owned(), left: AtomicU64::new(nth.parse().unwrap_or(1)) }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn points_are_named_and_counted() {
        for (text, name, left) in
            [("a.b", "a.b", 1), ("a.b:3", "a.b", 3), ("a.b:x", "a.b", 1), ("", "", 1)]
        {
            let planned = parse(text);
            assert_eq!(planned.name, name);
            assert_eq!(planned.left.into_inner(), left);
        }
    }
}
