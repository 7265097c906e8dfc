//! Payment links: made, read, paid on the hosted page, told.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{APPROVES, CAFE, NO_FUNDS};

/// What the official plugin sends.
fn wanted() -> Value {
    json!({
        "amount": 300.0,
        "currency": "MXN",
        "purchase_description": "Order 1042",
        "redirection_url": {
            "success": "https://shop.example.org/thanks",
            "error": "https://shop.example.org/sorry",
            "default": "https://shop.example.org/",
        },
        "override_settings": { "payment_method": ["CARD"], "tip_enabled": false },
        "custom_payment_options": { "international_enabled": true },
        "metadata": {
            "me_reference_id": "WC1042",
            "customer_info": { "name": "Ana López", "email": "ana@example.com",
                "phone": 5512345678_i64 },
            "source": "woocommerce",
            "billing_address": { "zip_code": "03100" },
        },
    })
}

fn make(server: &Server<'_>, body: &Value) -> Value {
    CAFE.post(server, "/v2/checkout", body, 200)
}

fn id(link: &Value) -> &str {
    link["payment_request_id"].as_str().unwrap()
}

fn read(server: &Server<'_>, link: &Value) -> Value {
    CAFE.get(server, &format!("/v2/checkout/{}", id(link)), 200)
}

fn pay(server: &Server<'_>, link: &Value, body: &Value, status: u16) -> Value {
    server.control("POST", &format!("/sessions/{}/pay", id(link)), body, status)
}

#[test]
fn a_link_as_the_reference_shows_it() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let link = make(&server, &wanted());
    let sample = json!({
        "payment_request_id": "e1961597-eccd-4bf5-94f3-c343d5290001",
        "payment_request_url": "https://pago.example/e1961597",
        "object_type": "payment_link",
        "status": "CHECKOUT_CREATED",
        "amount": 300.0,
        "currency": "MXN",
        "purchase_description": "Order 1042",
        "receipt_no": null,
        "created_at": "2025-03-04T17:00:00Z",
        "expires_at": "2025-03-07T17:00:00Z",
        "metadata": { "me_reference_id": "WC1042" },
    });
    assert_shape("a link", &sample, &link);
    for name in ["object_type", "status", "currency", "purchase_description", "receipt_no"] {
        assert_eq!(link[name], sample[name], "{name}");
    }
    assert_eq!((&link["amount"], &link["metadata"]), (&json!(300), &wanted()["metadata"]));
    assert_eq!(read(&server, &link), link);
    // The page shows what is sold and for whom, with and without the old path's slash.
    let url = link["payment_request_url"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://{}", server.address)).unwrap();
    let page = server.send(&Call::get(path)).expect(200);
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    let html = page.text();
    for text in ["Order 1042", "WC1042", "Café Central", "300", "ana@example.com"] {
        assert!(html.contains(text), "{text} is not on the page");
    }
    for path in ["/checkout", "/checkout/"] {
        let call = Call::new("POST", path)
            .header("x-api-key", &CAFE.basic())
            .header("accept", "application/vnd.com.payclip.v2+json")
            .json(&wanted());
        let answer = server.send(&call).expect(200);
        assert_eq!(answer.header("content-type"), Some("application/vnd.com.payclip.v2+json"));
        assert_eq!(answer.json()["status"], "CHECKOUT_CREATED");
    }
    // Some clients name one address alone, or none.
    for address in [json!({ "default": "https://shop.example.org" }), Value::Null] {
        let mut body = wanted();
        body["redirection_url"] = address;
        make(&server, &body);
    }
}

fn a_link_is_paid_declined_given_up_and_runs_out(place: &Place) {
    let server = Server::start(place);
    let status = |link: &Value| read(&server, link)["status"].as_str().unwrap().to_owned();
    let paid = make(&server, &wanted());
    let outcome = pay(&server, &paid, &json!({ "card": NO_FUNDS }), 200);
    assert_eq!(
        (&outcome["outcome"], &outcome["session"]["request_id"]),
        (&json!("rejected"), &json!(id(&paid)))
    );
    assert_eq!(status(&paid), "CHECKOUT_PENDING");
    let outcome = pay(&server, &paid, &json!({ "card": APPROVES }), 200);
    assert_eq!(outcome["session"]["status"], "CHECKOUT_COMPLETED");
    let after = read(&server, &paid);
    let payment_id = outcome["payment"]["id"].as_str().unwrap();
    let payment = CAFE.get(&server, &format!("/payments/{payment_id}"), 200);
    assert_eq!(
        (&after["status"], &after["receipt_no"]),
        (&json!("CHECKOUT_COMPLETED"), &payment["receipt_no"])
    );
    assert_eq!(
        (&payment["amount"], &payment["customer"]["email"]),
        (&json!(300), &json!("ana@example.com"))
    );
    pay(&server, &paid, &json!({}), 409);

    let worn_out = make(&server, &wanted());
    for _ in 0..5 {
        pay(&server, &worn_out, &json!({ "card": NO_FUNDS }), 200);
    }
    assert_eq!(status(&worn_out), "CHECKOUT_CANCELLED");
    let given_up = make(&server, &wanted());
    server.control("POST", &format!("/sessions/{}/abandon", id(&given_up)), &json!({}), 200);
    assert_eq!(status(&given_up), "CHECKOUT_CANCELLED");
    let (late, soon) = (make(&server, &wanted()), {
        let now = server.control("GET", "/clock", &Value::Null, 200)["now"].clone();
        let at: jiff::Timestamp = now.as_str().unwrap().parse().unwrap();
        let mut body = wanted();
        let end = at.checked_add(jiff::SignedDuration::from_mins(30)).unwrap();
        body["expires_at"] = json!(end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        make(&server, &body)
    });
    server.control("POST", "/clock/advance", &json!({ "seconds": 1801 }), 200);
    assert_eq!(
        (status(&late).as_str(), status(&soon).as_str()),
        ("CHECKOUT_CREATED", "CHECKOUT_EXPIRED")
    );
    server.control("POST", "/clock/advance", &json!({ "seconds": 72 * 3600 }), 200);
    assert_eq!(status(&late), "CHECKOUT_EXPIRED");
}

fn what_becomes_of_a_link_is_told(place: &Place) {
    let server = Server::start(place);
    let receiver = Receiver::start("");
    let mut body = wanted();
    body["webhook_url"] = json!(receiver.url("/links"));
    let link = make(&server, &body);
    let told = |resource: &str, status: &str| {
        receiver.wait(|notice| {
            notice.body["resource"] == resource && notice.body["resource_status"] == status
        })
    };
    let created = told("CHECKOUT", "CREATED").body;
    let sample = json!({
        "id": "x", "api_version": "1.0", "payment_request_id": "x", "transaction_id": null,
        "resource": "CHECKOUT", "resource_status": "CREATED",
        "detail_type": "Payment Request Created", "attempts": 1, "sent_date": "x",
        "created_at": "x", "completed_at": null, "expires_at": "x", "cancelled_at": null,
        "expired_at": null, "declined_at": null, "payment_date": null, "me_reference_id": "x",
        "receipt_no": null, "payment_type": null, "barcode": null, "customer_email": "x",
    });
    assert_shape("a link's webhook", &sample, &created);
    for name in ["api_version", "resource", "resource_status", "detail_type", "attempts"] {
        assert_eq!(created[name], sample[name], "{name}");
    }
    assert_eq!(created["payment_request_id"], link["payment_request_id"]);
    assert_eq!(created["me_reference_id"], "WC1042");
    pay(&server, &link, &json!({ "card": NO_FUNDS }), 200);
    assert!(told("CHECKOUT", "PENDING").body["declined_at"].is_string());
    let outcome = pay(&server, &link, &json!({ "card": APPROVES }), 200);
    let completed = told("CHECKOUT", "COMPLETED").body;
    assert_eq!(completed["transaction_id"], outcome["payment"]["id"]);
    assert_eq!(completed["receipt_no"], read(&server, &link)["receipt_no"]);
    assert!(completed["completed_at"].is_string() && completed["payment_date"].is_string());
    let refund = json!({ "reference": { "type": "receipt", "id": completed["receipt_no"] },
        "amount": 100, "reason": "x" });
    CAFE.post(&server, "/refunds", &refund, 200);
    let refunded = told("REFUND", "APPROVED").body;
    assert_eq!(refunded["payment_request_id"], link["payment_request_id"]);
    assert_eq!(refunded["receipt_no"], completed["receipt_no"]);
    let given_up = make(&server, &body);
    server.control("POST", &format!("/sessions/{}/abandon", id(&given_up)), &json!({}), 200);
    assert!(told("CHECKOUT", "CANCELED").body["cancelled_at"].is_string());
    make(&server, &body);
    server.control("POST", "/clock/advance", &json!({ "seconds": 73 * 3600 }), 200);
    assert!(told("CHECKOUT", "EXPIRED").body["expired_at"].is_string());
    // Each was told once, and nothing beside them.
    let deliveries = server.list("deliveries", "/deliveries");
    assert_eq!(deliveries.len(), receiver.notices().len(), "{deliveries:#?}");
}

#[test]
fn bad_links_get_the_form_of_this_surface() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let before = server.traces();
    let refused = |call: Call, status: u16, code: &str| {
        let answer = CAFE.send(&server, call.clone());
        assert_eq!(answer.status, status, "{call:?}: {}", answer.text());
        let body = answer.json();
        assert_eq!(body["code_message"], code, "{body}");
        assert!(body["message"].is_string() && body.get("detail").is_some(), "{body}");
    };
    for (name, value) in [
        ("amount", Value::Null),
        ("amount", json!(0)),
        ("amount", json!("10.005")),
        ("amount", json!(-3)),
        ("currency", Value::Null),
        ("currency", json!("USD")),
        ("purchase_description", Value::Null),
        ("purchase_description", json!("🎉")),
        ("redirection_url", json!({ "default": "javascript:alert(1)" })),
        ("webhook_url", json!("x")),
        ("metadata", json!([])),
        ("expires_at", json!("2020-01-01T00:00:00Z")),
        ("expires_at", json!("soon")),
    ] {
        let mut body = wanted();
        body[name] = value;
        refused(Call::new("POST", "/v2/checkout").json(&body), 400, "002");
    }
    refused(Call::new("POST", "/v2/checkout").body("{"), 400, "002");
    refused(Call::get("/v2/checkout/x"), 400, "002");
    refused(Call::get("/v2/checkout/e1961597-eccd-4bf5-94f3-c343d5290001"), 404, "021");
    // A payment with a card token is no link.
    let answer = server.send(&Call::new("POST", "/v2/checkout").json(&wanted())).expect(401);
    assert_eq!(answer.json()["code_message"], "401");
    assert_eq!(server.traces(), before);
}

crate::on_both!(a_link_is_paid_declined_given_up_and_runs_out, what_becomes_of_a_link_is_told);
