//! A small HTTP client, for the subcommands that ask a running server.

use std::path::Path;

use anyhow::{Context as _, bail};
use axum::body::Body;
use axum::http::{Request, Uri, header};
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 8 << 20;

/// A server, by its base URL.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Without a slash at the end.
    pub(crate) url: String,
    /// `host:port`
    pub(crate) authority: String,
    token: Option<String>,
}

impl Server {
    /// The server at a base URL, `http://host:port`.
    pub(crate) fn at(url: &str, token: Option<String>) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("{url} is not a URL"))?;
        if uri.scheme_str() != Some("http") || !matches!(uri.path(), "" | "/") {
            bail!("{url} is not the base URL of a server, such as http://127.0.0.1:7070");
        }
        let authority = uri.authority().context("the URL has no host")?.to_string();
        let port = uri.port_u16().unwrap_or(80);
        let host = uri.host().unwrap_or_default();
        let url = format!("http://{authority}");
        Ok(Self { url, authority: format!("{host}:{port}"), token })
    }

    /// The server whose address stands in a data directory.
    pub(crate) fn of(directory: &Path, token: Option<String>) -> anyhow::Result<Self> {
        let path = directory.join("address");
        let url = std::fs::read_to_string(&path).with_context(|| {
            format!("no server runs on {}: start one with `cobro`", directory.display())
        })?;
        Self::at(url.trim(), token)
    }

    /// The URL of the proxy, with the token as its password where there is one.
    pub(crate) fn proxy_url(&self) -> String {
        match &self.token {
            Some(token) => format!("http://cobro:{}@{}", percent(token), self.authority),
            None => format!("http://{}", self.authority),
        }
    }

    /// The value of `Proxy-Authorization`, where a token is needed.
    pub(crate) fn proxy_authorization(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    /// Asks for a path; the answer must be a success.
    pub(crate) async fn fetch(&self, path: &str) -> anyhow::Result<Bytes> {
        let asked = async {
            let stream = TcpStream::connect(&self.authority).await?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            let mut request = Request::get(path).header(header::HOST, &self.authority);
            if let Some(token) = &self.token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            let answer = sender.send_request(request.body(Body::empty())?).await?;
            let status = answer.status();
            let body = axum::body::to_bytes(Body::new(answer.into_body()), ANSWER_MAX).await?;
            if !status.is_success() {
                bail!("the answer to {path} is {status}");
            }
            Ok(body)
        };
        asked.await.with_context(|| format!("the server at {} does not answer", self.url))
    }

    /// Asks for JSON.
    pub(crate) async fn fetch_json(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.fetch(path).await?)?)
    }

    /// What clients need to know: the certificate and the demo world.
    pub(crate) async fn introduce(&self) -> anyhow::Result<(String, Value)> {
        let pem = self.fetch("/_cobro/ca.pem").await?;
        let world = self.fetch_json("/_cobro/v1/worlds/demo").await?;
        Ok((String::from_utf8(pem.to_vec()).context("the certificate")?, world))
    }
}

/// A password as it stands in a URL.
fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_by_url() {
        for (url, authority) in [
            ("http://127.0.0.1:7070", Some("127.0.0.1:7070")),
            ("http://127.0.0.1:7070/", Some("127.0.0.1:7070")),
            ("http://localhost", Some("localhost:80")),
            ("http://[::1]:7070", Some("[::1]:7070")),
            ("https://127.0.0.1:7070", None),
            ("http://127.0.0.1:7070/mercadopago", None),
            ("127.0.0.1", None),
            ("", None),
        ] {
            let server = Server::at(url, None).ok();
            assert_eq!(server.map(|server| server.authority).as_deref(), authority, "{url}");
        }
        let server = Server::at("http://10.0.0.1:7070", Some("a/b c".into())).unwrap();
        assert_eq!(server.proxy_url(), "http://cobro:a%2Fb%20c@10.0.0.1:7070");
    }
}
