//! Seeded histories: callers, terminals, time, crashes between the steps and an acquirer that is
//! slow, silent or late, all drawn from a seed. After each, everything that was promised is checked
//! against the rows, the acquirer's book and what the callers remember.
//!
//! `SEED=n cargo test -p cobro-engine histories` plays history `n` again, and nothing else;
//! `HISTORIES=n` plays the first `n`, and a twentieth of them on PostgreSQL. What happens follows from
//! the seed alone: calls that are made at once meet in one batch, and their messages to the acquirer
//! then take turns.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod asking;
mod calls;
mod checks;
mod dialect;
mod history;
mod stage;
mod wild;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use calls::Call;
use history::{History, Plan};
use shared::process::Place;

/// How many steps a history has.
const STEPS: usize = 200;

/// How many histories are played unless told otherwise, and how many times fewer on PostgreSQL.
const HISTORIES: u64 = 80;
const FEWER_ON_POSTGRES: u64 = 20;

/// How many histories are compared row by row.
const COMPARED: u64 = 3;

/// How many steps of a history that failed are shown.
const SHOWN: usize = 12;

type Tally = BTreeMap<(&'static str, &'static str), u64>;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Plays a history to its end, or fails with its seed.
fn play(plan: Plan, place: Place) -> History {
    let mut history = History::new(plan, place);
    let end = catch_unwind(AssertUnwindSafe(|| {
        history.play()?;
        history.check()
    }));
    let error = match end {
        Ok(Ok(())) => return history,
        Ok(Err(error)) => error,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            text.unwrap_or_else(|| "it panicked".to_owned())
        }
    };
    let from = history.steps.len().saturating_sub(SHOWN);
    let steps = history.steps[from..].join("\n  ");
    let seed = plan.seed;
    panic!(
        "history {seed} failed after {} steps: {error}\n{plan:?}, lately:\n  {steps}\n\
         SEED={seed} cargo test -p cobro-engine histories",
        history.steps.len()
    );
}

/// Plays the histories with these seeds on two threads.
fn play_all(fewer: u64, lanes: i64, place: fn() -> Option<Place>) {
    let seeds = match variable("SEED") {
        Some(seed) => seed..=seed,
        None => 1..=variable("HISTORIES").unwrap_or(HISTORIES).div_ceil(fewer),
    };
    let next = AtomicU64::new(*seeds.start());
    let tally: Mutex<Tally> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > *seeds.end() {
                        return;
                    }
                    let Some(place) = place() else { return };
                    let steps = STEPS;
                    let prove_rerunnable = seed.is_multiple_of(4);
                    let plan = Plan { seed, steps, lanes, prove_rerunnable };
                    let mut history = play(plan, place);
                    history.check_usable().unwrap_or_else(|error| panic!("SEED={seed}: {error}"));
                    for (what, count) in std::mem::take(&mut history.memory.tally) {
                        *tally.lock().unwrap().entry(what).or_default() += count;
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("{tally:?}");
    if seeds.clone().count() >= 50 && !tally.is_empty() {
        assert_nothing_is_missing(&tally);
    }
}

/// Histories in which nothing is ever done, or nothing ever goes wrong, prove nothing.
fn assert_nothing_is_missing(tally: &Tally) {
    for kind in Call::KINDS {
        for how in ["done", "refused", "unanswered"] {
            assert!(tally.contains_key(&(kind, how)), "no {kind} was {how}: {tally:?}");
        }
    }
    for what in ["at once", "crash", "hang up", "rival", "slow"] {
        assert!(tally.contains_key(&(what, "done")), "no {what}: {tally:?}");
    }
}

#[test]
fn seeded_histories_keep_every_promise_on_sqlite() {
    play_all(1, 1, || Some(Place::sqlite()));
}

#[test]
fn seeded_histories_keep_every_promise_on_postgres() {
    play_all(FEWER_ON_POSTGRES, 2, Place::postgres);
}

/// A history leaves the same rows whenever it is played: with commands run once or again after each
/// read, and on either database.
#[test]
fn histories_leave_the_same_rows() {
    let seeds = variable("SEED").map_or(1..=COMPARED, |seed| seed..=seed);
    for seed in seeds {
        let played = |place: Place, prove_rerunnable: bool| {
            play(Plan { seed, steps: STEPS, lanes: 1, prove_rerunnable }, place).life().dump()
        };
        let direct = played(Place::sqlite(), false);
        assert!(direct.iter().any(|(table, rows)| table == "refund" && !rows.is_empty()));
        assert_same(seed, "run again after each read", &direct, &played(Place::sqlite(), true));
        if let Some(place) = Place::postgres() {
            assert_same(seed, "on PostgreSQL", &direct, &played(place, false));
        }
    }
}

type Dump = [(String, Vec<Vec<cobro_store::Cell>>)];

fn assert_same(seed: u64, how: &str, direct: &Dump, other: &Dump) {
    assert_eq!(direct.len(), other.len());
    for ((table, one), (_, two)) in direct.iter().zip(other) {
        for (one, two) in one.iter().zip(two) {
            assert_eq!(one, two, "SEED={seed}: table {table}, {how}");
        }
        assert_eq!(one.len(), two.len(), "SEED={seed}: rows of table {table}, {how}");
    }
}
