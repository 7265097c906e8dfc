//! How many commands a second a store makes durable: each reads a row, saves it and inserts one.
//!
//! `cargo run --release -p cobro-store --example lanes -- DIRECTORY-OR-URL [seconds] [callers]`
//!
//! First every caller writes for a merchant of its own, then all write for one. On PostgreSQL
//! there are two lanes. Prints; asserts only that nothing was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cobro_domain::event::{Event, EventKind};
use cobro_domain::{Clock, EventId, MerchantId, Timestamp};
use cobro_store::rows::{TailRow, WORLD};
use cobro_store::store::Durability;
use cobro_store::{Cell, Location, Options, Store, TxError};
use uuid::Uuid;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A lane's time grows by itself, so that the clock may stand.
struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000)
    }
}

static LAST_EVENT: AtomicI64 = AtomicI64::new(0);

async fn command(store: &Store, merchant: MerchantId) -> Result<(), Failed> {
    let number = LAST_EVENT.fetch_add(1, Ordering::Relaxed);
    let id = EventId(Uuid::from_u128(u128::from(number.unsigned_abs())));
    let written = store.write(merchant, move |tx| {
        let kind = "measured".to_owned();
        match tx.get::<TailRow>(&(merchant, kind.clone()))? {
            Some(row) => tx.save(&TailRow { last: row.last + 1, ..row }),
            None => tx.insert(&TailRow { merchant, kind, last: 1 }),
        }
        tx.insert(&Event {
            merchant,
            id,
            at: tx.now(),
            kind: EventKind::ALL[0],
            subject: "measured".to_owned(),
            data: "x".repeat(200),
        });
        Ok::<_, TxError>(())
    });
    Ok(written.await??)
}

async fn measure(
    store: &Store,
    what: &str,
    seconds: u64,
    callers: u128,
    merchants: u128,
) -> Result<(), Failed> {
    let done = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let end = began + Duration::from_secs(seconds);
    let mut running = Vec::new();
    for caller in 0..callers {
        let (store, done) = (store.clone(), done.clone());
        running.push(tokio::spawn(async move {
            while Instant::now() < end {
                command(&store, MerchantId(Uuid::from_u128(caller % merchants))).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failed>(())
        }));
    }
    for caller in running {
        caller.await??;
    }
    let done = done.load(Ordering::Relaxed);
    let per_second = u128::from(done) * 1000 / began.elapsed().as_millis().max(1);
    println!("{what}: {per_second} commands a second with {callers} callers");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().ok_or("say where: a directory or a URL")?;
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let callers = arguments.next().map_or(Ok(128), |text| text.parse())?;
    let postgres = place.starts_with("postgres");
    let location = if postgres {
        Location::Postgres { url: place }
    } else {
        let path = std::path::Path::new(&place).join("measured.db");
        Location::Sqlite { path, durability: Durability::Full }
    };
    let lanes = if postgres { 2 } else { 1 };
    let options = Options {
        location,
        lanes,
        readers: 1,
        clock: Arc::new(StandingClock),
        prove_rerunnable: false,
    };
    let store = Store::open(&WORLD, &options)?;
    let counted = "SELECT COUNT(*) FROM event";
    let before = store.read(move |reader| reader.rows(counted, &[])).await?;
    if before != [[Cell::Int(0)]] {
        return Err("the store must be new".into());
    }
    measure(&store, "a merchant each", seconds, callers, callers).await?;
    measure(&store, "one merchant", seconds, callers, 1).await?;
    let (mut batches, mut commands) = (0, 0);
    for lane in store.counters() {
        batches += lane.batches.load(Ordering::Relaxed);
        commands += lane.commands.load(Ordering::Relaxed);
    }
    println!("{} commands a batch", commands / batches.max(1));
    let after = store.read(move |reader| reader.rows(counted, &[])).await?;
    assert_eq!(after, [[Cell::Int(LAST_EVENT.load(Ordering::Relaxed))]], "commands were lost");
    Ok(())
}
