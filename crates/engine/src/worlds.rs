//! The worlds of an installation: the main one, and throw-away ones beside it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use cobro_domain::Timestamp;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::error::{EngineError, Subject};
use crate::world::World;

/// The id of the main world.
pub const MAIN: &str = "demo";

/// How long whoever removes a world waits for what is under way in it, in real time; its files go
/// once that has ended.
const REMOVE_WAIT: Duration = Duration::from_secs(1);

/// After how many seconds a world that could not be opened for what is due is tried again.
const AGAIN_AFTER_S: i64 = 60;

/// Makes and opens worlds; the server knows where they live.
pub trait WorldFactory: Send + Sync {
    /// Makes a world under this tag, seeded.
    fn make<'a>(&'a self, tag: &'a str, name: &'a str)
    -> BoxFuture<'a, Result<World, EngineError>>;

    /// The tags of the worlds that there are. Nobody else makes or removes any from then on.
    fn tags(&self) -> Vec<String>;

    /// Opens the world with this tag; `None` when there is none.
    fn open<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<World>, EngineError>>;

    /// Ends what runs in an open world in the background. What was begun is finished first.
    fn close<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, ()>;

    /// Removes what a closed world has stored.
    fn remove(&self, tag: &str);
}

/// What is known of a world beside the main one.
enum Known {
    Open {
        world: World,
        /// Whether anybody has asked for it since it was last looked at.
        used: AtomicBool,
    },
    Closed {
        /// The real time at which something falls due in it, where that is known.
        due: Option<Timestamp>,
    },
}

/// All worlds. One beside the main one is open while it is used: it is opened for a request, or for
/// what falls due in it, and closed when it rests.
pub struct Worlds {
    main: World,
    factory: Arc<dyn WorldFactory>,
    /// By tag.
    known: RwLock<HashMap<String, Known>>,
    /// Held by whoever opens or closes one, one at a time: a world at rest is closed at once.
    opening: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Worlds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worlds").finish_non_exhaustive()
    }
}

impl Worlds {
    /// The main world, and whoever makes further ones.
    pub fn new(main: World, factory: Arc<dyn WorldFactory>) -> Self {
        let closed = |tag| (tag, Known::Closed { due: None });
        let known = factory.tags().into_iter().map(closed).collect();
        let (known, opening) = (RwLock::new(known), tokio::sync::Mutex::new(()));
        Self { main, factory, known, opening }
    }

    /// The main world.
    pub fn main(&self) -> &World {
        &self.main
    }

    /// The world with this id: `demo`, or `w_` and a tag.
    ///
    /// # Errors
    /// Unknown world.
    #[crate::boxed]
    pub async fn by_id(&self, id: &str) -> Result<World, EngineError> {
        if id == MAIN {
            return Ok(self.main.clone());
        }
        let tag = id.strip_prefix("w_").ok_or(EngineError::NotFound(Subject::World))?;
        self.by_tag(tag).await?.ok_or(EngineError::NotFound(Subject::World))
    }

    /// The world to which a credential with this tag belongs: the tag's, else the main one.
    ///
    /// # Errors
    /// When a world cannot be opened.
    #[crate::boxed]
    pub async fn of_credential(&self, tag: &str) -> Result<World, EngineError> {
        Ok(self.by_tag(tag).await?.unwrap_or_else(|| self.main.clone()))
    }

    /// The world with this tag, opened when it is closed.
    async fn by_tag(&self, tag: &str) -> Result<Option<World>, EngineError> {
        if let Some(found) = self.at_hand(tag) {
            return Ok(found);
        }
        let _one = self.opening.lock().await;
        if let Some(found) = self.at_hand(tag) {
            return Ok(found);
        }
        let Some(world) = self.factory.open(tag).await? else {
            // What it had stored has gone.
            self.write().remove(tag);
            return Ok(None);
        };
        self.keep(tag, &world);
        Ok(Some(world))
    }

    /// Makes a world.
    ///
    /// # Errors
    /// When it cannot be made, or several processes serve the main database.
    #[crate::boxed]
    pub async fn make(&self, name: &str) -> Result<World, EngineError> {
        if !self.main.peers().alone().await {
            return Err(EngineError::Unsupported(
                "worlds cannot be made while several processes serve the database",
            ));
        }
        let _one = self.opening.lock().await;
        let tag = self.new_tag();
        let world = self.factory.make(&tag, name).await?;
        self.keep(&tag, &world);
        Ok(world)
    }

    /// A tag that no world has.
    fn new_tag(&self) -> String {
        loop {
            let mut seed = [0; 4];
            self.main.entropy().fill(&mut seed);
            let tag = format!("{:08x}", u32::from_be_bytes(seed));
            if !self.read().contains_key(&tag) {
                return tag;
            }
        }
    }

    /// Removes a world; its credentials stop working. The main one stays.
    ///
    /// # Errors
    /// Unknown world, or the main one.
    #[crate::boxed]
    pub async fn remove(&self, id: &str) -> Result<(), EngineError> {
        if id == MAIN {
            return Err(EngineError::Unsupported("the main world cannot be removed"));
        }
        let world = self.by_id(id).await?;
        let tag = id.strip_prefix("w_").unwrap_or(id).to_owned();
        {
            let _one = self.opening.lock().await;
            self.write().remove(&tag);
        }
        // Nobody can find it any more, so nobody else waits while it ends what it has begun.
        let factory = Arc::clone(&self.factory);
        let ending = tokio::spawn(
            async move {
                factory.close(&tag).await;
                world.drain().await;
                drop(world);
                factory.remove(&tag);
            }
            .boxed(),
        );
        // An endpoint that hangs does not hold up who removes it.
        match tokio::time::timeout(REMOVE_WAIT, ending).await {
            Ok(ended) => ended.map_err(|error| EngineError::Fault(error.to_string())),
            Err(_) => Ok(()),
        }
    }

    /// The worlds that are open, the main one first.
    pub fn all_open(&self) -> Vec<World> {
        let known = self.read();
        let others = known.values().filter_map(|known| match known {
            Known::Open { world, .. } => Some(world.clone()),
            Known::Closed { .. } => None,
        });
        std::iter::once(self.main.clone()).chain(others).collect()
    }

    /// The present moment of an open world; of the main one where there is no such world.
    pub fn now_in(&self, id: &str) -> Timestamp {
        let known = self.read();
        match id.strip_prefix("w_").and_then(|tag| known.get(tag)) {
            Some(Known::Open { world, .. }) => world.now(),
            _ => self.main.now(),
        }
    }

    /// Closes the worlds that nobody has asked for since the last call and in which nothing goes on.
    #[crate::boxed]
    pub async fn close_unused(&self) {
        let unused: Vec<String> = {
            let known = self.read();
            let unused = known.iter().filter(|(_, known)| match known {
                Known::Open { used, .. } => !used.swap(false, Ordering::AcqRel),
                Known::Closed { .. } => false,
            });
            unused.map(|(tag, _)| tag.clone()).collect()
        };
        for tag in unused {
            self.close(&tag).await;
        }
    }

    /// When something falls due in a closed world next, in real time, as far as that is known.
    pub fn next_due(&self) -> Option<Timestamp> {
        let due = |known: &Known| match known {
            Known::Open { .. } => None,
            Known::Closed { due } => *due,
        };
        self.read().values().filter_map(due).min()
    }

    /// Opens the closed worlds in which something is due at this real time.
    #[crate::boxed]
    pub async fn open_due(&self, now: Timestamp) {
        let is_due =
            |known: &Known| matches!(known, Known::Closed { due: Some(due) } if *due <= now);
        let due: Vec<String> = {
            let known = self.read();
            known.iter().filter(|(_, known)| is_due(known)).map(|(tag, _)| tag.clone()).collect()
        };
        for tag in due {
            if let Err(error) = self.by_tag(&tag).await {
                tracing::warn!(%error, world = tag, "a world could not be opened for what is due");
                self.put_off(&tag, now);
            }
        }
    }

    /// What is due in a world that cannot be opened is tried again later.
    fn put_off(&self, tag: &str, now: Timestamp) {
        if let Some(Known::Closed { due }) = self.write().get_mut(tag) {
            *due = Some(now.plus_seconds(AGAIN_AFTER_S));
        }
    }

    /// Closes a world in which nothing goes on. What falls due in it is read once nothing can be
    /// added any more.
    async fn close(&self, tag: &str) {
        let _one = self.opening.lock().await;
        let Some(world) = self.taken(tag) else { return };
        self.factory.close(tag).await;
        world.drain().await;
        let due = match world.next_due().await {
            Ok(next) => next.map(|next| next.plus_micros(-world.clock().offset_us())),
            Err(error) => {
                tracing::warn!(%error, world = tag, "what is due in a closed world is not known");
                Some(world.clock().real())
            }
        };
        drop(world);
        if let Some(Known::Closed { due: known }) = self.write().get_mut(tag) {
            *known = due;
        }
    }

    /// The open world with this tag, if it is at rest. Whoever asks for it from here on waits until
    /// it is closed; nobody can have it meanwhile, since it is looked at and taken in one step.
    fn taken(&self, tag: &str) -> Option<World> {
        let mut known = self.write();
        let found = known.get_mut(tag)?;
        if !matches!(found, Known::Open { world, .. } if world.is_at_rest()) {
            return None;
        }
        match std::mem::replace(found, Known::Closed { due: None }) {
            Known::Open { world, .. } => Some(world),
            Known::Closed { .. } => None,
        }
    }

    /// The world with this tag, or that there is none, where nothing has to be opened for it. Most
    /// credentials are the main world's, and name none that is known.
    fn at_hand(&self, tag: &str) -> Option<Option<World>> {
        match self.read().get(tag) {
            Some(Known::Closed { .. }) => None,
            Some(Known::Open { world, used }) => {
                used.store(true, Ordering::Release);
                Some(Some(world.clone()))
            }
            None => Some(None),
        }
    }

    fn keep(&self, tag: &str, world: &World) {
        let open = Known::Open { world: world.clone(), used: AtomicBool::new(true) };
        self.write().insert(tag.to_owned(), open);
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Known>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}
