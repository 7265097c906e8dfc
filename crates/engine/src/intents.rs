//! Intents as the point of sale sees them: make, cancel, read.

use cobro_domain::card::CardKind;
use cobro_domain::intent::{Intent, IntentAction, IntentState};
use cobro_domain::money::Money;
use cobro_domain::payment::Payment;
use cobro_domain::scenario::Scenario;
use cobro_domain::terminal::{OperatingMode, Terminal};
use cobro_domain::{IntentId, MerchantId, TerminalId};
use cobro_store::rows::{IdempotencyRow, TimerKind};
use cobro_store::{Reader, StoreError, Tx};

use crate::crash;
use crate::emit::{emit_intent, require, set_timer, stop_timer};
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
    if let Some(intent) = repeated(tx, caller, command)? {
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
        created_at: tx.now(),
        changed_at: tx.now(),
    };
    tx.insert(&intent);
    tx.save(&terminal.holding(intent.id));
    let due_at = tx.now().plus_seconds(command.abandon_after_s);
    let subject = command.terminal.0.clone();
    set_timer(tx, merchant.id, TimerKind::Abandon, subject, due_at, 0)?;
    remember(tx, caller, command, &intent);
    emit_intent(tx, world, &mut ids, &merchant, &intent, None)?;
    crash::point("intent.create.before_commit");
    Ok(intent)
}

/// The intent that an earlier command with the same digest made, as it was then.
fn repeated(
    tx: &mut Tx<'_>,
    caller: &Caller,
    command: &CreateIntent,
) -> Result<Option<Intent>, EngineError> {
    let Some(repeatable) = command.repeatable else { return Ok(None) };
    let key = (caller.merchant, repeatable.digest.to_vec());
    let Some(record) = tx.get::<IdempotencyRow>(&key)? else { return Ok(None) };
    if record.expires_at <= tx.now() {
        tx.delete::<IdempotencyRow>(&key);
        return Ok(None);
    }
    let id = IntentId::parse(&record.outcome)
        .ok_or_else(|| EngineError::Fault("an idempotency record names no intent".to_owned()))?;
    let intent: Intent = require(tx, &(caller.merchant, id), Subject::Intent)?;
    Ok(Some(Intent { state: IntentState::Open, changed_at: intent.created_at, ..intent }))
}

fn remember(tx: &mut Tx<'_>, caller: &Caller, command: &CreateIntent, intent: &Intent) {
    if let Some(repeatable) = command.repeatable {
        tx.insert(&IdempotencyRow {
            merchant: caller.merchant,
            digest: repeatable.digest.to_vec(),
            outcome: intent.id.to_string(),
            expires_at: tx.now().plus_seconds(repeatable.lifetime_s),
        });
    }
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
    release(tx, terminal, &intent)?;
    emit_intent(tx, world, &mut ids, &merchant, &intent, None)?;
    crash::point("intent.cancel.before_commit");
    Ok(intent)
}

/// Frees the terminal of an intent that became final, and stops its clocks.
pub(crate) fn release(
    tx: &mut Tx<'_>,
    terminal: Terminal,
    intent: &Intent,
) -> Result<(), EngineError> {
    let (merchant, subject) = (intent.merchant, terminal.id.0.clone());
    if terminal.current == Some(intent.id) {
        stop_timer(tx, merchant, TimerKind::Abandon, &subject)?;
        stop_timer(tx, merchant, TimerKind::CloseResult, &subject)?;
    }
    tx.save(&terminal.released(intent.id));
    Ok(())
}
