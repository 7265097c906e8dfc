//! Makes and opens worlds: the main one, and throw-away ones as SQLite files.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use cobro_acquirer_sim::SimulatedAcquirer;
use cobro_delivery::Deliveries;
use cobro_domain::Clock;
use cobro_engine::clock::WorldClock;
use cobro_engine::ports::Dialect;
use cobro_engine::secrets::InstallationKey;
use cobro_engine::vault::VaultKeys;
use cobro_engine::world::WorldParts;
use cobro_engine::worlds::WorldFactory;
use cobro_engine::{EngineError, World};
use cobro_store::session::{GRACE, Session};
use cobro_store::store::Durability;
use cobro_store::{Location, StoreError};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join_all};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ambient::{SystemClock, SystemEntropy};
use crate::data::{Databases, EmptyFiles, sqlite_databases};
use crate::peers::SessionPeers;

/// What all worlds of a server share.
pub(crate) struct Factory {
    pub(crate) directory: PathBuf,
    pub(crate) key: Arc<InstallationKey>,
    pub(crate) vault: Arc<VaultKeys>,
    pub(crate) dialects: Arc<Vec<Arc<dyn Dialect>>>,
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) loops: TaskTracker,
    /// What new worlds begin as; made for the first one.
    pub(crate) empty: OnceLock<EmptyFiles>,
    /// The loops, by the world's id.
    pub(crate) background: Mutex<HashMap<String, Background>>,
}

/// The loop of an open world.
pub(crate) struct Background {
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Factory {
    /// Opens the databases of a world, brings it to where it was, and starts its loop.
    pub(crate) async fn start(
        &self,
        id: &str,
        name: &str,
        databases: &Databases,
    ) -> Result<World, EngineError> {
        let clock = Arc::new(WorldClock::new(Arc::new(SystemClock)));
        let (store, book) = {
            let (databases, clock) = (databases.clone(), clock.clone() as Arc<dyn Clock>);
            // Opening a database waits for disks and other processes.
            let opened = tokio::task::spawn_blocking(move || databases.open(&clock)).await;
            opened.map_err(|error| EngineError::Fault(error.to_string()))??
        };
        let session = Session::open(&databases.world, &store, GRACE).await?;
        let shared = matches!(databases.world, Location::Postgres { .. });
        let world = World::new(WorldParts {
            id: id.to_owned(),
            name: name.to_owned(),
            store,
            clock,
            acquirer: Arc::new(SimulatedAcquirer::new(book)),
            key: self.key.clone(),
            entropy: Arc::new(SystemEntropy),
            dialects: self.dialects.clone(),
            vault: Some(self.vault.clone()),
            peers: Arc::new(SessionPeers { session, shared }),
            sandbox: true,
        });
        world.restore_clock().await?;
        world.set_deliverer(self.deliveries.clone());
        // Together, so that they share commits.
        try_join_all(world.dialects().iter().map(|dialect| dialect.seed(&world))).await?;
        let stop = self.shutdown.child_token();
        let work = self.deliveries.clone().run(world.clone(), stop.clone());
        let ended = self.loops.spawn(work.boxed());
        self.background().insert(id.to_owned(), Background { stop, ended });
        Ok(world)
    }

    async fn make_new(&self, tag: &str, name: &str) -> Result<World, EngineError> {
        std::fs::create_dir_all(&self.directory).map_err(disk)?;
        let databases = sqlite_databases(&self.file(tag), Durability::ProcessOnly);
        databases.begin(self.empty_files()?).map_err(disk)?;
        // Last: without it nothing is a world.
        std::fs::write(self.name_file(tag), name).map_err(disk)?;
        self.start(&format!("w_{tag}"), name, &databases).await
    }

    /// Worlds are made one at a time, so nobody else makes these.
    fn empty_files(&self) -> Result<&EmptyFiles, EngineError> {
        if let Some(files) = self.empty.get() {
            return Ok(files);
        }
        let files = EmptyFiles::make(&self.directory, SystemClock.now())?;
        Ok(self.empty.get_or_init(|| files))
    }

    fn background(&self) -> MutexGuard<'_, HashMap<String, Background>> {
        self.background.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, tag: &str) -> PathBuf {
        self.directory.join(format!("{tag}.sqlite"))
    }

    fn name_file(&self, tag: &str) -> PathBuf {
        self.directory.join(format!("{tag}.name"))
    }
}

fn disk(error: std::io::Error) -> EngineError {
    EngineError::Store(StoreError::Database(error.to_string()))
}

impl WorldFactory for Factory {
    fn make<'a>(
        &'a self,
        tag: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<World, EngineError>> {
        async move {
            let made = self.make_new(tag, name).await;
            if made.is_err() {
                // Half of a world would be taken for one by the next server.
                self.close(tag).await;
                self.remove(tag);
            }
            made
        }
        .boxed()
    }

    fn tags(&self) -> Vec<String> {
        // Without a directory there are none.
        let files = std::fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let names = files.filter_map(|file| file.file_name().into_string().ok());
        let tags = names.filter_map(|name| name.strip_suffix(".name").map(str::to_owned));
        tags.filter(|tag| self.file(tag).exists()).collect()
    }

    fn open<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<World>, EngineError>> {
        async move {
            if !self.file(tag).exists() {
                return Ok(None);
            }
            let name = std::fs::read_to_string(self.name_file(tag)).unwrap_or_default();
            let databases = sqlite_databases(&self.file(tag), Durability::ProcessOnly);
            self.start(&format!("w_{tag}"), &name, &databases).await.map(Some)
        }
        .boxed()
    }

    fn close<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, ()> {
        async move {
            let running = self.background().remove(&format!("w_{tag}"));
            let Some(Background { stop, ended }) = running else { return };
            stop.cancel();
            if let Err(error) = ended.await {
                tracing::error!(%error, world = tag, "a world's loop did not end well");
            }
        }
        .boxed()
    }

    fn remove(&self, tag: &str) {
        for stem in [format!("{tag}.sqlite"), format!("{tag}.acquirer.sqlite")] {
            for ending in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(self.directory.join(format!("{stem}{ending}")));
            }
        }
        let _ = std::fs::remove_file(self.name_file(tag));
    }
}
