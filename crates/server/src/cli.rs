//! The command line.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use futures_util::future::LocalBoxFuture;
use tokio::runtime::Runtime;

use crate::config::{ServeArgs, StoreArgs};
use crate::export::ExportCommand;
use crate::unchanged;
use crate::unchanged::doctor::DoctorArgs;
use crate::unchanged::env::EnvArgs;
use crate::unchanged::run::RunArgs;
use crate::unchanged::tls::TlsArgs;
use crate::vault::VaultArgs;

/// An open, self-hosted payment-acceptance server for Latin America.
#[derive(Debug, Parser)]
#[command(name = "cobro", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server; what `cobro` alone does
    Serve(ServeArgs),
    /// Recompute every invariant from stored data and compare with the acquirer's book
    Verify(StoreArgs),
    /// Write a report of what is stored
    #[command(subcommand)]
    Export(ExportCommand),
    /// The keys of stored cards
    Vault(VaultArgs),
    /// Run a program with its providers' hosts led to a throw-away sandbox
    Run(RunArgs),
    /// Print the variables that lead programs to the running server, for `eval`
    Env(EnvArgs),
    /// The development CA, for clients that ignore proxies
    Tls(TlsArgs),
    /// Find out why a client does not arrive
    Doctor(DoctorArgs),
}

/// Reads the arguments and does what they say.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    crate::logs::start(matches!(cli.command, Some(Command::Run(_))));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => {
            let served = args.resolve().map(crate::serve::serve);
            match served.and_then(|serving| to_the_end(&runtime, serving)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => complain(&format!("{error:#}")),
            }
        }
        Command::Verify(args) => {
            let verified = args.resolve();
            match verified.and_then(|config| to_the_end(&runtime, crate::verify::run(&config))) {
                Ok(Ok(counted)) => {
                    let mut out = std::io::stdout().lock();
                    let _ = writeln!(
                        out,
                        "verified: {} payments, {} refunds, {} ledger entries, {} lines of the \
                         acquirer's book",
                        counted.payments, counted.refunds, counted.entries, counted.book_lines
                    );
                    ExitCode::SUCCESS
                }
                Ok(Err(offence)) => complain(&offence),
                Err(error) => complain(&format!("{error:#}")),
            }
        }
        Command::Export(command) => match to_the_end(&runtime, crate::export::run(command)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&format!("{error:#}")),
        },
        Command::Vault(args) => match to_the_end(&runtime, crate::vault::run(args)) {
            Ok(text) => print(&text),
            Err(error) => complain(&format!("{error:#}")),
        },
        Command::Run(args) => ExitCode::from(to_the_end(&runtime, unchanged::run::run(args))),
        Command::Env(args) => match to_the_end(&runtime, unchanged::env::run(args)) {
            Ok((text, remarks)) => {
                for remark in remarks {
                    complain(&remark);
                }
                print(&text)
            }
            Err(error) => complain(&format!("{error:#}")),
        },
        Command::Tls(args) => match unchanged::tls::run(args) {
            Ok(text) => print(&text),
            Err(error) => complain(&format!("{error:#}")),
        },
        Command::Doctor(args) => match to_the_end(&runtime, unchanged::doctor::run(args)) {
            Ok(report) => {
                print(&report.text);
                if report.well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(error) => complain(&format!("{error:#}")),
        },
    }
}

/// Runs a command. It is boxed, since a runtime compiles what it is given once for each of its kinds.
fn to_the_end<'a, T>(runtime: &Runtime, work: impl Future<Output = T> + 'a) -> T {
    let work: LocalBoxFuture<'a, T> = Box::pin(work);
    runtime.block_on(work)
}

fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    // Nobody may be reading.
    let _ = write!(out, "{text}");
    let _ = out.flush();
    ExitCode::SUCCESS
}

fn complain(error: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "cobro: {error}");
    ExitCode::FAILURE
}
