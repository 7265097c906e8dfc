//! Taking money at a terminal: mark, call, apply.
//!
//! 1. A command commits that the acquirer is about to be asked: the payment is `Sending`, under a
//!    trace number, with this process as its owner.
//! 2. A task of its own calls the acquirer; it goes on when the caller hangs up.
//! 3. A command commits the answer, with its postings and events.
//!
//! Whatever happens between them, the payment's row says enough to find out or to undo it.

use std::time::Duration;

use cobro_domain::card::{CardEntry, CardFacts};
use cobro_domain::event::EventKind;
use cobro_domain::fee::Fee;
use cobro_domain::intent::{Intent, IntentAction, IntentPhase, IntentState};
use cobro_domain::ledger;
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::payment::{Payment, PaymentAction, PaymentState};
use cobro_domain::scenario::Scenario;
use cobro_domain::terminal::Terminal;
use cobro_domain::{IntentId, MerchantId, PaymentId, RefundId, TerminalId, Timestamp};
use cobro_store::rows::{ReferenceRow, TimerKind};
use cobro_store::{StoreError, Tx};
use futures_util::FutureExt as _;

use crate::alarms::Conversation;
use crate::card_charges::{Awaited, ToKeep, keep_charged, session_moved};
use crate::crash;
use crate::emit::{
    emit_intent, emit_new_payment, emit_payment, next_number, next_ordinal, next_trace, post,
    require, set_timer,
};
use crate::error::{EngineError, Subject};
use crate::faults::{Mishap, Pace};
use crate::intents::{IntentView, hold_until, release};
use crate::ports::{Answer, Authorise, Dialect, TestCard};
use crate::world::World;

/// How long the acquirer may take before its answer counts as lost (reliability reference, 5.3).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a result stays on a terminal before it closes by itself, in seconds.
pub const RESULT_SHOWN_S: i64 = 30;

/// The first wait between two reversals of one payment, in seconds.
pub(crate) const REVERSAL_FIRST_S: i64 = 5;

/// A card at a terminal.
#[derive(Clone, Debug)]
pub struct PresentCard {
    /// The card and what it makes a simulated acquirer do; absent, one that approves.
    pub card: Option<TestCard>,
    /// How it is read.
    pub entry: CardEntry,
    /// The tip, in minor units.
    pub tip_minor: i64,
    /// In how many instalments, where the terminal lets the holder choose.
    pub installments: Option<i64>,
}

/// A payment that is about to be sent, with the intent that it is for.
#[derive(Clone, Debug)]
struct BegunCharge {
    intent: Intent,
    payment: Payment,
    scenario: Scenario,
    pace: Pace,
}

/// What a card at a terminal has begun.
#[derive(Clone, Debug)]
enum Begun {
    /// A payment.
    Charge(Box<BegunCharge>),
    /// A refund, unless nothing is left to give back; with its intent.
    Refund(IntentId, Option<RefundId>),
}

impl World {
    /// A card was read at a terminal: asks the acquirer, and answers once its answer is stored.
    ///
    /// # Errors
    /// Nothing taken, an intent whose state does not allow it, or a terminal that is offline.
    /// [`EngineError::Unanswered`] when the task was cut off; the row then says more.
    #[crate::boxed]
    pub async fn present_card(
        &self,
        merchant: MerchantId,
        terminal: TerminalId,
        command: PresentCard,
    ) -> Result<IntentView, EngineError> {
        let world = self.clone();
        let work = async move {
            // Held until the answer is stored, so that the clock does not move in between.
            let mut talk = world.converse().await;
            crash::point("charge.received");
            let intent = match begin(&world, merchant, terminal, command).await? {
                Begun::Charge(begun) => {
                    crash::point("charge.begin.committed");
                    let (payment, pace) = (&begun.payment, begun.pace);
                    let answer = ask(&world, &mut talk, payment, begun.scenario, pace).await;
                    crash::point("charge.answered");
                    apply(&world, merchant, begun.payment.id, answer, None).await?;
                    crash::point("charge.store.committed");
                    begun.intent.id
                }
                Begun::Refund(intent, refund) => {
                    if let Some(refund) = refund {
                        crate::refunds::send(&world, merchant, refund).await?;
                    }
                    intent
                }
            };
            world.read_intent(merchant, intent).await
        };
        let task = self.tasks().spawn(work.boxed());
        task.await.map_err(|_| EngineError::Unanswered)?
    }
}

async fn begin(
    world: &World,
    merchant: MerchantId,
    terminal: TerminalId,
    command: PresentCard,
) -> Result<Begun, EngineError> {
    // A fault counts down only when it is used, so it is taken once, before the command.
    let mut mishap = Mishap::default();
    if world.has_faults() {
        let key = (merchant, terminal.clone());
        let found = world.store().read(move |reader| {
            let Some(terminal) = reader.get::<Terminal>(&key)? else { return Ok(None) };
            let Some(current) = terminal.current else { return Ok(None) };
            reader.get::<Intent>(&(merchant, current))
        });
        if found.await?.is_some_and(|intent| intent.refund_of.is_none()) {
            mishap = world.take_fault(Some(&terminal));
        }
    }
    let (world, seed) = (world.clone(), world.entropy().seed());
    let own = world.clone();
    own.write(merchant, move |tx| {
        begin_command(tx, &world, merchant, &terminal, &command, mishap, seed)
    })
    .await
}

fn begin_command(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: MerchantId,
    id: &TerminalId,
    command: &PresentCard,
    mishap: Mishap,
    seed: [u8; 16],
) -> Result<Begun, EngineError> {
    let terminal: Terminal = require(tx, &(merchant, id.clone()), Subject::Terminal)?;
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    if !terminal.online {
        return Err(EngineError::TerminalOffline);
    }
    let current = terminal.current.ok_or(EngineError::NothingTaken)?;
    let intent: Intent = require(tx, &(merchant.id, current), Subject::Intent)?;
    if intent.phase() == IntentPhase::Open {
        return Err(EngineError::NothingTaken);
    }
    if let Some(payment) = intent.refund_of {
        let id = intent.id;
        let refund =
            crate::refund_intents::begin(tx, world, &merchant, terminal, intent, payment, seed)?;
        return Ok(Begun::Refund(id, refund));
    }
    let mut ids = tx.ids(seed);
    let payment_id = PaymentId(ids.next_uuid());
    let intent = intent.after(IntentAction::PresentCard(payment_id), tx.now())?;
    let dialect = world.dialect(&merchant.channel)?;
    let (card, scenario) = decide(world, &merchant, &intent, command, mishap.scenario)?;
    let (amount, tip_minor) = with_tip(dialect.as_ref(), &intent, command.tip_minor)?;
    let payment = Payment {
        merchant: merchant.id,
        id: payment_id,
        lane: tx.order().lane,
        number: next_number(tx, world, dialect.payment_numbers())?,
        ordinal: next_ordinal(tx, merchant.id, "payment")?,
        intent: Some(intent.id),
        session: None,
        stored_card: None,
        capture: true,
        amount,
        tip_minor,
        installments: command.installments.unwrap_or(intent.installments),
        card,
        entry: command.entry,
        trace: next_trace(tx, world)?,
        state: PaymentState::Sending { owner: world.peers().owner() },
        captured_minor: 0,
        refunded_minor: 0,
        refund_pending_minor: 0,
        fee: Fee::default(),
        settles_on: None,
        luggage: intent.luggage.clone(),
        created_at: tx.now(),
        changed_at: tx.now(),
    };
    tx.insert(&payment);
    if let Some(reference) = dialect.reference(&payment.luggage) {
        let (merchant, payment, made_at) = (merchant.id, payment.id, tx.now());
        tx.insert(&ReferenceRow { merchant, reference, payment, made_at });
    }
    tx.save(&intent);
    emit_intent(tx, world, &mut ids, &merchant, &intent, None)?;
    crash::point("charge.begin.before_commit");
    Ok(Begun::Charge(Box::new(BegunCharge { intent, payment, scenario, pace: mishap.pace })))
}

/// What is to be paid with the tip, and the tip: the one that was given at the terminal, else the
/// one that the point of sale has fixed.
fn with_tip(
    dialect: &dyn Dialect,
    intent: &Intent,
    given_minor: i64,
) -> Result<(Money, i64), EngineError> {
    let tip_minor = match given_minor {
        0 => dialect.fixed_tip_minor(&intent.luggage),
        given_minor => given_minor,
    };
    let tip = Money::new(tip_minor, intent.amount.currency);
    Ok((intent.amount.plus(tip)?, tip_minor))
}

/// Which card it is and what a simulated acquirer does: a fault set on purpose, then a card that
/// was named, then what the dialect read into the amount, then approval (contract).
fn decide(
    world: &World,
    merchant: &Merchant,
    intent: &Intent,
    command: &PresentCard,
    fault: Option<Scenario>,
) -> Result<(CardFacts, Scenario), EngineError> {
    let kind = intent.card_kind.unwrap_or(cobro_domain::card::CardKind::Credit);
    let (card, scenario) = match &command.card {
        Some(card) => (card.facts.clone(), card.scenario),
        None => {
            let card = world.dialect(&merchant.channel)?.default_card(merchant, kind);
            (card, intent.scenario.unwrap_or(Scenario::Approve))
        }
    };
    Ok((card, fault.unwrap_or(scenario)))
}

/// Asks the acquirer for a payment that is being sent. An answer that takes too long is none: what
/// it says is undone by the reversal that follows (F10).
pub(crate) async fn ask(
    world: &World,
    talk: &mut Conversation<'_>,
    payment: &Payment,
    scenario: Scenario,
    pace: Pace,
) -> Answer {
    let ask = Authorise {
        trace: payment.trace,
        merchant: payment.merchant,
        amount: payment.amount,
        installments: payment.installments,
        card: payment.card.clone(),
        entry: payment.entry,
        capture: payment.capture,
        scenario,
        at: payment.created_at,
    };
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, world.acquirer().authorise(ask)).await;
    let answer = answer.unwrap_or(Answer::Silent);
    if pace == Pace::Prompt {
        return answer;
    }
    let patience_us = i64::try_from(ANSWER_TIMEOUT.as_micros()).unwrap_or(i64::MAX);
    let lost_at = payment.created_at.plus_micros(patience_us);
    match pace.answers_at(payment.created_at).filter(|at| *at < lost_at) {
        Some(at) => {
            talk.wait_until(at).await;
            answer
        }
        None => {
            talk.wait_until(lost_at).await;
            Answer::Silent
        }
    }
}

/// Stores an answer, and with it the card that is kept if it was approved. What the store did not take for want of room or of a connection is handed to
/// it again: the answer must not be lost while this process lives.
pub(crate) async fn apply(
    world: &World,
    merchant: MerchantId,
    payment: PaymentId,
    answer: Answer,
    to_keep: Option<ToKeep>,
) -> Result<(), EngineError> {
    let mut pause = Duration::from_millis(10);
    loop {
        let (own, seed, answer) = (world.clone(), world.entropy().seed(), answer.clone());
        let to_keep = to_keep.clone();
        let command = move |tx: &mut Tx<'_>| {
            apply_command(tx, &own, merchant, payment, &answer, seed)?;
            if let Some(to_keep) = &to_keep {
                keep_charged(tx, &own, merchant, payment, to_keep, seed)?;
            }
            crash::point("charge.store.before_commit");
            Ok(())
        };
        match world.write(merchant, command).await {
            Err(EngineError::Store(error)) if can_be_tried_again(&error) => {
                tracing::warn!(%error, "an acquirer's answer waits to be stored");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
                if world.store().is_stopped() {
                    return Err(EngineError::Store(error));
                }
            }
            other => return other,
        }
    }
}

fn can_be_tried_again(error: &StoreError) -> bool {
    match error {
        StoreError::Busy | StoreError::Database(_) | StoreError::Unknown(_) => true,
        StoreError::Closed
        | StoreError::Conflict(_)
        | StoreError::Panicked
        | StoreError::Corrupt(_) => false,
    }
}

/// The command that stores an answer. An answer to a payment that is no longer being sent changes
/// nothing: it was stored before, or it was given up and is being reversed (F10).
pub(crate) fn apply_command(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: MerchantId,
    id: PaymentId,
    answer: &Answer,
    seed: [u8; 16],
) -> Result<(), EngineError> {
    let payment: Payment = require(tx, &(merchant, id), Subject::Payment)?;
    let waits = match payment.state {
        PaymentState::Sending { .. } => true,
        PaymentState::Pending => !matches!(answer, Answer::Silent | Answer::Deferred { .. }),
        _ => false,
    };
    if !waits {
        return Ok(());
    }
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    let mut ids = tx.ids(seed);
    let was_pending = payment.state == PaymentState::Pending;
    let payment = answered(tx, world, &mut ids, &merchant, payment, answer)?;
    if let (Some(intent), false) = (payment.intent, was_pending) {
        let intent: Intent = require(tx, &(merchant.id, intent), Subject::Intent)?;
        moved(tx, world, &mut ids, &merchant, intent, &payment)?;
    }
    if let Some(session) = payment.session {
        let awaited = if was_pending { Awaited::ByNobody } else { Awaited::ByCaller };
        session_moved(tx, world, &mut ids, &merchant, session, &payment, awaited)?;
    }
    Ok(())
}

/// The payment after the answer, saved, posted and told of.
fn answered(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut cobro_domain::id::IdSource,
    merchant: &Merchant,
    payment: Payment,
    answer: &Answer,
) -> Result<Payment, EngineError> {
    let now = tx.now();
    let (action, kind) = match answer {
        Answer::Approved { authorization } => (
            PaymentAction::Approve { authorization: authorization.clone() },
            EventKind::PaymentApproved,
        ),
        Answer::Declined(reason) => (PaymentAction::Decline(*reason), EventKind::PaymentDeclined),
        Answer::Reversed => (PaymentAction::Reverse, EventKind::PaymentReversed),
        Answer::Failed => (PaymentAction::Fail, EventKind::PaymentDeclined),
        Answer::Deferred { .. } => (PaymentAction::Defer, EventKind::PaymentPending),
        Answer::Silent => (PaymentAction::LoseAnswer, EventKind::PaymentPending),
    };
    let is_new = payment.changed_at == payment.created_at;
    let mut payment = payment.after(action, now)?;
    if matches!(payment.state, PaymentState::Approved { .. }) {
        let fees = world.dialect(&merchant.channel)?.fees(merchant, payment.installments);
        payment.fee = fees.of(payment.amount.minor)?;
        crate::settlements::captured(tx, world, merchant, &mut payment)?;
    }
    tx.save(&payment);
    let tell = if is_new { emit_new_payment } else { emit_payment };
    let event = tell(tx, world, ids, merchant, kind, &payment)?;
    match answer {
        Answer::Approved { .. } if payment.captured_minor > 0 => {
            let entries = ledger::approval(payment.amount, payment.fee);
            post(tx, ids, merchant.id, event, &entries)?;
        }
        Answer::Silent => queue_reversal(tx, world, &payment, now)?,
        Answer::Deferred { until } => {
            let subject = payment.id.to_string();
            set_timer(tx, merchant.id, TimerKind::ResolvePending, subject, *until, 0)?;
        }
        Answer::Approved { .. } | Answer::Declined(_) | Answer::Reversed | Answer::Failed => {}
    }
    Ok(payment)
}

/// The intent after its payment was answered, saved and told of.
fn moved(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut cobro_domain::id::IdSource,
    merchant: &Merchant,
    intent: Intent,
    payment: &Payment,
) -> Result<Intent, EngineError> {
    let now = tx.now();
    if !matches!(intent.state, IntentState::Processing { payment: p } if p == payment.id) {
        return Ok(intent);
    }
    let declined = matches!(payment.state, PaymentState::Declined { .. });
    let action = match payment.state {
        PaymentState::Failed => IntentAction::AnswerError,
        PaymentState::Unknown => IntentAction::LoseAnswer,
        _ if declined && intent.retry_declined => IntentAction::Retry,
        _ => IntentAction::Answer,
    };
    let intent = intent.after(action, now)?;
    let intent = match intent.phase() {
        IntentPhase::Processed => hold_until(tx, intent, now.plus_seconds(RESULT_SHOWN_S))?,
        IntentPhase::OnTerminal => {
            let after_s = world.dialect(&merchant.channel)?.abandon_after_s(merchant);
            hold_until(tx, intent, now.plus_seconds(after_s))?
        }
        _ => {
            let id = intent.terminal.clone().ok_or(EngineError::NothingTaken)?;
            let terminal: Terminal = require(tx, &(merchant.id, id), Subject::Terminal)?;
            release(tx, terminal, &intent);
            intent
        }
    };
    tx.save(&intent);
    emit_intent(tx, world, ids, merchant, &intent, Some(payment))?;
    Ok(intent)
}

/// Queues the reversal of a payment whose outcome is unknown.
pub(crate) fn queue_reversal(
    tx: &mut Tx<'_>,
    world: &World,
    payment: &Payment,
    now: Timestamp,
) -> Result<(), EngineError> {
    let due_at = now.plus_seconds(REVERSAL_FIRST_S);
    let subject = payment.id.to_string();
    set_timer(tx, payment.merchant, TimerKind::Reverse, subject, due_at, 0)?;
    let world = world.clone();
    tx.after_commit(move || world.wake());
    Ok(())
}
