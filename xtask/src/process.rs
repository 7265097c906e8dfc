//! Running other programs: quietly with their output kept, or shown while it is read.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::Context;

/// How a program that was shown while it ran came out.
pub(crate) struct Shown {
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// Standard output and standard error together, without terminal colours.
    pub(crate) text: String,
}

/// Runs `command` without input, passes on what it prints as it comes, and keeps a copy.
pub(crate) fn run_shown(command: &mut Command) -> anyhow::Result<Shown> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let stdout = child.stdout.take().context("the child has no standard output")?;
    let stderr = child.stderr.take().context("the child has no standard error")?;
    let (out, err) = std::thread::scope(|scope| {
        let err = scope.spawn(|| pass_on(stderr, &mut std::io::stderr()));
        let out = pass_on(stdout, &mut std::io::stdout());
        (out, err.join().unwrap_or_default())
    });
    let status = child.wait().with_context(|| format!("cannot wait for {name}"))?;
    Ok(Shown { status, text: without_colours(&format!("{out}{err}")) })
}

/// Runs `command` without input and without showing anything; an exit other than 0 is an error
/// that carries what the program printed.
pub(crate) fn run_quiet(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        anyhow::bail!("{name} ended with {}:\n{stdout}{stderr}", output.status);
    }
    Ok(stdout.into_owned())
}

/// Cargo, without the variables that describe this package: a build script that reads them would
/// otherwise run again for every switch between `cargo build` and `cargo xtask`.
pub(crate) fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if of_package.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    command
}

/// The first directory of `PATH` that has a program of this name.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(&file)).find(|candidate| candidate.is_file())
}

fn pass_on(from: impl Read, to: &mut impl Write) -> String {
    let mut reader = BufReader::new(from);
    let mut kept = Vec::new();
    loop {
        let start = kept.len();
        match reader.read_until(b'\n', &mut kept) {
            Ok(0) | Err(_) => break,
            // A closed terminal must not stop the reading, or the child would block on a full pipe.
            Ok(_) => drop(to.write_all(&kept[start..]).and_then(|()| to.flush())),
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// `text` without its ECMA-48 control sequences (`ESC [ … letter`).
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        for follow in rest.by_ref() {
            if follow.is_ascii_alphabetic() {
                break;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        for (coloured, plain) in [
            ("no colour", "no colour"),
            ("\u{1b}[32;1m4\u{1b}[0m passed", "4 passed"),
            ("broken \u{1b}[3", "broken "),
        ] {
            assert_eq!(without_colours(coloured), plain);
        }
    }
}
