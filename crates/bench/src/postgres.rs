//! On PostgreSQL: Cobro in process and over HTTP beside `pgbench`, all on one private cluster.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cobro_engine::World;
use cobro_engine::ports::Acquirer;
use tokio_postgres::NoTls;

use crate::clock::{Mark, Slice, Watched, parent_of};
use crate::inside::{Counter, Yes};
use crate::plan::Plan;
use crate::process::{Database, Scratch, Server};
use crate::report::Series;
use crate::stock::{KEY, Place, Tills, populate};
use crate::traffic::Caller;

pub(crate) const PGBENCH: &str = "pgbench, TPC-B, 64 clients";
pub(crate) const SPREAD_64: &str = "commands in process, 64 callers, 1,000 merchants";
pub(crate) const SPREAD_128: &str = "commands in process, 128 callers, 1,000 merchants";
pub(crate) const HOT_64: &str = "commands in process, 64 callers, one merchant";
pub(crate) const HOT_128: &str = "commands in process, 128 callers, one merchant";
pub(crate) const WITH_BOOK: &str = "payments in process, 64 callers, simulated acquirer";
pub(crate) const OVER_HTTP: &str = "payments over HTTP, 64 connections, simulated acquirer";

/// How many rows the tables of `pgbench` have, in 100,000 accounts.
const SCALE: &str = "20";

struct Stage {
    runtime: tokio::runtime::Runtime,
    pgbench: Command,
    database: u32,
    /// Without a book: the acquirer says yes at once.
    plain: (World, Tills),
    /// With the simulated acquirer and its book.
    with_book: World,
    server: Server,
    tills: Tills,
    _scratch: Scratch,
}

/// Measures; gives a series of slices per case, and the server's version.
pub(crate) fn measure(
    plan: &Plan,
    url: &str,
    pgbench: &Path,
) -> anyhow::Result<(Vec<Series>, String)> {
    let (stage, version) = prepare(plan, url, pgbench)?;
    let mut series: Vec<Series> =
        [PGBENCH, SPREAD_64, HOT_64, SPREAD_128, HOT_128, WITH_BOOK, OVER_HTTP]
            .into_iter()
            .filter(|name| plan.wants(name))
            .map(Series::new)
            .collect();
    let cases = series.len();
    for round in 0..plan.rounds() {
        eprintln!("PostgreSQL, round {} of {}", round + 1, plan.rounds());
        for turn in 0..cases {
            if let Some(one) = series.get_mut((turn + round) % cases) {
                let slice = stage.slice(one.name, plan)?;
                one.push(slice);
            }
        }
    }
    let Stage { runtime, plain, with_book, server, .. } = stage;
    server.stop()?;
    runtime.block_on(async {
        plain.0.drain().await;
        with_book.drain().await;
    });
    Ok((series, version))
}

fn prepare(plan: &Plan, url: &str, pgbench: &Path) -> anyhow::Result<(Stage, String)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let scratch = Scratch::new(&plan.work, "postgres")?;
    eprintln!("Preparing PostgreSQL …");
    let (base, _) = url.rsplit_once('/').context("the address of PostgreSQL names no database")?;
    let (database, version) = runtime.block_on(set_up(url))?;
    let place = |name: &str| format!("{base}/{name}");
    let (world, tills) = runtime.block_on(async {
        let world =
            Place::postgres(&place("plain")).open(Some(Arc::new(Yes) as Arc<dyn Acquirer>)).await?;
        let tills = populate(&world).await?;
        Ok::<_, anyhow::Error>((world, tills))
    })?;
    let (with_book, book_tills) = runtime.block_on(async {
        let world = Place::postgres(&place("book")).open(None).await?;
        let tills = populate(&world).await?;
        Ok::<_, anyhow::Error>((world, tills))
    })?;
    // The server takes the same database: whoever is not measured is idle.
    let at = Database { url: place("book"), key: hex::encode(KEY) };
    let server = Server::cobro(&plan.cobro, &scratch.path().join("data"), Some(&at))?;
    let address = url.split_once('@').map_or(url, |(_, rest)| rest);
    let (host, _) = address.split_once('/').unwrap_or((address, ""));
    let (host, port) = host.split_once(':').unwrap_or((host, "5432"));
    let mut command = Command::new(pgbench);
    command.args(["-h", host, "-p", port, "-U", "postgres"]);
    let mut init = copy(&command);
    let made = init.args(["-i", "-q", "-s", SCALE, "bench"]).output()?;
    anyhow::ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let stage = Stage {
        runtime,
        pgbench: command,
        database,
        plain: (world, tills),
        with_book,
        server,
        tills: book_tills,
        _scratch: scratch,
    };
    Ok((stage, version))
}

/// Makes the databases; gives the id of PostgreSQL's first process and its version.
async fn set_up(url: &str) -> anyhow::Result<(u32, String)> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    // Checkpoints would fall into some slices and not into others.
    client.batch_execute("ALTER SYSTEM SET max_wal_size = '8GB'").await?;
    client.batch_execute("ALTER SYSTEM SET checkpoint_timeout = '30min'").await?;
    client.execute("SELECT pg_reload_conf()", &[]).await?;
    for name in ["plain", "book", "bench"] {
        client.batch_execute(&format!("CREATE DATABASE {name}")).await?;
    }
    let own: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
    let version: String = client.query_one("SHOW server_version", &[]).await?.try_get(0)?;
    let first = u32::try_from(own).ok().and_then(parent_of).unwrap_or(0);
    Ok((first, version))
}

fn copy(command: &Command) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args());
    copy
}

impl Stage {
    fn slice(&self, case: &str, plan: &Plan) -> anyhow::Result<Slice> {
        let watched = Watched { servers: vec![self.server.id()], database: Some(self.database) };
        let (plain, tills) = (&self.plain.0, &self.plain.1);
        match case {
            PGBENCH => self.pgbench(plan, &watched),
            SPREAD_64 => self.commands(plain, &tills.spread, 64, plan, &watched),
            SPREAD_128 => self.commands(plain, &tills.spread, 128, plan, &watched),
            HOT_64 => self.commands(plain, &tills.one, 64, plan, &watched),
            HOT_128 => self.commands(plain, &tills.one, 128, plan, &watched),
            WITH_BOOK => self.payments(&self.with_book, 64, plan, &watched),
            _ => {
                let caller = Caller::new(self.server.address);
                caller.payments(&self.tills.spread, plan.slice(), &watched)
            }
        }
    }

    /// Commands of payments, each a transaction of its own to the world's store. All that the lanes
    /// ran is counted.
    fn commands(
        &self,
        world: &World,
        tills: &[crate::stock::Till],
        callers: usize,
        plan: &Plan,
        watched: &Watched,
    ) -> anyhow::Result<Slice> {
        let counted = || -> u64 {
            world.store().counters().map(|lane| lane.commands.load(Ordering::Relaxed)).sum()
        };
        self.runtime.block_on(async {
            let counter = Counter::new(world, tills).await?;
            let before = counted();
            let slice = counter.payments(callers, plan.slice(), watched).await?;
            Ok(Slice { operations: counted() - before, ..slice })
        })
    }

    fn payments(
        &self,
        world: &World,
        callers: usize,
        plan: &Plan,
        watched: &Watched,
    ) -> anyhow::Result<Slice> {
        self.runtime.block_on(async {
            let counter = Counter::new(world, &self.tills.spread).await?;
            counter.payments(callers, plan.slice(), watched).await
        })
    }

    fn pgbench(&self, plan: &Plan, watched: &Watched) -> anyhow::Result<Slice> {
        let (mark, began) = (Mark::new(watched), Instant::now());
        let mut command = copy(&self.pgbench);
        let seconds = plan.pgbench_s();
        command.args(["-n", "-c", "64", "-j", "2", "-M", "prepared", "-T"]);
        let done = command.arg(seconds.to_string()).arg("bench").output()?;
        let text = String::from_utf8_lossy(&done.stdout);
        anyhow::ensure!(
            done.status.success(),
            "pgbench: {text}{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let cpu = mark.elapsed();
        let number = |start: &str| -> Option<f64> {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(start))?;
            line.split_whitespace().next()?.split('/').next()?.parse().ok()
        };
        let rate = number("tps = ").context("pgbench tells no rate")?;
        let count = number("number of transactions actually processed: ");
        let count = count.context("pgbench tells no count")?;
        let operations = format!("{count:.0}").parse()?;
        // Its own figure leaves connecting out.
        let elapsed = Duration::from_secs_f64(count / rate.max(1e-9)).min(began.elapsed());
        Ok(Slice { cpu, ..Slice::new(operations, elapsed, Vec::new()) })
    }
}
