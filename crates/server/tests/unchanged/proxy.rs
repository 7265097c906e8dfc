//! Providers' hosts end here, others are tunnelled, refused or not reached.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::program::Server;
use crate::wire::{get, get_inside, tls, tunnel};

const API: &str = "api.mercadopago.com";
const DEVICES: &str = "/point/integration-api/devices";
const TOKEN: &str = "TEST-1000000000000001-112000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-100000001";

/// What the journal says of requests, newest first: host, dialect, status, decision.
fn journal(server: &Server) -> Vec<(String, String, u64, String)> {
    let (status, body) = get(&server.address, "/_cobro/v1/requests?limit=1000", &[]);
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = body["requests"].as_array().unwrap().iter().map(|row| {
        let decision = text(&row["response"]["body"]["decision"]);
        (text(&row["host"]), text(&row["dialect"]), row["status"].as_u64().unwrap(), decision)
    });
    rows.collect()
}

/// Somebody else's server, which answers one request: its address, its certificate.
fn other() -> (String, String, std::thread::JoinHandle<()>) {
    let identity = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let config = Arc::new(config);
    let answering = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(config).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let mut request = [0; 4_096];
        let read = stream.read(&mut request).unwrap_or(0);
        assert!(request[..read].starts_with(b"GET /elsewhere"));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother").unwrap();
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    (address, identity.cert.pem(), answering)
}

#[test]
fn what_a_provider_does_not_have_is_told_in_its_words() {
    let server = Server::start(&["--ephemeral"]);
    for (host, path, words) in [
        (API, "/nothing", "resource not found"),
        (API, "/api/session", "resource not found"),
        ("checkout-test.placetopay.com", "/nothing", "Pagina no encontrada"),
        ("checkout-test.placetopay.com:443", "/v1/payments/x", "Pagina no encontrada"),
        ("127.0.0.1", "/nothing", "about:blank"),
    ] {
        let (status, body) = get(&server.address, path, &[("host", host)]);
        assert_eq!(status, 404, "{host} {path}: {body}");
        assert!(body.contains(words), "{host} {path}: {body}");
    }
}

#[test]
fn a_providers_host_ends_here() {
    let server = Server::start(&["--ephemeral"]);
    let pem = server.ca_pem();
    let (stream, status) = tunnel(&server.address, &format!("{API}:443"), "");
    assert_eq!(status, 200);
    let (status, body) = get_inside(tls(stream, API, &pem).unwrap(), API, DEVICES, TOKEN);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("PAX_A910__SBX0000001"));
    let (stream, _) = tunnel(&server.address, &format!("{API}:443"), "");
    let (status, _) = get_inside(tls(stream, API, &pem).unwrap(), API, DEVICES, "TEST-nobody");
    assert_eq!(status, 401);
    let told = journal(&server);
    let row = |status, decision: &str| {
        (API.to_owned(), "mercadopago".to_owned(), status, decision.to_owned())
    };
    let intercepted = row(200, "intercepted");
    assert_eq!(told, [row(401, ""), intercepted.clone(), row(200, ""), intercepted]);
}

#[test]
fn absolute_form_ends_here_too() {
    let server = Server::start(&["--ephemeral"]);
    let authorization = format!("Bearer {TOKEN}");
    for scheme in ["http", "https"] {
        let target = format!("{scheme}://{API}{DEVICES}");
        let headers = [("host", API), ("authorization", authorization.as_str())];
        let (status, body) = get(&server.address, &target, &headers);
        assert_eq!(status, 200, "{body}");
    }
    let own = format!("http://{}/healthz", server.address);
    assert_eq!(get(&server.address, &own, &[]).0, 200, "our own address is no other host");
}

#[test]
fn tls_without_a_proxy_is_taken_on_the_same_port_and_on_one_of_its_own() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = Server::start(&["--ephemeral", "--tls", &free]);
    let pem = server.ca_pem();
    for address in [&server.address, &free] {
        let stream = tls(crate::wire::connect(address), API, &pem).unwrap();
        let (status, _) = get_inside(stream, API, DEVICES, TOKEN);
        assert_eq!(status, 200, "{address}");
    }
}

#[test]
fn another_host_is_reached_with_its_own_certificate() {
    let server = Server::start(&["--ephemeral"]);
    let (address, pem, answering) = other();
    let (stream, status) = tunnel(&server.address, &address, "");
    assert_eq!(status, 200);
    let stream = tls(stream, "127.0.0.1", &pem).unwrap();
    let (status, body) = get_inside(stream, &address, "/elsewhere", "x");
    assert_eq!((status, body.as_str()), (200, "other"));
    answering.join().unwrap();
    assert_eq!(journal(&server)[0].3, "tunnelled");
}

#[test]
fn another_host_is_refused_offline() {
    let server = Server::start(&["--ephemeral", "--offline"]);
    let (address, _, _) = other();
    let (_, status) = tunnel(&server.address, &address, "");
    assert_eq!(status, 403);
    assert_eq!(get(&server.address, &format!("http://{address}/elsewhere"), &[]).0, 403);
    let (_, status) = tunnel(&server.address, &format!("{API}:443"), "");
    assert_eq!(status, 200, "the providers' hosts are reached offline");
    let told = journal(&server);
    assert_eq!(told.iter().filter(|row| row.3 == "refused").count(), 2, "{told:?}");
}

#[test]
fn on_other_addresses_a_tunnel_needs_the_token() {
    let arguments = ["--ephemeral", "--listen", "0.0.0.0:0"];
    let server = Server::start_with(&arguments, &[("COBRO_CONTROL_TOKEN", "s3cret")]);
    let address = server.address.replace("0.0.0.0", "127.0.0.1");
    for (headers, let_in) in [
        ("", false),
        // cobro:wrong and cobro:s3cret
        ("Proxy-Authorization: Basic Y29icm86d3Jvbmc=\r\n", false),
        ("Proxy-Authorization: Bearer wrong\r\n", false),
        ("Proxy-Authorization: Basic Y29icm86czNjcmV0\r\n", true),
        ("Proxy-Authorization: Bearer s3cret\r\n", true),
    ] {
        for (target, answer) in [(format!("{API}:443"), 200), ("127.0.0.1:1".to_owned(), 502)] {
            let (_, status) = tunnel(&address, &target, headers);
            assert_eq!(status, if let_in { answer } else { 407 }, "{target} {headers}");
        }
    }
}
