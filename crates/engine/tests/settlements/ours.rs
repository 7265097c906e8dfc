//! What a shopkeeper would reckon: fees, days and totals, written down without the engine's help.

use std::collections::BTreeMap;

use cobro_domain::PaymentId;

/// Microseconds of a day, and of the six hours that Mexico City is behind UTC.
pub(crate) const DAY_US: i64 = 86_400_000_000;
const BEHIND_US: i64 = 6 * 3_600_000_000;

/// A payment that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Sale {
    pub(crate) merchant: usize,
    pub(crate) id: PaymentId,
    pub(crate) at_us: i64,
    pub(crate) taken: i64,
    pub(crate) fee_bps: i64,
    /// What went back: when, and how much.
    pub(crate) back: Vec<(i64, i64)>,
}

/// A line as it must be: gross, fee, tax.
pub(crate) type Line = (i64, i64, i64);

/// The lines of one settlement: those of payments by payment, those of refunds in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) payments: BTreeMap<PaymentId, Line>,
    pub(crate) refunds: Vec<(PaymentId, Line)>,
}

impl Sale {
    /// What is left to go back.
    pub(crate) fn left(&self) -> i64 {
        self.taken - self.back.iter().map(|(_, amount)| amount).sum::<i64>()
    }

    fn charges(&self) -> (i64, i64) {
        let fee = half_up(self.taken * self.fee_bps, 10_000);
        (fee, half_up(fee * 1_600, 10_000))
    }
}

/// `part ÷ whole` of positive numbers, half up.
fn half_up(part: i64, whole: i64) -> i64 {
    (2 * part + whole) / (2 * whole)
}

/// The day in Mexico City, counted from 1970-01-01.
pub(crate) fn day_of(at_us: i64) -> i64 {
    (at_us - BEHIND_US).div_euclid(DAY_US)
}

/// The moment at which a day begins in Mexico City.
pub(crate) fn begins(day: i64) -> i64 {
    day * DAY_US + BEHIND_US
}

/// The next business day. 1970-01-01 was a Thursday.
pub(crate) fn pays_out(at_us: i64) -> i64 {
    let mut day = day_of(at_us) + 1;
    while matches!(day.rem_euclid(7), 2 | 3) {
        day += 1;
    }
    day
}

/// All settlements, by merchant and day. Refunds come in the order in which they were made.
pub(crate) fn sheets(sales: &[Sale]) -> BTreeMap<(usize, i64), Sheet> {
    let mut sheets: BTreeMap<(usize, i64), Sheet> = BTreeMap::new();
    let mut late: Vec<(i64, usize, PaymentId, Line)> = Vec::new();
    for sale in sales {
        let (fee, tax) = sale.charges();
        let day = pays_out(sale.at_us);
        let mut line = (sale.taken, fee, tax);
        let mut gone = 0;
        for (at_us, amount) in &sale.back {
            let part = |of: i64, gone: i64| half_up(of * gone, sale.taken);
            let fee_back = part(fee, gone + amount) - part(fee, gone);
            let tax_back = part(tax, gone + amount) - part(tax, gone);
            gone += amount;
            if *at_us < begins(day) {
                line = (line.0 - amount, line.1 - fee_back, line.2 - tax_back);
            } else {
                late.push((*at_us, sale.merchant, sale.id, (-amount, -fee_back, -tax_back)));
            }
        }
        let sheet = sheets.entry((sale.merchant, day)).or_default();
        if line.0 == 0 {
            assert_eq!(line, (0, 0, 0), "what went back as a whole costs nothing");
        } else {
            sheet.payments.insert(sale.id, line);
        }
    }
    late.sort();
    for (at_us, merchant, id, line) in late {
        let sheet = sheets.entry((merchant, pays_out(at_us))).or_default();
        sheet.refunds.push((id, line));
    }
    for sheet in sheets.values_mut() {
        sheet.refunds.sort();
    }
    sheets
}
