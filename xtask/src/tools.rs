//! The programs that the tests need and that cargo does not bring: PostgreSQL, a Chromium, Node.js,
//! Python, PHP, and curl and openssl beside them.
//!
//! Each is looked for first. What is missing is installed with the system's package manager where
//! that is possible (Debian, as root), or named with what to install.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::process::{find_program, run_quiet};

/// The oldest PostgreSQL that Cobro supports.
const POSTGRES_MAJOR_MIN: u32 = 15;
/// The oldest Node.js that the packages of `tests/clients` run on.
const NODE_MAJOR_MIN: u32 = 20;
/// The Node.js that is fetched through npm when the system's is older.
const NODE_FROM_NPM: &str = "node@22";

/// Whether missing programs may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Install {
    /// Install what is missing.
    Missing,
    /// Install nothing; a missing program is an error that says what to install.
    Nothing,
}

/// A kind of program that the tests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// PostgreSQL's server programs.
    Postgres,
    /// A Chromium for the browser checks.
    Chromium,
    /// Node.js, at least the version that the client tests need.
    Node,
    /// The package manager of Node.js.
    Npm,
    /// Python, with the module that makes virtual environments.
    Python,
    /// PHP's command line, with curl.
    Php,
    /// curl, as a client and for scripts.
    Curl,
    /// OpenSSL's command line, which checks our certificates.
    Openssl,
}

impl Tool {
    /// The path of the program, or for PostgreSQL the directory of its programs.
    pub(crate) fn find(self, target: &Path) -> Option<PathBuf> {
        match self {
            Self::Postgres => find_postgres(),
            Self::Chromium => named("COBRO_CHROMIUM").or_else(|| {
                ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
                    .iter()
                    .find_map(|name| find_program(name))
            }),
            Self::Node => [named("COBRO_NODE"), find_program("node"), Some(node_from_npm(target))]
                .into_iter()
                .flatten()
                .find(|node| node_major(node).is_some_and(|major| major >= NODE_MAJOR_MIN)),
            Self::Npm => find_program("npm").or_else(|| find_program("npm.cmd")),
            // Debian has the interpreter without what a virtual environment needs.
            Self::Python => {
                ["python3", "python"].iter().filter_map(|name| find_program(name)).find(|python| {
                    run_quiet(Command::new(python).args(["-c", "import ensurepip"])).is_ok()
                })
            }
            Self::Php => find_program("php").filter(|php| {
                let loaded = run_quiet(Command::new(php).arg("-m"));
                loaded.is_ok_and(|modules| modules.lines().any(|line| line == "curl"))
            }),
            Self::Curl => find_program("curl"),
            Self::Openssl => find_program("openssl"),
        }
    }

    fn debian_package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Chromium => "chromium",
            Self::Node => "nodejs",
            Self::Npm => "npm",
            Self::Python => "python3-venv",
            Self::Php => "php-cli php-curl php-guzzlehttp-guzzle",
            Self::Curl => "curl",
            Self::Openssl => "openssl",
        }
    }

    fn wanted(self) -> String {
        match self {
            Self::Postgres => format!(
                "PostgreSQL {POSTGRES_MAJOR_MIN} or newer with its server programs (initdb, pg_ctl)"
            ),
            Self::Chromium => "Chromium or Google Chrome".into(),
            Self::Node => format!("Node.js {NODE_MAJOR_MIN} or newer"),
            Self::Npm => "npm".into(),
            Self::Python => "Python 3 with venv".into(),
            Self::Php => "PHP with its curl module".into(),
            Self::Curl => "curl".into(),
            Self::Openssl => "openssl".into(),
        }
    }
}

/// Makes sure that every one of `tools` is there; `target` is cargo's build directory, where a
/// Node.js of our own may lie.
///
/// # Errors
/// Names what is missing and how to install it.
pub(crate) fn ensure(tools: &[Tool], install: Install, target: &Path) -> anyhow::Result<()> {
    let missing = |tools: &[Tool]| -> Vec<Tool> {
        tools.iter().copied().filter(|tool| tool.find(target).is_none()).collect()
    };
    let mut left = missing(tools);
    if left.is_empty() {
        return Ok(());
    }
    if install == Install::Missing && can_install() {
        // The package is tried for a program that is merely too old as well: it may be newer.
        apt_install(&left)?;
        left = missing(&left);
    }
    if install == Install::Missing && left == [Tool::Node] && Tool::Npm.find(target).is_some() {
        fetch_node(target)?;
        left = missing(&left);
    }
    if left.is_empty() {
        return Ok(());
    }
    let wanted: Vec<String> = left.iter().map(|tool| format!("  - {}", tool.wanted())).collect();
    let packages: Vec<&str> = left.iter().map(|tool| tool.debian_package()).collect();
    anyhow::bail!(
        "the tests need programs that are not installed:\n{}\n\
         On Debian and Ubuntu, as root: apt-get install {}",
        wanted.join("\n"),
        packages.join(" ")
    )
}

/// Whether this process runs as the superuser.
pub(crate) fn is_root() -> bool {
    cfg!(unix) && run_quiet(Command::new("id").arg("-u")).is_ok_and(|printed| printed.trim() == "0")
}

fn can_install() -> bool {
    find_program("apt-get").is_some() && is_root()
}

fn apt_install(tools: &[Tool]) -> anyhow::Result<()> {
    let packages: Vec<&str> =
        tools.iter().flat_map(|tool| tool.debian_package().split(' ')).collect();
    eprintln!("Installing {} …", packages.join(", "));
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        run_quiet(&mut command)
    };
    // A stale or unreachable list is not yet a failure: the packages may be in the cache.
    if let Err(error) = apt(&["update", "-q"]) {
        eprintln!("warning: {error:#}");
    }
    let mut args = vec!["install", "-y", "-q", "--no-install-recommends"];
    args.extend(&packages);
    apt(&args).map(drop).with_context(|| format!("cannot install {}", packages.join(", ")))
}

/// Debian 12 has Node.js 18; npm's own package of Node.js brings a newer one into the build
/// directory, without touching the system's.
fn fetch_node(target: &Path) -> anyhow::Result<()> {
    eprintln!("The system's Node.js is too old; fetching {NODE_FROM_NPM} through npm …");
    let npm = Tool::Npm.find(target).context("npm is missing")?;
    let prefix = node_prefix(target);
    std::fs::create_dir_all(&prefix)
        .with_context(|| format!("cannot create {}", prefix.display()))?;
    let mut command = Command::new(npm);
    command.current_dir(&prefix);
    command.args(["install", "--no-save", "--no-audit", "--no-fund", "--prefix", "."]);
    run_quiet(command.arg(NODE_FROM_NPM)).map(drop)
}

fn node_prefix(target: &Path) -> PathBuf {
    target.join("tools").join("node")
}

fn node_from_npm(target: &Path) -> PathBuf {
    let file = format!("node{}", std::env::consts::EXE_SUFFIX);
    node_prefix(target).join("node_modules").join("node").join("bin").join(file)
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file())
}

fn node_major(node: &Path) -> Option<u32> {
    let printed = run_quiet(Command::new(node).arg("--version")).ok()?;
    first_number(&printed)
}

/// The directory of the server programs: the supported major version that is nearest to the oldest,
/// because that is the one whose limits the SQL must keep to.
fn find_postgres() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut candidates: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    candidates.extend(
        find_program("initdb")
            .and_then(|program| program.canonicalize().ok()?.parent().map(Path::to_path_buf)),
    );
    let has = |bin: &Path, name: &str| {
        bin.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)).is_file()
    };
    candidates
        .into_iter()
        .filter(|bin| ["initdb", "pg_ctl", "postgres"].iter().all(|name| has(bin, name)))
        .filter_map(|bin| {
            let printed = run_quiet(Command::new(bin.join("postgres")).arg("--version")).ok()?;
            let major = first_number(&printed).filter(|major| *major >= POSTGRES_MAJOR_MIN)?;
            Some((major, bin))
        })
        .min()
        .map(|(_, bin)| bin)
}

/// The first run of digits in what a program prints for `--version`.
fn first_number(text: &str) -> Option<u32> {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions() {
        for (printed, major) in [
            ("v20.20.2\n", Some(20)),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("16beta1", Some(16)),
            ("no version", None),
            ("", None),
        ] {
            assert_eq!(first_number(printed), major, "{printed}");
        }
    }
}
