//! `cargo xtask bench`: builds the server and the program that measures it, starts PostgreSQL, runs
//! both and writes `docs/benchmarks.md`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Context;

use crate::postgres::Cluster;
use crate::process::{cargo, run_quiet, run_shown};
use crate::tools::{self, Install, Tool};

/// Where the report goes, from the root of the workspace.
const REPORT: &str = "docs/benchmarks.md";

/// The profile of the programs that are measured: that of `cargo run --release`.
const PROFILE: &str = "release";

/// What the command line asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    install: Install,
    /// Whether a clean build is measured as well.
    build: bool,
    /// Only these parts; empty is all of them.
    parts: Vec<String>,
    /// Whether some cases are left out.
    selects: bool,
    /// Words for the measuring program.
    passed_on: Vec<String>,
}

impl Options {
    /// Reads the words after `cargo xtask bench`.
    ///
    /// # Errors
    /// Names the first word that is not understood.
    pub(crate) fn parse(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            install: Install::Missing,
            build: false,
            parts: Vec::new(),
            selects: false,
            passed_on: Vec::new(),
        };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--no-install" => options.install = Install::Nothing,
                "--build" => options.build = true,
                "--quick" => options.passed_on.push(word.clone()),
                "--rounds" | "--only" | "--case" => {
                    let value = words.next().with_context(|| format!("{word} needs a value"))?;
                    if word == "--only" {
                        options.parts.push(value.clone());
                    }
                    options.selects |= word != "--rounds";
                    options.passed_on.extend([word.clone(), value.clone()]);
                }
                other => anyhow::bail!("`{other}` is not understood"),
            }
        }
        Ok(options)
    }

    fn with_postgres(&self) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|part| part == "postgres")
    }

    /// A run of some parts only does not replace the report of all.
    fn writes_report(&self) -> bool {
        !self.selects
    }
}

/// Builds, measures, and writes the report.
///
/// # Errors
/// When something cannot be built or measured. A target that is missed is no error: it stands in
/// the report.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    // This program lies where cargo puts those of its profile, below the build directory.
    let this = std::env::current_exe().context("cannot find the path of this program")?;
    let target = this.parent().and_then(Path::parent);
    let target = target.context("the build directory has no parent")?.to_path_buf();
    let mut command = Command::new(build(root, &target)?);
    command.arg("run").args(&options.passed_on);
    command.arg("--cobro").arg(program(&target, "cobro"));
    command.arg("--work").arg(target.join("bench"));
    if options.writes_report() {
        command.arg("--out").arg(root.join(REPORT));
    }
    if options.build {
        let (cpu_s, wall_s) = clean_build(root, &target)?;
        command.arg("--build").arg(format!("{cpu_s},{wall_s}"));
    }
    let cluster = match options.with_postgres() {
        true => Some(start_postgres(options.install, &target, &mut command)?),
        false => None,
    };
    let shown = run_shown(&mut command)?;
    drop(cluster);
    Ok(if shown.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds both programs as they are released; gives the one that measures.
fn build(root: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let mut build = cargo(root);
    build.args(["build", "--profile", PROFILE, "--package", "cobro", "--package", "cobro-bench"]);
    anyhow::ensure!(run_shown(&mut build)?.status.success(), "the programs cannot be built");
    Ok(program(target, "cobro-bench"))
}

fn start_postgres(
    install: Install,
    target: &Path,
    command: &mut Command,
) -> anyhow::Result<Cluster> {
    tools::ensure(&[Tool::Postgres], install, target)?;
    let bin = Tool::Postgres.find(target).context("PostgreSQL has gone")?;
    let pgbench = bin.join(format!("pgbench{}", std::env::consts::EXE_SUFFIX));
    anyhow::ensure!(
        pgbench.is_file(),
        "PostgreSQL is there without pgbench; install its contrib package"
    );
    let cluster = Cluster::start(&bin)?;
    command.arg("--postgres").arg(cluster.url()).arg("--pgbench").arg(pgbench);
    Ok(cluster)
}

/// Builds the server once more, in an empty directory: CPU seconds and seconds.
fn clean_build(root: &Path, target: &Path) -> anyhow::Result<(f64, f64)> {
    let empty = target.join("bench-build");
    if empty.exists() {
        std::fs::remove_dir_all(&empty)?;
    }
    // The shell waits for cargo and all that it starts, and tells their times.
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$@\" >&2; code=$?; times; exit $code", "sh"]);
    let command = cargo(root);
    shell.arg(command.get_program()).args(["build", "--release", "--target-dir"]).arg(&empty);
    shell.current_dir(root);
    eprintln!("A clean build …");
    let began = Instant::now();
    let printed = run_quiet(&mut shell)?;
    let wall_s = began.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&empty)?;
    let cpu_s = children_s(&printed).context("the shell tells no times")?;
    Ok((cpu_s, wall_s))
}

/// The children's CPU time in the output of the shell's `times`: `1m2.5s 0m3.25s`, in its second
/// line, in user and kernel mode.
fn children_s(printed: &str) -> Option<f64> {
    let seconds = |word: &str| -> Option<f64> {
        let (minutes, rest) = word.trim_end_matches('s').split_once('m')?;
        let minutes: f64 = minutes.parse().ok()?;
        let rest: f64 = rest.parse().ok()?;
        Some(minutes.mul_add(60.0, rest))
    };
    printed.lines().nth(1)?.split_whitespace().map(seconds).sum()
}

fn program(target: &Path, name: &str) -> PathBuf {
    target.join(PROFILE).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_command_line_is_read() {
        let all = Options::parse(&words("--quick --build --no-install --rounds 3")).unwrap();
        assert!(all.build && all.with_postgres() && all.writes_report());
        assert_eq!(all.install, Install::Nothing);
        assert_eq!(all.passed_on, words("--quick --rounds 3"));
        let some = Options::parse(&words("--only sqlite --only start")).unwrap();
        assert!(!some.with_postgres() && !some.writes_report());
        assert_eq!(some.passed_on, words("--only sqlite --only start"));
        assert!(!Options::parse(&words("--case create")).unwrap().writes_report());
        for wrong in ["--rounds", "--only", "--case", "sqlite", "--slow"] {
            assert!(Options::parse(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_shell_tells_the_times_of_children() {
        let printed = "0m0.00s 0m0.01s\n5m2.50s 0m13.25s\n";
        assert!((children_s(printed).unwrap() - 315.75).abs() < 1e-9);
        assert_eq!(children_s("0m0.00s 0m0.01s\n"), None);
    }
}
