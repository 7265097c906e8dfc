//! The last thing that happened to each of a merchant's intents, by the days they were made on.

use cobro_domain::id::IdSource;
use cobro_domain::intent::IntentPhase;
use cobro_domain::{IntentId, Timestamp};
use cobro_store::{Cell, FromCell, ToCell};

use crate::error::EngineError;
use crate::world::{Caller, World};

/// Where an intent is, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntentEvent {
    /// The intent.
    pub intent: IntentId,
    /// Where it is.
    pub phase: IntentPhase,
    /// Since when.
    pub at: Timestamp,
}

/// Ids grow with time, so that days are a range of the primary key.
const EVENTS: &str = "SELECT id, phase, changed_at FROM intent WHERE merchant = $1 \
     AND id >= $2 AND id < $3 AND refund_of IS NULL ORDER BY merchant DESC, id DESC LIMIT $4";

impl World {
    /// Where those of a merchant's intents are that take money and were made from `from` on and
    /// before `to`, the newest first; those made before `before` alone, where a page is continued.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn intent_events(
        &self,
        caller: &Caller,
        from: Timestamp,
        to: Timestamp,
        before: Option<IntentId>,
        limit: i64,
    ) -> Result<Vec<IntentEvent>, EngineError> {
        let end = before.map_or_else(|| IdSource::floor(to), |before| before.0);
        let begin = IdSource::floor(from);
        let params = [caller.merchant.to_cell(), begin.to_cell(), end.to_cell(), limit.to_cell()];
        let rows = self.store().read(move |reader| reader.rows(EVENTS, &params)).await?;
        let events: Option<Vec<IntentEvent>> = rows.into_iter().map(read).collect();
        events.ok_or_else(|| EngineError::Fault("an intent's row cannot be read".to_owned()))
    }
}

fn read(row: Vec<Cell>) -> Option<IntentEvent> {
    let mut cells = row.into_iter();
    Some(IntentEvent {
        intent: IntentId::from_cell(&cells.next()?)?,
        phase: IntentPhase::from_code(&String::from_cell(&cells.next()?)?)?,
        at: Timestamp::from_cell(&cells.next()?)?,
    })
}
