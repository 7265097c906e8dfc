//! What nobody waits for any more: payments whose process is gone, and reversals.

use std::collections::HashMap;

use cobro_domain::event::EventKind;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{Owner, Payment, PaymentAction, PaymentState};
use cobro_domain::{MerchantId, PaymentId};
use cobro_store::rows::TimerKind;
use cobro_store::{Cell, FromCell, ToCell, Tx};

use crate::card_charges::{Awaited, session_moved};
use crate::charges::apply_command;
use crate::crash;
use crate::emit::{emit_payment, require, stop_timer};
use crate::error::{EngineError, Subject};
use crate::ports::{AdviceAnswer, Answer};
use crate::world::World;

/// How many payments are read at once.
const SWEEP_PAGE: i64 = 1000;

const SENDING: &str = "SELECT merchant, id, owner FROM payment \
     WHERE (state = 'sending' OR state = 'unknown') AND owner IS NOT NULL \
     AND lane = $1 AND id > $2 ORDER BY id LIMIT $3";

impl World {
    /// Gives up the payments that were sent, are unanswered, and whose process is gone: their
    /// outcome is unknown, and they are reversed. Answers how many there were.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        let mut swept = 0;
        for lane in 0..self.store().lanes() {
            if self.peers().leads(lane).await {
                swept += self.sweep_lane(i64::try_from(lane).unwrap_or(0)).await?;
            }
        }
        Ok(swept)
    }

    async fn sweep_lane(&self, lane: i64) -> Result<usize, EngineError> {
        let mut swept = 0;
        let mut after = [].as_slice().to_cell();
        let mut alive: HashMap<Owner, bool> = HashMap::new();
        loop {
            let params = [lane.to_cell(), after, SWEEP_PAGE.to_cell()];
            let rows = self.store().read(move |reader| reader.rows(SENDING, &params)).await?;
            let Some(last) = rows.last().and_then(|row| row.get(1)) else { return Ok(swept) };
            after = last.clone();
            for (merchant, payment, owner) in rows.into_iter().filter_map(read_row) {
                let lives = match alive.get(&owner) {
                    Some(lives) => *lives,
                    None => self.peers().is_alive(owner).await,
                };
                alive.insert(owner, lives);
                if lives {
                    continue;
                }
                tracing::warn!(%payment, owner = owner.0, "giving up a payment without an owner");
                self.give_up(merchant, payment, owner).await?;
                swept += 1;
            }
        }
    }

    async fn give_up(
        &self,
        merchant: MerchantId,
        payment: PaymentId,
        owner: Owner,
    ) -> Result<(), EngineError> {
        let (world, seed) = (self.clone(), self.entropy().seed());
        let command = move |tx: &mut Tx<'_>| {
            let found: Payment = require(tx, &(merchant, payment), Subject::Payment)?;
            // Somebody may have stored the answer in between.
            if found.state == (PaymentState::Sending { owner }) {
                apply_command(tx, &world, merchant, payment, &Answer::Silent, seed)?;
            }
            crash::point("sweep.before_commit");
            Ok(())
        };
        let given_up = self.write(merchant, command).await;
        given_up.inspect(|()| crash::point("sweep.committed"))
    }

    /// Sends the reversal of a payment whose outcome is unknown, or whose held money was let go.
    /// Once it is accepted the payment is reversed; without an answer its timer stays and it is sent
    /// again.
    ///
    /// # Errors
    /// When the store has no answer.
    pub(crate) async fn reverse_unknown(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<(), EngineError> {
        let found = self.store().read(move |reader| reader.get::<Payment>(&(merchant, id)));
        let payment = found.await?.ok_or(EngineError::NotFound(Subject::Payment))?;
        if !matches!(payment.state, PaymentState::Unknown | PaymentState::Reversed { .. }) {
            return Ok(());
        }
        crash::point("reversal.before_send");
        let answer = self.acquirer().reverse(payment.trace, self.now()).await;
        crash::point("reversal.answered");
        match answer {
            AdviceAnswer::Accepted => {}
            AdviceAnswer::Refused => {
                tracing::error!(payment = %id, "the acquirer refuses a reversal");
                return Ok(());
            }
            AdviceAnswer::Silent => return Ok(()),
        }
        let (world, seed) = (self.clone(), self.entropy().seed());
        let command = move |tx: &mut Tx<'_>| {
            reversed(tx, &world, merchant, id, seed)?;
            crash::point("reversal.store.before_commit");
            Ok(())
        };
        let stored = self.write(merchant, command).await;
        stored.inspect(|()| crash::point("reversal.store.committed"))
    }

    /// Asks what became of a deferred payment and stores it.
    ///
    /// # Errors
    /// When the store has no answer.
    pub(crate) async fn resolve_pending(
        &self,
        merchant: MerchantId,
        id: PaymentId,
    ) -> Result<(), EngineError> {
        let found = self.store().read(move |reader| reader.get::<Payment>(&(merchant, id)));
        let payment = found.await?.ok_or(EngineError::NotFound(Subject::Payment))?;
        crash::point("resolve.before_send");
        let answer = self.acquirer().resolve(payment.trace, self.now()).await;
        crash::point("resolve.answered");
        if matches!(answer, Answer::Silent | Answer::Deferred { .. }) {
            return Ok(());
        }
        let (world, seed) = (self.clone(), self.entropy().seed());
        let command = move |tx: &mut Tx<'_>| {
            apply_command(tx, &world, merchant, id, &answer, seed)?;
            stop_timer(tx, merchant, TimerKind::ResolvePending, &id.to_string())?;
            crash::point("resolve.store.before_commit");
            Ok(())
        };
        let stored = self.write(merchant, command).await;
        stored.inspect(|()| crash::point("resolve.store.committed"))
    }
}

fn reversed(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: MerchantId,
    id: PaymentId,
    seed: [u8; 16],
) -> Result<(), EngineError> {
    let payment: Payment = require(tx, &(merchant, id), Subject::Payment)?;
    stop_timer(tx, merchant, TimerKind::Reverse, &id.to_string())?;
    if payment.state != PaymentState::Unknown {
        return Ok(());
    }
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    let payment = payment.after(PaymentAction::ReversalAccepted, tx.now())?;
    tx.save(&payment);
    let mut ids = tx.ids(seed);
    emit_payment(tx, world, &mut ids, &merchant, EventKind::PaymentReversed, &payment)?;
    if let Some(session) = payment.session {
        let nobody = Awaited::ByNobody;
        session_moved(tx, world, &mut ids, &merchant, session, &payment, nobody)?;
    }
    Ok(())
}

fn read_row(row: Vec<Cell>) -> Option<(MerchantId, PaymentId, Owner)> {
    let mut cells = row.into_iter();
    let merchant = MerchantId::from_cell(&cells.next()?)?;
    let payment = PaymentId::from_cell(&cells.next()?)?;
    let owner = Owner::from_cell(&cells.next()?)?;
    Some((merchant, payment, owner))
}
