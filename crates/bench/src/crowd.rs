//! A crowd that payments have to get along with: terminals that ask at their pace, over a bounded
//! set of connections, and live streams that stay open, each of one terminal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::{try_join, try_join_all};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::load::Wire;
use crate::stock::Till;
use crate::traffic::{CONNECTIONS, Caller, expect};

/// How often a terminal asks.
pub(crate) const EVERY: Duration = Duration::from_secs(5);

/// How long it may take until all streams are open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(120);

/// How many streams are opened at once.
const OPENED_AT_ONCE: usize = 32;

/// What the beginning of a stream's event of its terminal looks like.
const SHOWN: &[u8] = b"event: terminal";

/// Who is in the crowd.
#[derive(Clone, Default)]
pub(crate) struct Members {
    /// They ask.
    pub(crate) pollers: Vec<Till>,
    /// A stream is open of each.
    pub(crate) watched: Vec<Till>,
}

/// What the crowd has done so far.
#[derive(Default)]
struct Counts {
    polls: AtomicU64,
    /// Changes of terminals that streams told of.
    shown: AtomicU64,
    open: AtomicUsize,
    /// How often counting began anew.
    turn: AtomicU64,
}

/// A crowd at work, on a thread of its own.
pub(crate) struct Crowd {
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<anyhow::Result<Vec<u32>>>,
}

/// What a crowd did.
pub(crate) struct Done {
    /// How long each poll took, in microseconds.
    pub(crate) polls_us: Vec<u32>,
    /// Changes of terminals that streams told of, their beginnings left out.
    pub(crate) shown: u64,
}

impl Crowd {
    /// Begins, and waits until every stream has told what its terminal shows.
    pub(crate) fn gather(address: SocketAddr, members: Members) -> anyhow::Result<Self> {
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = watch::channel(false);
        let (wanted, own) = (members.watched.len(), Arc::clone(&counts));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(work(address, members, own, stopped))
        });
        let crowd = Self { counts, stop, thread };
        let began = std::time::Instant::now();
        while crowd.counts.open.load(Ordering::Relaxed) < wanted {
            if crowd.thread.is_finished() || began.elapsed() > OPEN_TIMEOUT {
                crowd.disperse()?;
                bail!("not all streams could be opened; may a process open enough files?");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        crowd.count_anew();
        Ok(crowd)
    }

    /// Forgets what was done so far.
    pub(crate) fn count_anew(&self) {
        self.counts.turn.fetch_add(1, Ordering::Relaxed);
        self.counts.shown.store(0, Ordering::Relaxed);
        self.counts.polls.store(0, Ordering::Relaxed);
    }

    /// How many polls have been answered.
    pub(crate) fn polls(&self) -> u64 {
        self.counts.polls.load(Ordering::Relaxed)
    }

    /// Ends; whoever failed meanwhile says so.
    pub(crate) fn disperse(self) -> anyhow::Result<Done> {
        // An error says that the crowd has ended, and why is what its thread tells.
        let _ = self.stop.send(true);
        let Ok(done) = self.thread.join() else { bail!("the crowd's thread panicked") };
        Ok(Done { polls_us: done?, shown: self.counts.shown.load(Ordering::Relaxed) })
    }
}

async fn work(
    address: SocketAddr,
    members: Members,
    counts: Arc<Counts>,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<Vec<u32>> {
    let Members { pollers, watched } = members;
    let share = pollers.len().div_ceil(CONNECTIONS).max(1);
    let polling = pollers.chunks(share).enumerate();
    let polling = polling.map(|(place, some)| poll(address, place, some, &counts, stopped.clone()));
    let share = watched.len().div_ceil(OPENED_AT_ONCE).max(1);
    let streaming = watched.chunks(share).map(|some| open(address, some, &counts, &stopped));
    let (polled, ()) = try_join(try_join_all(polling), async {
        for ended in try_join_all(streaming).await?.into_iter().flatten() {
            ended.await??;
        }
        Ok::<_, anyhow::Error>(())
    })
    .await?;
    Ok(polled.concat())
}

/// Asks for each of these terminals in turn, so that each asks once in [`EVERY`].
async fn poll(
    address: SocketAddr,
    place: usize,
    tills: &[Till],
    counts: &Counts,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<Vec<u32>> {
    let mut wire = Wire::open(&address.into()).await?;
    let caller = Caller::new(address);
    let pause = EVERY / u32::try_from(tills.len())?;
    // Connections do not ask all at once.
    let mut next = Instant::now() + pause * u32::try_from(place)? / u32::try_from(CONNECTIONS)?;
    let mut turn = 0;
    let mut request = Vec::with_capacity(512);
    for till in tills.iter().cycle() {
        next += pause;
        sleep_until(next).await;
        if *stopped.borrow() {
            break;
        }
        let now = counts.turn.load(Ordering::Relaxed);
        if std::mem::replace(&mut turn, now) != now {
            wire.take_latencies();
        }
        caller.look(till, &mut request);
        expect(&mut wire, &request, 200).await?;
        counts.polls.fetch_add(1, Ordering::Relaxed);
    }
    Ok(wire.take_latencies())
}

/// Opens a stream of each of these terminals, one after another, and reads them in tasks.
async fn open(
    address: SocketAddr,
    tills: &[Till],
    counts: &Arc<Counts>,
    stopped: &watch::Receiver<bool>,
) -> anyhow::Result<Vec<tokio::task::JoinHandle<anyhow::Result<()>>>> {
    let mut open = Vec::with_capacity(tills.len());
    for till in tills {
        let mut stream = TcpStream::connect(address).await.context("cannot connect")?;
        let request = format!(
            "GET /_cobro/v1/live?terminal={} HTTP/1.1\r\nHost: {address}\r\n\r\n",
            till.device
        );
        stream.write_all(request.as_bytes()).await?;
        let mut seen = Vec::new();
        while !contains(&seen, SHOWN) {
            let read = timeout(OPEN_TIMEOUT, stream.read_buf(&mut seen)).await??;
            let text = String::from_utf8_lossy(&seen);
            anyhow::ensure!(read > 0, "a stream ended: {text}");
            anyhow::ensure!(text.starts_with("HTTP/1.1 200"), "no stream: {text}");
        }
        counts.open.fetch_add(1, Ordering::Relaxed);
        open.push(tokio::spawn(hear(stream, Arc::clone(counts), stopped.clone())));
    }
    Ok(open)
}

/// Reads a stream until the crowd ends.
async fn hear(
    mut stream: TcpStream,
    counts: Arc<Counts>,
    mut stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        let read = tokio::select! {
            // An error says that nobody is left who could tell: the crowd has ended.
            _ = stopped.wait_for(|is_over| *is_over) => return Ok(()),
            read = stream.read(&mut buffer) => read?,
        };
        anyhow::ensure!(read > 0, "the server ended a stream");
        let text = buffer.get(..read).unwrap_or_default();
        // What falls between two reads is missed: this only shows that streams are at work.
        if contains(text, SHOWN) {
            counts.shown.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|some| some == part)
}
