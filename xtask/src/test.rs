//! `cargo xtask test`: every test of the project, with nothing to set up before.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::clients;
use crate::postgres::Cluster;
use crate::process::{cargo, run_quiet, run_shown};
use crate::source;
use crate::summary::{self, Counts};
use crate::tidy;
use crate::tools::{self, Install, Tool};

/// Names the PostgreSQL server that the tests use; every test makes a database of its own there.
const POSTGRES_VARIABLE: &str = "COBRO_TEST_POSTGRES";
/// The package of the binary, whose tests include those of `tests/clients`.
const BINARY: &str = "cobro";

/// What the command line asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    install: Install,
    /// Only these packages; empty is all of them.
    packages: Vec<String>,
    /// Only tests whose name contains this.
    filter: Option<String>,
}

impl Options {
    /// Reads the words after `cargo xtask test`.
    ///
    /// # Errors
    /// Names the first word that is not understood.
    pub(crate) fn parse(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Self { install: Install::Missing, packages: Vec::new(), filter: None };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--no-install" => options.install = Install::Nothing,
                "-p" | "--package" => {
                    let name = words.next().with_context(|| format!("{word} needs a package"))?;
                    options.packages.push(name.clone());
                }
                "--" => {
                    options.filter = words.next().cloned();
                    if let Some(more) = words.next() {
                        anyhow::bail!("one filter is understood, `{more}` is a second one");
                    }
                }
                other => anyhow::bail!("`{other}` is not understood; a filter comes after `--`"),
            }
        }
        Ok(options)
    }

    /// Whether the tests of the binary are among those asked for, and so those of its clients.
    fn with_clients(&self) -> bool {
        self.packages.is_empty() || self.packages.iter().any(|name| name == BINARY)
    }

    /// The words that tell cargo which packages to take.
    fn selection(&self) -> Vec<&str> {
        if self.packages.is_empty() {
            return vec!["--workspace"];
        }
        self.packages.iter().flat_map(|name| ["--package", name.as_str()]).collect()
    }
}

/// The variables by which the tests find what was prepared for them.
pub(crate) struct Environment(Vec<(&'static str, PathBuf)>);

impl Environment {
    /// Sets the variables for `command`.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.envs(self.0.iter().map(|(name, value)| (name, value)));
    }
}

/// Prepares what the tests need, runs them, and prints `N passed, N failed` as the last line.
///
/// # Errors
/// When the tests cannot be run at all; a failed test is an exit status.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let counts = prepare_and_run(root, options)?;
    if counts == Counts::default() {
        eprintln!("error: no test was run");
    }
    println!("{counts}");
    let satisfied = counts.passed > 0 && counts.failed == 0;
    Ok(if satisfied { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn prepare_and_run(root: &Path, options: &Options) -> anyhow::Result<Counts> {
    // This program lies where cargo puts the others of the same profile.
    let this = std::env::current_exe().context("cannot find the path of this program")?;
    let built = this.parent().context("this program has no directory")?;
    let target = built.parent().context("the build directory has no parent")?;

    let own_server = std::env::var_os(POSTGRES_VARIABLE);
    let mut needed = vec![Tool::Chromium, Tool::Node, Tool::Npm];
    if options.with_clients() {
        needed.extend([Tool::Python, Tool::Php, Tool::Curl, Tool::Openssl]);
    }
    if own_server.is_none() {
        needed.push(Tool::Postgres);
    }
    tools::ensure(&needed, options.install, target)?;
    let find = |tool: Tool| tool.find(target).with_context(|| format!("{tool:?} has gone"));
    let node = find(Tool::Node)?;
    if options.with_clients() {
        clients::install(root, &find(Tool::Npm)?, options.install)?;
    }

    let mut variables =
        vec![("COBRO_CHROMIUM", find(Tool::Chromium)?), ("COBRO_NODE", node.clone())];
    if options.with_clients() {
        variables.push(("COBRO_PHP", find(Tool::Php)?));
        let python = clients::python(root, &find(Tool::Python)?, target, options.install)?;
        variables.push(("COBRO_PYTHON", python));
        // Before the cluster, so that a program that does not compile is told at once.
        if !run_shown(cargo(root).args(["build", "--package", BINARY]))?.status.success() {
            return Ok(Counts { passed: 0, failed: 1 });
        }
        let file = format!("{BINARY}{}", std::env::consts::EXE_SUFFIX);
        variables.push(("COBRO_BIN", built.join(file)));
    }
    let cluster = match &own_server {
        Some(_) => None,
        None => Some(Cluster::start(&find(Tool::Postgres)?)?),
    };
    let server = match (&cluster, own_server) {
        (Some(cluster), _) => cluster.url().into(),
        (None, url) => PathBuf::from(url.unwrap_or_default()),
    };
    variables.push((POSTGRES_VARIABLE, server));
    let environment = Environment(variables);

    let mut counts = run_cargo_tests(root, options, &environment)?;
    counts += run_doc_tests(root, options, &environment)?;
    if options.with_clients() {
        counts += clients::run(root, &node, &environment, options.filter.as_deref())?;
    }
    Ok(counts)
}

fn run_cargo_tests(
    root: &Path,
    options: &Options,
    environment: &Environment,
) -> anyhow::Result<Counts> {
    let mut command = cargo(root);
    let nextest = run_quiet(cargo(root).args(["nextest", "--version"])).is_ok();
    if nextest {
        command.args(["nextest", "run", "--no-fail-fast", "--no-tests=pass"]);
    } else {
        command.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests", "--examples"]);
    }
    command.args(options.selection());
    if let Some(filter) = &options.filter {
        command.arg("--").arg(filter);
    }
    environment.apply(&mut command);
    let shown = run_shown(&mut command)?;
    let read = if nextest { summary::of_nextest } else { summary::of_libtest };
    Ok(counted(read(&shown.text), shown.status.success()))
}

fn run_doc_tests(
    root: &Path,
    options: &Options,
    environment: &Environment,
) -> anyhow::Result<Counts> {
    // Only for the whole workspace: one package may lack a library, which cargo calls an error.
    if !options.packages.is_empty() || !has_doc_examples(root)? {
        return Ok(Counts::default());
    }
    let mut command = cargo(root);
    command.args(["test", "--doc", "--no-fail-fast", "--workspace"]);
    if let Some(filter) = &options.filter {
        command.arg("--").arg(filter);
    }
    environment.apply(&mut command);
    let shown = run_shown(&mut command)?;
    Ok(counted(summary::of_libtest(&shown.text), shown.status.success()))
}

/// Running them costs a start of rustdoc for each package, so they are looked for first.
fn has_doc_examples(root: &Path) -> anyhow::Result<bool> {
    let files = tidy::text_files(root)?;
    let in_crates = files.iter().filter(|(path, _)| {
        path.starts_with("crates") && path.extension().is_some_and(|extension| extension == "rs")
    });
    Ok(in_crates.into_iter().any(|(_, text)| source::has_doc_example(text)))
}

/// A program that failed without saying which test did, for instance because it does not compile,
/// counts as one failure.
fn counted(mut counts: Counts, succeeded: bool) -> Counts {
    if !succeeded && counts.failed == 0 {
        counts.failed = 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<Options> {
        Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options() {
        for (words, selection, filter, install) in [
            (vec![], vec!["--workspace"], None, Install::Missing),
            (vec!["--no-install"], vec!["--workspace"], None, Install::Nothing),
            (vec!["--", "intent"], vec!["--workspace"], Some("intent"), Install::Missing),
            (
                vec!["-p", "xtask", "--no-install", "--", "a"],
                vec!["--package", "xtask"],
                Some("a"),
                Install::Nothing,
            ),
        ] {
            let options = parse(&words).unwrap();
            assert_eq!(options.selection(), selection, "{words:?}");
            assert_eq!(options.filter.as_deref(), filter, "{words:?}");
            assert_eq!(options.install, install, "{words:?}");
        }
        for words in [vec!["intent"], vec!["-p"], vec!["--", "a", "b"]] {
            assert!(parse(&words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn a_silent_failure_is_counted() {
        let none = Counts::default();
        assert_eq!(counted(none, true), none);
        assert_eq!(counted(none, false), Counts { passed: 0, failed: 1 });
        let some = Counts { passed: 3, failed: 2 };
        assert_eq!(counted(some, false), some);
    }
}
