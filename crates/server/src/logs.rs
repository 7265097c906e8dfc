//! Structured logs, on standard error.

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

/// Starts logging: `RUST_LOG` says what, as levels of targets (`warn,cobro=debug`), `LOG_FORMAT=json`
/// how. Beside another program's output only warnings are told unless asked for more.
pub(crate) fn start(beside_a_program: bool) {
    let asked = std::env::var("RUST_LOG").ok().map(|text| text.parse::<Targets>());
    let (targets, wrong) = match asked {
        Some(Ok(targets)) => (targets, None),
        Some(Err(error)) => (usual(beside_a_program), Some(error)),
        None => (usual(beside_a_program), None),
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json") {
        true => lines.json().boxed(),
        false => lines.boxed(),
    };
    let lines = lines.with_filter(targets.and(filter_fn(may_be_told)));
    // A test may have started logging before.
    drop(registry().with(lines).try_init());
    if let Some(error) = wrong {
        tracing::warn!(%error, "RUST_LOG is not understood");
    }
}

/// What is told when nobody asks for anything else.
fn usual(beside_a_program: bool) -> Targets {
    let usual = Targets::new().with_default(LevelFilter::WARN);
    if beside_a_program { usual } else { usual.with_target("cobro", LevelFilter::INFO) }
}

/// The PostgreSQL client tells the parameters of statements, which are people's data: not those,
/// whatever is asked for.
fn may_be_told(what: &Metadata<'_>) -> bool {
    !what.target().starts_with("tokio_postgres") || *what.level() <= LevelFilter::INFO
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is told of three events where `asked` is asked for.
    fn told(asked: &str) -> String {
        let text = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&text);
        let lines = fmt::layer().with_ansi(false).with_writer(move || Lines(Arc::clone(&writer)));
        let targets: Targets = asked.parse().unwrap();
        let lines = lines.with_filter(targets.and(filter_fn(may_be_told)));
        tracing::subscriber::with_default(registry().with(lines), || {
            tracing::debug!(target: "tokio_postgres::query", "parameters");
            tracing::info!(target: "tokio_postgres::connection", "connected");
            tracing::debug!(target: "cobro_delivery", "sent");
        });
        String::from_utf8(std::mem::take(&mut *text.lock().unwrap())).unwrap()
    }

    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn parameters_of_statements_are_never_told() {
        for asked in
            ["trace", "warn,tokio_postgres=trace", "tokio_postgres::query=trace,cobro=debug"]
        {
            assert!(!told(asked).contains("parameters"), "{asked}");
        }
        assert!(told("trace").contains("connected") && told("trace").contains("sent"));
        assert!(told("warn,cobro=debug").contains("sent"));
        assert_eq!(told("warn"), "");
    }

    #[test]
    fn the_server_tells_more_than_a_command_beside_a_program() {
        for (beside, told) in [(false, true), (true, false)] {
            let usual = usual(beside);
            assert_eq!(usual.would_enable("cobro_store::lane", &tracing::Level::INFO), told);
            assert!(usual.would_enable("hyper", &tracing::Level::WARN));
            assert!(!usual.would_enable("hyper", &tracing::Level::INFO));
        }
    }
}
