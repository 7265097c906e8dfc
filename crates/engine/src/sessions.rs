//! Sessions: make, read, cancel, expire.

use std::sync::Arc;

use cobro_domain::card::StoredCard;
use cobro_domain::event::{EventKind, Loudness};
use cobro_domain::id::IdSource;
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::payment::Payment;
use cobro_domain::refund::Refund;
use cobro_domain::session::{Session, SessionAction, SessionKind, SessionState};
use cobro_domain::{MerchantId, SessionId, Timestamp};
use cobro_store::rows::TimerKind;
use cobro_store::{Reader, StoreError, ToCell, Tx};
use serde_json::json;

use crate::answers;
use crate::emit::{
    emit, next_number, payment_facts, require, set_timer, stop_timer, tell_own_address,
};
use crate::error::{EngineError, Subject};
use crate::intents::Repeatable;
use crate::recurring::NewRecurrence;
use crate::world::{Caller, Change, World};

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What it is for.
    pub kind: SessionKind,
    /// How much is to be paid; nothing where only a card is stored.
    pub amount: Option<Money>,
    /// Whether it may be paid in parts.
    pub allow_partial: bool,
    /// Whether the money is taken at once; else it is only held.
    pub capture: bool,
    /// Whether the payer is offered to have the card stored.
    pub offers_storing: bool,
    /// After how many failed tries it ends.
    pub attempts_max: i64,
    /// A keyed hash of the secret part of its page's address; empty where there is no page.
    pub page_hash: String,
    /// What the dialect gives back, as JSON text.
    pub luggage: String,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// Whether the command may be repeated.
    pub repeatable: Option<Repeatable>,
    /// What makes another command the same wish. A session that was rejected does not stand in
    /// the way of a second try.
    pub duplicate: Option<Repeatable>,
    /// How its payment recurs, if it does.
    pub recurrence: Option<NewRecurrence>,
}

/// A session with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// Its tries, the newest first.
    pub payments: Vec<Payment>,
    /// The refunds of its payments, the oldest first.
    pub refunds: Vec<Refund>,
    /// The card that was stored, or charged.
    pub card: Option<StoredCard>,
}

impl World {
    /// Makes a session. A repeated command leads to the session of the first.
    ///
    /// # Errors
    /// A stale caller.
    #[crate::boxed]
    pub async fn create_session(
        &self,
        caller: &Caller,
        new: NewSession,
    ) -> Result<SessionView, EngineError> {
        let (world, own, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        let id = self
            .write(caller.merchant, move |tx| {
                let merchant = Self::merchant_of(tx, &own)?;
                if let Some(id) = repeated(tx, merchant.id, &new)? {
                    return Ok(id);
                }
                let mut ids = tx.ids(seed);
                let session = open(tx, &world, &mut ids, &merchant, &new)?;
                remember(tx, merchant.id, &new, session.id);
                emit_session(tx, &world, &mut ids, &merchant, &session, None, Loudness::Silent)?;
                Ok(session.id)
            })
            .await?;
        self.session(caller.merchant, id).await
    }

    /// A session by its id.
    ///
    /// # Errors
    /// Unknown or foreign session.
    #[crate::boxed]
    pub async fn session(
        &self,
        merchant: MerchantId,
        id: SessionId,
    ) -> Result<SessionView, EngineError> {
        let found = self.store().read(move |reader| {
            let session = reader.get::<Session>(&(merchant, id))?;
            session.map(|session| view(reader, session)).transpose()
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Session))
    }

    /// A session by the number that dialects show.
    ///
    /// # Errors
    /// Unknown or foreign session.
    #[crate::boxed]
    pub async fn session_by_number(
        &self,
        merchant: MerchantId,
        number: i64,
    ) -> Result<SessionView, EngineError> {
        let params = [merchant.to_cell(), number.to_cell()];
        let found = self.store().read(move |reader| {
            let found = reader.select::<Session>("WHERE merchant = $1 AND number = $2", &params)?;
            found.into_iter().next().map(|session| view(reader, session)).transpose()
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Session))
    }

    /// The sessions of all merchants of this world with this number, with their merchants: each
    /// dialect counts its own.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn sessions_numbered(
        &self,
        number: i64,
    ) -> Result<Vec<(SessionView, Merchant)>, EngineError> {
        let params = [number.to_cell()];
        let found = self.store().read(move |reader| {
            let mut all = Vec::new();
            for session in reader.select::<Session>("WHERE number = $1", &params)? {
                if let Some(merchant) = reader.get::<Merchant>(&(session.merchant,))? {
                    all.push((view(reader, session)?, merchant));
                }
            }
            Ok(all)
        });
        Ok(found.await?)
    }

    /// The session with this id, or that of the payment with this id, whosever it is, with its
    /// merchant: for those who act in a card holder's place.
    ///
    /// # Errors
    /// Unknown id.
    #[crate::boxed]
    pub async fn session_anywhere(
        &self,
        id: SessionId,
    ) -> Result<(SessionView, Merchant), EngineError> {
        let merchants = self.merchants().await?;
        let found = self.store().read(move |reader| {
            for merchant in merchants {
                let session = match reader.get::<Session>(&(merchant.id, id))? {
                    Some(session) => Some(session),
                    None => {
                        let key = (merchant.id, cobro_domain::PaymentId(id.0));
                        match reader.get::<Payment>(&key)?.and_then(|payment| payment.session) {
                            Some(session) => reader.get::<Session>(&(merchant.id, session))?,
                            None => None,
                        }
                    }
                };
                if let Some(session) = session {
                    return Ok(Some((view(reader, session)?, merchant)));
                }
            }
            Ok(None)
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Session))
    }

    /// The merchant takes a session back.
    ///
    /// # Errors
    /// Unknown or foreign session, or one whose state does not allow it.
    #[crate::boxed]
    pub async fn cancel_session(
        &self,
        caller: &Caller,
        id: SessionId,
    ) -> Result<SessionView, EngineError> {
        let (world, own, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(caller.merchant, move |tx| {
            let merchant = Self::merchant_of(tx, &own)?;
            end(tx, &world, &merchant, id, SessionAction::Cancel, seed)
        })
        .await?;
        self.session(caller.merchant, id).await
    }

    /// The payer gives a session up.
    ///
    /// # Errors
    /// Unknown session, or one whose state does not allow it.
    #[crate::boxed]
    pub async fn abandon_session(
        &self,
        merchant: MerchantId,
        id: SessionId,
    ) -> Result<SessionView, EngineError> {
        let (world, seed) = (self.clone(), self.entropy().seed());
        self.write(merchant, move |tx| {
            let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
            end(tx, &world, &merchant, id, SessionAction::Abandon, seed)
        })
        .await?;
        self.session(merchant, id).await
    }

    /// The issuer does not let the payer's card be stored: a failed try.
    ///
    /// # Errors
    /// Unknown session, or one whose state does not allow it.
    #[crate::boxed]
    pub async fn decline_card(
        &self,
        merchant: MerchantId,
        id: SessionId,
    ) -> Result<SessionView, EngineError> {
        let (world, seed) = (self.clone(), self.entropy().seed());
        self.write(merchant, move |tx| {
            let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
            let session: Session = require(tx, &(merchant.id, id), Subject::Session)?;
            let session = session.after(SessionAction::DeclineCard, tx.now())?;
            tx.save(&session);
            settle(tx, &session)?;
            let is_final = session.state.is_final();
            let loudness = if is_final { Loudness::Final } else { Loudness::Step };
            emit_session(tx, &world, &mut tx.ids(seed), &merchant, &session, None, loudness)
        })
        .await?;
        self.session(merchant, id).await
    }
}

/// What belongs to a session, in the snapshot of a read.
pub(crate) fn view(reader: &mut Reader<'_>, session: Session) -> Result<SessionView, StoreError> {
    let params = [session.merchant.to_cell(), session.id.to_cell()];
    let payments: Vec<Payment> =
        reader.select("WHERE merchant = $1 AND session = $2 ORDER BY ordinal DESC", &params)?;
    let mut refunds = Vec::new();
    for payment in payments.iter().filter(|payment| payment.refunded_minor > 0) {
        let params = [payment.merchant.to_cell(), payment.id.to_cell()];
        let of = "WHERE merchant = $1 AND payment = $2 ORDER BY ordinal";
        refunds.extend(reader.select::<Refund>(of, &params)?);
    }
    let used = payments.first().and_then(|payment| payment.stored_card);
    let card = match session.card.or(used) {
        Some(card) => reader.get::<StoredCard>(&(session.merchant, card))?,
        None => None,
    };
    Ok(SessionView { session, payments, refunds, card })
}

/// Adds a session and its clock.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    new: &NewSession,
) -> Result<Session, EngineError> {
    let range = world.dialect(&merchant.channel)?.session_numbers();
    let session = Session {
        merchant: merchant.id,
        id: SessionId(ids.next_uuid()),
        lane: tx.order().lane,
        number: next_number(tx, world, range)?,
        kind: new.kind,
        amount: new.amount,
        paid_minor: 0,
        allow_partial: new.allow_partial,
        capture: new.capture,
        offers_storing: new.offers_storing,
        attempts: 0,
        attempts_max: new.attempts_max,
        card: None,
        state: SessionState::Pending,
        page_hash: new.page_hash.clone(),
        luggage: new.luggage.clone(),
        expires_at: new.expires_at,
        created_at: tx.now(),
        changed_at: tx.now(),
    };
    tx.insert(&session);
    if let Some(recurrence) = &new.recurrence {
        crate::recurring::plan(tx, &session, recurrence);
    }
    if new.kind != SessionKind::Direct {
        let subject = session.id.to_string();
        set_timer(tx, merchant.id, TimerKind::ExpireSession, subject, new.expires_at, 0)?;
    }
    Ok(session)
}

/// The session of an earlier command that this one repeats, or that had the same wish.
pub(crate) fn repeated(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    new: &NewSession,
) -> Result<Option<SessionId>, EngineError> {
    if let Some(id) = remembered(tx, merchant, new.repeatable)? {
        return Ok(Some(id));
    }
    let Some(duplicate) = new.duplicate else { return Ok(None) };
    let Some(id) = remembered(tx, merchant, new.duplicate)? else { return Ok(None) };
    let session = tx.get::<Session>(&(merchant, id))?;
    if session.is_none_or(|session| matches!(session.state, SessionState::Rejected { .. })) {
        answers::forget(tx, merchant, duplicate);
        return Ok(None);
    }
    Ok(Some(id))
}

fn remembered(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    repeatable: Option<Repeatable>,
) -> Result<Option<SessionId>, EngineError> {
    let Some(repeatable) = repeatable else { return Ok(None) };
    let Some(outcome) = answers::recall(tx, merchant, repeatable)? else { return Ok(None) };
    let id = SessionId::parse(&outcome);
    let id = id.ok_or_else(|| EngineError::Fault("a record names no session".to_owned()))?;
    Ok(Some(id))
}

/// Remembers a session for commands that repeat the one that made it, after [`repeated`].
pub(crate) fn remember(tx: &mut Tx<'_>, merchant: MerchantId, new: &NewSession, id: SessionId) {
    for repeatable in [new.repeatable, new.duplicate].into_iter().flatten() {
        answers::keep(tx, merchant, repeatable, id.to_string());
    }
}

/// Ends a session without the rest of its money.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    id: SessionId,
    action: SessionAction,
    seed: [u8; 16],
) -> Result<Session, EngineError> {
    let session: Session = require(tx, &(merchant.id, id), Subject::Session)?;
    let session = session.after(action, tx.now())?;
    tx.save(&session);
    let mut ids = tx.ids(seed);
    settle(tx, &session)?;
    emit_session(tx, world, &mut ids, merchant, &session, None, Loudness::Final)?;
    Ok(session)
}

/// Stops the clock of a session that became final.
pub(crate) fn settle(tx: &mut Tx<'_>, session: &Session) -> Result<(), EngineError> {
    if session.state.is_final() && session.kind != SessionKind::Direct {
        let subject = session.id.to_string();
        stop_timer(tx, session.merchant, TimerKind::ExpireSession, &subject)?;
    }
    Ok(())
}

/// Tells of a session.
pub(crate) fn emit_session(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: &Merchant,
    session: &Session,
    payment: Option<&Payment>,
    loudness: Loudness,
) -> Result<(), EngineError> {
    let kind = match session.state {
        SessionState::Pending | SessionState::Processing { .. } => EventKind::SessionOpened,
        SessionState::Approved => EventKind::SessionApproved,
        SessionState::ApprovedPartial => EventKind::SessionPartial,
        SessionState::PartialExpired => EventKind::SessionPartialExpired,
        SessionState::Rejected { .. } => EventKind::SessionRejected,
    };
    let end = match session.state {
        SessionState::Rejected { end } => Some(end.code()),
        _ => None,
    };
    let data = json!({
        "session": session.id.to_string(),
        "number": session.number,
        "state": session.state.code(),
        "end": end,
        "kind": session.kind.code(),
        "amount_minor": session.amount.map(|amount| amount.minor),
        "currency": session.amount.map(|amount| amount.currency.code()),
        "paid_minor": session.paid_minor,
        "changed_at": session.changed_at.micros(),
        "luggage": session.luggage,
        "payment": payment.map(payment_facts),
    });
    let subject = session.id.to_string();
    let event = emit(tx, world, ids, merchant, kind, loudness, subject, data.to_string())?;
    tell_own_address(tx, world, ids, merchant, (event, kind), &session.luggage)?;
    let (world, merchant, id) = (world.clone(), session.merchant, session.id);
    tx.after_commit(move || world.announce(Change::Session(merchant, id)));
    Ok(())
}

/// What the clock does to a session that has run out of time; one with a charge under way waits
/// for its outcome.
pub(crate) fn expire(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: MerchantId,
    id: SessionId,
) -> Result<(), EngineError> {
    let Some(session) = tx.get::<Session>(&(merchant, id))? else { return Ok(()) };
    let Some(merchant) = tx.get::<Merchant>(&(merchant,))? else { return Ok(()) };
    if matches!(session.state, SessionState::Processing { .. }) {
        let due_at = tx.now().plus_seconds(60);
        return set_timer(tx, merchant.id, TimerKind::ExpireSession, id.to_string(), due_at, 0);
    }
    let subject = id.to_string();
    stop_timer(tx, merchant.id, TimerKind::ExpireSession, &subject)?;
    let Ok(session) = session.after(SessionAction::Expire, tx.now()) else { return Ok(()) };
    tx.save(&session);
    emit_session(tx, world, ids, &merchant, &session, None, Loudness::Final)
}

/// The session that a page's address leads to: its number and the secret part.
pub struct PageAddress {
    /// The number.
    pub number: i64,
    /// The keyed hash of the secret part.
    pub page_hash: String,
}

impl std::fmt::Debug for PageAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageAddress").field("number", &self.number).finish_non_exhaustive()
    }
}

impl World {
    /// The session behind a page's address, and its merchant. A page needs no credential: the
    /// secret part of its address is one.
    ///
    /// # Errors
    /// Unknown address.
    #[crate::boxed]
    pub async fn session_of_page(
        &self,
        address: PageAddress,
    ) -> Result<(SessionView, Arc<Merchant>), EngineError> {
        let params = [address.number.to_cell()];
        let found = self.store().read(move |reader| {
            let found = reader.select::<Session>("WHERE number = $1", &params)?;
            let session = found.into_iter().find(|session| {
                let known = session.page_hash.as_bytes();
                !known.is_empty()
                    && crate::secrets::same_secret(known, address.page_hash.as_bytes())
            });
            let Some(session) = session else { return Ok(None) };
            let merchant = reader.get::<Merchant>(&(session.merchant,))?;
            let view = view(reader, session)?;
            Ok(merchant.map(|merchant| (view, Arc::new(merchant))))
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Session))
    }
}
