//! Payments whose holder is asked before the acquirer is (3-D Secure's challenge flow).
//!
//! Such a payment is made, and numbered, before anything is sent: the shop knows it by its id and
//! hears of its end. What leads on is the holder's answer; the clock ends what is not answered.

use cobro_domain::card::StoredCard;
use cobro_domain::event::EventKind;
use cobro_domain::id::IdSource;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{DeclineReason, Payment, PaymentAction, PaymentState};
use cobro_domain::scenario::Scenario;
use cobro_domain::{MerchantId, PaymentId};
use cobro_store::Tx;
use cobro_store::rows::TimerKind;
use futures_util::FutureExt as _;

use crate::card_charges::{Awaited, BegunCharge, send, session_moved};
use crate::emit::{emit_payment, require, set_timer, stop_timer};
use crate::error::{EngineError, Subject};
use crate::sessions::SessionView;
use crate::world::{Caller, World};

/// What a challenge that failed, or was not answered, declines with.
const FAILED: DeclineReason = DeclineReason::Authentication;

impl World {
    /// The holder of a challenged payment's card has answered, rightly or not; answers once the
    /// acquirer has.
    ///
    /// # Errors
    /// Unknown payment, or one that does not wait for its holder.
    #[crate::boxed]
    pub async fn answer_challenge(
        &self,
        merchant: MerchantId,
        id: PaymentId,
        passed: bool,
    ) -> Result<SessionView, EngineError> {
        let scenario = self.scenario_of(merchant, id).await?;
        let world = self.clone();
        let (begun, answered) = tokio::sync::oneshot::channel();
        let patience = self.patience();
        let work = async move {
            let mut talk = world.converse().await;
            let (own, seed) = (world.clone(), world.entropy().seed());
            let payment = world
                .write(merchant, move |tx| answer(tx, &own, merchant, id, passed, seed))
                .await?;
            let session = payment.session.ok_or(EngineError::NotFound(Subject::Session))?;
            let _ = begun.send(session);
            if matches!(payment.state, PaymentState::Sending { .. }) {
                send(&world, &mut talk, BegunCharge { payment, scenario }, None).await?;
            }
            Ok::<_, EngineError>(session)
        };
        let task = self.tasks().spawn(work.boxed());
        self.patiently(merchant, patience, task, answered).await
    }

    /// The merchant takes a payment back that waits for its holder.
    ///
    /// # Errors
    /// Unknown or foreign payment, or one that does not wait for its holder.
    #[crate::boxed]
    pub async fn cancel_challenge(
        &self,
        caller: &Caller,
        id: PaymentId,
    ) -> Result<Payment, EngineError> {
        let (world, own, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(caller.merchant, move |tx| {
            let merchant = Self::merchant_of(tx, &own)?;
            let payment = challenged(tx, merchant.id, id)?;
            let kind = EventKind::PaymentReversed;
            end(tx, &world, &mut tx.ids(seed), &merchant, payment, PaymentAction::Release, kind)
        })
        .await
    }

    /// What a simulated acquirer makes of the payment's stored card.
    async fn scenario_of(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<Scenario, EngineError> {
        let found = self.store().read(move |reader| {
            let Some(payment) = reader.get::<Payment>(&(merchant, id))? else { return Ok(None) };
            let card = match payment.stored_card {
                Some(card) => reader.get::<StoredCard>(&(merchant, card))?,
                None => None,
            };
            let merchant = reader.get::<Merchant>(&(merchant,))?;
            Ok(merchant.map(|merchant| (payment, card, merchant)))
        });
        let found = found.await?.ok_or(EngineError::NotFound(Subject::Payment))?;
        let (payment, Some(card), merchant) = found else {
            return Err(EngineError::NotFound(Subject::Card));
        };
        let data = self.vault()?.open(&card)?;
        let ready = self.ready_card(&merchant.channel, &data, None, Some(payment.amount))?;
        Ok(ready.scenario)
    }
}

/// The payment, which must wait for its holder.
fn challenged(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: PaymentId,
) -> Result<Payment, EngineError> {
    let payment: Payment = require(tx, &(merchant, id), Subject::Payment)?;
    if payment.state != PaymentState::Challenged {
        // Says which state it is in.
        let owner = cobro_domain::payment::Owner(0);
        payment.state.clone().after(PaymentAction::Send(owner), tx.now())?;
    }
    Ok(payment)
}

/// Notes that a payment's holder is asked, and until when.
pub(crate) fn pose(tx: &mut Tx<'_>, payment: &Payment, lifetime_s: i64) -> Result<(), EngineError> {
    let due_at = tx.now().plus_seconds(lifetime_s);
    let subject = payment.id.to_string();
    set_timer(tx, payment.merchant, TimerKind::ExpireChallenge, subject, due_at, 0)
}

fn answer(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: MerchantId,
    id: PaymentId,
    passed: bool,
    seed: [u8; 16],
) -> Result<Payment, EngineError> {
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    let payment = challenged(tx, merchant.id, id)?;
    if passed {
        stop_timer(tx, merchant.id, TimerKind::ExpireChallenge, &id.to_string())?;
        let payment = payment.after(PaymentAction::Send(world.peers().owner()), tx.now())?;
        tx.save(&payment);
        return Ok(payment);
    }
    let (action, kind) = (PaymentAction::Decline(FAILED), EventKind::PaymentDeclined);
    end(tx, world, &mut tx.ids(seed), &merchant, payment, action, kind)
}

/// What the clock does to a payment whose holder has not answered.
pub(crate) fn expire(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: MerchantId,
    id: PaymentId,
) -> Result<(), EngineError> {
    stop_timer(tx, merchant, TimerKind::ExpireChallenge, &id.to_string())?;
    let Some(payment) = tx.get::<Payment>(&(merchant, id))? else { return Ok(()) };
    let Some(merchant) = tx.get::<Merchant>(&(merchant,))? else { return Ok(()) };
    if payment.state != PaymentState::Challenged {
        return Ok(());
    }
    let (action, kind) = (PaymentAction::Decline(FAILED), EventKind::PaymentDeclined);
    end(tx, world, ids, &merchant, payment, action, kind).map(|_| ())
}

/// Ends a payment that was never sent, and its session with it.
fn end(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    payment: Payment,
    action: PaymentAction,
    kind: EventKind,
) -> Result<Payment, EngineError> {
    stop_timer(tx, merchant.id, TimerKind::ExpireChallenge, &payment.id.to_string())?;
    let payment = payment.after(action, tx.now())?;
    tx.save(&payment);
    emit_payment(tx, world, ids, merchant, kind, &payment)?;
    if let Some(session) = payment.session {
        session_moved(tx, world, ids, merchant, session, &payment, Awaited::ByNobody)?;
    }
    Ok(payment)
}
