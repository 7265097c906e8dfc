//! Held money: take it, hold another amount, or let it go.
//!
//! Taking it and letting it go are advices: our books say it first, and the acquirer is told until
//! it has accepted. Another amount can be refused: what is about to be asked for is committed, the
//! acquirer is asked, its answer is committed.

use cobro_domain::event::{EventKind, Loudness};
use cobro_domain::id::IdSource;
use cobro_domain::ledger;
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::payment::{Payment, PaymentAction, PaymentRefused, PaymentState};
use cobro_domain::session::Session;
use cobro_domain::{MerchantId, PaymentId};
use cobro_store::Tx;
use cobro_store::rows::{AdjustmentRow, TimerKind};
use futures_util::FutureExt as _;

use crate::crash;
use crate::emit::{emit_payment, post, require, set_timer, stop_timer};
use crate::error::{EngineError, Subject};
use crate::ports::AdviceAnswer;
use crate::sessions::emit_session;
use crate::world::{Caller, World};

/// The first wait before an advice is sent again, in seconds.
const RESEND_FIRST_S: i64 = 5;

/// When held money that is being changed is looked at again, in seconds.
const ADJUSTED_S: i64 = 60;

impl World {
    /// Takes held money: `amount_minor` of it, or all.
    ///
    /// # Errors
    /// Unknown or foreign payment, one that holds nothing, or more than is held.
    #[crate::boxed]
    pub async fn capture_payment(
        &self,
        caller: &Caller,
        id: PaymentId,
        amount_minor: Option<i64>,
    ) -> Result<Payment, EngineError> {
        let (world, own, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        let payment = self
            .write(caller.merchant, move |tx| capture(tx, &world, &own, id, amount_minor, seed))
            .await?;
        self.advise_capture(caller.merchant, id).await?;
        Ok(payment)
    }

    /// Tells the acquirer how much of held money was taken.
    ///
    /// # Errors
    /// When the store has no answer.
    pub(crate) async fn advise_capture(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<(), EngineError> {
        let found = self.store().read(move |reader| reader.get::<Payment>(&(merchant, id)));
        let payment = found.await?.ok_or(EngineError::NotFound(Subject::Payment))?;
        let amount = Money::new(payment.captured_minor, payment.amount.currency);
        match self.acquirer().capture(payment.trace, amount).await {
            AdviceAnswer::Accepted => {
                let subject = id.to_string();
                self.write(merchant, move |tx| {
                    stop_timer(tx, merchant, TimerKind::ResendCapture, &subject)
                })
                .await
            }
            AdviceAnswer::Refused => {
                tracing::error!(payment = %id, "the acquirer refuses to take held money");
                Ok(())
            }
            AdviceAnswer::Silent => Ok(()),
        }
    }

    /// Holds another amount than before.
    ///
    /// # Errors
    /// Unknown or foreign payment, one that holds nothing or is being changed, or an amount that
    /// the acquirer refuses. [`EngineError::Unanswered`] when it does not answer: it is asked again
    /// until it does.
    #[crate::boxed]
    pub async fn adjust_payment(
        &self,
        caller: &Caller,
        id: PaymentId,
        amount_minor: i64,
    ) -> Result<Payment, EngineError> {
        let (world, own) = (self.clone(), caller.clone());
        let work = async move {
            // Held until the answer is stored, so that the clock does not move in between.
            let _talk = world.converse().await;
            let merchant = own.merchant;
            world.write(merchant, move |tx| begin_adjustment(tx, &own, id, amount_minor)).await?;
            crash::point("adjust.begin.committed");
            world.advise_adjustment(merchant, id).await
        };
        let task = self.tasks().spawn(work.boxed());
        match task.await.map_err(|_| EngineError::Unanswered)?? {
            AdviceAnswer::Accepted => {}
            AdviceAnswer::Silent => return Err(EngineError::Unanswered),
            AdviceAnswer::Refused => {
                return Err(PaymentRefused::State { state: "held", action: "adjust" }.into());
            }
        }
        let merchant = caller.merchant;
        let found = self.store().read(move |reader| reader.get::<Payment>(&(merchant, id)));
        found.await?.ok_or(EngineError::NotFound(Subject::Payment))
    }

    /// Asks the acquirer for a change that was begun, and stores its answer. What was asked for
    /// before is asked for again under the same number and amount.
    ///
    /// # Errors
    /// When the store has no answer.
    pub(crate) async fn advise_adjustment(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<AdviceAnswer, EngineError> {
        let found = self.store().read(move |reader| {
            let wanted = reader.get::<AdjustmentRow>(&(merchant, id))?;
            Ok(wanted.zip(reader.get::<Payment>(&(merchant, id))?))
        });
        let Some((wanted, payment)) = found.await? else { return Ok(AdviceAnswer::Accepted) };
        let amount = Money::new(wanted.amount_minor, payment.amount.currency);
        let answer = self.acquirer().adjust(payment.trace, amount).await;
        crash::point("adjust.answered");
        if answer == AdviceAnswer::Silent {
            return Ok(answer);
        }
        self.write(merchant, move |tx| adjusted(tx, &wanted, answer)).await?;
        crash::point("adjust.store.committed");
        Ok(answer)
    }

    /// Lets held money go: our books say it first, and the acquirer is told until it has accepted.
    ///
    /// # Errors
    /// Unknown or foreign payment, or one that holds nothing or is being changed.
    #[crate::boxed]
    pub async fn release_payment(
        &self,
        caller: &Caller,
        id: PaymentId,
    ) -> Result<Payment, EngineError> {
        let (world, own, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        let work = async move {
            let _talk = world.converse().await;
            let (inner, merchant) = (world.clone(), own.merchant);
            let released = world.write(merchant, move |tx| {
                let merchant = World::merchant_of(tx, &own)?;
                release(tx, &inner, &mut tx.ids(seed), &merchant, id)
            });
            let payment = released.await?;
            crash::point("release.committed");
            world.reverse_unknown(merchant, id).await?;
            Ok::<_, EngineError>(payment)
        };
        let task = self.tasks().spawn(work.boxed());
        task.await.map_err(|_| EngineError::Unanswered)?
    }
}

/// The payment, unless the acquirer is being asked to hold another amount.
fn settled_hold(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: PaymentId,
    action: &'static str,
) -> Result<Payment, EngineError> {
    if tx.get::<AdjustmentRow>(&(merchant, id))?.is_some() {
        return Err(PaymentRefused::State { state: "being adjusted", action }.into());
    }
    require(tx, &(merchant, id), Subject::Payment)
}

fn begin_adjustment(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: PaymentId,
    amount_minor: i64,
) -> Result<(), EngineError> {
    let merchant = World::merchant_of(tx, caller)?.id;
    let payment = settled_hold(tx, merchant, id, "adjust")?;
    // Refused before the acquirer is asked where the state does not allow it.
    payment.after(PaymentAction::Adjust(amount_minor), tx.now())?;
    tx.insert(&AdjustmentRow { merchant, payment: id, amount_minor });
    let due_at = tx.now().plus_seconds(RESEND_FIRST_S);
    set_timer(tx, merchant, TimerKind::ResendAdjustment, id.to_string(), due_at, 0)?;
    crash::point("adjust.begin.before_commit");
    Ok(())
}

/// Stores the acquirer's answer to a change, once.
fn adjusted(
    tx: &mut Tx<'_>,
    wanted: &AdjustmentRow,
    answer: AdviceAnswer,
) -> Result<(), EngineError> {
    let key = (wanted.merchant, wanted.payment);
    if tx.get::<AdjustmentRow>(&key)?.as_ref() != Some(wanted) {
        return Ok(());
    }
    tx.delete::<AdjustmentRow>(&key);
    let subject = wanted.payment.to_string();
    stop_timer(tx, wanted.merchant, TimerKind::ResendAdjustment, &subject)?;
    if answer == AdviceAnswer::Accepted {
        let payment: Payment = require(tx, &key, Subject::Payment)?;
        let payment = payment.after(PaymentAction::Adjust(wanted.amount_minor), tx.now())?;
        tx.save(&payment);
    }
    crash::point("adjust.store.before_commit");
    Ok(())
}

fn release(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    id: PaymentId,
) -> Result<Payment, EngineError> {
    let payment = settled_hold(tx, merchant.id, id, "release")?;
    let payment = payment.after(PaymentAction::Release, tx.now())?;
    tx.save(&payment);
    stop_timer(tx, merchant.id, TimerKind::ReleaseHold, &id.to_string())?;
    emit_payment(tx, world, ids, merchant, EventKind::PaymentReversed, &payment)?;
    tell_session(tx, world, ids, merchant, &payment)?;
    crate::charges::queue_reversal(tx, world, &payment, tx.now())?;
    Ok(payment)
}

/// Tells of the session whose end waited for what became of its held money.
fn tell_session(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    payment: &Payment,
) -> Result<(), EngineError> {
    let Some(session) = payment.session else { return Ok(()) };
    let session: Session = require(tx, &(merchant.id, session), Subject::Session)?;
    if world.dialect(&merchant.channel)?.hold_ends(&session).is_none() {
        return Ok(());
    }
    emit_session(tx, world, ids, merchant, &session, Some(payment), Loudness::Final)
}

/// What the clock does to money that was held until now: it goes back if nobody took it.
pub(crate) fn hold_ended(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: MerchantId,
    id: PaymentId,
) -> Result<(), EngineError> {
    let subject = id.to_string();
    if tx.get::<AdjustmentRow>(&(merchant, id))?.is_some() {
        let due_at = tx.now().plus_seconds(ADJUSTED_S);
        return set_timer(tx, merchant, TimerKind::ReleaseHold, subject, due_at, 0);
    }
    stop_timer(tx, merchant, TimerKind::ReleaseHold, &subject)?;
    let Some(payment) = tx.get::<Payment>(&(merchant, id))? else { return Ok(()) };
    // What happened in the meantime wins over the timer (F9).
    if !matches!(payment.state, PaymentState::Authorized { .. }) {
        return Ok(());
    }
    let Some(merchant) = tx.get::<Merchant>(&(merchant,))? else { return Ok(()) };
    release(tx, world, ids, &merchant, id).map(drop)
}

fn capture(
    tx: &mut Tx<'_>,
    world: &World,
    caller: &Caller,
    id: PaymentId,
    amount_minor: Option<i64>,
    seed: [u8; 16],
) -> Result<Payment, EngineError> {
    let merchant: Merchant = World::merchant_of(tx, caller)?;
    let payment = settled_hold(tx, merchant.id, id, "capture")?;
    if !matches!(payment.state, PaymentState::Authorized { .. }) {
        // Says which state it is in.
        payment.state.clone().after(PaymentAction::Release, tx.now())?;
    }
    let minor = amount_minor.unwrap_or(payment.amount.minor);
    let mut payment = payment.after(PaymentAction::Capture(minor), tx.now())?;
    let fees = world.dialect(&merchant.channel)?.fees(&merchant, payment.installments);
    payment.fee = fees.of(minor)?;
    crate::settlements::captured(tx, world, &merchant, &mut payment)?;
    tx.save(&payment);
    let mut ids = tx.ids(seed);
    let event = emit_payment(tx, world, &mut ids, &merchant, EventKind::PaymentCaptured, &payment)?;
    tell_session(tx, world, &mut ids, &merchant, &payment)?;
    let taken = Money::new(minor, payment.amount.currency);
    post(tx, &mut ids, merchant.id, event, &ledger::approval(taken, payment.fee))?;
    let due_at = tx.now().plus_seconds(RESEND_FIRST_S);
    let subject = payment.id.to_string();
    stop_timer(tx, merchant.id, TimerKind::ReleaseHold, &subject)?;
    set_timer(tx, merchant.id, TimerKind::ResendCapture, subject, due_at, 0)?;
    Ok(payment)
}
