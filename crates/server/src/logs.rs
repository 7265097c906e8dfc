//! Structured logs, on standard error.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

/// Starts logging: `RUST_LOG` says what, as levels of targets (`warn,cobro=debug`), `LOG_FORMAT=json`
/// how. Beside another program's output only warnings are told unless asked for more.
pub(crate) fn start(beside_a_program: bool) {
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let targets = asked.unwrap_or_else(|| {
        let usual = Targets::new().with_default(LevelFilter::WARN);
        if beside_a_program {
            return usual;
        }
        usual.with_targets([("cobro", LevelFilter::INFO), ("cobro_store", LevelFilter::INFO)])
    });
    // It tells the parameters of statements, which are people's data, whatever level is asked for.
    let targets = targets.with_target("tokio_postgres", LevelFilter::INFO);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json") {
        true => lines.json().boxed(),
        false => lines.boxed(),
    };
    // A test may have started logging before.
    drop(registry().with(lines.with_filter(targets)).try_init());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_understood() {
        let targets: Targets = "warn,cobro=debug".parse().unwrap();
        assert!(targets.would_enable("cobro::serve", &tracing::Level::DEBUG));
        assert!(!targets.would_enable("hyper", &tracing::Level::INFO));
        let targets: Targets = "trace".parse().unwrap();
        let targets = targets.with_target("tokio_postgres", LevelFilter::INFO);
        assert!(!targets.would_enable("tokio_postgres::query", &tracing::Level::DEBUG));
        assert!(targets.would_enable("cobro_delivery", &tracing::Level::TRACE));
    }
}
