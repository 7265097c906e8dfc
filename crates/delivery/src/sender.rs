//! The HTTP sender: one request to a webhook address, one bounded answer.
//!
//! Every bound of the reliability reference's F33 to F37 that can be kept within one exchange is kept
//! here: one deadline for everything from look-up to last byte, at most [`MAX_ANSWER_BYTES`] of answer,
//! no redirect followed, no proxy taken from the environment, no second look-up between check and
//! connection. How many exchanges run side by side, and when one is tried again, is the caller's to
//! decide.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::RootCertStore;
use rustls::client::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;

use crate::address::{Policy, Refused, Target};

/// How much of an answer's body is read, in bytes (reliability reference, F33).
pub const MAX_ANSWER_BYTES: usize = 64 * 1_024;

/// Bound on opening a connection, TLS included (reliability reference, F33).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections are kept for bursts only: every endpoint of every merchant may hold some.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const IDLE_PER_HOST: usize = 4;

/// Bounds on an answer's headers: how many there may be by HTTP/1, how many bytes by HTTP/2.
const MAX_ANSWER_HEADERS: usize = 100;
const MAX_ANSWER_HEADER_BYTES: u32 = 64 * 1_024;

/// Headers that belong to the connection or follow from the address and the body. A caller that sets
/// one could address another host than the one checked, or make one request look like two.
const FORBIDDEN_HEADERS: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A request to be sent.
#[derive(Clone)]
pub struct Outgoing {
    /// The method, as a rule `POST`.
    pub method: Method,
    /// The webhook address as registered. It is checked again before anything is sent.
    pub url: String,
    /// Names and values; a name may occur more than once. `Host` and `Content-Length` follow from
    /// the other fields and must not be among them.
    pub headers: Vec<(String, String)>,
    /// The body, sent as it is: signatures cover these very bytes.
    pub body: Bytes,
    /// Real time for the whole exchange, from look-up to the last byte that is read.
    pub timeout: Duration,
}

/// What the endpoint answered.
#[derive(Clone)]
pub struct Answer {
    /// The status code; a redirect is an answer like any other.
    pub status: u16,
    /// The answer's headers.
    pub headers: HeaderMap,
    /// The body, or its first [`MAX_ANSWER_BYTES`].
    pub body: Bytes,
    /// The body was longer than that; the rest was not read.
    pub truncated: bool,
}

/// Why there is no answer. The text holds neither address nor headers nor bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// The address guard does not let the request out. Nothing was sent.
    #[error("refused: {0}")]
    Refused(#[from] Refused),
    /// A header name or value that HTTP cannot carry or that the caller may not set. Nothing was sent.
    #[error("the request cannot be written")]
    Request,
    /// The host name has no address. Nothing was sent.
    #[error("the host name cannot be resolved")]
    Resolve,
    /// No address of the host took the connection. Nothing was sent.
    #[error("no connection")]
    Connect,
    /// The TLS handshake failed, most often over the certificate. Nothing was sent.
    #[error("the TLS handshake failed")]
    Tls,
    /// The time was over before the answer was whole. The endpoint may have acted on the request.
    #[error("no answer in time")]
    Timeout,
    /// The connection ended before the answer was whole, or the answer was not HTTP. The endpoint may
    /// have acted on the request.
    #[error("no valid HTTP answer")]
    Protocol,
    /// The HTTP client could not be made, or `https` was asked for and there is no certificate
    /// authority to trust: a fault of this machine, not of the endpoint. Nothing was sent.
    #[error("this machine is not set up for the request")]
    Setup,
}

/// Turns host names into addresses. The sender checks what comes back, so an implementation need not.
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of `name`, in the order in which they should be tried.
    fn lookup(&self, name: String) -> Looking;
}

/// The answer of a [`Lookup`] to come; an error or an empty list means that the name has no address.
pub type Looking = Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// The operating system's resolver, `/etc/hosts` included.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

/// Sends webhooks to addresses that a [`Policy`] allows, over pooled connections.
///
/// Making one costs next to nothing; trusted certificates are loaded with the first request.
pub struct Sender {
    policy: Arc<Policy>,
    lookup: Arc<dyn Lookup>,
    roots: Option<RootCertStore>,
    client: OnceCell<Client>,
}

/// The HTTP client, and whether it trusts any certificate authority.
struct Client {
    http: reqwest::Client,
    trusts: bool,
}

impl Sender {
    /// A sender for addresses that `policy` allows. It resolves names as the operating system does,
    /// and trusts the certificate authorities that the system trusts (`SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` are heeded). On a system without any, `https` fails with [`Failure::Setup`].
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy: Arc::new(policy),
            lookup: Arc::new(SystemLookup),
            roots: None,
            client: OnceCell::new(),
        }
    }

    /// The same sender with another way to resolve names.
    #[must_use]
    pub fn with_lookup(self, lookup: impl Lookup) -> Self {
        Self { lookup: Arc::new(lookup), client: OnceCell::new(), ..self }
    }

    /// The same sender, trusting `roots` and no other certificate authorities.
    #[must_use]
    pub fn with_roots(self, roots: RootCertStore) -> Self {
        Self { roots: Some(roots), client: OnceCell::new(), ..self }
    }

    /// Judges a webhook address as written, by this sender's policy; see [`Policy::check_url`].
    ///
    /// # Errors
    /// The first rule that the address breaks.
    pub fn check(&self, url: &str) -> Result<Target, Refused> {
        self.policy.check_url(url)
    }

    /// Sends one request and reads its answer. It is not tried again, whatever happens.
    ///
    /// # Errors
    /// Why there is no answer; any status, 4xx and 5xx included, is an answer.
    pub async fn send(&self, request: Outgoing) -> Result<Answer, Failure> {
        let target = self.policy.check_url(&request.url)?;
        let headers = headers_of(&request.headers)?;
        // Outside the deadline: it is this machine that is slow here, and only once.
        let client = self.client.get_or_try_init(|| self.build()).await?;
        if !client.trusts && target.url().scheme() == "https" {
            return Err(Failure::Setup);
        }
        let exchange = async {
            let sent = client
                .http
                .request(request.method, target.url().clone())
                .headers(headers)
                .body(request.body)
                .send()
                .await;
            answer_of(sent.map_err(|error| failure_of(&error))?).await
        };
        tokio::time::timeout(request.timeout, exchange).await.unwrap_or(Err(Failure::Timeout))
    }

    async fn build(&self) -> Result<Client, Failure> {
        let roots = self.roots.clone();
        // Reading the system's certificates means hundreds of small files on some systems.
        let (tls, trusts) = tokio::task::spawn_blocking(move || tls_config(roots))
            .await
            .map_err(|_| Failure::Setup)?
            .map_err(|_| Failure::Setup)?;
        if !trusts {
            tracing::error!(
                "this system has no trusted certificates, so https webhooks fail: install its CA \
                 certificates or set SSL_CERT_FILE, then start again"
            );
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(GuardedResolver {
                policy: Arc::clone(&self.policy),
                lookup: Arc::clone(&self.lookup),
            })
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_headers(MAX_ANSWER_HEADERS)
            .http2_max_header_list_size(MAX_ANSWER_HEADER_BYTES)
            .build()
            .map_err(|_| Failure::Setup)?;
        Ok(Client { http, trusts })
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sender").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Shows sizes only: address, headers and body may hold secrets.
impl fmt::Debug for Outgoing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, headers, body, timeout, .. } = self;
        let (headers, bytes) = (headers.len(), body.len());
        write!(out, "Outgoing({method}, {headers} headers, {bytes} bytes, within {timeout:?})")
    }
}

/// Shows status and size only: endpoints echo what they were sent.
impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.truncated { " and more" } else { "" };
        write!(out, "Answer({}, {} bytes{more})", self.status, self.body.len())
    }
}

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> Looking {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Gives the HTTP client checked addresses only. The client connects to these very addresses, so the
/// answer cannot change between check and connection (reliability reference, F36).
struct GuardedResolver {
    policy: Arc<Policy>,
    lookup: Arc<dyn Lookup>,
}

/// The name has no address.
#[derive(Debug, thiserror::Error)]
#[error("the host name cannot be resolved")]
struct Unresolved;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        let host = name.as_str().to_owned();
        let looking = self.lookup.lookup(host.clone());
        Box::pin(async move {
            let found = looking.await.map_err(|_| Unresolved)?;
            if found.is_empty() {
                return Err(Unresolved.into());
            }
            policy.check_resolved(&host, &found)?;
            // Port 0 stands for the port of the URL.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// The TLS side of the client, and whether it trusts any certificate authority. Without one it still
/// serves `http`.
fn tls_config(roots: Option<RootCertStore>) -> Result<(ClientConfig, bool), rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let system = if roots.is_none() { system_verifier(provider) } else { None };
    let roots = roots.unwrap_or_else(RootCertStore::empty);
    let trusts = system.is_some() || !roots.is_empty();
    let builder = match system {
        Some(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier),
        None => builder.with_root_certificates(roots),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, trusts))
}

/// What the system trusts; images that hold nothing but the binary have no certificates.
fn system_verifier(provider: Arc<CryptoProvider>) -> Option<Arc<Verifier>> {
    match Verifier::new(provider) {
        Ok(verifier) => Some(Arc::new(verifier)),
        Err(error) => {
            tracing::warn!(%error, "the system's certificates could not be loaded");
            None
        }
    }
}

fn headers_of(pairs: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Failure::Request)?;
        let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| Failure::Request)?;
        if FORBIDDEN_HEADERS.contains(&name) {
            return Err(Failure::Request);
        }
        // Signatures and tokens: kept out of debug output and of HTTP/2's compression tables.
        value.set_sensitive(true);
        headers.try_append(name, value).map_err(|_| Failure::Request)?;
    }
    Ok(headers)
}

async fn answer_of(mut response: reqwest::Response) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = BytesMut::new();
    let mut truncated = false;
    while let Some(chunk) = response.chunk().await.map_err(|error| failure_of(&error))? {
        let room = MAX_ANSWER_BYTES.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() > room {
            // Dropping the response closes the connection instead of reading on.
            truncated = true;
            break;
        }
    }
    Ok(Answer { status, headers, body: body.freeze(), truncated })
}

fn failure_of(error: &reqwest::Error) -> Failure {
    if let Some(refused) = cause::<Refused>(error) {
        Failure::Refused(*refused)
    } else if cause::<Unresolved>(error).is_some() {
        Failure::Resolve
    } else if error.is_timeout() {
        Failure::Timeout
    } else if error.is_connect() {
        // After the handshake a TLS error is a broken exchange like any other.
        let in_handshake = cause::<rustls::Error>(error).is_some();
        if in_handshake { Failure::Tls } else { Failure::Connect }
    } else if error.is_builder() {
        Failure::Request
    } else {
        Failure::Protocol
    }
}

/// The first error of type `E` among `error` and what caused it.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<E>() {
            return Some(found);
        }
        // An I/O error hides what it wraps: its `source` is that error's source.
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    None
}
