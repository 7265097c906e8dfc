//! The program under test.

use std::io::BufReader;
use std::process::{Child, ChildStdout, Stdio};

use crate::shared::place::Place;
use crate::shared::server::{bare_command, read_address};

/// A running server; it ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    _output: BufReader<ChildStdout>,
    pub(crate) place: Place,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let place = Place::sqlite();
        let all = [&["serve", "--port", "0"], arguments].concat();
        let mut command = bare_command(&place, &all);
        command.envs(environment.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let address = read_address(&mut output).expect("cobro starts");
        Self { child, _output: output, place, address }
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
