//! Changes of held money that the acquirer has been asked for.

use cobro_domain::{MerchantId, PaymentId};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

/// A change of how much money a payment holds, from before the acquirer is asked until its answer
/// is stored. A payment has one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentRow {
    /// Whose payment it is.
    pub merchant: MerchantId,
    /// The payment.
    pub payment: PaymentId,
    /// How much is to be held, in minor units.
    pub amount_minor: i64,
}

impl Row for AdjustmentRow {
    type Key = (MerchantId, PaymentId);
    const TABLE: &'static Table =
        crate::table!("adjustment", 2; merchant: Bytes, payment: Bytes, amount: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![self.merchant.to_cell(), self.payment.to_cell(), self.amount_minor.to_cell()]
    }

    fn read(cells: &mut Cells) -> Result<Self, Corrupt> {
        Ok(Self { merchant: cells.next()?, payment: cells.next()?, amount_minor: cells.next()? })
    }
}
