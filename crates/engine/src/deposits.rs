//! Settlements, read: which there are, and their lines page by page.
//!
//! A page reads its own lines alone: payments and refunds carry the day that they are paid out on,
//! and both are indexed by it. Once a settlement is closed none of its lines changes any more (I12),
//! so that pages that are read at different times fit together.

use cobro_domain::fee::Fee;
use cobro_domain::id::IdSource;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{Payment, PaymentState};
use cobro_domain::refund::Refund;
use cobro_domain::settlement::Settlement;
use cobro_domain::time::Day;
use cobro_domain::{MerchantId, PostingId, Timestamp};
use cobro_store::rows::{AliasRow, EntryRow};
use cobro_store::{Reader, Row, Store, StoreError, ToCell};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::books::PostingView;
use crate::error::{EngineError, Subject};
use crate::settlements::REPORT;
use crate::world::World;

/// One line of a settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementLine {
    /// The payment.
    pub payment: Payment,
    /// The refund that the line is, where its payment was paid out before.
    pub refund: Option<Refund>,
    /// The refunds that reduce the payment within its own settlement.
    pub netted: Vec<Refund>,
    /// What the line adds to the gross amount, in minor units: what was taken less what went back
    /// before the day was closed; negative where the line is a refund.
    pub gross_minor: i64,
    /// What the line adds to fees and taxes.
    pub fee: Fee,
}

/// Where a line stands in its settlement: payments first, then refunds, each in the order of their
/// ordinals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinePlace {
    /// The payment with this ordinal.
    Payment(i64),
    /// The refund with this ordinal.
    Refund(i64),
}

/// Which settlements of a world are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementsBefore {
    /// Of which merchant; all when absent.
    pub merchant: Option<MerchantId>,
    /// After which settlement of the list the page begins.
    pub before: Option<(Day, MerchantId)>,
}

impl SettlementLine {
    /// What is paid out for it.
    pub const fn net_minor(&self) -> i64 {
        self.gross_minor - self.fee.fee_minor - self.fee.tax_minor
    }

    /// Where it stands.
    pub fn place(&self) -> LinePlace {
        match &self.refund {
            Some(refund) => LinePlace::Refund(refund.ordinal),
            None => LinePlace::Payment(self.payment.ordinal),
        }
    }

    /// The postings' causes: the payment with its netted refunds, or the refund, each with its
    /// moment.
    pub fn causes(&self) -> Vec<(String, Timestamp)> {
        let of = |refund: &Refund| (refund.id.to_string(), refund.changed_at);
        match &self.refund {
            Some(refund) => vec![of(refund)],
            None => std::iter::once((self.payment.id.to_string(), self.at()))
                .chain(self.netted.iter().map(of))
                .collect(),
        }
    }

    /// When the money was taken, or went back.
    pub fn at(&self) -> Timestamp {
        match (&self.refund, &self.payment.state) {
            (Some(refund), _) => refund.changed_at,
            (None, PaymentState::Approved { at, .. }) => *at,
            (None, _) => self.payment.created_at,
        }
    }
}

/// The id of the settlement of a merchant's day, the same whether it is open or closed. It carries
/// the day, and a digest by which it is known to be the merchant's.
pub fn settlement_id(merchant: MerchantId, day: Day) -> Uuid {
    let mut digest = Sha256::new();
    digest.update(b"settlement");
    digest.update(merchant.0.as_bytes());
    digest.update(day.0.to_be_bytes());
    let digest = digest.finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.iter()).for_each(|(byte, found)| *byte = *found);
    let day = u32::try_from(day.0.max(0)).unwrap_or(u32::MAX);
    bytes.iter_mut().skip(12).zip(day.to_be_bytes()).for_each(|(byte, found)| *byte = found);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The day that an id of a settlement carries.
fn day_of(id: Uuid) -> Day {
    Day(i64::from(u32::try_from(id.as_u128() & 0xffff_ffff).unwrap_or(0)))
}

const OPEN_OR_CLOSED: &str =
    "WHERE merchant = $1 AND day <= $2 ORDER BY merchant, day DESC LIMIT $3";

const ALL: &str = "WHERE day < $1 OR (day = $2 AND merchant < $3) \
     ORDER BY day DESC, merchant DESC LIMIT $4";

/// What selects a page of a day's payments, or of its refunds.
pub const OF_DAY: &str = "WHERE merchant = $1 AND settles_on = $2 AND ordinal > $3 \
     ORDER BY merchant, settles_on, ordinal LIMIT $4";

const REFUNDS_OF: &str = "WHERE merchant = $1 AND payment = $2 ORDER BY merchant, payment, ordinal";

const CAUSED_BY: &str = "SELECT e.merchant, e.posting, e.line, e.event, e.account, e.currency, \
     e.amount, e.at FROM entry AS e JOIN event AS v ON v.merchant = e.merchant AND v.id = e.event \
     WHERE e.merchant = $1 AND e.posting >= $2 AND e.posting < $3 AND v.subject = $4 \
     ORDER BY e.posting, e.line";

/// The settlements in a store.
#[derive(Clone, Copy, Debug)]
pub struct Deposits<'a> {
    store: &'a Store,
}

impl World {
    /// The world's settlements.
    pub fn deposits(&self) -> Deposits<'_> {
        Deposits::new(self.store())
    }
}

impl<'a> Deposits<'a> {
    /// The settlements in a store, which may be open to be read only.
    pub const fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// The closed settlements of a merchant whose day lies between two days, both included, the
    /// oldest first.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn closed(
        &self,
        merchant: MerchantId,
        from: Day,
        to: Day,
    ) -> Result<Vec<Settlement>, EngineError> {
        let params = [merchant.to_cell(), from.to_cell(), to.to_cell()];
        let rest = "WHERE merchant = $1 AND day >= $2 AND day <= $3 AND report IS NOT NULL \
                    ORDER BY merchant, day";
        Ok(self.store.read(move |reader| reader.select(rest, &params)).await?)
    }

    /// The settlements of the world, open ones too, the newest day first.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn before(
        &self,
        which: SettlementsBefore,
        limit: i64,
    ) -> Result<Vec<Settlement>, EngineError> {
        let read = move |reader: &mut Reader<'_>| match which.merchant {
            Some(merchant) => {
                let last = which.before.map_or(Day(i64::MAX), |(day, _)| day.plus(-1));
                let params = [merchant.to_cell(), last.to_cell(), limit.to_cell()];
                reader.select(OPEN_OR_CLOSED, &params)
            }
            None => {
                let (day, merchant) = match which.before {
                    Some((day, merchant)) => (day, merchant.to_cell()),
                    None => (Day(i64::MAX), [].as_slice().to_cell()),
                };
                reader.select(ALL, &[day.to_cell(), day.to_cell(), merchant, limit.to_cell()])
            }
        };
        Ok(self.store.read(read).await?)
    }

    /// The closed settlement of a merchant with this report number.
    ///
    /// # Errors
    /// Unknown or foreign report.
    #[crate::boxed]
    pub async fn by_report(
        &self,
        merchant: MerchantId,
        report: &str,
    ) -> Result<Settlement, EngineError> {
        let key = (merchant, REPORT.to_owned(), report.to_owned());
        let found = self.store.read(move |reader| {
            let Some(alias) = reader.get::<AliasRow>(&key)? else { return Ok(None) };
            let Ok(day) = alias.subject.parse().map(Day) else { return Ok(None) };
            reader.get::<Settlement>(&(merchant, day))
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Settlement))
    }

    /// The settlement of a merchant with this id, open or closed.
    ///
    /// # Errors
    /// Unknown or foreign id.
    #[crate::boxed]
    pub async fn by_id(&self, merchant: MerchantId, id: Uuid) -> Result<Settlement, EngineError> {
        let day = day_of(id);
        if settlement_id(merchant, day) != id {
            return Err(EngineError::NotFound(Subject::Settlement));
        }
        let found = self.store.read(move |reader| reader.get::<Settlement>(&(merchant, day)));
        found.await?.ok_or(EngineError::NotFound(Subject::Settlement))
    }

    /// The settlement with this report number or id, whosever it is.
    ///
    /// # Errors
    /// There is none.
    #[crate::boxed]
    pub async fn find(&self, id: &str) -> Result<(Settlement, Merchant), EngineError> {
        let (rest, key) = match Uuid::try_parse(id) {
            Ok(id) => ("WHERE day = $1", day_of(id).to_cell()),
            Err(_) => ("WHERE report = $1", id.to_cell()),
        };
        let is_meant = {
            let id = id.to_owned();
            move |found: &Settlement| match Uuid::try_parse(&id) {
                Ok(id) => settlement_id(found.merchant, found.day) == id,
                Err(_) => true,
            }
        };
        let found = self.store.read(move |reader| {
            let found = reader.select::<Settlement>(rest, &[key])?;
            let Some(settlement) = found.into_iter().find(is_meant) else { return Ok(None) };
            let merchant = reader.get::<Merchant>(&(settlement.merchant,))?;
            Ok(merchant.map(|merchant| (settlement, merchant)))
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Settlement))
    }

    /// Up to `limit` lines of a merchant's day, those after `after`. Payments that went back as a
    /// whole before the day was closed are no lines.
    ///
    /// # Errors
    /// When the store has no answer, or an amount does not fit.
    #[crate::boxed]
    pub async fn lines(
        &self,
        merchant: MerchantId,
        day: Day,
        after: Option<LinePlace>,
        limit: usize,
    ) -> Result<Vec<SettlementLine>, EngineError> {
        let read = move |reader: &mut Reader<'_>| lines(reader, merchant, day, after, limit);
        Ok(self.store.read(read).await?)
    }

    /// The postings that were made for a payment, a refund or a report at a moment.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn postings_of(
        &self,
        merchant: MerchantId,
        subject: String,
        at: Timestamp,
    ) -> Result<Vec<PostingView>, EngineError> {
        let (from, to) = (IdSource::floor(at), IdSource::floor(at.plus_micros(1)));
        let (from, to) = (PostingId(from).to_cell(), PostingId(to).to_cell());
        let params = [merchant.to_cell(), from, to, subject.to_cell()];
        let found = self.store.read(move |reader| reader.list::<EntryRow>(CAUSED_BY, &params));
        Ok(crate::books::grouped(found.await?))
    }
}

/// The lines of a day, read in steps of what is still missing.
fn lines(
    reader: &mut Reader<'_>,
    merchant: MerchantId,
    day: Day,
    after: Option<LinePlace>,
    limit: usize,
) -> Result<Vec<SettlementLine>, StoreError> {
    let mut found = Vec::new();
    let mut ordinal = match after {
        None => Some(0),
        Some(LinePlace::Payment(ordinal)) => Some(ordinal),
        Some(LinePlace::Refund(_)) => None,
    };
    while let Some(last) = ordinal {
        let page: Vec<Payment> = step(reader, merchant, day, last, limit - found.len())?;
        ordinal = page.last().map(|payment| payment.ordinal);
        for payment in page {
            found.extend(line_of(reader, payment)?);
        }
        if found.len() >= limit {
            return Ok(found);
        }
    }
    let mut ordinal = match after {
        Some(LinePlace::Refund(ordinal)) => Some(ordinal),
        _ => Some(0),
    };
    while let Some(last) = ordinal {
        let page: Vec<Refund> = step(reader, merchant, day, last, limit - found.len())?;
        ordinal = page.last().map(|refund| refund.ordinal);
        for refund in page {
            let Some(payment) = reader.get::<Payment>(&(merchant, refund.payment))? else {
                continue;
            };
            // Within the payment's own settlement a refund is part of the payment's line.
            if payment.settles_on != refund.settles_on {
                let gross_minor = -refund.amount.minor;
                let fee = negative(refund.fee);
                let (refund, netted) = (Some(refund), Vec::new());
                found.push(SettlementLine { payment, refund, netted, gross_minor, fee });
            }
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

fn step<R: Row>(
    reader: &mut Reader<'_>,
    merchant: MerchantId,
    day: Day,
    after: i64,
    limit: usize,
) -> Result<Vec<R>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = [merchant.to_cell(), day.to_cell(), after.to_cell(), limit.to_cell()];
    reader.select(OF_DAY, &params)
}

/// The line of a payment, unless all of it went back before its day was closed.
fn line_of(
    reader: &mut Reader<'_>,
    payment: Payment,
) -> Result<Option<SettlementLine>, StoreError> {
    let (mut gross_minor, mut fee) = (payment.captured_minor, payment.fee);
    let mut netted = Vec::new();
    if payment.refunded_minor > 0 {
        let params = [payment.merchant.to_cell(), payment.id.to_cell()];
        for refund in reader.select::<Refund>(REFUNDS_OF, &params)? {
            if refund.settles_on == payment.settles_on {
                gross_minor -= refund.amount.minor;
                fee.fee_minor -= refund.fee.fee_minor;
                fee.tax_minor -= refund.fee.tax_minor;
                netted.push(refund);
            }
        }
    }
    let line = SettlementLine { payment, refund: None, netted, gross_minor, fee };
    Ok((gross_minor != 0).then_some(line))
}

const fn negative(fee: Fee) -> Fee {
    Fee { fee_minor: -fee.fee_minor, tax_minor: -fee.tax_minor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_belongs_to_one_merchant_and_day() {
        let (one, other) = (MerchantId(Uuid::from_u128(1)), MerchantId(Uuid::from_u128(2)));
        for day in [Day(0), Day(20_778), Day(2_932_896)] {
            let id = settlement_id(one, day);
            assert_eq!((day_of(id), id.get_version_num()), (day, 8));
            assert_ne!(id, settlement_id(other, day));
            assert_ne!(id, settlement_id(one, day.plus(1)));
        }
    }
}
