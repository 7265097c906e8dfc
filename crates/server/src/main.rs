//! The `cobro` binary.

use std::process::ExitCode;

/// A payment allocates in one thread what another one frees, which the system's allocator is slow
/// at (`docs/decisions/0006-allocator.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cobro::cli::run()
}
