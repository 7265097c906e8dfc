//! What the hosted card page asks of this dialect.

use cobro_domain::merchant::Merchant;
use jiff::tz::TimeZone;

use crate::sites::Country;
use crate::{cards, documents};

/// Whether a document's number fits its type (reference, section 8.3); no number fits a type that
/// is not known.
pub fn document_fits(kind: &str, number: &str) -> bool {
    documents::fits(kind, number).unwrap_or(false)
}

/// The numbers of all published test cards (reference, section 8.5).
pub fn published_numbers() -> impl Iterator<Item = &'static str> {
    cards::published()
}

/// The zone that a site's dates are told in.
pub fn zone_of(merchant: &Merchant) -> TimeZone {
    Country::of(&merchant.country).zone()
}

/// The locale of a site, for requests that name none.
pub fn locale_of(merchant: &Merchant) -> &'static str {
    Country::of(&merchant.country).locale()
}
