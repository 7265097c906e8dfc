//! What a merchant may give back where only money that was not paid out yet counts.

use cobro_domain::MerchantId;
use cobro_domain::merchant::Merchant;
use cobro_domain::settlement::Settlement;
use cobro_domain::time::Day;
use cobro_store::Tx;
use cobro_store::rows::TailRow;

use crate::error::EngineError;
use crate::world::World;

/// How many days before and after the next pay-out an open settlement may have: more than any row
/// of holidays is long.
const DAYS_AROUND: i64 = 14;

/// The counter of what is on its way back under this rule, in minor units.
const ON_ITS_WAY: &str = "refund_on_its_way";

/// Sets `amount_minor` of a merchant's balance aside for a refund.
///
/// # Errors
/// [`EngineError::Balance`] when that is more than what was taken and is neither paid out nor on
/// its way back.
pub(crate) fn reserve(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    amount_minor: i64,
) -> Result<(), EngineError> {
    let dialect = world.dialect(&merchant.channel)?;
    let Some(next) = dialect.settles_on(merchant, tx.now()) else { return Ok(()) };
    let mut balance_minor: i64 = 0;
    for day in next.0 - DAYS_AROUND..=next.0 + DAYS_AROUND {
        if let Some(settlement) = tx.get::<Settlement>(&(merchant.id, Day(day)))?
            && settlement.is_open()
        {
            balance_minor = balance_minor.saturating_add(settlement.gross_minor);
        }
    }
    let key = (merchant.id, ON_ITS_WAY.to_owned());
    let there = tx.get::<TailRow>(&key)?;
    let last = there.as_ref().map_or(0, |row| row.last).saturating_add(amount_minor);
    if last > balance_minor {
        return Err(EngineError::Balance);
    }
    let row = TailRow { merchant: merchant.id, kind: key.1, last };
    match there {
        Some(_) => tx.save(&row),
        None => tx.insert(&row),
    }
    Ok(())
}

/// A refund was answered: what the rule had set aside for it is counted elsewhere now.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    amount_minor: i64,
) -> Result<(), EngineError> {
    if let Some(row) = tx.get::<TailRow>(&(merchant, ON_ITS_WAY.to_owned()))?
        && row.last > 0
    {
        tx.save(&TailRow { last: row.last.saturating_sub(amount_minor).max(0), ..row });
    }
    Ok(())
}
