//! From the start of the process to its first answer, what it holds in memory while idle, and how
//! long a program is held up that runs under `cobro run`.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::clock::{Mark, Slice, Watched};
use crate::plan::Plan;
use crate::process::{Scratch, Server, command};

/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// What was measured, in milliseconds and MiB.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// With an empty directory: databases are made first.
    pub(crate) first_ms: Vec<f64>,
    /// With a directory that was used before.
    pub(crate) again_ms: Vec<f64>,
    /// From the start of `cobro run -- true` to its end.
    pub(crate) run_ms: Vec<f64>,
    /// Idle, in MiB.
    pub(crate) idle_mib: Vec<f64>,
    /// How long a small write with a sync takes, in microseconds.
    pub(crate) sync_us: f64,
    /// The share of the machine that others used meanwhile, from 0 to 1.
    pub(crate) others: f64,
}

/// Measures.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Start> {
    let scratch = Scratch::new(&plan.work, "start")?;
    let mut start = Start::default();
    let mark = Mark::new(&Watched::default());
    for round in 0..plan.starts() {
        let data = scratch.path().join(round.to_string());
        let first = Server::cobro(&plan.cobro, &data, None)?;
        start.first_ms.push(first.started_in.as_secs_f64() * 1000.0);
        if round < 3 {
            std::thread::sleep(IDLE);
            start.idle_mib.extend(first.resident_kib().map(|kib| kib as f64 / 1024.0));
        }
        first.stop()?;
        let again = Server::cobro(&plan.cobro, &data, None)?;
        start.again_ms.push(again.started_in.as_secs_f64() * 1000.0);
        again.stop()?;
        start.run_ms.push(run_nothing(&plan.cobro)?.as_secs_f64() * 1000.0);
    }
    start.others = Slice { cpu: mark.elapsed(), ..Slice::default() }.others();
    start.sync_us = f64::from(crate::http::sync_wait(scratch.path())?.p50_us);
    Ok(start)
}

/// Runs a command that does nothing and ends at once in a sandbox of its own.
fn run_nothing(program: &Path) -> anyhow::Result<Duration> {
    let mut command = command(program);
    command.args(["run", "--", "true"]).stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status().with_context(|| format!("{}", program.display()))?;
    let took = began.elapsed();
    anyhow::ensure!(status.success(), "`cobro run -- true` ended with {status}");
    Ok(took)
}
