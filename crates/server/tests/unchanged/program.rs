//! The program under test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of a test's own.
#[derive(Debug)]
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cobro-unchanged-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program with nothing of the tests' surroundings that it would heed.
pub(crate) fn cobro(directory: &Path, arguments: &[&str]) -> Command {
    let given = std::env::var_os("COBRO_BIN").filter(|path| !path.is_empty());
    let program = given.map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_cobro")), PathBuf::from);
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy().to_ascii_uppercase();
        let heeded = ["DATABASE_URL", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "NODE_OPTIONS"];
        if name_text.starts_with("COBRO_") || heeded.contains(&name_text.as_str()) {
            command.env_remove(name);
        }
    }
    command
}

/// A running server; it ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    _output: BufReader<ChildStdout>,
    pub(crate) directory: Directory,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let directory = Directory::new();
        let all = [&["serve", "--port", "0"], arguments].concat();
        let mut command = cobro(&directory.0, &all);
        command.envs(environment.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "cobro did not start");
            if let Some(url) = line.trim().strip_prefix("Console") {
                let url = url.trim().trim_end_matches('/');
                break url.trim_start_matches("http://").to_owned();
            }
        };
        Self { child, _output: output, directory, address }
    }

    /// The development CA's certificate.
    pub(crate) fn ca_pem(&self) -> String {
        let (status, body) = crate::wire::get(&self.address, "/_cobro/ca.pem", &[]);
        assert_eq!(status, 200);
        body
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
