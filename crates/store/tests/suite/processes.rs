//! Two stores on one database: as two processes, or an old and a new one.

use cobro_store::rows::TailRow;
use cobro_store::{Store, TxError};

use crate::{Place, bump, key, last, merchant, on_both, tail};

on_both!(what_is_remembered_is_forgotten_when_another_wrote, two_processes_count_together);

async fn remove(store: &Store) {
    let removed = store.write(merchant(), |tx| {
        tx.delete::<TailRow>(&key("a"));
        Ok::<_, TxError>(())
    });
    removed.await.unwrap().unwrap();
}

async fn what_is_remembered_is_forgotten_when_another_wrote(place: &Place) {
    let (one, two) = (place.open(), place.open());
    // Both remember that there is nothing.
    assert_eq!((last(&one, "a").await, last(&two, "a").await), (None, None));
    for round in 0..5 {
        assert_eq!(bump(&one, "a").await, Ok(4 * round + 1));
        assert_eq!(bump(&one, "a").await, Ok(4 * round + 2));
        assert_eq!(bump(&two, "a").await, Ok(4 * round + 3));
        assert_eq!(last(&one, "a").await, Some(4 * round + 3));
        assert_eq!(bump(&two, "a").await, Ok(4 * round + 4));
    }
    remove(&two).await;
    assert_eq!(last(&one, "a").await, None);
    // A refused command of one's own in between changes nothing.
    let refused = one.write(merchant(), |tx| {
        tx.insert(&tail("a", 9));
        Err::<(), ()>(())
    });
    assert_eq!(refused.await, Ok(Err(())));
    assert_eq!(bump(&two, "a").await, Ok(1));
    assert_eq!(last(&one, "a").await, Some(1));
}

async fn two_processes_count_together(place: &Place) {
    let stores = [place.open(), place.open()];
    let sent: Vec<_> = (0..64)
        .map(|number| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move { bump(&store, "anchor").await.unwrap() })
        })
        .collect();
    let mut counted = Vec::new();
    for answer in sent {
        counted.push(answer.await.unwrap());
    }
    counted.sort_unstable();
    assert_eq!(counted, (1..=64_i64).collect::<Vec<_>>());
}
