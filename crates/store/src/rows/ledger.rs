//! Ledger entries: inserted, never changed (I2).

use cobro_domain::ledger::{Account, Posting};
use cobro_domain::money::Money;
use cobro_domain::{EventId, MerchantId, PostingId, Timestamp};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

/// One line of a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Whose books.
    pub merchant: MerchantId,
    /// The posting that it belongs to.
    pub posting: PostingId,
    /// Its place in the posting, from 0.
    pub line: i64,
    /// What caused it.
    pub event: EventId,
    /// The account.
    pub account: Account,
    /// Debit positive.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

impl EntryRow {
    /// The lines of a posting.
    pub fn of(posting: &Posting) -> impl Iterator<Item = Self> + '_ {
        posting.entries().iter().zip(0..).map(|(entry, line)| Self {
            merchant: posting.merchant,
            posting: posting.id,
            line,
            event: posting.event,
            account: entry.account,
            amount: entry.amount,
            at: posting.at,
        })
    }
}

impl Row for EntryRow {
    type Key = (MerchantId, PostingId, i64);
    const TABLE: &'static Table = crate::table!("entry", 3, Appended;
        merchant: Bytes, posting: Bytes, line: Int, event: Bytes, account: Text, currency: Text,
        amount: Int, at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.posting.to_cell(),
            self.line.to_cell(),
            self.event.to_cell(),
            self.account.code().to_cell(),
            self.amount.currency.to_cell(),
            self.amount.minor.to_cell(),
            self.at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        let (merchant, posting, line) = (cells.next()?, cells.next()?, cells.next()?);
        let (event, account) = (cells.next()?, cells.word(Account::from_code)?);
        let currency = cells.next()?;
        let amount = Money::new(cells.next()?, currency);
        Ok(Self { merchant, posting, line, event, account, amount, at: cells.next()? })
    }
}
