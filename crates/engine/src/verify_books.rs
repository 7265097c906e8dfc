//! Compares the ledger with the payments and refunds that its entries stand for.

use std::collections::BTreeMap;

use cobro_domain::MerchantId;
use cobro_domain::ledger::Account;
use cobro_store::{Cell, FromCell, Reader, StoreError};

use crate::error::EngineError;
use crate::verify::{Offence, broken};

/// What the entries of one merchant in one currency must add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    taken_minor: i64,
    fee_minor: i64,
    tax_minor: i64,
}

const TAKEN: &str = "SELECT merchant, currency, CAST(SUM(captured) AS BIGINT), \
     CAST(SUM(fee) AS BIGINT), CAST(SUM(tax) AS BIGINT) FROM payment \
     WHERE captured > 0 GROUP BY merchant, currency";

const BACK: &str = "SELECT merchant, currency, CAST(-SUM(amount) AS BIGINT), \
     CAST(-SUM(fee) AS BIGINT), CAST(-SUM(tax) AS BIGINT) FROM refund \
     WHERE state = 'approved' GROUP BY merchant, currency";

const BOOKED: &str = "SELECT merchant, currency, \
     CAST(SUM(CASE WHEN account = 'acquirer_receivable' THEN amount ELSE 0 END) AS BIGINT), \
     CAST(-SUM(CASE WHEN account = 'fee_income' THEN amount ELSE 0 END) AS BIGINT), \
     CAST(-SUM(CASE WHEN account = 'tax_payable' THEN amount ELSE 0 END) AS BIGINT) \
     FROM entry GROUP BY merchant, currency";

type Books = BTreeMap<(MerchantId, String), Sums>;

/// I5: what was taken and given back, with its fees, is in the ledger once.
pub(crate) fn check(reader: &mut Reader<'_>) -> Result<(), Offence> {
    let (mut moved, mut booked) = (Books::new(), Books::new());
    add(reader, TAKEN, &mut moved)?;
    add(reader, BACK, &mut moved)?;
    add(reader, BOOKED, &mut booked)?;
    let keys = moved.keys().chain(booked.keys());
    for key in keys.cloned().collect::<std::collections::BTreeSet<_>>() {
        let (moved, booked) = (moved.get(&key), booked.get(&key));
        let (moved, booked) = (moved.copied().unwrap_or_default(), booked.copied());
        let booked = booked.unwrap_or_default();
        let table = [
            (Account::AcquirerReceivable, moved.taken_minor, booked.taken_minor),
            (Account::FeeIncome, moved.fee_minor, booked.fee_minor),
            (Account::TaxPayable, moved.tax_minor, booked.tax_minor),
        ];
        for (account, expected, found) in table {
            if expected != found {
                let record = format!("merchant {}, {}, account {}", key.0, key.1, account.code());
                let what = format!("payments and refunds say {expected} minor units, not {found}");
                return Err(broken("I5", record, what));
            }
        }
    }
    Ok(())
}

fn add(reader: &mut Reader<'_>, text: &str, books: &mut Books) -> Result<(), Offence> {
    let store = |error: StoreError| Offence::Engine(error.into());
    for row in reader.rows(text, &[]).map_err(store)? {
        let Some((key, sums)) = read(&row) else {
            let fault = EngineError::Fault("a sum of the books cannot be read".to_owned());
            return Err(fault.into());
        };
        let total = books.entry(key).or_default();
        total.taken_minor = total.taken_minor.saturating_add(sums.taken_minor);
        total.fee_minor = total.fee_minor.saturating_add(sums.fee_minor);
        total.tax_minor = total.tax_minor.saturating_add(sums.tax_minor);
    }
    Ok(())
}

fn read(row: &[Cell]) -> Option<((MerchantId, String), Sums)> {
    let [merchant, currency, taken, fee, tax] = row else { return None };
    let sums = Sums {
        taken_minor: i64::from_cell(taken)?,
        fee_minor: i64::from_cell(fee)?,
        tax_minor: i64::from_cell(tax)?,
    };
    Some(((MerchantId::from_cell(merchant)?, String::from_cell(currency)?), sums))
}
