//! A PostgreSQL cluster of our own, for as long as the tests run.
//!
//! It lives in a temporary directory and listens on a free port of the loopback address. A small
//! shell process watches over it: it waits for the end of its standard input, which comes when
//! [`Cluster`] is dropped and just as well when this process is interrupted or killed, then stops
//! the server and removes the directory.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::process::{find_program, run_quiet};
use crate::tools::is_root;

/// How often another port is tried when somebody took the free one before the server did.
const START_ATTEMPTS_MAX: u32 = 3;
/// How long the server may take to start, in seconds.
const START_TIMEOUT_S: u32 = 60;
/// How many directory names are tried before giving up.
const DIRECTORY_ATTEMPTS_MAX: u32 = 1000;
/// Longer paths do not fit the address of a Unix socket.
const SOCKET_DIRECTORY_BYTES_MAX: usize = 80;

/// What the watching shell does; its arguments are the directory and the command that stops the
/// server. It ignores the interrupt that the terminal sends to the whole group, or it would be gone
/// when it is needed.
const WATCH: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
directory=$1
shift
"$@" >/dev/null 2>&1
rm -rf "$directory"
"#;

/// A running cluster; dropping it stops the server and removes its files.
pub(crate) struct Cluster {
    watch: Child,
    port: u16,
}

impl Cluster {
    /// Creates and starts a cluster with the server programs in `bin`: UTF-8, collation `C`,
    /// superuser `postgres` without a password, 200 connections, fsync on.
    ///
    /// # Errors
    /// With what the server printed, when it does not start.
    pub(crate) fn start(bin: &Path) -> anyhow::Result<Self> {
        let directory = create_directory()?;
        let account = Account::choose()?;
        let data = directory.join("data");
        let mut stop = account.command(&bin.join("pg_ctl"));
        stop.arg("-D").arg(&data).args(["-m", "immediate", "-w", "stop"]);
        let watch = watch(&directory, &stop)?;
        // From here on dropping the value cleans up.
        let mut cluster = Self { watch, port: 0 };
        account.give(&directory)?;
        run_quiet(
            account
                .command(&bin.join("initdb"))
                .current_dir(&directory)
                .arg("-D")
                .arg(&data)
                .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"])
                .args(["--no-sync", "--no-instructions"]),
        )?;
        configure(&data, &directory)?;
        cluster.port = start_server(bin, &account, &directory, &data)?;
        Ok(cluster)
    }

    /// The address of the database `postgres` of this cluster, for its superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        if let Err(error) = self.watch.wait() {
            eprintln!("warning: cannot wait for PostgreSQL to stop: {error}");
        }
    }
}

/// The account that the server runs as. PostgreSQL refuses to run as the superuser.
enum Account {
    /// The account of this process.
    Own,
    /// Another one; the words before a command change to it.
    Other { name: String, prefix: Vec<String> },
}

impl Account {
    fn choose() -> anyhow::Result<Self> {
        if !is_root() {
            return Ok(Self::Own);
        }
        let exists = |name: &&str| run_quiet(Command::new("id").args(["-u", name])).is_ok();
        let name = ["postgres", "nobody"].into_iter().find(exists).context(
            "PostgreSQL does not run as root, and there is neither an account `postgres` nor `nobody`",
        )?;
        let group = run_quiet(Command::new("id").args(["-g", name]))?;
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let prefix = if find_program("runuser").is_some() {
            words(&["runuser", "-u", name, "--"])
        } else if find_program("setpriv").is_some() {
            let group = format!("--regid={}", group.trim());
            words(&["setpriv", &format!("--reuid={name}"), &group, "--clear-groups", "--"])
        } else if find_program("su").is_some() {
            // `su` takes a command line for a shell; the one here runs its own arguments.
            words(&["su", "-s", "/bin/sh", name, "-c", "exec \"$0\" \"$@\"", "--"])
        } else {
            anyhow::bail!(
                "PostgreSQL does not run as root, and runuser, setpriv and su are missing"
            )
        };
        Ok(Self::Other { name: name.to_owned(), prefix })
    }

    /// `program`, to be run as this account.
    fn command(&self, program: &Path) -> Command {
        match self {
            Self::Other { prefix, .. } if !prefix.is_empty() => {
                let mut command = Command::new(&prefix[0]);
                command.args(&prefix[1..]).arg(program);
                command
            }
            _ => Command::new(program),
        }
    }

    fn give(&self, directory: &Path) -> anyhow::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { name, .. } => {
                run_quiet(Command::new("chown").arg(name).arg(directory)).map(drop)
            }
        }
    }
}

/// A new directory; creating it fails when the name is taken, so nobody can have prepared it.
fn create_directory() -> anyhow::Result<PathBuf> {
    let parent = std::env::temp_dir();
    let process = std::process::id();
    for attempt in 0..DIRECTORY_ATTEMPTS_MAX {
        let directory = parent.join(format!("cobro-postgres-{process}-{attempt}"));
        match std::fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot create {}", directory.display()));
            }
        }
    }
    anyhow::bail!("every directory name that was tried in {} is taken", parent.display())
}

fn watch(directory: &Path, stop: &Command) -> anyhow::Result<Child> {
    Command::new("sh")
        .args(["-c", WATCH, "sh"])
        .arg(directory)
        .arg(stop.get_program())
        .args(stop.get_args())
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start sh, which watches over PostgreSQL")
}

fn configure(data: &Path, directory: &Path) -> anyhow::Result<()> {
    let sockets = match directory.to_str() {
        Some(path) if cfg!(unix) && path.len() <= SOCKET_DIRECTORY_BYTES_MAX => path,
        _ => "",
    };
    let settings = format!(
        "\nlisten_addresses = '127.0.0.1'\n\
         unix_socket_directories = '{sockets}'\n\
         max_connections = 200\n\
         fsync = on\n\
         wal_level = minimal\n\
         max_wal_senders = 0\n\
         min_wal_size = '32MB'\n\
         max_wal_size = '256MB'\n"
    );
    OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.conf"))
        .and_then(|mut file| file.write_all(settings.as_bytes()))
        .context("cannot write the configuration of PostgreSQL")
}

/// Starts the server and returns its port.
fn start_server(
    bin: &Path,
    account: &Account,
    directory: &Path,
    data: &Path,
) -> anyhow::Result<u16> {
    let log = directory.join("log");
    for _ in 0..START_ATTEMPTS_MAX {
        // Free when asked; another program may still take it before the server does.
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .context("cannot find a free port")?
            .port();
        let mut command = account.command(&bin.join("pg_ctl"));
        command.current_dir(directory).arg("-D").arg(data).arg("-l").arg(&log);
        command.args(["-w", "-t", &START_TIMEOUT_S.to_string(), "-o", &format!("-p {port}")]);
        // The server inherits these; a pipe would stay open for as long as it runs.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.arg("start").status().context("cannot start pg_ctl")?;
        if status.success() {
            return Ok(port);
        }
    }
    let printed = std::fs::read_to_string(&log).unwrap_or_default();
    anyhow::bail!("PostgreSQL does not start:\n{printed}")
}
