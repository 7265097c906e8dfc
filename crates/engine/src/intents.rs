//! Intents as the point of sale sees them: make, cancel, read.

use cobro_domain::card::CardKind;
use cobro_domain::intent::{Intent, IntentAction, IntentState};
use cobro_domain::money::Money;
use cobro_domain::payment::Payment;
use cobro_domain::scenario::Scenario;
use cobro_domain::terminal::{OperatingMode, Terminal};
use cobro_domain::{IntentId, MerchantId, TerminalId, Timestamp};
use cobro_store::rows::{Timer, TimerKind};
use cobro_store::{Reader, StoreError, Tx};

use crate::answers;
use crate::crash;
use crate::emit::{emit_intent, require, set_timer};
use crate::error::{EngineError, Subject};
use crate::world::{Caller, World};

/// That a command may be repeated: the same digest leads to what the first one led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// Of the key and of all that the dialect scopes it to.
    pub digest: [u8; 32],
    /// For how long it is remembered, in seconds of the world's clock.
    pub lifetime_s: i64,
}

/// A wish to be paid at a terminal.
#[derive(Clone, Debug)]
pub struct CreateIntent {
    /// Which terminal.
    pub terminal: TerminalId,
    /// How much.
    pub amount: Money,
    /// Which kind of card, if that matters.
    pub card_kind: Option<CardKind>,
    /// In how many instalments.
    pub installments: i64,
    /// Whether a decline leaves it on the terminal.
    pub retry_declined: bool,
    /// What the simulated acquirer does when no card says otherwise.
    pub scenario: Option<Scenario>,
    /// What the dialect gives back, as JSON text.
    pub luggage: String,
    /// After how many seconds without progress it is abandoned.
    pub abandon_after_s: i64,
    /// Whether the command may be repeated.
    pub repeatable: Option<Repeatable>,
}

/// An intent and the payment that it led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentView {
    /// The intent.
    pub intent: Intent,
    /// Its payment, once there is one.
    pub payment: Option<Payment>,
}

impl World {
    /// Queues an intent on a terminal. A terminal has at most one that is not final (I9).
    ///
    /// # Errors
    /// Unknown or foreign terminal, one in stand-alone mode, one that is busy.
    #[crate::boxed]
    pub async fn create_intent(
        &self,
        caller: &Caller,
        command: CreateIntent,
    ) -> Result<Intent, EngineError> {
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        crash::point("intent.create.received");
        let made = self
            .write(caller.merchant, move |tx| create(tx, &world, &caller, &command, seed))
            .await;
        made.inspect(|_| crash::point("intent.create.committed"))
    }

    /// Takes an intent back, as long as the terminal has not taken it.
    ///
    /// # Errors
    /// Unknown or foreign terminal or intent, an intent of another terminal, or one whose state
    /// does not allow it.
    #[crate::boxed]
    pub async fn cancel_intent(
        &self,
        caller: &Caller,
        terminal: TerminalId,
        id: IntentId,
    ) -> Result<Intent, EngineError> {
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        let canceled = self
            .write(caller.merchant, move |tx| cancel(tx, &world, &caller, &terminal, id, seed))
            .await;
        canceled.inspect(|_| crash::point("intent.cancel.committed"))
    }

    /// An intent with its payment.
    ///
    /// # Errors
    /// Unknown or foreign intent, or one that gives money back.
    #[crate::boxed]
    pub async fn intent(&self, caller: &Caller, id: IntentId) -> Result<IntentView, EngineError> {
        let view = self.read_intent(caller.merchant, id).await?;
        if view.intent.refund_of.is_some() {
            return Err(EngineError::NotFound(Subject::Intent));
        }
        Ok(view)
    }

    pub(crate) async fn read_intent(
        &self,
        merchant: MerchantId,
        id: IntentId,
    ) -> Result<IntentView, EngineError> {
        let found = self.store().read(move |reader| {
            let Some(intent) = reader.get::<Intent>(&(merchant, id))? else { return Ok(None) };
            read_intent_view(reader, intent).map(Some)
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Intent))
    }
}

/// An intent with the payment that its state speaks of.
pub(crate) fn read_intent_view(
    reader: &mut Reader<'_>,
    intent: Intent,
) -> Result<IntentView, StoreError> {
    let payment = match intent.state.payment() {
        Some(payment) => reader.get::<Payment>(&(intent.merchant, payment))?,
        None => None,
    };
    Ok(IntentView { intent, payment })
}

fn create(
    tx: &mut Tx<'_>,
    world: &World,
    caller: &Caller,
    command: &CreateIntent,
    seed: [u8; 16],
) -> Result<Intent, EngineError> {
    let merchant = World::merchant_of(tx, caller)?;
    if let Some(intent) = repeated(tx, merchant.id, command.repeatable)? {
        return Ok(intent);
    }
    let key = (merchant.id, command.terminal.clone());
    let terminal: Terminal = require(tx, &key, Subject::Terminal)?;
    if terminal.mode == OperatingMode::Standalone {
        return Err(EngineError::TerminalStandalone);
    }
    if terminal.current.is_some() {
        return Err(EngineError::TerminalBusy);
    }
    let mut ids = tx.ids(seed);
    let intent = Intent {
        merchant: merchant.id,
        id: IntentId(ids.next_uuid()),
        terminal: Some(command.terminal.clone()),
        assignee: None,
        refund_of: None,
        amount: command.amount,
        card_kind: command.card_kind,
        installments: command.installments,
        retry_declined: command.retry_declined,
        scenario: command.scenario,
        luggage: command.luggage.clone(),
        state: IntentState::Open,
        deadline: None,
        created_at: tx.now(),
        changed_at: tx.now(),
    };
    let intent = hold_until(tx, intent, tx.now().plus_seconds(command.abandon_after_s))?;
    tx.insert(&intent);
    tx.save(&terminal.holding(intent.id));
    if let Some(repeatable) = command.repeatable {
        answers::keep(tx, merchant.id, repeatable, intent.id.to_string());
    }
    emit_intent(tx, world, &mut ids, &merchant, &intent, None)?;
    crash::point("intent.create.before_commit");
    Ok(intent)
}

/// The intent that an earlier command with the same digest made, as it was then.
fn repeated(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    repeatable: Option<Repeatable>,
) -> Result<Option<Intent>, EngineError> {
    let Some(repeatable) = repeatable else { return Ok(None) };
    let Some(outcome) = answers::recall(tx, merchant, repeatable)? else { return Ok(None) };
    as_made(tx, merchant, &outcome).map(Some)
}

/// The intent that a record names, as it was when it was made.
pub(crate) fn as_made(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    outcome: &str,
) -> Result<Intent, EngineError> {
    let id = IntentId::parse(outcome)
        .ok_or_else(|| EngineError::Fault("an idempotency record names no intent".to_owned()))?;
    let intent: Intent = require(tx, &(merchant, id), Subject::Intent)?;
    Ok(Intent { state: IntentState::Open, changed_at: intent.created_at, ..intent })
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
    if intent.terminal.as_ref() != Some(&terminal.id) || intent.refund_of.is_some() {
        return Err(EngineError::NotFound(Subject::Intent));
    }
    let mut ids = tx.ids(seed);
    let intent = intent.after(IntentAction::Cancel, tx.now())?;
    tx.save(&intent);
    release(tx, terminal, &intent);
    emit_intent(tx, world, &mut ids, &merchant, &intent, None)?;
    crash::point("intent.cancel.before_commit");
    Ok(intent)
}

/// Frees the terminal of an intent that became final.
pub(crate) fn release(tx: &mut Tx<'_>, terminal: Terminal, intent: &Intent) {
    tx.save(&terminal.released(intent.id));
}

/// The intent, whose state on its terminal ends by itself at `deadline`.
///
/// A terminal has one timer, which only has to go off early enough: it looks at the deadline of
/// what the terminal has by then ([`crate::timers`]). So it is moved where a state is shorter than
/// the one before, and a busy terminal's stays where it is.
pub(crate) fn hold_until(
    tx: &mut Tx<'_>,
    intent: Intent,
    deadline: Timestamp,
) -> Result<Intent, EngineError> {
    if let Some(terminal) = &intent.terminal {
        let key = (intent.merchant, TimerKind::Terminal.code().to_owned(), terminal.0.clone());
        let there = tx.get::<Timer>(&key)?;
        if there.is_none_or(|timer| timer.due_at > deadline) {
            let subject = terminal.0.clone();
            set_timer(tx, intent.merchant, TimerKind::Terminal, subject, deadline, 0)?;
        }
    }
    Ok(Intent { deadline: Some(deadline), ..intent })
}
