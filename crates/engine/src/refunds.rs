//! Giving money back: the amount is set aside, the acquirer is asked, the answer is stored.
//!
//! A refund is an advice: it is sent again, under the same number, until it is answered, so a
//! crash between the steps needs no reversal.

use cobro_domain::event::EventKind;
use cobro_domain::id::IdSource;
use cobro_domain::ledger;
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::payment::Payment;
use cobro_domain::refund::{Refund, RefundState};
use cobro_domain::{IntentId, MerchantId, PaymentId, RefundId};
use cobro_store::rows::TimerKind;
use cobro_store::{ToCell, Tx};
use futures_util::FutureExt as _;
use serde_json::json;

use crate::answers;
use crate::crash;
use crate::emit::{
    emit, fee_back, next_number, next_ordinal, next_trace, payment_facts, post, require, set_timer,
    stop_timer, tell_own_address,
};
use crate::error::{EngineError, Subject};
use crate::intents::Repeatable;
use crate::ports::{AdviceAnswer, RefundAsk};
use crate::refund_intents;
use crate::world::{Caller, Change, World};

/// A refund to be made.
#[derive(Clone, Debug)]
pub struct CreateRefund {
    /// Of which payment.
    pub payment: PaymentId,
    /// How much, in minor units; everything that is left when absent.
    pub amount_minor: Option<i64>,
    /// Whether it must be covered by money that was not paid out to the merchant yet.
    pub within_balance: bool,
    /// What the dialect gives back, as JSON text.
    pub luggage: String,
    /// Whether the command may be repeated.
    pub repeatable: Option<Repeatable>,
}

/// A refund with its payment as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundView {
    /// The refund.
    pub refund: Refund,
    /// Its payment.
    pub payment: Payment,
}

/// How long a call that repeats a running one waits for its outcome.
const WAIT: std::time::Duration = std::time::Duration::from_secs(30);

/// The first wait before a refund is sent again, in seconds.
const RESEND_FIRST_S: i64 = 5;

impl World {
    /// Gives money back for a payment and answers once the acquirer's answer is stored.
    ///
    /// # Errors
    /// Unknown or foreign payment, one that is not approved, an amount that is not positive or is
    /// more than what is left; [`EngineError::Unanswered`] when the acquirer does not answer.
    #[crate::boxed]
    pub async fn create_refund(
        &self,
        caller: &Caller,
        command: CreateRefund,
    ) -> Result<RefundView, EngineError> {
        let (world, caller) = (self.clone(), caller.clone());
        let work = async move {
            let gate = world.gate().read().await;
            crash::point("refund.received");
            let merchant = caller.merchant;
            let (own, seed) = (world.clone(), world.entropy().seed());
            let mut changes = world.changes();
            let begin = move |tx: &mut Tx<'_>| begin(tx, &own, &caller, &command, seed);
            let (refund, is_new) = world.write(merchant, begin).await?;
            crash::point("refund.begin.committed");
            if is_new {
                send(&world, merchant, refund.id).await?;
            }
            drop(gate);
            let answered = world.await_refund(merchant, refund.id, &mut changes).await;
            answered.inspect(|_| crash::point("refund.before_reply"))
        };
        let task = self.tasks().spawn(work.boxed());
        task.await.map_err(|_| EngineError::Unanswered)?
    }

    /// The refund once it is answered.
    pub(crate) async fn await_refund(
        &self,
        merchant: MerchantId,
        id: RefundId,
        changes: &mut tokio::sync::broadcast::Receiver<Change>,
    ) -> Result<RefundView, EngineError> {
        let deadline = tokio::time::Instant::now() + WAIT;
        loop {
            let view = self.read_refund(merchant, id).await?;
            if !matches!(view.refund.state, RefundState::Sending { .. }) {
                return Ok(view);
            }
            // Another process may be the one that stores it, so a change is not waited for alone.
            let pause = std::time::Duration::from_millis(200);
            let changed = tokio::time::timeout(pause, changes.recv());
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return Err(EngineError::Unanswered);
            }
        }
    }

    /// A refund of a merchant's, with its payment.
    ///
    /// # Errors
    /// Unknown or foreign refund.
    #[crate::boxed]
    pub async fn refund(
        &self,
        merchant: MerchantId,
        id: RefundId,
    ) -> Result<RefundView, EngineError> {
        self.read_refund(merchant, id).await
    }

    async fn read_refund(
        &self,
        merchant: MerchantId,
        id: RefundId,
    ) -> Result<RefundView, EngineError> {
        let found = self.store().read(move |reader| {
            let Some(refund) = reader.get::<Refund>(&(merchant, id))? else { return Ok(None) };
            let payment = reader.get::<Payment>(&(merchant, refund.payment))?;
            Ok(payment.map(|payment| RefundView { refund, payment }))
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Refund))
    }

    /// The payment with this number, and its refunds, the oldest first.
    ///
    /// # Errors
    /// Unknown or foreign payment.
    #[crate::boxed]
    pub async fn payment_by_number(
        &self,
        caller: &Caller,
        number: i64,
    ) -> Result<(Payment, Vec<Refund>), EngineError> {
        let merchant = caller.merchant;
        let found = self.store().read(move |reader| {
            let params = [merchant.to_cell(), number.to_cell()];
            let found = reader.rows(PAYMENT_ID_BY_NUMBER, &params)?;
            let Some(id) = found.into_iter().next().and_then(|row| row.into_iter().next()) else {
                return Ok(None);
            };
            let Some(id) = <PaymentId as cobro_store::FromCell>::from_cell(&id) else {
                return Ok(None);
            };
            let Some(payment) = reader.get::<Payment>(&(merchant, id))? else { return Ok(None) };
            let refunds = reader.select(REFUNDS_OF, &[merchant.to_cell(), id.to_cell()])?;
            Ok(Some((payment, refunds)))
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Payment))
    }
}

const PAYMENT_ID_BY_NUMBER: &str = "SELECT id FROM payment WHERE merchant = $1 AND number = $2";

const REFUNDS_OF: &str = "WHERE merchant = $1 AND payment = $2 ORDER BY ordinal";

fn begin(
    tx: &mut Tx<'_>,
    world: &World,
    caller: &Caller,
    command: &CreateRefund,
    seed: [u8; 16],
) -> Result<(Refund, bool), EngineError> {
    let merchant = World::merchant_of(tx, caller)?;
    if let Some(repeatable) = command.repeatable
        && let Some(outcome) = answers::recall(tx, merchant.id, repeatable)?
    {
        let id = RefundId::parse(&outcome)
            .ok_or_else(|| EngineError::Fault("a record names no refund".to_owned()))?;
        return Ok((require(tx, &(merchant.id, id), Subject::Refund)?, false));
    }
    let payment: Payment = require(tx, &(merchant.id, command.payment), Subject::Payment)?;
    if command.within_balance {
        let amount_minor = command.amount_minor.unwrap_or(payment.refundable_minor());
        crate::balance::reserve(tx, world, &merchant, amount_minor)?;
    }
    let mut ids = tx.ids(seed);
    let wanted = Wanted {
        amount_minor: command.amount_minor,
        luggage: command.luggage.clone(),
        intent: None,
    };
    let refund = reserve(tx, world, &mut ids, &merchant, payment, wanted)?;
    if let Some(repeatable) = command.repeatable {
        answers::keep(tx, merchant.id, repeatable, refund.id.to_string());
    }
    crash::point("refund.begin.before_commit");
    Ok((refund, true))
}

/// What is wanted of a payment.
pub(crate) struct Wanted {
    /// How much, in minor units; everything that is left when absent.
    pub(crate) amount_minor: Option<i64>,
    /// What the dialect gives back, as JSON text.
    pub(crate) luggage: String,
    /// The intent that asked for it, if a terminal did.
    pub(crate) intent: Option<IntentId>,
}

/// Sets money of a payment aside and writes down the refund that is to be sent.
pub(crate) fn reserve(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    payment: Payment,
    wanted: Wanted,
) -> Result<Refund, EngineError> {
    let now = tx.now();
    let (payment, amount_minor) = payment.reserve_refund(wanted.amount_minor, now)?;
    tx.save(&payment);
    let dialect = world.dialect(&merchant.channel)?;
    let refund = Refund {
        merchant: merchant.id,
        id: RefundId(ids.next_uuid()),
        lane: tx.order().lane,
        number: next_number(tx, world, dialect.refund_numbers())?,
        ordinal: next_ordinal(tx, merchant.id, "refund")?,
        payment: payment.id,
        intent: wanted.intent,
        amount: Money::new(amount_minor, payment.amount.currency),
        trace: next_trace(tx, world)?,
        state: RefundState::Sending { owner: world.peers().owner() },
        fee: cobro_domain::fee::Fee::default(),
        settles_on: None,
        luggage: wanted.luggage,
        created_at: now,
        changed_at: now,
    };
    tx.insert(&refund);
    // Until it is answered, it is sent again.
    let subject = refund.id.to_string();
    let due_at = now.plus_seconds(RESEND_FIRST_S);
    set_timer(tx, merchant.id, TimerKind::ResendRefund, subject, due_at, 0)?;
    Ok(refund)
}

/// Asks the acquirer for a refund that is being sent, and stores its answer.
pub(crate) async fn send(
    world: &World,
    merchant: MerchantId,
    id: RefundId,
) -> Result<(), EngineError> {
    let view = world.read_refund(merchant, id).await?;
    if !matches!(view.refund.state, RefundState::Sending { .. }) {
        return Ok(());
    }
    let ask = RefundAsk {
        trace: view.refund.trace,
        original: view.payment.trace,
        merchant,
        amount: view.refund.amount,
        at: world.now(),
    };
    crash::point("refund.before_send");
    let answered = world.acquirer().refund(ask).await;
    crash::point("refund.answered");
    let accepted = match answered {
        AdviceAnswer::Accepted => true,
        AdviceAnswer::Refused => false,
        AdviceAnswer::Silent => return Ok(()),
    };
    let (own, seed) = (world.clone(), world.entropy().seed());
    let command = move |tx: &mut Tx<'_>| {
        answer(tx, &own, merchant, id, accepted, seed)?;
        crash::point("refund.store.before_commit");
        Ok(())
    };
    let stored = world.write(merchant, command).await;
    stored.inspect(|()| crash::point("refund.store.committed"))
}

fn answer(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: MerchantId,
    id: RefundId,
    accepted: bool,
    seed: [u8; 16],
) -> Result<(), EngineError> {
    let refund: Refund = require(tx, &(merchant, id), Subject::Refund)?;
    if !matches!(refund.state, RefundState::Sending { .. }) {
        return Ok(());
    }
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    let payment: Payment = require(tx, &(merchant.id, refund.payment), Subject::Payment)?;
    let (now, amount_minor) = (tx.now(), refund.amount.minor);
    let fee = fee_back(&payment, amount_minor)?;
    let (payment, state, kind) = if accepted {
        let payment = payment.refund_accepted(amount_minor, now);
        (payment, RefundState::Approved, EventKind::RefundApproved)
    } else {
        let payment = payment.refund_released(amount_minor, now);
        (payment, RefundState::Declined, EventKind::RefundDeclined)
    };
    let fee = if accepted { fee } else { cobro_domain::fee::Fee::default() };
    let mut refund = Refund { state, fee, changed_at: now, ..refund };
    if accepted {
        crate::settlements::refunded(tx, world, &merchant, &payment, &mut refund)?;
    }
    tx.save(&payment);
    tx.save(&refund);
    crate::balance::answered(tx, merchant.id, amount_minor)?;
    stop_timer(tx, merchant.id, TimerKind::ResendRefund, &refund.id.to_string())?;
    let mut ids = tx.ids(seed);
    let data = json!({
        "refund": { "id": refund.id.to_string(), "number": refund.number,
                    "amount_minor": amount_minor, "currency": refund.amount.currency.code(),
                    "luggage": refund.luggage },
        "payment": payment_facts(&payment),
    });
    let loudness = cobro_domain::event::Loudness::Silent;
    let subject = refund.id.to_string();
    let event = emit(tx, world, &mut ids, &merchant, kind, loudness, subject, data.to_string())?;
    tell_own_address(tx, world, &mut ids, &merchant, (event, kind), &payment.luggage)?;
    if accepted {
        post(tx, &mut ids, merchant.id, event, &ledger::refund(refund.amount, fee))?;
    }
    if let Some(intent) = refund.intent {
        let merchant = &merchant;
        refund_intents::answered(tx, world, &mut ids, merchant, intent, &payment, accepted)?;
    }
    let (world, merchant, id, payment) = (world.clone(), merchant.id, refund.id, payment.id);
    tx.after_commit(move || {
        world.announce(Change::Payment(merchant, payment));
        world.announce(Change::Refund(merchant, id));
    });
    Ok(())
}
