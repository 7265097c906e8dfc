//! The write set: what commands leave behind, and what they do to each other.

use std::sync::atomic::Ordering;

use cobro_domain::Timestamp;
use cobro_domain::payment::Payment;
use cobro_store::rows::{DUE_TIMERS, TailRow, Timer, TimerKind};
use cobro_store::{Cell, LaneKey, Row, Store, StoreError, Tx, TxError};

use crate::raw::{sample, verbs_of};
use crate::{Place, START, Sent, bump, key, last, merchant, on_both, tail, together};

on_both!(
    rows_come_change_and_go,
    a_command_sees_what_it_and_its_batch_wrote,
    a_refused_command_drops_its_own_writes_only,
    a_panicking_command_drops_its_own_writes_only,
    a_conflicting_command_hurts_no_neighbour,
    two_of_one_batch_take_the_same_number,
    what_one_frees_another_takes_in_the_same_batch,
    a_claim_sees_what_its_batch_changed,
    sixty_four_commands_at_once_count_to_sixty_four,
    actions_follow_the_commit,
);

type Outcome = Result<Result<(), TxError>, StoreError>;

/// What a command does to its transaction.
type Deed = fn(&mut Tx<'_>);

/// A command on its way.
fn send(
    store: &Store,
    command: impl FnMut(&mut Tx<'_>) -> Result<(), TxError> + Send + 'static,
) -> Sent<Outcome> {
    let store = store.clone();
    Box::pin(async move { store.write(merchant(), command).await })
}

const REFUSED: TxError = TxError::Again;

async fn rows_come_change_and_go(place: &Place) {
    let store = place.open();
    assert_eq!(last(&store, "a").await, None);
    let steps: [(Deed, Option<i64>); 4] = [
        (|tx| tx.insert(&tail("a", 1)), Some(1)),
        (|tx| tx.save(&tail("a", 2)), Some(2)),
        (|tx| tx.delete::<TailRow>(&key("a")), None),
        (|tx| tx.insert(&tail("a", 3)), Some(3)),
    ];
    for (step, expected) in steps {
        send(&store, move |tx| {
            step(tx);
            Ok(())
        })
        .await
        .unwrap()
        .unwrap();
        // Remembered, in a snapshot, and after everything was forgotten.
        assert_eq!(last(&store, "a").await, expected);
        let read = store.read(|reader| reader.get::<TailRow>(&key("a"))).await.unwrap();
        assert_eq!(read.map(|row| row.last), expected);
        assert_eq!(last(&place.open(), "a").await, expected);
    }
}

async fn a_command_sees_what_it_and_its_batch_wrote(place: &Place) {
    let store = place.open();
    let first = send(&store, |tx| {
        tx.insert(&tail("a", 1));
        tx.save(&tail("a", 2));
        assert_eq!(tx.get::<TailRow>(&key("a"))?, Some(tail("a", 2)));
        tx.insert(&tail("b", 1));
        tx.delete::<TailRow>(&key("b"));
        assert_eq!(tx.get::<TailRow>(&key("b"))?, None);
        Ok(())
    });
    let second = send(&store, |tx| {
        assert_eq!(tx.get::<TailRow>(&key("a"))?, Some(tail("a", 2)));
        tx.delete::<TailRow>(&key("a"));
        tx.insert(&tail("a", 3));
        Ok(())
    });
    for outcome in together(&store, vec![first, second]).await {
        assert_eq!(outcome, Ok(Ok(())));
    }
    assert_eq!((last(&store, "a").await, last(&store, "b").await), (Some(3), None));
}

async fn a_refused_command_drops_its_own_writes_only(place: &Place) {
    let store = place.open();
    let before = send(&store, |tx| {
        tx.insert(&tail("a", 1));
        Ok(())
    });
    let refused = send(&store, |tx| {
        tx.save(&tail("a", 9));
        tx.insert(&tail("b", 9));
        Err(REFUSED)
    });
    let after = send(&store, |tx| {
        assert_eq!(tx.get::<TailRow>(&key("a"))?, Some(tail("a", 1)));
        assert_eq!(tx.get::<TailRow>(&key("b"))?, None);
        tx.insert(&tail("c", 1));
        Ok(())
    });
    let outcomes = together(&store, vec![before, refused, after]).await;
    assert_eq!(outcomes, [Ok(Ok(())), Ok(Err(REFUSED)), Ok(Ok(()))]);
    let rows = (last(&store, "a").await, last(&store, "b").await, last(&store, "c").await);
    assert_eq!(rows, (Some(1), None, Some(1)));
}

async fn a_panicking_command_drops_its_own_writes_only(place: &Place) {
    let store = place.open();
    let before = send(&store, |tx| {
        tx.insert(&tail("a", 1));
        Ok(())
    });
    let panics = send(&store, |tx| {
        tx.save(&tail("a", 9));
        tx.insert(&tail("b", 9));
        panic!("as it should")
    });
    let after = send(&store, |tx| {
        assert_eq!(tx.get::<TailRow>(&key("a"))?, Some(tail("a", 1)));
        assert_eq!(tx.get::<TailRow>(&key("b"))?, None);
        Ok(())
    });
    let outcomes = together(&store, vec![before, panics, after]).await;
    assert_eq!(outcomes, [Ok(Ok(())), Err(StoreError::Panicked), Ok(Ok(()))]);
    assert_eq!((last(&store, "a").await, last(&store, "b").await), (Some(1), None));
}

fn payment(row: i64) -> Vec<Cell> {
    sample(Payment::TABLE, row, 0)
}

/// A payment with one column changed.
fn payment_with(row: i64, column: &str, cell: Cell) -> Vec<Cell> {
    let mut cells = payment(row);
    let place = Payment::TABLE.columns.iter().position(|known| known.name == column).unwrap();
    cells[place] = cell;
    cells
}

async fn a_conflicting_command_hurts_no_neighbour(place: &Place) {
    let store = place.open();
    let payments = verbs_of("payment");
    // Of the same merchant as payment 0.
    let (stored, other, free) = (0, 3, 6);
    send(&store, move |tx| {
        (payments.insert)(tx, payment(stored));
        (payments.insert)(tx, payment(other));
        tx.insert(&tail("count", 0));
        Ok(())
    })
    .await
    .unwrap()
    .unwrap();
    let mistakes: [(&str, Deed); 8] = [
        ("inserts a key that is there", |tx| (verbs_of("payment").insert)(tx, payment(0))),
        ("inserts a number that is taken", |tx| {
            (verbs_of("payment").insert)(tx, payment_with(6, "number", Cell::Int(0)));
        }),
        ("saves a number that is taken", |tx| {
            (verbs_of("payment").save)(tx, payment_with(0, "number", Cell::Int(3)));
        }),
        ("inserts what breaks a check", |tx| {
            (verbs_of("payment").insert)(tx, payment_with(6, "captured", Cell::Int(1_000_000)));
        }),
        ("saves what breaks a check", |tx| {
            (verbs_of("payment").save)(tx, payment_with(0, "refunded", Cell::Int(-1)));
        }),
        ("inserts no value where there must be one", |tx| {
            (verbs_of("payment").insert)(tx, payment_with(6, "brand", Cell::Null));
        }),
        ("saves a row that is not there", |tx| (verbs_of("payment").save)(tx, payment(6))),
        ("deletes a row that is not there", |tx| {
            (verbs_of("payment").delete)(tx, payment(6).into_iter().take(2).collect());
        }),
    ];
    for (place, (what, mistake)) in (1..).zip(mistakes) {
        let count = || {
            send(&store, |tx| {
                let count = tx.get::<TailRow>(&key("count"))?.unwrap();
                tx.save(&tail("count", count.last + 1));
                Ok(())
            })
        };
        let wrong = send(&store, move |tx| {
            tx.save(&tail("count", -1));
            mistake(tx);
            Ok(())
        });
        let outcomes = together(&store, vec![count(), wrong, count()]).await;
        let conflict = Err(StoreError::Conflict("payment"));
        assert_eq!(outcomes, [Ok(Ok(())), conflict, Ok(Ok(()))], "{what}");
        assert_eq!(last(&store, "count").await, Some(2 * place), "{what}");
        let reruns = store.counters().next().unwrap().reruns.load(Ordering::Relaxed);
        assert_eq!(i64::try_from(reruns).unwrap(), place, "{what}");
    }
    let there = send(&store, move |tx| {
        let mut rows = Vec::new();
        for row in [stored, other, free] {
            rows.push((payments.get)(tx, payment(row).into_iter().take(2).collect())?);
        }
        assert_eq!(rows, [Some(payment(0)), Some(payment(3)), None]);
        Ok(())
    });
    assert_eq!(there.await, Ok(Ok(())));
}

async fn two_of_one_batch_take_the_same_number(place: &Place) {
    let store = place.open();
    let take = |row: i64| {
        send(&store, move |tx| {
            (verbs_of("payment").insert)(tx, payment_with(row, "number", Cell::Int(5)));
            Ok(())
        })
    };
    let outcomes = together(&store, vec![take(0), take(3)]).await;
    assert_eq!(outcomes, [Ok(Ok(())), Err(StoreError::Conflict("payment"))]);
    let rows = store.read(|reader| reader.rows("SELECT number FROM payment", &[])).await.unwrap();
    assert_eq!(rows, [[Cell::Int(5)]]);
}

async fn what_one_frees_another_takes_in_the_same_batch(place: &Place) {
    let store = place.open();
    let payments = verbs_of("payment");
    let number = |row, number| payment_with(row, "number", Cell::Int(number));
    send(&store, move |tx| {
        (payments.insert)(tx, number(0, 1));
        (payments.insert)(tx, number(3, 2));
        Ok(())
    })
    .await
    .unwrap()
    .unwrap();
    let free = send(&store, move |tx| {
        (payments.save)(tx, number(0, 4));
        (payments.delete)(tx, payment(3).into_iter().take(2).collect());
        Ok(())
    });
    let take = send(&store, move |tx| {
        (payments.insert)(tx, number(6, 1));
        (payments.insert)(tx, number(9, 2));
        Ok(())
    });
    assert_eq!(together(&store, vec![free, take]).await, [Ok(Ok(())), Ok(Ok(()))]);
    assert_eq!(store.counters().next().unwrap().reruns.load(Ordering::Relaxed), 0);
}

fn timer(subject: &str, due_at: i64) -> Timer {
    Timer {
        merchant: merchant(),
        kind: TimerKind::Terminal,
        subject: subject.to_owned(),
        lane: 0,
        due_at: Timestamp::from_micros(due_at),
        attempts: 0,
    }
}

async fn a_claim_sees_what_its_batch_changed(place: &Place) {
    let store = place.open();
    send(&store, |tx| {
        for (subject, due_at) in [("late", 1), ("later", 2), ("gone", 3), ("moved", 4), ("own", 5)]
        {
            tx.insert(&timer(subject, due_at));
        }
        tx.insert(&timer("future", START * 2));
        tx.insert(&Timer { lane: 1, ..timer("other lane", 1) });
        Ok(())
    })
    .await
    .unwrap()
    .unwrap();
    let claim = |limit, expected: &'static [&'static str]| {
        send(&store, move |tx| {
            let due = tx.claim(&DUE_TIMERS, limit)?;
            let subjects: Vec<_> = due.iter().map(|timer| timer.subject.as_str()).collect();
            assert_eq!(subjects, expected);
            Ok(())
        })
    };
    assert_eq!(claim(2, &["late", "later"]).await, Ok(Ok(())));
    let change = send(&store, |tx| {
        let key =
            |subject: &str| (merchant(), TimerKind::Terminal.code().to_owned(), subject.to_owned());
        tx.delete::<Timer>(&key("gone"));
        tx.save(&timer("moved", START * 2));
        tx.save(&Timer { attempts: 7, ..timer("later", 2) });
        Ok(())
    });
    let own = send(&store, |tx| {
        tx.save(&timer("own", START * 2));
        let due = tx.claim(&DUE_TIMERS, 10)?;
        let seen: Vec<_> = due.iter().map(|timer| (&*timer.subject, timer.attempts)).collect();
        assert_eq!(seen, [("late", 0), ("later", 7)]);
        Ok(())
    });
    assert_eq!(together(&store, vec![change, own]).await, [Ok(Ok(())), Ok(Ok(()))]);
    assert_eq!(claim(10, &["late", "later"]).await, Ok(Ok(())));
}

async fn sixty_four_commands_at_once_count_to_sixty_four(place: &Place) {
    let store = place.open();
    let sent: Vec<Sent<_>> = (0..64)
        .map(|_| {
            let store = store.clone();
            Box::pin(async move { bump(&store, "anchor").await.unwrap() }) as Sent<_>
        })
        .collect();
    let mut counted = together(&store, sent).await;
    counted.sort_unstable();
    assert_eq!(counted, (1..=64_i64).collect::<Vec<_>>());
    assert_eq!(last(&store, "anchor").await, Some(64));
    // The one that held the lane, all of these, the one that read.
    let batches = store.counters().next().unwrap().batches.load(Ordering::Relaxed);
    assert_eq!(batches, 3);
}

async fn actions_follow_the_commit(place: &Place) {
    let store = place.open();
    let (told, heard) = std::sync::mpsc::channel();
    let act = |name: &'static str, refuse: bool| {
        let told = told.clone();
        send(&store, move |tx| {
            tx.insert(&tail(name, 1));
            let told = told.clone();
            tx.after_commit(move || told.send(name).unwrap());
            if refuse { Err(REFUSED) } else { Ok(()) }
        })
    };
    together(&store, vec![act("a", false), act("b", true), act("c", false)]).await;
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["a", "c"]);
    let answer: Outcome = store
        .write(LaneKey(0), {
            let told = told.clone();
            move |tx| {
                tx.insert(&tail("a", 1));
                let told = told.clone();
                tx.after_commit(move || told.send("conflict").unwrap());
                Ok(())
            }
        })
        .await;
    assert_eq!(answer, Err(StoreError::Conflict("tail")));
    assert_eq!(heard.try_iter().count(), 0);
}
