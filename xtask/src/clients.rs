//! The tests of `tests/clients`: the providers' official SDKs and a browser against the real binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::process::{run_quiet, run_shown};
use crate::summary::{self, Counts};
use crate::test::Environment;
use crate::tools::Install;

/// Written into `node_modules` after an installation: the lock file that it was made from.
const STAMP: &str = ".installed-from";

/// Where the Node packages and the tests in JavaScript are.
pub(crate) fn directory(root: &Path) -> PathBuf {
    root.join("tests").join("clients")
}

/// Installs the packages of the lock file, unless they are there already.
///
/// # Errors
/// When they are not there and may not be installed, or npm fails.
pub(crate) fn install(root: &Path, npm: &Path, install: Install) -> anyhow::Result<()> {
    let directory = directory(root);
    let lock = directory.join("package-lock.json");
    let locked = std::fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let stamp = directory.join("node_modules").join(STAMP);
    if std::fs::read(&stamp).is_ok_and(|installed| installed == locked) {
        return Ok(());
    }
    if install == Install::Nothing {
        anyhow::bail!("the Node packages are missing or old; run `npm ci` in tests/clients");
    }
    eprintln!("Installing the Node packages of tests/clients …");
    run_quiet(Command::new(npm).arg("ci").current_dir(&directory))?;
    std::fs::write(&stamp, locked).with_context(|| format!("cannot write {}", stamp.display()))
}

/// A Python with the packages that `unchanged/requirements.txt` pins, in cargo's build directory;
/// the system's packages are not touched.
///
/// # Errors
/// When they are not there and may not be installed, or pip fails.
pub(crate) fn python(
    root: &Path,
    python: &Path,
    target: &Path,
    install: Install,
) -> anyhow::Result<PathBuf> {
    let list = directory(root).join("unchanged").join("requirements.txt");
    let wanted = std::fs::read(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let environment = target.join("tools").join("python");
    let inside = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let own = environment.join(inside);
    let stamp = environment.join(STAMP);
    if own.is_file() && std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(own);
    }
    if install == Install::Nothing {
        anyhow::bail!("the Python packages are missing or old; run `cargo xtask test`");
    }
    eprintln!("Installing the Python packages of tests/clients …");
    run_quiet(Command::new(python).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(&own);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list);
    run_quiet(&mut pip)?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(own)
}

/// Runs every `*.test.mjs`, or those tests whose name contains `filter`.
///
/// # Errors
/// When Node cannot be started; a failed test is a count, not an error.
pub(crate) fn run(
    root: &Path,
    node: &Path,
    environment: &Environment,
    filter: Option<&str>,
) -> anyhow::Result<Counts> {
    let files = test_files(&directory(root))?;
    if files.is_empty() {
        return Ok(Counts::default());
    }
    let mut command = Command::new(node);
    command.current_dir(directory(root)).args(["--test", "--test-reporter=spec"]);
    if let Some(filter) = filter {
        command.arg(format!("--test-name-pattern={}", escape_pattern(filter)));
    }
    environment.apply(command.args(files));
    let shown = run_shown(&mut command)?;
    let mut counts = summary::of_node(&shown.text);
    if !shown.status.success() && counts.failed == 0 {
        counts.failed = 1;
    }
    Ok(counts)
}

fn test_files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let name = PathBuf::from(entry?.file_name());
        if name.to_str().is_some_and(|name| name.ends_with(".test.mjs")) {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

/// `text` as a regular expression that matches itself.
fn escape_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && c != '_' {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_not_a_pattern() {
        for (text, pattern) in
            [("intent", "intent"), ("point_create", "point_create"), ("GET /v1.x", r"GET \/v1\.x")]
        {
            assert_eq!(escape_pattern(text), pattern);
        }
    }
}
