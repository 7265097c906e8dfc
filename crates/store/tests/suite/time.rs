//! A lane's time: strictly growing, whatever the clock does.

use cobro_store::{Store, TxError};

use crate::{Place, START, merchant, on_both, tail};

on_both!(time_grows_with_every_batch);

/// The time of a command that leaves something behind.
async fn stamp(store: &Store, number: i64) -> i64 {
    let stamped = store.write(merchant(), move |tx| {
        tx.insert(&tail(&format!("stamp {number}"), number));
        Ok::<_, TxError>(tx.now().micros())
    });
    stamped.await.unwrap().unwrap()
}

async fn time_grows_with_every_batch(place: &Place) {
    let store = place.open();
    let hour = 3_600_000_000;
    let table = [
        ("the clock stands", START, START + 1),
        ("the clock still stands", START, START + 2),
        ("the clock goes on", START + 100, START + 100),
        ("the clock goes back", START - hour, START + 101),
        ("the clock goes on again, behind", START, START + 102),
        ("the clock jumps", START + hour, START + hour),
    ];
    for (number, (what, clock, expected)) in (0..).zip(table) {
        place.clock.set(clock);
        assert_eq!(stamp(&store, number).await, expected, "{what}");
        assert_eq!(store.now().micros(), expected, "{what}");
    }
    // Another process, whose clock is behind.
    place.clock.set(START);
    let other = place.open();
    assert_eq!(other.now().micros(), START + hour);
    assert_eq!(stamp(&other, 6).await, START + hour + 1);
    assert_eq!(stamp(&store, 7).await, START + hour + 2);
}
