//! Double-entry bookkeeping: a posting can only be built balanced, and is never changed (I1, I2).

use thiserror::Error;

use crate::fee::Fee;
use crate::id::{EventId, MerchantId, PostingId};
use crate::money::{Currency, Money};
use crate::time::Timestamp;

/// An account of a merchant's books. Debits are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// What the acquirer owes us.
    AcquirerReceivable,
    /// What we owe the merchant.
    MerchantPayable,
    /// Fees earned.
    FeeIncome,
    /// Tax on fees, owed to the state.
    TaxPayable,
    /// Money paid out to the merchant's bank.
    Bank,
}

coded!(Account {
    AcquirerReceivable = "acquirer_receivable",
    MerchantPayable = "merchant_payable",
    FeeIncome = "fee_income",
    TaxPayable = "tax_payable",
    Bank = "bank",
});

/// One line of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The account.
    pub account: Account,
    /// Debit positive, credit negative.
    pub amount: Money,
}

/// Entries that belong together and add up to nothing, per currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Its id.
    pub id: PostingId,
    /// Whose books.
    pub merchant: MerchantId,
    /// What caused it.
    pub event: EventId,
    /// When.
    pub at: Timestamp,
    entries: Vec<Entry>,
}

/// Entries that do not balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unbalanced {
    /// They add up to something.
    #[error("the entries in {currency} add up to {sum}, not to 0")]
    Sum {
        /// The currency.
        currency: Currency,
        /// What they add up to, in minor units.
        sum: i128,
    },
    /// A posting with nothing in it says nothing.
    #[error("a posting needs entries")]
    Empty,
}

impl Posting {
    /// A posting of these entries; entries of nothing are left out.
    ///
    /// # Errors
    /// When they do not add up to zero in every currency, or nothing is left.
    pub fn new(
        id: PostingId,
        merchant: MerchantId,
        event: EventId,
        at: Timestamp,
        entries: &[Entry],
    ) -> Result<Self, Unbalanced> {
        let entries: Vec<Entry> =
            entries.iter().copied().filter(|entry| entry.amount.minor != 0).collect();
        if entries.is_empty() {
            return Err(Unbalanced::Empty);
        }
        for entry in &entries {
            let currency = entry.amount.currency;
            let sum: i128 = entries
                .iter()
                .filter(|other| other.amount.currency == currency)
                .map(|other| i128::from(other.amount.minor))
                .sum();
            if sum != 0 {
                return Err(Unbalanced::Sum { currency, sum });
            }
        }
        Ok(Self { id, merchant, event, at, entries })
    }

    /// The lines.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The entries of an approved payment: the acquirer owes the amount; the merchant is owed the
/// amount less fee and tax.
pub fn approval(amount: Money, fee: Fee) -> [Entry; 4] {
    let entry = |account, minor| Entry { account, amount: Money::new(minor, amount.currency) };
    [
        entry(Account::AcquirerReceivable, amount.minor),
        entry(Account::MerchantPayable, fee.total_minor() - amount.minor),
        entry(Account::FeeIncome, -fee.fee_minor),
        entry(Account::TaxPayable, -fee.tax_minor),
    ]
}

/// The entries of a refund that gives back `fee` of the payment's fee: an approval turned round.
pub fn refund(amount: Money, fee: Fee) -> [Entry; 4] {
    approval(amount, fee).map(|entry| Entry {
        account: entry.account,
        amount: Money::new(-entry.amount.minor, entry.amount.currency),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn posting(entries: &[Entry]) -> Result<Posting, Unbalanced> {
        Posting::new(
            PostingId(Uuid::nil()),
            MerchantId(Uuid::nil()),
            EventId(Uuid::nil()),
            Timestamp::default(),
            entries,
        )
    }

    #[test]
    fn approvals_and_refunds_balance_whatever_the_fee() {
        for (amount, fee_minor, tax_minor) in [(10_000, 360, 58), (1, 0, 0), (100, 100, 16)] {
            let amount = Money::new(amount, Currency::MXN);
            let fee = Fee { fee_minor, tax_minor };
            let there = posting(&approval(amount, fee)).unwrap();
            let back = posting(&refund(amount, fee)).unwrap();
            let sum: i64 =
                there.entries().iter().chain(back.entries()).map(|e| e.amount.minor).sum();
            assert_eq!(sum, 0);
            assert_eq!(there.entries().len(), if fee_minor == 0 { 2 } else { 4 });
        }
    }

    #[test]
    fn what_does_not_balance_cannot_be_built() {
        let one = Entry { account: Account::Bank, amount: Money::new(1, Currency::MXN) };
        let other = Entry { account: Account::Bank, amount: Money::new(-1, Currency::ARS) };
        assert!(matches!(posting(&[one]), Err(Unbalanced::Sum { sum: 1, .. })));
        assert!(matches!(posting(&[one, other]), Err(Unbalanced::Sum { .. })));
        assert_eq!(posting(&[]), Err(Unbalanced::Empty));
    }
}
