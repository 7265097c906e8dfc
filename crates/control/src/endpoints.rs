//! The addresses that are notified, each with its health, and sending many deliveries again.

use std::collections::BTreeMap;

use axum::routing::{get, post};
use cobro_domain::event::{Delivery, DeliveryState};
use cobro_domain::{DeliveryId, MerchantId};
use cobro_engine::attempts::last_answer;
use cobro_engine::{EngineError, Subject, World};
use cobro_surface::endpoint::{Endpoint, Response, Routes};
use cobro_surface::json::Json;
use serde_json::{Value, json};

use crate::Shared;
use crate::answers::{answer, call, read_responses, write_responses};
use crate::input::{Input, Members, Selected};
use crate::journals::owners;
use crate::refusal::{Answer, Refusal};
use crate::view::{self, ok};

/// How many of the last deliveries a health is made of.
const LOOKED_AT: i64 = 1_000;

/// How many deliveries are sent again by one call.
const REPLAYED_MAX: usize = 1_000;

static HEALTH: Endpoint = Endpoint {
    summary: "Lists the notified addresses with their health, by the last 1000 deliveries",
    responses: read_responses![
        answer(
            200,
            "The addresses, the one that was notified last at first",
            r#"{"endpoints":[{"url":"http://localhost:3000/webhook","dialect":"mercadopago","merchant":"100000001","deliveries":3,"delivered":1,"waiting":1,"failed":0,"exhausted":1,"attempts":6,"success_percent":50,"duration_ms":12,"next_at":"2026-11-20T10:05:00Z","last":{"id":"0197a000-0000-4000-8000-000000000004","at":"2026-11-20T10:00:00Z","state":"delivered","status":200,"error":null}}],"next":null}"#,
        ),
        Response::also(
            200,
            r#"[{"endpoints":[{"success_percent":null,"duration_ms":null,"next_at":null,"last":{"status":null,"error":"connect"}}]}]"#,
        )
    ],
    ..call("GET", "/_cobro/v1/endpoints", "listEndpoints")
};

static REPLAY: Endpoint = Endpoint {
    summary: "Sends many deliveries once more, each as a new one",
    request: Some(r#"{"ids":["0197a000-0000-4000-8000-000000000004"]}"#),
    responses: write_responses![answer(
        200,
        "The new deliveries, in the order that was given",
        r#"{"deliveries":[{"id":"0197a000-0000-4000-8000-000000000005","event_id":"0197a000-0000-4000-8000-000000000002","at":"2026-11-20T10:00:00Z","dialect":"mercadopago","merchant":"100000001","url":"http://localhost:3000/webhook","attempt":1,"state":"waiting","next_at":"2026-11-20T10:00:00Z","request":{"headers":{},"body":null},"response":null,"attempts":[]}],"next":null}"#,
    )],
    ..call("POST", "/_cobro/v1/deliveries/replay", "replayDeliveries")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&HEALTH, get(health)).at(&REPLAY, post(replay))
}

/// What the deliveries to one address say of it.
#[derive(Default)]
struct Tally {
    deliveries: u64,
    delivered: u64,
    waiting: u64,
    failed: u64,
    exhausted: u64,
    attempts: i64,
    durations_ms: Vec<u64>,
    next_at: Option<String>,
    /// The newest delivery that has been tried, and its answer.
    last: Option<Value>,
}

impl Tally {
    /// Counts a delivery; the newest comes first.
    fn count(&mut self, delivery: &Delivery) {
        self.deliveries = self.deliveries.saturating_add(1);
        let counter = match delivery.state {
            DeliveryState::Waiting { next_at } => {
                let next_at = next_at.to_string();
                if self.next_at.as_ref().is_none_or(|known| next_at < *known) {
                    self.next_at = Some(next_at);
                }
                &mut self.waiting
            }
            DeliveryState::Delivered => &mut self.delivered,
            DeliveryState::Failed => &mut self.failed,
            DeliveryState::Exhausted => &mut self.exhausted,
        };
        *counter = counter.saturating_add(1);
        self.attempts = self.attempts.saturating_add(delivery.attempts);
        if delivery.attempts == 0 {
            return;
        }
        let answer = last_answer(delivery).unwrap_or_default();
        self.durations_ms.extend(answer.get("duration_ms").and_then(Value::as_u64));
        if self.last.is_none() {
            self.last = Some(json!({
                "id": delivery.id.to_string(),
                "at": delivery.created_at.to_string(),
                "state": delivery.state.code(),
                "status": answer.get("status"),
                "error": answer.get("error"),
            }));
        }
    }

    /// The shares of what has ended, and the median of how long answers took.
    fn described(mut self, url: &str, whose: Option<&view::Whose>) -> Value {
        let ended = self.delivered.saturating_add(self.failed).saturating_add(self.exhausted);
        let success_percent = self.delivered.saturating_mul(100).checked_div(ended);
        self.durations_ms.sort_unstable();
        let duration_ms = self.durations_ms.get(self.durations_ms.len() / 2);
        json!({
            "url": url,
            "dialect": whose.map(|whose| &whose.dialect),
            "merchant": whose.map(|whose| &whose.merchant),
            "deliveries": self.deliveries,
            "delivered": self.delivered,
            "waiting": self.waiting,
            "failed": self.failed,
            "exhausted": self.exhausted,
            "attempts": self.attempts,
            "success_percent": success_percent,
            "duration_ms": duration_ms,
            "next_at": self.next_at,
            "last": self.last,
        })
    }
}

async fn health(Selected(world): Selected) -> Answer {
    let rows = world.deliveries(None, LOOKED_AT).await?;
    let mut order: Vec<(MerchantId, &str)> = Vec::new();
    let mut tallies: BTreeMap<(MerchantId, &str), Tally> = BTreeMap::new();
    for row in &rows {
        let place = (row.merchant, row.url.as_str());
        if !tallies.contains_key(&place) {
            order.push(place);
        }
        tallies.entry(place).or_default().count(row);
    }
    let owners = owners(&world).await?;
    let shown = order.into_iter().filter_map(|place| {
        let tally = tallies.remove(&place)?;
        Some(tally.described(place.1, owners.get(&place.0)))
    });
    Ok(view::list("endpoints", shown.collect(), None))
}

async fn replay(Selected(world): Selected, input: Input) -> Answer {
    let ids = named(input.members(&["ids"])?)?;
    let owners = owners(&world).await?;
    let mut made = Vec::with_capacity(ids.len());
    for id in ids {
        let delivery = send_again(&world, &id).await?;
        made.push(view::delivery(&delivery, owners.get(&delivery.merchant)));
    }
    Ok(ok(&json!({"deliveries": made, "next": null})))
}

async fn send_again(world: &World, id: &str) -> Result<Delivery, EngineError> {
    let id = DeliveryId::parse(id).ok_or(EngineError::NotFound(Subject::Delivery))?;
    world.replay_delivery(id).await
}

/// The ids that the body names.
fn named(members: Members<'_>) -> Result<Vec<String>, Refusal> {
    let refusal = || Refusal::bad(format!("ids must be a list of 1 to {REPLAYED_MAX} ids"));
    let Some(Json::Array(list)) = members.get("ids") else { return Err(refusal()) };
    if list.is_empty() || list.len() > REPLAYED_MAX {
        return Err(refusal());
    }
    list.iter().map(|id| id.as_str().map(str::to_owned).ok_or_else(refusal)).collect()
}
