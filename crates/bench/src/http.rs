//! Over HTTP on SQLite, with full sync: a durable intent and a whole payment beside a bare server.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::clock::{Slice, Watched};
use crate::collect::Site;
use crate::fill;
use crate::inside;
use crate::plan::Plan;
use crate::process::{Scratch, Server};
use crate::report::Series;
use crate::stock::{self, Place, Tills};
use crate::through::Asker;
use crate::traffic::Caller;

/// What is measured, in the order in which it is reported.
pub(crate) const BARE: &str = "bare axum route, one request";
pub(crate) const CREATE: &str = "create, one seller";
pub(crate) const CREATE_SPREAD: &str = "create, 1,000 sellers";
pub(crate) const CREATE_FILLED: &str = "create, 1,000 sellers, 1,000,000 payments stored";
pub(crate) const PAYMENT: &str = "payment (create, green key, card), one seller";
pub(crate) const COLLECT: &str = "collect (charge of a stored card), one site";
pub(crate) const DIRECT: &str = "list of terminals, plain, one connection";
pub(crate) const PROXIED: &str = "list of terminals, through the proxy, one connection";
pub(crate) const CREATE_ALONE: &str = "create in process, one commit each";
pub(crate) const CREATE_INSIDE: &str = "create in process, 64 callers";

/// All of them.
const CASES: [&str; 10] = [
    BARE,
    CREATE,
    CREATE_SPREAD,
    CREATE_FILLED,
    PAYMENT,
    COLLECT,
    DIRECT,
    PROXIED,
    CREATE_ALONE,
    CREATE_INSIDE,
];

/// The servers of a run and what they hold.
struct Stage {
    bare: Server,
    empty: Server,
    /// With its terminals.
    filled: Option<Filled>,
    tills: Tills,
    /// Of the empty server.
    site: Option<Site>,
    /// Of the empty server.
    asker: Option<Asker>,
    inside: cobro_engine::World,
    runtime: tokio::runtime::Runtime,
    scratch: Scratch,
}

/// A server with very many payments.
struct Filled {
    server: Server,
    tills: Tills,
    lent: fill::Lent,
}

/// Measures; gives a series of slices per case.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Vec<Series>> {
    let stage = prepare(plan)?;
    let wanted = CASES.into_iter().filter(|name| plan.wants(name));
    let mut series: Vec<Series> = wanted.map(Series::new).collect();
    let mut sync_waits = Series::new(crate::report::SYNC);
    for round in 0..plan.rounds() {
        eprintln!("SQLite, round {} of {}", round + 1, plan.rounds());
        sync_waits.push(sync_wait(stage.scratch.path())?);
        // Every round begins with another case, so that none always follows the same one.
        let cases = series.len();
        for turn in 0..cases {
            if let Some(one) = series.get_mut((turn + round) % cases) {
                let slice = stage.slice(one.name, plan)?;
                one.push(slice);
            }
        }
    }
    series.push(sync_waits);
    let Stage { bare, empty, filled, inside, runtime, .. } = stage;
    drop(bare);
    empty.stop()?;
    if let Some(Filled { server, lent, .. }) = filled {
        server.stop()?;
        lent.give_back()?;
    }
    runtime.block_on(inside.drain());
    Ok(series)
}

fn prepare(plan: &Plan) -> anyhow::Result<Stage> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let scratch = Scratch::new(&plan.work, "sqlite")?;
    eprintln!("Making sellers and terminals …");
    let template = scratch.path().join("template");
    let tills = stock::make_data(&runtime, &template)?;
    let filled = match plan.wants(CREATE_FILLED) {
        true => Some(Filled::start(plan, &runtime)?),
        false => None,
    };
    let empty_data = scratch.copy_of(&template, "empty")?;
    let inside = runtime.block_on(Place::sqlite(&template).open(None))?;
    let empty = Server::cobro(&plan.cobro, &empty_data, None)?;
    let site = match plan.wants(COLLECT) {
        true => Some(Site::subscribe(Caller::new(empty.address))?),
        false => None,
    };
    let asker = match tills.spread.first() {
        Some(till) if plan.wants(DIRECT) || plan.wants(PROXIED) => {
            Some(Asker::new(empty.address, till)?)
        }
        _ => None,
    };
    Ok(Stage { bare: Server::bare()?, empty, site, asker, filled, tills, inside, runtime, scratch })
}

impl Filled {
    fn start(plan: &Plan, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Self> {
        let lent = fill::lend(runtime, &plan.work, plan.stored_payments())?;
        let tills = Tills::load(lent.path())?;
        Ok(Self { server: Server::cobro(&plan.cobro, lent.path(), None)?, tills, lent })
    }
}

impl Stage {
    fn slice(&self, case: &str, plan: &Plan) -> anyhow::Result<Slice> {
        let (bare, empty) = (&self.bare, &self.empty);
        let watched = |measured: &Server| {
            let others = [Some(bare), Some(empty), self.filled.as_ref().map(|one| &one.server)];
            let others = others.into_iter().flatten().map(Server::id);
            let others = others.filter(|id| *id != measured.id());
            let servers = std::iter::once(measured.id()).chain(others).collect();
            Watched { servers, database: None }
        };
        let caller = |server: &Server| Caller::new(server.address);
        let count = plan.creates();
        let some = |tills: &[stock::Till]| {
            tills.get(..count.min(tills.len())).unwrap_or_default().to_vec()
        };
        match case {
            BARE => caller(bare).bare(plan.bare_requests(), &watched(bare)),
            CREATE => caller(empty).creates(&self.tills.one, count, &watched(empty)),
            CREATE_SPREAD => {
                caller(empty).creates(&some(&self.tills.spread), count, &watched(empty))
            }
            CREATE_FILLED => {
                let filled = self.filled.as_ref().context("there is no filled database")?;
                let server = &filled.server;
                caller(server).creates(&some(&filled.tills.spread), count, &watched(server))
            }
            PAYMENT => caller(empty).payments(&self.tills.one, plan.slice(), &watched(empty)),
            COLLECT => {
                let site = self.site.as_ref().context("there is no site")?;
                site.collects(plan.slice(), &watched(empty))
            }
            DIRECT | PROXIED => {
                let asker = self.asker.as_ref().context("nobody asks")?;
                asker.slice(case == PROXIED, plan.slice(), &watched(empty))
            }
            CREATE_ALONE => self.inside(1, plan, watched(bare)),
            _ => self.inside(64, plan, watched(bare)),
        }
    }

    fn inside(&self, callers: usize, plan: &Plan, watched: Watched) -> anyhow::Result<Slice> {
        let tills = inside::Counter::new(&self.inside, &self.tills.one);
        self.runtime.block_on(async {
            let count = if callers == 1 { plan.creates() / 8 } else { plan.creates() };
            let (tills, turn) = (tills.await?, count.min(self.tills.one.len()));
            let mut slices = Vec::new();
            for _ in 0..count / turn.max(1) {
                slices.push(tills.clone().creates(callers, turn, &watched).await?);
            }
            Ok(Slice::joined(&slices))
        })
    }
}

/// How long a small write with a sync takes in a directory: what a commit waits for.
pub(crate) fn sync_wait(directory: &Path) -> anyhow::Result<Slice> {
    const SYNCS: u64 = 100;
    let path: PathBuf = directory.join("sync");
    let mut file = File::create(&path)?;
    let mut took = Vec::new();
    let began = Instant::now();
    for _ in 0..SYNCS {
        let one = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        took.push(u32::try_from(one.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    let elapsed: Duration = began.elapsed();
    std::fs::remove_file(&path)?;
    Ok(Slice::new(SYNCS, elapsed, took))
}
