//! Where a `CONNECT` or an absolute-form request wants to go.

use http::Uri;

/// A host and a port, from an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// In lower case, without a dot at the end; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The longest host name (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;

impl Target {
    /// Reads the target of a request. A `CONNECT` must name a port (RFC 9110, section 9.3.6).
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        // hyper takes a port over 65535 for none: the text decides.
        let text = authority.as_str();
        let after_host = text.get(authority.host().len()..)?;
        let port = match (after_host, uri.scheme_str()) {
            ("" | ":", Some("http")) => 80,
            ("" | ":", Some("https")) => 443,
            (port, _) => port.strip_prefix(':')?.parse().ok()?,
        };
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let fits = !host.is_empty() && host.len() <= HOST_BYTES_MAX && port != 0;
        fits.then_some(Self { host, port })
    }

    /// `host:port`, an IPv6 address in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        for (uri, expected) in [
            ("api.example.com:443", Some(("api.example.com", 443))),
            ("API.Example.com.:8443", Some(("api.example.com", 8443))),
            ("http://api.example.com/a?b", Some(("api.example.com", 80))),
            ("https://api.example.com", Some(("api.example.com", 443))),
            ("http://[::1]:9/", Some(("::1", 9))),
            ("[::1]:443", Some(("::1", 443))),
            ("api.example.com", None),
            ("http://user@api.example.com/", None),
            ("http://api.example.com:99999/", None),
            ("http://api.example.com:0/", None),
            ("ftp://api.example.com/", None),
            ("http://./", None),
            ("/path", None),
        ] {
            let Ok(parsed) = uri.parse::<Uri>() else {
                assert_eq!(expected, None, "{uri}");
                continue;
            };
            let found = Target::of(&parsed);
            let found = found.as_ref().map(|target| (target.host.as_str(), target.port));
            assert_eq!(found, expected, "{uri}");
        }
    }

    #[test]
    fn authorities() {
        let of = |host: &str| Target { host: host.to_owned(), port: 1 }.authority();
        assert_eq!((of("a.example"), of("::1")), ("a.example:1".into(), "[::1]:1".into()));
    }
}
