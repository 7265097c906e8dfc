//! Stored cards: keep, find, take back.

use cobro_domain::card::{CardFacts, StoredCard, StoredCardState};
use cobro_domain::event::{EventKind, Loudness};
use cobro_domain::merchant::Merchant;
use cobro_domain::{CardId, MerchantId, Timestamp};
use cobro_store::{ToCell, Tx};
use serde_json::json;

use crate::emit::{emit, require};
use crate::error::{EngineError, Subject};
use crate::vault::{self, CardData};
use crate::world::{Caller, World};

/// How a card is to be stored.
#[derive(Clone, Debug)]
pub struct StorePlan {
    /// The token; a random one when absent.
    pub token: Option<String>,
    /// Whether it gets a token of digits as well.
    pub with_subtoken: bool,
    /// Whether one use is all.
    pub single_use: bool,
    /// For how many seconds it can be used, where that is limited.
    pub lifetime_s: Option<i64>,
    /// What the dialect keeps with it, as JSON text.
    pub luggage: String,
}

impl World {
    /// A stored card made of this one, encrypted, not saved yet. The id is drawn here, since the
    /// ciphertext is bound to it and encryption happens before the lane.
    ///
    /// # Errors
    /// When this installation has no vault key.
    pub(crate) fn sealed_card(
        &self,
        merchant: MerchantId,
        card: &CardData,
        facts: CardFacts,
        plan: &StorePlan,
    ) -> Result<StoredCard, EngineError> {
        let keys = self.vault()?;
        let id = CardId(uuid::Builder::from_random_bytes(self.entropy().seed()).into_uuid());
        let sealed = keys.seal(merchant, id, card, self.entropy());
        let token = plan.token.clone().unwrap_or_else(|| vault::token(self.entropy()));
        let subtoken =
            plan.with_subtoken.then(|| vault::subtoken(&facts.last_digits, self.entropy()));
        Ok(StoredCard {
            merchant,
            id,
            token,
            subtoken,
            key_id: sealed.key_id,
            wrapped_key: sealed.wrapped_key,
            sealed: sealed.sealed,
            fingerprint: keys.fingerprint(&card.number),
            facts,
            state: StoredCardState::Active,
            single_use: plan.single_use,
            expires_at: None,
            luggage: plan.luggage.clone(),
            created_at: Timestamp::default(),
            changed_at: Timestamp::default(),
        })
    }

    /// Stores a card for a caller.
    ///
    /// # Errors
    /// A stale caller, or an installation without a vault key.
    #[crate::boxed]
    pub async fn store_card(
        &self,
        caller: &Caller,
        card: &CardData,
        facts: CardFacts,
        plan: StorePlan,
    ) -> Result<StoredCard, EngineError> {
        let stored = self.sealed_card(caller.merchant, card, facts, &plan)?;
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(caller.merchant, move |tx| {
            let merchant = Self::merchant_of(tx, &caller)?;
            keep(tx, &world, &merchant, stored.clone(), plan.lifetime_s, seed)
        })
        .await
    }

    /// The stored card with this token or subtoken, used and invalidated ones too.
    ///
    /// # Errors
    /// Unknown or foreign token: the two are told apart nowhere (F28).
    #[crate::boxed]
    pub async fn card_by_token(
        &self,
        merchant: MerchantId,
        token: &str,
    ) -> Result<StoredCard, EngineError> {
        let params = [merchant.to_cell(), token.to_cell()];
        let found = self.store().read(move |reader| {
            let mut found =
                reader.select::<StoredCard>("WHERE merchant = $1 AND token = $2", &params)?;
            if found.is_empty() {
                let by_digits = "WHERE merchant = $1 AND subtoken = $2";
                found = reader.select::<StoredCard>(by_digits, &params)?;
            }
            Ok(found.into_iter().next())
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Card))
    }

    /// The stored cards of a merchant, the newest first.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn cards_of(
        &self,
        merchant: MerchantId,
        limit: i64,
    ) -> Result<Vec<StoredCard>, EngineError> {
        let params = [merchant.to_cell(), limit.to_cell()];
        let rest = "WHERE merchant = $1 ORDER BY created_at DESC, id LIMIT $2";
        Ok(self.store().read(move |reader| reader.select(rest, &params)).await?)
    }

    /// Takes a stored card back: its token stops working, what it held is destroyed.
    ///
    /// # Errors
    /// Unknown or foreign card, or one that was taken back before.
    #[crate::boxed]
    pub async fn invalidate_card(
        &self,
        caller: &Caller,
        id: CardId,
    ) -> Result<StoredCard, EngineError> {
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(caller.merchant, move |tx| {
            let merchant = Self::merchant_of(tx, &caller)?;
            let card: StoredCard = require(tx, &(merchant.id, id), Subject::Card)?;
            if card.state == StoredCardState::Invalidated {
                return Err(EngineError::NotFound(Subject::Card));
            }
            let card = StoredCard {
                state: StoredCardState::Invalidated,
                wrapped_key: Vec::new(),
                sealed: Vec::new(),
                changed_at: tx.now(),
                ..card
            };
            tx.save(&card);
            tell(tx, &world, &merchant, EventKind::CardInvalidated, &card, seed)?;
            Ok(card)
        })
        .await
    }
}

/// Saves a new card and tells of it.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    card: StoredCard,
    lifetime_s: Option<i64>,
    seed: [u8; 16],
) -> Result<StoredCard, EngineError> {
    let now = tx.now();
    let expires_at = lifetime_s.map(|lifetime_s| now.plus_seconds(lifetime_s));
    let card = StoredCard { expires_at, created_at: now, changed_at: now, ..card };
    tx.insert(&card);
    tell(tx, world, merchant, EventKind::CardStored, &card, seed)?;
    Ok(card)
}

fn tell(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    kind: EventKind,
    card: &StoredCard,
    seed: [u8; 16],
) -> Result<(), EngineError> {
    let mut ids = tx.ids(seed);
    let data = json!({
        "brand": card.facts.brand,
        "last_digits": card.facts.last_digits,
        "single_use": card.single_use,
    });
    let subject = card.id.to_string();
    emit(tx, world, &mut ids, merchant, kind, Loudness::Silent, subject, data.to_string())?;
    Ok(())
}

/// A card that can be charged now.
///
/// # Errors
/// One that was used, invalidated, or whose time is over: as if it were not there.
pub(crate) fn usable(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    id: CardId,
) -> Result<StoredCard, EngineError> {
    let card: StoredCard = require(tx, &(merchant, id), Subject::Card)?;
    let expired = card.expires_at.is_some_and(|expires_at| expires_at <= tx.now());
    if card.state != StoredCardState::Active || expired {
        return Err(EngineError::NotFound(Subject::Card));
    }
    Ok(card)
}
