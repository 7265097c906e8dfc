//! A load client: HTTP/1.1 over connections that stay open, one request at a time on each.

use std::net::SocketAddr;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::future::try_join_all;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::clock::{Mark, Slice, Watched};

/// How many threads the connections are spread over.
const THREADS: usize = 2;

/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 1 << 20;

/// How a connection reaches its server.
#[derive(Clone)]
pub(crate) struct Way {
    address: SocketAddr,
    /// The host that a tunnel is asked for, and whom to trust inside it.
    tunnel: Option<(&'static str, Arc<ClientConfig>)>,
}

impl Way {
    /// TLS to a host, in a tunnel that the proxy at this address makes.
    pub(crate) const fn through(
        address: SocketAddr,
        host: &'static str,
        tls: Arc<ClientConfig>,
    ) -> Self {
        Self { address, tunnel: Some((host, tls)) }
    }
}

impl From<SocketAddr> for Way {
    fn from(address: SocketAddr) -> Self {
        Self { address, tunnel: None }
    }
}

/// What bytes go over: a connection, or TLS in one.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One connection.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    filled: usize,
    /// What each exchange took, in microseconds.
    latencies_us: Vec<u32>,
}

impl Wire {
    /// Connects.
    pub(crate) async fn open(way: &Way) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(way.address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match &way.tunnel {
            None => Box::new(stream),
            Some((host, tls)) => {
                let stream = tunnelled(stream, host).await?;
                let name = ServerName::try_from(*host)?;
                Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?)
            }
        };
        Ok(Self { stream, buffer: vec![0; 16 * 1024], filled: 0, latencies_us: Vec::new() })
    }

    /// What each exchange took, in microseconds; forgotten with this.
    pub(crate) fn take_latencies(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.latencies_us)
    }

    /// Sends a request and reads its answer: the status and the body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        let began = Instant::now();
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.filled = 0;
        let (status, body_at, end) = loop {
            if self.filled == self.buffer.len() {
                anyhow::ensure!(self.filled < ANSWER_MAX, "an answer is too long");
                self.buffer.resize(self.filled * 2, 0);
            }
            let space = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let read = self.stream.read(space).await?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            self.filled += read;
            let text = self.buffer.get(..self.filled).unwrap_or_default();
            if let Some(head) = Head::read(text)? {
                let end = head.body_at + head.length;
                if self.filled >= end {
                    break (head.status, head.body_at, end);
                }
            }
        };
        let took = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX);
        self.latencies_us.push(took);
        Ok((status, self.buffer.get(body_at..end).unwrap_or_default()))
    }
}

/// Asks a proxy for a tunnel.
async fn tunnelled(mut stream: TcpStream, host: &str) -> anyhow::Result<TcpStream> {
    let request = format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    // The client speaks first in TLS: nothing follows the head of the answer.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let read = stream.read_buf(&mut head).await?;
        anyhow::ensure!(read > 0 && head.len() < 4096, "the proxy's answer has no end");
    }
    let head = String::from_utf8_lossy(&head);
    anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "no tunnel: {head}");
    Ok(stream)
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    body_at: usize,
    length: usize,
}

impl Head {
    /// The head that `text` begins with; `None` when more has to be read.
    fn read(text: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(text.get(..end).unwrap_or_default())?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.get(9..12)).and_then(|s| s.parse().ok());
        let status: u16 = status.with_context(|| format!("no status: {head}"))?;
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let length = match length {
            Some(length) => length,
            None if status == 204 => 0,
            None => bail!("an answer without a length: {head}"),
        };
        Ok(Some(Self { status, body_at: end + 4, length }))
    }
}

/// Runs `work` over and over on each of `connections` until it says that nothing is left (`None`)
/// and puts together what it gave. Every thing given counts as one operation.
pub(crate) fn drive<T, W>(
    way: impl Into<Way>,
    connections: usize,
    watched: &Watched,
    work: W,
) -> anyhow::Result<(Slice, Vec<T>)>
where
    T: Send,
    W: AsyncFn(&mut Wire) -> anyhow::Result<Option<T>> + Sync,
{
    let way = way.into();
    // One more than the threads: this one waits for all connections, then takes the time.
    let ready = Barrier::new(THREADS + 1);
    let run = |count: usize| -> anyhow::Result<(Instant, Vec<T>, Vec<u32>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let wires = runtime.block_on(try_join_all((0..count).map(|_| Wire::open(&way))));
        ready.wait();
        let work = &work;
        let all = wires?.into_iter().map(|mut wire| async move {
            let mut given = Vec::new();
            while let Some(one) = work(&mut wire).await? {
                given.push(one);
            }
            Ok::<_, anyhow::Error>((given, wire.latencies_us))
        });
        let done = runtime.block_on(try_join_all(all))?;
        let ended = Instant::now();
        let (given, latencies): (Vec<Vec<T>>, Vec<Vec<u32>>) = done.into_iter().unzip();
        Ok((ended, given.into_iter().flatten().collect(), latencies.concat()))
    };
    let run = &run;
    let (began, mark, threads) = std::thread::scope(|scope| {
        let shares = (0..THREADS).map(|n| (connections + n) / THREADS);
        let threads: Vec<_> = shares.map(|count| scope.spawn(move || run(count))).collect();
        let mark = Mark::new(watched);
        ready.wait();
        let began = Instant::now();
        let threads: Vec<_> =
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        (began, mark, threads)
    });
    let cpu = mark.elapsed();
    let (mut all, mut latencies, mut elapsed) = (Vec::new(), Vec::new(), Duration::ZERO);
    for thread in threads {
        let Ok(done) = thread else { bail!("a thread of the load client panicked") };
        let (ended, given, took) = done?;
        elapsed = elapsed.max(ended.saturating_duration_since(began));
        all.extend(given);
        latencies.extend(took);
    }
    let slice = Slice::new(all.len() as u64, elapsed, latencies);
    Ok((Slice { cpu, ..slice }, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let table: [(&str, Option<(u16, usize)>); 4] = [
            ("HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n", Some((201, 12))),
            ("HTTP/1.1 204 No Content\r\ndate: x\r\n\r\n", Some((204, 0))),
            ("HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\nrest", Some((200, 0))),
            ("HTTP/1.1 200 OK\r\ncontent-le", None),
        ];
        for (text, expected) in table {
            let head = Head::read(text.as_bytes()).unwrap();
            assert_eq!(head.map(|head| (head.status, head.length)), expected, "{text}");
        }
        for wrong in ["HTTP/1.1 200 OK\r\nx: y\r\n\r\n", "nonsense\r\n\r\n"] {
            assert!(Head::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
