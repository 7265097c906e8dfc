//! HTTP and TLS by hand, so that bad input can be sent as well.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A hanging test is to fail; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes and reads to the end of the answer's head: status and head.
pub(crate) fn head(stream: &mut TcpStream, bytes: &[u8]) -> (u16, String) {
    // A server that has refused already takes no more.
    let _ = stream.write_all(bytes);
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    (status_of(&head), head)
}

fn status_of(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// `CONNECT` to a target: the stream and the status.
pub(crate) fn tunnel(address: &str, target: &str, headers: &str) -> (TcpStream, u16) {
    let mut stream = connect(address);
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{headers}\r\n");
    let (status, _) = head(&mut stream, request.as_bytes());
    (stream, status)
}

/// A request whose connection is closed after it: status and body.
pub(crate) fn get(address: &str, target: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let host = headers.iter().find(|(name, _)| *name == "host").map_or(address, |(_, host)| host);
    let mut request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    request.push_str("\r\n");
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    read_answer(&mut stream)
}

fn read_answer(stream: &mut impl std::io::Read) -> (u16, String) {
    let mut answer = Vec::new();
    // TLS without a farewell is an end as well.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (status_of(head), body.to_owned())
}

/// A client's TLS on a stream, trusting one certificate; `name` is what it asks for.
pub(crate) fn tls(
    stream: TcpStream,
    name: &str,
    trusted_pem: &str,
) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        let done = stream.conn.complete_io(&mut stream.sock);
        done.map_err(|error| error.to_string())?;
    }
    Ok(stream)
}

/// A `GET` inside TLS: status and body.
pub(crate) fn get_inside(
    mut stream: StreamOwned<ClientConnection, TcpStream>,
    host: &str,
    path: &str,
    token: &str,
) -> (u16, String) {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    read_answer(&mut stream)
}
