//! Structured logs, on standard error.

use tracing_subscriber::EnvFilter;

/// Starts logging: `RUST_LOG` says what, `LOG_FORMAT=json` how. Beside another program's output
/// only warnings are told unless asked for more.
pub(crate) fn start(beside_a_program: bool) {
    let usual = if beside_a_program { "warn" } else { "warn,cobro=info,cobro_store=info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    // It tells the parameters of statements, which are people's data, whatever level is asked for.
    let filter = match "tokio_postgres=info".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    };
    let json = std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json");
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json { logs.json().try_init() } else { logs.try_init() };
    // A test may have started logging before.
    drop(started);
}
