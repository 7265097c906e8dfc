//! The worlds of an installation: the main one, and throw-away ones beside it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use cobro_domain::Timestamp;
use futures_util::future::BoxFuture;

use crate::error::{EngineError, Subject};
use crate::world::World;

/// The id of the main world.
pub const MAIN: &str = "demo";

/// Makes and opens worlds; the server knows where they live.
pub trait WorldFactory: Send + Sync {
    /// Makes a world under this tag, seeded.
    fn make<'a>(&'a self, tag: &'a str, name: &'a str)
    -> BoxFuture<'a, Result<World, EngineError>>;

    /// The tags of the worlds that there are. Nobody else makes or removes any from then on.
    fn tags(&self) -> Vec<String>;

    /// Opens the world with this tag; `None` when there is none.
    fn open<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<World>, EngineError>>;

    /// Removes what a closed world has stored.
    fn remove(&self, tag: &str);
}

/// All worlds.
pub struct Worlds {
    main: World,
    factory: Arc<dyn WorldFactory>,
    /// By tag; those that are not open yet are there without a world.
    known: RwLock<HashMap<String, Option<World>>>,
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
        let known = factory.tags().into_iter().map(|tag| (tag, None)).collect();
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
        let Some(world) = self.factory.open(tag).await? else { return Ok(None) };
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
        let mut seed = [0; 4];
        self.main.entropy().fill(&mut seed);
        let tag = format!("{:08x}", u32::from_be_bytes(seed));
        let world = self.factory.make(&tag, name).await?;
        self.keep(&tag, &world);
        Ok(world)
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
        let _one = self.opening.lock().await;
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(&tag);
        world.drain().await;
        drop(world);
        self.factory.remove(&tag);
        Ok(())
    }

    /// The worlds that are open, the main one first.
    pub fn all_open(&self) -> Vec<World> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let others = known.values().flatten().cloned();
        std::iter::once(self.main.clone()).chain(others).collect()
    }

    /// The present moment of an open world; of the main one where there is no such world.
    pub fn now_in(&self, id: &str) -> Timestamp {
        let open = id.strip_prefix("w_").and_then(|tag| self.known(tag)).flatten();
        open.as_ref().unwrap_or(&self.main).now()
    }

    /// What is known of a tag: nothing, that there is such a world, or the open world.
    fn known(&self, tag: &str) -> Option<Option<World>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(tag).cloned()
    }

    /// The world with this tag, or that there is none, where nothing has to be opened for it. Most
    /// credentials are the main world's, and name none that is known.
    fn at_hand(&self, tag: &str) -> Option<Option<World>> {
        match self.known(tag) {
            Some(None) => None,
            Some(open) => Some(open),
            None => Some(None),
        }
    }

    fn keep(&self, tag: &str, world: &World) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(tag.to_owned(), Some(world.clone()));
    }
}
