//! Bad input: clear errors, and honest requests keep going.

use std::io::{Read as _, Write as _};

use crate::program::Server;
use crate::wire::{connect, get, get_inside, head, tls, tunnel};

const API: &str = "api.mercadopago.com";

fn honest(server: &Server) {
    assert_eq!(get(&server.address, "/healthz", &[]).0, 200);
}

#[test]
fn broken_connect_lines() {
    let server = Server::start(&["--ephemeral"]);
    for (line, expected) in [
        ("CONNECT", 400),
        ("CONNECT / HTTP/1.1", 400),
        ("CONNECT api.mercadopago.com HTTP/1.1", 400),
        ("CONNECT api.mercadopago.com:0 HTTP/1.1", 400),
        ("CONNECT api.mercadopago.com:99999 HTTP/1.1", 400),
        ("CONNECT api.mercadopago.com:443443443443 HTTP/1.1", 400),
        ("CONNECT user@api.mercadopago.com:443 HTTP/1.1", 400),
        ("CONNECT :443 HTTP/1.1", 400),
        ("CONNECT [::1 HTTP/1.1", 400),
        ("CONNECT no-such-host.invalid:443 HTTP/1.1", 502),
        ("CONNECT 169.254.169.254:80 HTTP/1.1", 403),
        ("CONNECT [fe80::1]:80 HTTP/1.1", 403),
        ("CONNECT [::ffff:169.254.169.254]:80 HTTP/1.1", 403),
        ("CONNECT metadata.google.internal:80 HTTP/1.1", 403),
        ("CONNECT 2852039166:80 HTTP/1.1", 403),
        ("CONNECT 127.0.0.1:1 HTTP/1.1", 502),
        ("GET http://169.254.169.254/latest HTTP/1.1", 403),
        ("GET ftp://127.0.0.1/ HTTP/1.1", 400),
        ("GET http://127.0.0.1:1/ HTTP/1.1", 502),
    ] {
        let mut stream = connect(&server.address);
        let request = format!("{line}\r\nHost: x\r\n\r\n");
        let (status, answer) = head(&mut stream, request.as_bytes());
        assert_eq!(status, expected, "{line}: {answer}");
        honest(&server);
    }
    let mut stream = connect(&server.address);
    let filler = "a".repeat(100_000);
    let request = format!("CONNECT {API}:443 HTTP/1.1\r\nX-Filler: {filler}\r\n\r\n");
    assert_ne!(head(&mut stream, request.as_bytes()).0, 200, "a head that is too large");
    honest(&server);
}

#[test]
fn loops() {
    let server = Server::start(&["--ephemeral"]);
    let port = server.address.rsplit_once(':').unwrap().1;
    for target in [server.address.clone(), format!("localhost:{port}")] {
        let (_, status) = tunnel(&server.address, &target, "");
        assert_eq!(status, 508, "{target}");
    }
    let everywhere = ["--ephemeral", "--listen", "0.0.0.0:0"];
    let server = Server::start_with(&everywhere, &[("COBRO_CONTROL_TOKEN", "t")]);
    let address = server.address.replace("0.0.0.0", "127.0.0.1");
    let port = address.rsplit_once(':').unwrap().1;
    for host in ["127.0.0.1", "127.0.0.9", "localhost"] {
        let target = format!("{host}:{port}");
        let (_, status) = tunnel(&address, &target, "Proxy-Authorization: Bearer t\r\n");
        assert_eq!(status, 508, "{target}");
    }
}

#[test]
fn tls_to_a_name_that_is_not_ours() {
    let server = Server::start(&["--ephemeral"]);
    let pem = server.ca_pem();
    let (stream, _) = tunnel(&server.address, &format!("{API}:443"), "");
    assert!(tls(stream, "www.example.com", &pem).is_err());
    let error = tls(connect(&server.address), "www.example.com", &pem).unwrap_err();
    assert!(error.contains("alert"), "{error}");
    // The name inside decides, and it must be one of ours.
    for host in ["localhost", "www.example.com", &server.address, ""] {
        let (stream, _) = tunnel(&server.address, &format!("{API}:443"), "");
        let stream = tls(stream, API, &pem).unwrap();
        let (status, body) = get_inside(stream, host, "/_cobro/v1/worlds/demo", "x");
        assert_eq!(status, 421, "{host}: {body}");
    }
    let (stream, _) = tunnel(&server.address, &format!("{API}:443"), "");
    let stream = tls(stream, API, &pem).unwrap();
    let (status, _) = get_inside(stream, API, "/_cobro/v1/worlds/demo", "x");
    assert_eq!(status, 403, "the control API is not at a provider's host");
    honest(&server);
}

#[test]
fn a_client_that_does_not_trust_us_is_told_of() {
    let server = Server::start(&["--ephemeral"]);
    let stranger = rcgen::generate_simple_self_signed([API.to_owned()]).unwrap().cert.pem();
    let (stream, _) = tunnel(&server.address, &format!("{API}:443"), "");
    assert!(tls(stream, API, &stranger).is_err());
    // The server learns of it when the client's alert or its end arrives.
    let told = (0..1_000).find_map(|_| {
        let (_, body) = get(&server.address, "/_cobro/v1/requests", &[]);
        body.contains("handshake_failed").then_some(body)
    });
    assert!(told.unwrap().contains("does not trust the development CA"));
    let doctor = crate::shared::server::bare_command(&server.place, &["doctor", "--server"])
        .arg(format!("http://{}", server.address))
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(report.contains(&format!("fault {API}: the client does not trust")), "{report}");
    assert!(!doctor.status.success());
}

#[test]
fn a_thousand_idle_tunnels_and_handshakes_leave_room_for_honest_requests() {
    let server = Server::start(&["--ephemeral"]);
    let pem = server.ca_pem();
    let idle: Vec<_> = (0..1_000)
        .map(|number| {
            if number % 2 == 0 {
                return tunnel(&server.address, &format!("{API}:443"), "").0;
            }
            // The beginning of a handshake, and no more.
            let mut stream = connect(&server.address);
            stream.write_all(&[0x16, 3, 1]).unwrap();
            stream
        })
        .collect();
    honest(&server);
    let (stream, status) = tunnel(&server.address, &format!("{API}:443"), "");
    assert_eq!(status, 200);
    let (status, _) = get_inside(tls(stream, API, &pem).unwrap(), API, "/v1/payments/1", "x");
    assert_eq!(status, 401);
    drop(idle);
    honest(&server);
}

#[test]
fn tunnels_to_other_hosts_are_bounded() {
    let server = Server::start(&["--ephemeral"]);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = other.local_addr().unwrap().to_string();
    let mut held = Vec::new();
    let refused = (0..1_200).find_map(|_| {
        let (stream, status) = tunnel(&server.address, &target, "");
        if status == 200 {
            held.push((stream, other.accept().unwrap().0));
            return None;
        }
        Some(status)
    });
    assert_eq!((refused, held.len()), (Some(503), 1_024));
    honest(&server);
    // A tunnel ends with its client, and makes room.
    let (client, mut far) = held.pop().unwrap();
    drop(client);
    assert_eq!(far.read(&mut [0; 1]).unwrap(), 0);
    drop(far);
    let again = (0..1_000).any(|_| tunnel(&server.address, &target, "").1 == 200);
    assert!(again, "the place of a tunnel that ended is free");
}
