//! Developer commands, run as `cargo xtask COMMAND`.
//!
//! What lives here: everything that a developer or a CI job does to the tree and that is longer than
//! one cargo command. What is absent: anything the server needs. Read `test.rs` first, then
//! `tools.rs` and `postgres.rs` for what it stands on, and `tidy.rs` for the rules of the tree.

mod bench;
mod clients;
mod postgres;
mod process;
mod source;
mod summary;
mod test;
mod tidy;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

const HELP: &str = "\
Developer commands of Cobro.

  cargo xtask test [--no-install] [-p PACKAGE]... [-- FILTER]
      Runs every test, on SQLite and on a private PostgreSQL, with the official SDKs and a browser.
      Installs what the tests need when it is missing, unless --no-install is given.
      -p PACKAGE   only the tests of this package (may be repeated)
      FILTER       only the tests whose name contains it
      COBRO_TEST_POSTGRES=postgres://...  uses that server instead of a private one

  cargo xtask bench [--quick] [--build] [--rounds N] [--only start|sqlite|postgres]... [--case TEXT]
      Measures the server beside a bare one and pgbench, and writes docs/benchmarks.md.
      --quick   a short run
      --build   measures a clean release build as well
      --only    one part; the report is then printed only
      --case    cases whose name contains TEXT; likewise

  cargo xtask tidy
      Checks the rules of the tree: sizes, leftovers, layering, what no file may name.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let Some((command, rest)) = args.split_first() else {
        eprint!("{HELP}");
        return Ok(ExitCode::FAILURE);
    };
    match command.as_str() {
        "test" => test::run(&workspace_root()?, &test::Options::parse(rest)?),
        "bench" => bench::run(&workspace_root()?, &bench::Options::parse(rest)?),
        "tidy" => tidy::run(&workspace_root()?),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => anyhow::bail!("there is no command `{other}`; `cargo xtask help` lists them"),
    }
}

/// The directory of the workspace: the parent of this package, as cargo tells it at run time.
fn workspace_root() -> anyhow::Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .context("CARGO_MANIFEST_DIR is not set; run this as `cargo xtask`")?;
    let package = PathBuf::from(package);
    let root = package.parent().context("the xtask package has no parent directory")?;
    Ok(root.to_path_buf())
}
