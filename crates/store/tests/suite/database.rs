//! Throw-away databases: a directory for SQLite, a database of a server for PostgreSQL. Knows
//! nothing of the store, so that the crate's own tests use it, too.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::{NoTls, SimpleQueryMessage};

/// The variable that holds the URL of a server where databases may be created.
const VARIABLE: &str = "COBRO_TEST_POSTGRES";

fn unique() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    format!("cobro_test_{}_{number}", std::process::id())
}

/// A directory that goes when it is dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(unique());
        // Left behind by a process of the same number that was killed.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A database of its own that goes when it is dropped.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// `None`, and a word about it, when there is no server to test with.
    pub(crate) fn new() -> Option<Self> {
        Self::with("ENCODING 'UTF8'")
    }

    /// As [`Database::new`], with other options.
    pub(crate) fn with(options: &str) -> Option<Self> {
        let Ok(server) = std::env::var(VARIABLE) else {
            println!("skipped on PostgreSQL: {VARIABLE} is not set");
            return None;
        };
        let name = unique();
        query(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        query(&server, &format!("CREATE DATABASE {name} TEMPLATE template0 {options}"));
        Some(Self { server, name })
    }

    /// The URL of this database.
    pub(crate) fn url(&self) -> String {
        let (scheme, rest) = self.server.split_once("://").unwrap();
        let (rest, options) = match rest.split_once('?') {
            Some((rest, options)) => (rest, format!("?{options}")),
            None => (rest, String::new()),
        };
        let host = rest.split('/').next().unwrap();
        format!("{scheme}://{host}/{}{options}", self.name)
    }

    /// Runs SQL in this database.
    pub(crate) fn query(&self, sql: &str) -> Vec<Vec<String>> {
        query(&self.url(), sql)
    }

    /// Cuts all connections to this database, and allows new ones or does not.
    pub(crate) fn cut(&self, allow: bool) {
        let name = &self.name;
        query(&self.server, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allow}"));
        query(
            &self.server,
            &format!(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
                 WHERE datname = '{name}'"
            ),
        );
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        query(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// The rows of SQL on a connection of its own; no value is the empty text.
pub(crate) fn query(url: &str, sql: &str) -> Vec<Vec<String>> {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client.simple_query(sql).await.unwrap()
        })
    };
    // The caller may be on a thread that drives a runtime.
    let messages = std::thread::scope(|scope| scope.spawn(ask).join().unwrap());
    let mut rows = Vec::new();
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            let cell = |place| row.get(place).unwrap_or_default().to_owned();
            rows.push((0..row.len()).map(cell).collect());
        }
    }
    rows
}
