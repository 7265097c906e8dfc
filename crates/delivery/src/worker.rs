//! The delivery loop: claims what is due, sends it, records what came of it.
//!
//! Claims live in memory: a delivery is in hand from the moment it is read as due until its attempt
//! is recorded, and nothing in hand is sent a second time. After a crash the database still says
//! that it is due, so it is sent again: at least once, with the same id (reliability reference,
//! F32). Which process does this for a lane is said by [`Peers`](cobro_engine::world::Peers).
//!
//! First attempts that tell one endpoint of one thing go in order; retries hold up nobody. Each
//! origin has a queue and a number of places of its own, so a hanging endpoint delays only itself
//! (F33). The times of retries are the dialect's and are reckoned by the world's clock.

mod desk;
mod exchange;
mod queue;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cobro_domain::event::{Delivery, Event};
use cobro_engine::world::{Change, Deliverer};
use cobro_engine::{EngineError, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::sender::Sender;
use desk::Desk;
use queue::{Chain, Place, Queue};

/// How long an attempt may take while somebody waits for it, unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a stopping world waits for what is under way, unless said otherwise.
const GRACE: Duration = Duration::from_secs(10);

/// How much longer than an attempt its record may take before nobody waits for it any more.
const RECORD_GRACE: Duration = Duration::from_secs(1);

/// How many rows a claim reads at first beyond those that are in hand, and at most: it widens while
/// all that it finds belongs to origins whose queues are full.
const CLAIM: usize = 256;
const CLAIM_MAX: usize = 65_536;

/// The longest sleep of the loop: alone, and where another process may have made work.
const SLEEP_MAX: Duration = Duration::from_secs(60);
const SLEEP_MAX_SHARED: Duration = Duration::from_secs(1);

/// How soon the loop looks again when something is due that it cannot finish at once, or when the
/// next due time may have changed.
const SOON: Duration = Duration::from_millis(250);

/// Rest between two rounds of timers, which cost a transaction per lane.
const TIMER_PAUSE: Duration = Duration::from_millis(100);

/// How often payments of vanished processes are looked for, where there are other processes.
const SWEEP_EVERY: Duration = Duration::from_secs(2);

/// How often records that have expired are removed.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Sends the webhooks of worlds. One value serves all worlds of an installation, so that an
/// endpoint's bound holds over all of them.
///
/// [`Deliveries::run`] is the background loop of one world; as a [`Deliverer`] it sends what falls
/// due when a world's clock is moved.
pub struct Deliveries {
    inner: Arc<Inner>,
}

struct Inner {
    sender: Arc<Sender>,
    patience: Duration,
    grace: Duration,
    queue: Mutex<Queue<Job>>,
    /// The books of each world, by its id.
    desks: Mutex<HashMap<String, Arc<Desk>>>,
}

/// A delivery in hand.
struct Job {
    delivery: Delivery,
    lane: usize,
    world: World,
    desk: Arc<Desk>,
}

impl std::fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deliveries").field("sender", &self.inner.sender).finish_non_exhaustive()
    }
}

impl Deliveries {
    /// Deliveries by this sender. An attempt that somebody waits for gets 5 s, a stopping world 10 s.
    #[must_use]
    pub fn new(sender: Arc<Sender>) -> Self {
        Self::with_times(sender, PATIENCE, GRACE)
    }

    /// The same with other times: `patience` is what an attempt gets while [`Deliverer::deliver_due`]
    /// waits for it, `grace` what a world gets to end what is under way. Both are real time.
    #[must_use]
    pub fn with_times(sender: Arc<Sender>, patience: Duration, grace: Duration) -> Self {
        let (queue, desks) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { sender, patience, grace, queue, desks }) }
    }

    /// The background loop of one world: fires its timers, sends its deliveries, and reverses the
    /// payments of vanished processes. Ends when `shutdown` is cancelled: it claims nothing more,
    /// waits for the attempts that run, and cuts off what takes too long, to be sent again later.
    ///
    /// A world that is to be closed has to be shut down in this way first. The loop listens to the
    /// world from this call on, once: that and holding it is how an unused world is told from one
    /// that somebody uses.
    pub fn run(
        self: Arc<Self>,
        world: World,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + Send {
        let changes = world.changes();
        async move {
            let desk = self.inner.desk(&world);
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.inner.keep_working(&world, &desk, changes) => {}
            }
            self.inner.close(&world, &desk).await;
        }
    }
}

impl Deliverer for Deliveries {
    /// Sends what is due at this moment. Each attempt gets 5 s of real time and then counts as timed
    /// out, also one that was under way before.
    fn deliver_due<'a>(&'a self, world: &'a World) -> BoxFuture<'a, ()> {
        Box::pin(self.inner.deliver_due(world))
    }
}

impl Inner {
    fn queue(&self) -> MutexGuard<'_, Queue<Job>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desks(&self) -> MutexGuard<'_, HashMap<String, Arc<Desk>>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self, world: &World) -> Arc<Desk> {
        self.desks().entry(world.id().to_owned()).or_default().clone()
    }

    async fn deliver_due(self: &Arc<Self>, world: &World) {
        let desk = self.desk(world);
        let until = world.store().now();
        let _hurry = desk.hurry();
        let mut moves = desk.moves.subscribe();
        loop {
            moves.borrow_and_update();
            let more = self.claim(world, &desk).await.unwrap_or_else(|error| {
                tracing::warn!(%error, world = world.id(), "what is due cannot be read");
                false
            });
            // What is left over is read again as soon as there is room for it.
            while !more && desk.holds_due(until) {
                if !self.moved(world, &mut moves).await {
                    return;
                }
            }
            if !more || !self.moved(world, &mut moves).await {
                return;
            }
        }
    }

    /// Waits until something is no longer in hand; `false` when that takes longer than an attempt.
    async fn moved(&self, world: &World, moves: &mut tokio::sync::watch::Receiver<u64>) -> bool {
        let moved = tokio::time::timeout(self.patience + RECORD_GRACE, moves.changed()).await;
        let moved = matches!(moved, Ok(Ok(())));
        if !moved {
            tracing::warn!(world = world.id(), "deliveries that are due are not recorded in time");
        }
        moved
    }

    async fn keep_working(
        self: &Arc<Self>,
        world: &World,
        desk: &Arc<Desk>,
        mut changes: broadcast::Receiver<Change>,
    ) {
        let longest = if world.peers().shared() { SLEEP_MAX_SHARED } else { SLEEP_MAX };
        let mut chores = Chores::default();
        loop {
            // Before anything is read, so that no later change is missed.
            changes = changes.resubscribe();
            chores.start(world);
            let mut wait = match self.claim(world, desk).await {
                Ok(false) => longest,
                Ok(true) => SOON,
                Err(error) => {
                    tracing::warn!(%error, world = world.id(), "what is due cannot be read");
                    SOON
                }
            };
            match world.next_due().await {
                Ok(Some(next)) => {
                    let away = next.micros().saturating_sub(world.now().micros());
                    // What is due already is in hand, not ours, or about to be done.
                    let away = u64::try_from(away).map_or(SOON, Duration::from_micros);
                    wait = wait.min(if away.is_zero() { SOON } else { away });
                }
                Ok(None) => {}
                Err(_) => wait = wait.min(SOON),
            }
            something_to_do(world, &mut changes, &mut chores, Instant::now() + wait).await;
        }
    }

    /// Takes in hand what is due on the lanes of this process, and lets it start. Answers whether
    /// something that is due had to be left for want of room.
    async fn claim(self: &Arc<Self>, world: &World, desk: &Arc<Desk>) -> Result<bool, EngineError> {
        let _alone = desk.claiming.lock().await;
        let mut more = false;
        for lane in 0..world.store().lanes() {
            // What a stopped store cannot record would be sent over and over.
            if world.store().is_stopped() || desk.is_closed() {
                return Ok(false);
            }
            if world.peers().leads(lane).await {
                more |= self.claim_lane(world, desk, lane).await?;
                self.pump();
            }
        }
        Ok(more)
    }

    async fn claim_lane(
        &self,
        world: &World,
        desk: &Arc<Desk>,
        lane: usize,
    ) -> Result<bool, EngineError> {
        let mut width = CLAIM;
        loop {
            let limit = desk.begin_claim(lane).saturating_add(width);
            let asked = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = world.due_deliveries(lane, asked).await?;
            let full = rows.len() >= limit;
            if full && width < CLAIM_MAX {
                drop_last_moment(&mut rows);
            }
            let (rows, mut left) = self.with_room(desk.unheld(lane, rows));
            let found = rows.len();
            let admitted = self.admit(world, desk, lane, subjects(world, rows).await?);
            left |= admitted < found;
            if !full {
                return Ok(left);
            }
            if admitted == 0 {
                if width >= CLAIM_MAX {
                    return Ok(true);
                }
                width *= 4;
            }
        }
    }

    /// Those rows whose origin has room for one more, with the origin, in order; and whether there
    /// were others.
    fn with_room(&self, mut rows: Vec<Delivery>) -> (Vec<(Arc<str>, Delivery)>, bool) {
        rows.sort_by_key(|row| (row.created_at, row.id));
        let found = rows.len();
        let origins: Vec<Arc<str>> = rows.iter().map(|row| self.origin(&row.url)).collect();
        let queue = self.queue();
        let kept: Vec<_> =
            origins.into_iter().zip(rows).filter(|(origin, _)| queue.has_room(origin)).collect();
        let left = kept.len() < found;
        (kept, left)
    }

    /// What a refused address is given instead of an origin: nothing is sent to it.
    fn origin(&self, url: &str) -> Arc<str> {
        self.sender.check(url).map_or_else(|_| Arc::from(""), |target| target.origin().into())
    }

    /// Takes deliveries in hand and queues them; answers how many.
    fn admit(
        &self,
        world: &World,
        desk: &Arc<Desk>,
        lane: usize,
        found: Vec<(Place, Delivery)>,
    ) -> usize {
        let mut queue = self.queue();
        let mut admitted = 0;
        for (place, delivery) in found {
            if !queue.has_room(&place.origin) || !desk.hold(lane, &delivery) {
                continue;
            }
            // The texts of the last attempt are not needed any more.
            let (request, response) = (String::new(), String::new());
            let delivery = Delivery { request, response, ..delivery };
            queue.admit(place, Job { delivery, lane, world: world.clone(), desk: desk.clone() });
            admitted += 1;
        }
        admitted
    }

    /// Starts what may be sent now.
    fn pump(self: &Arc<Self>) {
        loop {
            let next = self.queue().start();
            let Some((place, job)) = next else { return };
            tokio::spawn(attempt(self.clone(), place, job).boxed());
        }
    }

    async fn close(self: &Arc<Self>, world: &World, desk: &Arc<Desk>) {
        desk.close();
        let waiting = self.queue().withdraw(|job| Arc::ptr_eq(&job.desk, desk));
        for job in waiting {
            desk.release(job.lane, [job.delivery.id]);
        }
        if tokio::time::timeout(self.grace, desk.idle()).await.is_err() {
            tracing::warn!(
                world = world.id(),
                "deliveries were cut off; they are sent again later"
            );
        }
        desk.cut.cancel();
        self.desks().remove(world.id());
    }
}

/// One attempt of a delivery in hand, from its place in the queue to its record.
async fn attempt(inner: Arc<Inner>, place: Place, job: Job) {
    let Job { delivery, lane, world, desk } = job;
    let attempt = async {
        // It may have waited for a long time.
        if !world.peers().leads(lane).await {
            return None;
        }
        exchange::attempt(&inner.sender, &world, &desk, &delivery, inner.patience).await
    };
    let attempted = tokio::select! {
        attempted = AssertUnwindSafe(attempt).catch_unwind() => attempted.unwrap_or_else(|_| {
            tracing::error!(delivery = %delivery.id, "an attempt panicked");
            Some(exchange::fault(&delivery))
        }),
        () = desk.cut.cancelled() => None,
    };
    inner.queue().finish(&place);
    inner.pump();
    match attempted {
        Some(attempted) => {
            if desk.note(lane, attempted) {
                desk.record(&world, lane).await;
            }
        }
        None => {
            tokio::select! {
                () = tokio::time::sleep(SOON) => {}
                () = desk.cut.cancelled() => {}
            }
            desk.release(lane, [delivery.id]);
        }
    }
}

/// Timers, and payments of vanished processes, beside the deliveries: a slow acquirer must not hold
/// them up.
#[derive(Default)]
struct Chores {
    running: Option<JoinHandle<()>>,
    not_before: Option<Instant>,
    swept: Option<Instant>,
    forgot: Option<Instant>,
}

impl Chores {
    fn start(&mut self, world: &World) {
        let now = Instant::now();
        if self.running.is_some() || self.not_before.is_some_and(|at| now < at) {
            return;
        }
        let sweep = match self.swept {
            None => true,
            Some(at) => world.peers().shared() && now >= at + SWEEP_EVERY,
        };
        if sweep {
            self.swept = Some(now);
        }
        let forget = self.forgot.is_none_or(|at| now >= at + FORGET_EVERY);
        if forget {
            self.forgot = Some(now);
        }
        let own = world.clone();
        let done = async move {
            let swept = if sweep { own.sweep().await.map(drop) } else { Ok(()) };
            let fired = own.fire_due().await;
            let forgot = if forget { own.forget_expired().await.map(drop) } else { Ok(()) };
            for error in [swept.err(), fired.err(), forgot.err()].into_iter().flatten() {
                tracing::warn!(%error, world = own.id(), "what is due could not all be done");
            }
        };
        self.running = Some(world.tasks().spawn(done.boxed()));
    }

    /// Ends when they are done; never when none are under way.
    async fn done(&mut self) {
        match &mut self.running {
            // A panic was reported where it happened.
            Some(running) => drop(running.await),
            None => return std::future::pending().await,
        }
        self.running = None;
        self.not_before = Some(Instant::now() + TIMER_PAUSE);
    }
}

/// Waits until there may be something to do, at most to `until`.
async fn something_to_do(
    world: &World,
    changes: &mut broadcast::Receiver<Change>,
    chores: &mut Chores,
    mut until: Instant,
) {
    let mut changed = false;
    loop {
        tokio::select! {
            () = world.woken() => return,
            () = chores.done() => return,
            () = tokio::time::sleep_until(until) => return,
            // Most changes set or stop a timer. One look suffices for many of them.
            _ = changes.recv(), if !changed => {
                changed = true;
                until = until.min(Instant::now() + SOON);
            }
        }
    }
}

/// Leaves out the rows of the last moment, of which there may be more than were read: those of one
/// moment are put in order together.
fn drop_last_moment(rows: &mut Vec<Delivery>) {
    if let Some(last) = rows.last().map(|row| row.state) {
        rows.retain(|row| row.state != last);
    }
}

/// Where each delivery waits. First attempts are put in order by what they tell of.
async fn subjects(
    world: &World,
    rows: Vec<(Arc<str>, Delivery)>,
) -> Result<Vec<(Place, Delivery)>, EngineError> {
    let first = |delivery: &Delivery| delivery.attempts == 0;
    let keys: Vec<_> = rows
        .iter()
        .filter(|(_, delivery)| first(delivery))
        .map(|(_, delivery)| (delivery.event, delivery.merchant))
        .collect();
    if keys.is_empty() {
        let retry = |(origin, delivery)| (Place { origin, chain: None }, delivery);
        return Ok(rows.into_iter().map(retry).collect());
    }
    let read = world.store().read(move |reader| {
        keys.iter().map(|key| reader.get::<Event>(key)).collect::<Result<Vec<_>, _>>()
    });
    let mut events = read.await?.into_iter();
    let placed = rows.into_iter().map(|(origin, delivery)| {
        let chain = first(&delivery).then(|| Chain {
            merchant: delivery.merchant,
            slot: delivery.slot,
            subject: match events.next().flatten() {
                Some(event) => event.subject,
                None => delivery.event.to_string(),
            },
        });
        (Place { origin, chain }, delivery)
    });
    Ok(placed.collect())
}
