//! Settlements: one per merchant and pay-out day, with running totals, closed by the clock.
//!
//! A capture or refund adds itself to the totals of its day and is stamped with it, so that
//! closing a day with many payments changes one row.

use cobro_domain::event::{EventKind, Loudness};
use cobro_domain::fee::Fee;
use cobro_domain::id::IdSource;
use cobro_domain::ledger::{Account, Entry};
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::payment::Payment;
use cobro_domain::refund::Refund;
use cobro_domain::settlement::{Settlement, SettlementState};
use cobro_domain::time::Day;
use cobro_domain::{MerchantId, Timestamp};
use cobro_store::rows::{AliasRow, TimerKind};
use cobro_store::{ToCell, Tx};
use serde_json::json;

use crate::emit::{emit, post, set_timer, stop_timer};
use crate::error::{EngineError, Subject};
use crate::world::World;

/// The kind of an alias that leads from a report's number to its day.
pub const REPORT: &str = "settlement";

/// How many letters and digits a report's number has (seed 002).
const REPORT_LENGTH: usize = 9;

/// A page of a settlement's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementPage {
    /// The settlement.
    pub settlement: Settlement,
    /// Payments that are paid out with it, in the order of their ordinals, each with the refunds
    /// that reduce it within the same settlement.
    pub payments: Vec<(Payment, Vec<Refund>)>,
    /// Refunds of payments that were paid out before, with those payments.
    pub refunds: Vec<(Refund, Payment)>,
}

impl World {
    /// The closed settlements of a merchant whose day lies between two days, both included, the
    /// oldest first.
    ///
    /// # Errors
    /// When the store has no answer.
    pub async fn settlements(
        &self,
        merchant: MerchantId,
        from: Day,
        to: Day,
    ) -> Result<Vec<Settlement>, EngineError> {
        let params = [merchant.to_cell(), from.to_cell(), to.to_cell()];
        let rest = "WHERE merchant = $1 AND day >= $2 AND day <= $3 AND report IS NOT NULL \
                    ORDER BY merchant, day";
        Ok(self.store().read(move |reader| reader.select(rest, &params)).await?)
    }

    /// The settlement with this report number, with all its rows.
    ///
    /// # Errors
    /// Unknown or foreign report.
    pub async fn settlement(
        &self,
        merchant: MerchantId,
        report: &str,
    ) -> Result<SettlementPage, EngineError> {
        let key = (merchant, REPORT.to_owned(), report.to_owned());
        let found = self.store().read(move |reader| {
            let Some(alias) = reader.get::<AliasRow>(&key)? else { return Ok(None) };
            let Ok(day) = alias.subject.parse().map(Day) else { return Ok(None) };
            let Some(settlement) = reader.get::<Settlement>(&(merchant, day))? else {
                return Ok(None);
            };
            let params = [merchant.to_cell(), day.to_cell()];
            let of_day = "WHERE merchant = $1 AND settles_on = $2 ORDER BY merchant, settles_on, \
                          ordinal";
            let payments: Vec<Payment> = reader.select(of_day, &params)?;
            let mut refunds: Vec<Refund> = reader.select(of_day, &params)?;
            let mut rows = Vec::with_capacity(payments.len());
            for payment in payments {
                let own: Vec<Refund> =
                    refunds.extract_if(.., |r| r.payment == payment.id).collect();
                rows.push((payment, own));
            }
            let mut late = Vec::with_capacity(refunds.len());
            for refund in refunds {
                if let Some(payment) = reader.get::<Payment>(&(merchant, refund.payment))? {
                    late.push((refund, payment));
                }
            }
            Ok(Some(SettlementPage { settlement, payments: rows, refunds: late }))
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Payment))
    }

    /// Closes every settlement that is due now; answers what was closed since `since`.
    ///
    /// # Errors
    /// When the store has no answer.
    pub async fn settlements_closed_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<Settlement>, EngineError> {
        let params = [since.to_cell()];
        let rest = "WHERE closed_at >= $1 ORDER BY day, merchant";
        Ok(self.store().read(move |reader| reader.select(rest, &params)).await?)
    }
}

/// The open settlement of a day, made with its timer when it is the day's first; nothing for a
/// day that is closed.
fn open_day(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    day: Day,
) -> Result<Option<(Settlement, bool)>, EngineError> {
    match tx.get::<Settlement>(&(merchant.id, day))? {
        Some(found) if found.is_open() => Ok(Some((found, false))),
        Some(_) => Ok(None),
        None => {
            let closes_at = world.dialect(&merchant.channel)?.settlement_closes(merchant, day);
            let subject = day.0.to_string();
            set_timer(tx, merchant.id, TimerKind::CloseSettlement, subject, closes_at, 0)?;
            Ok(Some((Settlement::new(merchant.id, day, merchant.currency), true)))
        }
    }
}

fn save(tx: &mut Tx<'_>, settlement: &Settlement, is_new: bool) {
    if is_new { tx.insert(settlement) } else { tx.save(settlement) }
}

/// The first day from `day` on that is still open.
fn next_open(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    mut day: Day,
) -> Result<(Settlement, bool), EngineError> {
    // A day that is closed early by a clock that was moved is followed by one that is not.
    for _ in 0..366 {
        if let Some(found) = open_day(tx, world, merchant, day)? {
            return Ok(found);
        }
        day = day.plus(1);
    }
    Err(EngineError::Fault("no settlement is open for a year".to_owned()))
}

/// Adds money that was just taken to the settlement of its day; the payment is stamped with it.
pub(crate) fn captured(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    payment: &mut Payment,
) -> Result<(), EngineError> {
    let dialect = world.dialect(&merchant.channel)?;
    let Some(day) = dialect.settles_on(merchant, tx.now()) else { return Ok(()) };
    let (settlement, is_new) = next_open(tx, world, merchant, day)?;
    payment.settles_on = Some(settlement.day);
    save(tx, &settlement.with(payment.captured_minor, payment.fee, 1)?, is_new);
    Ok(())
}

/// Adds money that just went back: it reduces its payment where that is not paid out yet, else it
/// is a row of its own in the next settlement.
pub(crate) fn refunded(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    payment: &Payment,
    refund: &mut Refund,
) -> Result<(), EngineError> {
    let Some(day) = payment.settles_on else { return Ok(()) };
    let back = Fee { fee_minor: -refund.fee.fee_minor, tax_minor: -refund.fee.tax_minor };
    let gross_minor = -refund.amount.minor;
    if let Some(settlement) = tx.get::<Settlement>(&(merchant.id, day))?
        && settlement.is_open()
    {
        refund.settles_on = Some(day);
        let rows = if payment.is_fully_refunded() { -1 } else { 0 };
        tx.save(&settlement.with(gross_minor, back, rows)?);
        return Ok(());
    }
    let dialect = world.dialect(&merchant.channel)?;
    let Some(day) = dialect.settles_on(merchant, tx.now()) else { return Ok(()) };
    let (settlement, is_new) = next_open(tx, world, merchant, day)?;
    refund.settles_on = Some(settlement.day);
    save(tx, &settlement.with(gross_minor, back, 1)?, is_new);
    Ok(())
}

/// Closes a settlement whose time has come. Closing again changes nothing (F26).
pub(crate) fn close_due(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: MerchantId,
    subject: &str,
) -> Result<(), EngineError> {
    stop_timer(tx, merchant, TimerKind::CloseSettlement, subject)?;
    let Ok(day) = subject.parse().map(Day) else { return Ok(()) };
    let Some(settlement) = tx.get::<Settlement>(&(merchant, day))? else { return Ok(()) };
    let Some(merchant) = tx.get::<Merchant>(&(merchant,))? else { return Ok(()) };
    if !settlement.is_open() {
        return Ok(());
    }
    let report = report_number(ids);
    let state = SettlementState::Closed { report: report.clone(), at: tx.now() };
    let settlement = Settlement { state, ..settlement };
    tx.save(&settlement);
    tx.insert(&AliasRow {
        merchant: merchant.id,
        kind: REPORT.to_owned(),
        value: report.clone(),
        subject: day.0.to_string(),
    });
    let data = json!({
        "day": day.to_string(),
        "report": report,
        "gross_minor": settlement.gross_minor,
        "fee_minor": settlement.fee.fee_minor,
        "tax_minor": settlement.fee.tax_minor,
        "net_minor": settlement.net_minor(),
        "rows": settlement.rows,
        "currency": settlement.currency.code(),
    });
    let (kind, loudness) = (EventKind::SettlementClosed, Loudness::Silent);
    let event = emit(tx, world, ids, &merchant, kind, loudness, report, data.to_string())?;
    let net = settlement.net_minor();
    if net != 0 {
        let entry =
            |account, minor| Entry { account, amount: Money::new(minor, settlement.currency) };
        let entries = [entry(Account::MerchantPayable, net), entry(Account::Bank, -net)];
        post(tx, ids, merchant.id, event, &entries)?;
    }
    Ok(())
}

/// Nine upper-case letters and digits.
fn report_number(ids: &mut IdSource) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ0123456789";
    (0..REPORT_LENGTH)
        .map(|_| {
            let place = usize::try_from(ids.random() % LETTERS.len() as u64).unwrap_or(0);
            char::from(LETTERS.get(place).copied().unwrap_or(b'A'))
        })
        .collect()
}
