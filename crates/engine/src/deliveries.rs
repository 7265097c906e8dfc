//! Deliveries, as the sender and the journals see them.

use std::sync::Arc;

use cobro_domain::event::{Delivery, DeliveryState, Event};
use cobro_domain::merchant::{Endpoint, Merchant};
use cobro_domain::{DeliveryId, MerchantId, Timestamp};
use cobro_store::rows::DUE_DELIVERIES;
use cobro_store::{Store, ToCell, Tx};

use crate::accounts::endpoint_purpose;
use crate::crash;
use crate::emit::require;
use crate::error::{EngineError, Subject};
use crate::ports::{NoticeAsk, NoticeRequest};
use crate::world::{Change, World};

/// What is to be sent for a delivery.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// This request.
    Request(NoticeRequest),
    /// Nothing: the endpoint is gone, or the dialect does not tell of such an event.
    Nothing,
}

/// What came of one attempt.
#[derive(Clone, Debug)]
pub struct Attempted {
    /// The delivery, as it was claimed.
    pub delivery: Delivery,
    /// What was sent, as JSON text with the members `headers` and `body`.
    pub request: String,
    /// What was answered, as JSON text with the members `status` and `body`; empty when nothing.
    pub response: String,
    /// What becomes of it.
    pub outcome: AttemptOutcome,
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver took it.
    Delivered,
    /// It is tried again at the next time of the dialect's schedule, if there is one.
    Again,
    /// It cannot be sent to that endpoint.
    Impossible,
}

impl World {
    /// Deliveries that are due on a lane, the oldest first.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn due_deliveries(
        &self,
        lane: usize,
        limit: i64,
    ) -> Result<Vec<Delivery>, EngineError> {
        let lane = i64::try_from(lane).unwrap_or(0);
        let now = self.store().now();
        let params = [lane.to_cell(), now.to_cell(), limit.to_cell()];
        let found = self.store().read(move |reader| reader.list(DUE_DELIVERIES.sql, &params));
        Ok(found.await?)
    }

    /// Formats and signs what a delivery sends.
    ///
    /// # Errors
    /// When the store has no answer, or a row that it needs is missing.
    #[crate::boxed]
    pub async fn prepare_delivery(&self, delivery: &Delivery) -> Result<Prepared, EngineError> {
        let (merchant, event, slot) = (delivery.merchant, delivery.event, delivery.slot);
        let found = self.store().read(move |reader| {
            Ok((
                reader.get::<Merchant>(&(merchant,))?,
                reader.get::<Event>(&(event,))?,
                reader.get::<Endpoint>(&(merchant, slot))?,
            ))
        });
        let (Some(merchant), Some(event), Some(endpoint)) = found.await? else {
            return Ok(Prepared::Nothing);
        };
        // An event may have been told to an address of its own.
        if endpoint.url.is_empty() && delivery.slot != crate::recurring::OWN_ADDRESS_SLOT {
            return Ok(Prepared::Nothing);
        }
        let secret = self.open_endpoint_secret(&endpoint)?;
        let dialect = self.dialect(&merchant.channel)?;
        let id = delivery.id.to_string();
        let ask = NoticeAsk {
            event: &event,
            merchant: &merchant,
            endpoint: &Endpoint { url: delivery.url.clone(), ..endpoint },
            secret: &secret,
            attempt: delivery.attempts.saturating_add(1),
            delivery: &id,
            at: self.now(),
            real: self.clock().real(),
        };
        let request = dialect.request(&ask);
        crash::point("delivery.before_send");
        Ok(request.map_or(Prepared::Nothing, Prepared::Request))
    }

    fn open_endpoint_secret(&self, endpoint: &Endpoint) -> Result<String, EngineError> {
        if endpoint.secret_sealed.is_empty() {
            return Ok(String::new());
        }
        let purpose = endpoint_purpose(endpoint.merchant, endpoint.slot);
        let secret = self.key().open(&purpose, &endpoint.secret_sealed);
        let secret = secret.map_err(|error| EngineError::Fault(error.to_string()))?;
        String::from_utf8(secret).map_err(|error| EngineError::Fault(error.to_string()))
    }

    /// Whether a status code counts as taken, by the dialect of a delivery's merchant.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn is_accepted(
        &self,
        merchant: MerchantId,
        status: u16,
    ) -> Result<bool, EngineError> {
        let found = self.store().read(move |reader| reader.get::<Merchant>(&(merchant,)));
        let merchant = found.await?.ok_or(EngineError::NotFound(Subject::Merchant))?;
        Ok(self.dialect(&merchant.channel)?.accepted(status))
    }

    /// Records what came of attempts on one lane, many at once.
    ///
    /// # Errors
    /// When the store has no answer; the deliveries are then tried again.
    #[crate::boxed]
    pub async fn record_attempts(
        &self,
        lane: usize,
        attempts: Vec<Attempted>,
    ) -> Result<(), EngineError> {
        crash::point("delivery.answered");
        let world = self.clone();
        let command = move |tx: &mut Tx<'_>| -> Result<(), EngineError> {
            for attempted in &attempts {
                record(tx, &world, attempted)?;
            }
            crash::point("delivery.before_commit");
            Ok(())
        };
        let recorded = self.store().write(Store::key_of(lane), command).await;
        crate::error::settled(recorded).inspect(|()| crash::point("delivery.committed"))
    }

    /// Sends a delivery once more, as a new one.
    ///
    /// # Errors
    /// Unknown delivery.
    #[crate::boxed]
    pub async fn replay_delivery(&self, id: DeliveryId) -> Result<Delivery, EngineError> {
        let found = self.store().read(move |reader| {
            Ok(reader.list::<Delivery>(DELIVERY_BY_ID, &[id.to_cell()])?.into_iter().next())
        });
        let old = found.await?.ok_or(EngineError::NotFound(Subject::Delivery))?;
        let (world, seed) = (self.clone(), self.entropy().seed());
        self.write(old.merchant, move |tx| {
            let delivery = Delivery {
                id: DeliveryId(tx.ids(seed).next_uuid()),
                attempts: 0,
                state: DeliveryState::Waiting { next_at: tx.now() },
                request: String::new(),
                response: String::new(),
                created_at: tx.now(),
                ..old.clone()
            };
            tx.insert(&delivery);
            let world = world.clone();
            tx.after_commit(move || world.wake());
            Ok(delivery)
        })
        .await
    }
}

const DELIVERY_BY_ID: &str = "SELECT id, merchant, lane, event, slot, url, attempts, state, \
     next_at, request, response, created_at FROM delivery WHERE id = $1";

fn record(tx: &mut Tx<'_>, world: &World, attempted: &Attempted) -> Result<(), EngineError> {
    let Some(delivery) = tx.get::<Delivery>(&(attempted.delivery.id,))? else { return Ok(()) };
    if !matches!(delivery.state, DeliveryState::Waiting { .. }) {
        return Ok(());
    }
    let attempts = delivery.attempts.saturating_add(1);
    let state = match attempted.outcome {
        AttemptOutcome::Delivered => DeliveryState::Delivered,
        AttemptOutcome::Impossible => DeliveryState::Failed,
        AttemptOutcome::Again => next_state(tx, world, &delivery, attempts)?,
    };
    let delivery = Delivery {
        attempts,
        state,
        request: attempted.request.clone(),
        response: crate::attempts::kept(&delivery, &attempted.response, tx.now()),
        ..delivery
    };
    tx.save(&delivery);
    let world = world.clone();
    tx.after_commit(move || world.announce(Change::Delivery(Arc::new(delivery))));
    Ok(())
}

fn next_state(
    tx: &mut Tx<'_>,
    world: &World,
    delivery: &Delivery,
    attempts: i64,
) -> Result<DeliveryState, EngineError> {
    let merchant: Merchant = require(tx, &(delivery.merchant,), Subject::Merchant)?;
    let after_s = world.dialect(&merchant.channel)?.next_attempt_s(attempts);
    Ok(match after_s {
        Some(after_s) => {
            let scheduled: Timestamp = delivery.created_at.plus_seconds(after_s);
            // After a long stop the times of several attempts may lie in the past.
            DeliveryState::Waiting { next_at: scheduled.max(tx.now().plus_seconds(1)) }
        }
        None => DeliveryState::Exhausted,
    })
}
