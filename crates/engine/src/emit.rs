//! What several use cases write in the same way: events, deliveries, postings, numbers, timers.

use std::sync::Arc;

use cobro_domain::event::{Delivery, DeliveryState, Event, EventKind, Loudness};
use cobro_domain::fee::Fee;
use cobro_domain::id::{IdSource, Permutation};
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::ledger::{Entry, Posting};
use cobro_domain::merchant::{Endpoint, Merchant, Wants};
use cobro_domain::payment::{Payment, Trace};
use cobro_domain::{DeliveryId, EventId, MerchantId, PostingId, Timestamp};
use cobro_store::rows::{CounterRow, EntryRow, TailRow, Timer, TimerKind};
use cobro_store::{Row, Tx};
use serde_json::json;

use crate::error::EngineError;
use crate::ports::{NumberRange, SERIALS};
use crate::world::{Change, World};

/// How many endpoint slots a merchant has.
const SLOTS_MAX: i64 = 63;

/// The sequence of terminals' numbers.
const SERIAL_KIND: &str = "terminal.serial";

/// Writes an event and, for every endpoint that wants it, a delivery.
#[expect(clippy::too_many_arguments, reason = "all of them are what an event is")]
pub(crate) fn emit(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    kind: EventKind,
    loudness: Loudness,
    subject: String,
    data: String,
) -> Result<EventId, EngineError> {
    let event = Event {
        id: EventId(ids.next_uuid()),
        merchant: merchant.id,
        at: tx.now(),
        kind,
        subject,
        data,
    };
    tx.insert(&event);
    if loudness != Loudness::Silent && merchant.endpoint_slots != 0 {
        let dialect = world.dialect(&merchant.channel)?;
        let has = |slot: &i64| merchant.endpoint_slots >> slot & 1 == 1;
        for slot in (0..SLOTS_MAX).filter(|slot| has(slot) && dialect.tells(*slot, kind)) {
            deliver(tx, world, ids, &event, slot, loudness)?;
        }
    }
    let id = event.id;
    let world = world.clone();
    tx.after_commit(move || world.announce(Change::Event(Arc::new(event))));
    Ok(id)
}

fn deliver(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    event: &Event,
    slot: i64,
    loudness: Loudness,
) -> Result<(), EngineError> {
    let Some(endpoint) = tx.get::<Endpoint>(&(event.merchant, slot))? else { return Ok(()) };
    let wanted = endpoint.wants == Wants::All || loudness == Loudness::Final;
    if endpoint.url.is_empty() || !endpoint.verified || !wanted {
        return Ok(());
    }
    let delivery = Delivery {
        id: DeliveryId(ids.next_uuid()),
        merchant: event.merchant,
        lane: tx.order().lane,
        event: event.id,
        slot,
        url: endpoint.url,
        attempts: 0,
        state: DeliveryState::Waiting { next_at: tx.now() },
        request: String::new(),
        response: String::new(),
        created_at: tx.now(),
    };
    tx.insert(&delivery);
    let world = world.clone();
    tx.after_commit(move || world.wake());
    Ok(())
}

/// Tells an event to an address of its own, where the luggage of what it happened to names one.
pub(crate) fn tell_own_address(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    (event, kind): (EventId, EventKind),
    luggage: &str,
) -> Result<(), EngineError> {
    if let Some(url) = world.dialect(&merchant.channel)?.own_address(kind, luggage) {
        deliver_to(tx, world, ids, merchant, event, url);
    }
    Ok(())
}

/// Writes the delivery of an event to an address of its own.
pub(crate) fn deliver_to(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    event: EventId,
    url: String,
) {
    tx.insert(&Delivery {
        id: DeliveryId(ids.next_uuid()),
        merchant: merchant.id,
        lane: tx.order().lane,
        event,
        slot: crate::recurring::OWN_ADDRESS_SLOT,
        url,
        attempts: 0,
        state: DeliveryState::Waiting { next_at: tx.now() },
        request: String::new(),
        response: String::new(),
        created_at: tx.now(),
    });
    let world = world.clone();
    tx.after_commit(move || world.wake());
}

/// Tells of an intent's new state. An intent that was just made is told to nobody.
pub(crate) fn emit_intent(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    intent: &Intent,
    payment: Option<&Payment>,
) -> Result<(), EngineError> {
    let declined = intent.phase() == IntentPhase::OnTerminal && intent.state.payment().is_some();
    let (kind, loudness) = match intent.phase() {
        IntentPhase::OnTerminal if declined => (EventKind::IntentDeclined, Loudness::Step),
        IntentPhase::Open => (EventKind::IntentOpened, Loudness::Silent),
        IntentPhase::OnTerminal => (EventKind::IntentOnTerminal, Loudness::Step),
        IntentPhase::Processing => (EventKind::IntentProcessing, Loudness::Step),
        IntentPhase::Processed => (EventKind::IntentProcessed, Loudness::Step),
        IntentPhase::Finished => (EventKind::IntentFinished, Loudness::Final),
        IntentPhase::Canceled => (EventKind::IntentCanceled, Loudness::Final),
        IntentPhase::Abandoned => (EventKind::IntentAbandoned, Loudness::Final),
        IntentPhase::Error => (EventKind::IntentFailed, Loudness::Final),
        IntentPhase::ConfirmationRequired => {
            (EventKind::IntentConfirmationRequired, Loudness::Final)
        }
    };
    // Nothing says that endpoints hear of refunds on a terminal.
    let loudness = if intent.refund_of.is_some() { Loudness::Silent } else { loudness };
    let data = intent_data(intent, payment);
    let event = emit(tx, world, ids, merchant, kind, loudness, intent.id.to_string(), data)?;
    tell_own_address(tx, world, ids, merchant, (event, kind), &intent.luggage)?;
    let (world, merchant) = (world.clone(), intent.merchant);
    match intent.terminal.clone() {
        Some(terminal) => {
            tx.after_commit(move || world.announce(Change::Terminal(merchant, terminal)));
        }
        None => tx.after_commit(move || world.announce(Change::Pool(merchant))),
    }
    Ok(())
}

/// What is needed to tell of an intent later as it was.
fn intent_data(intent: &Intent, payment: Option<&Payment>) -> String {
    let payment = payment.map(payment_facts);
    json!({
        "intent": intent.id.to_string(),
        "state": intent.phase().code(),
        "terminal": intent.terminal.as_ref().map(|terminal| &terminal.0),
        "amount_minor": intent.amount.minor,
        "currency": intent.amount.currency.code(),
        "created_at": intent.created_at.micros(),
        "luggage": intent.luggage,
        "refund_of": intent.refund_of.map(|payment| payment.to_string()),
        "payment": payment,
    })
    .to_string()
}

/// What is told of a payment in events.
pub(crate) fn payment_facts(payment: &Payment) -> serde_json::Value {
    json!({
        "id": payment.id.to_string(),
        "number": payment.number,
        "state": payment.state.code(),
        "card_kind": payment.card.kind.code(),
        "brand": payment.card.brand,
        "amount_minor": payment.amount.minor,
        "currency": payment.amount.currency.code(),
        "captured_minor": payment.captured_minor,
        "refunded_minor": payment.refunded_minor,
    })
}

/// Tells of a payment that nobody has been told of before.
pub(crate) fn emit_new_payment(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    kind: EventKind,
    payment: &Payment,
) -> Result<EventId, EngineError> {
    let mut data = payment_facts(payment);
    if let Some(members) = data.as_object_mut() {
        members.insert("is_new".to_owned(), true.into());
    }
    tell_payment(tx, world, ids, merchant, kind, payment, data.to_string())
}

/// Tells of a change of a payment.
pub(crate) fn emit_payment(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    kind: EventKind,
    payment: &Payment,
) -> Result<EventId, EngineError> {
    let data = payment_facts(payment).to_string();
    tell_payment(tx, world, ids, merchant, kind, payment, data)
}

fn tell_payment(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    kind: EventKind,
    payment: &Payment,
    data: String,
) -> Result<EventId, EngineError> {
    let subject = payment.id.to_string();
    let event = emit(tx, world, ids, merchant, kind, Loudness::Silent, subject, data)?;
    tell_own_address(tx, world, ids, merchant, (event, kind), &payment.luggage)?;
    let (world, merchant, id) = (world.clone(), payment.merchant, payment.id);
    tx.after_commit(move || world.announce(Change::Payment(merchant, id)));
    Ok(event)
}

/// Writes a balanced posting.
pub(crate) fn post(
    tx: &mut Tx<'_>,
    ids: &mut IdSource,
    merchant: MerchantId,
    event: EventId,
    entries: &[Entry],
) -> Result<(), EngineError> {
    let id = PostingId(ids.next_uuid());
    let posting = Posting::new(id, merchant, event, tx.now(), entries)?;
    for line in EntryRow::of(&posting) {
        tx.insert(&line);
    }
    Ok(())
}

/// The next number of a sequence, as it is shown.
pub(crate) fn next_number(
    tx: &mut Tx<'_>,
    world: &World,
    range: NumberRange,
) -> Result<i64, EngineError> {
    let permutation = Permutation::new(world.key().number_key(range.kind), range.size);
    let n = u64::try_from(count(tx, world, range.kind)?).unwrap_or(0);
    let place = i64::try_from(permutation.apply(n)).unwrap_or(0);
    Ok(range.from.saturating_add(place))
}

/// The next number of a terminal, below [`SERIALS`]: no other one of the world has it, and one of
/// another world hardly.
pub(crate) fn next_serial(tx: &mut Tx<'_>, world: &World) -> Result<u64, EngineError> {
    let key = world.key().number_key(&format!("{SERIAL_KIND} {}", world.id()));
    let n = u64::try_from(count(tx, world, SERIAL_KIND)?).unwrap_or(0);
    Ok(Permutation::new(key, SERIALS).apply(n))
}

/// The next number of a message to the acquirer.
pub(crate) fn next_trace(tx: &mut Tx<'_>, world: &World) -> Result<Trace, EngineError> {
    Ok(Trace(count(tx, world, "trace")?.saturating_add(1)))
}

/// Counts on the lane's own sequence; the lanes' sequences interleave, so that none meets.
fn count(tx: &mut Tx<'_>, world: &World, kind: &str) -> Result<i64, EngineError> {
    let lane = tx.order().lane;
    let lanes = i64::try_from(world.store().lanes()).unwrap_or(1).max(1);
    let key = (lane, kind.to_owned());
    let row = match tx.get::<CounterRow>(&key)? {
        Some(row) => {
            let row = CounterRow { next: row.next.saturating_add(1), ..row };
            tx.save(&row);
            row
        }
        None => {
            let row = CounterRow { lane, kind: kind.to_owned(), next: 1 };
            tx.insert(&row);
            row
        }
    };
    Ok((row.next - 1).saturating_mul(lanes).saturating_add(lane))
}

/// The next ordinal of a merchant's rows of one kind, from 1.
pub(crate) fn next_ordinal(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    kind: &str,
) -> Result<i64, EngineError> {
    let key = (merchant, kind.to_owned());
    match tx.get::<TailRow>(&key)? {
        Some(row) => {
            let row = TailRow { last: row.last.saturating_add(1), ..row };
            tx.save(&row);
            Ok(row.last)
        }
        None => {
            tx.insert(&TailRow { merchant, kind: kind.to_owned(), last: 1 });
            Ok(1)
        }
    }
}

/// Sets a timer, or moves the one that there is.
pub(crate) fn set_timer(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    kind: TimerKind,
    subject: String,
    due_at: Timestamp,
    attempts: i64,
) -> Result<(), EngineError> {
    let lane = tx.order().lane;
    let there = tx.get::<Timer>(&(merchant, kind.code().to_owned(), subject.clone()))?;
    let timer = Timer { merchant, kind, subject, lane, due_at, attempts };
    match there {
        Some(_) => tx.save(&timer),
        None => tx.insert(&timer),
    }
    Ok(())
}

/// Takes a timer away, if there is one.
pub(crate) fn stop_timer(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    kind: TimerKind,
    subject: &str,
) -> Result<(), EngineError> {
    let key = (merchant, kind.code().to_owned(), subject.to_owned());
    if tx.get::<Timer>(&key)?.is_some() {
        tx.delete::<Timer>(&key);
    }
    Ok(())
}

/// The part of a payment's fee that comes back when `amount_minor` more of it is refunded.
pub(crate) fn fee_back(payment: &Payment, amount_minor: i64) -> Result<Fee, EngineError> {
    let before = payment.fee.part(payment.refunded_minor, payment.captured_minor)?;
    let after = payment.fee.part(payment.refunded_minor + amount_minor, payment.captured_minor)?;
    Ok(Fee {
        fee_minor: after.fee_minor - before.fee_minor,
        tax_minor: after.tax_minor - before.tax_minor,
    })
}

/// The row with this key, or the refusal that names what is missing.
pub(crate) fn require<R: Row>(
    tx: &mut Tx<'_>,
    key: &R::Key,
    subject: crate::error::Subject,
) -> Result<R, EngineError> {
    tx.get::<R>(key)?.ok_or(EngineError::NotFound(subject))
}
