//! Journals: what callers asked, what happened, what was delivered.

use std::collections::HashMap;

use axum::extract::State;
use axum::routing::{get, post};
use cobro_domain::{DeliveryId, EventId, MerchantId, Timestamp};
use cobro_engine::{EngineError, Subject, World};
use cobro_surface::endpoint::{Endpoint, Response, Routes};
use cobro_surface::journal::render;

use crate::Shared;
use crate::answers::{LIST, answer, call, list_responses, write_responses};
use crate::input::{Input, Named, Paging, Selected};
use crate::listings::{LIST_OF, Narrowed};
use crate::refusal::Answer;
use crate::view::{self, Whose, ok};

static REQUESTS: Endpoint = Endpoint {
    summary: "Lists the last requests of the world and their answers, redacted, newest first",
    parameters: LIST,
    responses: list_responses![
        answer(
            200,
            "The requests",
            r#"{"requests":[{"id":"req_7","at":"2026-11-20T10:00:00Z","dialect":"mercadopago","host":"127.0.0.1:7070","method":"POST","path":"/point/integration-api/devices/PAX_A910__SBX0000001/payment-intents","status":201,"duration_us":900,"request":{"headers":{"authorization":"Bearer ****0001"},"body":{"amount":1500}},"response":{"headers":{},"body":{"id":"0197a000-0000-4000-8000-000000000001"}}}],"next":null}"#,
        ),
        Response::also(
            200,
            r#"[{"next":"41","requests":[{"request":{"body":"amount=1500"},"response":{"body":"text"}}]}]"#,
        )
    ],
    ..call("GET", "/_cobro/v1/requests", "listRequests")
};

static EVENTS: Endpoint = Endpoint {
    summary: "Lists what happened, the newest first",
    parameters: LIST,
    responses: list_responses![answer(
        200,
        "The events",
        r#"{"events":[{"id":"0197a000-0000-4000-8000-000000000002","at":"2026-11-20T10:00:00Z","dialect":"mercadopago","merchant":"100000001","kind":"intent.finished","subject":"0197a000-0000-4000-8000-000000000001","data":{"state":"finished"}}],"next":null}"#,
    )],
    ..call("GET", "/_cobro/v1/events", "listEvents")
};

const DELIVERY: &str = r#"{"id":"0197a000-0000-4000-8000-000000000004","event_id":"0197a000-0000-4000-8000-000000000002","at":"2026-11-20T10:00:00Z","dialect":"mercadopago","merchant":"100000001","url":"http://localhost:3000/webhook","attempt":1,"state":"waiting","next_at":"2026-11-20T10:00:00Z","request":{"headers":{},"body":null},"response":null,"attempts":[]}"#;

static DELIVERIES: Endpoint = Endpoint {
    summary: "Lists deliveries to webhooks, the newest first",
    parameters: LIST_OF,
    responses: list_responses![
        answer(
            200,
            "The deliveries",
            r#"{"deliveries":[{"id":"0197a000-0000-4000-8000-000000000004","event_id":"0197a000-0000-4000-8000-000000000002","at":"2026-11-20T10:00:00Z","dialect":"mercadopago","merchant":"100000001","url":"http://localhost:3000/webhook","attempt":1,"state":"delivered","next_at":null,"request":{"headers":{"content-type":"application/json"},"body":"{}"},"response":{"status":200,"body":""},"attempts":[{"attempt":1,"at":"2026-11-20T10:00:00Z","due_at":"2026-11-20T10:00:00Z","request":{"headers":{"content-type":"application/json"},"body":"{}"},"response":{"status":200,"body":""}}]}],"next":null}"#,
        ),
        Response::also(
            200,
            r#"[{"next":"0197a000-0000-4000-8000-000000000004","deliveries":[{"next_at":"2026-11-20T10:00:00Z","response":null,"request":{"body":null},"attempts":[{"at":null,"due_at":null,"request":null,"response":null}]}]}]"#,
        )
    ],
    ..call("GET", "/_cobro/v1/deliveries", "listDeliveries")
};

static REPLAY: Endpoint = Endpoint {
    summary: "Sends a delivery once more, as a new one",
    request: Some("{}"),
    responses: write_responses![
        answer(200, "The new delivery", DELIVERY),
        Response::also(
            200,
            r#"[{"next_at":null,"request":{"body":"{}"},"response":{"status":200,"body":""}}]"#,
        )
    ],
    ..call("POST", "/_cobro/v1/deliveries/{id}/replay", "replayDelivery")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes
        .at(&REQUESTS, get(requests))
        .at(&EVENTS, get(events))
        .at(&DELIVERIES, get(deliveries))
        .at(&REPLAY, post(replay))
}

async fn requests(
    State(shared): State<Shared>,
    Selected(world): Selected,
    paging: Paging,
) -> Answer {
    let cursor = paging.cursor(|text| text.parse::<u64>().ok())?;
    let (records, next) = shared.control.journal.list(world.id(), cursor, paging.limit);
    let time = |micros: i64| Timestamp::from_micros(micros).to_string();
    let shown = records.iter().map(|record| render(record, time)).collect();
    Ok(view::list("requests", shown, next.map(|next| next.to_string())))
}

async fn events(Selected(world): Selected, paging: Paging) -> Answer {
    let before = paging.cursor(EventId::parse)?;
    let rows = world.events(before, paging.rows()).await?;
    let (page, next) = paging.cut(rows, |event| event.id.to_string());
    let owners = owners(&world).await?;
    let shown = page.iter().map(|event| view::event(event, owners.get(&event.merchant)));
    Ok(view::list("events", shown.collect(), next))
}

async fn deliveries(Selected(world): Selected, narrowed: Narrowed, paging: Paging) -> Answer {
    let before = paging.cursor(DeliveryId::parse)?;
    let rows = match narrowed.find(&world).await? {
        Some(merchant) => world.deliveries_of(merchant.id, before, paging.rows()).await?,
        None => world.deliveries(before, paging.rows()).await?,
    };
    let (page, next) = paging.cut(rows, |delivery| delivery.id.to_string());
    let owners = owners(&world).await?;
    let shown = page.iter().map(|one| view::delivery(one, owners.get(&one.merchant)));
    Ok(view::list("deliveries", shown.collect(), next))
}

async fn replay(Selected(world): Selected, Named(id): Named, input: Input) -> Answer {
    input.members(&[])?;
    let id = DeliveryId::parse(&id).ok_or(EngineError::NotFound(Subject::Delivery))?;
    let delivery = world.replay_delivery(id).await?;
    let merchant = world.merchant(delivery.merchant).await?;
    Ok(ok(&view::delivery(&delivery, Some(&Whose::from(&merchant)))))
}

pub(crate) async fn owners(world: &World) -> Result<HashMap<MerchantId, Whose>, EngineError> {
    let merchants = world.merchants().await?;
    Ok(merchants.iter().map(|merchant| (merchant.id, Whose::from(merchant))).collect())
}
