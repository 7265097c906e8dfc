//! Payments that recur.

use cobro_domain::recurrence::{Recurrence, RecurrenceState, RecurrenceUnit};
use cobro_domain::{MerchantId, SessionId};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

impl Row for Recurrence {
    type Key = (MerchantId, SessionId);
    const TABLE: &'static Table = crate::table!("recurrence", 2;
        merchant: Bytes, id: Bytes, unit: Text, every: Int, starts_on: Int, zone: Text,
        time_of_day: Int, charges_max: Int, last_on: Int, url: Text, charges: Int, tries: Int,
        state: Text);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.id.to_cell(),
            self.unit.code().to_cell(),
            self.every.to_cell(),
            self.starts_on.to_cell(),
            self.zone.to_cell(),
            self.time_of_day_s.to_cell(),
            self.charges_max.to_cell(),
            self.last_on.to_cell(),
            self.url.to_cell(),
            self.charges.to_cell(),
            self.tries.to_cell(),
            self.state.code().to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            id: cells.next()?,
            unit: cells.word(RecurrenceUnit::from_code)?,
            every: cells.next()?,
            starts_on: cells.next()?,
            zone: cells.next()?,
            time_of_day_s: cells.next()?,
            charges_max: cells.next()?,
            last_on: cells.next()?,
            url: cells.next()?,
            charges: cells.next()?,
            tries: cells.next()?,
            state: cells.word(RecurrenceState::from_code)?,
        })
    }
}
