//! The data directory: the installation key, the databases, the address of the running server.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use cobro_acquirer_sim::BOOK;
use cobro_domain::{Clock, Entropy as _, Timestamp};
use cobro_engine::secrets::InstallationKey;
use cobro_engine::vault::VaultKeys;
use cobro_store::rows::{MetaRow, WORLD};
use cobro_store::schema::Schema;
use cobro_store::store::{DirectoryLock, Durability};
use cobro_store::{Location, Options, Store, StoreError, Tx, TxError};

use crate::ambient::SystemEntropy;
use crate::config::{Database, StoreConfig};

/// How many lanes a new PostgreSQL database gets: about one per core of a small machine.
const POSTGRES_LANES: i64 = 2;

/// A world's two databases.
#[derive(Clone, Debug)]
pub(crate) struct Databases {
    pub(crate) world: Location,
    pub(crate) book: Location,
}

/// Where the main world's databases are.
pub(crate) fn main_databases(config: &StoreConfig) -> Databases {
    match &config.database {
        Database::Sqlite(path) => sqlite_databases(path, Durability::Full),
        Database::Postgres(url) => {
            let location = Location::Postgres { url: url.clone() };
            Databases { world: location.clone(), book: location }
        }
    }
}

/// A SQLite file and the acquirer's book beside it.
pub(crate) fn sqlite_databases(path: &Path, durability: Durability) -> Databases {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("cobro");
    let book = path.with_file_name(format!("{stem}.acquirer.sqlite"));
    Databases {
        world: Location::Sqlite { path: path.to_owned(), durability },
        book: Location::Sqlite { path: book, durability },
    }
}

impl Databases {
    /// Opens both. Commands of the book need no clock of the world: it is told the time.
    pub(crate) fn open(&self, clock: &Arc<dyn Clock>) -> Result<(Store, Store), StoreError> {
        let world = Store::open(&WORLD, &options(&self.world, clock))?;
        let book = Store::open(&BOOK, &Options { readers: 1, ..options(&self.book, clock) })?;
        Ok((world, book))
    }

    /// Begins both as copies of empty ones, where they are SQLite files.
    pub(crate) fn begin(&self, empty: &EmptyFiles) -> std::io::Result<()> {
        for (location, bytes) in [(&self.world, &empty.world), (&self.book, &empty.book)] {
            if let Location::Sqlite { path, .. } = location {
                std::fs::write(path, bytes)?;
            }
        }
        Ok(())
    }

    /// Opens both to read them only.
    pub(crate) fn open_to_read(
        &self,
        clock: &Arc<dyn Clock>,
    ) -> Result<(Store, Store), StoreError> {
        let world = Store::open_to_read(&WORLD, &options(&self.world, clock))?;
        let book = Store::open_to_read(&BOOK, &options(&self.book, clock))?;
        Ok((world, book))
    }
}

/// The databases of a world in which nothing has happened: making their tables takes longer than
/// writing what comes of it.
pub(crate) struct EmptyFiles {
    world: Vec<u8>,
    book: Vec<u8>,
}

impl EmptyFiles {
    /// Makes them, in files of this directory that are gone afterwards.
    pub(crate) fn make(directory: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let file = |schema: &'static Schema| {
            let path = directory.join(format!("{}.empty", schema.name));
            Store::make_file(schema, &path, now)?;
            let bytes = std::fs::read(&path);
            let removed = std::fs::remove_file(&path);
            bytes
                .and_then(|bytes| removed.map(|()| bytes))
                .map_err(|error| StoreError::Database(format!("{}: {error}", path.display())))
        };
        Ok(Self { world: file(&WORLD)?, book: file(&BOOK)? })
    }
}

fn options(location: &Location, clock: &Arc<dyn Clock>) -> Options {
    let (lanes, readers) = match location {
        Location::Sqlite { .. } => (1, 2),
        Location::Postgres { .. } => (POSTGRES_LANES, 4),
    };
    Options {
        location: location.clone(),
        lanes,
        readers,
        clock: clock.clone(),
        prove_rerunnable: false,
    }
}

/// What a command does without a server's help is done while this lives.
#[derive(Debug)]
pub(crate) enum Hold {
    /// No server can start meanwhile: it holds the lock of the SQLite file's directory.
    Alone(#[expect(dead_code, reason = "held, not read")] DirectoryLock),
    /// PostgreSQL, which several processes may write.
    Shared,
}

impl Hold {
    /// `None` while a server holds the database.
    pub(crate) fn take(config: &StoreConfig) -> Option<Self> {
        match &config.database {
            Database::Sqlite(path) => DirectoryLock::take(parent(path)).ok().map(Self::Alone),
            Database::Postgres(_) => Some(Self::Shared),
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or_else(|| Path::new("."))
}

/// The data directory, held for as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    pub(crate) path: PathBuf,
    _lock: Option<DirectoryLock>,
    remove: bool,
}

impl DataDirectory {
    /// Takes the directory. On PostgreSQL several servers may share it.
    pub(crate) fn take(config: &StoreConfig, remove: bool) -> anyhow::Result<Self> {
        let lock = match &config.database {
            Database::Sqlite(path) => {
                // The lock stands where the database is, wherever the rest is kept.
                Some(DirectoryLock::take(parent(path))?)
            }
            Database::Postgres(_) => None,
        };
        std::fs::create_dir_all(&config.data)
            .with_context(|| format!("{}", config.data.display()))?;
        Ok(Self { path: config.data.clone(), _lock: lock, remove })
    }

    /// Leaves the server's address where the other subcommands find it.
    pub(crate) fn leave_address(&self, url: &str) -> anyhow::Result<()> {
        std::fs::write(self.path.join("address"), url).context("the address of the server")
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        if self.remove {
            let _ = std::fs::remove_dir_all(&self.path);
        } else {
            let _ = std::fs::remove_file(self.path.join("address"));
        }
    }
}

/// The installation key: given, or that of the data directory, which is made on the first start.
pub(crate) fn installation_key(config: &StoreConfig) -> anyhow::Result<InstallationKey> {
    if let Some(text) = &config.key {
        return parse_key(text).context("COBRO_KEY");
    }
    let path = config.data.join("key");
    match std::fs::read_to_string(&path) {
        Ok(text) => parse_key(text.trim()).with_context(|| format!("{}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            SystemEntropy.fill(&mut key);
            let mut file = crate::platform::create_private(&path)
                .with_context(|| format!("{}", path.display()))?;
            file.write_all(hex::encode(key).as_bytes())?;
            file.sync_all()?;
            Ok(InstallationKey::new(&key))
        }
        Err(error) => Err(error).with_context(|| format!("{}", path.display())),
    }
}

/// The file of the vault's keys.
pub(crate) fn key_file(config: &StoreConfig) -> PathBuf {
    config.vault_key_file.clone().unwrap_or_else(|| config.data.join("vault.keys"))
}

/// The vault's keys: given, or those of the file, which is made on the first start.
pub(crate) fn vault_keys(
    config: &StoreConfig,
    installation: &InstallationKey,
) -> anyhow::Result<VaultKeys> {
    let fingerprint = installation.fingerprint_key();
    if let Some(text) = &config.vault_key {
        return VaultKeys::parse(text, fingerprint).context("COBRO_VAULT_KEY");
    }
    let path = key_file(config);
    if !path.exists() {
        let mut key = [0; 32];
        SystemEntropy.fill(&mut key);
        let mut file = crate::platform::create_private(&path)
            .with_context(|| format!("{}", path.display()))?;
        writeln!(file, "1:{}", hex::encode(key))?;
        file.sync_all()?;
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let keys = VaultKeys::parse(&text, fingerprint);
    let keys = keys.with_context(|| format!("{}", path.display()))?;
    Ok(keys.with_source(Box::new(move || std::fs::read_to_string(&path).ok())))
}

fn parse_key(text: &str) -> anyhow::Result<InstallationKey> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key)
        .ok()
        .context("the installation key must be 64 hexadecimal digits")?;
    Ok(InstallationKey::new(&key))
}

/// Compares the key with the one that the database was made with, and notes it in a new one.
pub(crate) async fn check_key(store: &Store, key: &InstallationKey) -> anyhow::Result<()> {
    let expected = key.check_value();
    let command = move |tx: &mut Tx<'_>| -> Result<i64, TxError> {
        let name = "key_check".to_owned();
        if let Some(row) = tx.get::<MetaRow>(&(name.clone(),))? {
            return Ok(row.value);
        }
        tx.insert(&MetaRow { name, value: expected });
        Ok(expected)
    };
    if store.write(Store::key_of(0), command).await?? != expected {
        bail!("this database was made with another installation key");
    }
    Ok(())
}
