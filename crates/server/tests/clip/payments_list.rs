//! `GET /payments`: seed 001 and reference, section 2.2.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{APPROVES, CAFE, NO_FUNDS, assert_refused};

fn now(server: &Server<'_>) -> String {
    server.control("GET", "/clock", &Value::Null, 200)["now"].as_str().unwrap().to_owned()
}

fn advance(server: &Server<'_>, to: &str) {
    server.control("POST", "/clock/advance", &json!({ "to": to }), 200);
}

fn ids(list: &Value) -> Vec<String> {
    let results = list["results"].as_array().unwrap();
    results.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn the_curl_and_the_answer_of_the_seed(place: &Place) {
    let server = Server::start(place);
    // The seed's curl, with a day of its own: `/payment`, 100 asked for, a blank at the end.
    advance(&server, "2030-02-22T00:00:00Z");
    let made: Vec<Value> =
        [APPROVES, NO_FUNDS, APPROVES].map(|number| CAFE.pay(&server, number, "0.01")).into();
    let target = "/payment?from=2030-02-22T00:00:00Z&to=2030-02-22T23:59:59Z&size=100%20";
    let call = Call::get(target).header("content-type", "application/json");
    let list = CAFE.send(&server, call).expect(200).json();
    let sample = json!({
        "pages": { "size": 50, "number": 1, "total": 1, "total_results": 8 },
        "results": [crate::payments::sample()],
    });
    assert_shape("a list", &sample, &list);
    // Asked for 100, the seed shows 50; what is asked for is given here.
    let pages = json!({ "size": 100, "number": 1, "total": 1, "total_results": 3 });
    assert_eq!(list["pages"], pages);
    let mut newest_first = made;
    newest_first.reverse();
    assert_eq!(list["results"], json!(newest_first));
    // The header is "required" even on a GET; nobody is turned away without it.
    assert_eq!(CAFE.get(&server, target, 200), list);
    // A key alone under `Bearer`, with and without the test prefix.
    for credential in [format!("Bearer {}", CAFE.key), format!("Bearer test_{}", CAFE.key)] {
        let call = Call::get(target).header("authorization", &credential);
        assert_eq!(server.send(&call).expect(200).json(), list);
    }
}

fn every_form_of_a_date_leads_to_the_same_payments(place: &Place) {
    let server = Server::start(place);
    advance(&server, "2030-10-15T12:00:00Z");
    let made = CAFE.pay(&server, APPROVES, "1");
    for (from, to) in [
        ("2030-10-15T00:00Z", "2030-10-16T00:00Z"),
        ("2030-10-15T00-00-00Z", "2030-10-15T23-59-59Z"),
        ("2030-10-15T12:00:00Z", "2030-10-15T23:59:59.999999999Z"),
        ("2030-10-15T06:00:00-06:00", "2030-10-15T18:00:00-06:00"),
        ("2030-10-15T12%3A00%3A00%2B00%3A00", "2030-10-16T00:00:00+00:00"),
        ("2030-10-15", "2030-10-15"),
        ("2030-10-15T00:00:00", "2030-10-15T23:59:59"),
        (" 2030-10-15%20", "2030-10-16"),
    ] {
        let target = format!("/payments?from={}&to={to}", from.replace(' ', "%20"));
        let list = CAFE.get(&server, &target, 200);
        assert_eq!(ids(&list), [made["id"].as_str().unwrap()], "{target}");
    }
    for (from, to) in [("2030-10-14", "2030-10-14"), ("2030-10-16", "2030-10-17")] {
        let list = CAFE.get(&server, &format!("/payments?from={from}&to={to}"), 200);
        // An empty range is no error: 404 is the single look-up's.
        let expected = json!({ "results": [],
            "pages": { "size": 50, "number": 1, "total": 0, "total_results": 0 } });
        assert_eq!(list, expected, "{from}");
    }
}

#[test]
fn both_ends_belong_to_the_range() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let made: Vec<Value> = (1..=3).map(|n| CAFE.pay(&server, APPROVES, &n.to_string())).collect();
    let at = |n: usize| made[n]["created_at"].as_str().unwrap().to_owned();
    let count = |from: &str, to: &str| {
        let list = CAFE.get(&server, &format!("/payments?from={from}&to={to}"), 200);
        assert_eq!(list["pages"]["total_results"], ids(&list).len());
        ids(&list).len()
    };
    assert_eq!(count(&at(0), &at(2)), 3);
    assert_eq!(count(&at(1), &at(1)), 1);
    assert_eq!(count(&at(0), &at(1)), 2);
    assert_eq!(count("2000-01-01", &at(0)), 1);
    assert_eq!(count(&at(2), "2099-01-01"), 1);
}

fn pages_are_exact_and_have_no_seams(place: &Place) {
    let server = Server::start(place);
    let from = now(&server);
    let mut made: Vec<String> = (1..=23)
        .map(|n| {
            let number = if n % 5 == 0 { NO_FUNDS } else { APPROVES };
            let paid = CAFE.pay(&server, number, &n.to_string());
            paid["id"].as_str().unwrap().to_owned()
        })
        .collect();
    made.reverse();
    let to = now(&server);
    // Later ones lie outside, and so do those of another merchant.
    server.control("POST", "/clock/advance", &json!({ "seconds": 3600 }), 200);
    CAFE.pay(&server, APPROVES, "1");
    for (size, shown) in [("1", 1), ("7", 7), ("10", 10), ("23", 23), ("100", 100), ("1000", 100)] {
        let mut found = Vec::new();
        for number in 1.. {
            let word = if number % 2 == 0 { "page" } else { "number" };
            let target = format!("/payments?from={from}&to={to}&size={size}&{word}={number}");
            let list = CAFE.get(&server, &target, 200);
            let total = 23_usize.div_ceil(shown);
            let pages = json!({ "size": shown, "number": number, "total": total,
                "total_results": 23 });
            assert_eq!(list["pages"], pages);
            if number > total {
                assert_eq!(ids(&list), [""; 0]);
                break;
            }
            found.extend(ids(&list));
        }
        assert_eq!(found, made, "{size}");
    }
    let far = format!("/payments?from={from}&to={to}&number=9223372036854775807");
    assert_eq!(ids(&CAFE.get(&server, &far, 200)), [""; 0]);
}

#[test]
fn bad_ranges_and_pages_are_refused() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let refused = |query: &str, code: &str| {
        let answer = CAFE.send(&server, Call::get(&format!("/payments{query}")));
        assert_refused(&answer, 400, code, query);
    };
    for query in ["", "?", "?from=2024-01-01", "?to=2024-01-01", "?from=&to=", "?size=5"] {
        refused(query, "CL2200");
    }
    for date in [
        "yesterday",
        "2024",
        "2024-13-01",
        "2024-02-30",
        "2024-2-1",
        "24-01-01",
        "01/02/2024",
        "2024-02-22T24:00:00Z",
        "2024-02-22T10:61Z",
        "2024-02-22T10:00:00+99:00",
        "1708560000",
        "2024-02-22TZ",
        "%00",
        "2024-02-22T10:00:00.Z",
        "%F0%9F%8E%89",
        "9999999-01-01",
    ] {
        refused(&format!("?from={date}&to=2030-01-01"), "CL2290");
        refused(&format!("?from=2020-01-01&to={date}"), "CL2290");
    }
    refused("?from=2024-02-23&to=2024-02-22", "CL2290");
    refused("?from=2024-02-22T00:00:01Z&to=2024-02-22T00:00:00Z", "CL2290");
    for page in ["size=0", "size=-1", "size=x", "size=1.5", "number=0", "page=-3", "number=x"] {
        refused(&format!("?from=2024-01-01&to=2024-01-02&{page}"), "CL2290");
    }
    let answer = server.send(&Call::get("/payments?from=2024-01-01&to=2024-01-02"));
    let expected = json!({ "error_code": "CL1501", "message": "Unauthorized", "detail": [] });
    assert_eq!(answer.expect(401).json(), expected);
}

#[test]
fn the_list_holds_what_terminals_and_links_took() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let link = json!({ "amount": 300, "currency": "MXN", "purchase_description": "Order 7",
        "redirection_url": { "default": "https://shop.example.org" },
        "metadata": { "me_reference_id": "WC7",
            "customer_info": { "name": "Ana", "email": "ana@example.com", "phone": 5512345678_i64 } } });
    let made = CAFE.post(&server, "/v2/checkout", &link, 200);
    let path = format!("/sessions/{}/pay", made["payment_request_id"].as_str().unwrap());
    server.control("POST", &path, &json!({}), 200);
    let list = CAFE.get(&server, "/payments?from=2020-01-01&to=2099-01-01", 200);
    let paid = &list["results"][0];
    assert_shape("a link's payment", &crate::payments::sample(), paid);
    assert_eq!(
        (&paid["description"], &paid["external_reference"]),
        (&json!("Order 7"), &json!("WC7"))
    );
    assert_eq!(paid["customer"]["email"], "ana@example.com");
    assert_eq!((&paid["status"], &paid["amount"]), (&json!("approved"), &json!(300)));
}

crate::on_both!(
    the_curl_and_the_answer_of_the_seed,
    every_form_of_a_date_leads_to_the_same_payments,
    pages_are_exact_and_have_no_seams
);
