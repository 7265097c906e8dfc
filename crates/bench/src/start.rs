//! From the start of the process to its first answer, and what it holds in memory while idle.

use std::time::Duration;

use crate::plan::Plan;
use crate::process::{Scratch, Server};

/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// What was measured, in milliseconds and MiB.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// With an empty directory: databases are made first.
    pub(crate) first_ms: Vec<f64>,
    /// With a directory that was used before.
    pub(crate) again_ms: Vec<f64>,
    /// Idle, in MiB.
    pub(crate) idle_mib: Vec<f64>,
    /// How long a small write with a sync takes, in microseconds.
    pub(crate) sync_us: f64,
}

/// Measures.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Start> {
    let scratch = Scratch::new(&plan.work, "start")?;
    let mut start = Start::default();
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
    }
    start.sync_us = f64::from(crate::http::sync_wait(scratch.path())?.p50_us);
    Ok(start)
}
