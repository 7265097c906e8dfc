//! Endpoints to send to, and name look-ups whose answers a test sets.

use std::collections::VecDeque;
use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cobro_delivery::sender::{Looking, Lookup, Outgoing};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Long enough that only a fault reaches it.
pub(crate) const AMPLE: Duration = Duration::from_secs(30);

/// For exchanges that must run into their deadline.
pub(crate) const SHORT: Duration = Duration::from_millis(150);

/// A listener on loopback that hands each connection to `behave`. Returns its port.
pub(crate) async fn endpoint<F, Done>(behave: F) -> u16
where
    F: Fn(TcpStream) -> Done + Send + 'static,
    Done: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream));
        }
    });
    port
}

/// Reads one request, head and body by `Content-Length`, and returns it as text.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 4_096];
    while !is_whole(&seen) {
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => seen.push_str(&String::from_utf8_lossy(&buffer[..count])),
            _ => break,
        }
    }
    seen
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// A listener that must see nothing, and can tell.
pub(crate) struct Tripwire(std::net::TcpListener);

impl Tripwire {
    pub(crate) fn set() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Whether anybody has connected since the last time. The system queues connections before they
    /// are accepted, so none is missed.
    pub(crate) fn was_touched(&self) -> bool {
        self.0.accept().is_ok()
    }
}

/// Answers look-ups from a list, the last answer over and over; counts them.
#[derive(Clone, Default)]
pub(crate) struct Answers {
    queue: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Answers {
    pub(crate) fn of(answers: &[&[&str]]) -> Self {
        let parsed = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        let queue = answers.iter().map(parsed).collect();
        Self { queue: Arc::new(Mutex::new(queue)), asked: Arc::default() }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Lookup for Answers {
    fn lookup(&self, _name: String) -> Looking {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut queue = self.queue.lock().unwrap();
        let answer = if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() };
        let answer = answer.ok_or_else(|| std::io::Error::other("no such name"));
        Box::pin(std::future::ready(answer))
    }
}

/// A `POST` of a small body.
pub(crate) fn post(url: &str, timeout: Duration) -> Outgoing {
    Outgoing {
        method: http::Method::POST,
        url: url.to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Bytes::from_static(b"{\"id\":1}"),
        timeout,
    }
}

/// A webhook receiver: what it was sent, as text, in the order of arrival.
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) requests: mpsc::UnboundedReceiver<String>,
}

impl Hook {
    /// A receiver that answers each request with what `answer` says, once it says so.
    pub(crate) async fn open<F, Saying>(answer: F) -> Self
    where
        F: Fn(String) -> Saying + Clone + Send + 'static,
        Saying: Future<Output = String> + Send + 'static,
    {
        let (seen, requests) = mpsc::unbounded_channel();
        let port = endpoint(move |mut stream| {
            let (seen, answer) = (seen.clone(), answer.clone());
            async move {
                let request = read_request(&mut stream).await;
                // The test may be over.
                let _ = seen.send(request.clone());
                let _ = stream.write_all(answer(request).await.as_bytes()).await;
            }
        })
        .await;
        Self { url: format!("http://127.0.0.1:{port}/hook"), requests }
    }

    /// A receiver that gives every request the same answer.
    pub(crate) async fn answering(answer: String) -> Self {
        Self::open(move |_| std::future::ready(answer.clone())).await
    }

    /// A receiver that takes requests and says nothing.
    pub(crate) async fn hanging() -> Self {
        Self::open(|_| std::future::pending()).await
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> String {
        tokio::time::timeout(AMPLE, self.requests.recv()).await.unwrap().unwrap()
    }

    /// How many requests have come that nobody has looked at.
    pub(crate) fn unseen(&self) -> usize {
        self.requests.len()
    }
}

/// A whole answer, after which the connection is closed.
pub(crate) fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// The value of a header of a request.
pub(crate) fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    request.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap()
}

/// The body of a request.
pub(crate) fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}
