//! Deposits down to the postings, after a kill, and as exported reports.

use std::io::Read as _;
use std::process::Output;

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::server::{Server, command};
use crate::settlements::{FRIDAY, cents, go_to, pay, read, refund, rows};
use crate::shop::KEY;

fn the_control_api_leads_down_to_the_postings(place: &Place) {
    let server = Server::start(place);
    go_to(&server, FRIDAY);
    let first = pay(&server, "100", &json!({}));
    pay(&server, "50", &json!({}));
    refund(&server, &first, "10");
    go_to(&server, "2027-01-11T00:00:00-06:00");
    refund(&server, &first, "5");
    go_to(&server, "2027-01-13T00:00:00-06:00");
    let listed = server.list("settlements", "/settlements");
    assert_eq!(listed.len(), 2);
    assert_eq!(listed, server.list("settlements", "/settlements"));
    let of =
        server.control("GET", &format!("/settlements?merchant={KEY}&limit=1"), &Value::Null, 200);
    assert_eq!(of["settlements"], json!([listed[0]]));
    let next =
        format!("/settlements?merchant={KEY}&limit=1&cursor={}", of["next"].as_str().unwrap());
    assert_eq!(server.control("GET", &next, &Value::Null, 200)["settlements"], json!([listed[1]]));
    for bad in ["/settlements?cursor=x", "/settlements?limit=0"] {
        server.control("GET", bad, &Value::Null, 400);
    }
    for unknown in ["/settlements?merchant=x", "/settlements/A00000000", "/settlements/x/lines"] {
        server.control("GET", unknown, &Value::Null, 404);
    }
    for (settlement, lines_expected) in listed.iter().zip([1, 2]) {
        let id = settlement["id"].as_str().unwrap();
        let shown = server.control("GET", &format!("/settlements/{id}"), &Value::Null, 200);
        assert_eq!(&shown, settlement);
        let lines = server.list("lines", &format!("/settlements/{id}/lines"));
        assert_eq!(lines.len(), lines_expected);
        let sum = |name: &str| lines.iter().map(|line| line[name].as_i64().unwrap()).sum::<i64>();
        for name in ["gross_minor", "fee_minor", "tax_minor", "net_minor"] {
            assert_eq!(settlement[name], sum(name), "{name}");
        }
        let postings = |query: &str| {
            let path = format!("/settlements/{id}/postings{query}");
            let found = server.control("GET", &path, &Value::Null, 200);
            found["postings"].as_array().unwrap().clone()
        };
        // What was paid out left the bank; each line's postings owe the merchant its net.
        let paid = postings("");
        assert_eq!(owed(&paid), settlement["net_minor"].as_i64().unwrap());
        for line in &lines {
            let found = postings(&format!("?line={}", line["line"].as_str().unwrap()));
            assert_eq!(owed(&found), -line["net_minor"].as_i64().unwrap(), "{line}");
            let netted = usize::from(line["netted_minor"].as_i64().unwrap() > 0);
            assert_eq!(found.len(), 1 + netted);
        }
        let path = format!("/settlements/{id}/postings");
        server.control("GET", &format!("{path}?line=x"), &Value::Null, 400);
        server.control("GET", &format!("{path}?line=p999"), &Value::Null, 404);
    }
}

/// What postings do to what is owed to the merchant.
fn owed(postings: &[Value]) -> i64 {
    let entries = postings.iter().flat_map(|posting| posting["entries"].as_array().unwrap());
    let payable = entries.filter(|entry| entry["account"] == "merchant_payable");
    payable.map(|entry| entry["amount_minor"].as_i64().unwrap()).sum()
}

fn a_server_that_was_killed_shows_the_same_reports(place: &Place) {
    let server = Server::start(place);
    go_to(&server, FRIDAY);
    for amount in ["10", "20.20", "30.03"] {
        pay(&server, amount, &json!({}));
    }
    go_to(&server, "2027-01-11T00:00:00-06:00");
    let target = "/settlements?from=2027-01-11&to=2027-01-11";
    let list = read(&server, target);
    let id = list["settlements"][0]["settlement_report_id"].as_str().unwrap().to_owned();
    let found = rows(&server, &id, 2);
    server.kill();
    let server = Server::start(place);
    server.control("POST", "/settlements/run", &Value::Null, 200);
    assert_eq!(read(&server, target), list);
    assert_eq!(rows(&server, &id, 2), found);
}

#[test]
fn a_server_that_dies_while_it_closes_a_day_closes_it_once() {
    for point in ["timers.before_commit", "timers.committed"] {
        let place = Place::sqlite();
        let server = Server::start(&place);
        go_to(&server, FRIDAY);
        for amount in ["10", "20.20", "30.03"] {
            pay(&server, amount, &json!({}));
        }
        // What falls due before is done, so that the day is what the next one dies of.
        go_to(&server, "2027-01-10T12:00:00-06:00");
        drop(server);
        let server = Server::start_to_die(&place, point);
        let monday = "2027-01-11T00:00:00-06:00";
        let call = Call::new("POST", "/_cobro/v1/clock/advance").json(&json!({ "to": monday }));
        assert!(server.connect().send(&call).is_err(), "{point}: it lives on");
        server.kill();

        let server = Server::start(&place);
        go_to(&server, "2027-01-11T12:00:00-06:00");
        let list = read(&server, "/settlements?from=2027-01-08&to=2027-01-12");
        let settlements = list["settlements"].as_array().unwrap();
        assert_eq!(settlements.len(), 1, "{point}");
        assert_eq!(settlements[0]["gross_amount"], json!(60.23));
        let id = settlements[0]["settlement_report_id"].as_str().unwrap();
        assert_eq!(rows(&server, id, 2).len(), 3);
        let paid = server.control("GET", &format!("/settlements/{id}/postings"), &Value::Null, 200);
        assert_eq!(paid["postings"].as_array().unwrap().len(), 1, "{point}");
    }
}

/// Runs `cobro export settlement`.
fn export(place: &Place, arguments: &[&str]) -> Output {
    let all: Vec<&str> = ["export", "settlement"].iter().chain(arguments).copied().collect();
    command(place, 0, &all).output().unwrap()
}

fn exported_reports_have_the_same_totals(place: &Place) {
    let server = Server::start(place);
    go_to(&server, FRIDAY);
    let first = pay(&server, "1100.50", &json!({ "external_reference": "-1", "tip_amount": "10" }));
    pay(&server, "2000", &json!({ "installments": 3 }));
    refund(&server, &first, "100.25");
    go_to(&server, "2027-01-11T00:00:00-06:00");
    let list = read(&server, "/settlements?from=2027-01-11&to=2027-01-11");
    let settlement = &list["settlements"][0];
    let id = settlement["settlement_report_id"].as_str().unwrap();

    let Output { status, stdout, stderr } = export(place, &[id]);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let text = String::from_utf8(stdout).unwrap();
    let lines: Vec<Vec<&str>> =
        text.trim_end().split("\r\n").map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 4);
    let total: Vec<i64> = lines[3][12..].iter().map(|text| cents(&number(text))).collect();
    let net = cents(&settlement["disbursed_net_amount"]);
    assert_eq!(total[0] + total[1], cents(&settlement["gross_amount"]));
    assert_eq!(total[2], cents(&settlement["total_fee"]));
    assert_eq!(total[3], cents(&settlement["total_tax"]));
    assert_eq!((total[4], total[5]), (cents(&settlement["total_retention"]), net));
    assert_eq!(lines[1][10], "'-1");

    // The same by the other id, into files.
    let uuid = server.list("settlements", "/settlements")[0]["settlement_id"].clone();
    let uuid = uuid.as_str().unwrap();
    let file = |name: &str| place.directory().join(name).to_str().unwrap().to_owned();
    let (csv, xlsx, pdf) = (file("d.csv"), file("d.xlsx"), file("d.pdf"));
    for (format, path) in [("csv", &csv), ("xlsx", &xlsx), ("pdf", &pdf)] {
        let Output { status, stdout, stderr } =
            export(place, &[uuid, "--format", format, "--output", path]);
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        assert_eq!(stdout, b"");
    }
    assert_eq!(std::fs::read_to_string(csv).unwrap(), text);
    assert!(std::fs::read(xlsx).unwrap().starts_with(b"PK\x03\x04"));
    let mut page = Vec::new();
    std::fs::File::open(pdf).unwrap().read_to_end(&mut page).unwrap();
    assert!(page.starts_with(b"%PDF-"));
    let shows = |text: &str| page.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(shows(&grouped(net)), "the net {}", grouped(net));
    assert!(shows(&grouped(cents(&settlement["gross_amount"]))));

    for unknown in ["A00000000", "x", "c11b0000-0000-4000-8000-000000000001"] {
        let Output { status, stdout, stderr } = export(place, &[unknown]);
        assert!(!status.success() && stdout.is_empty());
        let said = String::from_utf8_lossy(&stderr).into_owned();
        assert!(said.contains(&format!("there is no settlement {unknown}")), "{said}");
    }
}

#[track_caller]
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Cents as pesos with commas.
fn grouped(cents: i64) -> String {
    let (whole, fraction) = (cents / 100, cents % 100);
    let thousands = whole / 1000;
    if thousands > 0 {
        format!("{thousands},{:03}.{fraction:02}", whole % 1000)
    } else {
        format!("{whole}.{fraction:02}")
    }
}

crate::on_both!(
    the_control_api_leads_down_to_the_postings,
    a_server_that_was_killed_shows_the_same_reports,
    exported_reports_have_the_same_totals
);
