//! Configuration: flag, then environment, then `cobro.toml`, then the default.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;

/// Where a server listens unless told otherwise.
const LISTEN: &str = "127.0.0.1:7070";

/// Where a server listens for TLS when only told to.
pub(crate) const TLS_LISTEN: &str = "127.0.0.1:443";

/// The flags of `cobro serve`; each can be an environment variable as well.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on [default: 127.0.0.1:7070]
    #[arg(long, env = "COBRO_LISTEN", value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Port to listen on; 0 picks a free one and prints it
    #[arg(long, env = "COBRO_PORT")]
    port: Option<u16>,
    /// A throw-away database in a directory of its own, deleted at exit
    #[arg(long)]
    ephemeral: bool,
    /// What links that Cobro makes begin with [default: the listener's address]
    #[arg(long, env = "COBRO_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Refuse proxied requests for hosts that are not the providers'
    #[arg(long)]
    offline: bool,
    /// Listen for TLS too, with certificates of the development CA [default address:
    /// 127.0.0.1:443]
    #[arg(
        long,
        env = "COBRO_TLS",
        value_name = "ADDR:PORT",
        num_args = 0..=1,
        default_missing_value = TLS_LISTEN
    )]
    tls: Option<SocketAddr>,
    #[command(flatten)]
    store: StoreArgs,
}

/// The flags that say where the data live.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StoreArgs {
    /// The directory for what Cobro keeps [default: ./cobro-data]
    #[arg(long, env = "COBRO_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// sqlite:PATH or postgres://… [default: sqlite in the data directory]
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// sandbox or live [default: sandbox]
    #[arg(long, env = "COBRO_MODE")]
    mode: Option<String>,
    /// The installation key, 64 hexadecimal digits [default: the file `key` in the data directory]
    #[arg(long, env = "COBRO_KEY", value_name = "HEX", hide_env_values = true)]
    key: Option<String>,
    /// The vault's keys, `id:64 hexadecimal digits`, separated by commas [default: the file
    /// `vault.keys` in the data directory]
    #[arg(long, env = "COBRO_VAULT_KEY", value_name = "ID:HEX", hide_env_values = true)]
    vault_key: Option<String>,
    /// The file of the vault's keys, one `id:64 hexadecimal digits` a line [default: the file
    /// `vault.keys` in the data directory]
    #[arg(long, env = "COBRO_VAULT_KEY_FILE", value_name = "PATH")]
    vault_key_file: Option<PathBuf>,
    /// Token of the control API; needed on any address but loopback
    #[arg(long, env = "COBRO_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    control_token: Option<String>,
}

/// What may stand in `cobro.toml`, under the names of the flags.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    listen: Option<SocketAddr>,
    port: Option<u16>,
    public_url: Option<String>,
    data: Option<PathBuf>,
    database_url: Option<String>,
    mode: Option<String>,
    key: Option<String>,
    vault_key: Option<String>,
    vault_key_file: Option<PathBuf>,
    control_token: Option<String>,
}

/// Where the main world is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// A SQLite file; the acquirer's book stands beside it.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(String),
}

/// The configuration of a store.
#[derive(Clone, Debug)]
pub(crate) struct StoreConfig {
    pub(crate) data: PathBuf,
    pub(crate) database: Database,
    pub(crate) key: Option<String>,
    pub(crate) vault_key: Option<String>,
    pub(crate) vault_key_file: Option<PathBuf>,
    pub(crate) control_token: Option<String>,
}

/// The configuration of a server.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) ephemeral: bool,
    pub(crate) public_url: Option<String>,
    /// Whether the proxy reaches the providers' hosts alone.
    pub(crate) offline: bool,
    /// Where to listen for TLS too.
    pub(crate) tls: Option<SocketAddr>,
    pub(crate) store: StoreConfig,
}

impl Config {
    /// A sandbox for one command: a free port, a database of its own, nothing from the
    /// environment or `cobro.toml`.
    pub(crate) fn throw_away(offline: bool) -> Self {
        let data = std::env::temp_dir().join(format!("cobro-{}", random_name()));
        let database = Database::Sqlite(data.join("cobro.sqlite"));
        let store = StoreConfig {
            data,
            database,
            key: None,
            vault_key: None,
            vault_key_file: None,
            control_token: None,
        };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { listen, ephemeral: true, public_url: None, offline, tls: None, store }
    }
}

impl ServeArgs {
    /// The configuration that these flags, the environment and `cobro.toml` come to.
    pub(crate) fn resolve(self) -> anyhow::Result<Config> {
        let file = read_file(Path::new("cobro.toml"))?;
        let default: SocketAddr = LISTEN.parse().context("the default address")?;
        let mut listen = self.listen.or(file.listen).unwrap_or(default);
        if let Some(port) = self.port.or(file.port) {
            listen.set_port(port);
        }
        if self.ephemeral && self.store.database_url.is_some() {
            bail!("--ephemeral has a database of its own: leave DATABASE_URL out");
        }
        let public_url = self.public_url.or_else(|| file.public_url.clone());
        let mut store = self.store.merge(file)?;
        if self.ephemeral {
            store.data = std::env::temp_dir().join(format!("cobro-{}", random_name()));
            store.database = Database::Sqlite(store.data.join("cobro.sqlite"));
        }
        let (offline, tls) = (self.offline, self.tls);
        Ok(Config { listen, ephemeral: self.ephemeral, public_url, offline, tls, store })
    }
}

impl StoreArgs {
    /// The configuration that these flags, the environment and `cobro.toml` come to.
    pub(crate) fn resolve(self) -> anyhow::Result<StoreConfig> {
        self.merge(read_file(Path::new("cobro.toml"))?)
    }

    fn merge(self, file: File) -> anyhow::Result<StoreConfig> {
        let data = self.data.or(file.data).unwrap_or_else(|| PathBuf::from("cobro-data"));
        let vault_key = self.vault_key.or(file.vault_key);
        let vault_key_file = self.vault_key_file.or(file.vault_key_file);
        match self.mode.or(file.mode).as_deref().unwrap_or("sandbox") {
            "sandbox" => {}
            "live" => {
                let own = data.join("vault.keys");
                let key_file = vault_key_file.as_deref().unwrap_or(&own);
                if vault_key.is_none() && !key_file.exists() {
                    bail!(
                        "live mode makes no vault key of its own: set COBRO_VAULT_KEY, or put the \
                         keys into {}",
                        key_file.display()
                    );
                }
                // The acquirer link and the console's sign-in are not built yet.
                bail!("live mode needs an acquirer link, which this version does not have")
            }
            other => bail!("COBRO_MODE is {other:?}; it can be \"sandbox\" or \"live\""),
        }
        let database = match self.database_url.or(file.database_url) {
            None => Database::Sqlite(data.join("cobro.sqlite")),
            Some(url) => parse_database(&url)?,
        };
        let key = self.key.or(file.key);
        Ok(StoreConfig {
            data,
            database,
            key,
            vault_key,
            vault_key_file,
            control_token: self.control_token.or(file.control_token),
        })
    }
}

fn parse_database(url: &str) -> anyhow::Result<Database> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Database::Postgres(url.to_owned()));
    }
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => {
            let path = path.strip_prefix("//").unwrap_or(path);
            Ok(Database::Sqlite(PathBuf::from(path)))
        }
        _ => bail!("DATABASE_URL must be sqlite:PATH or postgres://…"),
    }
}

fn read_file(path: &Path) -> anyhow::Result<File> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).with_context(|| format!("{}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(File::default()),
        Err(error) => Err(error).with_context(|| format!("{}", path.display())),
    }
}

/// A name that nothing else has.
pub(crate) fn random_name() -> String {
    use cobro_domain::Entropy as _;
    hex::encode(crate::ambient::SystemEntropy.seed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_urls() {
        let sqlite = |path: &str| Database::Sqlite(PathBuf::from(path));
        assert_eq!(parse_database("sqlite:a/b.db").unwrap(), sqlite("a/b.db"));
        assert_eq!(parse_database("sqlite:///a/b.db").unwrap(), sqlite("/a/b.db"));
        let url = "postgres://u@h/db";
        assert_eq!(parse_database(url).unwrap(), Database::Postgres(url.to_owned()));
        for wrong in ["sqlite:", "mysql://x", ""] {
            assert!(parse_database(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn live_mode_is_refused_and_says_why() {
        let why = |vault_key: Option<&str>| {
            let (mode, data) = (Some("live".into()), Some(PathBuf::from("/nowhere")));
            let vault_key = vault_key.map(str::to_owned);
            let args = StoreArgs { mode, data, vault_key, ..StoreArgs::default() };
            args.merge(File::default()).unwrap_err().to_string()
        };
        assert!(why(None).contains("COBRO_VAULT_KEY"));
        assert!(why(Some("1:00")).contains("acquirer link"));
    }
}
