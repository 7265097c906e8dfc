//! Which day money is paid out on.

use cobro_domain::Timestamp;
use cobro_domain::merchant::Merchant;
use cobro_domain::time::Day;
use jiff::tz::TimeZone;

/// On which day money that is taken at this moment is paid out.
pub(crate) fn settles_on(_merchant: &Merchant, _at: Timestamp) -> Option<Day> {
    None
}

/// When the settlement of a day is closed.
pub(crate) fn closes(day: Day) -> Timestamp {
    day.begins(&TimeZone::UTC)
}
