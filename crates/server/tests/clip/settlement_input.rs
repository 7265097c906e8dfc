//! Deposits: bad input, and who may not see them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use crate::documents;
use crate::http::{Answer, Call};
use crate::place::Place;
use crate::server::Server;
use crate::settlements::{FRIDAY, change, get, go_to, pay, read};
use crate::shared::documents::operations;

/// A target, the status of its refusal and its text.
type Wrong = (String, u16, &'static str);

fn bad_input_gets_the_surfaces_own_error_and_changes_nothing(place: &Place) {
    let server = Server::start(place);
    go_to(&server, FRIDAY);
    pay(&server, "20", &json!({}));
    go_to(&server, "2027-01-11T12:00:00-06:00");
    let list = read(&server, "/settlements?from=2027-01-11&to=2027-01-11");
    let id = list["settlements"][0]["settlement_report_id"].as_str().unwrap().to_owned();
    let before = server.traces();
    let other = if id.starts_with('A') { "B00000000" } else { "A00000000" };
    let table = wrong_lists(other).into_iter().chain(wrong_pages(&id, other));
    for (target, status, message) in table {
        let answer = server.send(&get(&target)).expect(status);
        assert_eq!(answer.json(), json!({ "message": message }), "{target}");
    }
    read(&server, &format!("/settlements/{id}"));
    // The window's edge: 90 days ago, and one more.
    for from in ["2026-10-13", "2026-10-12"] {
        read(&server, &format!("/settlements?from={from}&to=2027-01-11"));
    }
    // Who may not.
    let refused = |answer: Answer, status: u16, message: &str| {
        assert_eq!(answer.expect(status).json(), json!({ "message": message }));
    };
    for target in ["/settlements?from=2027-01-11&to=2027-01-11", &format!("/settlements/{id}")] {
        refused(server.send(&Call::get(target)), 401, "Unauthorized");
        let wrong = Call::get(target).header("x-api-key", "Basic bm90OnJpZ2h0");
        refused(server.send(&wrong), 401, "Unauthorized");
        change(&server, &json!({ "api_access": { "settlements": false } }));
        refused(server.send(&get(target)), 403, "Forbidden");
        change(&server, &json!({ "api_access": { "settlements": true } }));
        server.send(&get(target)).expect(200);
    }
    assert_eq!(server.traces().1, before.1);
    // The document says all of this.
    let operations = operations(&server, "/openapi/clip.json");
    let ours = ["/settlements", "/settlements/{id}"]
        .map(|path| operations.iter().find(|one| one.method == "GET" && one.path == path).unwrap());
    documents::assert_told(&server, &operations, ours);
}

#[test]
fn deposits_of_another_merchant_are_not_there() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    go_to(&server, FRIDAY);
    pay(&server, "20", &json!({}));
    go_to(&server, "2027-01-11T00:00:00-06:00");
    let list = server.list("settlements", "/settlements");
    let stranger = server.control("POST", "/worlds", &json!({}), 201);
    let clip = &stranger["clip"];
    let credential =
        format!("{}:{}", clip["api_key"].as_str().unwrap(), clip["secret"].as_str().unwrap());
    for id in ["id", "settlement_id"] {
        let target = format!("/settlements/{}", list[0][id].as_str().unwrap());
        let basic = format!("Basic {}", BASE64.encode(&credential));
        server.send(&Call::get(&target).header("x-api-key", &basic)).expect(404);
    }
}

/// Wrong ranges of days and ids; `other` is the number of no report.
fn wrong_lists(other: &str) -> Vec<Wrong> {
    vec![
        ("/settlements".into(), 400, "from is required"),
        ("/settlements?from=2027-01-01".into(), 400, "to is required"),
        ("/settlements?to=2027-01-01".into(), 400, "from is required"),
        ("/settlements?from=&to=2027-01-01".into(), 400, "from is required"),
        ("/settlements?from=2027-1-1&to=2027-01-11".into(), 400, "from must be a date, YYYY-MM-DD"),
        (
            "/settlements?from=01/01/2027&to=2027-01-11".into(),
            400,
            "from must be a date, YYYY-MM-DD",
        ),
        (
            "/settlements?from=2027-02-29&to=2027-03-11".into(),
            400,
            "from must be a date, YYYY-MM-DD",
        ),
        ("/settlements?from=2027-01-11&to=2027-01-32".into(), 400, "to must be a date, YYYY-MM-DD"),
        (
            "/settlements?from=2027-01-11&to=hoy%F0%9F%98%80".into(),
            400,
            "to must be a date, YYYY-MM-DD",
        ),
        (
            "/settlements?from=2027-01-11T00:00:00Z&to=2027-01-11".into(),
            400,
            "from must be a date, YYYY-MM-DD",
        ),
        ("/settlements?from=2027-01-11&to=2027-01-10".into(), 400, "to must not be before from"),
        (
            "/settlements?from=2026-10-11&to=2027-01-10".into(),
            400,
            "from must not be more than 90 days ago",
        ),
        ("/settlements/A".into(), 400, "settlement_id Invalid pattern"),
        ("/settlements/w472rzqkv".into(), 400, "settlement_id Invalid pattern"),
        ("/settlements/W472RZQK%C3%91".into(), 400, "settlement_id Invalid pattern"),
        ("/settlements/1234".into(), 400, "settlement_id Invalid pattern"),
        (format!("/settlements/{other}"), 404, "Not Found"),
        ("/settlements/c11b0000-0000-4000-8000-000000000001".into(), 404, "Not Found"),
    ]
}

/// Wrong pages of the report `id`.
fn wrong_pages(id: &str, other: &str) -> Vec<Wrong> {
    let of_other = BASE64.encode(format!("{other}:p:1"));
    let page = |query: &str| format!("/settlements/{id}?{query}");
    vec![
        (page("page_size=0"), 400, "page_size must be between 1 and 100"),
        (page("page_size=101"), 400, "page_size must be between 1 and 100"),
        (page("page_size=-1"), 400, "page_size must be between 1 and 100"),
        (page("page_size=1.5"), 400, "page_size must be between 1 and 100"),
        (page("page_size=diez"), 400, "page_size must be between 1 and 100"),
        (page("page=Mg=="), 400, "page is not a token of this settlement"),
        (page("page=%25%25"), 400, "page is not a token of this settlement"),
        (page(&format!("page={of_other}")), 400, "page is not a token of this settlement"),
        (
            page(&format!("paging={}", "A".repeat(900))),
            400,
            "page is not a token of this settlement",
        ),
    ]
}

crate::on_both!(bad_input_gets_the_surfaces_own_error_and_changes_nothing);
