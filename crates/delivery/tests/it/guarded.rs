//! The sender lets nothing out to an address that the guard refuses.

use cobro_delivery::address::{Allowance, Policy, Refused};
use cobro_delivery::sender::{Failure, Sender};
use tokio::io::AsyncWriteExt;

use crate::corpus::CORPUS;
use crate::endpoint::{AMPLE, Answers, SHORT, Tripwire, endpoint, post, read_request};

fn live(hosts: &[&str], ports: &[u16]) -> Policy {
    Policy::live(Allowance {
        networks: Vec::new(),
        hosts: hosts.iter().map(|text| text.parse().unwrap()).collect(),
        ports: ports.to_vec(),
    })
}

#[tokio::test]
async fn a_refused_url_is_neither_looked_up_nor_sent() {
    let answers = Answers::of(&[&["127.0.0.1"]]);
    let sandbox = Sender::new(Policy::sandbox()).with_lookup(answers.clone());
    let live = Sender::new(live(&[], &[])).with_lookup(answers.clone());
    let mut refused = 0;
    for (url, sandbox_verdict, live_verdict) in CORPUS {
        for (sender, verdict) in [(&sandbox, sandbox_verdict), (&live, live_verdict)] {
            let Some(reason) = verdict else { continue };
            let failure = sender.send(post(url, AMPLE)).await.unwrap_err();
            assert_eq!(failure, Failure::Refused(*reason), "{url}");
            refused += 1;
        }
    }
    assert!(refused > 150, "{refused}");
    assert_eq!(answers.asked(), 0);
}

#[tokio::test]
async fn a_listener_on_loopback_sees_nothing_in_live_mode() {
    let tripwire = Tripwire::set();
    let port = tripwire.port();
    let policy = live(&[], &[port]);
    let sender = Sender::new(policy);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "localhost",
        "localhost.",
        "LocalHost",
        "any.localhost",
        "localhost.localdomain",
        "shop.example@127.0.0.1",
        "127.0.0.1\\.shop.example",
        "①②⑦.0.0.1",
        "127。0。0。1",
    ] {
        for scheme in ["https", "http"] {
            let url = format!("{scheme}://{host}:{port}/hook");
            let failure = sender.send(post(&url, AMPLE)).await.unwrap_err();
            assert!(matches!(failure, Failure::Refused(_)), "{url}: {failure}");
            assert!(!tripwire.was_touched(), "{url}");
        }
    }
}

#[tokio::test]
async fn one_inside_answer_among_public_ones_refuses_the_name() {
    let tripwire = Tripwire::set();
    let port = tripwire.port();
    let url = format!("https://shop.example:{port}/hook");
    let cases: &[(&[&str], Refused)] = &[
        (&["127.0.0.1"], Refused::Inside),
        (&["127.0.0.1", "93.184.216.34"], Refused::Inside),
        (&["93.184.216.34", "127.0.0.1"], Refused::Inside),
        (&["2606:4700::1", "93.184.216.34", "::ffff:127.0.0.1"], Refused::Inside),
        (&["93.184.216.34", "10.0.0.1", "127.0.0.1"], Refused::Inside),
        (&["127.0.0.1", "169.254.169.254"], Refused::Inside),
        (&["93.184.216.34", "169.254.169.254"], Refused::LinkLocal),
        (&["93.184.216.34", "0.0.0.0"], Refused::Reserved),
        (&["fd00:ec2::254", "93.184.216.34"], Refused::Metadata),
    ];
    for (addresses, reason) in cases {
        let answers = Answers::of(&[addresses]);
        let sender = Sender::new(live(&[], &[port])).with_lookup(answers.clone());
        let failure = sender.send(post(&url, AMPLE)).await.unwrap_err();
        assert_eq!(failure, Failure::Refused(*reason), "{addresses:?}");
        assert_eq!(answers.asked(), 1, "{addresses:?}");
        assert!(!tripwire.was_touched(), "{addresses:?}");
    }
    // The same name, once the operator allows it: the wire does trip.
    let sender = Sender::new(live(&[&format!("shop.example:{port}")], &[]))
        .with_lookup(Answers::of(&[&["127.0.0.1"]]));
    let failure = sender.send(post(&url, SHORT)).await.unwrap_err();
    assert_eq!(failure, Failure::Timeout);
    assert!(tripwire.was_touched());
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_checked() {
    let port = endpoint(|mut stream| async move {
        let request = read_request(&mut stream).await;
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or("none");
        let length = host.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all((head + host).as_bytes()).await.unwrap();
    })
    .await;
    let answers = Answers::of(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let sender = Sender::new(Policy::sandbox()).with_lookup(answers.clone());
    let url = format!("http://shop.example:{port}/hook");

    let answer = sender.send(post(&url, AMPLE)).await.unwrap();
    assert_eq!(answer.body, format!("shop.example:{port}"));
    assert_eq!(answers.asked(), 1);

    // The name now means something else: checked anew, since the connection was closed.
    let failure = sender.send(post(&url, AMPLE)).await.unwrap_err();
    assert_eq!(failure, Failure::Refused(Refused::LinkLocal));
    assert_eq!(answers.asked(), 2);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let tripwire = Tripwire::set();
        let inside = tripwire.port();
        let port = endpoint(move |mut stream| async move {
            read_request(&mut stream).await;
            let head = format!(
                "HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{inside}/\r\n\
                 content-length: 0\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
        })
        .await;
        let sender = Sender::new(Policy::sandbox());
        let url = format!("http://127.0.0.1:{port}/hook");
        let answer = sender.send(post(&url, AMPLE)).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["location"], format!("http://127.0.0.1:{inside}/"));
        assert!(!tripwire.was_touched(), "{status}");
    }
}
