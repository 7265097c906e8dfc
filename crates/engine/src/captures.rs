//! Held money: take it, or let it go.
//!
//! Taking is an advice: our books say it first, and the acquirer is told until it has accepted.

use cobro_domain::event::EventKind;
use cobro_domain::ledger;
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::payment::{Payment, PaymentAction, PaymentState};
use cobro_domain::{MerchantId, PaymentId};
use cobro_store::Tx;
use cobro_store::rows::TimerKind;

use crate::emit::{emit_payment, post, require, set_timer, stop_timer};
use crate::error::{EngineError, Subject};
use crate::ports::AdviceAnswer;
use crate::world::{Caller, World};

/// The first wait before an advice is sent again, in seconds.
const RESEND_FIRST_S: i64 = 5;

impl World {
    /// Takes held money: `amount_minor` of it, or all.
    ///
    /// # Errors
    /// Unknown or foreign payment, one that holds nothing, or more than is held.
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
    /// Unknown or foreign payment, one that holds nothing, or an amount that the acquirer refuses.
    pub async fn adjust_payment(
        &self,
        caller: &Caller,
        id: PaymentId,
        amount_minor: i64,
    ) -> Result<Payment, EngineError> {
        let merchant = caller.merchant;
        let found = self.store().read(move |reader| reader.get::<Payment>(&(merchant, id)));
        let payment = found.await?.ok_or(EngineError::NotFound(Subject::Payment))?;
        let payment = payment.after(PaymentAction::Adjust(amount_minor), self.now())?;
        match self.acquirer().adjust(payment.trace, payment.amount).await {
            AdviceAnswer::Accepted => {}
            AdviceAnswer::Refused | AdviceAnswer::Silent => return Err(EngineError::Unanswered),
        }
        let own = caller.clone();
        self.write(merchant, move |tx| {
            let merchant = Self::merchant_of(tx, &own)?;
            let payment: Payment = require(tx, &(merchant.id, id), Subject::Payment)?;
            let payment = payment.after(PaymentAction::Adjust(amount_minor), tx.now())?;
            tx.save(&payment);
            Ok(payment)
        })
        .await
    }

    /// Lets held money go.
    ///
    /// # Errors
    /// Unknown or foreign payment, or one that holds nothing.
    pub async fn release_payment(
        &self,
        caller: &Caller,
        id: PaymentId,
    ) -> Result<Payment, EngineError> {
        let merchant = caller.merchant;
        let found = self.store().read(move |reader| reader.get::<Payment>(&(merchant, id)));
        let payment = found.await?.ok_or(EngineError::NotFound(Subject::Payment))?;
        // Refused before the acquirer is asked where the state does not allow it.
        payment.clone().after(PaymentAction::Release, self.now())?;
        match self.acquirer().reverse(payment.trace, self.now()).await {
            AdviceAnswer::Accepted => {}
            AdviceAnswer::Refused | AdviceAnswer::Silent => return Err(EngineError::Unanswered),
        }
        let (world, own, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(merchant, move |tx| {
            let merchant = Self::merchant_of(tx, &own)?;
            let payment: Payment = require(tx, &(merchant.id, id), Subject::Payment)?;
            let payment = payment.after(PaymentAction::Release, tx.now())?;
            tx.save(&payment);
            let mut ids = tx.ids(seed);
            emit_payment(tx, &world, &mut ids, &merchant, EventKind::PaymentReversed, &payment)?;
            Ok(payment)
        })
        .await
    }
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
    let payment: Payment = require(tx, &(merchant.id, id), Subject::Payment)?;
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
    let taken = Money::new(minor, payment.amount.currency);
    post(tx, &mut ids, merchant.id, event, &ledger::approval(taken, payment.fee))?;
    let due_at = tx.now().plus_seconds(RESEND_FIRST_S);
    let subject = payment.id.to_string();
    set_timer(tx, merchant.id, TimerKind::ResendCapture, subject, due_at, 0)?;
    Ok(payment)
}
