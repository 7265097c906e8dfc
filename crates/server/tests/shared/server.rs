//! A running `cobro`, and what every one of them must do at its end: stop cleanly and leave books
//! that agree with the acquirer's.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::Value;

use super::http::{Answer, Call, Connection, Events};
use super::place::Place;

/// The program under test.
fn program() -> PathBuf {
    let given = std::env::var_os("COBRO_BIN").filter(|path| !path.is_empty());
    given.map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_cobro")), PathBuf::from)
}

/// Variables that the program heeds, beside those that begin with its name.
const HEEDED: [&str; 5] = ["DATABASE_URL", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "NODE_OPTIONS"];

/// The program in the directory of a place, with nothing of the tests' surroundings that it would
/// heed.
pub(crate) fn bare_command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(place.directory()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_ascii_uppercase();
        if text.starts_with("COBRO_") || HEEDED.contains(&text.as_str()) {
            command.env_remove(name);
        }
    }
    command
}

/// The program with none of the tests' surroundings but where its data are.
pub(crate) fn command(place: &Place, number: usize, arguments: &[&str]) -> Command {
    let mut command = bare_command(place, arguments);
    command.envs(place.variables(number));
    command
}

/// The address, `127.0.0.1:PORT`, that a server prints when it listens; `None` when it ends before.
pub(crate) fn read_address(output: &mut impl BufRead) -> Option<String> {
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if let Some(url) = line.trim().strip_prefix("Console") {
            let address = url.trim().trim_start_matches("http://").trim_end_matches('/');
            return Some(address.to_owned());
        }
    }
}

/// Runs `cobro verify` and answers what it printed; it must agree.
#[track_caller]
pub(crate) fn verify(place: &Place) -> String {
    let Output { status, stdout, stderr } = command(place, 0, &["verify"]).output().unwrap();
    assert!(status.success(), "cobro verify: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Answers by method, target and status.
pub(crate) type Calls = BTreeMap<(String, String, u16), Answer>;

/// A server that stops, and is verified, when it is dropped.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    place: &'a Place,
    number: usize,
    child: Child,
    /// Held so that the server's output has somewhere to go.
    _output: BufReader<ChildStdout>,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    /// The last answer to each method and target with each status.
    calls: Mutex<Calls>,
    ephemeral: bool,
    ended: bool,
}

impl<'a> Server<'a> {
    pub(crate) fn start(place: &'a Place) -> Self {
        Self::start_with(place, 0, &["serve", "--port", "0"])
    }

    /// One of several servers on one database, or one with other arguments.
    pub(crate) fn start_with(place: &'a Place, number: usize, arguments: &[&str]) -> Self {
        Self::spawn(place, number, arguments, command(place, number, arguments))
    }

    /// One whose temporary files stand in a directory of their own.
    pub(crate) fn start_in(place: &'a Place, arguments: &[&str], temporary: &Path) -> Self {
        let mut command = command(place, 0, arguments);
        command.env("TMPDIR", temporary);
        Self::spawn(place, 0, arguments, command)
    }

    /// One with further variables.
    pub(crate) fn start_under(place: &'a Place, variables: &[(&str, &str)]) -> Self {
        let arguments = ["serve", "--port", "0"];
        let mut command = command(place, 0, &arguments);
        command.envs(variables.iter().copied());
        Self::spawn(place, 0, &arguments, command)
    }

    /// Waits until it is dead, of its own doing.
    #[track_caller]
    pub(crate) fn wait_for_death(mut self) {
        self.ended = true;
        let status = self.child.wait().unwrap();
        assert!(!status.success(), "the server stopped in an orderly way");
    }

    /// One that logs at this level.
    pub(crate) fn start_logging(place: &'a Place, level: &str) -> Self {
        let arguments = ["serve", "--port", "0"];
        let mut command = command(place, 0, &arguments);
        command.env("RUST_LOG", level);
        Self::spawn(place, 0, &arguments, command)
    }

    /// One that dies at a point of the engine (`cobro_engine::crash`).
    pub(crate) fn start_to_die(place: &'a Place, point: &str) -> Self {
        let arguments = ["serve", "--port", "0"];
        let mut command = command(place, 0, &arguments);
        command.env("COBRO_CRASH_AT", point);
        Self::spawn(place, 0, &arguments, command)
    }

    fn spawn(place: &'a Place, number: usize, arguments: &[&str], mut command: Command) -> Self {
        let log = place.directory().join(format!("log{number}"));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let Some(address) = read_address(&mut output) else {
            let _ = child.wait();
            panic!("cobro did not start: {}", read_log(place, number));
        };
        let ephemeral = arguments.contains(&"--ephemeral");
        let calls = Mutex::default();
        Self { place, number, child, _output: output, address, calls, ephemeral, ended: false }
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(&self.address).unwrap()
    }

    /// Sends a request on a connection of its own.
    #[track_caller]
    pub(crate) fn send(&self, call: &Call) -> Answer {
        let answer = self.connect().send(call);
        let answer = answer.unwrap_or_else(|error| {
            panic!("{} {}: {error}: {}", call.method, call.target, self.log())
        });
        self.note(call, &answer);
        answer
    }

    /// What was called through [`Server::send`], by method, target and status.
    pub(crate) fn calls(&self) -> Calls {
        self.calls.lock().unwrap().clone()
    }

    /// Calls the control API of the demo world and answers the body; the status must be `status`.
    #[track_caller]
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let call = Call::new(method, &format!("/_cobro/v1{path}"));
        let call = if body.is_null() { call } else { call.json(body) };
        let answer = self.send(&call).expect(status);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// All rows of one of the control API's lists, the newest first.
    #[track_caller]
    pub(crate) fn list(&self, plural: &str, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let target = format!("{path}?limit=1000{cursor}");
            let page = self.control("GET", &target, &Value::Null, 200);
            rows.extend(page[plural].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// What a request must not change when it is refused: everything that is told and booked.
    #[track_caller]
    pub(crate) fn traces(&self) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
        (
            self.list("events", "/events"),
            self.list("postings", "/ledger/postings"),
            self.list("balances", "/ledger/balances"),
        )
    }

    /// What happens in the demo world from now on.
    pub(crate) fn live(&self, query: &str) -> Events {
        let call = Call::get(&format!("/_cobro/v1/live{query}"));
        let (answer, events) = self.connect().stream(&call);
        self.note(&call, &answer);
        events
    }

    fn note(&self, call: &Call, answer: &Answer) {
        let entry = (call.method.clone(), call.target.clone(), answer.status);
        self.calls.lock().unwrap().insert(entry, answer.clone());
    }

    pub(crate) fn log(&self) -> String {
        read_log(self.place, self.number)
    }

    /// Stops it as an operator does, and starts it again.
    pub(crate) fn restart(mut self) -> Self {
        self.stop();
        let (place, number) = (self.place, self.number);
        drop(self);
        Self::start_with(place, number, &["serve", "--port", "0"])
    }

    /// Asks it to stop; it must do so without complaint.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.ask_to_stop();
        self.wait_for_end();
    }

    pub(crate) fn ask_to_stop(&mut self) {
        self.ended = true;
        self.signal("TERM");
    }

    /// `STOP` makes it stand still with all that it holds, `CONT` go on.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(asked.success());
    }

    #[track_caller]
    pub(crate) fn wait_for_end(&mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Ends it at once, wherever it is.
    pub(crate) fn kill(mut self) {
        self.ended = true;
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.child.kill();
            let _ = self.child.wait();
            eprintln!("the server's log:\n{}", self.log());
            return;
        }
        if self.ended {
            return;
        }
        self.stop();
        if !self.ephemeral {
            verify(self.place);
        }
    }
}

fn read_log(place: &Place, number: usize) -> String {
    let log = std::fs::read(place.directory().join(format!("log{number}"))).unwrap_or_default();
    String::from_utf8_lossy(&log).into_owned()
}
