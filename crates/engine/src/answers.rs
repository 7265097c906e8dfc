//! What commands that may be repeated led to: the same digest leads there again.

use cobro_domain::MerchantId;
use cobro_store::Tx;
use cobro_store::rows::IdempotencyRow;

use crate::error::EngineError;
use crate::intents::Repeatable;
use crate::world::World;

impl World {
    /// The answer that a command with this digest got, if it is not forgotten.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn recall_answer(
        &self,
        merchant: MerchantId,
        digest: [u8; 32],
    ) -> Result<Option<String>, EngineError> {
        let key = (merchant, digest.to_vec());
        let found = self.store().read(move |reader| reader.get::<IdempotencyRow>(&key)).await?;
        let now = self.now();
        Ok(found.filter(|record| record.expires_at > now).map(|record| record.outcome))
    }

    /// Keeps an answer. Where several commands were the same at the same time, the first answer
    /// is the one of all: it comes back.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn remember_answer(
        &self,
        merchant: MerchantId,
        repeatable: Repeatable,
        text: String,
    ) -> Result<String, EngineError> {
        self.write(merchant, move |tx| {
            if let Some(first) = recall(tx, merchant, repeatable)? {
                return Ok(first);
            }
            keep(tx, merchant, repeatable, text.clone());
            Ok(text.clone())
        })
        .await
    }
}

/// What an earlier command with the same digest led to. A record whose time is over goes, so that
/// [`keep`] can follow.
pub(crate) fn recall(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    repeatable: Repeatable,
) -> Result<Option<String>, EngineError> {
    let key = (merchant, repeatable.digest.to_vec());
    let Some(record) = tx.get::<IdempotencyRow>(&key)? else { return Ok(None) };
    if record.expires_at <= tx.now() {
        tx.delete::<IdempotencyRow>(&key);
        return Ok(None);
    }
    Ok(Some(record.outcome))
}

/// Remembers what a command led to, after [`recall`] found nothing in the same transaction.
pub(crate) fn keep(tx: &mut Tx<'_>, merchant: MerchantId, repeatable: Repeatable, outcome: String) {
    let expires_at = tx.now().plus_seconds(repeatable.lifetime_s);
    let digest = repeatable.digest.to_vec();
    tx.insert(&IdempotencyRow { merchant, digest, outcome, expires_at });
}

/// Forgets what [`recall`] found: it does not count any more.
pub(crate) fn forget(tx: &mut Tx<'_>, merchant: MerchantId, repeatable: Repeatable) {
    tx.delete::<IdempotencyRow>(&(merchant, repeatable.digest.to_vec()));
}
