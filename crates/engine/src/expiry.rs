//! Records that have outlived their use: what made a command repeatable, once it is so no more.

use std::collections::BTreeMap;

use cobro_domain::MerchantId;
use cobro_store::rows::IdempotencyRow;
use cobro_store::{ToCell, Tx};

use crate::error::EngineError;
use crate::world::World;

/// How many records one round removes.
const ROUND_MAX: i64 = 1000;

/// How many rounds one call makes, so that a backlog does not keep the other chores waiting.
const ROUNDS_MAX: usize = 20;

const EXPIRED: &str = "WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2";

impl World {
    /// Removes the records of repeatable commands that have expired, on the lanes whose background
    /// work is this process's. Answers how many there were; the rest of a large backlog is left for
    /// the next call.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn forget_expired(&self) -> Result<usize, EngineError> {
        let mut forgotten = 0;
        for _ in 0..ROUNDS_MAX {
            let params = [self.now().to_cell(), ROUND_MAX.to_cell()];
            let read = self.store().read(move |reader| reader.select(EXPIRED, &params));
            let rows: Vec<IdempotencyRow> = read.await?;
            let full = i64::try_from(rows.len()).is_ok_and(|found| found >= ROUND_MAX);
            let before = forgotten;
            for (merchant, digests) in by_merchant(rows) {
                let lane = self.store().lane_of(merchant.into());
                if self.peers().leads(lane).await {
                    forgotten += self.forget(merchant, digests).await?;
                }
            }
            if !full || forgotten == before {
                break;
            }
        }
        Ok(forgotten)
    }

    async fn forget(
        &self,
        merchant: MerchantId,
        digests: Vec<Vec<u8>>,
    ) -> Result<usize, EngineError> {
        self.write(merchant, move |tx: &mut Tx<'_>| {
            let mut forgotten = 0;
            for digest in &digests {
                let key = (merchant, digest.clone());
                // A command with the same digest may have made it new.
                let found = tx.get::<IdempotencyRow>(&key)?;
                if found.is_some_and(|record| record.expires_at <= tx.now()) {
                    tx.delete::<IdempotencyRow>(&key);
                    forgotten += 1;
                }
            }
            Ok(forgotten)
        })
        .await
    }
}

fn by_merchant(rows: Vec<IdempotencyRow>) -> BTreeMap<MerchantId, Vec<Vec<u8>>> {
    let mut found: BTreeMap<MerchantId, Vec<Vec<u8>>> = BTreeMap::new();
    for row in rows {
        found.entry(row.merchant).or_default().push(row.digest);
    }
    found
}
