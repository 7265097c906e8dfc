//! The simulated acquirer: any outcome on demand, and a durable book of its own.
//!
//! Its book lives apart from the world's database (a file of its own beside SQLite, a schema of
//! its own on PostgreSQL), with a lane and transactions of its own: it is the oracle that a
//! world's books are compared with. What a message does is written down before it is answered, so
//! that the same message always gets the same answer, and a message whose answer was lost has
//! still happened.

mod book;

use cobro_domain::id::Permutation;
use cobro_domain::payment::{DeclineReason, Trace};
use cobro_domain::scenario::Scenario;
use cobro_domain::{MerchantId, Money, Timestamp};
use cobro_engine::EngineError;
use cobro_engine::ports::{Acquirer, AdviceAnswer, Answer, Authorise, BookLine, RefundAsk};
use cobro_store::{LaneKey, Store, ToCell, Tx};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub use book::BOOK;
use book::{BookRow, Standing};

/// The simulated acquirer of one world.
#[derive(Clone, Debug)]
pub struct SimulatedAcquirer {
    book: Store,
}

impl SimulatedAcquirer {
    /// An acquirer with this book, a store opened with [`BOOK`].
    pub const fn new(book: Store) -> Self {
        Self { book }
    }

    async fn change<T, F>(&self, original: Trace, command: F) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, EngineError> + Send + 'static,
    {
        // All messages about one payment share a lane, so that refunds cannot race.
        let key = LaneKey(u8::try_from(original.0.rem_euclid(256)).unwrap_or(0));
        match self.book.write(key, command).await {
            Ok(result) => result,
            Err(error) => Err(error.into()),
        }
    }
}

impl Acquirer for SimulatedAcquirer {
    fn authorise(&self, ask: Authorise) -> BoxFuture<'_, Answer> {
        async move {
            let trace = ask.trace;
            let written = self.change(trace, move |tx| authorise(tx, &ask)).await;
            written.map_or_else(unanswered, |row| answer(&row))
        }
        .boxed()
    }

    fn resolve(&self, trace: Trace, at: Timestamp) -> BoxFuture<'_, Answer> {
        async move {
            let written = self.change(trace, move |tx| resolve(tx, trace, at)).await;
            written.map_or_else(unanswered, |row| row.map_or(Answer::Silent, |row| answer(&row)))
        }
        .boxed()
    }

    fn capture(&self, original: Trace, amount: Money) -> BoxFuture<'_, AdviceAnswer> {
        async move {
            let written = self.change(original, move |tx| capture(tx, original, amount)).await;
            written.unwrap_or_else(silent)
        }
        .boxed()
    }

    fn adjust(&self, original: Trace, amount: Money) -> BoxFuture<'_, AdviceAnswer> {
        async move {
            let written = self.change(original, move |tx| adjust(tx, original, amount)).await;
            written.unwrap_or_else(silent)
        }
        .boxed()
    }

    fn reverse(&self, original: Trace, at: Timestamp) -> BoxFuture<'_, AdviceAnswer> {
        async move {
            let written = self.change(original, move |tx| reverse(tx, original, at)).await;
            written.map_or_else(silent, |()| AdviceAnswer::Accepted)
        }
        .boxed()
    }

    fn refund(&self, ask: RefundAsk) -> BoxFuture<'_, AdviceAnswer> {
        async move {
            let written = self.change(ask.original, move |tx| refund(tx, &ask)).await;
            written.unwrap_or_else(silent)
        }
        .boxed()
    }

    fn book(&self, after: Trace, limit: i64) -> BoxFuture<'_, Result<Vec<BookLine>, EngineError>> {
        async move {
            let params = [after.to_cell(), limit.to_cell()];
            let rows = self.book.read(move |reader| reader.list::<BookRow>(book::PAGE, &params));
            Ok(rows.await?.into_iter().map(line).collect())
        }
        .boxed()
    }
}

/// An acquirer whose own book fails does not answer.
fn unanswered(error: EngineError) -> Answer {
    tracing::error!(%error, "the simulated acquirer's book failed");
    Answer::Silent
}

fn silent(error: EngineError) -> AdviceAnswer {
    tracing::error!(%error, "the simulated acquirer's book failed");
    AdviceAnswer::Silent
}

fn authorise(tx: &mut Tx<'_>, ask: &Authorise) -> Result<BookRow, EngineError> {
    if let Some(row) = tx.get::<BookRow>(&(ask.trace,))? {
        return Ok(row);
    }
    let (standing, resolve_at) = match ask.scenario {
        Scenario::Approve | Scenario::Silence => (Standing::Stands, None),
        Scenario::Decline(_) => (Standing::Declined, None),
        Scenario::Reverse => (Standing::Reversed, None),
        Scenario::Fail => (Standing::Failed, None),
        Scenario::Defer { after_s, .. } => (Standing::Deferred, Some(ask.at.plus_seconds(after_s))),
    };
    let row = BookRow {
        trace: ask.trace,
        original: ask.trace,
        merchant: ask.merchant,
        amount: ask.amount,
        refunded_minor: 0,
        standing,
        scenario: ask.scenario,
        resolve_at,
        at: tx.now(),
    };
    tx.insert(&row);
    Ok(row)
}

fn resolve(tx: &mut Tx<'_>, trace: Trace, at: Timestamp) -> Result<Option<BookRow>, EngineError> {
    let Some(row) = tx.get::<BookRow>(&(trace,))? else { return Ok(None) };
    let due = row.resolve_at.is_some_and(|resolve_at| resolve_at <= at);
    if row.standing != Standing::Deferred || !due {
        return Ok(Some(row));
    }
    let approves = matches!(row.scenario, Scenario::Defer { approve: true, .. });
    let standing = if approves { Standing::Stands } else { Standing::Declined };
    let row = BookRow { standing, ..row };
    tx.save(&row);
    Ok(Some(row))
}

/// A reversal of what was never seen is written down too: the message may still come, and then
/// it must not take money.
fn reverse(tx: &mut Tx<'_>, original: Trace, at: Timestamp) -> Result<(), EngineError> {
    match tx.get::<BookRow>(&(original,))? {
        Some(row) => tx.save(&BookRow { standing: Standing::Reversed, ..row }),
        None => tx.insert(&BookRow {
            trace: original,
            original,
            merchant: MerchantId(uuid_nil()),
            amount: Money::zero(cobro_domain::Currency::MXN),
            refunded_minor: 0,
            standing: Standing::Reversed,
            scenario: Scenario::Reverse,
            resolve_at: None,
            at,
        }),
    }
    Ok(())
}

/// Takes held money. What was taken before stays taken: the same advice is accepted again.
fn capture(tx: &mut Tx<'_>, original: Trace, amount: Money) -> Result<AdviceAnswer, EngineError> {
    match tx.get::<BookRow>(&(original,))? {
        Some(row)
            if row.standing == Standing::Stands
                && row.amount.currency == amount.currency
                && amount.minor <= row.amount.minor =>
        {
            tx.save(&BookRow { amount, ..row });
            Ok(AdviceAnswer::Accepted)
        }
        _ => Ok(AdviceAnswer::Refused),
    }
}

/// Holds another amount.
fn adjust(tx: &mut Tx<'_>, original: Trace, amount: Money) -> Result<AdviceAnswer, EngineError> {
    match tx.get::<BookRow>(&(original,))? {
        Some(row) if row.standing == Standing::Stands && row.amount.currency == amount.currency => {
            tx.save(&BookRow { amount, ..row });
            Ok(AdviceAnswer::Accepted)
        }
        _ => Ok(AdviceAnswer::Refused),
    }
}

fn refund(tx: &mut Tx<'_>, ask: &RefundAsk) -> Result<AdviceAnswer, EngineError> {
    if let Some(row) = tx.get::<BookRow>(&(ask.trace,))? {
        return Ok(match row.standing {
            Standing::Stands => AdviceAnswer::Accepted,
            _ => AdviceAnswer::Refused,
        });
    }
    let original = tx.get::<BookRow>(&(ask.original,))?;
    let fits = original.as_ref().is_some_and(|original| {
        original.standing == Standing::Stands
            && original.amount.currency == ask.amount.currency
            && original.amount.minor - original.refunded_minor >= ask.amount.minor
    });
    if let (Some(original), true) = (original, fits) {
        let refunded_minor = original.refunded_minor + ask.amount.minor;
        tx.save(&BookRow { refunded_minor, ..original });
    }
    let standing = if fits { Standing::Stands } else { Standing::Declined };
    tx.insert(&BookRow {
        trace: ask.trace,
        original: ask.original,
        merchant: ask.merchant,
        amount: ask.amount,
        refunded_minor: 0,
        standing,
        scenario: Scenario::Approve,
        resolve_at: None,
        at: ask.at,
    });
    Ok(if fits { AdviceAnswer::Accepted } else { AdviceAnswer::Refused })
}

fn answer(row: &BookRow) -> Answer {
    if row.scenario == Scenario::Silence {
        return Answer::Silent;
    }
    match row.standing {
        Standing::Stands => Answer::Approved { authorization: authorization(row.trace) },
        Standing::Declined => Answer::Declined(match row.scenario {
            Scenario::Decline(reason) => reason,
            _ => DeclineReason::Generic,
        }),
        Standing::Reversed => Answer::Reversed,
        Standing::Failed => Answer::Failed,
        Standing::Deferred => match row.resolve_at {
            Some(until) => Answer::Deferred { until },
            None => Answer::Silent,
        },
    }
}

/// Six digits that look like an issuer's code and follow from the message's number.
fn authorization(trace: Trace) -> String {
    let n = u64::try_from(trace.0).unwrap_or(0);
    format!("{:06}", Permutation::new(0x0a0b_0c0d_0e0f_1011, 899_999).apply(n) + 100_000)
}

fn line(row: BookRow) -> BookLine {
    BookLine {
        trace: row.trace,
        original: row.original,
        merchant: row.merchant,
        is_payment: row.trace == row.original,
        amount: row.amount,
        stands: row.standing == Standing::Stands,
    }
}

const fn uuid_nil() -> uuid::Uuid {
    uuid::Uuid::nil()
}
