//! What happened, newest first, for journals and pages.

use cobro_domain::event::{Delivery, Event};
use cobro_domain::{DeliveryId, EventId};
use cobro_store::ToCell;

use crate::error::EngineError;
use crate::world::World;

const EVENTS: &str = "SELECT id, merchant, at, kind, subject, data FROM event \
     WHERE id < $1 ORDER BY id DESC LIMIT $2";

const DELIVERIES: &str = "SELECT id, merchant, lane, event, slot, url, attempts, state, next_at, \
     request, response, created_at FROM delivery WHERE id < $1 ORDER BY id DESC LIMIT $2";

impl World {
    /// Events, the newest first, from the one before `before`.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn events(
        &self,
        before: Option<EventId>,
        limit: i64,
    ) -> Result<Vec<Event>, EngineError> {
        let before = before.map_or([0xff; 16].as_slice().to_cell(), |id| id.to_cell());
        let params = [before, limit.to_cell()];
        Ok(self.store().read(move |reader| reader.list(EVENTS, &params)).await?)
    }

    /// Deliveries, the newest first, from the one before `before`.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn deliveries(
        &self,
        before: Option<DeliveryId>,
        limit: i64,
    ) -> Result<Vec<Delivery>, EngineError> {
        let before = before.map_or([0xff; 16].as_slice().to_cell(), |id| id.to_cell());
        let params = [before, limit.to_cell()];
        Ok(self.store().read(move |reader| reader.list(DELIVERIES, &params)).await?)
    }
}
