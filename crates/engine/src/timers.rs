//! What falls due, and moving the clock.

use cobro_domain::id::IdSource;
use cobro_domain::intent::{Intent, IntentAction, IntentPhase};
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::Payment;
use cobro_domain::terminal::Terminal;
use cobro_domain::{IntentId, PaymentId, RefundId, SessionId, TerminalId, Timestamp};
use cobro_store::rows::{DUE_TIMERS, MetaRow, Timer, TimerKind};
use cobro_store::{Cell, Store, StoreError, ToCell, Tx};

use crate::crash;
use crate::emit::{emit_intent, set_timer};
use crate::error::EngineError;
use crate::intents::release;
use crate::world::{Change, World};

/// How many timers one command fires.
const FIRE_MAX: i64 = 128;

/// The longest wait between two tries of one advice, in seconds.
const ADVICE_WAIT_MAX_S: i64 = 900;

/// After how many fruitless tries of one advice an alarm is raised.
const ADVICE_ALARM: i64 = 6;

/// The name under which the clock's offset is stored.
pub const CLOCK_OFFSET: &str = "clock_offset_us";

/// A timer that went off, and what that is called.
struct Fired {
    timer: Timer,
    /// Nothing where it was not time yet.
    kind: Option<&'static str>,
}

impl Fired {
    fn told(self) -> Option<Due> {
        let Self { timer, kind } = self;
        kind.map(|kind| Due { at: timer.due_at, kind: kind.to_owned(), subject: timer.subject })
    }
}

/// Something that fell due while the clock was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// What: `abandon` or `close_result` of what a terminal has, a timer's kind, or `delivery`.
    pub kind: String,
    /// Of what.
    pub subject: String,
}

const NEXT_TIMER: &str = "SELECT due_at FROM timer WHERE lane = $1 ORDER BY lane, due_at LIMIT 1";

const NEXT_DELIVERY: &str = "SELECT next_at FROM delivery WHERE lane = $1 \
     AND next_at IS NOT NULL ORDER BY lane, next_at LIMIT 1";

impl World {
    /// When something falls due next; `None` when nothing will.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        let lanes = i64::try_from(self.store().lanes()).unwrap_or(1);
        let found = self.store().read(move |reader| {
            let mut next: Option<i64> = None;
            for lane in 0..lanes {
                for text in [NEXT_TIMER, NEXT_DELIVERY] {
                    let rows = reader.rows(text, &[lane.to_cell()])?;
                    if let Some(Cell::Int(at)) = rows.first().and_then(|row| row.first()) {
                        next = Some(next.map_or(*at, |next| next.min(*at)));
                    }
                }
            }
            Ok(next.map(Timestamp::from_micros))
        });
        Ok(found.await?)
    }

    /// Fires every timer that is due on the lanes that this process leads. Whoever moves the clock
    /// waits for it, or it for them: what one of them has taken, the other would not find, and
    /// answer before it is done.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn fire_due(&self) -> Result<Vec<Due>, EngineError> {
        let _one = self.advancing().lock().await;
        self.fire_lanes().await
    }

    /// The same beside whoever moves the clock.
    pub(crate) async fn fire_lanes(&self) -> Result<Vec<Due>, EngineError> {
        let mut due = Vec::new();
        for lane in 0..self.store().lanes() {
            if !self.peers().leads(lane).await {
                continue;
            }
            loop {
                let fired = self.fire_lane(lane).await?;
                let full = i64::try_from(fired.len()).unwrap_or(0) >= FIRE_MAX;
                for Fired { timer, .. } in &fired {
                    self.act(timer).await;
                }
                due.extend(fired.into_iter().filter_map(Fired::told));
                if !full {
                    break;
                }
            }
        }
        Ok(due)
    }

    async fn fire_lane(&self, lane: usize) -> Result<Vec<Fired>, EngineError> {
        let (world, seed) = (self.clone(), self.entropy().seed());
        let command = move |tx: &mut Tx<'_>| -> Result<Vec<Fired>, EngineError> {
            let mut fired = Vec::new();
            let mut ids = tx.ids(seed);
            for timer in tx.claim(&DUE_TIMERS, FIRE_MAX)? {
                let kind = fire(tx, &world, &mut ids, &timer)?;
                fired.push(Fired { timer, kind });
                crash::point("timers.before_commit");
            }
            Ok(fired)
        };
        let fired = self.store().write(Store::key_of(lane), command).await;
        crate::error::settled(fired).inspect(|timers| {
            if !timers.is_empty() {
                crash::point("timers.committed");
            }
        })
    }

    /// What a timer leads to outside the database. Its row has a later time by now, so that it is
    /// done again if this fails.
    async fn act(&self, timer: &Timer) {
        let done = match timer.kind {
            TimerKind::AbandonIntent
            | TimerKind::CloseSettlement
            | TimerKind::ExpireChallenge
            | TimerKind::ExpireSession
            | TimerKind::ExpireTrial
            | TimerKind::ForgetCredential
            | TimerKind::ForgetGrant
            | TimerKind::ReleaseHold
            | TimerKind::Terminal => Ok(()),
            TimerKind::Recur => match SessionId::parse(&timer.subject) {
                Some(first) => self.charge_again(timer.merchant, first).await,
                None => Ok(()),
            },
            TimerKind::ResendCapture => match PaymentId::parse(&timer.subject) {
                Some(payment) => self.advise_capture(timer.merchant, payment).await,
                None => Ok(()),
            },
            TimerKind::ResendAdjustment => match PaymentId::parse(&timer.subject) {
                Some(payment) => self.advise_adjustment(timer.merchant, payment).await.map(|_| ()),
                None => Ok(()),
            },
            TimerKind::Reverse => match PaymentId::parse(&timer.subject) {
                Some(payment) => self.reverse_unknown(timer.merchant, payment).await,
                None => Ok(()),
            },
            TimerKind::ResolvePending => match PaymentId::parse(&timer.subject) {
                Some(payment) => self.resolve_pending(timer.merchant, payment).await,
                None => Ok(()),
            },
            TimerKind::ResendRefund => match RefundId::parse(&timer.subject) {
                Some(refund) => crate::refunds::send(self, timer.merchant, refund).await,
                None => Ok(()),
            },
        };
        if let Err(error) = done {
            tracing::warn!(%error, kind = timer.kind.code(), "what fell due could not be done");
        }
    }

    /// Moves the clock to `to`, stepping to each instant at which something falls due.
    ///
    /// # Errors
    /// [`EngineError::ClockBackwards`], or when other processes serve the same database.
    #[crate::boxed]
    pub async fn advance_to(&self, to: Timestamp) -> Result<Vec<Due>, EngineError> {
        if !self.peers().alone().await {
            return Err(EngineError::Unsupported(
                "the clock cannot be moved while several processes serve the database",
            ));
        }
        let _one = self.advancing().lock().await;
        if to < self.now() {
            return Err(EngineError::ClockBackwards);
        }
        let mut due = Vec::new();
        while let Some(next) = self.next_step().await? {
            if next > to {
                break;
            }
            self.set_clock(next).await?;
            let before = due.len();
            let rang = self.arrive(&mut due).await?;
            if !rang && due.len() == before && self.next_due().await? == Some(next) {
                // What is due is not ours to do, or could not be done: do not wait for it.
                break;
            }
        }
        self.set_clock(to).await?;
        // Who began to wait meanwhile may have been passed.
        while self.alarms().next().is_some_and(|next| next <= self.now()) {
            self.arrive(&mut due).await?;
        }
        self.announce(Change::Clock);
        Ok(due)
    }

    /// When somebody who waits, or something stored, falls due next.
    async fn next_step(&self) -> Result<Option<Timestamp>, EngineError> {
        let waits = self.alarms().next();
        Ok(self.next_due().await?.into_iter().chain(waits).min())
    }

    /// Does what is due at the present moment. Answers whether somebody waited for it.
    async fn arrive(&self, due: &mut Vec<Due>) -> Result<bool, EngineError> {
        let rang = self.alarms().ring(self.now()).await;
        if rang {
            // Those who were told store what came of it before the clock goes on.
            drop(self.gate().write().await);
        }
        due.extend(self.fire_lanes().await?);
        if let Some(deliverer) = self.deliverer() {
            deliverer.deliver_due(self).await;
        }
        Ok(rang)
    }

    /// Moves the clock alone, once no call to the acquirer is under way.
    async fn set_clock(&self, to: Timestamp) -> Result<(), EngineError> {
        let _alone = self.gate().write().await;
        let offset = to.micros() - self.clock().real().micros();
        if offset <= self.clock().offset_us() {
            return Ok(());
        }
        self.clock().set_offset_us(offset);
        let row = MetaRow { name: CLOCK_OFFSET.to_owned(), value: offset };
        let command = move |tx: &mut Tx<'_>| -> Result<(), EngineError> {
            match tx.get::<MetaRow>(&(row.name.clone(),))? {
                Some(_) => tx.save(&row),
                None => tx.insert(&row),
            }
            crash::point("clock.before_commit");
            Ok(())
        };
        let moved = self.store().write(Store::key_of(0), command).await;
        crate::error::settled(moved).inspect(|()| crash::point("clock.committed"))
    }

    /// Sets the clock to where it was when the store was closed.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn restore_clock(&self) -> Result<(), EngineError> {
        let found: Result<Option<MetaRow>, StoreError> =
            self.store().read(|reader| reader.get(&(CLOCK_OFFSET.to_owned(),))).await;
        if let Some(row) = found? {
            self.clock().set_offset_us(row.value);
        }
        Ok(())
    }
}

/// What a timer does inside the database. Answers what it is called, if it was time.
fn fire(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    timer: &Timer,
) -> Result<Option<&'static str>, EngineError> {
    let done = match timer.kind {
        TimerKind::Terminal => return look_at_terminal(tx, world, ids, timer),
        TimerKind::AbandonIntent => match IntentId::parse(&timer.subject) {
            Some(intent) => crate::pool::expire(tx, world, ids, timer.merchant, intent),
            None => Ok(()),
        },
        TimerKind::CloseSettlement => {
            crate::settlements::close_due(tx, world, ids, timer.merchant, &timer.subject)
        }
        TimerKind::ExpireChallenge => match PaymentId::parse(&timer.subject) {
            Some(payment) => crate::challenges::expire(tx, world, ids, timer.merchant, payment),
            None => Ok(()),
        },
        TimerKind::ExpireSession => match SessionId::parse(&timer.subject) {
            Some(session) => crate::sessions::expire(tx, world, ids, timer.merchant, session),
            None => Ok(()),
        },
        TimerKind::ForgetCredential | TimerKind::ForgetGrant => crate::grants::forget(tx, timer),
        TimerKind::ExpireTrial => crate::trials::expire(tx, world, timer),
        TimerKind::ReleaseHold => match PaymentId::parse(&timer.subject) {
            Some(payment) => crate::captures::hold_ended(tx, world, ids, timer.merchant, payment),
            None => Ok(()),
        },
        TimerKind::Reverse
        | TimerKind::ResendRefund
        | TimerKind::ResendCapture
        | TimerKind::ResendAdjustment
        | TimerKind::Recur
        | TimerKind::ResolvePending => {
            let attempts = timer.attempts.saturating_add(1);
            if attempts == ADVICE_ALARM {
                let subject = &timer.subject;
                tracing::error!(subject, kind = timer.kind.code(), "an advice is not answered");
            }
            let doublings = u32::try_from(attempts.min(10)).unwrap_or(10);
            let wait_s = (5_i64 << doublings).min(ADVICE_WAIT_MAX_S);
            let due_at = tx.now().plus_seconds(wait_s);
            let subject = timer.subject.clone();
            set_timer(tx, timer.merchant, timer.kind, subject, due_at, attempts)
        }
    };
    done.map(|()| Some(timer.kind.code()))
}

/// Ends what a terminal has if its deadline is over; where it is not, the timer waits for that.
fn look_at_terminal(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    timer: &Timer,
) -> Result<Option<&'static str>, EngineError> {
    let merchant = timer.merchant;
    tx.delete::<Timer>(&(merchant, timer.kind.code().to_owned(), timer.subject.clone()));
    let key = (merchant, TerminalId(timer.subject.clone()));
    let Some(terminal) = tx.get::<Terminal>(&key)? else { return Ok(None) };
    let Some(current) = terminal.current else { return Ok(None) };
    let Some(intent) = tx.get::<Intent>(&(merchant, current))? else { return Ok(None) };
    if let Some(deadline) = intent.deadline.filter(|deadline| *deadline > tx.now()) {
        set_timer(tx, merchant, timer.kind, timer.subject.clone(), deadline, 0)?;
        return Ok(None);
    }
    let Some(merchant) = tx.get::<Merchant>(&(merchant,))? else { return Ok(None) };
    let (action, kind) = match intent.phase() {
        IntentPhase::Processed => (IntentAction::Close, "close_result"),
        _ => (IntentAction::Expire, "abandon"),
    };
    // What happened in the meantime wins over the timer (F9): a card that was read, for instance.
    let Ok(intent) = intent.after(action, tx.now()) else { return Ok(None) };
    let payment = match intent.state.payment() {
        Some(payment) => tx.get::<Payment>(&(merchant.id, payment))?,
        None => None,
    };
    tx.save(&intent);
    release(tx, terminal, &intent);
    emit_intent(tx, world, ids, &merchant, &intent, payment.as_ref())?;
    Ok(Some(kind))
}
