//! Settlements.

use cobro_domain::MerchantId;
use cobro_domain::Timestamp;
use cobro_domain::fee::Fee;
use cobro_domain::settlement::{Settlement, SettlementState};
use cobro_domain::time::Day;

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

impl Row for Settlement {
    type Key = (MerchantId, Day);
    const TABLE: &'static Table = crate::table!("settlement", 2;
        merchant: Bytes, day: Int, currency: Text, gross: Int, fee: Int, tax: Int, entries: Int,
        report: Text, closed_at: Int);

    fn cells(&self) -> Vec<Cell> {
        let (report, closed_at) = match &self.state {
            SettlementState::Open => (Cell::Null, Cell::Null),
            SettlementState::Closed { report, at } => (report.to_cell(), at.to_cell()),
        };
        vec![
            self.merchant.to_cell(),
            self.day.to_cell(),
            self.currency.to_cell(),
            self.gross_minor.to_cell(),
            self.fee.fee_minor.to_cell(),
            self.fee.tax_minor.to_cell(),
            self.rows.to_cell(),
            report,
            closed_at,
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            day: cells.next()?,
            currency: cells.next()?,
            gross_minor: cells.next()?,
            fee: Fee { fee_minor: cells.next()?, tax_minor: cells.next()? },
            rows: cells.next()?,
            state: {
                let report: Option<String> = cells.next()?;
                let at: Option<Timestamp> = cells.next()?;
                match (report, at) {
                    (None, None) => SettlementState::Open,
                    (Some(report), Some(at)) => SettlementState::Closed { report, at },
                    _ => return Err(cells.corrupt("report without its time")),
                }
            },
        })
    }
}
