//! Recomputes the invariants from stored data, and compares with the acquirer's own book.

use std::collections::{BTreeMap, BTreeSet};

use cobro_domain::payment::{Payment, PaymentState, Trace};
use cobro_domain::refund::{Refund, RefundState};
use cobro_domain::{MerchantId, PaymentId};
use cobro_store::rows::Timer;
use cobro_store::{Cell, Reader, StoreError, ToCell};
use thiserror::Error;

use crate::error::EngineError;
use crate::ports::{Acquirer, BookLine};
use crate::world::World;

/// What was counted by a verification that found no fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Payments.
    pub payments: usize,
    /// Refunds.
    pub refunds: usize,
    /// Ledger entries.
    pub entries: i64,
    /// Lines of the acquirer's book.
    pub book_lines: usize,
}

/// The first record that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Offence {
    /// A rule is broken (the id is that of the reliability reference, section 1).
    #[error("{rule}: {record}: {what}")]
    Broken {
        /// The invariant.
        rule: &'static str,
        /// The record.
        record: String,
        /// How it is broken.
        what: String,
    },
    /// The verification itself could not be done.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

pub(crate) fn broken(rule: &'static str, record: String, what: impl Into<String>) -> Offence {
    Offence::Broken { rule, record, what: what.into() }
}

const PAGE: i64 = 5000;

const UNBALANCED: &str = "SELECT posting, currency, CAST(SUM(amount) AS BIGINT) FROM entry \
     GROUP BY posting, currency HAVING SUM(amount) <> 0 LIMIT 1";

const ENTRIES: &str = "SELECT COUNT(*) FROM entry";

const PAYMENTS: &str =
    "WHERE merchant > $1 OR (merchant = $2 AND id > $3) ORDER BY merchant, id LIMIT $4";

const REFUNDS: &str = "ORDER BY merchant, id";

const BUSY: &str = "SELECT t.merchant, t.id FROM terminal AS t LEFT JOIN intent AS i \
     ON i.merchant = t.merchant AND i.id = t.current_intent \
     WHERE t.current_intent IS NOT NULL AND (i.phase IS NULL OR \
     i.phase NOT IN ('open', 'on_terminal', 'processing', 'processed')) LIMIT 1";

const STRAY: &str = "SELECT i.merchant, i.id FROM intent AS i LEFT JOIN terminal AS t \
     ON t.merchant = i.merchant AND t.id = i.terminal \
     WHERE i.phase IN ('open', 'on_terminal', 'processing', 'processed') \
     AND (i.terminal IS NOT NULL OR i.phase <> 'open') \
     AND (t.current_intent IS NULL OR t.current_intent <> i.id) LIMIT 1";

/// What we say of one message to the acquirer.
#[derive(Clone, Debug)]
struct Ours {
    record: String,
    merchant: MerchantId,
    amount_minor: i64,
    /// Whether the money must have moved; `None` while that is open.
    stands: Option<bool>,
}

/// Everything that our side knows.
struct Books {
    ours: BTreeMap<Trace, Ours>,
    counted: Verified,
}

impl World {
    /// Verifies this world.
    ///
    /// # Errors
    /// The first offence.
    #[crate::boxed]
    pub async fn verify(&self) -> Result<Verified, Offence> {
        verify(self.store(), self.acquirer().as_ref()).await
    }
}

/// Verifies a store against an acquirer's book. Ours is read first, then the book, then ours
/// again where they differ: what is being sent at the moment is no offence.
///
/// # Errors
/// The first offence.
#[crate::boxed]
pub async fn verify(
    store: &cobro_store::Store,
    acquirer: &dyn Acquirer,
) -> Result<Verified, Offence> {
    let books = store.read(|reader| Ok(read_ours(reader))).await.map_err(EngineError::from)??;
    let mut counted = books.counted;
    let (mut after, mut book) = (Trace(i64::MIN), BTreeMap::new());
    loop {
        let lines = acquirer.book(after, PAGE).await?;
        let Some(last) = lines.last() else { break };
        after = last.trace;
        counted.book_lines += lines.len();
        book.extend(lines.into_iter().map(|line| (line.trace, line)));
    }
    let mut doubtful = Vec::new();
    for (trace, ours) in &books.ours {
        if differs(ours, book.get(trace)).is_some() {
            doubtful.push(*trace);
        }
    }
    doubtful.extend(book.keys().filter(|trace| !books.ours.contains_key(*trace)));
    if doubtful.is_empty() {
        return Ok(counted);
    }
    // What moved while the book was read has settled by now, or is being sent.
    let again = store.read(|reader| Ok(read_ours(reader))).await.map_err(EngineError::from)??;
    for trace in doubtful {
        let line = acquirer.book(Trace(trace.0 - 1), 1).await?.into_iter().next();
        let line = line.filter(|line| line.trace == trace);
        match again.ours.get(&trace) {
            Some(ours) => {
                if let Some(what) = differs(ours, line.as_ref()) {
                    return Err(broken("I10", ours.record.clone(), what));
                }
            }
            None if line.as_ref().is_some_and(|line| line.stands) => {
                let record = format!("message {} of the acquirer's book", trace.0);
                return Err(broken("I10", record, "we know nothing of it"));
            }
            None => {}
        }
    }
    Ok(counted)
}

fn differs(ours: &Ours, line: Option<&BookLine>) -> Option<String> {
    let stands = ours.stands?;
    let there = line.is_some_and(|line| line.stands);
    if stands != there {
        return Some(format!("we say that it stands: {stands}; the acquirer's book: {there}"));
    }
    match line {
        Some(line) if stands && line.merchant != ours.merchant => {
            Some("the acquirer has it under another merchant".to_owned())
        }
        Some(line) if stands && line.amount.minor != ours.amount_minor => Some(format!(
            "we say {} minor units, the acquirer {}",
            ours.amount_minor, line.amount.minor
        )),
        _ => None,
    }
}

fn read_ours(reader: &mut Reader<'_>) -> Result<Books, Offence> {
    let store = |error: StoreError| Offence::Engine(error.into());
    if let Some(row) = reader.rows(UNBALANCED, &[]).map_err(store)?.into_iter().next() {
        return Err(broken("I1", format!("posting {row:?}"), "does not add up to 0"));
    }
    if let Some(row) = reader.rows(BUSY, &[]).map_err(store)?.into_iter().next() {
        return Err(broken("I9", format!("terminal {row:?}"), "holds an intent that has ended"));
    }
    if let Some(row) = reader.rows(STRAY, &[]).map_err(store)?.into_iter().next() {
        return Err(broken("I9", format!("intent {row:?}"), "lives but its terminal lacks it"));
    }
    crate::verify_books::check(reader)?;
    crate::verify_settlements::check(reader)?;
    let mut books = Books { ours: BTreeMap::new(), counted: Verified::default() };
    let mut refunded = read_refunds(reader, &mut books)?;
    read_payments(reader, &mut books, &mut refunded)?;
    if let Some((payment, _)) = refunded.into_iter().next() {
        return Err(broken("I6", format!("payment {payment}"), "has refunds but is not there"));
    }
    if let Some(Cell::Int(count)) =
        reader.rows(ENTRIES, &[]).map_err(store)?.first().and_then(|row| row.first())
    {
        books.counted.entries = *count;
    }
    Ok(books)
}

/// What has gone back and what is on its way, by payment.
type Refunded = BTreeMap<PaymentId, (i64, i64)>;

fn read_refunds(reader: &mut Reader<'_>, books: &mut Books) -> Result<Refunded, Offence> {
    let mut refunded = Refunded::new();
    let rows = reader.select::<Refund>(REFUNDS, &[]);
    for refund in rows.map_err(|error| Offence::Engine(error.into()))? {
        let sums = refunded.entry(refund.payment).or_default();
        let stands = match refund.state {
            RefundState::Sending { .. } => {
                sums.1 += refund.amount.minor;
                None
            }
            RefundState::Approved => {
                sums.0 += refund.amount.minor;
                Some(true)
            }
            RefundState::Declined => Some(false),
        };
        books.counted.refunds += 1;
        let record = format!("refund {}", refund.id);
        let (merchant, amount_minor) = (refund.merchant, refund.amount.minor);
        books.ours.insert(refund.trace, Ours { record, merchant, amount_minor, stands });
    }
    Ok(refunded)
}

fn read_payments(
    reader: &mut Reader<'_>,
    books: &mut Books,
    refunded: &mut Refunded,
) -> Result<(), Offence> {
    let rest = "WHERE kind IN ('resend_capture', 'resend_adjustment', 'reverse')";
    let waiting = reader.select::<Timer>(rest, &[]);
    let waiting = waiting.map_err(|error| Offence::Engine(error.into()))?;
    let advised: BTreeSet<String> = waiting.into_iter().map(|timer| timer.subject).collect();
    let mut place = ([].as_slice().to_cell(), [].as_slice().to_cell());
    loop {
        let params = [place.0.clone(), place.0.clone(), place.1.clone(), PAGE.to_cell()];
        let page = reader.select::<Payment>(PAYMENTS, &params);
        let page = page.map_err(|error| Offence::Engine(error.into()))?;
        let Some(last) = page.last() else { return Ok(()) };
        place = (last.merchant.to_cell(), last.id.to_cell());
        for payment in page {
            check_payment(&payment, refunded.remove(&payment.id).unwrap_or_default())?;
            let stands = match payment.state {
                PaymentState::Authorized { .. } | PaymentState::Approved { .. } => Some(true),
                PaymentState::Challenged
                | PaymentState::Declined { .. }
                | PaymentState::Failed
                | PaymentState::Reversed { .. } => Some(false),
                PaymentState::Sending { .. } | PaymentState::Pending | PaymentState::Unknown => {
                    None
                }
            };
            books.counted.payments += 1;
            let record = format!("payment {}", payment.id);
            let merchant = payment.merchant;
            // Of held money only what was taken stands; until the acquirer has accepted that, or
            // another amount, or that it goes back, its book may still say what was before.
            let amount_minor = match payment.state {
                PaymentState::Approved { .. } => payment.captured_minor,
                _ => payment.amount.minor,
            };
            let stands = if advised.contains(&payment.id.to_string()) { None } else { stands };
            books.ours.insert(payment.trace, Ours { record, merchant, amount_minor, stands });
        }
    }
}

fn check_payment(payment: &Payment, refunds: (i64, i64)) -> Result<(), Offence> {
    let record = || format!("payment {}", payment.id);
    if (payment.refunded_minor, payment.refund_pending_minor) != refunds {
        return Err(broken("I6", record(), "its refunds do not add up to what it says"));
    }
    if payment.refundable_minor() < 0 || payment.captured_minor > payment.amount.minor {
        return Err(broken("I6", record(), "more went back, or was taken, than allowed"));
    }
    Ok(())
}
