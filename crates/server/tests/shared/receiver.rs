//! A point of sale's webhook: proves itself as the seed says, and keeps what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::http::{AMPLE, read_headers};

/// HMAC-SHA256 in lower-case hexadecimal.
pub(crate) fn hmac_hex(key: &str, message: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A notification that came.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Notice {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn is(&self, intent: &str, state: &str) -> bool {
        self.body["id"] == intent && self.body["state"] == state
    }
}

#[derive(Debug)]
struct Shared {
    /// The key of the challenge.
    token: String,
    notices: Mutex<Vec<Notice>>,
    came: Condvar,
    /// How many notifications are still to be answered with an error.
    refusals: AtomicUsize,
}

/// A listener on a port of its own.
#[derive(Debug)]
pub(crate) struct Receiver {
    shared: Arc<Shared>,
    port: u16,
}

impl Receiver {
    /// A receiver that proves itself with this token.
    pub(crate) fn start(token: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            token: token.to_owned(),
            notices: Mutex::default(),
            came: Condvar::new(),
            refusals: AtomicUsize::new(0),
        });
        let own = Arc::clone(&shared);
        // Ends with the test's process; each connection has a thread of its own.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), shared) = (stream, Arc::clone(&own)) else { break };
                std::thread::spawn(move || while serve(&stream, &shared).is_some() {});
            }
        });
        Self { shared, port }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers the next notifications with an error.
    pub(crate) fn refuse(&self, count: usize) {
        self.shared.refusals.store(count, Ordering::SeqCst);
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.shared.notices.lock().unwrap().clone()
    }

    /// The first notification that is wanted, once it has come.
    #[track_caller]
    pub(crate) fn wait(&self, wanted: impl Fn(&Notice) -> bool) -> Notice {
        let notices = self.shared.notices.lock().unwrap();
        let found = |notices: &Vec<Notice>| notices.iter().find(|one| wanted(one)).cloned();
        let waiting = |notices: &mut Vec<Notice>| found(notices).is_none();
        let (notices, _) = self.shared.came.wait_timeout_while(notices, AMPLE, waiting).unwrap();
        match found(&notices) {
            Some(notice) => notice,
            None => panic!("the notification did not come; these did: {notices:#?}"),
        }
    }

    /// Waits until as many notifications have come.
    pub(crate) fn wait_for(&self, count: usize) {
        let notices = self.shared.notices.lock().unwrap();
        let waiting = |notices: &mut Vec<Notice>| notices.len() < count;
        let (notices, _) = self.shared.came.wait_timeout_while(notices, AMPLE, waiting).unwrap();
        assert!(notices.len() >= count, "{notices:#?}");
    }

    /// The notification that this intent is in this state.
    #[track_caller]
    pub(crate) fn told(&self, intent: &str, state: &str) -> Notice {
        self.wait(|notice| notice.is(intent, state))
    }
}

/// Serves one request; `None` when the connection is over.
fn serve(mut stream: &TcpStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = read_headers(&mut reader).ok()?;
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut answer = String::new();
    if method == "GET" {
        let code = target.split_once("challengeCode=")?.1;
        answer = json!({ "encrypted_challenge": hmac_hex(&shared.token, code) }).to_string();
    }
    let length = answer.len();
    let mut status = "200 OK";
    // Written down before it is answered: what was answered is known.
    if method == "POST" {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        shared.notices.lock().unwrap().push(Notice { target, headers, body });
        shared.came.notify_all();
        let less = |left: usize| left.checked_sub(1);
        if shared.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            status = "500 Internal Server Error";
        }
    }
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{answer}").as_bytes()).ok()
}
