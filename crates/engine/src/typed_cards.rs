//! Cards whose issuer wants to hear from the holder before they are used on a page (3-D Secure's
//! challenge flow).
//!
//! A card that is challenged waits in the memory of this process alone until its holder has
//! answered, ten minutes at most, wherever it was typed: a page can answer what a program has
//! begun. Its security code is not among what waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cobro_domain::payment::DeclineReason;
use cobro_domain::scenario::Scenario;
use cobro_domain::session::SessionKind;
use cobro_domain::{SessionId, Timestamp};

use crate::card_charges::{ChargeCard, ReadyCard};
use crate::cards::StorePlan;
use crate::error::EngineError;
use crate::sessions::SessionView;
use crate::vault::CardData;
use crate::world::World;

/// The code that passes every challenge of the sandbox (contract).
pub const PASSING_CODE: &str = "12345";

/// How long a challenge may be answered.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How many challenged cards may wait.
const WAITING_MAX: usize = 10_000;

/// A card that was typed for a session; deliberately without `Debug`.
#[derive(Clone)]
pub struct TypedCard {
    /// The card.
    pub card: CardData,
    /// What it does.
    pub ready: ReadyCard,
    /// How much of the session is paid with it, in minor units; what is left when absent.
    pub amount_minor: Option<i64>,
    /// In how many instalments.
    pub installments: i64,
    /// How it is to be stored; its holder does not want it stored when absent.
    pub store: Option<StorePlan>,
    /// The session's luggage with who pays.
    pub luggage: String,
}

/// What a challenge shows of its card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenged {
    /// The card's brand.
    pub brand: String,
    /// Its last digits.
    pub last_digits: String,
    /// Who issued it.
    pub issuer: String,
    /// How much is paid with it, in minor units; what is left when absent.
    pub amount_minor: Option<i64>,
}

/// Cards that wait for their holders.
#[derive(Clone, Default)]
pub(crate) struct TypedCards(Arc<Mutex<HashMap<SessionId, Waiting>>>);

struct Waiting {
    typed: TypedCard,
    until: Timestamp,
    ticket: [u8; 16],
}

impl TypedCards {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

impl World {
    /// Charges or stores a typed card, as its session wants. A card that is not to be stored in a
    /// session that wants nothing else is a failed try.
    ///
    /// # Errors
    /// Unknown session, one whose state does not allow it, or an amount that is not left.
    #[crate::boxed]
    pub async fn use_typed_card(
        &self,
        view: &SessionView,
        typed: TypedCard,
    ) -> Result<SessionView, EngineError> {
        let (merchant, id) = (view.session.merchant, view.session.id);
        let TypedCard { card, ready, amount_minor, installments, store, luggage } = typed;
        let luggage = Some(luggage);
        match (view.session.kind, store) {
            (SessionKind::Subscription, Some(plan)) => {
                self.store_typed_card(merchant, id, &card, ready.facts, plan, luggage).await
            }
            (SessionKind::Subscription, None) => self.decline_card(merchant, id).await,
            (_, store) => {
                let charge = ChargeCard {
                    amount_minor,
                    installments,
                    tip_minor: 0,
                    store,
                    luggage,
                    challenge_s: None,
                };
                self.charge_typed_card(merchant, id, &card, ready, charge).await
            }
        }
    }

    /// Keeps a card until its holder has answered. The world's clock decides whether it may still
    /// be used, real time when it is wiped.
    pub fn challenge_holder(&self, session: SessionId, typed: TypedCard) {
        let lifetime_us = i64::try_from(LIFETIME.as_micros()).unwrap_or(i64::MAX);
        let (until, ticket) = (self.now().plus_micros(lifetime_us), self.entropy().seed());
        let cards = self.typed_cards().clone();
        {
            let mut waiting = cards.lock();
            if waiting.len() >= WAITING_MAX {
                waiting.clear();
            }
            waiting.insert(session, Waiting { typed, until, ticket });
        }
        tokio::spawn(async move {
            tokio::time::sleep(LIFETIME).await;
            let mut waiting = cards.lock();
            if waiting.get(&session).is_some_and(|found| found.ticket == ticket) {
                waiting.remove(&session);
            }
        });
    }

    /// The card of a session that waits for its holder.
    pub fn challenged_card(&self, session: SessionId) -> Option<Challenged> {
        let waiting = self.typed_cards().lock();
        let found = waiting.get(&session).filter(|found| self.now() < found.until)?;
        let facts = &found.typed.ready.facts;
        Some(Challenged {
            brand: facts.brand.clone(),
            last_digits: facts.last_digits.clone(),
            issuer: facts.issuer.clone(),
            amount_minor: found.typed.amount_minor,
        })
    }

    /// Forgets the card that waits: its holder wants to use another one, or none.
    pub fn forget_challenge(&self, session: SessionId) {
        self.typed_cards().lock().remove(&session);
    }

    /// Goes on with the card that waits; `None` when none does. A wrong code is a failed try.
    ///
    /// # Errors
    /// As [`World::use_typed_card`].
    #[crate::boxed]
    pub async fn answer_typed_card(
        &self,
        view: &SessionView,
        code: &str,
    ) -> Result<Option<SessionView>, EngineError> {
        let found = self.typed_cards().lock().remove(&view.session.id);
        let Some(found) = found.filter(|found| self.now() < found.until) else { return Ok(None) };
        self.use_challenged_card(view, found.typed, code).await.map(Some)
    }

    /// Uses a card whose holder answered at once with this code.
    ///
    /// # Errors
    /// As [`World::use_typed_card`].
    #[crate::boxed]
    pub async fn use_challenged_card(
        &self,
        view: &SessionView,
        mut typed: TypedCard,
        code: &str,
    ) -> Result<SessionView, EngineError> {
        if code != PASSING_CODE {
            typed.ready.scenario = Scenario::Decline(DeclineReason::Authentication);
            typed.store = None;
        }
        self.use_typed_card(view, typed).await
    }
}
