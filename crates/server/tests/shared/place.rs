//! Where a server keeps its data: a directory, and a database in it or of a PostgreSQL server.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::NoTls;

/// The variable that holds the URL of a server where databases may be created.
const VARIABLE: &str = "COBRO_TEST_POSTGRES";

/// The installation key: servers that share a database share it.
const KEY: &str = "4b1d5c9e0f7a38264b1d5c9e0f7a38264b1d5c9e0f7a38264b1d5c9e0f7a3826";

fn unique() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    format!("cobro_it_{}_{number}", std::process::id())
}

/// A place for data that goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    directory: PathBuf,
    database: Option<Database>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let directory = std::env::temp_dir().join(unique());
        // Left behind by a process of the same number that was killed.
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        Self { directory, database: None }
    }

    /// `None`, and a word about it, when there is no server to test with.
    pub(crate) fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var(VARIABLE) else {
            println!("skipped on PostgreSQL: {VARIABLE} is not set");
            return None;
        };
        let mut place = Self::sqlite();
        place.database = Some(Database::new(server));
        Some(place)
    }

    /// The data directory of the server with this number; on SQLite there is one alone.
    pub(crate) fn data(&self, number: usize) -> PathBuf {
        self.directory.join(format!("data{number}"))
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.database.is_none()
    }

    /// Every row of every table as text, bytes in hexadecimal; empty on SQLite, whose files show
    /// what is in them.
    pub(crate) fn rows(&self) -> String {
        let Some(database) = &self.database else { return String::new() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            let tables = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) \
                 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
            let mut text = String::new();
            for table in client.query(tables, &[]).await.unwrap() {
                let table: String = table.get(0);
                let query = format!("SELECT t::text FROM {table} t");
                for row in client.query(&query, &[]).await.unwrap() {
                    text.push_str(row.get(0));
                    text.push('\n');
                }
            }
            text
        })
    }

    /// Keeps everybody from writing a table of the database until it is dropped; PostgreSQL alone.
    pub(crate) fn hold(&self, table: &str) -> Hold {
        let url = self.database.as_ref().unwrap().url();
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        let runtime = threads.worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let lock = format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE");
            client.batch_execute(&lock).await.unwrap();
            client
        });
        Hold { _client: client, _runtime: runtime }
    }

    /// The variables that lead a program here.
    pub(crate) fn variables(&self, number: usize) -> Vec<(&'static str, String)> {
        let mut variables = vec![("COBRO_DATA", self.data(number).display().to_string())];
        if let Some(database) = &self.database {
            variables.push(("DATABASE_URL", database.url()));
            variables.push(("COBRO_KEY", KEY.to_owned()));
        }
        variables
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A table that nobody can write: the connection's end, or that of the runtime, lets go of it.
#[derive(Debug)]
pub(crate) struct Hold {
    _client: tokio_postgres::Client,
    _runtime: tokio::runtime::Runtime,
}

/// A database of its own that goes when it is dropped.
#[derive(Debug)]
struct Database {
    server: String,
    name: String,
}

impl Database {
    fn new(server: String) -> Self {
        let name = unique();
        execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        let options = "TEMPLATE template0 ENCODING 'UTF8'";
        execute(&server, &format!("CREATE DATABASE {name} {options}"));
        Self { server, name }
    }

    fn url(&self) -> String {
        let (scheme, rest) = self.server.split_once("://").unwrap();
        let (rest, options) = match rest.split_once('?') {
            Some((rest, options)) => (rest, format!("?{options}")),
            None => (rest, String::new()),
        };
        let host = rest.split('/').next().unwrap();
        format!("{scheme}://{host}/{}{options}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn execute(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.simple_query(sql).await.unwrap();
    });
}
