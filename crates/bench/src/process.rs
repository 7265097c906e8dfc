//! Servers as processes of their own.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How long a server may take to answer.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client that waits for a server pauses between two tries.
const TRY_EVERY: Duration = Duration::from_micros(200);

/// A server; dropping it kills it.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts the bare server: this program with another argument.
    pub(crate) fn bare() -> anyhow::Result<Self> {
        let began = Instant::now();
        let program = std::env::current_exe()?;
        let mut child = Command::new(program)
            .arg("bare")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the bare server")?;
        let out = child.stdout.take().context("the bare server has no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let port: u16 = line.trim().parse().context("the port of the bare server")?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self { child, address, started_in: began.elapsed() })
    }

    /// Starts Cobro and waits for its first answer.
    pub(crate) fn cobro(
        program: &Path,
        data: &Path,
        database: Option<&Database>,
    ) -> anyhow::Result<Self> {
        // Free when asked; should somebody take it first, the server says so and ends.
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let mut command = command(program);
        command.arg("serve").arg("--listen").arg(address.to_string()).arg("--data").arg(data);
        if let Some(database) = database {
            command.env("DATABASE_URL", &database.url).env("COBRO_KEY", &database.key);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let began = Instant::now();
        let child =
            command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Self { child, address, started_in: Duration::ZERO };
        while !is_ready(address) {
            if let Some(status) = server.child.try_wait()? {
                bail!("{} ended with {status}", program.display());
            }
            anyhow::ensure!(began.elapsed() < START_TIMEOUT, "the server does not answer");
            std::thread::sleep(TRY_EVERY);
        }
        server.started_in = began.elapsed();
        Ok(server)
    }

    /// The memory that the process holds, in KiB; `None` where `/proc` does not say.
    pub(crate) fn resident_kib(&self) -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let mut kill = Command::new("kill");
        let asked = kill.arg("-TERM").arg(self.id().to_string()).status();
        if asked.is_ok_and(|status| status.success()) {
            self.child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a server keeps its data, when not in its directory.
pub(crate) struct Database {
    /// `postgres://…`
    pub(crate) url: String,
    /// The installation key, in hexadecimal.
    pub(crate) key: String,
}

/// The server's program with nothing of this one's configuration.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("COBRO_")) {
            command.env_remove(name);
        }
    }
    command.env_remove("DATABASE_URL").env("RUST_LOG", "warn");
    command
}

fn is_ready(address: SocketAddr) -> bool {
    use std::io::{Read as _, Write as _};
    let ask = || -> std::io::Result<bool> {
        let mut stream = std::net::TcpStream::connect(address)?;
        let request =
            format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}

/// A directory for the data of one run; dropping it removes it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new directory in `parent`.
    pub(crate) fn new(parent: &Path, name: &str) -> anyhow::Result<Self> {
        let path = parent.join(format!("{name}-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path).with_context(|| format!("{}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A copy of a directory's files in a new directory below.
    pub(crate) fn copy_of(&self, from: &Path, name: &str) -> anyhow::Result<PathBuf> {
        let to = self.0.join(name);
        copy_files(from, &to)?;
        Ok(to)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Copies a directory's files, not its directories.
pub(crate) fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
