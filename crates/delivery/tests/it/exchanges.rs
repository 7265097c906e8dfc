//! What one exchange sends, how it ends, and that it does end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cobro_delivery::address::Policy;
use cobro_delivery::sender::{Failure, Looking, Lookup, MAX_ANSWER_BYTES, Outgoing, Sender};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::endpoint::{AMPLE, Answers, SHORT, Tripwire, endpoint, post, read_request};

#[tokio::test]
async fn the_request_goes_out_as_it_was_given() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let port = endpoint(move |mut stream| {
        let seen = seen.clone();
        async move {
            seen.send(read_request(&mut stream).await).unwrap();
            let answer = "HTTP/1.1 201 Created\r\nx-note: ok\r\ncontent-length: 4\r\n\r\ndone";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let sender = Sender::new(Policy::sandbox()).with_lookup(Answers::of(&[&["127.0.0.1"]]));
    let request = Outgoing {
        method: http::Method::PUT,
        url: format!("http://erp:{port}/hook/ñ?a=1&b=%2F#part"),
        headers: vec![
            ("X-Signature".to_owned(), "ts=1,v1=abc".to_owned()),
            ("X-Request-Id".to_owned(), "42".to_owned()),
            ("x-twice".to_owned(), "one".to_owned()),
            ("x-twice".to_owned(), "two".to_owned()),
        ],
        body: Bytes::from_static(b"{ \"amount\" : 9300 }"),
        timeout: AMPLE,
    };
    let answer = sender.send(request).await.unwrap();
    assert_eq!((answer.status, &answer.body[..], answer.truncated), (201, &b"done"[..], false));
    assert_eq!(answer.headers["x-note"], "ok");

    let request = requests.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "{ \"amount\" : 9300 }");
    let mut lines: Vec<_> = head.lines().collect();
    assert_eq!(lines.remove(0), "PUT /hook/%C3%B1?a=1&b=%2F HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: erp:{port}");
    let expected = [
        "accept: */*",
        "content-length: 19",
        &host,
        "x-request-id: 42",
        "x-signature: ts=1,v1=abc",
        "x-twice: one",
        "x-twice: two",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_body_is_read_up_to_the_bound_and_no_further() {
    for (length, kept, truncated) in [
        (0, 0, false),
        (MAX_ANSWER_BYTES - 1, MAX_ANSWER_BYTES - 1, false),
        (MAX_ANSWER_BYTES, MAX_ANSWER_BYTES, false),
        (MAX_ANSWER_BYTES + 1, MAX_ANSWER_BYTES, true),
        (MAX_ANSWER_BYTES * 40, MAX_ANSWER_BYTES, true),
    ] {
        let port = endpoint(move |mut stream| async move {
            read_request(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            // Fails where the sender hangs up early, as it should.
            let _ = stream.write_all(&vec![b'x'; length]).await;
        })
        .await;
        let sender = Sender::new(Policy::sandbox());
        let answer = sender.send(post(&format!("http://127.0.0.1:{port}/"), AMPLE)).await.unwrap();
        assert_eq!((answer.body.len(), answer.truncated), (kept, truncated), "{length}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off_and_its_connection_closed() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let port = endpoint(move |mut stream| {
        let ended = ended.clone();
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while stream.write_all(&[b'x'; 1_000]).await.is_ok() {}
            ended.send(()).unwrap();
        }
    })
    .await;
    let sender = Sender::new(Policy::sandbox());
    let answer = sender.send(post(&format!("http://127.0.0.1:{port}/"), AMPLE)).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, MAX_ANSWER_BYTES));
    assert!(answer.truncated);
    // Comes only when the endpoint can write no more.
    tokio::time::timeout(AMPLE, ends.recv()).await.unwrap().unwrap();
}

/// What an endpoint sends at once, and the bytes that it then repeats every few milliseconds.
const SLOW: [(&str, &str); 6] = [
    ("", ""),
    ("HTTP/1.1 200 OK\r\n", ""),
    ("HTTP/1.1 200 OK\r\nx: ", "x"),
    ("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\nabc", ""),
    ("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n", "x"),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
];

#[tokio::test]
async fn silence_and_dripping_end_at_the_deadline() {
    for (at_once, drip) in SLOW {
        let (seen, mut requests) = mpsc::unbounded_channel();
        let port = endpoint(move |mut stream| {
            let seen = seen.clone();
            async move {
                seen.send(read_request(&mut stream).await).unwrap();
                stream.write_all(at_once.as_bytes()).await.unwrap();
                let mut pace = tokio::time::interval(Duration::from_millis(5));
                while stream.write_all(drip.as_bytes()).await.is_ok() {
                    pace.tick().await;
                }
            }
        })
        .await;
        let sender = Sender::new(Policy::sandbox());
        let sent = sender.send(post(&format!("http://127.0.0.1:{port}/"), SHORT)).await;
        assert_eq!(sent.unwrap_err(), Failure::Timeout, "{at_once:?} {drip:?}");
        assert!(requests.recv().await.unwrap().starts_with("POST / "));
    }
}

/// A name server that never answers.
struct Never;

impl Lookup for Never {
    fn lookup(&self, _name: String) -> Looking {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn look_up_and_handshake_count_against_the_deadline() {
    let sender = Sender::new(Policy::sandbox()).with_lookup(Never);
    assert_eq!(sender.send(post("http://erp/", SHORT)).await.unwrap_err(), Failure::Timeout);

    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let sent = sender.send(post(&format!("https://127.0.0.1:{port}/"), SHORT)).await;
    assert_eq!(sent.unwrap_err(), Failure::Timeout);
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    let answering = |bytes: &'static [u8]| {
        endpoint(move |mut stream| async move {
            let mut buffer = [0; 1_024];
            let _ = stream.read(&mut buffer).await;
            stream.write_all(bytes).await.unwrap();
        })
    };
    let garbage = answering(b"220 mail.example ESMTP\r\n").await;
    let hang_up = answering(b"").await;
    let cut_short = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
    let bomb = vec![b'h'; 1_000_000];
    let big_head = answering([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), bomb].concat().leak()).await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let sender = Sender::new(Policy::sandbox());
    let cases = [
        (format!("http://127.0.0.1:{garbage}/"), Failure::Protocol),
        (format!("http://127.0.0.1:{hang_up}/"), Failure::Protocol),
        (format!("http://127.0.0.1:{cut_short}/"), Failure::Protocol),
        (format!("http://127.0.0.1:{big_head}/"), Failure::Protocol),
        (format!("https://127.0.0.1:{garbage}/"), Failure::Tls),
        (format!("http://127.0.0.1:{nobody}/"), Failure::Connect),
        (format!("https://127.0.0.1:{nobody}/"), Failure::Connect),
    ];
    for (url, failure) in cases {
        assert_eq!(sender.send(post(&url, AMPLE)).await.unwrap_err(), failure, "{url}");
    }
    for answers in [Answers::default(), Answers::of(&[&[]])] {
        let sender = Sender::new(Policy::sandbox()).with_lookup(answers);
        assert_eq!(sender.send(post("http://erp/", AMPLE)).await.unwrap_err(), Failure::Resolve);
    }
}

#[tokio::test]
async fn headers_that_http_cannot_carry_or_the_caller_may_not_set_stop_the_request() {
    let tripwire = Tripwire::set();
    let url = format!("http://127.0.0.1:{}/", tripwire.port());
    let sender = Sender::new(Policy::sandbox());
    for (name, value) in [
        ("", "x"),
        ("a b", "x"),
        ("x-a\r\nx-b", "x"),
        ("x-a", "x\r\nx-b: y"),
        ("x-a", "x\ny"),
        ("x-a", "\0"),
        ("Host", "169.254.169.254"),
        ("content-length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "keep-alive"),
        ("upgrade", "websocket"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("expect", "100-continue"),
    ] {
        let mut request = post(&url, AMPLE);
        request.headers.push((name.to_owned(), value.to_owned()));
        let failure = sender.send(request).await.unwrap_err();
        assert_eq!(failure, Failure::Request, "{name:?}: {value:?}");
    }
    assert!(!tripwire.was_touched());
}

/// A TLS endpoint for `pay.example` that tells which name it was asked for, and its certificate.
async fn tls_endpoint() -> (u16, rustls::RootCertStore, Arc<Mutex<Vec<Option<String>>>>) {
    let made = rcgen::generate_simple_self_signed(vec!["pay.example".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let names = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&names);
    let port = endpoint(move |stream| {
        let (acceptor, recorded) = (acceptor.clone(), Arc::clone(&recorded));
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let name = stream.get_ref().1.server_name().map(str::to_owned);
            recorded.lock().unwrap().push(name);
            read_request(&mut stream).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        }
    })
    .await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    (port, roots, names)
}

#[tokio::test]
async fn tls_is_checked_against_the_name_in_the_url() {
    let (port, roots, names) = tls_endpoint().await;
    let sender = || Sender::new(Policy::sandbox()).with_lookup(Answers::of(&[&["127.0.0.1"]]));
    let right = format!("https://pay.example:{port}/hook");
    let wrong = format!("https://other.example:{port}/hook");

    let trusting = sender().with_roots(roots);
    let answer = trusting.send(post(&right, AMPLE)).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"ok"[..]));
    assert_eq!(*names.lock().unwrap(), [Some("pay.example".to_owned())]);

    assert_eq!(trusting.send(post(&wrong, AMPLE)).await.unwrap_err(), Failure::Tls);
    // The certificate is not one that the system trusts.
    assert_eq!(sender().send(post(&right, AMPLE)).await.unwrap_err(), Failure::Tls);
}

#[tokio::test]
async fn without_authorities_https_fails_at_once_and_http_works() {
    let tripwire = Tripwire::set();
    let port = endpoint(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    })
    .await;
    let sender = Sender::new(Policy::sandbox()).with_roots(rustls::RootCertStore::empty());
    let secure = format!("https://127.0.0.1:{}/", tripwire.port());
    assert_eq!(sender.send(post(&secure, AMPLE)).await.unwrap_err(), Failure::Setup);
    let plain = format!("http://127.0.0.1:{port}/");
    assert_eq!(sender.send(post(&plain, AMPLE)).await.unwrap().status, 204);
    assert!(!tripwire.was_touched());
}

#[test]
fn nothing_printable_holds_what_is_sent() {
    let mut request = post("https://shop.example/hook?token=s3cret", AMPLE);
    request.headers.push(("x-signature".to_owned(), "s3cret".to_owned()));
    request.body = Bytes::from_static(b"s3cret");
    let printed = format!("{request:?} {:?}", Sender::new(Policy::sandbox()));
    assert!(!printed.contains("s3cret") && !printed.contains("shop.example"), "{printed}");
    assert!(printed.contains("POST, 2 headers, 6 bytes"), "{printed}");
}
