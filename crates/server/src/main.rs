//! The `cobro` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    cobro::cli::run()
}
