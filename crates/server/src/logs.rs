//! Structured logs, on standard error.

use tracing_subscriber::EnvFilter;

/// Starts logging: `RUST_LOG` says what, `LOG_FORMAT=json` how.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,cobro=info,cobro_store=info"));
    let json = std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json");
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json { logs.json().try_init() } else { logs.try_init() };
    // A test may have started logging before.
    drop(started);
}
