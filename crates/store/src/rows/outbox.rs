//! Events and their deliveries.

use cobro_domain::event::{Delivery, DeliveryState, Event, EventKind};
use cobro_domain::{DeliveryId, EventId, MerchantId, Timestamp};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};
use crate::tx::Claim;

impl Row for Event {
    type Key = (EventId, MerchantId);
    const TABLE: &'static Table = crate::table!("event", 2, Appended;
        id: Bytes, merchant: Bytes, at: Int, kind: Text, subject: Text, data: Text);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.id.to_cell(),
            self.merchant.to_cell(),
            self.at.to_cell(),
            self.kind.code().to_cell(),
            self.subject.to_cell(),
            self.data.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            id: cells.next()?,
            merchant: cells.next()?,
            at: cells.next()?,
            kind: cells.word(EventKind::from_code)?,
            subject: cells.next()?,
            data: cells.next()?,
        })
    }
}

impl Row for Delivery {
    type Key = (DeliveryId, MerchantId);
    const TABLE: &'static Table = crate::table!("delivery", 2;
        id: Bytes, merchant: Bytes, lane: Int, event: Bytes, slot: Int, url: Text, attempts: Int,
        state: Text, next_at: Int, request: Text, response: Text, created_at: Int);

    fn cells(&self) -> Vec<Cell> {
        let next_at = match self.state {
            DeliveryState::Waiting { next_at } => next_at.to_cell(),
            DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Exhausted => {
                Cell::Null
            }
        };
        vec![
            self.id.to_cell(),
            self.merchant.to_cell(),
            self.lane.to_cell(),
            self.event.to_cell(),
            self.slot.to_cell(),
            self.url.to_cell(),
            self.attempts.to_cell(),
            self.state.code().to_cell(),
            next_at,
            self.request.to_cell(),
            self.response.to_cell(),
            self.created_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            id: cells.next()?,
            merchant: cells.next()?,
            lane: cells.next()?,
            event: cells.next()?,
            slot: cells.next()?,
            url: cells.next()?,
            attempts: cells.next()?,
            state: read_state(cells)?,
            request: cells.next()?,
            response: cells.next()?,
            created_at: cells.next()?,
        })
    }
}

fn read_state(cells: &mut Cells<'_>) -> Result<DeliveryState, Corrupt> {
    let code: String = cells.next()?;
    let next_at: Option<Timestamp> = cells.next()?;
    Ok(match (code.as_str(), next_at) {
        ("waiting", Some(next_at)) => DeliveryState::Waiting { next_at },
        ("delivered", None) => DeliveryState::Delivered,
        ("failed", None) => DeliveryState::Failed,
        ("exhausted", None) => DeliveryState::Exhausted,
        (code, _) => return Err(cells.corrupt(&format!("state {code:?}"))),
    })
}

/// Deliveries whose next attempt is due.
pub const DUE_DELIVERIES: Claim<Delivery> = Claim {
    sql: "SELECT id, merchant, lane, event, slot, url, attempts, state, next_at, request, \
          response, created_at FROM delivery \
          WHERE lane = $1 AND next_at IS NOT NULL AND next_at <= $2 \
          ORDER BY lane, next_at, id LIMIT $3",
    due: |delivery, now| matches!(delivery.state, DeliveryState::Waiting { next_at } if next_at <= now),
};
