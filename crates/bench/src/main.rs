//! Measures Cobro. `cargo xtask bench` builds this program and the server, starts PostgreSQL and
//! runs it; it writes `docs/benchmarks.md`.
//!
//! What is compared is measured in the same run and in turns, a slice of each per round, so that a
//! machine that is busy with other things disturbs both sides alike. Beside every figure stand the
//! CPU time that it took and the share of the machine that somebody else used meanwhile.
//!
//! Read in this order: [`plan`], [`clock`], [`load`], [`traffic`], [`collect`], [`through`], [`http`],
//! [`crowd`], [`terminals`], [`inside`], [`postgres`], [`report`].

#![expect(clippy::float_arithmetic, reason = "ratios of measurements; no money is reckoned here")]

mod bare;
mod clock;
mod collect;
mod crowd;
mod fill;
mod http;
mod inside;
mod load;
mod pages;
mod plan;
mod postgres;
mod process;
mod report;
mod start;
mod stock;
mod terminals;
mod through;
mod traffic;

use std::process::ExitCode;

/// The server's allocator, so that the bare server and what runs in process have the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let done = match arguments.next().as_deref() {
        Some("bare") => bare::serve(),
        Some("run") => plan::Plan::parse(arguments).and_then(|plan| plan.run()),
        _ => Err(anyhow::anyhow!("run this as `cargo xtask bench`")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
