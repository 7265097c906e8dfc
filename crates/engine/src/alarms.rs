//! Waits in memory for a time of the world's clock.
//!
//! They end with the real time, or when the clock is moved past them. Whoever moves the clock stops
//! at each of them, as at everything else that falls due, and goes on only when the one who waited
//! has said that he did what he waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cobro_domain::Timestamp;
use tokio::sync::{RwLockReadGuard, oneshot};

use crate::world::World;

/// The waits of a world.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    set: Mutex<Set>,
}

#[derive(Debug, Default)]
struct Set {
    next: u64,
    waits: BTreeMap<(Timestamp, u64), oneshot::Sender<Ring>>,
}

/// The clock went past a wait; dropping it says that what was waited for is done.
#[derive(Debug)]
struct Ring {
    _heard: oneshot::Sender<()>,
}

/// One wait; dropping it gives it up.
pub(crate) struct Alarm {
    world: World,
    key: (Timestamp, u64),
    rings: oneshot::Receiver<Ring>,
}

impl Alarm {
    /// Waits. What is given is held until the one who waited has done his part.
    async fn ring(&mut self) -> Option<Ring> {
        let left_us = self.key.0.micros().saturating_sub(self.world.now().micros());
        let left = Duration::from_micros(u64::try_from(left_us).unwrap_or(0));
        tokio::select! {
            ring = &mut self.rings => ring.ok(),
            () = tokio::time::sleep(left) => None,
        }
    }

    /// Waits, for somebody whose part is done by being told.
    pub(crate) async fn rung(&mut self) {
        drop(self.ring().await);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.world.alarms().lock().waits.remove(&self.key);
    }
}

impl Alarms {
    fn lock(&self) -> std::sync::MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the next wait ends.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.lock().waits.keys().next().map(|(at, _)| *at)
    }

    /// Ends every wait that is over at `now`, and waits until all of them have done their part.
    /// Answers whether there was any.
    pub(crate) async fn ring(&self, now: Timestamp) -> bool {
        let due = {
            let mut set = self.lock();
            let later = set.waits.split_off(&(now, u64::MAX));
            std::mem::replace(&mut set.waits, later)
        };
        let any = !due.is_empty();
        for (_, wait) in due {
            let (heard, done) = oneshot::channel();
            if wait.send(Ring { _heard: heard }).is_ok() {
                // Ends with an error when the ring is dropped, which is the point.
                let _ = done.await;
            }
        }
        any
    }
}

impl World {
    /// A wait until `at`; it counts from now on, whenever it is looked at.
    pub(crate) fn alarm(&self, at: Timestamp) -> Alarm {
        let (sender, rings) = oneshot::channel();
        let mut set = self.alarms().lock();
        set.next += 1;
        let key = (at, set.next);
        set.waits.insert(key, sender);
        drop(set);
        Alarm { world: self.clone(), key, rings }
    }

    /// Enters a conversation with the acquirer: the clock is not moved before it is over.
    pub(crate) async fn converse(&self) -> Conversation<'_> {
        Conversation { world: self, gate: Some(self.gate().read().await), stalls: None }
    }
}

/// A conversation with the acquirer.
pub(crate) struct Conversation<'a> {
    world: &'a World,
    gate: Option<RwLockReadGuard<'a, ()>>,
    stalls: Option<oneshot::Sender<()>>,
}

impl Conversation<'_> {
    /// Says so once the conversation waits for the clock for the first time.
    pub(crate) fn tell_stall(&mut self, stalls: oneshot::Sender<()>) {
        self.stalls = Some(stalls);
    }

    /// Waits for a time of the world's clock. Meanwhile the clock may be moved.
    pub(crate) async fn wait_until(&mut self, at: Timestamp) {
        let world = self.world;
        // Set before the gate is opened, so that whoever moves the clock next meets it.
        let mut alarm = world.alarm(at);
        self.gate = None;
        if let Some(stalls) = self.stalls.take() {
            // Whoever asked may have gone.
            let _ = stalls.send(());
        }
        let ring = alarm.ring().await;
        self.gate = Some(world.gate().read().await);
        drop(ring);
    }

    /// Lets the clock be moved from here on.
    pub(crate) fn end(&mut self) {
        self.gate = None;
    }
}
