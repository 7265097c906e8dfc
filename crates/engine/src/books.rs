//! The books, read.

use cobro_domain::ledger::Account;
use cobro_domain::money::Currency;
use cobro_domain::{EventId, PostingId, Timestamp};
use cobro_store::rows::EntryRow;
use cobro_store::{Cell, FromCell, ToCell};

use crate::error::EngineError;
use crate::world::World;

/// What an account holds over all merchants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
    /// Debit positive, in minor units.
    pub balance_minor: i64,
}

/// A posting with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostingView {
    /// Its id.
    pub id: PostingId,
    /// When.
    pub at: Timestamp,
    /// What caused it.
    pub event: EventId,
    /// Its lines.
    pub lines: Vec<EntryRow>,
}

pub(crate) const BALANCES: &str = "SELECT account, currency, CAST(SUM(amount) AS BIGINT) \
     FROM entry GROUP BY account, currency ORDER BY currency, account";

const POSTINGS: &str = "SELECT merchant, posting, line, event, account, currency, amount, at \
     FROM entry WHERE posting IN (SELECT posting FROM entry \
     WHERE line = 0 AND posting < $1 ORDER BY posting DESC LIMIT $2) ORDER BY posting DESC, line";

impl World {
    /// The balance of each account and currency.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn balances(&self) -> Result<Vec<Balance>, EngineError> {
        let rows = self.store().read(|reader| reader.rows(BALANCES, &[])).await?;
        rows.iter().map(|row| balance(row)).collect()
    }

    /// Postings, the newest first, from the one before `before`.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn postings(
        &self,
        before: Option<PostingId>,
        limit: i64,
    ) -> Result<Vec<PostingView>, EngineError> {
        let before = before.map_or([0xff; 16].as_slice().to_cell(), |id| id.to_cell());
        let params = [before, limit.to_cell()];
        let found = self.store().read(move |reader| reader.list::<EntryRow>(POSTINGS, &params));
        Ok(grouped(found.await?))
    }
}

/// Postings made of their lines, which stand together.
pub(crate) fn grouped(lines: Vec<EntryRow>) -> Vec<PostingView> {
    let mut postings: Vec<PostingView> = Vec::new();
    for line in lines {
        match postings.last_mut() {
            Some(last) if last.id == line.posting => last.lines.push(line),
            _ => postings.push(PostingView {
                id: line.posting,
                at: line.at,
                event: line.event,
                lines: vec![line],
            }),
        }
    }
    postings
}

fn balance(row: &[Cell]) -> Result<Balance, EngineError> {
    let wrong = || EngineError::Fault("a balance cannot be read".to_owned());
    let mut cells = row.iter();
    let account: String = cells.next().and_then(FromCell::from_cell).ok_or_else(wrong)?;
    Ok(Balance {
        account: Account::from_code(&account).ok_or_else(wrong)?,
        currency: cells.next().and_then(FromCell::from_cell).ok_or_else(wrong)?,
        balance_minor: cells.next().and_then(FromCell::from_cell).ok_or_else(wrong)?,
    })
}
