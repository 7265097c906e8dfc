//! The books of one world: what is held in memory, what has finished and is not recorded yet.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cobro_domain::event::{Delivery, DeliveryState};
use cobro_domain::{DeliveryId, Timestamp};
use cobro_engine::World;
use cobro_engine::deliveries::Attempted;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How many deliveries of one world are held in memory.
pub(super) const HELD_MAX: usize = 65_536;

/// What finishes within this time is recorded together.
const GATHER: Duration = Duration::from_millis(3);

/// How many attempts one command records.
const RECORD_MAX: usize = 256;

/// Bounds on the wait between two tries to record.
const RECORD_PAUSE: Duration = Duration::from_millis(100);
const RECORD_PAUSE_MAX: Duration = Duration::from_secs(5);

/// The books of one world. They hold no [`World`], so that a removed world can be dropped.
#[derive(Default)]
pub(super) struct Desk {
    books: Mutex<Books>,
    /// Only one claim reads at a time; see [`Desk::begin_claim`].
    pub(super) claiming: tokio::sync::Mutex<()>,
    /// Grows whenever something is no longer held.
    pub(super) moves: watch::Sender<u64>,
    hurry: watch::Sender<Hurry>,
    /// Ends what still runs; nothing of it is recorded.
    pub(super) cut: CancellationToken,
}

#[derive(Default)]
struct Books {
    /// What waits, runs or is not recorded yet, by lane, with the time at which it fell due.
    held: HashMap<usize, HashMap<DeliveryId, Timestamp>>,
    /// What ceased to be held since the running claim began.
    settled: HashSet<DeliveryId>,
    /// What has finished, by lane.
    finished: HashMap<usize, Vec<Attempted>>,
    /// Lanes on which somebody is recording.
    recording: HashSet<usize>,
    closed: bool,
}

/// How many wait for what is due, and since when.
#[derive(Clone, Copy, Default)]
struct Hurry {
    waiting: usize,
    since: Option<Instant>,
}

/// While it lives, attempts get little time.
pub(super) struct InHurry<'a>(&'a Desk);

impl Drop for InHurry<'_> {
    fn drop(&mut self) {
        self.0.hurry.send_modify(|hurry| {
            hurry.waiting = hurry.waiting.saturating_sub(1);
            if hurry.waiting == 0 {
                hurry.since = None;
            }
        });
    }
}

impl Desk {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A claim begins to read a lane; answers how many of its rows are held. A row that the claim
    /// reads as due may be recorded before the claim has looked at it: those are remembered.
    pub(super) fn begin_claim(&self, lane: usize) -> usize {
        let mut books = self.books();
        books.settled.clear();
        books.held.get(&lane).map_or(0, HashMap::len)
    }

    /// Those rows that nobody has in hand.
    pub(super) fn unheld(&self, lane: usize, rows: Vec<Delivery>) -> Vec<Delivery> {
        let books = self.books();
        let held = books.held.get(&lane);
        let in_hand = |id: &DeliveryId| held.is_some_and(|held| held.contains_key(id));
        rows.into_iter()
            .filter(|row| !in_hand(&row.id) && !books.settled.contains(&row.id))
            .collect()
    }

    /// Takes a delivery in hand; `false` when there are too many, or the world is being closed.
    pub(super) fn hold(&self, lane: usize, delivery: &Delivery) -> bool {
        let DeliveryState::Waiting { next_at } = delivery.state else { return false };
        let mut books = self.books();
        let total: usize = books.held.values().map(HashMap::len).sum();
        if books.closed || total >= HELD_MAX {
            return false;
        }
        books.held.entry(lane).or_default().insert(delivery.id, next_at).is_none()
    }

    /// These are no longer in hand.
    pub(super) fn release(&self, lane: usize, ids: impl IntoIterator<Item = DeliveryId>) {
        let mut books = self.books();
        for id in ids {
            if let Some(held) = books.held.get_mut(&lane) {
                held.remove(&id);
            }
            books.settled.insert(id);
        }
        drop(books);
        self.moves.send_modify(|moves| *moves = moves.wrapping_add(1));
    }

    /// Whether something is in hand that was due at `until`.
    pub(super) fn holds_due(&self, until: Timestamp) -> bool {
        self.books().held.values().flat_map(HashMap::values).any(|due| *due <= until)
    }

    /// Takes nothing more in hand.
    pub(super) fn close(&self) {
        self.books().closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.books().closed
    }

    /// Waits until nothing is in hand.
    pub(super) async fn idle(&self) {
        let mut moves = self.moves.subscribe();
        while self.books().held.values().any(|held| !held.is_empty()) {
            if moves.changed().await.is_err() {
                return;
            }
        }
    }

    /// Somebody waits for what is due.
    pub(super) fn hurry(&self) -> InHurry<'_> {
        self.hurry.send_modify(|hurry| {
            hurry.waiting += 1;
            hurry.since = Some(Instant::now());
        });
        InHurry(self)
    }

    /// Ends once an attempt that began at `began` has had `patience` while somebody waited.
    pub(super) async fn hurried(&self, began: Instant, patience: Duration) {
        let mut hurry = self.hurry.subscribe();
        let since = match hurry.wait_for(|hurry| hurry.since.is_some()).await {
            Ok(hurry) => hurry.since,
            Err(_) => None,
        };
        match since {
            Some(since) => tokio::time::sleep_until(since.max(began) + patience).await,
            None => std::future::pending().await,
        }
    }

    /// Notes what came of an attempt; `true` when the caller has to call [`Desk::record`].
    pub(super) fn note(&self, lane: usize, attempted: Attempted) -> bool {
        let mut books = self.books();
        books.finished.entry(lane).or_default().push(attempted);
        books.recording.insert(lane)
    }

    /// Records what has finished on a lane, and what finishes in the meantime.
    pub(super) async fn record(&self, world: &World, lane: usize) {
        let mut pause = RECORD_PAUSE;
        let mut wait = GATHER;
        loop {
            tokio::select! {
                () = self.cut.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            let batch = {
                let mut books = self.books();
                let finished = books.finished.entry(lane).or_default();
                let batch: Vec<_> = finished.drain(..finished.len().min(RECORD_MAX)).collect();
                if batch.is_empty() {
                    books.finished.remove(&lane);
                    books.recording.remove(&lane);
                    return;
                }
                batch
            };
            let left = self.record_batch(world, lane, batch).await;
            (wait, pause) = if left.is_empty() {
                (GATHER, RECORD_PAUSE)
            } else {
                (pause, (pause * 2).min(RECORD_PAUSE_MAX))
            };
            self.books().finished.entry(lane).or_default().extend(left);
        }
    }

    /// Answers what could not be recorded. What belongs to a store that is closed for good is let
    /// go: it is due again when the store is opened again.
    async fn record_batch(
        &self,
        world: &World,
        lane: usize,
        batch: Vec<Attempted>,
    ) -> Vec<Attempted> {
        let mut left = Vec::new();
        let ids: Vec<_> = batch.iter().map(|attempted| attempted.delivery.id).collect();
        match world.record_attempts(lane, batch.clone()).await {
            Ok(()) => self.release(lane, ids),
            Err(error) => {
                let (id, attempts) = (world.id(), batch.len());
                tracing::warn!(%error, world = id, lane, attempts, "attempts are not recorded yet");
                // One that cannot be recorded must not hold up the others.
                for attempted in batch {
                    let id = attempted.delivery.id;
                    let alone = vec![attempted.clone()];
                    if ids.len() > 1 && world.record_attempts(lane, alone).await.is_ok() {
                        self.release(lane, [id]);
                    } else {
                        left.push(attempted);
                    }
                }
            }
        }
        if world.store().is_stopped() {
            self.release(lane, left.drain(..).map(|attempted| attempted.delivery.id));
        }
        left
    }
}
