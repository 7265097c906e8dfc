//! The acquirer's book.

use cobro_domain::payment::Trace;
use cobro_domain::scenario::Scenario;
use cobro_domain::{MerchantId, Money, Timestamp};
use cobro_store::schema::Migration;
use cobro_store::{Cell, Cells, Corrupt, Row, Schema, Table, ToCell};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The money moved.
    Stands,
    /// It did not.
    Declined,
    /// It did, and was undone.
    Reversed,
    /// The message could not be processed.
    Failed,
    /// To be decided.
    Deferred,
}

impl Standing {
    const ALL: [Self; 5] =
        [Self::Stands, Self::Declined, Self::Reversed, Self::Failed, Self::Deferred];

    const fn code(self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::Declined => "declined",
            Self::Reversed => "reversed",
            Self::Failed => "failed",
            Self::Deferred => "deferred",
        }
    }
}

/// One message: a payment, or a refund of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BookRow {
    pub(crate) trace: Trace,
    pub(crate) original: Trace,
    pub(crate) merchant: MerchantId,
    pub(crate) amount: Money,
    pub(crate) refunded_minor: i64,
    pub(crate) standing: Standing,
    pub(crate) scenario: Scenario,
    pub(crate) resolve_at: Option<Timestamp>,
    pub(crate) at: Timestamp,
}

impl Row for BookRow {
    type Key = (Trace,);
    const TABLE: &'static Table = cobro_store::table!("book", 1;
        trace: Int, original: Int, merchant: Bytes, amount: Int, currency: Text, refunded: Int,
        standing: Text, scenario: Text, resolve_at: Int, at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.trace.to_cell(),
            self.original.to_cell(),
            self.merchant.to_cell(),
            self.amount.minor.to_cell(),
            self.amount.currency.to_cell(),
            self.refunded_minor.to_cell(),
            self.standing.code().to_cell(),
            self.scenario.code().to_cell(),
            self.resolve_at.to_cell(),
            self.at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            trace: cells.next()?,
            original: cells.next()?,
            merchant: cells.next()?,
            amount: Money::new(cells.next()?, cells.next()?),
            refunded_minor: cells.next()?,
            standing: cells
                .word(|code| Standing::ALL.into_iter().find(|standing| standing.code() == code))?,
            scenario: cells.word(Scenario::from_code)?,
            resolve_at: cells.next()?,
            at: cells.next()?,
        })
    }
}

pub(crate) const PAGE: &str = "SELECT trace, original, merchant, amount, currency, refunded, \
     standing, scenario, resolve_at, at FROM book WHERE trace > $1 ORDER BY trace LIMIT $2";

/// The schema of an acquirer's book.
pub static BOOK: Schema = Schema {
    name: "cobro_acquirer",
    tables: &[BookRow::TABLE],
    migrations: &[Migration { number: 1, sql: include_str!("migrations/0001_first.sql") }],
};
