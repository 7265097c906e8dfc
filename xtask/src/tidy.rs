//! The rules of the tree that a compiler does not check. They run as a test of this package too.
//!
//! Words that no file may name are put together from pieces here, so that this file keeps the rules
//! it checks.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::process::run_quiet;
use crate::source;

/// The most lines of a source file.
const FILE_LINES_MAX: usize = 600;
/// The most lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Rooms below the surfaces: what lives there serves every provider and names none.
const NEUTRAL_ROOMS: [&str; 5] = ["domain", "store", "engine", "delivery", "acquirer-sim"];
/// Directories that are never part of the tree, for when git cannot say.
const FOREIGN_DIRECTORIES: [&str; 4] = [".git", "target", "node_modules", "cobro-data"];

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: PathBuf,
    /// Counted from 1.
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.what)
    }
}

/// Prints every place that breaks a rule.
///
/// # Errors
/// When the tree cannot be read.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let findings = check_tree(root)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("{} findings", findings.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every text file of the tree, tracked or new but not ignored, with its path from the root.
///
/// # Errors
/// When a directory or a file cannot be read.
pub(crate) fn text_files(root: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for path in tree_paths(root)? {
        let full = root.join(&path);
        if !full.is_file() {
            // Tracked and deleted, or a link to a directory.
            continue;
        }
        let bytes =
            std::fs::read(&full).with_context(|| format!("cannot read {}", full.display()))?;
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => files.push((path, text)),
            _ => {}
        }
    }
    Ok(files)
}

fn tree_paths(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(root);
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    if let Ok(listed) = run_quiet(&mut git) {
        let mut paths: Vec<PathBuf> =
            listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
        paths.sort();
        paths.dedup();
        return Ok(paths);
    }
    let mut paths = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let entries = std::fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                let name = entry.file_name();
                if !FOREIGN_DIRECTORIES.iter().any(|foreign| name == *foreign) {
                    directories.push(entry.path());
                }
            } else if kind.is_file() {
                paths.push(entry.path().strip_prefix(root)?.to_path_buf());
            }
        }
    }
    paths.sort();
    Ok(paths)
}

fn check_tree(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let files = text_files(root)?;
    anyhow::ensure!(!files.is_empty(), "no file found in {}", root.display());
    Ok(files.iter().flat_map(|(path, text)| check_file(path, text)).collect())
}

/// Every rule for one file. `path` is relative to the root of the tree.
fn check_file(path: &Path, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if path.extension().is_some_and(|extension| extension == "rs") {
        found.extend(check_sizes(text));
        found.extend(check_lines(text, leftover));
    }
    if is_neutral(path) {
        found.extend(check_lines(text, provider_word));
    }
    if !is_lock(path) {
        found.extend(check_lines(text, machine_word));
    }
    found.extend(check_lines(text, registry_host));
    match path.file_name().and_then(|name| name.to_str()) {
        Some("Cargo.toml") => found.extend(check_manifest(text)),
        Some("package-lock.json") => found.extend(check_lines(text, resolved_address)),
        _ => {}
    }
    found.into_iter().map(|(line, what)| Finding { path: path.to_path_buf(), line, what }).collect()
}

fn is_lock(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "lock")
        || path.file_name().is_some_and(|name| name == "package-lock.json")
}

fn is_neutral(path: &Path) -> bool {
    NEUTRAL_ROOMS.iter().any(|room| path.starts_with(Path::new("crates").join(room)))
}

fn check_sizes(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().count();
    let mut found = Vec::new();
    if lines > FILE_LINES_MAX {
        found.push((lines, format!("the file has {lines} lines, at most {FILE_LINES_MAX} fit")));
    }
    for function in source::functions(text) {
        if function.lines > FUNCTION_LINES_MAX {
            let (name, lines) = (function.name, function.lines);
            let what = format!("fn {name} has {lines} lines, at most {FUNCTION_LINES_MAX} fit");
            found.push((function.line, what));
        }
    }
    found
}

/// Applies a rule to every line; the rule says what it dislikes.
fn check_lines(text: &str, rule: fn(&str) -> Option<String>) -> Vec<(usize, String)> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| rule(line).map(|what| (index + 1, what)))
        .collect()
}

/// A sign of unfinished work in a source file.
fn leftover(line: &str) -> Option<String> {
    let macros = [["tod", "o!("], ["unimpl", "emented!("], ["db", "g!("]].map(|p| p.concat());
    let marks = [["FIX", "ME"], ["XX", "X"]].map(|p| p.concat());
    let hit = macros
        .iter()
        .find(|name| starts_word(line, name))
        .or_else(|| marks.iter().find(|mark| has_word(line, mark)))?;
    Some(format!("`{hit}` is a leftover"))
}

/// The name of a provider, in any spelling.
fn provider_word(line: &str) -> Option<String> {
    let line = line.to_lowercase();
    let apart = line.match_indices("mercado").any(|(at, word)| {
        let rest = &line[at + word.len()..];
        let mut skipped = rest.chars();
        skipped.next();
        rest.starts_with("pago") || skipped.as_str().starts_with("pago")
    });
    (apart || line.contains("placetopay") || has_word(&line, "clip"))
        .then(|| "a provider is named below the dialects".to_owned())
}

/// A path of one machine, or a word about how the files came to be.
fn machine_word(line: &str) -> Option<String> {
    let words = [
        ["/wor", "k/"],
        ["/far", "m/"],
        ["/roo", "t/"],
        [".librar", "y"],
        ["subagen", "t"],
        ["the CE", "O"],
    ];
    let hit = words.map(|p| p.concat()).into_iter().find(|word| line.contains(word.as_str()))?;
    Some(format!("`{hit}` is about a machine, not about the project"))
}

/// The host of a package registry: whoever builds has one configured.
fn registry_host(line: &str) -> Option<String> {
    let hosts = [
        ["registry.npm", "js."],
        ["python", "hosted."],
        ["static.crate", "s."],
        ["deb.debia", "n."],
    ];
    let hit = hosts.map(|p| p.concat()).into_iter().find(|host| line.contains(host.as_str()))?;
    Some(format!("the registry's host `{hit}` is named"))
}

/// An address in the lock file of npm ties the installation to one registry.
fn resolved_address(line: &str) -> Option<String> {
    line.trim_start()
        .starts_with("\"resolved\":")
        .then(|| "the lock file holds a resolved address".to_owned())
}

/// A package must take the lints of the workspace.
fn check_manifest(text: &str) -> Option<(usize, String)> {
    let mut table = "";
    let (mut package, mut inherits) = (false, false);
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let words: String = line.split_whitespace().collect();
        if words.starts_with('[') {
            table = line;
        }
        package |= words == "[package]";
        inherits |= table == "[lints]" && words == "workspace=true";
        inherits |= table.is_empty() && words == "lints.workspace=true";
    }
    (package && !inherits).then(|| (1, "the package lacks `lints.workspace = true`".to_owned()))
}

/// Whether `word` stands in `line` with no letter, digit or underscore before or after it.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        !ends_in_word(&line[..at]) && !after.is_some_and(is_word)
    })
}

fn starts_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !ends_in_word(&line[..at]))
}

fn ends_in_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(is_word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
#[path = "tidy_tests.rs"]
mod tests;
