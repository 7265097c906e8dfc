//! Intents that give money back at the terminal which took it: made and cancelled by the point of
//! sale, fetched and ended on the terminal like any other intent, in the same one place that a
//! terminal has. What goes back is all that is left of the payment when the card is presented.

use cobro_domain::card::CardEntry;
use cobro_domain::id::IdSource;
use cobro_domain::intent::{Intent, IntentAction, IntentPhase, IntentState};
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::payment::Payment;
use cobro_domain::terminal::{OperatingMode, Terminal};
use cobro_domain::{IntentId, MerchantId, PaymentId, RefundId, TerminalId};
use cobro_store::Tx;

use crate::answers;
use crate::emit::{emit_intent, require};
use crate::error::{EngineError, Subject};
use crate::intents::{Repeatable, as_made, hold_until, release};
use crate::world::{Caller, World};

/// A wish to give a payment's money back at the terminal that took it.
#[derive(Clone, Debug)]
pub struct CreateRefundIntent {
    /// Which terminal; the one that took the payment.
    pub terminal: TerminalId,
    /// Which payment.
    pub payment: PaymentId,
    /// What the dialect gives back, as JSON text.
    pub luggage: String,
    /// After how many seconds without progress it is abandoned.
    pub abandon_after_s: i64,
    /// Whether the command may be repeated.
    pub repeatable: Option<Repeatable>,
}

/// A refund intent with the payment whose money goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundIntentView {
    /// The intent.
    pub intent: Intent,
    /// The payment.
    pub payment: Payment,
}

impl World {
    /// Queues a refund on the terminal that took the payment.
    ///
    /// # Errors
    /// Unknown or foreign terminal, one in stand-alone mode, one that has an intent of either
    /// kind; an unknown or foreign payment, one of another terminal, one of which nothing is left.
    #[crate::boxed]
    pub async fn create_refund_intent(
        &self,
        caller: &Caller,
        command: CreateRefundIntent,
    ) -> Result<RefundIntentView, EngineError> {
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(caller.merchant, move |tx| create(tx, &world, &caller, &command, seed)).await
    }

    /// Takes a refund intent back. A terminal that has taken it lets go of it only where the card
    /// was not put into a reader (Point reference, section 5).
    ///
    /// # Errors
    /// Unknown or foreign terminal or intent, an intent of another terminal, or one whose state
    /// does not allow it.
    #[crate::boxed]
    pub async fn cancel_refund_intent(
        &self,
        caller: &Caller,
        terminal: TerminalId,
        id: IntentId,
    ) -> Result<Intent, EngineError> {
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(caller.merchant, move |tx| cancel(tx, &world, &caller, &terminal, id, seed))
            .await
    }

    /// A refund intent.
    ///
    /// # Errors
    /// Unknown or foreign intent, or one that takes money.
    #[crate::boxed]
    pub async fn refund_intent(
        &self,
        caller: &Caller,
        id: IntentId,
    ) -> Result<RefundIntentView, EngineError> {
        let merchant = caller.merchant;
        let found = self.store().read(move |reader| {
            let Some(intent) = reader.get::<Intent>(&(merchant, id))? else { return Ok(None) };
            let Some(payment) = intent.refund_of else { return Ok(None) };
            let payment = reader.get::<Payment>(&(merchant, payment))?;
            Ok(payment.map(|payment| RefundIntentView { intent, payment }))
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Intent))
    }
}

fn create(
    tx: &mut Tx<'_>,
    world: &World,
    caller: &Caller,
    command: &CreateRefundIntent,
    seed: [u8; 16],
) -> Result<RefundIntentView, EngineError> {
    let merchant = World::merchant_of(tx, caller)?;
    if let Some(view) = repeated(tx, merchant.id, command)? {
        return Ok(view);
    }
    let key = (merchant.id, command.terminal.clone());
    let terminal: Terminal = require(tx, &key, Subject::Terminal)?;
    let payment: Payment = require(tx, &(merchant.id, command.payment), Subject::Payment)?;
    let taken_by = match payment.intent {
        Some(intent) => require::<Intent>(tx, &(merchant.id, intent), Subject::Intent)?.terminal,
        None => None,
    };
    if taken_by.as_ref() != Some(&terminal.id) {
        return Err(EngineError::NotFound(Subject::Payment));
    }
    if terminal.mode == OperatingMode::Standalone {
        return Err(EngineError::TerminalStandalone);
    }
    if terminal.current.is_some() {
        return Err(EngineError::TerminalBusy);
    }
    let now = tx.now();
    // Nothing is set aside yet: until the card is there, another refund may come first.
    let (_, amount_minor) = payment.clone().reserve_refund(None, now)?;
    let mut ids = tx.ids(seed);
    let intent = Intent {
        merchant: merchant.id,
        id: IntentId(ids.next_uuid()),
        terminal: Some(terminal.id.clone()),
        assignee: None,
        refund_of: Some(payment.id),
        amount: Money::new(amount_minor, payment.amount.currency),
        card_kind: Some(payment.card.kind),
        installments: 1,
        retry_declined: false,
        scenario: None,
        luggage: command.luggage.clone(),
        state: IntentState::Open,
        deadline: None,
        created_at: now,
        changed_at: now,
    };
    let intent = hold_until(tx, intent, now.plus_seconds(command.abandon_after_s))?;
    tx.insert(&intent);
    tx.save(&terminal.holding(intent.id));
    if let Some(repeatable) = command.repeatable {
        answers::keep(tx, merchant.id, repeatable, intent.id.to_string());
    }
    emit_intent(tx, world, &mut ids, &merchant, &intent, Some(&payment))?;
    Ok(RefundIntentView { intent, payment })
}

/// What an earlier command with the same digest made, as it was then.
fn repeated(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    command: &CreateRefundIntent,
) -> Result<Option<RefundIntentView>, EngineError> {
    let Some(repeatable) = command.repeatable else { return Ok(None) };
    let Some(outcome) = answers::recall(tx, merchant, repeatable)? else { return Ok(None) };
    let intent = as_made(tx, merchant, &outcome)?;
    let payment = require(tx, &(merchant, command.payment), Subject::Payment)?;
    Ok(Some(RefundIntentView { intent, payment }))
}

fn cancel(
    tx: &mut Tx<'_>,
    world: &World,
    caller: &Caller,
    terminal: &TerminalId,
    id: IntentId,
    seed: [u8; 16],
) -> Result<Intent, EngineError> {
    let merchant = World::merchant_of(tx, caller)?;
    let terminal: Terminal = require(tx, &(merchant.id, terminal.clone()), Subject::Terminal)?;
    let intent: Intent = require(tx, &(merchant.id, id), Subject::Intent)?;
    let missing = || EngineError::NotFound(Subject::Intent);
    let payment = intent.refund_of.ok_or_else(missing)?;
    if intent.terminal.as_ref() != Some(&terminal.id) {
        return Err(missing());
    }
    let payment: Payment = require(tx, &(merchant.id, payment), Subject::Payment)?;
    let is_let_go = intent.phase() == IntentPhase::OnTerminal && payment.entry == CardEntry::Tap;
    let action = if is_let_go { IntentAction::CancelOnTerminal } else { IntentAction::Cancel };
    let mut ids = tx.ids(seed);
    let intent = intent.after(action, tx.now())?;
    tx.save(&intent);
    release(tx, terminal, &intent);
    emit_intent(tx, world, &mut ids, &merchant, &intent, Some(&payment))?;
    Ok(intent)
}

/// A card was read for a refund intent: sets the money aside and says which refund is to be sent.
/// Where nothing is left to give back, the intent ends in an error and there is none.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    terminal: Terminal,
    intent: Intent,
    payment: PaymentId,
    seed: [u8; 16],
) -> Result<Option<RefundId>, EngineError> {
    let mut ids = tx.ids(seed);
    let intent = intent.after(IntentAction::PresentCard(payment), tx.now())?;
    let payment: Payment = require(tx, &(merchant.id, payment), Subject::Payment)?;
    if payment.clone().reserve_refund(None, tx.now()).is_err() {
        end(tx, world, &mut ids, merchant, terminal, intent, &payment, false)?;
        return Ok(None);
    }
    tx.save(&intent);
    emit_intent(tx, world, &mut ids, merchant, &intent, Some(&payment))?;
    let refund = crate::refunds::reserve(
        tx,
        world,
        &mut ids,
        merchant,
        payment,
        crate::refunds::Wanted {
            amount_minor: None,
            luggage: "{}".to_owned(),
            intent: Some(intent.id),
        },
    )?;
    Ok(Some(refund.id))
}

/// The acquirer has answered the refund of an intent.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    intent: IntentId,
    payment: &Payment,
    accepted: bool,
) -> Result<(), EngineError> {
    let intent: Intent = require(tx, &(merchant.id, intent), Subject::Intent)?;
    let Some(terminal) = intent.terminal.clone() else { return Ok(()) };
    let terminal: Terminal = require(tx, &(merchant.id, terminal), Subject::Terminal)?;
    if intent.phase() != IntentPhase::Processing {
        return Ok(());
    }
    end(tx, world, ids, merchant, terminal, intent, payment, accepted)
}

#[expect(clippy::too_many_arguments, reason = "all of them are what ends")]
fn end(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    terminal: Terminal,
    intent: Intent,
    payment: &Payment,
    accepted: bool,
) -> Result<(), EngineError> {
    let action = if accepted { IntentAction::Complete } else { IntentAction::AnswerError };
    let intent = intent.after(action, tx.now())?;
    tx.save(&intent);
    release(tx, terminal, &intent);
    emit_intent(tx, world, ids, merchant, &intent, Some(payment))
}
