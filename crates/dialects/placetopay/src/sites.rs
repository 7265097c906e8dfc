//! The countries of sites: their locale, zone and currencies (contract, "Placetopay sites").

use cobro_domain::{Currency, Timestamp};
use jiff::tz::TimeZone;

/// A country of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Country {
    /// Colombia.
    Co,
    /// Chile.
    Cl,
}

impl Country {
    pub(crate) const ALL: [Self; 2] = [Self::Co, Self::Cl];

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Co => "CO",
            Self::Cl => "CL",
        }
    }

    /// The country of a merchant. Every merchant of this dialect was made with one.
    pub(crate) fn of(code: &str) -> Self {
        Self::ALL.into_iter().find(|country| country.code() == code).unwrap_or(Self::Co)
    }

    pub(crate) const fn locale(self) -> &'static str {
        match self {
            Self::Co => "es_CO",
            Self::Cl => "es_CL",
        }
    }

    /// The name of the zone that its dates are told in.
    pub(crate) const fn zone_name(self) -> &'static str {
        match self {
            Self::Co => "America/Bogota",
            Self::Cl => "America/Santiago",
        }
    }

    pub(crate) fn zone(self) -> TimeZone {
        TimeZone::get(self.zone_name()).unwrap_or(TimeZone::UTC)
    }

    /// Its currencies, the usual one first.
    pub(crate) const fn currencies(self) -> &'static [&'static str] {
        match self {
            Self::Co => &["COP", "USD"],
            Self::Cl => &["CLP"],
        }
    }

    /// The currency that its terminals would have.
    pub(crate) fn currency(self) -> Currency {
        let code = self.currencies().first().copied().unwrap_or_default();
        Currency::from_code(code).unwrap_or(Currency::MXN)
    }
}

/// A moment as the API writes it: ISO 8601 with seconds and the zone's offset.
pub(crate) fn date(at: Timestamp, zone: &TimeZone) -> String {
    at.calendar().to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_in_the_sites_zone() {
        let at = Timestamp::parse_rfc3339("2026-03-04T10:06:08.9Z").unwrap();
        let table = [
            (Country::Co, "2026-03-04T05:06:08-05:00"),
            (Country::Cl, "2026-03-04T07:06:08-03:00"),
        ];
        for (country, expected) in table {
            assert_eq!(date(at, &country.zone()), expected);
            assert_eq!(Country::of(country.code()), country);
            for code in country.currencies() {
                assert!(Currency::from_code(code).is_some());
            }
        }
    }
}
