//! Who may call.
//!
//! On a loopback address nobody needs a credential, which leaves one door: a web page of somebody
//! else, open in the browser of the person who runs the sandbox. Such a page is known by the `Host`
//! that it had to use (DNS rebinding), by its `Origin` (RFC 6454) and by `Sec-Fetch-Site` (Fetch
//! Metadata). A program that is no browser sends neither of the last two.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cobro_engine::secrets::same_secret;
use http::header::{AUTHORIZATION, CACHE_CONTROL, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use crate::Shared;
use crate::refusal::Refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may call the control API.
#[derive(Clone)]
pub enum Access {
    /// The listener is on a loopback address: no credential, but no foreign web page either.
    Loopback,
    /// The listener can be reached from elsewhere: callers send this token (RFC 6750). An empty
    /// one lets nobody in.
    Token(String),
}

impl std::fmt::Debug for Access {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Loopback => "Loopback",
            Self::Token(_) => "Token",
        })
    }
}

impl Access {
    /// Whether a request may go on; else why not, as text for people.
    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), &'static str> {
        match self {
            Self::Loopback => check_local(uri, headers),
            Self::Token(token) => check_token(token, headers),
        }
    }
}

/// Lets a request through or refuses it, and marks every answer as not to be stored.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let control = &shared.control;
    let checked = control.access.check(request.uri(), request.headers());
    // On a loopback address nothing but the page's origin is asked for, which a ticket cannot prove.
    let checked = checked.or_else(|why| {
        let now = control.worlds.main().clock().real();
        let has_ticket = matches!(control.access, Access::Token(_))
            && shared.tickets.open(request.method(), request.uri(), now);
        if has_ticket { Ok(()) } else { Err(why) }
    });
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(why) => refusal(&shared.control.access, why).into_response(),
    };
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A page knows by the code that it has to ask for the token.
fn refusal(access: &Access, why: &str) -> Refusal {
    let refusal = Refusal::new(StatusCode::FORBIDDEN, why);
    if matches!(access, Access::Token(_)) { refusal.with_code("control_token") } else { refusal }
}

fn check_token(token: &str, headers: &HeaderMap) -> Result<(), &'static str> {
    const REFUSED: &str = "the control token is missing or wrong";
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return Err(REFUSED) };
    let (scheme, sent) = value.as_bytes().split_at_checked(7).ok_or(REFUSED)?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"bearer ");
    if is_bearer && !token.is_empty() && same_secret(token.as_bytes(), sent.trim_ascii()) {
        Ok(())
    } else {
        Err(REFUSED)
    }
}

fn check_local(uri: &Uri, headers: &HeaderMap) -> Result<(), &'static str> {
    let host = host(uri, headers).and_then(Place::parse).filter(Place::is_loopback);
    let host = host.ok_or("the Host is not a loopback name or address")?;
    let is_own = |origin: &HeaderValue| {
        origin.to_str().ok().and_then(Origin::parse).is_some_and(|origin| origin.is_at(&host))
    };
    if !headers.get_all(ORIGIN).iter().all(is_own) {
        return Err("the request comes from a page of another origin");
    }
    let is_same_site = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    if !headers.get_all(SEC_FETCH_SITE).iter().all(is_same_site) {
        return Err("the request comes from a page of another site");
    }
    Ok(())
}

/// The host that was asked for: the authority of HTTP/2, else the one `Host` header.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut sent = headers.get_all(HOST).iter();
    let header = match (sent.next(), sent.next()) {
        (Some(header), None) => Some(header.to_str().ok()?),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    match (uri.authority(), header) {
        (Some(authority), Some(header)) if authority.as_str() != header => None,
        (Some(authority), _) => Some(authority.as_str()),
        (None, header) => header,
    }
}

/// A host and a port.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: Option<u16>,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        // The colons of an IPv6 address stand inside the brackets.
        let name_end = text.rfind(']').map_or(0, |at| at.saturating_add(1));
        let (name, port) = match text.get(name_end..)?.find(':') {
            Some(at) => text.split_at_checked(name_end.saturating_add(at))?,
            None => (text, ""),
        };
        let port = match port.strip_prefix(':') {
            None => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        (!name.is_empty()).then(|| Self { host: name.to_ascii_lowercase(), port })
    }

    fn is_loopback(&self) -> bool {
        let host = self.host.as_str();
        let is_name = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        };
        if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return inner.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
        }
        host == "localhost"
            || host.strip_suffix(".localhost").is_some_and(is_name)
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

/// A web page's origin (RFC 6454, section 6.1); `null` is none.
struct Origin {
    place: Place,
    default_port: u16,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        Some(Self { place: Place::parse(authority)?, default_port })
    }

    fn is_at(&self, host: &Place) -> bool {
        let port = |place: &Place| place.port.unwrap_or(self.default_port);
        self.place.host == host.host && port(&self.place) == port(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn hosts_of_a_loopback_listener() {
        let table = [
            ("localhost", true),
            ("localhost:7070", true),
            ("LocalHost:1", true),
            ("shop.localhost:7070", true),
            ("127.0.0.1:7070", true),
            ("127.255.3.4", true),
            ("[::1]", true),
            ("[::1]:7070", true),
            ("", false),
            (":7070", false),
            ("localhost:", false),
            ("localhost:70700", false),
            ("localhost:+70", false),
            ("localhost:7070:1", false),
            ("localhost.attacker.example", false),
            ("attackerlocalhost", false),
            ("attacker.example/.localhost", false),
            ("user@localhost", false),
            ("127.0.0.1.attacker.example", false),
            ("127.1", false),
            ("0.0.0.0:7070", false),
            ("10.0.0.1", false),
            ("192.168.1.5:7070", false),
            ("[::]", false),
            ("[::1", false),
            ("::1", false),
            ("[::1]x", false),
            ("[fe80::1]:7070", false),
        ];
        for (host, is_let_in) in table {
            let found = Access::Loopback.check(&Uri::from_static("/"), &headers(&[("host", host)]));
            assert_eq!(found.is_ok(), is_let_in, "{host}");
        }
        let two = headers(&[("host", "localhost"), ("host", "localhost")]);
        assert!(Access::Loopback.check(&Uri::from_static("/"), &two).is_err());
        assert!(Access::Loopback.check(&Uri::from_static("/"), &HeaderMap::new()).is_err());
    }

    #[test]
    fn the_authority_of_http_2_is_a_host() {
        let table = [
            ("http://localhost:7070/", None, true),
            ("http://attacker.example/", None, false),
            ("http://localhost:7070/", Some("localhost:7070"), true),
            ("http://localhost:7070/", Some("attacker.example"), false),
            ("http://attacker.example/", Some("localhost:7070"), false),
        ];
        for (uri, host, is_let_in) in table {
            let headers = host.map_or_else(HeaderMap::new, |host| headers(&[("host", host)]));
            let found = Access::Loopback.check(&Uri::from_static(uri), &headers);
            assert_eq!(found.is_ok(), is_let_in, "{uri} {host:?}");
        }
    }

    #[test]
    fn foreign_pages_are_refused() {
        let table: &[(&[(&str, &str)], bool)] = &[
            (&[], true),
            (&[("origin", "http://localhost:7070")], true),
            (&[("origin", "http://LOCALHOST:7070")], true),
            (&[("origin", "https://localhost:7070")], true),
            (&[("origin", "http://localhost:7071")], false),
            (&[("origin", "http://localhost")], false),
            (&[("origin", "http://127.0.0.1:7070")], false),
            (&[("origin", "http://shop.localhost:7070")], false),
            (&[("origin", "https://attacker.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
            (&[("origin", "file://")], false),
            (&[("origin", "chrome-extension://localhost:7070")], false),
            (&[("origin", "http://localhost:7070"), ("origin", "http://x.example")], false),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "something-new")], false),
            (&[("origin", "http://localhost:7070"), ("sec-fetch-site", "cross-site")], false),
        ];
        for (sent, is_let_in) in table {
            let mut all = headers(sent);
            all.insert(HOST, HeaderValue::from_static("localhost:7070"));
            let found = Access::Loopback.check(&Uri::from_static("/"), &all);
            assert_eq!(found.is_ok(), *is_let_in, "{sent:?}");
        }
    }

    #[test]
    fn default_ports_are_the_same_as_none() {
        let table = [
            ("localhost", "http://localhost", true),
            ("localhost:80", "http://localhost", true),
            ("localhost", "http://localhost:80", true),
            ("localhost:443", "https://localhost", true),
            ("localhost:80", "https://localhost", false),
        ];
        for (host, origin, is_let_in) in table {
            let headers = headers(&[("host", host), ("origin", origin)]);
            let found = Access::Loopback.check(&Uri::from_static("/"), &headers);
            assert_eq!(found.is_ok(), is_let_in, "{host} {origin}");
        }
    }

    #[test]
    fn a_token_is_asked_for_elsewhere() {
        let table: &[(&str, &[&str], bool)] = &[
            ("tok-1", &["Bearer tok-1"], true),
            ("tok-1", &["bearer tok-1"], true),
            ("tok-1", &["Bearer  tok-1 "], true),
            ("tok-1", &[], false),
            ("tok-1", &["Bearer tok-2"], false),
            ("tok-1", &["Bearer tok-11"], false),
            ("tok-1", &["Bearer tok-"], false),
            ("tok-1", &["Bearer "], false),
            ("tok-1", &["Bearer"], false),
            ("tok-1", &["Basic tok-1"], false),
            ("tok-1", &["tok-1"], false),
            ("tok-1", &["Bearer tok-1", "Bearer tok-1"], false),
            ("", &["Bearer "], false),
            ("", &[], false),
        ];
        for (token, sent, is_let_in) in table {
            let mut headers = headers(&[("host", "cobro.example")]);
            for value in *sent {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            let access = Access::Token((*token).to_owned());
            let found = access.check(&Uri::from_static("/"), &headers);
            assert_eq!(found.is_ok(), *is_let_in, "{token} {sent:?}");
        }
    }

    #[test]
    fn the_token_is_not_printed() {
        assert_eq!(format!("{:?}", Access::Token("tok-1".to_owned())), "Token");
    }
}
