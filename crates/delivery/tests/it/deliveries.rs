//! What becomes of deliveries: sent, recorded, tried again, given up, sent after a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use cobro_delivery::Deliveries;
use cobro_delivery::address::Policy;
use cobro_delivery::sender::Sender;
use cobro_domain::event::DeliveryState;
use cobro_engine::world::Deliverer;
use tokio::sync::Semaphore;

use crate::endpoint::{AMPLE, Answers, Hook, SHORT, Tripwire, answer, body, header};
use crate::worlds::{
    Place, Plain, Running, SCHEDULE, START, Shop, Still, all, deliveries, deliveries_with, json,
    only, open, open_by, recorded, waits,
};

#[tokio::test]
async fn each_is_sent_once_and_recorded() {
    let mut hook = Hook::answering(answer(200, "ok")).await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let mut changes = world.changes();
    let running = Running::start(&deliveries(), &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    let (terminal, intent) = shop.take(&world).await;
    recorded(&mut changes, 1).await;
    shop.cancel(&world, terminal).await;
    recorded(&mut changes, 1).await;
    running.stop().await;

    let told = [format!("{intent} intent.on_terminal"), format!("{intent} intent.canceled")];
    let rows = all(&world).await;
    assert_eq!(rows.len(), told.len());
    for (row, told) in rows.iter().zip(&told) {
        assert_eq!((row.state, row.attempts), (DeliveryState::Delivered, 1));
        let request = hook.next().await;
        assert_eq!(
            (body(&request), header(&request, "x-delivery")),
            (told.as_str(), row.id.to_string().as_str())
        );
        let sent = json(&row.request);
        assert_eq!(sent["body"], told.as_str());
        assert_eq!(sent["url"], hook.url.as_str());
        assert_eq!(sent["headers"]["x-attempt"], "1");
        assert_eq!(sent["headers"]["Authorization"], "***");
        let got = json(&row.response);
        assert_eq!((&got["status"], &got["body"]), (&200.into(), &"ok".into()));
        assert!(got["duration_ms"].is_u64());
    }
    assert_eq!(hook.unseen(), 0);
}

#[tokio::test]
async fn it_is_tried_again_by_the_schedule_until_that_is_used_up() {
    let mut hook = Hook::answering(answer(500, "later")).await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let deliveries = deliveries();
    world.set_deliverer(deliveries.clone());
    let shop = Shop::open(&world, "shop", &hook.url).await;
    shop.take(&world).await;
    deliveries.deliver_due(&world).await;
    let row = only(&world).await;
    let first_retry = DeliveryState::Waiting { next_at: row.created_at.plus_seconds(SCHEDULE[0]) };
    assert_eq!((row.state, row.attempts), (first_retry, 1));

    // Nothing is due between the times of the schedule.
    world.advance_to(START.plus_seconds(SCHEDULE[1] - 1)).await.unwrap();
    assert_eq!(only(&world).await.attempts, 2);
    world.advance_to(START.plus_seconds(40_000)).await.unwrap();
    let row = only(&world).await;
    assert_eq!((row.state, row.attempts), (DeliveryState::Exhausted, 4));
    assert_eq!(json(&row.response)["status"], 500);
    for attempt in 1..=4 {
        let request = hook.next().await;
        assert_eq!(header(&request, "x-attempt"), attempt.to_string());
        assert_eq!(header(&request, "x-delivery"), row.id.to_string());
    }
    assert_eq!(hook.unseen(), 0);
}

#[tokio::test]
async fn the_answer_decides_what_becomes_of_it() {
    let tripwire = Tripwire::set();
    let elsewhere = format!("location: http://127.0.0.1:{}/\r\n", tripwire.port());
    let redirect = answer(302, "").replace("connection", &format!("{elsewhere}connection"));
    let (waiting, done, gone) = ("waiting", "delivered", "failed");
    for (said, word) in [
        (answer(200, ""), done),
        (answer(204, ""), done),
        (redirect, waiting),
        (answer(304, ""), waiting),
        (answer(400, ""), waiting),
        (answer(410, ""), gone),
        (answer(429, ""), waiting),
        (answer(503, ""), waiting),
        ("".to_owned(), waiting),
    ] {
        let hook = Hook::answering(said.clone()).await;
        let place = Place::new();
        let world = open(&place, Plain::default());
        let shop = Shop::open(&world, "shop", &hook.url).await;
        shop.take(&world).await;
        deliveries().deliver_due(&world).await;
        let row = only(&world).await;
        assert_eq!((row.state.code(), row.attempts, hook.unseen()), (word, 1, 1), "{said}");
    }
    assert!(!tripwire.was_touched());
}

#[tokio::test]
async fn without_an_answer_the_reason_is_recorded() {
    let nobody = format!("http://127.0.0.1:{}/", {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    });
    for (url, state, error) in [
        (nobody.as_str(), "waiting", "connect"),
        ("http://erp/", "waiting", "resolve"),
        ("http://169.254.169.254/latest", "failed", "refused"),
        ("file:///etc/passwd", "failed", "refused"),
    ] {
        let place = Place::new();
        let world = open(&place, Plain::default());
        let shop = Shop::open(&world, "shop", url).await;
        shop.take(&world).await;
        let sender = Sender::new(Policy::sandbox()).with_lookup(Answers::default());
        Deliveries::new(Arc::new(sender)).deliver_due(&world).await;
        let row = only(&world).await;
        let got = json(&row.response);
        assert_eq!((row.state.code(), &got["error"]), (state, &error.into()), "{url}");
        assert!(!row.response.contains("169.254") && got["status"].is_null());
    }
}

#[tokio::test]
async fn an_endpoint_that_was_taken_away_gets_nothing() {
    let hook = Hook::answering(answer(200, "")).await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let shop = Shop::open(&world, "shop", &hook.url).await;
    shop.take(&world).await;
    shop.point_to(&world, "").await;
    deliveries().deliver_due(&world).await;
    let row = only(&world).await;
    assert_eq!((row.state, row.attempts, hook.unseen()), (DeliveryState::Failed, 1, 0));
    assert_eq!(json(&row.response)["error"], "nothing_to_send");
}

#[tokio::test]
async fn a_replay_is_a_new_delivery_of_the_same() {
    let mut hook = Hook::answering(answer(200, "")).await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let mut changes = world.changes();
    let running = Running::start(&deliveries(), &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    shop.take(&world).await;
    recorded(&mut changes, 1).await;
    let first = only(&world).await;
    let second = world.replay_delivery(first.id).await.unwrap();
    recorded(&mut changes, 1).await;
    running.stop().await;
    let (one, two) = (hook.next().await, hook.next().await);
    assert_eq!(body(&one), body(&two));
    assert_eq!(header(&one, "x-delivery"), first.id.to_string());
    assert_eq!(header(&two, "x-delivery"), second.id.to_string());
    assert!(first.id != second.id && hook.unseen() == 0);
    assert!(all(&world).await.iter().all(|row| row.state == DeliveryState::Delivered));
}

#[tokio::test]
async fn what_is_kept_of_bodies_is_bounded_and_what_is_sent_is_whole() {
    // Two bytes each, so that a cut in the middle would show.
    let (padding, said) = ("ñ".repeat(50_000), format!("x{}", "é".repeat(50_000)));
    let mut hook = Hook::answering(answer(200, &said)).await;
    let place = Place::new();
    let world = open(&place, Plain { padding: padding.clone(), ..Plain::default() });
    let shop = Shop::open(&world, "shop", &hook.url).await;
    shop.take(&world).await;
    deliveries().deliver_due(&world).await;
    assert!(body(&hook.next().await).ends_with(&padding));
    let row = only(&world).await;
    assert_eq!(row.state, DeliveryState::Delivered);
    for (text, whole) in [(&row.request, None), (&row.response, Some(said.as_str()))] {
        let kept = json(text)["body"].as_str().unwrap().to_owned();
        assert!((16_383..=16_384).contains(&kept.len()), "{}", kept.len());
        assert!(whole.is_none_or(|whole| whole.starts_with(&kept)));
    }
}

#[tokio::test]
async fn whoever_waits_for_what_is_due_waits_a_bounded_time() {
    let mut hook = Hook::hanging().await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let deliveries = deliveries_with(SHORT, AMPLE);
    world.set_deliverer(deliveries.clone());
    let running = Running::start(&deliveries, &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    shop.take(&world).await;
    // Under way, with the dialect's ample time.
    hook.next().await;
    world.advance_to(world.store().now()).await.unwrap();
    let row = only(&world).await;
    assert!(waits(&row) && row.attempts == 1);
    assert_eq!(json(&row.response)["error"], "timeout");
    world.advance_to(START.plus_seconds(40_000)).await.unwrap();
    let row = only(&world).await;
    assert_eq!((row.state, row.attempts), (DeliveryState::Exhausted, 4));
    running.stop().await;
}

#[tokio::test]
async fn the_loop_fires_timers_too() {
    let mut hook = Hook::answering(answer(200, "")).await;
    let place = Place::new();
    let real = Arc::new(Still(AtomicI64::new(START.micros())));
    let world = open_by(&place, Plain::default(), real.clone());
    let running = Running::start(&deliveries(), &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    let (_, intent) = shop.take(&world).await;
    assert_eq!(body(&hook.next().await), format!("{intent} intent.on_terminal"));
    real.0.fetch_add(86_401_000_000, Ordering::SeqCst);
    world.wake();
    assert_eq!(body(&hook.next().await), format!("{intent} intent.abandoned"));
    running.stop().await;
}

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way() {
    let gate = Arc::new(Semaphore::new(0));
    let own = gate.clone();
    let mut hook = Hook::open(move |_| {
        let own = own.clone();
        async move {
            own.acquire().await.unwrap().forget();
            answer(200, "")
        }
    })
    .await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let running = Running::start(&deliveries(), &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    let (terminal, _) = shop.take(&world).await;
    hook.next().await;
    // Behind the first one in order: it must not start any more.
    shop.cancel(&world, terminal).await;
    let stopping = tokio::spawn(running.stop());
    tokio::task::yield_now().await;
    gate.add_permits(1);
    stopping.await.unwrap();
    let states: Vec<_> = all(&world).await.iter().map(|row| row.state.code()).collect();
    assert_eq!(states, ["delivered", "waiting"]);
    assert_eq!(hook.unseen(), 0);
}

#[tokio::test]
async fn what_a_stop_cuts_off_is_sent_again_after_a_restart() {
    let seen = Arc::new(AtomicUsize::new(0));
    let mut hook = Hook::open(move |_| {
        let hangs = seen.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            answer(200, "")
        }
    })
    .await;
    let place = Place::new();
    let world = open(&place, Plain::default());
    let running = Running::start(&deliveries_with(AMPLE, SHORT), &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    shop.take(&world).await;
    let first = hook.next().await;
    running.stop().await;
    let row = only(&world).await;
    assert!(waits(&row) && row.attempts == 0);
    drop(world);

    let world = open(&place, Plain::default());
    let mut changes = world.changes();
    let running = Running::start(&deliveries(), &world);
    recorded(&mut changes, 1).await;
    running.stop().await;
    let second = hook.next().await;
    assert_eq!(header(&first, "x-delivery"), header(&second, "x-delivery"));
    assert_eq!((only(&world).await.state, hook.unseen()), (DeliveryState::Delivered, 0));
}

#[tokio::test]
async fn the_dialects_time_is_heeded() {
    let hook = Hook::hanging().await;
    let place = Place::new();
    let world = open(&place, Plain { timeout: Duration::from_millis(50), ..Plain::default() });
    let mut changes = world.changes();
    let running = Running::start(&deliveries(), &world);
    let shop = Shop::open(&world, "shop", &hook.url).await;
    shop.take(&world).await;
    recorded(&mut changes, 1).await;
    running.stop().await;
    let row = only(&world).await;
    assert!(waits(&row) && row.attempts == 1);
    assert_eq!(json(&row.response)["error"], "timeout");
}
