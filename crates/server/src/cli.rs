//! The command line.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{ServeArgs, StoreArgs};

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
}

/// Reads the arguments and does what they say.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    crate::logs::start();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => {
            let served = args.resolve().map(crate::serve::serve);
            match served.and_then(|serving| runtime.block_on(serving)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => complain(&format!("{error:#}")),
            }
        }
        Command::Verify(args) => {
            let verified = args.resolve();
            match verified.and_then(|config| runtime.block_on(crate::verify::run(&config))) {
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
    }
}

fn complain(error: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "cobro: {error}");
    ExitCode::FAILURE
}
