//! What must be true once a history is over: the invariants of the reliability reference, read from
//! the rows, from the acquirer's book, and from what the callers remember.

use std::collections::{BTreeMap, BTreeSet};

use cobro_domain::event::{Delivery, DeliveryState, Event, EventKind};
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::ledger::Account;
use cobro_domain::merchant::Wants;
use cobro_domain::payment::{Payment, PaymentState, ReversedBy};
use cobro_domain::refund::{Refund, RefundState};
use cobro_domain::terminal::OperatingMode;
use cobro_domain::{EventId, IntentId, MerchantId, PaymentId, TerminalId};
use cobro_engine::ports::{AdviceAnswer, Answer};
use cobro_store::rows::{EntryRow, Timer};
use cobro_store::{Row, StoreError};

use crate::calls::{Call, Told, perform};
use crate::dialect::{MERCHANTS, TERMINALS, terminal_id};
use crate::history::History;

/// Everything that a world has stored.
struct Rows {
    intents: Vec<Intent>,
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
    events: Vec<Event>,
    entries: Vec<EntryRow>,
    deliveries: Vec<Delivery>,
    timers: Vec<Timer>,
}

fn all<R: Row>(reader: &mut cobro_store::Reader<'_>) -> Result<Vec<R>, StoreError> {
    let names: Vec<&str> = R::TABLE.columns.iter().map(|column| column.name).collect();
    let key: Vec<&str> = R::TABLE.key_columns().iter().map(|column| column.name).collect();
    let (names, key) = (names.join(", "), key.join(", "));
    reader.list(&format!("SELECT {names} FROM {} ORDER BY {key}", R::TABLE.name), &[])
}

type Checked = Result<(), String>;

fn ensure(is_so: bool, what: impl FnOnce() -> String) -> Checked {
    if is_so { Ok(()) } else { Err(what()) }
}

impl History {
    fn rows(&self) -> Rows {
        let life = self.life();
        let read = life.world.store().read(|reader| {
            Ok(Rows {
                intents: all(reader)?,
                payments: all(reader)?,
                refunds: all(reader)?,
                events: all(reader)?,
                entries: all(reader)?,
                deliveries: all(reader)?,
                timers: all(reader)?,
            })
        });
        life.run(read).unwrap()
    }

    /// Checks everything, once nothing is under way any more.
    pub(crate) fn check(&mut self) -> Checked {
        self.verify()?;
        let rows = self.rows();
        let busy = self.busy_terminals();
        ensure(busy.is_empty(), || format!("I9: still busy at the end: {busy:?}"))?;
        ensure(rows.timers.is_empty(), || format!("timers at the end: {:?}", rows.timers))?;
        steps_are_allowed(&rows)?;
        one_intent_per_terminal(&rows)?;
        outcomes_are_told(&rows, self)?;
        refunds_fit(&rows, self)?;
        books_are_complete(&rows)?;
        intents_are_remembered(&rows, self)?;
        payments_are_remembered(&rows, self)?;
        refunds_are_remembered(&rows, self)?;
        everybody_is_told(&rows, self)
    }

    /// Every terminal can take a payment.
    pub(crate) fn check_usable(&mut self) -> Checked {
        self.stage.line.tame();
        for place in 0..MERCHANTS {
            for terminal in 0..TERMINALS {
                let id = TerminalId(terminal_id(place, terminal));
                self.set_terminal(place, id.clone(), true, OperatingMode::Integrated);
                self.pay_at(place, &id)?;
            }
        }
        self.verify()
    }

    fn pay_at(&mut self, place: usize, terminal: &TerminalId) -> Checked {
        let merchant = self.merchants[place];
        let life = self.life();
        let currency = life.run(life.world.merchant(merchant)).unwrap().currency;
        let command = cobro_engine::intents::CreateIntent {
            terminal: terminal.clone(),
            amount: cobro_domain::Money::new(1234, currency),
            card_kind: None,
            installments: 1,
            retry_declined: false,
            scenario: None,
            luggage: "{}".to_owned(),
            abandon_after_s: crate::dialect::ABANDON_AFTER_S,
            repeatable: None,
        };
        let calls = [
            Call::Create { op: 0, merchant: place, command },
            Call::Fetch { merchant, terminal: terminal.clone(), named: None },
            Call::Card { merchant, terminal: terminal.clone(), tip_minor: 0 },
            Call::Close { merchant, terminal: terminal.clone() },
        ];
        for call in calls {
            let told = life.run(perform(life.world.clone(), call.clone()));
            let works = match &told {
                Told::Intent(_) => true,
                Told::View(view) => view.payment.as_ref().is_some_and(is_approved),
                _ => false,
            };
            ensure(works, || format!("the terminal cannot be used: {call:?} -> {told:?}"))?;
        }
        Ok(())
    }
}

fn is_approved(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Approved { .. })
}

fn phase_of(kind: EventKind) -> Option<IntentPhase> {
    Some(match kind {
        EventKind::IntentOpened => IntentPhase::Open,
        EventKind::IntentOnTerminal | EventKind::IntentDeclined => IntentPhase::OnTerminal,
        EventKind::IntentProcessing => IntentPhase::Processing,
        EventKind::IntentProcessed => IntentPhase::Processed,
        EventKind::IntentFinished => IntentPhase::Finished,
        EventKind::IntentCanceled => IntentPhase::Canceled,
        EventKind::IntentAbandoned => IntentPhase::Abandoned,
        EventKind::IntentFailed => IntentPhase::Error,
        EventKind::IntentConfirmationRequired => IntentPhase::ConfirmationRequired,
        _ => return None,
    })
}

/// The state table of intents, written down once more: which state may follow which.
fn may_follow(before: Option<IntentPhase>, after: IntentPhase) -> bool {
    use IntentPhase as P;
    let allowed: &[P] = match before {
        None => &[P::Open],
        Some(P::Open) => &[P::OnTerminal, P::Canceled, P::Abandoned],
        Some(P::OnTerminal) => &[P::Processing, P::Canceled, P::Abandoned, P::Error],
        Some(P::Processing) => &[P::Processed, P::OnTerminal, P::Error, P::ConfirmationRequired],
        Some(P::Processed) => &[P::Finished],
        Some(P::Finished | P::Canceled | P::Abandoned | P::Error | P::ConfirmationRequired) => &[],
    };
    allowed.contains(&after)
}

/// The same for payments.
fn payment_may_follow(before: Option<EventKind>, after: EventKind) -> bool {
    use EventKind as E;
    match before {
        None => matches!(
            after,
            E::PaymentApproved | E::PaymentDeclined | E::PaymentPending | E::PaymentReversed
        ),
        Some(E::PaymentPending) => {
            matches!(after, E::PaymentApproved | E::PaymentDeclined | E::PaymentReversed)
        }
        Some(_) => false,
    }
}

/// I8: every object has only taken steps that its table allows, and stands where the last one led.
fn steps_are_allowed(rows: &Rows) -> Checked {
    let mut phases: BTreeMap<String, IntentPhase> = BTreeMap::new();
    let mut payments: BTreeMap<String, EventKind> = BTreeMap::new();
    for event in in_order(rows) {
        let subject = event.subject.clone();
        if let Some(phase) = phase_of(event.kind) {
            let before = phases.insert(subject, phase);
            ensure(may_follow(before, phase), || format!("I8: from {before:?}: {event:?}"))?;
        } else if event.kind.code().starts_with("payment.") {
            let before = payments.insert(subject, event.kind);
            let allowed = payment_may_follow(before, event.kind);
            ensure(allowed, || format!("I8: from {before:?}: {event:?}"))?;
        }
    }
    ensure(phases.len() == rows.intents.len(), || "I13: an intent nobody was told of".to_owned())?;
    for intent in &rows.intents {
        let told = phases.get(&intent.id.to_string());
        let fits = told == Some(&intent.phase()) && intent.phase().is_final();
        ensure(fits, || format!("I8, I13: last told {told:?}, stands: {intent:?}"))?;
    }
    Ok(())
}

fn in_order(rows: &Rows) -> Vec<&Event> {
    let mut events: Vec<&Event> = rows.events.iter().collect();
    events.sort_by_key(|event| (event.at, event.id));
    events
}

/// I9 at every moment: no terminal had two intents that were not final.
fn one_intent_per_terminal(rows: &Rows) -> Checked {
    let mut live: BTreeMap<(MerchantId, String), &str> = BTreeMap::new();
    for event in in_order(rows) {
        let Some(phase) = phase_of(event.kind) else { continue };
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        let place = (event.merchant, data["terminal"].to_string());
        let there = live.get(&place).copied();
        let fits = if phase == IntentPhase::Open {
            there.is_none()
        } else {
            there == Some(event.subject.as_str())
        };
        ensure(fits, || format!("I9: {there:?} is on the terminal: {event:?}"))?;
        if phase.is_final() {
            live.remove(&place);
        } else {
            live.insert(place, &event.subject);
        }
    }
    Ok(())
}

/// I10, I11: a payment's outcome is one that the acquirer told, or an undone unknown.
fn outcomes_are_told(rows: &Rows, history: &History) -> Checked {
    for payment in &rows.payments {
        let told = history.stage.line.told(payment.trace);
        let says = |wanted: fn(&Answer) -> bool| told.iter().any(wanted);
        let fits = match &payment.state {
            PaymentState::Approved { .. } => says(|a| matches!(a, Answer::Approved { .. })),
            PaymentState::Declined { .. } => says(|a| matches!(a, Answer::Declined(_))),
            PaymentState::Failed => says(|a| *a == Answer::Failed),
            PaymentState::Reversed { by: ReversedBy::Acquirer } => says(|a| *a == Answer::Reversed),
            PaymentState::Reversed { by: ReversedBy::Recovery } => true,
            _ => false,
        };
        ensure(fits, || format!("I10, I11: told {told:?}, stored {payment:?}"))?;
        ensure(told.len() <= 1 || !says(|a| *a == Answer::Silent) || says_later(&told), || {
            format!("asked again after it was given up: {told:?}, {payment:?}")
        })?;
    }
    Ok(())
}

/// Only a deferred payment is asked for again.
fn says_later(told: &[Answer]) -> bool {
    matches!(told.first(), Some(Answer::Deferred { .. }))
}

/// I5, I6: refunds add up, end as the acquirer told, and never exceed what was taken.
fn refunds_fit(rows: &Rows, history: &History) -> Checked {
    let mut sums: BTreeMap<PaymentId, i64> = BTreeMap::new();
    for refund in &rows.refunds {
        let told = history.stage.line.refund_told(refund.trace);
        let fits = match refund.state {
            RefundState::Approved => told.contains(&AdviceAnswer::Accepted),
            RefundState::Declined => told.contains(&AdviceAnswer::Refused),
            RefundState::Sending { .. } => false,
        };
        ensure(fits, || format!("told {told:?}, stored {refund:?}"))?;
        if refund.state == RefundState::Approved {
            *sums.entry(refund.payment).or_default() += refund.amount.minor;
        }
    }
    for payment in &rows.payments {
        let sum = sums.get(&payment.id).copied().unwrap_or_default();
        let captured = if is_approved(payment) { payment.amount.minor } else { 0 };
        let fits = payment.captured_minor == captured
            && payment.refunded_minor == sum
            && payment.refund_pending_minor == 0
            && sum <= captured;
        ensure(fits, || format!("I6: {sum} went back: {payment:?}"))?;
    }
    Ok(())
}

/// I1, I5: one posting for each approval and each refund, and the accounts say what the payments do.
fn books_are_complete(rows: &Rows) -> Checked {
    let mut causes: BTreeMap<EventId, BTreeSet<_>> = BTreeMap::new();
    let mut found: BTreeMap<(MerchantId, &str), i64> = BTreeMap::new();
    for entry in &rows.entries {
        causes.entry(entry.event).or_default().insert(entry.posting);
        *found.entry((entry.merchant, entry.account.code())).or_default() += entry.amount.minor;
    }
    let posts = |kind| matches!(kind, EventKind::PaymentApproved | EventKind::RefundApproved);
    for event in rows.events.iter().filter(|event| posts(event.kind)) {
        let postings = causes.remove(&event.id).map_or(0, |postings| postings.len());
        ensure(postings == 1, || format!("I5: {postings} postings for {event:?}"))?;
    }
    ensure(causes.is_empty(), || format!("I5: postings without a cause: {causes:?}"))?;
    let approved = rows.payments.iter().filter(|payment| is_approved(payment)).count();
    let refunds = rows.refunds.iter().filter(|refund| refund.state == RefundState::Approved);
    let told = rows.events.iter().filter(|event| posts(event.kind)).count();
    ensure(told == approved + refunds.count(), || format!("I5: {told} events that move money"))?;
    let mut expected: BTreeMap<(MerchantId, &str), i64> = BTreeMap::new();
    for payment in rows.payments.iter().filter(|payment| is_approved(payment)) {
        let back = payment.fee.part(payment.refunded_minor, payment.captured_minor).unwrap();
        let left = payment.captured_minor - payment.refunded_minor;
        let (fee, tax) =
            (payment.fee.fee_minor - back.fee_minor, payment.fee.tax_minor - back.tax_minor);
        for (account, minor) in [
            (Account::AcquirerReceivable, left),
            (Account::MerchantPayable, fee + tax - left),
            (Account::FeeIncome, -fee),
            (Account::TaxPayable, -tax),
        ] {
            *expected.entry((payment.merchant, account.code())).or_default() += minor;
        }
    }
    for (place, minor) in &expected {
        let there = found.get(place).copied().unwrap_or_default();
        ensure(there == *minor, || format!("I1: {place:?} holds {there}, not {minor}"))?;
    }
    Ok(())
}

/// I4, I5: each wish led to at most one intent, to one if that was acknowledged, to none if it was
/// refused; and no state that was shown was taken back.
fn intents_are_remembered(rows: &Rows, history: &History) -> Checked {
    let mut by_wish: BTreeMap<&str, Vec<IntentId>> = BTreeMap::new();
    let mut by_id: BTreeMap<IntentId, &Intent> = BTreeMap::new();
    for intent in &rows.intents {
        by_wish.entry(&intent.luggage).or_default().push(intent.id);
        by_id.insert(intent.id, intent);
    }
    for (op, wish) in &history.memory.intents {
        let found = by_wish.remove(format!("{{\"op\":{op}}}").as_str()).unwrap_or_default();
        let fits = match (wish.made, wish.open) {
            (Some(made), _) => found == [made],
            (None, true) => found.len() <= 1,
            (None, false) => found.is_empty(),
        };
        ensure(fits, || format!("I4, I5: wish {op}: {wish:?}, stored {found:?}"))?;
    }
    ensure(by_wish.is_empty(), || format!("nobody's intents: {by_wish:?}"))?;
    let mut entered: BTreeSet<(String, IntentPhase)> = BTreeSet::new();
    for event in &rows.events {
        entered.extend(phase_of(event.kind).map(|phase| (event.subject.clone(), phase)));
    }
    for (id, shown) in &history.memory.phases {
        let intent = by_id.get(id);
        for phase in shown {
            let stays = !phase.is_final() || intent.is_some_and(|i| i.phase() == *phase);
            let was = entered.contains(&(id.to_string(), *phase));
            ensure(stays && was, || format!("I4: shown as {phase:?}, stored {intent:?}"))?;
        }
    }
    Ok(())
}

/// I4, I11: a payment that was shown with an outcome keeps it.
fn payments_are_remembered(rows: &Rows, history: &History) -> Checked {
    let by_id: BTreeMap<PaymentId, &Payment> =
        rows.payments.iter().map(|payment| (payment.id, payment)).collect();
    for (id, shown) in &history.memory.payments {
        let now = by_id.get(id).map(|payment| &payment.state);
        for before in shown {
            let stays = match &before.state {
                PaymentState::Sending { .. } => true,
                PaymentState::Pending => matches!(
                    now,
                    Some(PaymentState::Approved { .. } | PaymentState::Declined { .. })
                ),
                PaymentState::Unknown => {
                    now == Some(&PaymentState::Reversed { by: ReversedBy::Recovery })
                }
                state => now == Some(state),
            };
            ensure(stays, || format!("I4: shown {before:?}, stored {now:?}"))?;
        }
    }
    Ok(())
}

/// I4, I5 for refunds.
fn refunds_are_remembered(rows: &Rows, history: &History) -> Checked {
    let mut by_wish: BTreeMap<&str, Vec<&Refund>> = BTreeMap::new();
    for refund in &rows.refunds {
        by_wish.entry(&refund.luggage).or_default().push(refund);
    }
    for (op, wish) in &history.memory.refunds {
        let found = by_wish.remove(format!("{{\"op\":{op}}}").as_str()).unwrap_or_default();
        let fits = match (&wish.made, wish.open) {
            (Some(made), _) => found == [&made.refund],
            (None, true) => found.len() <= 1,
            (None, false) => found.is_empty(),
        };
        ensure(fits, || format!("I4, I5: wish back {op}: {wish:?}, stored {found:?}"))?;
    }
    ensure(by_wish.is_empty(), || format!("nobody's refunds: {by_wish:?}"))
}

/// I13: each event that an endpoint wants has one delivery, and each of these came to an end; what
/// counts as delivered has arrived.
fn everybody_is_told(rows: &Rows, history: &History) -> Checked {
    let wants: BTreeMap<MerchantId, Wants> =
        [(history.merchants[0], Wants::All), (history.merchants[1], Wants::Final)].into();
    let mut deliveries: BTreeMap<EventId, Vec<&Delivery>> = BTreeMap::new();
    for delivery in &rows.deliveries {
        deliveries.entry(delivery.event).or_default().push(delivery);
    }
    let received = history.stage.mailbox.received.lock().unwrap();
    for event in &rows.events {
        let phase = phase_of(event.kind).filter(|phase| *phase != IntentPhase::Open);
        let is_wanted = match (wants.get(&event.merchant), phase) {
            (Some(Wants::All), Some(_)) => true,
            (Some(Wants::Final), Some(phase)) => phase.is_final(),
            _ => false,
        };
        let made = deliveries.remove(&event.id).unwrap_or_default();
        ensure(made.len() == usize::from(is_wanted), || {
            format!("I13: {} deliveries of {event:?}", made.len())
        })?;
        for delivery in made {
            let fits = match delivery.state {
                DeliveryState::Delivered => received.contains(&delivery.id),
                DeliveryState::Exhausted => delivery.attempts > 4,
                DeliveryState::Waiting { .. } | DeliveryState::Failed => false,
            };
            ensure(fits, || format!("I13: {delivery:?}"))?;
        }
    }
    ensure(deliveries.is_empty(), || format!("deliveries of nothing: {deliveries:?}"))
}
