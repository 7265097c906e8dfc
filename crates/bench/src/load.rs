//! A load client: HTTP/1.1 over connections that stay open, one request at a time on each.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clock::{Mark, Slice, Watched};

/// How many threads the connections are spread over.
const THREADS: usize = 2;

/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 1 << 20;

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    /// What each exchange took, in microseconds.
    latencies_us: Vec<u32>,
}

impl Wire {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 16 * 1024], filled: 0, latencies_us: Vec::new() })
    }

    /// Sends a request and reads its answer: the status and the body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        let began = Instant::now();
        self.stream.write_all(request).await?;
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
    address: SocketAddr,
    connections: usize,
    watched: &Watched,
    work: W,
) -> anyhow::Result<(Slice, Vec<T>)>
where
    T: Send,
    W: AsyncFn(&mut Wire) -> anyhow::Result<Option<T>> + Sync,
{
    // One more than the threads: this one waits for all connections, then takes the time.
    let ready = Barrier::new(THREADS + 1);
    let run = |count: usize| -> anyhow::Result<(Instant, Vec<T>, Vec<u32>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let wires = runtime.block_on(try_join_all((0..count).map(|_| Wire::open(address))));
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
