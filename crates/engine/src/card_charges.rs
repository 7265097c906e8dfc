//! Charging a card without a terminal: on a hosted page, or a stored one.
//!
//! The three steps are those of [`crate::charges`]; what moves with the payment is a session.

use std::time::Duration;

use cobro_domain::card::{CardEntry, CardFacts, StoredCard, StoredCardState};
use cobro_domain::event::{EventKind, Loudness};
use cobro_domain::fee::Fee;
use cobro_domain::id::IdSource;
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::payment::{DeclineReason, Payment, PaymentState};
use cobro_domain::scenario::Scenario;
use cobro_domain::session::{Session, SessionAction, SessionKind};
use cobro_domain::{CardId, MerchantId, PaymentId, SessionId};
use cobro_store::Tx;
use cobro_store::rows::TimerKind;
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::alarms::{Alarm, Conversation};
use crate::cards::{StorePlan, keep, usable};
use crate::charges::{apply, ask};
use crate::crash;
use crate::emit::{emit_new_payment, next_number, next_ordinal, next_trace, require, set_timer};
use crate::error::{EngineError, Subject};
use crate::faults::Mishap;
use crate::ports::{Answer, CardUse};
use crate::sessions::{NewSession, SessionView, emit_session, open, remember, repeated, settle};
use crate::vault::CardData;
use crate::world::{Caller, World};

/// A charge that was answered within this time is told by its own answer, later ones by a notice;
/// clients give up soon after (reliability reference, F16).
pub const PATIENCE: Duration = Duration::from_secs(11);

/// A card that is about to be charged, with what a simulated acquirer makes of it.
#[derive(Clone, Debug)]
pub struct ReadyCard {
    /// What may be kept of it.
    pub facts: CardFacts,
    /// What the acquirer does.
    pub scenario: Scenario,
    /// The stored card, if it is one.
    pub stored: Option<CardId>,
}

/// A charge of a card in a session.
#[derive(Clone, Debug)]
pub struct ChargeCard {
    /// How much, in minor units; what is left when absent.
    pub amount_minor: Option<i64>,
    /// In how many instalments.
    pub installments: i64,
    /// The part of the amount that is a tip, in minor units.
    pub tip_minor: i64,
    /// How the card is to be stored once the charge is approved.
    pub store: Option<StorePlan>,
    /// The session's luggage, where the payer has changed it.
    pub luggage: Option<String>,
    /// For how many seconds the holder may answer a challenge before the acquirer is asked; there
    /// is no challenge when absent.
    pub challenge_s: Option<i64>,
}

/// Who waits for a charge of a stored card.
enum Waits {
    /// A client, who hears when it was begun: his patience has an end.
    Client(oneshot::Sender<SessionId>),
    /// The clock, which hears when the charge waits for it.
    Clock(oneshot::Sender<()>),
}

/// A charge that is about to be sent.
pub(crate) struct BegunCharge {
    pub(crate) payment: Payment,
    pub(crate) scenario: Scenario,
}

impl World {
    /// What a card does when it is used: a published test card, or nothing in the sandbox.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a number that is not a published test card.
    pub fn ready_card(
        &self,
        channel: &str,
        card: &CardData,
        code: Option<&str>,
        amount: Option<Money>,
    ) -> Result<ReadyCard, EngineError> {
        let use_of = CardUse {
            number: &card.number,
            holder: &card.holder,
            expiration: (card.expiration_month, card.expiration_year),
            code,
            amount,
        };
        let own = self.dialect(channel)?;
        let others = self.dialects().iter().filter(|dialect| dialect.name() != channel);
        let found = std::iter::once(own).chain(others).find_map(|d| d.card_in_use(&use_of));
        let mut found = found.ok_or(EngineError::NotFound(Subject::Card))?;
        found.facts.expiration_month = card.expiration_month;
        found.facts.expiration_year = card.expiration_year;
        let scenario = if self.is_expired(card.expiration_month, card.expiration_year) {
            Scenario::Decline(DeclineReason::Expired)
        } else {
            found.scenario
        };
        Ok(ReadyCard { facts: found.facts, scenario, stored: None })
    }

    /// Whether a card with this expiry cannot be used any more: it can until the month ends.
    pub fn is_expired(&self, month: i64, year: i64) -> bool {
        let now = self.now().calendar().to_zoned(jiff::tz::TimeZone::UTC);
        (year, month) < (i64::from(now.year()), i64::from(now.month()))
    }

    /// Charges a stored card in a session of its own, made in the same step. Answers when the
    /// acquirer has, or with the session still processing once [`PATIENCE`] is used up.
    ///
    /// # Errors
    /// A stale caller, or a card that cannot be used. Nothing is charged then.
    #[crate::boxed]
    pub async fn charge_stored_card(
        &self,
        caller: &Caller,
        card: CardId,
        code: Option<&str>,
        new: NewSession,
        charge: ChargeCard,
    ) -> Result<SessionView, EngineError> {
        let ready = self.ready_stored_card(caller, card, code, new.amount).await?;
        let (begun, answered) = oneshot::channel();
        let patience = self.patience();
        let task = self.charge_ready_card(caller, card, ready, new, charge, Waits::Client(begun));
        self.patiently(caller.merchant, patience, task, answered).await
    }

    /// The same for the clock, which must go on for a slow acquirer to answer: ends when the
    /// acquirer has answered, or when its answer is a matter of the clock.
    ///
    /// # Errors
    /// As above.
    pub(crate) async fn charge_stored_card_when_due(
        &self,
        caller: &Caller,
        card: CardId,
        new: NewSession,
        charge: ChargeCard,
    ) -> Result<(), EngineError> {
        let ready = self.ready_stored_card(caller, card, None, new.amount).await?;
        let (stalls, stalled) = oneshot::channel();
        let task = self.charge_ready_card(caller, card, ready, new, charge, Waits::Clock(stalls));
        tokio::select! {
            biased;
            ended = task => ended.map_err(|_| EngineError::Unanswered)?.map(|_| ()),
            Ok(()) = stalled => Ok(()),
        }
    }

    /// Begins a charge and sends it, in a task that outlives whoever waits for it.
    fn charge_ready_card(
        &self,
        caller: &Caller,
        card: CardId,
        ready: ReadyCard,
        new: NewSession,
        charge: ChargeCard,
        waits: Waits,
    ) -> JoinHandle<Result<SessionId, EngineError>> {
        let merchant = caller.merchant;
        let (world, own) = (self.clone(), caller.clone());
        let work = async move {
            let mut talk = world.converse().await;
            crash::point("card.received");
            let (inner, seed) = (world.clone(), world.entropy().seed());
            let started = world
                .write(merchant, move |tx| {
                    let merchant = World::merchant_of(tx, &own)?;
                    if let Some(id) = repeated(tx, merchant.id, &new)? {
                        return Ok((id, None));
                    }
                    usable(tx, merchant.id, card)?;
                    let mut ids = tx.ids(seed);
                    let session = open(tx, &inner, &mut ids, &merchant, &new)?;
                    remember(tx, merchant.id, &new, session.id);
                    let id = session.id;
                    let payment = begin(tx, &inner, &mut ids, &merchant, session, &ready, &charge)?;
                    Ok((id, Some(payment)))
                })
                .await?;
            let (id, payment) = started;
            let is_client = match waits {
                Waits::Client(begun) => {
                    // The caller may have hung up; the charge goes on.
                    let _ = begun.send(id);
                    true
                }
                Waits::Clock(stalls) => {
                    talk.tell_stall(stalls);
                    false
                }
            };
            match payment {
                Some(begun) if matches!(begun.payment.state, PaymentState::Sending { .. }) => {
                    send(&world, &mut talk, begun, None).await?;
                }
                // It waits for its holder.
                Some(_) => {}
                None if is_client => {
                    // The first command may still be waiting for its answer, and that for the clock.
                    talk.end();
                    world.await_charge(merchant, id).await?;
                }
                None => {}
            }
            Ok(id)
        };
        self.tasks().spawn(work.boxed())
    }

    /// The end of a client's patience, from now on.
    pub(crate) fn patience(&self) -> Alarm {
        let patience_us = i64::try_from(PATIENCE.as_micros()).unwrap_or(i64::MAX);
        self.alarm(self.now().plus_micros(patience_us))
    }

    /// Waits for a charge as long as clients do, then answers with the session as it is.
    pub(crate) async fn patiently(
        &self,
        merchant: MerchantId,
        mut patience: Alarm,
        mut task: JoinHandle<Result<SessionId, EngineError>>,
        begun: oneshot::Receiver<SessionId>,
    ) -> Result<SessionView, EngineError> {
        let id = tokio::select! {
            biased;
            ended = &mut task => ended.map_err(|_| EngineError::Unanswered)??,
            () = patience.rung() => begun.await.map_err(|_| EngineError::Unanswered)?,
        };
        drop(patience);
        self.session(merchant, id).await
    }

    /// Waits until the charge of a session has been answered.
    async fn await_charge(&self, merchant: MerchantId, id: SessionId) -> Result<(), EngineError> {
        let mut changes = self.changes();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let view = self.session(merchant, id).await?;
            let is_sent = |payment: &Payment| matches!(payment.state, PaymentState::Sending { .. });
            if !view.payments.first().is_some_and(is_sent) {
                return Ok(());
            }
            // Another process may be the one that stores it, so a change is not waited for alone.
            let changed = tokio::time::timeout(Duration::from_millis(200), changes.recv());
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return Ok(());
            }
        }
    }

    /// A stored card, opened, with what it does.
    async fn ready_stored_card(
        &self,
        caller: &Caller,
        card: CardId,
        code: Option<&str>,
        amount: Option<Money>,
    ) -> Result<ReadyCard, EngineError> {
        let merchant = caller.merchant;
        let found = self.store().read(move |reader| reader.get::<StoredCard>(&(merchant, card)));
        let stored = found.await?.ok_or(EngineError::NotFound(Subject::Card))?;
        if stored.state != StoredCardState::Active {
            return Err(EngineError::NotFound(Subject::Card));
        }
        let data = self.vault()?.open(&stored)?;
        let ready = self.ready_card(&caller.account.channel, &data, code, amount)?;
        Ok(ReadyCard { stored: Some(card), ..ready })
    }

    /// Charges a typed card in a session that waits for its payer.
    ///
    /// # Errors
    /// Unknown session, one whose state does not allow it, or an amount that is not left.
    #[crate::boxed]
    pub async fn charge_typed_card(
        &self,
        merchant: MerchantId,
        session: SessionId,
        card: &CardData,
        ready: ReadyCard,
        charge: ChargeCard,
    ) -> Result<SessionView, EngineError> {
        let hidden = match &charge.store {
            Some(_) => None,
            None => self.hidden_plan(merchant, session).await?,
        };
        let to_keep = match charge.store.as_ref().or(hidden.as_ref()) {
            Some(plan) => {
                let card = self.sealed_card(merchant, card, ready.facts.clone(), plan)?;
                Some(ToKeep { session, card, lifetime_s: plan.lifetime_s })
            }
            None => None,
        };
        let world = self.clone();
        let (begun, answered) = oneshot::channel();
        let patience = self.patience();
        let work = async move {
            let mut talk = world.converse().await;
            crash::point("card.received");
            let (inner, seed) = (world.clone(), world.entropy().seed());
            let payment = world
                .write(merchant, move |tx| {
                    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
                    let session: Session = require(tx, &(merchant.id, session), Subject::Session)?;
                    let mut ids = tx.ids(seed);
                    begin(tx, &inner, &mut ids, &merchant, session, &ready, &charge)
                })
                .await?;
            let _ = begun.send(session);
            send(&world, &mut talk, payment, to_keep).await?;
            Ok::<_, EngineError>(session)
        };
        let task = self.tasks().spawn(work.boxed());
        self.patiently(merchant, patience, task, answered).await
    }

    /// Stores a typed card in a session that wants nothing else. No money moves; a card that
    /// rejects makes a token all the same, and shows it when it is charged (contract).
    ///
    /// # Errors
    /// Unknown session, or one whose state does not allow it.
    #[crate::boxed]
    pub async fn store_typed_card(
        &self,
        merchant: MerchantId,
        session: SessionId,
        card: &CardData,
        facts: CardFacts,
        plan: StorePlan,
        luggage: Option<String>,
    ) -> Result<SessionView, EngineError> {
        let stored = self.sealed_card(merchant, card, facts, &plan)?;
        let (world, seed) = (self.clone(), self.entropy().seed());
        self.write(merchant, move |tx| {
            let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
            let found: Session = require(tx, &(merchant.id, session), Subject::Session)?;
            let mut found = found.after(SessionAction::StoreCard, tx.now())?;
            let card = keep(tx, &world, &merchant, stored.clone(), plan.lifetime_s, seed)?;
            found.card = Some(card.id);
            if let Some(luggage) = &luggage {
                found.luggage.clone_from(luggage);
            }
            tx.save(&found);
            settle(tx, &found)?;
            let mut ids = tx.ids(later(seed));
            emit_session(tx, &world, &mut ids, &merchant, &found, None, Loudness::Final)
        })
        .await?;
        self.session(merchant, session).await
    }
}

/// The second and the third step of a charge that was begun.
pub(crate) async fn send(
    world: &World,
    talk: &mut Conversation<'_>,
    begun: BegunCharge,
    to_keep: Option<ToKeep>,
) -> Result<(), EngineError> {
    crash::point("card.begin.committed");
    let Mishap { scenario, pace } = world.take_fault(None);
    let scenario = scenario.unwrap_or(begun.scenario);
    let answer: Answer = ask(world, talk, &begun.payment, scenario, pace).await;
    crash::point("card.answered");
    apply(world, begun.payment.merchant, begun.payment.id, answer, to_keep).await?;
    crash::point("card.store.committed");
    Ok(())
}

/// A card that is kept once its charge is approved.
#[derive(Clone, Debug)]
pub(crate) struct ToKeep {
    session: SessionId,
    card: StoredCard,
    lifetime_s: Option<i64>,
}

/// Keeps the card of a charge that was approved, or may be: in the command that stores the answer,
/// so that no session is told of whose card is not there.
pub(crate) fn keep_charged(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: MerchantId,
    payment: PaymentId,
    to_keep: &ToKeep,
    seed: [u8; 16],
) -> Result<(), EngineError> {
    let charged: Payment = require(tx, &(merchant, payment), Subject::Payment)?;
    let taken = matches!(
        charged.state,
        PaymentState::Approved { .. } | PaymentState::Authorized { .. } | PaymentState::Pending
    );
    let session: Session = require(tx, &(merchant, to_keep.session), Subject::Session)?;
    if !taken || session.card == Some(to_keep.card.id) {
        return Ok(());
    }
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    let (card, lifetime_s) = (to_keep.card.clone(), to_keep.lifetime_s);
    let card = keep(tx, world, &merchant, card, lifetime_s, later(seed))?;
    tx.save(&Session { card: Some(card.id), ..session });
    Ok(())
}

/// Another seed for a second source of ids in one command.
const fn later(mut seed: [u8; 16]) -> [u8; 16] {
    seed[0] ^= 0x5a;
    seed
}

/// Where a payment begins: with the holder's answer, where that is asked for.
fn first_state(world: &World, charge: &ChargeCard) -> PaymentState {
    match charge.challenge_s {
        Some(_) => PaymentState::Challenged,
        None => PaymentState::Sending { owner: world.peers().owner() },
    }
}

/// The first step: the session says which payment is under way, the payment says that it is
/// about to be sent.
fn begin(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    session: Session,
    ready: &ReadyCard,
    charge: &ChargeCard,
) -> Result<BegunCharge, EngineError> {
    let amount = session.amount.ok_or(EngineError::Unsupported("the session has no amount"))?;
    let (left_minor, allow_partial) = (session.left_minor(), session.allow_partial);
    let payment_id = PaymentId(ids.next_uuid());
    // Whoever comes second is told of the session's state, not of what is left.
    let mut session = session.after(SessionAction::Begin(payment_id), tx.now())?;
    let minor = charge.amount_minor.unwrap_or(left_minor);
    if minor <= 0 || minor > left_minor || (minor < left_minor && !allow_partial) {
        return Err(cobro_domain::payment::PaymentRefused::ExceedsRemainder { left_minor }.into());
    }
    if let Some(luggage) = &charge.luggage {
        session.luggage.clone_from(luggage);
    }
    if let Some(stored) = ready.stored {
        let card = usable(tx, merchant.id, stored)?;
        if card.single_use {
            let changed_at = tx.now();
            tx.save(&StoredCard { state: StoredCardState::Used, changed_at, ..card });
        }
    }
    let dialect = world.dialect(&merchant.channel)?;
    let payment = Payment {
        merchant: merchant.id,
        id: payment_id,
        lane: tx.order().lane,
        number: next_number(tx, world, dialect.payment_numbers())?,
        ordinal: next_ordinal(tx, merchant.id, "payment")?,
        intent: None,
        session: Some(session.id),
        stored_card: ready.stored,
        capture: session.capture,
        amount: Money::new(minor, amount.currency),
        tip_minor: charge.tip_minor,
        installments: charge.installments.max(1),
        card: ready.facts.clone(),
        entry: CardEntry::Typed,
        trace: next_trace(tx, world)?,
        state: first_state(world, charge),
        captured_minor: 0,
        refunded_minor: 0,
        refund_pending_minor: 0,
        fee: Fee::default(),
        settles_on: None,
        luggage: session.luggage.clone(),
        created_at: tx.now(),
        changed_at: tx.now(),
    };
    // A session that was opened in this command is saved as one insert.
    tx.save(&session);
    tx.insert(&payment);
    if let Some(lifetime_s) = charge.challenge_s {
        crate::challenges::pose(tx, &payment, lifetime_s)?;
        emit_new_payment(tx, world, ids, merchant, EventKind::PaymentPending, &payment)?;
    }
    crash::point("card.begin.before_commit");
    Ok(BegunCharge { payment, scenario: ready.scenario })
}

/// Who learns of an answer by waiting for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Whoever asked for the charge, as long as his patience lasts.
    ByCaller,
    /// Nobody: what was asked for was answered as pending, or never.
    ByNobody,
}

/// The session after its payment was answered, saved and told of. A direct charge that is
/// answered while its caller waits is told by the answer alone.
pub(crate) fn session_moved(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    id: SessionId,
    payment: &Payment,
    awaited: Awaited,
) -> Result<Session, EngineError> {
    let session: Session = require(tx, &(merchant.id, id), Subject::Session)?;
    let action = match payment.state {
        PaymentState::Approved { .. } | PaymentState::Authorized { .. } => {
            SessionAction::Approve(payment.amount.minor)
        }
        PaymentState::Declined { .. } | PaymentState::Failed | PaymentState::Reversed { .. } => {
            SessionAction::Decline
        }
        // Unknown is neither approved nor rejected (I11).
        PaymentState::Challenged
        | PaymentState::Sending { .. }
        | PaymentState::Pending
        | PaymentState::Unknown => return Ok(session),
    };
    let Ok(session) = session.clone().after(action, tx.now()) else { return Ok(session) };
    tx.save(&session);
    settle(tx, &session)?;
    if matches!(payment.state, PaymentState::Authorized { .. })
        && let Some(at) = world.dialect(&merchant.channel)?.hold_ends(&session)
    {
        set_timer(tx, merchant.id, TimerKind::ReleaseHold, payment.id.to_string(), at, 0)?;
    }
    crate::recurring::charged(tx, world, ids, merchant, &session, payment)?;
    let waited_us = tx.now().micros() - payment.created_at.micros();
    let patience_us = i64::try_from(PATIENCE.as_micros()).unwrap_or(i64::MAX);
    let in_time = awaited == Awaited::ByCaller && waited_us < patience_us;
    let answered_at_once = session.kind == SessionKind::Direct && in_time;
    let loudness = match (answered_at_once, session.state.is_final()) {
        (true, _) => Loudness::Silent,
        (false, true) => Loudness::Final,
        (false, false) => Loudness::Step,
    };
    emit_session(tx, world, ids, merchant, &session, Some(payment), loudness)?;
    Ok(session)
}
