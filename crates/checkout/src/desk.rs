//! Where cards are charged and stored on behalf of a page: what a form leads to.
//!
//! A card that is challenged waits here, in the memory of this process alone, until its holder has
//! answered; ten minutes at most. Its security code is not among what waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cobro_domain::payment::{DeclineReason, Payment, PaymentState};
use cobro_domain::scenario::Scenario;
use cobro_domain::session::{SessionKind, SessionState};
use cobro_domain::{SessionId, Timestamp};
use cobro_engine::card_charges::ChargeCard;
use cobro_engine::sessions::SessionView;
use cobro_engine::{EngineError, World};

use crate::form::Checked;
use crate::merchandise::Merchandise;

/// The code that passes every challenge of the sandbox (contract).
pub const PASSING_CODE: &str = "12345";

/// How long a challenge may be answered.
const CHALLENGE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What a failed challenge declines with: the issuer's risk rules.
const CHALLENGE_FAILED: DeclineReason = DeclineReason::HighRisk;

type Key = (String, SessionId);

/// Cards that wait for their holders.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    waiting: Arc<Mutex<HashMap<Key, Waiting>>>,
}

struct Waiting {
    checked: Checked,
    until: Timestamp,
    ticket: [u8; 16],
}

/// What a form led to.
pub(crate) enum Step {
    /// The holder has to answer a challenge.
    Challenge,
    /// The card was used: the session after that.
    Used(Box<SessionView>),
}

/// What a challenge shows of its card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenged {
    pub(crate) brand: String,
    pub(crate) last_digits: String,
    pub(crate) issuer: String,
    pub(crate) amount_minor: Option<i64>,
}

impl Desk {
    /// Uses a card, or asks its holder first.
    ///
    /// # Errors
    /// As the engine's: a session that cannot be paid any more among others.
    pub(crate) async fn pay(
        &self,
        world: &World,
        view: &SessionView,
        merchandise: &dyn Merchandise,
        checked: Checked,
    ) -> Result<Step, EngineError> {
        if checked.challenged {
            self.keep(world, view.session.id, checked);
            return Ok(Step::Challenge);
        }
        use_card(world, view, merchandise, checked).await.map(|view| Step::Used(Box::new(view)))
    }

    /// Goes on with the card that waits; `None` when none does. A wrong code is a failed try.
    ///
    /// # Errors
    /// As [`Desk::pay`].
    pub(crate) async fn answer(
        &self,
        world: &World,
        view: &SessionView,
        merchandise: &dyn Merchandise,
        code: &str,
    ) -> Result<Option<SessionView>, EngineError> {
        let Some(mut checked) = self.take(world, view.session.id) else { return Ok(None) };
        if code != PASSING_CODE {
            if view.session.kind == SessionKind::Subscription {
                let session = &view.session;
                return world.decline_card(session.merchant, session.id).await.map(Some);
            }
            checked.ready.scenario = Scenario::Decline(CHALLENGE_FAILED);
            checked.save = false;
        }
        use_card(world, view, merchandise, checked).await.map(Some)
    }

    /// The card of a session that waits for its holder.
    pub(crate) fn challenge(&self, world: &World, session: SessionId) -> Option<Challenged> {
        let waiting = self.lock();
        let found = waiting.get(&key(world, session))?;
        let facts = &found.checked.ready.facts;
        (world.now() < found.until).then(|| Challenged {
            brand: facts.brand.clone(),
            last_digits: facts.last_digits.clone(),
            issuer: facts.issuer.clone(),
            amount_minor: found.checked.amount_minor,
        })
    }

    /// Forgets the card that waits: its holder wants to use another one, or none.
    pub(crate) fn forget(&self, world: &World, session: SessionId) {
        self.lock().remove(&key(world, session));
    }

    fn take(&self, world: &World, session: SessionId) -> Option<Checked> {
        let found = self.lock().remove(&key(world, session))?;
        (world.now() < found.until).then_some(found.checked)
    }

    /// Keeps a card, and sees to it that it is wiped in time even if nobody asks again. The world's
    /// clock decides whether it may still be used, real time when it is wiped.
    fn keep(&self, world: &World, session: SessionId, checked: Checked) {
        let key = key(world, session);
        let lifetime_us = i64::try_from(CHALLENGE_LIFETIME.as_micros()).unwrap_or(i64::MAX);
        let (until, ticket) = (world.now().plus_micros(lifetime_us), world.entropy().seed());
        self.lock().insert(key.clone(), Waiting { checked, until, ticket });
        let desk = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(CHALLENGE_LIFETIME).await;
            let mut waiting = desk.lock();
            if waiting.get(&key).is_some_and(|found| found.ticket == ticket) {
                waiting.remove(&key);
            }
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(world: &World, session: SessionId) -> Key {
    (world.id().to_owned(), session)
}

async fn use_card(
    world: &World,
    view: &SessionView,
    merchandise: &dyn Merchandise,
    checked: Checked,
) -> Result<SessionView, EngineError> {
    let session = &view.session;
    let luggage = Some(merchandise.luggage(session, &checked.payer));
    let plan = checked.save.then(|| merchandise.store_plan(session, &checked.payer));
    let (merchant, id) = (session.merchant, session.id);
    let Checked { card, ready, installments, amount_minor, .. } = checked;
    match (session.kind, plan) {
        (SessionKind::Subscription, Some(plan)) => {
            world.store_typed_card(merchant, id, &card, ready.facts, plan, luggage).await
        }
        (_, store) => {
            let charge = ChargeCard {
                amount_minor,
                installments,
                tip_minor: 0,
                store,
                luggage,
                challenge_s: None,
            };
            world.charge_typed_card(merchant, id, &card, ready, charge).await
        }
    }
}

/// The payment of a session that was made without a page and waits for its holder.
pub(crate) fn challenged(view: &SessionView) -> Option<&Payment> {
    view.payments.iter().find(|payment| payment.state == PaymentState::Challenged)
}

impl Challenged {
    /// What is shown of a payment that waits for its holder.
    pub(crate) fn of(payment: &Payment) -> Self {
        Self {
            brand: payment.card.brand.clone(),
            last_digits: payment.card.last_digits.clone(),
            issuer: payment.card.issuer.clone(),
            amount_minor: Some(payment.amount.minor),
        }
    }
}

/// Whether a session takes a card now: it waits for one, and its time is not over.
pub(crate) fn is_open(view: &SessionView, now: Timestamp) -> bool {
    let waits = matches!(view.session.state, SessionState::Pending | SessionState::ApprovedPartial);
    waits && now < view.session.expires_at
}
