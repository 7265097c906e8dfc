//! Connections to other hosts: guarded, limited, and ended when nobody uses them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use cobro_delivery::address::{Policy, Refused};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::Settings;
use crate::target::Target;

/// Why another host was not reached.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// The address is one that nobody may be led to (link-local, metadata, …).
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The name means nothing.
    #[error("the host's name cannot be resolved")]
    Unknown,
    /// It would be Cobro talking to itself.
    #[error("that is this server itself")]
    Loop,
    /// Nothing answered at any address.
    #[error("the host cannot be reached")]
    Unreached,
    /// Nothing answered in time.
    #[error("the host did not answer in time")]
    Slow,
    /// The proxy before this one does not answer, or not as a proxy does.
    #[error("the proxy that the environment names cannot be reached")]
    Chain,
    /// The proxy before this one does not reach it.
    #[error("the proxy that the environment names refuses the host")]
    ChainRefused,
}

/// Connects to a host that is not ours: through the proxy before this one, where there is one and
/// the host is not excepted from it.
///
/// # Errors
/// Why not.
pub(crate) async fn reach(target: &Target, settings: &Settings) -> Result<TcpStream, Unreachable> {
    let within = settings.limits.connect;
    match settings.chain.as_ref().filter(|chain| chain.covers(target)) {
        Some(chain) => {
            Policy::sandbox().check_url(&format!("http://{}/", target.authority()))?;
            let connected = tokio::time::timeout(within, chain.connect(target)).await;
            let stream = connected.map_err(|_| Unreachable::Slow)??;
            // The environment may name this very server.
            if is_own(&stream, &settings.own) || is_listener(&stream, &settings.own) {
                return Err(Unreachable::Loop);
            }
            Ok(stream)
        }
        None => connect(target, &settings.own, within).await,
    }
}

fn is_listener(stream: &TcpStream, own: &[SocketAddr]) -> bool {
    stream.peer_addr().is_ok_and(|peer| own.contains(&peer))
}

/// Connects to a host that is not ours.
///
/// # Errors
/// Why not.
pub(crate) async fn connect(
    target: &Target,
    own: &[SocketAddr],
    within: Duration,
) -> Result<TcpStream, Unreachable> {
    let policy = Policy::sandbox();
    policy.check_url(&format!("http://{}/", target.authority()))?;
    let lookup = tokio::net::lookup_host((target.host.as_str(), target.port));
    let addresses: Vec<SocketAddr> = tokio::time::timeout(within, lookup)
        .await
        .map_err(|_| Unreachable::Slow)?
        .map_err(|_| Unreachable::Unknown)?
        .collect();
    let ips: Vec<_> = addresses.iter().map(SocketAddr::ip).collect();
    policy.check_resolved(&target.host, &ips)?;
    let mut last = Unreachable::Unknown;
    for address in addresses {
        if own.contains(&address) {
            return Err(Unreachable::Loop);
        }
        match tokio::time::timeout(within, TcpStream::connect(address)).await {
            Ok(Ok(stream)) if is_own(&stream, own) => return Err(Unreachable::Loop),
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(_)) => last = Unreachable::Unreached,
            Err(_) => last = Unreachable::Slow,
        }
    }
    Err(last)
}

/// Whether a connection ends at a listener of ours: on every address of this machine, when the
/// listener is bound to all of them.
fn is_own(stream: &TcpStream, own: &[SocketAddr]) -> bool {
    let (Ok(peer), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return false };
    let same_machine = peer.ip() == local.ip() || peer.ip().is_loopback();
    same_machine && own.iter().any(|own| own.port() == peer.port() && own.ip().is_unspecified())
}

/// Copies both ways until both sides end, or nothing has moved for `idle`.
pub(crate) async fn join<A, B>(a: A, b: B, idle: Duration) -> Ended
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let moved = Arc::new(AtomicU64::new(0));
    let mut a = Counted { inner: a, moved: moved.clone() };
    let mut b = Counted { inner: b, moved: moved.clone() };
    let watch = async {
        let mut before = None;
        loop {
            let now = moved.load(Ordering::Relaxed);
            if before == Some(now) {
                break;
            }
            before = Some(now);
            tokio::time::sleep(idle).await;
        }
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut a, &mut b) => Ended::Closed,
        () = watch => Ended::Idle,
    }
}

/// Why a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// A side closed it.
    Closed,
    /// Nothing moved.
    Idle,
}

struct Counted<S> {
    inner: S,
    moved: Arc<AtomicU64>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_read(context, buffer);
        if polled.is_ready() {
            this.moved.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const IDLE: Duration = Duration::from_secs(300);

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_that_nobody_uses_ends() {
        let (mut client, inner) = tokio::io::duplex(64);
        let (mut server, outer) = tokio::io::duplex(64);
        let joined = tokio::spawn(join(inner, outer, IDLE));
        for _ in 0..3 {
            tokio::time::sleep(IDLE.mul_f32(0.9)).await;
            client.write_all(b"x").await.unwrap();
            server.read_u8().await.unwrap();
        }
        assert!(!joined.is_finished(), "one that is used stays");
        assert_eq!(joined.await.unwrap(), Ended::Idle);
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_tunnel_ends_with_its_sides() {
        let (client, inner) = tokio::io::duplex(64);
        let (server, outer) = tokio::io::duplex(64);
        drop((client, server));
        assert_eq!(join(inner, outer, IDLE).await, Ended::Closed);
    }

    #[tokio::test]
    async fn where_a_tunnel_may_not_lead() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let everywhere = SocketAddr::from(([0, 0, 0, 0], own.port()));
        for (host, port, own, expected) in [
            ("169.254.169.254", 80, own, "the address is link-local"),
            ("fe80::1", 80, own, "the address is link-local"),
            ("metadata.google.internal", 80, own, "the host is a metadata service"),
            ("100.100.100.200", 80, own, "the host is a metadata service"),
            ("0.0.0.0", 80, own, "the address is reserved"),
            ("224.0.0.1", 80, own, "the address is multicast or broadcast"),
            ("2130706433", 80, own, "the host is not spelled plainly"),
            ("no-such-name.invalid", 80, own, "the host's name cannot be resolved"),
            ("127.0.0.1", own.port(), own, "that is this server itself"),
            ("127.0.0.1", own.port(), everywhere, "that is this server itself"),
        ] {
            let target = Target { host: host.to_owned(), port };
            let error = connect(&target, &[own], Duration::from_secs(9)).await.unwrap_err();
            assert_eq!(error.to_string(), expected, "{host}");
        }
        let target = Target { host: "127.0.0.1".to_owned(), port: own.port() };
        assert!(connect(&target, &[], Duration::from_secs(9)).await.is_ok());
    }
}
