//! The receipts' view of payments: reference, section 5.

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::place::Place;
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{APPROVES, CAFE, NO_FUNDS, payment};

const DAY: &str = "from=2030-03-05T00:00:00Z&to=2030-03-06T00:00:00Z";

fn to_the_day(server: &Server<'_>) {
    server.control("POST", "/clock/advance", &json!({ "to": "2030-03-05T17:00:00Z" }), 200);
}

/// As the provider's own host gets it.
fn list(server: &Server<'_>, query: &str) -> Answer {
    let call = Call::get(&format!("/payments?{query}")).header("host", "api-gw.payclip.com");
    server.send(&call.header("x-api-key", &CAFE.basic()))
}

fn receipts(body: &Value) -> Vec<String> {
    let items = body["items"].as_array().unwrap();
    items.iter().map(|item| item["receipt_no"].as_str().unwrap().to_owned()).collect()
}

fn the_list_and_the_receipt_as_the_reference_shows_them(place: &Place) {
    let server = Server::start(place);
    to_the_day(&server);
    let mut body = payment(&CAFE.token(&server, APPROVES), "150");
    body["external_reference"] = json!("order-7");
    let paid = CAFE.post(&server, "/payments", &body, 201);
    CAFE.pay(&server, NO_FUNDS, "99");
    let found = list(&server, &format!("{DAY}&limit=20")).expect(200).json();
    let item = json!({
        "receipt_no": "WpJi058",
        "created_at": "2025-03-04T17:24:12Z",
        "location": { "longitude": "-103.36", "latitude": "20.70" },
        "user_email": "cashier@example.com",
        "status": "Paid",
        "payment_method": "CREDIT",
        "sub_type": "EMV_SIGNATURE",
        "card": { "brand": "MC", "issuer": "BANAMEX", "last4": "4352" },
        "currency": "MXN",
        "terms": null,
        "amount": "150.00",
        "tip": "0.00",
        "total": "150.00",
        "merchant_invoice": "",
    });
    let sample = json!({
        "items": [item],
        "query": { "pagination_token": "", "limit": "20", "from": "x", "to": "x" },
        "response_messages": [],
        "meta": { "limit": "20", "pagination_token": "", "from": "x", "to": "x",
            "item_type": "Payment" },
    });
    assert_shape("transactions", &sample, &found);
    // What was declined has no receipt.
    assert_eq!(receipts(&found), [paid["receipt_no"].as_str().unwrap()]);
    let first = &found["items"][0];
    for (name, expected) in [
        ("status", json!("Paid")),
        ("payment_method", json!("CREDIT")),
        ("card", json!({ "brand": "MC", "issuer": "SANTANDER MEXICO", "last4": "4515" })),
        ("terms", Value::Null),
        ("amount", json!("150.00")),
        ("tip", json!("0.00")),
        ("total", json!("150.00")),
        ("merchant_invoice", json!("order-7")),
    ] {
        assert_eq!(first[name], expected, "{name}");
    }
    assert_eq!(
        (&found["query"]["limit"], &found["meta"]["item_type"]),
        (&json!("20"), &json!("Payment"))
    );
    let receipt = paid["receipt_no"].as_str().unwrap();
    let one = CAFE.get(&server, &format!("/payments/receipt-no/{receipt}"), 200);
    assert_eq!(one["query"], json!({ "receipt_no": receipt }));
    assert_eq!(one["meta"], json!({ "item_type": "payment" }));
    assert_eq!((&one["item"]["amount"], &one["item"]["total"]), (&json!(150), &json!(150)));
    assert!(one["item"]["location"]["latitude"].is_number(), "{one}");
}

fn who_is_asked_is_decided_by_host_then_by_query(place: &Place) {
    let server = Server::start(place);
    to_the_day(&server);
    CAFE.pay(&server, APPROVES, "1");
    for (host, query, is_transactions) in [
        ("api-gw.payclip.com", "", true),
        ("testapi-gw.payclip.com", "", true),
        ("api.payclip.com", "&limit=5", false),
        ("api.payclip.com", "", false),
        ("127.0.0.1", "", false),
        ("127.0.0.1", "&limit=5", true),
        ("127.0.0.1", "&last4=4515", true),
        ("127.0.0.1", "&status=paid", true),
        ("127.0.0.1", "&size=5", false),
    ] {
        let call = Call::get(&format!("/payments?{DAY}{query}")).header("host", host);
        let body = CAFE.send(&server, call).expect(200).json();
        let (items, results) = (body.get("items").is_some(), body.get("results").is_some());
        assert_eq!((items, results), (is_transactions, !is_transactions), "{host}{query}");
    }
}

fn filters_and_tokens_lead_through_all_of_them(place: &Place) {
    let server = Server::start(place);
    to_the_day(&server);
    let mut all = Vec::new();
    for n in 0..12 {
        let number = if n % 4 == 3 { "4555128482797669" } else { APPROVES };
        let paid = CAFE.pay(&server, number, "10");
        if n % 3 == 0 {
            let refund = json!({ "reference": { "type": "payment", "id": paid["id"] },
                "amount": 10, "reason": "x" });
            CAFE.post(&server, "/refunds", &refund, 200);
        }
        all.push((paid["receipt_no"].as_str().unwrap().to_owned(), n));
    }
    all.reverse();
    let through = |filter: &str, limit: usize| {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let query = format!("{DAY}{filter}&limit={limit}&pagination_token={token}");
            let page = list(&server, &query).expect(200).json();
            assert_eq!(page["query"]["pagination_token"], token.replace("%3D", "="));
            assert!(receipts(&page).len() <= limit);
            found.extend(receipts(&page));
            token = page["meta"]["pagination_token"].as_str().unwrap().replace('=', "%3D");
            if token.is_empty() {
                return found;
            }
        }
    };
    let expected = |keep: fn(i32) -> bool| -> Vec<String> {
        all.iter().filter(|(_, n)| keep(*n)).map(|(receipt, _)| receipt.clone()).collect()
    };
    for limit in [1, 5, 12, 100] {
        assert_eq!(through("", limit), expected(|_| true));
        assert_eq!(through("&status=paid", limit), expected(|n| n % 3 != 0));
        assert_eq!(through("&status=cancelled", limit), expected(|n| n % 3 == 0));
        assert_eq!(through("&last4=7669", limit), expected(|n| n % 4 == 3));
        assert_eq!(through("&last4=0000", limit), expected(|_| false));
    }
    // The PHP library's spelling, and a token without its padding.
    let page = list(&server, &format!("{DAY}&limit=5")).expect(200).json();
    let token = page["meta"]["pagination_token"].as_str().unwrap().trim_end_matches('=').to_owned();
    let next = list(&server, &format!("{DAY}&limit=5&paginationToken={token}")).expect(200).json();
    assert_eq!(receipts(&next), expected(|_| true)[5..10]);
}

fn bad_questions_get_the_envelope(place: &Place) {
    let server = Server::start(place);
    to_the_day(&server);
    // Exactly 720 hours are allowed.
    list(&server, "from=2030-03-01T00:00:00Z&to=2030-03-31T00:00:00Z").expect(200);
    for query in [
        "",
        "from=2030-03-01T00:00:00Z",
        "from=2030-03-01T00:00:00Z&to=2030-03-31T00:00:01Z",
        "from=2030-03-06&to=2030-03-05",
        "from=yesterday&to=2030-03-05",
        &format!("{DAY}&limit=0"),
        &format!("{DAY}&limit=101"),
        &format!("{DAY}&limit=x"),
        &format!("{DAY}&status=approved"),
        &format!("{DAY}&last4=451"),
        &format!("{DAY}&last4=45x5"),
        &format!("{DAY}&pagination_token=%%"),
        &format!("{DAY}&pagination_token=LTE="),
    ] {
        let body = list(&server, query).expect(400).json();
        let message =
            json!([{ "severity": "error", "code": "payclip.bad.request", "text": "bad request" }]);
        assert_eq!((&body["items"], &body["response_messages"]), (&json!([]), &message), "{query}");
        assert!(body["query"].is_object() && body["meta"].is_object(), "{body}");
    }
    let unknown = server.send(&Call::get("/payments?limit=1"));
    assert_eq!(unknown.expect(401).json()["response_messages"][0]["code"], "payclip.unauthorized");
    // The official plugin asks for this receipt and looks whether `query` is there.
    for receipt in ["5mUV5Dt", "x", "%00"] {
        let path = format!("/payments/receipt-no/{receipt}");
        let body = CAFE.get(&server, &path, 404);
        assert!(body["query"]["receipt_no"].is_string(), "{body}");
        assert_eq!((&body["meta"], &body["item"]), (&Value::Null, &Value::Null));
        let message = json!([{ "severity": "Error", "code": "payclip.not.found",
            "text": "Could not find the receipt no." }]);
        assert_eq!(body["response_messages"], message);
        assert_eq!(server.send(&Call::get(&path)).status, 401);
    }
    let declined = CAFE.pay(&server, NO_FUNDS, "1");
    let path = format!("/payments/receipt-no/{}", declined["receipt_no"].as_str().unwrap());
    CAFE.get(&server, &path, 404);
}

crate::on_both!(
    the_list_and_the_receipt_as_the_reference_shows_them,
    who_is_asked_is_decided_by_host_then_by_query,
    filters_and_tokens_lead_through_all_of_them,
    bad_questions_get_the_envelope
);
