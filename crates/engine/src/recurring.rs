//! Payments that recur: the clock charges the card of the first payment again.

use std::sync::Arc;

use cobro_domain::event::{EventKind, Loudness};
use cobro_domain::id::IdSource;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{Payment, PaymentState};
use cobro_domain::recurrence::{Recurrence, RecurrenceState, RecurrenceUnit};
use cobro_domain::session::{Session, SessionKind};
use cobro_domain::time::Day;
use cobro_domain::{MerchantId, SessionId, Timestamp};
use cobro_store::Tx;
use cobro_store::rows::{AliasRow, TimerKind};
use serde_json::json;

use crate::card_charges::ChargeCard;
use crate::cards::StorePlan;
use crate::emit::{deliver_to, emit, payment_facts, require, set_timer, stop_timer};
use crate::error::{EngineError, Subject};
use crate::intents::Repeatable;
use crate::secrets::digest;
use crate::sessions::NewSession;
use crate::world::{Caller, World};

/// The slot of deliveries that go to an address of their own instead of a merchant's endpoint; an
/// endpoint of this slot holds what they are signed with.
pub const OWN_ADDRESS_SLOT: i64 = 62;

/// The kind of an alias that leads from a session to the first one of its recurrence.
const ALIAS: &str = "recurrence";

/// For how long one attempt is remembered, so that it is made once, in seconds.
const ATTEMPT_LIFETIME_S: i64 = 32 * 24 * 3600;

/// How long a charge's session is open, in seconds.
const SESSION_LIFETIME_S: i64 = 1800;

/// How a session's payment recurs.
#[derive(Clone, Debug)]
pub enum NewRecurrence {
    /// It is the first of a series.
    First(Series),
    /// It is one of the series that began with this session.
    Again(SessionId),
}

/// A series of charges.
#[derive(Clone, Debug)]
pub struct Series {
    /// The unit of the interval.
    pub unit: RecurrenceUnit,
    /// How many units lie between two charges.
    pub every: i64,
    /// The day of the second charge.
    pub starts_on: Day,
    /// The name of the zone in which days are counted.
    pub zone: String,
    /// How many charges there are in all; no end when absent.
    pub charges_max: Option<i64>,
    /// The last day on which a charge is made.
    pub last_on: Option<Day>,
    /// Where each charge is told; empty for nowhere.
    pub url: String,
}

/// Notes how the payment of a new session recurs.
pub(crate) fn plan(tx: &mut Tx<'_>, session: &Session, recurrence: &NewRecurrence) {
    match recurrence {
        NewRecurrence::First(series) => tx.insert(&Recurrence {
            merchant: session.merchant,
            id: session.id,
            unit: series.unit,
            every: series.every,
            starts_on: series.starts_on,
            zone: series.zone.clone(),
            time_of_day_s: 0,
            charges_max: series.charges_max,
            last_on: series.last_on,
            url: series.url.clone(),
            charges: 0,
            tries: 0,
            state: RecurrenceState::Waiting,
        }),
        NewRecurrence::Again(first) => tx.insert(&AliasRow {
            merchant: session.merchant,
            kind: ALIAS.to_owned(),
            value: session.id.to_string(),
            subject: first.to_string(),
        }),
    }
}

/// The recurrence that a session belongs to.
fn of_session(tx: &mut Tx<'_>, session: &Session) -> Result<Option<Recurrence>, EngineError> {
    if let Some(first) = tx.get::<Recurrence>(&(session.merchant, session.id))? {
        return Ok(Some(first));
    }
    if session.kind != SessionKind::Direct {
        return Ok(None);
    }
    let key = (session.merchant, ALIAS.to_owned(), session.id.to_string());
    let Some(alias) = tx.get::<AliasRow>(&key)? else { return Ok(None) };
    let first = SessionId::parse(&alias.subject);
    let first = first.ok_or_else(|| EngineError::Fault("an alias names no session".to_owned()))?;
    Ok(tx.get::<Recurrence>(&(session.merchant, first))?)
}

/// What a charge means for its recurrence, if it has one: when the next is due, and who is told.
pub(crate) fn charged(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    session: &Session,
    payment: &Payment,
) -> Result<(), EngineError> {
    let Some(recurrence) = of_session(tx, session)? else { return Ok(()) };
    let approved =
        matches!(payment.state, PaymentState::Approved { .. } | PaymentState::Authorized { .. });
    let may_try_again = !approved && !session.state.is_final();
    if recurrence.state == RecurrenceState::Ended || may_try_again {
        return Ok(());
    }
    let tries = recurrence.tries;
    let (recurrence, due) = recurrence.charged(approved, tx.now());
    tx.save(&recurrence);
    let subject = recurrence.id.to_string();
    match due {
        Some(due) => set_timer(tx, merchant.id, TimerKind::Recur, subject, due, 0)?,
        None => stop_timer(tx, merchant.id, TimerKind::Recur, &subject)?,
    }
    if recurrence.url.is_empty() {
        return Ok(());
    }
    let kind = if approved { EventKind::SessionApproved } else { EventKind::SessionRejected };
    let data = json!({
        "session": session.id.to_string(),
        "number": session.number,
        "state": session.state.code(),
        "end": "declined",
        "changed_at": session.changed_at.micros(),
        "luggage": session.luggage,
        "payment": payment_facts(payment),
        "recurring": { "tries": tries, "enabled": due.is_some() },
    });
    let subject = session.id.to_string();
    let loudness = Loudness::Silent;
    let event = emit(tx, world, ids, merchant, kind, loudness, subject, data.to_string())?;
    deliver_to(tx, world, ids, merchant, event, recurrence.url);
    Ok(())
}

impl World {
    /// How the card of a session is kept whose payment recurs: known to nobody but the clock.
    pub(crate) async fn hidden_plan(
        &self,
        merchant: MerchantId,
        session: SessionId,
    ) -> Result<Option<StorePlan>, EngineError> {
        let found = self.store().read(move |reader| reader.get::<Recurrence>(&(merchant, session)));
        Ok(found.await?.map(|_| StorePlan {
            token: None,
            with_subtoken: false,
            single_use: false,
            lifetime_s: None,
            luggage: String::new(),
        }))
    }

    /// Charges what is due of a recurrence. One attempt is made once, however often this is asked.
    /// A slow answer is not waited for: it comes when the clock has gone on.
    ///
    /// # Errors
    /// What keeps the charge from being made now; its timer stays.
    pub(crate) async fn charge_again(
        &self,
        merchant: MerchantId,
        first: SessionId,
    ) -> Result<(), EngineError> {
        let found = self.store().read(move |reader| reader.get::<Recurrence>(&(merchant, first)));
        let Some(recurrence) = found.await?.filter(|one| one.state == RecurrenceState::Active)
        else {
            return self.end_recurrence(merchant, first).await;
        };
        let view = self.session(merchant, first).await?;
        let Some(card) = view.card else { return self.end_recurrence(merchant, first).await };
        let merchant = self.merchant(merchant).await?;
        let caller = Caller {
            merchant: merchant.id,
            epoch: merchant.epoch,
            subject: String::new(),
            account: Arc::new(merchant),
        };
        let place = [recurrence.charges, recurrence.tries].map(i64::to_be_bytes).concat();
        let attempt = digest(&[b"recurrence", first.0.as_bytes(), &place]);
        let new = NewSession {
            kind: SessionKind::Direct,
            amount: view.session.amount,
            allow_partial: false,
            capture: true,
            offers_storing: false,
            attempts_max: 1,
            page_hash: String::new(),
            luggage: view.session.luggage,
            expires_at: self.now().plus_seconds(SESSION_LIFETIME_S),
            repeatable: Some(Repeatable { digest: attempt, lifetime_s: ATTEMPT_LIFETIME_S }),
            duplicate: None,
            recurrence: Some(NewRecurrence::Again(first)),
        };
        let charge = ChargeCard {
            amount_minor: None,
            installments: 1,
            tip_minor: 0,
            store: None,
            luggage: None,
            challenge_s: None,
        };
        match self.charge_stored_card_when_due(&caller, card.id, new, charge).await {
            // The card was taken back.
            Err(EngineError::NotFound(Subject::Card)) => {
                self.end_recurrence(caller.merchant, first).await
            }
            other => other,
        }
    }

    async fn end_recurrence(
        &self,
        merchant: MerchantId,
        first: SessionId,
    ) -> Result<(), EngineError> {
        self.write(merchant, move |tx| {
            stop_timer(tx, merchant, TimerKind::Recur, &first.to_string())?;
            let found: Recurrence = require(tx, &(merchant, first), Subject::Session)?;
            tx.save(&Recurrence { state: RecurrenceState::Ended, ..found });
            Ok(())
        })
        .await
    }

    /// When a recurrence is charged next; `None` when it is not.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn recurs_at(
        &self,
        merchant: MerchantId,
        first: SessionId,
    ) -> Result<Option<Timestamp>, EngineError> {
        let key = (merchant, TimerKind::Recur.code().to_owned(), first.to_string());
        let found = self.store().read(move |reader| reader.get::<cobro_store::rows::Timer>(&key));
        Ok(found.await?.map(|timer| timer.due_at))
    }
}
