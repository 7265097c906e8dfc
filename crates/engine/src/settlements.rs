//! Settlements: one per merchant and pay-out day, with running totals, closed by the clock.
//!
//! A capture or refund adds itself to the totals of its day and is stamped with it, so that
//! closing a day with many payments changes one row. [`crate::deposits`] reads them.

use cobro_domain::MerchantId;
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
use cobro_store::rows::{AliasRow, MetaRow, TimerKind};
use cobro_store::{Store, ToCell, Tx};
use serde_json::json;

use crate::emit::{emit, post, set_timer, stop_timer};
use crate::error::EngineError;
use crate::world::World;

/// The kind of an alias that leads from a report's number to its day.
pub const REPORT: &str = "settlement";

/// How many letters and digits a report's number has (seed 002).
const REPORT_LENGTH: usize = 9;

/// How many days that were closed before their time are passed over.
const DAYS_TRIED_MAX: usize = 366;

/// The name under which the moment is stored up to which closed settlements were reported.
const REPORTED: &str = "settlements_reported_us";

impl World {
    /// Closes every settlement whose time has come, on the lanes that this process leads. Answers
    /// what was closed since this was asked before, by whatever closed it: moving the clock closes
    /// settlements as well.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn run_settlements(&self) -> Result<Vec<Settlement>, EngineError> {
        self.fire_lanes().await?;
        let (name, until) = (REPORTED.to_owned(), self.now());
        let found = self.store().read(move |reader| {
            let since = reader.get::<MetaRow>(&(name,))?.map_or(i64::MIN, |row| row.value);
            let params = [since.to_cell(), until.to_cell()];
            let rest = "WHERE closed_at > $1 AND closed_at <= $2 ORDER BY day, merchant";
            reader.select::<Settlement>(rest, &params)
        });
        let found = found.await?;
        let row = MetaRow { name: REPORTED.to_owned(), value: until.micros() };
        let command = move |tx: &mut Tx<'_>| -> Result<(), EngineError> {
            match tx.get::<MetaRow>(&(row.name.clone(),))? {
                Some(_) => tx.save(&row),
                None => tx.insert(&row),
            }
            Ok(())
        };
        crate::error::settled(self.store().write(Store::key_of(0), command).await)?;
        Ok(found)
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

/// The first day from `day` on that is still open and on which the dialect pays out.
fn next_open(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    mut day: Day,
) -> Result<(Settlement, bool), EngineError> {
    let dialect = world.dialect(&merchant.channel)?;
    for _ in 0..DAYS_TRIED_MAX {
        if let Some(found) = open_day(tx, world, merchant, day)? {
            return Ok(found);
        }
        // Its own middle is on the same day in every zone.
        let middle = day.begins(&jiff::tz::TimeZone::UTC).plus_seconds(12 * 3600);
        let next = dialect.settles_on(merchant, middle).unwrap_or(day);
        day = next.max(day.plus(1));
    }
    Err(EngineError::Fault("the days to come are closed".to_owned()))
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
    let dialect = world.dialect(&merchant.channel)?;
    // What counts is the time, not whether the timer was late: a report does not depend on when
    // a process was up.
    if tx.now() < dialect.settlement_closes(merchant, day)
        && let Some(settlement) = tx.get::<Settlement>(&(merchant.id, day))?
        && settlement.is_open()
    {
        refund.settles_on = Some(day);
        let rows = if payment.is_fully_refunded() { -1 } else { 0 };
        tx.save(&settlement.with(gross_minor, back, rows)?);
        return Ok(());
    }
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
