//! Recomputes settlements from the payments and refunds that carry their day, and what was paid out
//! from the ledger.

use std::collections::BTreeMap;

use cobro_domain::MerchantId;
use cobro_domain::fee::Fee;
use cobro_domain::settlement::Settlement;
use cobro_domain::time::Day;
use cobro_store::{Cell, FromCell, Reader, StoreError};

use crate::verify::{Offence, broken};

/// What a settlement must say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    gross_minor: i64,
    fee: Fee,
    rows: i64,
}

const TAKEN: &str = "SELECT merchant, settles_on, CAST(SUM(captured) AS BIGINT), \
     CAST(SUM(fee) AS BIGINT), CAST(SUM(tax) AS BIGINT), COUNT(*) FROM payment \
     WHERE settles_on IS NOT NULL GROUP BY merchant, settles_on";

const BACK: &str = "SELECT merchant, settles_on, CAST(-SUM(amount) AS BIGINT), \
     CAST(-SUM(fee) AS BIGINT), CAST(-SUM(tax) AS BIGINT), CAST(0 AS BIGINT) FROM refund \
     WHERE settles_on IS NOT NULL GROUP BY merchant, settles_on";

/// Refunds that are rows of their own.
const LATE: &str = "SELECT r.merchant, r.settles_on, CAST(0 AS BIGINT), CAST(0 AS BIGINT), \
     CAST(0 AS BIGINT), COUNT(*) FROM refund AS r JOIN payment AS p ON p.merchant = r.merchant \
     AND p.id = r.payment \
     WHERE r.settles_on IS NOT NULL AND r.settles_on <> p.settles_on \
     GROUP BY r.merchant, r.settles_on";

/// Payments that went back as a whole within their settlement, and are no rows.
const GONE: &str = "SELECT p.merchant, p.settles_on, CAST(0 AS BIGINT), CAST(0 AS BIGINT), \
     CAST(0 AS BIGINT), -COUNT(*) FROM payment AS p \
     WHERE p.settles_on IS NOT NULL AND p.refunded = p.captured AND NOT EXISTS (\
     SELECT 1 FROM refund AS r WHERE r.merchant = p.merchant AND r.payment = p.id \
     AND r.settles_on IS NOT NULL AND r.settles_on <> p.settles_on) \
     GROUP BY p.merchant, p.settles_on";

const PAID_OUT: &str = "SELECT merchant, CAST(SUM(amount) AS BIGINT) FROM entry \
     WHERE account = 'bank' GROUP BY merchant";

/// I12: each settlement says what its payments and refunds add up to, and the closed ones are what
/// was paid out.
pub(crate) fn check(reader: &mut Reader<'_>) -> Result<(), Offence> {
    let store = |error: StoreError| Offence::Engine(error.into());
    let mut expected: BTreeMap<(MerchantId, i64), Sums> = BTreeMap::new();
    for text in [TAKEN, BACK, LATE, GONE] {
        for row in reader.rows(text, &[]).map_err(store)? {
            add(&mut expected, &row)?;
        }
    }
    let mut paid_out: BTreeMap<MerchantId, i64> = BTreeMap::new();
    for settlement in reader.select::<Settlement>("ORDER BY merchant, day", &[]).map_err(store)? {
        let place = (settlement.merchant, settlement.day.0);
        let Settlement { gross_minor, fee, rows, .. } = settlement;
        let (said, sums) = (Sums { gross_minor, fee, rows }, expected.remove(&place));
        if sums.unwrap_or_default() != said {
            let record = record(settlement.merchant, settlement.day);
            let what = format!("it says {said:?}, its payments and refunds {sums:?}");
            return Err(broken("I12", record, what));
        }
        if !settlement.is_open() {
            let sum = paid_out.entry(settlement.merchant).or_default();
            *sum = sum.saturating_add(settlement.net_minor());
        }
    }
    if let Some(((merchant, day), sums)) = expected.into_iter().next() {
        let what = format!("is not there, for {sums:?}");
        return Err(broken("I12", record(merchant, Day(day)), what));
    }
    for row in reader.rows(PAID_OUT, &[]).map_err(store)? {
        let mut cells = row.iter();
        let merchant = read(cells.next())?;
        let posted: i64 = read(cells.next())?;
        let closed = paid_out.remove(&merchant).unwrap_or_default();
        if closed != -posted {
            let what = format!("{closed} minor units were settled, {} paid out", -posted);
            return Err(broken("I12", format!("merchant {merchant}"), what));
        }
    }
    match paid_out.into_iter().find(|(_, closed)| *closed != 0) {
        Some((merchant, closed)) => {
            let what = format!("{closed} minor units were settled, none paid out");
            Err(broken("I12", format!("merchant {merchant}"), what))
        }
        None => Ok(()),
    }
}

fn record(merchant: MerchantId, day: Day) -> String {
    format!("settlement of {merchant} on {day}")
}

fn add(expected: &mut BTreeMap<(MerchantId, i64), Sums>, row: &[Cell]) -> Result<(), Offence> {
    let mut cells = row.iter();
    let place = (read(cells.next())?, read(cells.next())?);
    let mut next = || read::<i64>(cells.next());
    let (gross, fee, tax, rows) = (next()?, next()?, next()?, next()?);
    let sums = expected.entry(place).or_default();
    sums.gross_minor = sums.gross_minor.saturating_add(gross);
    sums.fee.fee_minor = sums.fee.fee_minor.saturating_add(fee);
    sums.fee.tax_minor = sums.fee.tax_minor.saturating_add(tax);
    sums.rows = sums.rows.saturating_add(rows);
    Ok(())
}

fn read<T: FromCell>(cell: Option<&Cell>) -> Result<T, Offence> {
    let wrong = || broken("I12", "a sum".to_owned(), "cannot be read");
    cell.and_then(T::from_cell).ok_or_else(wrong)
}
