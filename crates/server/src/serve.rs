//! `cobro serve`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use cobro_control::{Access, Autopilot};
use cobro_delivery::Deliveries;
use cobro_delivery::address::Policy;
use cobro_delivery::sender::Sender;
use cobro_engine::Worlds;
use cobro_engine::ports::Dialect;
use cobro_engine::worlds::MAIN;
use cobro_mercadopago::{Point, Surface};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app;
use crate::config::Config;
use crate::data::{DataDirectory, check_key, installation_key, main_databases, vault_keys};
use crate::factory::Factory;
use crate::outbound::GuardedOutbound;
use crate::platform::StopRequests;

/// How often the server looks whether its store has stopped writing.
const WATCH: Duration = Duration::from_millis(500);

/// Runs a server until it is asked to stop.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    // Before anybody can know that the server runs: a request to stop must never find it unready.
    let mut stop = StopRequests::listen().context("signals")?;
    let directory = DataDirectory::take(&config.store, config.ephemeral)?;
    let key = Arc::new(installation_key(&config.store)?);
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let access = access(&config, address.ip().is_loopback())?;
    let metrics = PrometheusBuilder::new().install_recorder().context("metrics")?;
    let shutdown = CancellationToken::new();
    let policy = Policy::sandbox();
    let sender = Arc::new(Sender::new(policy.clone()));
    let allows: Arc<dyn Fn(&str) -> bool + Send + Sync> =
        Arc::new(move |url: &str| policy.check_url(url).is_ok());
    let dialects: Vec<Arc<dyn Dialect>> = vec![Arc::new(Point)];
    let factory = Arc::new(Factory {
        directory: directory.path.join("worlds"),
        key: key.clone(),
        vault: Arc::new(vault_keys(&config.store, &key)?),
        dialects: Arc::new(dialects),
        deliveries: Arc::new(Deliveries::new(sender.clone())),
        shutdown: shutdown.clone(),
        loops: TaskTracker::new(),
        stops: Mutex::new(HashMap::new()),
    });
    let main = factory.start(MAIN, "demo", &main_databases(&config.store)).await?;
    check_key(main.store(), &key).await?;
    let worlds = Arc::new(Worlds::new(main.clone(), factory.clone()));
    let outbound = Arc::new(GuardedOutbound { sender, allows: allows.clone() });
    let (stopping, stopped) = watch::channel(false);
    let autopilot = Arc::new(Autopilot::default());
    let router = app::router(app::Parts {
        worlds: worlds.clone(),
        mercadopago: Surface { worlds: worlds.clone(), outbound },
        access,
        allows,
        autopilot: autopilot.clone(),
        shutdown: stopped.clone(),
        metrics,
    });
    tokio::spawn(autopilot.run(worlds.clone(), stopped));
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    directory.leave_address(&url)?;
    print_ready(&url, &directory);
    let serving = tokio::spawn(crate::http::listen(listener, router, shutdown.clone()));
    let failed = wait(&worlds, &mut stop).await;
    let _ = stopping.send(true);
    shutdown.cancel();
    serving.await.context("the listener")?;
    for world in worlds.all_open() {
        world.drain().await;
    }
    factory.loops.close();
    factory.loops.wait().await;
    if failed {
        anyhow::bail!("a commit failed: restart to recover");
    }
    Ok(())
}

/// Waits until the server is asked to stop, or must: then the answer is true.
async fn wait(worlds: &Worlds, stop: &mut StopRequests) -> bool {
    let broken = async {
        // A commit that failed stops all writing (reliability reference, section 2, rule 5).
        while !worlds.main().store().is_stopped() {
            tokio::time::sleep(WATCH).await;
        }
    };
    tokio::select! {
        () = stop.asked() => false,
        () = broken => true,
    }
}

fn access(config: &Config, loopback: bool) -> anyhow::Result<Access> {
    if loopback {
        return Ok(Access::Loopback);
    }
    match &config.store.control_token {
        Some(token) if !token.is_empty() => Ok(Access::Token(token.clone())),
        _ => anyhow::bail!(
            "{} can be reached from elsewhere: set COBRO_CONTROL_TOKEN, or listen on 127.0.0.1",
            config.listen
        ),
    }
}

fn print_ready(url: &str, directory: &DataDirectory) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    // Nobody may be reading.
    let _ = write!(out, "{}", crate::banner::text(url, &directory.path.display().to_string()));
    let _ = out.flush();
}
