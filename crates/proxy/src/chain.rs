//! A proxy before this one: what is neither a provider's nor this machine's goes through it.

use std::net::IpAddr;

use base64::Engine as _;
use http::Uri;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::target::Target;
use crate::upstream::Unreachable;

/// The longest answer to a `CONNECT` that is read, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// An HTTP proxy, and what does not go through it.
#[derive(Clone, PartialEq, Eq)]
pub struct Chain {
    proxy: Target,
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
    /// Names and ends of names, in lower case; `*` is every host.
    direct: Vec<String>,
}

impl std::fmt::Debug for Chain {
    /// Without the credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("proxy", &self.proxy.authority()).finish_non_exhaustive()
    }
}

impl Chain {
    /// The proxy of a variable such as `HTTPS_PROXY` (`http://user:password@host:port`, or without
    /// scheme), with the names of `NO_PROXY`. `None` where it names no HTTP proxy: a TLS or SOCKS
    /// one is not spoken to.
    #[must_use]
    pub fn parse(url: &str, no_proxy: &str) -> Option<Self> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let rest = rest.trim_end_matches('/');
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let uri: Uri = format!("http://{place}/").parse().ok()?;
        let proxy = Target::of(&uri).filter(|_| scheme.eq_ignore_ascii_case("http"))?;
        let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        let authorization = user.map(|user| format!("Basic {}", encode(unescaped(user))));
        let names = no_proxy.split(',').map(|name| name.trim().trim_start_matches("*."));
        let names = names.map(|name| name.trim_start_matches('.').to_ascii_lowercase());
        let direct = names.filter(|name| !name.is_empty()).collect();
        Some(Self { proxy, authorization, direct })
    }

    /// Where the proxy is.
    #[must_use]
    pub fn proxy(&self) -> &Target {
        &self.proxy
    }

    /// Whether a host is reached through the proxy.
    pub(crate) fn covers(&self, target: &Target) -> bool {
        let is_here = match target.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => target.host == "localhost" || target.host.ends_with(".localhost"),
        };
        let is_direct = |name: &String| {
            name == "*"
                || *name == target.host
                || *name == target.authority()
                || target.host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        !is_here && !self.direct.iter().any(is_direct)
    }

    /// Asks the proxy for a connection to the target.
    pub(crate) async fn connect(&self, target: &Target) -> Result<TcpStream, Unreachable> {
        let place = (self.proxy.host.as_str(), self.proxy.port);
        let mut stream = TcpStream::connect(place).await.map_err(|_| Unreachable::Chain)?;
        let _ = stream.set_nodelay(true);
        let authority = target.authority();
        let mut ask = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if let Some(authorization) = &self.authorization {
            ask.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        ask.push_str("\r\n");
        stream.write_all(ask.as_bytes()).await.map_err(|_| Unreachable::Chain)?;
        // Byte by byte: what follows the head belongs to the tunnel.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = stream.read_u8().await.map_err(|_| Unreachable::Chain)?;
            head.push(byte);
            if head.len() > HEAD_BYTES_MAX {
                return Err(Unreachable::Chain);
            }
        }
        let status = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if status.starts_with(b"2") { Ok(stream) } else { Err(Unreachable::ChainRefused) }
    }
}

/// A user and a password without their percent signs (RFC 3986, section 2.1).
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_of_the_environment() {
        let table = [
            ("http://proxy.example:3128", Some(("proxy.example:3128", None))),
            ("http://proxy.example:3128/", Some(("proxy.example:3128", None))),
            ("proxy.example:3128", Some(("proxy.example:3128", None))),
            ("http://proxy.example", Some(("proxy.example:80", None))),
            ("http://a:b%40c@10.0.0.1:8080", Some(("10.0.0.1:8080", Some("Basic YTpiQGM=")))),
            ("http://[::1]:8080", Some(("[::1]:8080", None))),
            ("https://proxy.example:3128", None),
            ("socks5://proxy.example:1080", None),
            ("http://", None),
            ("", None),
        ];
        for (url, expected) in table {
            let found = Chain::parse(url, "");
            let found = found.map(|chain| (chain.proxy.authority(), chain.authorization));
            let expected =
                expected.map(|(place, user)| (place.to_owned(), user.map(str::to_owned)));
            assert_eq!(found, expected, "{url}");
        }
        let chain = Chain::parse("http://user:secret@proxy.example:1", "").unwrap();
        assert!(!format!("{chain:?}").contains("secret"));
    }

    #[test]
    fn what_goes_through_the_proxy() {
        let chain = |direct: &str| Chain::parse("http://proxy.example:1", direct).unwrap();
        let table = [
            ("", "api.example.org", true),
            ("", "localhost", false),
            ("", "shop.localhost", false),
            ("", "127.0.0.2", false),
            ("", "::1", false),
            ("", "10.0.0.1", true),
            ("example.org", "api.example.org", false),
            (".example.org, x", "api.example.org", false),
            ("*.EXAMPLE.org", "api.example.org", false),
            ("example.org", "example.org", false),
            ("ple.org", "example.org", true),
            ("*", "example.org", false),
            ("example.org:443", "example.org", false),
            ("example.org:80", "example.org", true),
        ];
        for (direct, host, expected) in table {
            let target = Target { host: host.to_owned(), port: 443 };
            assert_eq!(chain(direct).covers(&target), expected, "{direct} {host}");
        }
    }
}
