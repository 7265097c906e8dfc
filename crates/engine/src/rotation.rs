//! Rotating the vault's keys: the data key of each card is wrapped anew, the card itself stays as it
//! is sealed.
//!
//! It runs beside everything else and can be cut off anywhere: whoever goes on begins at the first
//! card again and meets those only that are not done. Cards whose token was taken back have no data
//! key any more.

use cobro_domain::card::{StoredCard, StoredCardState};
use cobro_domain::{CardId, Entropy, MerchantId};
use cobro_store::{Cell, Store, StoreError, ToCell, Tx};
use futures_util::future::try_join_all;

use crate::crash;
use crate::emit::require;
use crate::error::{EngineError, Subject, settled};
use crate::vault::VaultKeys;
use crate::world::World;

/// How many cards are read and wrapped at once.
const STEP: i64 = 64;

const OLD: &str = "WHERE (merchant, id) > ($1, $2) AND key_id < $3 AND state <> 'invalidated' \
     ORDER BY merchant, id LIMIT $4";

const COUNTS: &str = "SELECT key_id, COUNT(*) FROM card WHERE state <> 'invalidated' \
     GROUP BY key_id ORDER BY key_id";

/// Which keys wrap the data keys of a store's cards: id and number of cards, by id.
///
/// # Errors
/// When the store has no answer.
#[crate::boxed]
pub async fn keys_in_use(store: &Store) -> Result<Vec<(i64, i64)>, StoreError> {
    let rows = store.read(|reader| reader.rows(COUNTS, &[])).await?;
    let pair = |row: Vec<Cell>| match row.as_slice() {
        [Cell::Int(id), Cell::Int(count)] => Some((*id, *count)),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(pair).collect())
}

/// Wraps every data key with the current key; answers how many were wrapped with an earlier one.
///
/// # Errors
/// When a card cannot be opened with the keys at hand, or the store has no answer. What was done
/// until then stays done.
#[crate::boxed]
pub async fn rotate(
    store: &Store,
    keys: &VaultKeys,
    entropy: &dyn Entropy,
) -> Result<usize, EngineError> {
    let mut done = 0;
    let mut place = ([].as_slice().to_cell(), [].as_slice().to_cell());
    loop {
        let current = keys.current_id();
        let params = [place.0.clone(), place.1.clone(), current.to_cell(), STEP.to_cell()];
        let cards = store.read(move |reader| reader.select::<StoredCard>(OLD, &params)).await?;
        let Some(last) = cards.last() else { return Ok(done) };
        place = (last.merchant.to_cell(), last.id.to_cell());
        let mut wrapped = Vec::with_capacity(cards.len());
        for card in &cards {
            match keys.rewrap(card, entropy) {
                Ok((key_id, wrapped_key)) => wrapped.push(Rewrap { card, key_id, wrapped_key }),
                Err(error) if !is_gone(store, card).await? => return Err(error.into()),
                Err(_) => {}
            }
        }
        done += wrapped.len();
        try_join_all(wrapped.into_iter().map(|rewrap| rewrap.save(store))).await?;
        crash::point("vault.rotate.committed");
    }
}

/// Whether a card that cannot be opened was taken back since it was read.
async fn is_gone(store: &Store, card: &StoredCard) -> Result<bool, StoreError> {
    let key = (card.merchant, card.id);
    let found = store.read(move |reader| reader.get::<StoredCard>(&key)).await?;
    Ok(found.is_none_or(|found| found.state == StoredCardState::Invalidated))
}

struct Rewrap<'a> {
    card: &'a StoredCard,
    key_id: i64,
    wrapped_key: Vec<u8>,
}

impl Rewrap<'_> {
    async fn save(self, store: &Store) -> Result<(), EngineError> {
        let key: (MerchantId, CardId) = (self.card.merchant, self.card.id);
        let (before, key_id, wrapped_key) = (self.card.key_id, self.key_id, self.wrapped_key);
        let command = move |tx: &mut Tx<'_>| -> Result<(), EngineError> {
            let card: StoredCard = require(tx, &key, Subject::Card)?;
            if card.key_id == before && card.state != StoredCardState::Invalidated {
                let wrapped_key = wrapped_key.clone();
                tx.save(&StoredCard { key_id, wrapped_key, ..card });
                crash::point("vault.rotate.before_commit");
            }
            Ok(())
        };
        settled(store.write(key.0, command).await)
    }
}

impl World {
    /// Wraps the data key of every card of this world with the current key; answers how many were
    /// wrapped with an earlier one.
    ///
    /// # Errors
    /// As [`rotate`], or when this installation has no vault key.
    #[crate::boxed]
    pub async fn rotate_cards(&self) -> Result<usize, EngineError> {
        rotate(self.store(), self.vault()?, self.entropy()).await
    }
}
