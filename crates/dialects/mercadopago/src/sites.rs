//! The countries: Point reference, section 13.

use cobro_domain::Currency;
use cobro_domain::fee::FeeSchedule;

/// A country of the Point API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// Argentina.
    Mla,
    /// Brazil.
    Mlb,
    /// Mexico.
    Mlm,
}

impl Site {
    pub(crate) const ALL: [Self; 3] = [Self::Mla, Self::Mlb, Self::Mlm];

    /// The site's code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Mla => "MLA",
            Self::Mlb => "MLB",
            Self::Mlm => "MLM",
        }
    }

    /// The site of a merchant's country. Every merchant of this dialect was made with one.
    pub(crate) fn of(country: &str) -> Self {
        Self::ALL.into_iter().find(|site| site.code() == country).unwrap_or(Self::Mla)
    }

    pub(crate) const fn currency(self) -> Currency {
        match self {
            Self::Mla => Currency::ARS,
            Self::Mlb => Currency::BRL,
            Self::Mlm => Currency::MXN,
        }
    }

    /// The smallest amount of an intent, in minor units, unless the merchant's setting says
    /// otherwise.
    pub(crate) const fn amount_min(self) -> i64 {
        match self {
            Self::Mla | Self::Mlm => 500,
            Self::Mlb => 100,
        }
    }

    /// The largest amount of an intent, in minor units.
    pub(crate) const fn amount_max(self) -> i64 {
        match self {
            Self::Mla => 400_000_000,
            Self::Mlb => 7_000_000,
            Self::Mlm => 35_000_000,
        }
    }

    /// Whether an intent may say more than its amount: a description and how it is to be paid.
    pub(crate) const fn takes_payment_options(self) -> bool {
        matches!(self, Self::Mlb)
    }

    /// Whether a ticket number comes back (contract: accepted everywhere, sent back only here).
    pub(crate) const fn shows_ticket_number(self) -> bool {
        matches!(self, Self::Mla)
    }

    /// What a demo seller pays: five percent, and the country's value-added tax on it.
    pub(crate) const fn fees(self) -> FeeSchedule {
        let tax_bps = match self {
            Self::Mla => 2100,
            Self::Mlb => 0,
            Self::Mlm => 1600,
        };
        FeeSchedule { fee_bps: 500, tax_bps }
    }

    /// The terminal of a demo seller.
    pub(crate) const fn device_model(self) -> &'static str {
        match self {
            Self::Mla => "PAX_A910",
            Self::Mlb => "GERTEC_MP35P",
            Self::Mlm => "NEWLAND_N950",
        }
    }

    /// The ISO 3166-1 code.
    pub(crate) const fn country(self) -> &'static str {
        match self {
            Self::Mla => "AR",
            Self::Mlb => "BR",
            Self::Mlm => "MX",
        }
    }

    /// The one model that gives money back on the terminal, where not all of them do.
    pub(crate) const fn refund_model(self) -> Option<&'static str> {
        match self {
            Self::Mlb => Some("GERTEC_MP35P"),
            Self::Mla | Self::Mlm => None,
        }
    }

    /// The zone of the times that the Payments API shows.
    pub(crate) const fn zone_offset_hours(self) -> i8 {
        // The API shows one offset for all sites (reference, section 1.2).
        -4
    }
}

/// The models that are a Point Smart.
const SMART_MODELS: [&str; 2] = ["PAX_A910", "NEWLAND_N950"];

/// The smallest instalment, in minor units.
const INSTALLMENT_MIN_MINOR: i64 = 500;

/// In how many instalments a terminal takes an amount for which `asked` were asked: a Smart takes a
/// single payment where each would be under 5.00 (reference, section 4.1).
pub(crate) fn installments_on(terminal: &str, amount: i64, asked: i64) -> i64 {
    let smart = SMART_MODELS.iter().any(|model| terminal.starts_with(model));
    let small = amount.checked_div(asked).is_none_or(|each| each < INSTALLMENT_MIN_MINOR);
    if smart && small { 1 } else { asked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smart_takes_small_instalments_as_one() {
        for (terminal, amount, asked, taken) in [
            ("PAX_A910__S1", 1_500, 3, 3),
            ("PAX_A910__S1", 1_499, 3, 1),
            ("NEWLAND_N950__S1", 1_000, 3, 1),
            ("PAX_A910__S1", 499, 1, 1),
            ("GERTEC_MP35P__S1", 1_000, 3, 3),
        ] {
            assert_eq!(installments_on(terminal, amount, asked), taken, "{terminal} {amount}");
        }
    }
}
