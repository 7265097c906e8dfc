//! The document says what the calls of shops do: every status that it has is met here, and each
//! answer has the form of an example.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::server::Server;
use crate::shared::documents::{Operation, Walked, operations};
use crate::shop::{APPROVES, CAFE, NO_FUNDS, card, payment};

/// What the paths of which this test is begin with.
const OURS: [&str; 6] =
    ["/payments", "/payment", "/card_tokens", "/refunds", "/checkout", "/v2/checkout"];

fn is_ours(path: &str) -> bool {
    OURS.iter().any(|ours| path.strip_prefix(ours).is_some_and(|rest| !rest.starts_with('r')))
}

#[test]
fn every_documented_answer() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    walk(&server);
    walk_without_leave(&server);
    let operations = operations(&server, "/openapi/clip.json");
    let ours: Vec<_> = operations.iter().filter(|one| is_ours(&one.path)).collect();
    let paths: BTreeSet<&str> = ours.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths.len(), 15);
    assert_told(&server, &operations, ours);
}

/// What these calls were answered is what the document says, and everything that it says was met.
#[track_caller]
pub(crate) fn assert_told<'o>(
    server: &Server<'_>,
    operations: &[Operation],
    ours: impl IntoIterator<Item = &'o Operation>,
) {
    // What does not apply is an empty object too.
    let varies = &["/pending_action/", "/metadata/"];
    let walked = Walked { operations, calls: server.calls(), varies };
    walked.assert_told(ours, |_, _| true);
}

/// Paths that something is made at.
const CREATED: [&str; 5] = ["/payments", "/payment", "/card_tokens", "/refunds", "/refunds/"];
const LINKS: [&str; 3] = ["/v2/checkout", "/checkout", "/checkout/"];

/// An id that nothing has.
const NONE: &str = "3d62e0a1-57a8-4d22-8a90-d59e0d94f001";

/// Where a payment is captured and where it is cancelled.
fn actions(id: &str) -> [String; 2] {
    ["capture", "cancel"].map(|action| format!("/payments/{id}/{action}"))
}

fn walk(server: &Server<'_>) {
    let post = |path: &str, body: &Value, status: u16| CAFE.post(server, path, body, status);
    let get = |target: &str, status: u16| CAFE.get(server, target, status);
    let held = || {
        let mut body = payment(&CAFE.token(server, APPROVES), "1000");
        body["capture_method"] = json!("manual");
        let held = post("/payments", &body, 201);
        held["id"].as_str().unwrap().to_owned()
    };
    let (taken, dropped) = (held(), held());
    let [capture, _] = actions(&taken);
    post(&capture, &json!({ "amount": 0 }), 400);
    post(&capture, &json!({ "amount": 60.5 }), 200);
    post(&capture, &json!({}), 409);
    let [_, cancel] = actions(&dropped);
    post(&cancel, &json!({}), 200);
    post(&cancel, &json!({}), 409);
    for path in actions(NONE) {
        post(&path, &json!({}), 404);
    }
    let mut paid = String::new();
    for path in ["/payments", "/payment"] {
        let mut waiting = payment(&CAFE.token(server, APPROVES), "10");
        waiting["prevention_data"] = json!({ "request_3ds": true });
        post(path, &waiting, 201);
        let body = payment(&CAFE.token(server, APPROVES), "1000");
        let answer = post(path, &body, 201);
        paid = answer["id"].as_str().unwrap().to_owned();
        post(path, &json!({ "amount": 1 }), 400);
        post(path, &body, 400);
        for query in ["?from=2020-01-01&to=2099-01-01", "?from=2020-01-01&to=2020-01-02&limit=5"] {
            get(&format!("{path}{query}"), 200);
        }
        for query in ["", "?from=x&to=y", "?limit=x"] {
            get(&format!("{path}{query}"), 400);
        }
        get(&format!("{path}/{paid}"), 200);
        get(&format!("{path}/{NONE}"), 404);
        let receipt = answer["receipt_no"].as_str().unwrap();
        get(&format!("/payments/receipt-no/{receipt}"), 200);
    }
    get("/payments/receipt-no/5mUV5Dt", 404);
    post("/card_tokens", &card(NO_FUNDS), 201);
    post("/card_tokens", &json!({}), 400);
    let refund = |amount: f64| json!({ "reference": { "type": "payment", "id": paid }, "amount": amount, "reason": "x" });
    for path in ["/refunds", "/refunds/"] {
        let made = post(path, &refund(10.5), 200);
        get(&format!("/refunds/{}", made["id"].as_str().unwrap()), 200);
        post(path, &json!({}), 400);
        post(path, &refund(-1.0), 400);
        post(path, &refund(5000.0), 409);
        let mut unknown = refund(1.0);
        unknown["reference"]["id"] = json!(NONE);
        post(path, &unknown, 404);
    }
    get(&format!("/refunds/{NONE}"), 404);
    let link = json!({ "amount": 300.5, "currency": "MXN", "purchase_description": "x" });
    for path in LINKS {
        let made = post(path, &link, 200);
        post(path, &json!({}), 400);
        get(&format!("/v2/checkout/{}", made["payment_request_id"].as_str().unwrap()), 200);
    }
    get("/v2/checkout/x", 400);
    get(&format!("/v2/checkout/{NONE}"), 404);
}

/// Whatever is asked, first without a credential, then too large, then kept off.
fn walk_without_leave(server: &Server<'_>) {
    let large = "x".repeat((1 << 20) + 1);
    let made = CREATED.iter().chain(&LINKS).map(|path| (*path).to_owned());
    let posts: Vec<String> = made.chain(actions(NONE)).collect();
    let gets = [
        "/payments".to_owned(),
        "/payment".to_owned(),
        "/payments?limit=1".to_owned(),
        format!("/payments/{NONE}"),
        format!("/payment/{NONE}"),
        "/payments/receipt-no/5mUV5Dt".to_owned(),
        format!("/refunds/{NONE}"),
        format!("/v2/checkout/{NONE}"),
    ];
    for path in &posts {
        server.send(&Call::new("POST", path).body("{}")).expect(401);
        CAFE.send(server, Call::new("POST", path).body(large.as_str())).expect(413);
    }
    for target in &gets {
        server.send(&Call::get(target)).expect(401);
    }
    let setting = format!("/merchants/{}", CAFE.key);
    let off = json!({ "payments": false, "refunds": false, "checkout": false,
        "transactions": false });
    server.control("PATCH", &setting, &json!({ "api_access": off }), 200);
    for path in &posts {
        CAFE.send(server, Call::new("POST", path).body("{}")).expect(403);
    }
    for target in &gets {
        CAFE.get(server, target, 403);
    }
}
