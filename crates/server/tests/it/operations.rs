//! Starting, stopping, looking after.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use crate::http::Call;
use crate::place::Place;
use crate::point::Seller;
use crate::server::{Server, command, verify};

#[test]
fn health_readiness_and_metrics() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let get = |path: &str| server.send(&Call::get(path)).expect(200);
    assert_eq!(get("/healthz").json(), json!({ "status": "ok" }));
    assert_eq!(get("/readyz").json(), json!({ "status": "ready" }));
    let commands = || {
        let text = get("/metrics").text();
        let line = text.lines().find(|line| line.starts_with("cobro_lane_commands_total{"));
        line.unwrap().split(' ').next_back().unwrap().parse::<u64>().unwrap()
    };
    let before = commands();
    Seller::demo(&server, "MLA").create(&json!({ "amount": 1500 }));
    assert!(commands() > before);
    let metrics = get("/metrics");
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    for line in metrics.text().lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = line.split_once(' ').unwrap();
        assert!(name.starts_with("cobro_") && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let second = command(&place, 0, &["serve", "--port", "0"]).output().unwrap();
    assert!(!second.status.success());
    assert!(second.stdout.is_empty(), "it does not say that it is ready");
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another server is running"), "{said}");
    // The first one goes on, and its directory is free once it has stopped.
    Seller::demo(&server, "MLA").pay(1500);
    server.restart();
}

#[test]
fn the_address_is_left_where_programs_find_it() {
    let place = Place::sqlite();
    let mut server = Server::start(&place);
    let file = place.data(0).join("address");
    let address = std::fs::read_to_string(&file).unwrap();
    assert_eq!(address.trim(), format!("http://{}", server.address));
    server.stop();
    assert!(!file.exists(), "a stopped server is not found");
}

#[test]
fn a_throw_away_server_leaves_nothing() {
    let place = Place::sqlite();
    let temporary = place.directory().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let arguments = ["serve", "--port", "0", "--ephemeral"];
    let mut server = Server::start_in(&place, &arguments, &temporary);
    Seller::demo(&server, "MLB").pay(1500);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 1);
    server.stop();
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!place.data(0).exists(), "and has not touched the data directory");
    let mut command = command(&place, 0, &arguments);
    let refused = command.env("DATABASE_URL", "sqlite:x.sqlite").output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("DATABASE_URL"));
}

#[test]
fn a_stop_lets_running_requests_end() {
    let place = Place::sqlite();
    let mut server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let body = r#"{"amount":1500}"#;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        seller.intents(),
        seller.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server asks for the body: the request is running.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let mut live = server.live("?terminal=PAX_A910__SBX0000001");
    server.ask_to_stop();
    // Streams end by themselves once it stops.
    while live.next().is_some() {}
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    server.wait_for_end();
    let server = Server::start(&place);
    assert_eq!(Seller::demo(&server, "MLA").terminal()["intent"]["amount_minor"], 1500);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let place = Place::sqlite();
    type Case = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);
    let table: [Case; 6] = [
        (&["serve", "--listen", "nowhere"], &[], "--listen"),
        (&["serve", "--listen", "0.0.0.0:0"], &[], "COBRO_CONTROL_TOKEN"),
        (&["serve"], &[("COBRO_MODE", "live")], "live"),
        (&["serve"], &[("COBRO_MODE", "test")], "COBRO_MODE"),
        (&["serve"], &[("DATABASE_URL", "mysql://x")], "DATABASE_URL"),
        (&["serve", "--port", "0"], &[("COBRO_KEY", "short")], "COBRO_KEY"),
    ];
    for (arguments, variables, word) in table {
        let mut command = command(&place, 0, arguments);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said.contains(word), "{arguments:?} {variables:?}: {said}");
    }
}

#[test]
fn another_key_does_not_open_the_database() {
    let place = Place::sqlite();
    drop(Server::start(&place));
    let mut command = command(&place, 0, &["serve", "--port", "0"]);
    let output = command.env("COBRO_KEY", "0".repeat(64)).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("another installation key"), "{said}");
}

#[test]
fn verify_finds_what_the_ledger_lacks() {
    let place = Place::sqlite();
    let mut server = Server::start(&place);
    Seller::demo(&server, "MLA").pay(1500);
    server.stop();
    drop(server);
    let books = rusqlite::Connection::open(place.data(0).join("cobro.sqlite")).unwrap();
    // A whole posting, so that what is left still adds up to nothing.
    assert!(books.execute("DELETE FROM entry", ()).unwrap() >= 2);
    drop(books);
    let output = command(&place, 0, &["verify"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("acquirer_receivable: payments and refunds say 1500"), "{said}");
}

#[test]
fn verify_finds_what_is_broken() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let (_, payment) = Seller::demo(&server, "MLA").pay(1500);
    verify(&place);
    let mut server = server;
    server.stop();
    drop(server);
    let path = place.data(0).join("cobro.acquirer.sqlite");
    let book = rusqlite::Connection::open(path).unwrap();
    let changed = book.execute("UPDATE book SET amount = amount + 1", ()).unwrap();
    assert!(changed >= 1);
    drop(book);
    let output = command(&place, 0, &["verify"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{payment}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1500 minor units, the acquirer 1501"), "{said}");
}
