//! Answers that are given again: a command that is repeated letter by letter gets the text that
//! the first one got.

use cobro_domain::MerchantId;
use cobro_store::rows::IdempotencyRow;

use crate::error::EngineError;
use crate::intents::Repeatable;
use crate::world::World;

impl World {
    /// The answer that a command with this digest got, if it is not forgotten.
    ///
    /// # Errors
    /// When the store has no answer.
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
    pub async fn remember_answer(
        &self,
        merchant: MerchantId,
        repeatable: Repeatable,
        text: String,
    ) -> Result<String, EngineError> {
        self.write(merchant, move |tx| {
            let digest = repeatable.digest.to_vec();
            let there = tx.get::<IdempotencyRow>(&(merchant, digest.clone()))?;
            let record = IdempotencyRow {
                merchant,
                digest,
                outcome: text.clone(),
                expires_at: tx.now().plus_seconds(repeatable.lifetime_s),
            };
            match there {
                Some(first) if first.expires_at > tx.now() => return Ok(first.outcome),
                Some(_) => tx.save(&record),
                None => tx.insert(&record),
            }
            Ok(record.outcome)
        })
        .await
    }
}
