//! A merchant's payments by the time at which they were made, in pages of equal cost.
//!
//! Payments are numbered without gaps in the order in which they were made, so that how many lie
//! between two times, and which of them are on a page, are look-ups of a few rows each, however
//! many payments there are.

use cobro_domain::id::IdSource;
use cobro_domain::intent::Intent;
use cobro_domain::payment::Payment;
use cobro_domain::refund::Refund;
use cobro_domain::terminal::Terminal;
use cobro_domain::{MerchantId, PaymentId, Timestamp};
use cobro_store::rows::TailRow;
use cobro_store::{Cell, Reader, StoreError, ToCell};

use crate::error::{EngineError, Subject};
use crate::payment_search::{FoundPayment, FoundPayments};
use crate::world::World;

/// How many payments one look for those of a kind passes over at most.
const LOOK_MAX: i64 = 5_000;

/// Which payments between two times are wanted, by a place to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenPayments {
    /// Made at this time or later.
    pub from: Timestamp,
    /// Made at this time or earlier.
    pub to: Timestamp,
    /// Only those whose money has all gone back, or only those whose money has not.
    pub returned: Option<bool>,
    /// Only those of cards with these last digits.
    pub last_digits: Option<String>,
    /// Only those before this place; from the newest on when absent.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: i64,
}

/// Payments, and the place to go on from where there may be more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenPage {
    /// The payments, the newest first.
    pub payments: Vec<FoundPayment>,
    /// Where the next page begins.
    pub next: Option<i64>,
}

impl World {
    /// A payment with what is shown with it.
    ///
    /// # Errors
    /// Unknown or foreign payment.
    #[crate::boxed]
    pub async fn payment(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<FoundPayment, EngineError> {
        let found = self.store().read(move |reader| {
            let payment = reader.get::<Payment>(&(merchant, id))?;
            payment.map(|payment| with_company(reader, payment)).transpose()
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Payment))
    }

    /// The page `number`, from 1, of the payments that were made between two times, both included,
    /// the newest first, and how many there are in all. Their terminals are not looked for.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn payments_between(
        &self,
        merchant: MerchantId,
        from: Timestamp,
        to: Timestamp,
        size: i64,
        number: i64,
    ) -> Result<FoundPayments, EngineError> {
        let found = self.store().read(move |reader| {
            let (first, last) = ordinals(reader, merchant, from, to)?;
            let skipped = number.saturating_sub(1).saturating_mul(size);
            let highest = last.saturating_sub(skipped);
            let lowest = highest.saturating_sub(size - 1).max(first);
            let payments = of_ordinals(reader, merchant, lowest, highest)?;
            let payments =
                payments.into_iter().map(|payment| with_refunds(reader, payment)).collect();
            Ok(FoundPayments { total: (last - first + 1).max(0), payments: settled(payments)? })
        });
        Ok(found.await?)
    }

    /// Payments whose money was taken. One look passes over a few thousand payments at most, so
    /// that a page may have fewer than were asked for and still lead on.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn taken_payments(
        &self,
        merchant: MerchantId,
        wanted: TakenPayments,
    ) -> Result<TakenPage, EngineError> {
        Ok(self.store().read(move |reader| taken(reader, merchant, &wanted)).await?)
    }
}

const MADE_AT: &str = "SELECT created_at FROM payment WHERE merchant = $1 AND ordinal = $2";

/// The sums keep the databases from going by ordinals, and then to each row on a way of its own.
const NEIGHBOURS: &str = "WHERE merchant = $1 AND id >= $2 AND id < $3 AND ordinal + 0 >= $4 \
     AND ordinal + 0 <= $5";

/// The payments from one ordinal to another, the newest first. Rows lie in the order of their ids,
/// which begin with their times: one walk along neighbours reads them all.
fn of_ordinals(
    reader: &mut Reader<'_>,
    merchant: MerchantId,
    lowest: i64,
    highest: i64,
) -> Result<Vec<Payment>, StoreError> {
    let mut made_at = |ordinal: i64| {
        let found = reader.rows(MADE_AT, &[merchant.to_cell(), ordinal.to_cell()])?;
        Ok::<_, StoreError>(match found.first().and_then(|row| row.first()) {
            Some(Cell::Int(at)) => Some(Timestamp::from_micros(*at)),
            _ => None,
        })
    };
    if lowest > highest {
        return Ok(Vec::new());
    }
    let (Some(from), Some(to)) = (made_at(lowest)?, made_at(highest)?) else {
        return Ok(Vec::new());
    };
    let params = [
        merchant.to_cell(),
        IdSource::floor(from).to_cell(),
        IdSource::floor(to.plus_micros(1)).to_cell(),
        lowest.to_cell(),
        highest.to_cell(),
    ];
    let mut payments: Vec<Payment> = reader.select(NEIGHBOURS, &params)?;
    payments.sort_by_key(|payment| std::cmp::Reverse(payment.ordinal));
    Ok(payments)
}

fn settled(all: Vec<Result<FoundPayment, StoreError>>) -> Result<Vec<FoundPayment>, StoreError> {
    all.into_iter().collect()
}

fn taken(
    reader: &mut Reader<'_>,
    merchant: MerchantId,
    wanted: &TakenPayments,
) -> Result<TakenPage, StoreError> {
    let (first, last) = ordinals(reader, merchant, wanted.from, wanted.to)?;
    let highest = wanted.before.map_or(last, |before| last.min(before.saturating_sub(1)));
    let lowest = highest.saturating_sub(LOOK_MAX - 1).max(first);
    let mut text =
        "WHERE merchant = $1 AND ordinal >= $2 AND ordinal <= $3 AND captured > 0".to_owned();
    let mut params = vec![merchant.to_cell(), lowest.to_cell(), highest.to_cell()];
    match wanted.returned {
        Some(true) => text.push_str(" AND refunded = captured"),
        Some(false) => text.push_str(" AND refunded < captured"),
        None => {}
    }
    if let Some(digits) = &wanted.last_digits {
        params.push(digits.to_cell());
        text.push_str(" AND last_digits = $4");
    }
    params.push(wanted.limit.saturating_add(1).to_cell());
    text.push_str(&format!(" ORDER BY ordinal DESC LIMIT ${}", params.len()));
    let mut payments: Vec<Payment> = reader.select(&text, &params)?;
    let limit = usize::try_from(wanted.limit).unwrap_or(0);
    let next = if payments.len() > limit {
        payments.truncate(limit);
        payments.last().map(|payment| payment.ordinal)
    } else {
        (lowest > first).then_some(lowest)
    };
    let payments = payments.into_iter().map(|payment| with_company(reader, payment)).collect();
    Ok(TakenPage { payments: settled(payments)?, next })
}

/// The ordinals of the first and the last payment between two times, both included; the last is
/// below the first where there is none.
fn ordinals(
    reader: &mut Reader<'_>,
    merchant: MerchantId,
    from: Timestamp,
    to: Timestamp,
) -> Result<(i64, i64), StoreError> {
    let first = made_before(reader, merchant, from)?.saturating_add(1);
    let last = made_before(reader, merchant, to.plus_micros(1))?;
    Ok((first, last))
}

const NEXT_MADE: &str = "SELECT created_at, ordinal FROM payment WHERE merchant = $1 AND id >= $2 \
     ORDER BY merchant, id LIMIT 1";

/// The sum keeps the databases from looking for it among all ordinals, from the first one on.
const FIRST_OF_INSTANT: &str =
    "SELECT MIN(ordinal + 0) FROM payment WHERE merchant = $1 AND id >= $2 AND id < $3";

/// How many payments a merchant had before a time. Ids begin with their time; the payments of one
/// instant need not have their ordinals in the order of their ids, so the smallest counts.
fn made_before(
    reader: &mut Reader<'_>,
    merchant: MerchantId,
    at: Timestamp,
) -> Result<i64, StoreError> {
    let params = [merchant.to_cell(), IdSource::floor(at).to_cell()];
    let next = reader.rows(NEXT_MADE, &params)?.into_iter().next();
    let Some([Cell::Int(instant), Cell::Int(ordinal)]) = next.as_deref() else {
        let tail = reader.get::<TailRow>(&(merchant, "payment".to_owned()))?;
        return Ok(tail.map_or(0, |tail| tail.last));
    };
    let instant = Timestamp::from_micros(*instant);
    let params = [
        merchant.to_cell(),
        IdSource::floor(instant).to_cell(),
        IdSource::floor(instant.plus_micros(1)).to_cell(),
    ];
    let first = reader.rows(FIRST_OF_INSTANT, &params)?.into_iter().next();
    let first = match first.as_deref() {
        Some([Cell::Int(first)]) => *first,
        _ => *ordinal,
    };
    Ok(first - 1)
}

/// A payment with its refunds, where it has any.
fn with_refunds(reader: &mut Reader<'_>, payment: Payment) -> Result<FoundPayment, StoreError> {
    let merchant = payment.merchant;
    let refunds = if payment.refunded_minor + payment.refund_pending_minor > 0 {
        let of = [merchant.to_cell(), payment.id.to_cell()];
        reader.select::<Refund>("WHERE merchant = $1 AND payment = $2 ORDER BY ordinal", &of)?
    } else {
        Vec::new()
    };
    Ok(FoundPayment { payment, refunds, terminal: None })
}

/// A payment with its refunds and its terminal.
fn with_company(reader: &mut Reader<'_>, payment: Payment) -> Result<FoundPayment, StoreError> {
    let found = with_refunds(reader, payment)?;
    let merchant = found.payment.merchant;
    let intent = match found.payment.intent {
        Some(intent) => reader.get::<Intent>(&(merchant, intent))?,
        None => None,
    };
    let terminal = match intent.and_then(|intent| intent.terminal) {
        Some(id) => reader.get::<Terminal>(&(merchant, id))?,
        None => None,
    };
    Ok(FoundPayment { terminal, ..found })
}
