//! `cobro serve`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
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
use cobro_surface::journal::Journal;
use futures_util::FutureExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app;
use crate::config::Config;
use crate::data::{DataDirectory, check_key, installation_key, main_databases, vault_keys};
use crate::factory::Factory;
use crate::http::Front;
use crate::outbound::GuardedOutbound;
use crate::platform::StopRequests;
use crate::unchanged::front;

/// How often the server looks whether its store has stopped writing.
const WATCH: Duration = Duration::from_millis(500);

/// How often the server looks for worlds that nobody uses; one is closed after one to two such times.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Runs a server until it is asked to stop.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    // Before anybody can know that the server runs: a request to stop must never find it unready.
    let mut stop = StopRequests::listen().context("signals")?;
    crate::platform::raise_descriptor_limit();
    let running = start(config).await?;
    print_ready(&running.url, &running.directory);
    let failed = wait(&running.worlds, &mut stop).await;
    running.stop().await?;
    if failed {
        anyhow::bail!("a commit failed: restart to recover");
    }
    Ok(())
}

/// A server that listens.
pub(crate) struct Running {
    /// What links begin with.
    pub(crate) url: String,
    worlds: Arc<Worlds>,
    factory: Arc<Factory>,
    shutdown: CancellationToken,
    stopping: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
    // Last, so that the directory is given back when everything else has ended.
    directory: DataDirectory,
}

impl Running {
    /// Where its data are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory.path
    }

    /// Lets running requests end, then everything else.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let _ = self.stopping.send(true);
        self.shutdown.cancel();
        for listener in self.serving {
            listener.await.context("the listener")?;
        }
        for world in self.worlds.all_open() {
            world.drain().await;
        }
        self.factory.loops.close();
        self.factory.loops.wait().await;
        Ok(())
    }
}

/// Starts a server.
pub(crate) async fn start(config: Config) -> anyhow::Result<Running> {
    let directory = DataDirectory::take(&config.store, config.ephemeral)?;
    let key = Arc::new(installation_key(&config.store)?);
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let access = access(&config, address.ip().is_loopback())?;
    let tls_listener = match config.tls {
        Some(tls) => Some(crate::unchanged::tls::bind(tls).await?),
        None => None,
    };
    let tls_address = tls_listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let own = std::iter::once(address).chain(tls_address).collect();
    let metrics = PrometheusBuilder::new().install_recorder().context("metrics")?;
    let shutdown = CancellationToken::new();
    let policy = Policy::sandbox();
    let sender = Arc::new(Sender::new(policy.clone()));
    let allows: Arc<dyn Fn(&str) -> bool + Send + Sync> =
        Arc::new(move |url: &str| policy.check_url(url).is_ok());
    let factory = Arc::new(Factory {
        directory: directory.path.join("worlds"),
        key: key.clone(),
        vault: Arc::new(vault_keys(&config.store, &key)?),
        dialects: Arc::new(dialects()),
        deliveries: Arc::new(Deliveries::new(sender.clone())),
        shutdown: shutdown.clone(),
        loops: TaskTracker::new(),
        empty: OnceLock::new(),
        background: Mutex::new(HashMap::new()),
    });
    let main = factory.start(MAIN, "demo", &main_databases(&config.store)).await?;
    check_key(main.store(), &key).await?;
    let worlds = Arc::new(Worlds::new(main.clone(), factory.clone()));
    let outbound = Arc::new(GuardedOutbound { sender, allows: allows.clone() });
    let (stopping, stopped) = watch::channel(false);
    let autopilot = Arc::new(Autopilot::default());
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let journal = Arc::new(Journal::new(app::JOURNAL_BYTES_MAX));
    let leaves = front::leaves(directory.path.clone());
    let token = token_of(&access);
    let proxy = front::proxy(leaves.clone(), journal.clone(), own, token, config.offline)?;
    let public_url: Arc<str> = url.trim_end_matches('/').into();
    let router = app::router(app::Parts {
        journal,
        leaves,
        worlds: worlds.clone(),
        clip: cobro_clip::Surface { worlds: worlds.clone(), public_url: public_url.clone() },
        mercadopago: Surface { worlds: worlds.clone(), outbound },
        placetopay: cobro_placetopay::Surface { worlds: worlds.clone(), public_url },
        access,
        allows,
        autopilot: autopilot.clone(),
        shutdown: stopped.clone(),
        metrics,
    });
    tokio::spawn(autopilot.run(worlds.clone(), stopped).boxed());
    tokio::spawn(close_and_open(worlds.clone(), shutdown.clone()).boxed());
    tokio::spawn(crate::vault::watch(worlds.clone(), factory.clone(), config.store).boxed());
    directory.leave_address(&url)?;
    let serving = std::iter::once(listener)
        .chain(tls_listener)
        .map(|listener| {
            let front = Front { router: router.clone(), proxy: Some(proxy.clone()) };
            tokio::spawn(crate::http::listen(listener, front, shutdown.clone()).boxed())
        })
        .collect();
    Ok(Running { url, worlds, factory, shutdown, stopping, serving, directory })
}

fn dialects() -> Vec<Arc<dyn Dialect>> {
    vec![Arc::new(cobro_clip::Clip), Arc::new(Point), Arc::new(cobro_placetopay::Checkout)]
}

/// Closes worlds that nobody uses, and opens them for what falls due, until the server stops.
async fn close_and_open(worlds: Arc<Worlds>, stop: CancellationToken) {
    let mut look_at = Instant::now() + LOOK_EVERY;
    loop {
        let real = || worlds.main().clock().real();
        let until_due = worlds.next_due().map(|due| due.micros().saturating_sub(real().micros()));
        let until_due =
            until_due.map(|left| Duration::from_micros(u64::try_from(left).unwrap_or(0)));
        let look = look_at.saturating_duration_since(Instant::now());
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(look.min(until_due.unwrap_or(LOOK_EVERY))) => {}
        }
        worlds.open_due(real()).await;
        if Instant::now() >= look_at {
            worlds.close_unused().await;
            look_at = Instant::now() + LOOK_EVERY;
        }
    }
}

fn token_of(access: &Access) -> Option<String> {
    match access {
        Access::Token(token) => Some(token.clone()),
        Access::Loopback => None,
    }
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

#[cfg(test)]
mod tests;
