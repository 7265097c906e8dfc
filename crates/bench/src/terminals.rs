//! Very many terminals and live streams on one process: what one of each costs, and what payments
//! keep of their throughput beside them.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::clock::{CpuUse, Mark, Slice, Watched};
use crate::crowd::{Crowd, Members};
use crate::load::drive;
use crate::plan::Plan;
use crate::process::{Scratch, Server};
use crate::report::Series;
use crate::stock::{self, Till, Tills};
use crate::traffic::{CONNECTIONS, Caller, expect};

/// What is measured, in the order in which it is reported.
pub(crate) const POLL: &str = "poll of a terminal, as fast as it goes";
pub(crate) const QUIET: &str = "poll at its pace, streams open, no payments";
pub(crate) const ALONE: &str = "payment, 1,000 sellers, nobody else";
pub(crate) const BESIDE: &str = "payment beside 10,000 terminals and 1,000 streams";
pub(crate) const POLLS: &str = "polls beside those payments";
pub(crate) const SHOWN: &str = "changes told on streams beside those payments";

/// What one more of each holds in memory, in KiB.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// A terminal that asks.
    pub(crate) terminal_kib: Vec<f64>,
    /// An open live stream.
    pub(crate) stream_kib: Vec<f64>,
    /// The share of the machine that others used meanwhile, from 0 to 1.
    pub(crate) others: f64,
}

/// A server and its crowd.
struct Stage {
    server: Server,
    tills: Tills,
    members: Members,
}

/// Measures; gives a series of slices per case, and memory.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<(Vec<Series>, Memory)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let scratch = Scratch::new(&plan.work, "terminals")?;
    eprintln!("Making sellers and terminals …");
    let template = scratch.path().join("template");
    let tills = stock::make_data(&runtime, &template)?;
    drop(runtime);
    let members = Members {
        pollers: evenly(&tills.spread, plan.pollers()),
        watched: evenly(&tills.spread, plan.streams()),
    };
    let memory = memory(plan, &scratch, &template, &members, &tills.one)?;
    let data = scratch.copy_of(&template, "data")?;
    let server = Server::cobro(&plan.cobro, &data, None)?;
    let stage = Stage { server, tills, members };
    let mut series: Vec<Series> =
        [POLL, QUIET, ALONE, BESIDE, POLLS, SHOWN].into_iter().map(Series::new).collect();
    for round in 0..plan.rounds() {
        eprintln!("Terminals, round {} of {}", round + 1, plan.rounds());
        let mut push = |name: &str, slice: Slice| {
            if let Some(one) = series.iter_mut().find(|series| series.name == name) {
                one.push(slice);
            }
        };
        // Which of the two comes first alternates.
        for turn in 0..2 {
            if (turn + round) % 2 == 0 {
                push(ALONE, stage.payments(plan)?);
                push(POLL, stage.polls(plan.slice())?);
            } else {
                stage.crowded(plan, &mut push)?;
            }
        }
    }
    stage.server.stop()?;
    Ok((series, memory))
}

/// So many of them, from all over the list.
fn evenly(tills: &[Till], count: usize) -> Vec<Till> {
    let step = (tills.len() / count.max(1)).max(1);
    tills.iter().step_by(step).take(count).cloned().collect()
}

/// What terminals and streams hold in new servers; other terminals have asked before, so that what
/// the first requests of a server cost is left out.
fn memory(
    plan: &Plan,
    scratch: &Scratch,
    template: &Path,
    members: &Members,
    others: &[Till],
) -> anyhow::Result<Memory> {
    let mut memory = Memory::default();
    let mark = Mark::new(&Watched::default());
    for turn in 0..plan.memory_turns() {
        eprintln!("Memory of terminals and streams, turn {}", turn + 1);
        let data = scratch.copy_of(template, &format!("memory-{turn}"))?;
        let server = Server::cobro(&plan.cobro, &data, None)?;
        let resident = || server.resident_kib().context("the system does not tell memory");
        ask_all(&server, others)?;
        let before = resident()?;
        ask_all(&server, &members.pollers)?;
        let asked = resident()?;
        let streams = Members { pollers: Vec::new(), watched: members.watched.clone() };
        let crowd = Crowd::gather(server.address, streams)?;
        let open = resident()?;
        crowd.disperse()?;
        memory.terminal_kib.push(each(before, asked, members.pollers.len()));
        memory.stream_kib.push(each(asked, open, members.watched.len()));
        server.stop()?;
    }
    memory.others = Slice { cpu: mark.elapsed(), ..Slice::default() }.others();
    Ok(memory)
}

/// What each of `count` added; less than nothing when memory was given back meanwhile.
fn each(before: u64, after: u64, count: usize) -> f64 {
    (after as f64 - before as f64) / count.max(1) as f64
}

/// Each of these terminals asks once, as fast as it goes.
fn ask_all(server: &Server, tills: &[Till]) -> anyhow::Result<()> {
    let (caller, next) = (Caller::new(server.address), AtomicUsize::new(0));
    drive(server.address, CONNECTIONS, &Watched::default(), async |wire| {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(till) = tills.get(place) else { return Ok(None) };
        let mut request = Vec::with_capacity(512);
        caller.look(till, &mut request);
        expect(wire, &request, 200).await?;
        Ok(Some(()))
    })?;
    Ok(())
}

impl Stage {
    fn watched(&self) -> Watched {
        Watched { servers: vec![self.server.id()], database: None }
    }

    fn payments(&self, plan: &Plan) -> anyhow::Result<Slice> {
        let caller = Caller::new(self.server.address);
        caller.payments(&self.tills.spread, plan.slice(), &self.watched())
    }

    /// Terminals that ask without a pause: what a poll costs.
    fn polls(&self, time: Duration) -> anyhow::Result<Slice> {
        let (caller, next) = (Caller::new(self.server.address), AtomicUsize::new(0));
        let (tills, until) = (&self.members.pollers, Instant::now() + time);
        let (slice, _) = drive(self.server.address, CONNECTIONS, &self.watched(), async |wire| {
            if Instant::now() >= until {
                return Ok(None);
            }
            let place = next.fetch_add(1, Ordering::Relaxed) % tills.len().max(1);
            let till = tills.get(place).context("there is no terminal")?;
            let mut request = Vec::with_capacity(512);
            caller.look(till, &mut request);
            expect(wire, &request, 200).await?;
            Ok(Some(()))
        })?;
        Ok(slice)
    }

    /// With the whole crowd: first alone, then with payments.
    fn crowded(&self, plan: &Plan, push: &mut impl FnMut(&str, Slice)) -> anyhow::Result<()> {
        let crowd = Crowd::gather(self.server.address, self.members.clone())?;
        let (mark, began) = (Mark::new(&self.watched()), Instant::now());
        std::thread::sleep(plan.slice());
        let (elapsed, cpu) = (began.elapsed(), mark.elapsed());
        let quiet = Slice::new(crowd.polls(), elapsed, Vec::new());
        push(QUIET, Slice { cpu, ..quiet });
        let (mark, began) = (Mark::new(&self.watched()), Instant::now());
        crowd.count_anew();
        let paid = self.payments(plan)?;
        let (elapsed, cpu, polls) = (began.elapsed(), mark.elapsed(), crowd.polls());
        let done = crowd.disperse()?;
        // Whose CPU time it was is told with the payments; here, only what others used.
        let cpu = CpuUse { own_us: 0, server_us: 0, database_us: 0, ..cpu };
        push(BESIDE, paid);
        push(POLLS, Slice { cpu, ..Slice::new(polls, elapsed, done.polls_us) });
        push(SHOWN, Slice { cpu, ..Slice::new(done.shown, elapsed, Vec::new()) });
        Ok(())
    }
}
