//! `…/events` of one intent and of days: reference, sections 4.4 and 4.5.

use serde_json::{Value, json};

use crate::ask;
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

const API: &str = "/point/integration-api/payment-intents";

fn last(seller: &Seller<'_>, intent: &str) -> Value {
    seller.get(&format!("{API}/{intent}/events"))
}

fn listed(seller: &Seller<'_>, first: &str, end: &str) -> Vec<(String, String)> {
    let days = seller.get(&format!("{API}/events?startDate={first}&endDate={end}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = days["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            assert_eq!(event.as_object().unwrap().len(), 3, "{event}");
            assert!(event["created_on"].as_str().unwrap().ends_with('Z'), "{event}");
            (text(&event["payment_intent_id"]), text(&event["status"]))
        })
        .collect()
}

fn today(server: &Server<'_>) -> String {
    let clock = server.control("GET", "/clock", &Value::Null, 200);
    clock["now"].as_str().unwrap()[..10].to_owned()
}

fn states_as_they_change(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let intent = seller.create(&json!({ "amount": 150_000 }));
    let opened = last(&seller, &intent);
    assert_eq!(opened["status"], "OPEN");
    assert_eq!(opened.as_object().unwrap().len(), 2);
    let at: String = opened["created_on"].as_str().unwrap().to_owned();
    assert_eq!(at.len(), "2026-03-02T14:05:09Z".len());
    seller.advance(5);
    seller.at_terminal("fetch", &json!({})).expect(200);
    let taken = last(&seller, &intent);
    assert_eq!(taken["status"], "ON_TERMINAL");
    assert!(taken["created_on"].as_str().unwrap() > at.as_str(), "{taken} after {at}");
    seller.at_terminal("card", &json!({})).expect(200);
    assert_eq!(last(&seller, &intent)["status"], "FINISHED");
    let canceled = seller.create(&json!({ "amount": 150_000 }));
    seller.cancel(&canceled).expect(200);
    assert_eq!(last(&seller, &canceled)["status"], "CANCELED");

    let other = Seller::demo(&server, "MLM");
    let unknown = "0f6f3c52-0d0e-4b7e-9d3b-6a3f5a1c7e20";
    for (token, id) in [(&seller.token, unknown), (&seller.token, "x"), (&other.token, &intent)] {
        let target = format!("{API}/{id}/events");
        let error = ask(&server, token, ("GET", &target), &json!({}), 404);
        assert_eq!(error["message"], "Not-found - Payment intent doesn't exist");
    }
}

fn days(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let other = Seller::demo(&server, "MLB");
    let first_day = today(&server);
    assert_eq!(listed(&seller, &first_day, &first_day), []);
    let (finished, _) = seller.pay(150_000);
    let open = seller.create(&json!({ "amount": 150_000 }));
    other.create(&json!({ "amount": 150_000 }));
    let both = [(open.clone(), "OPEN".to_owned()), (finished.clone(), "FINISHED".to_owned())];
    assert_eq!(listed(&seller, &first_day, &first_day), both);

    seller.advance(86_400);
    let second_day = today(&server);
    let later = seller.create(&json!({ "amount": 150_000 }));
    assert_eq!(listed(&seller, &second_day, &second_day), [(later.clone(), "OPEN".to_owned())]);
    // The first one has been abandoned; it was made on the first day all the same.
    let first = [(open.clone(), "ABANDONED".to_owned()), both[1].clone()];
    assert_eq!(listed(&seller, &first_day, &first_day), first);
    let all = listed(&seller, &first_day, &second_day);
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!(all[0].0, later);

    for query in [
        "".to_owned(),
        "?".to_owned(),
        format!("?startDate={first_day}"),
        format!("?startDate={second_day}&endDate={first_day}"),
        "?startDate=2026-01-01&endDate=2026-02-01".to_owned(),
        "?startDate=01/01/2026&endDate=01/01/2026".to_owned(),
    ] {
        let target = format!("{API}/events{query}");
        let error = ask(&server, &seller.token, ("GET", &target), &Value::Null, 400);
        assert_eq!(error["message"], "startDate and/or endDate are missing or incorrect");
        assert_eq!((&error["error"], &error["status"]), (&json!("bad_request"), &json!(400)));
    }
}

fn lists_without_the_clock(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let day = today(&server);
    let made: Vec<String> = (0..3).map(|_| seller.pay(150_000).0).collect();
    let newest_first = made.iter().rev().map(|id| (id.clone(), "FINISHED".to_owned()));
    assert_eq!(listed(&seller, &day, &day), newest_first.collect::<Vec<_>>());
    assert_eq!(last(&seller, &made[0])["status"], "FINISHED");
}

crate::on_both!(lists_without_the_clock, states_as_they_change, days);
