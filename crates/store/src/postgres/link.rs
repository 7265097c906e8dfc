//! Reaching a PostgreSQL server: address, TLS, time limits, and what its errors mean.

use std::error::Error as _;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::Severity;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::driver::DbError;

/// Reaching the server takes no longer, unless the URL says so.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Data that the server has not received for so long means that it is gone.
const UNRECEIVED_MAX: Duration = Duration::from_secs(30);
/// A silent connection is asked after so long whether it still is one, and then so often.
const SILENT_MAX: Duration = Duration::from_secs(15);
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBES: u32 = 3;

/// A server's address and the way to it.
pub(crate) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Server {
    /// Reads a URL. `sslmode=require` means TLS with a certificate that the system's roots (or
    /// `SSL_CERT_FILE`) vouch for, and that names the host; without it the connection is plain.
    pub(crate) fn new(url: &str) -> Result<Self, DbError> {
        let mut config = Config::from_str(url).map_err(|error| {
            DbError::Failed(format!("the PostgreSQL URL: {}", Failure::of(&error).text))
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_MAX);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNRECEIVED_MAX);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_idle(SILENT_MAX);
            config.keepalives_interval(PROBE_EVERY);
            config.keepalives_retries(PROBES);
        }
        if config.get_application_name().is_none() {
            config.application_name("cobro");
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            // TLS that nobody checks protects from nobody: it is asked for, or it is not used.
            SslMode::Prefer => {
                config.ssl_mode(SslMode::Disable);
                None
            }
            _ => Some(tls()?),
        };
        Ok(Self { config, tls })
    }

    /// A new connection, driven by a task of the runtime that this runs on.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                // Its error reaches whoever waits for an answer.
                tokio::spawn(async move { drop(connection.await) });
                Ok(client)
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(async move { drop(connection.await) });
                Ok(client)
            }
        }
    }
}

fn tls() -> Result<MakeRustlsConnect, DbError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(DbError::Failed(
            "sslmode=require: this system has no root certificates to check the server with"
                .to_owned(),
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(DbError::failed)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// An error of the server, or of the way to it.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What happened, without the values of rows.
    pub(crate) text: String,
    /// The SQLSTATE; empty when it did not come from the server.
    pub(crate) code: String,
    /// Whether the connection is of no use any more.
    pub(crate) lost: bool,
}

impl Failure {
    /// The connection is gone.
    pub(crate) fn lost(text: &str) -> Self {
        Self { text: text.to_owned(), code: String::new(), lost: true }
    }

    fn of(error: &tokio_postgres::Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            let lost =
                matches!(answer.parsed_severity(), Some(Severity::Fatal | Severity::Panic) | None);
            let code = answer.code().code().to_owned();
            // The message only: the detail quotes rows.
            return Self { text: format!("{} ({code})", answer.message()), code, lost };
        }
        let cause = error.source();
        let lost = error.is_closed() || cause.is_some_and(|cause| cause.is::<std::io::Error>());
        let text = match cause {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Self { text, code: String::new(), lost }
    }

    /// Whether rows are to blame, so that a smaller batch may succeed: broken constraints
    /// (class 23), values that the server cannot hold (22), a transaction that met another (40).
    pub(crate) fn is_conflict(&self) -> bool {
        ["22", "23", "40"].iter().any(|class| self.code.starts_with(class))
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::of(&error)
    }
}

impl From<Failure> for DbError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.text)
    }
}
