//! What waits for what: nothing twice at once, intents in order, no endpoint for another.

use std::collections::HashMap;
use std::sync::Arc;

use cobro_domain::event::DeliveryState;
use cobro_engine::World;
use tokio::sync::Semaphore;

use crate::endpoint::{AMPLE, Hook, SHORT, answer, body};
use crate::worlds::{
    Place, Plain, Running, Shop, all, deliveries, deliveries_with, open, recorded, waits,
};

/// A receiver that answers 200, but holds back what `held` says until the gate lets it go.
async fn holding(held: fn(&str) -> bool, gate: &Arc<Semaphore>) -> Hook {
    let gate = gate.clone();
    Hook::open(move |request| {
        let gate = gate.clone();
        async move {
            if held(&request) {
                gate.acquire().await.unwrap().forget();
            }
            answer(200, "")
        }
    })
    .await
}

#[tokio::test]
async fn a_hanging_endpoint_delays_no_other() {
    let (hanging, mut healthy) = (Hook::hanging().await, Hook::answering(answer(200, "")).await);
    let place = Place::new();
    let world = open(&place, Plain::default());
    let mut changes = world.changes();
    let stuck = Shop::open(&world, "stuck", &hanging.url).await;
    let well = Shop::open(&world, "well", &healthy.url).await;
    for _ in 0..32 {
        stuck.take(&world).await;
    }
    for _ in 0..32 {
        well.take(&world).await;
    }
    let running = Running::start(&deliveries_with(AMPLE, SHORT), &world);
    for _ in 0..32 {
        healthy.next().await;
    }
    recorded(&mut changes, 32).await;
    running.stop().await;
    let rows = all(&world).await;
    let (of_stuck, of_well): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.merchant == stuck.id);
    assert!(of_well.len() == 32 && of_well.iter().all(|row| row.state == DeliveryState::Delivered));
    assert!(of_stuck.len() == 32 && of_stuck.iter().all(|row| waits(row) && row.attempts == 0));
    assert!(healthy.unseen() == 0 && hanging.unseen() <= 4);
}

/// A shop whose deliveries are claimed together with those of `shop`.
async fn neighbour(world: &World, shop: &Shop, url: &str) -> Shop {
    for number in 0..64 {
        let other = Shop::open(world, &format!("well{number}"), url).await;
        if world.lane_of(other.id) == world.lane_of(shop.id) {
            return other;
        }
    }
    panic!("no shop came to the same lane");
}

#[tokio::test]
async fn a_backlog_that_does_not_fit_in_memory_delays_no_other() {
    let (mut hanging, mut healthy) =
        (Hook::hanging().await, Hook::answering(answer(200, "")).await);
    let place = Place::new();
    let world = open(&place, Plain::default());
    let stuck = Shop::open(&world, "stuck", &hanging.url).await;
    let well = neighbour(&world, &stuck, &healthy.url).await;
    stuck.take(&world).await;
    let first = all(&world).await.remove(0);
    for _ in 0..700 {
        world.replay_delivery(first.id).await.unwrap();
    }
    let running = Running::start(&deliveries_with(AMPLE, SHORT), &world);
    hanging.next().await;
    let (_, intent) = well.take(&world).await;
    assert_eq!(body(&healthy.next().await), format!("{intent} intent.on_terminal"));
    running.stop().await;
    // All of them tell of one intent, so only one is under way.
    assert_eq!(hanging.unseen(), 0);
}

#[tokio::test]
async fn first_attempts_of_an_intent_go_in_order() {
    let gate = Arc::new(Semaphore::new(0));
    let mut hook = holding(|request| request.contains("intent.on_terminal"), &gate).await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let mut changes = world.changes();
    let running = Running::start(&deliveries(), &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    for _ in 0..3 {
        let (terminal, _) = shop.take(&world).await;
        shop.cancel(&world, terminal).await;
    }
    let mut heard: HashMap<String, Vec<String>> = HashMap::new();
    let mut note = |request: String| {
        let (intent, kind) = body(&request).split_once(' ').unwrap();
        heard.entry(intent.to_owned()).or_default().push(kind.to_owned());
        kind.to_owned()
    };
    for _ in 0..3 {
        assert_eq!(note(hook.next().await), "intent.on_terminal");
    }
    // All three are held back, and with them what comes after.
    assert_eq!(hook.unseen(), 0);
    gate.add_permits(1);
    assert_eq!(note(hook.next().await), "intent.canceled");
    recorded(&mut changes, 2).await;
    assert_eq!(hook.unseen(), 0);
    gate.add_permits(2);
    for _ in 0..2 {
        assert_eq!(note(hook.next().await), "intent.canceled");
    }
    recorded(&mut changes, 4).await;
    running.stop().await;
    assert_eq!(heard.len(), 3);
    assert!(heard.values().all(|kinds| *kinds == ["intent.on_terminal", "intent.canceled"]));
}

#[tokio::test]
async fn a_failed_attempt_holds_up_nobody() {
    let said = |request: String| {
        let failing = request.contains("intent.on_terminal");
        std::future::ready(answer(if failing { 500 } else { 200 }, ""))
    };
    let hook = Hook::open(said).await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let mut changes = world.changes();
    let running = Running::start(&deliveries(), &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    let (terminal, _) = shop.take(&world).await;
    shop.cancel(&world, terminal).await;
    recorded(&mut changes, 2).await;
    running.stop().await;
    let states: Vec<_> = all(&world).await.iter().map(|row| row.state.code()).collect();
    assert_eq!(states, ["waiting", "delivered"]);
    assert_eq!(hook.unseen(), 2);
}

#[tokio::test]
async fn nothing_is_sent_twice_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let mut hook = holding(|_| true, &gate).await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let mut changes = world.changes();
    let deliveries = deliveries();
    world.set_deliverer(deliveries.clone());
    let running = Running::start(&deliveries, &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    // Each one that arrives shows that what was due was read again, the earlier ones included.
    for _ in 0..4 {
        shop.take(&world).await;
        hook.next().await;
    }
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                let deliverer = world.deliverer().unwrap();
                deliverer.deliver_due(&world).await;
            })
        })
        .collect();
    gate.add_permits(4);
    recorded(&mut changes, 4).await;
    for one in waiting {
        one.await.unwrap();
    }
    running.stop().await;
    assert_eq!(hook.unseen(), 0);
    let rows = all(&world).await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered && row.attempts == 1));
}
