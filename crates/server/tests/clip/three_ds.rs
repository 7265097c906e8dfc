//! Payments that a card's holder has to confirm: 3-D Secure.

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shop::{APPROVES, CAFE, NO_FUNDS, payment};

fn asked(server: &Server<'_>, number: &str) -> Value {
    let mut body = payment(&CAFE.token(server, number), "100");
    body["prevention_data"] = json!({ "request_3ds": true });
    body["return_url"] = json!("https://shop.example.org/back");
    body
}

fn id(payment: &Value) -> &str {
    payment["id"].as_str().unwrap()
}

fn read(server: &Server<'_>, payment: &Value) -> Value {
    CAFE.get(server, &format!("/payments/{}", id(payment)), 200)
}

fn confirm(server: &Server<'_>, payment: &Value, body: &Value, status: u16) -> Value {
    server.control("POST", &format!("/sessions/{}/pay", id(payment)), body, status)
}

/// Path and query of the page.
fn page(server: &Server<'_>, payment: &Value) -> String {
    let url = payment["pending_action"]["url"].as_str().unwrap();
    url.strip_prefix(&format!("http://{}", server.address)).unwrap().to_owned()
}

#[test]
fn a_payment_waits_for_its_holder() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let waiting = CAFE.post(&server, "/payments", &asked(&server, APPROVES), 201);
    assert_eq!(waiting["status"], "pending");
    let detail = json!({ "code": "PE-3DS01", "message": "Waiting 3ds" });
    assert_eq!(waiting["status_detail"], detail);
    assert_eq!(waiting["pending_action"]["type"], "open_modal");
    assert_eq!((&waiting["captured_amount"], &waiting["version"]), (&json!(0), &json!(1)));
    // Read again, alone and in the list, it is the same, its page included.
    assert_eq!(read(&server, &waiting), waiting);
    let list = CAFE.get(&server, "/payments?from=2020-01-01&to=2099-01-01", 200);
    assert_eq!(list["results"], json!([waiting]));
    assert_eq!(server.list("balances", "/ledger/balances"), Vec::<Value>::new());
    // Without an answer it goes on waiting.
    let outcome = confirm(&server, &waiting, &json!({}), 200);
    assert_eq!(outcome["outcome"], "challenge");
    assert_eq!(read(&server, &waiting), waiting);
    let outcome = confirm(&server, &waiting, &json!({ "otp": "12345" }), 200);
    assert_eq!(
        (&outcome["outcome"], &outcome["payment"]["id"]),
        (&json!("approved"), &waiting["id"])
    );
    let after = read(&server, &waiting);
    assert_eq!((&after["status"], &after["pending_action"]), (&json!("approved"), &json!({})));
    assert_eq!((&after["captured_amount"], &after["version"]), (&json!(100), &json!(2)));
    confirm(&server, &waiting, &json!({ "otp": "12345" }), 409);
    // What the card does shows once it is charged.
    let poor = CAFE.post(&server, "/payments", &asked(&server, NO_FUNDS), 201);
    let outcome = confirm(&server, &poor, &json!({ "otp": "12345" }), 200);
    assert_eq!(outcome["outcome"], "rejected");
    assert_eq!(read(&server, &poor)["status_detail"]["code"], "RE-ISS01");
}

fn a_wrong_code_giving_up_and_time_reject_it(place: &Place) {
    let server = Server::start(place);
    let make = || CAFE.post(&server, "/payments", &asked(&server, APPROVES), 201);
    let (wrong, given_up, late, cancelled) = (make(), make(), make(), make());
    assert_eq!(confirm(&server, &wrong, &json!({ "otp": "00000" }), 200)["outcome"], "rejected");
    server.control("POST", &format!("/sessions/{}/abandon", id(&given_up)), &json!({}), 200);
    let path = format!("/payments/{}/cancel", id(&cancelled));
    let answer = CAFE.post(&server, &path, &json!({}), 200);
    assert_eq!(answer["status_detail"]["code"], "CA-MER01");
    assert_eq!(read(&server, &late)["status"], "pending");
    server.control("POST", "/clock/advance", &json!({ "seconds": 15 * 60 + 1 }), 200);
    for payment in [&wrong, &given_up, &late] {
        let after = read(&server, payment);
        assert_eq!(after["status"], "rejected", "{after}");
        assert_eq!(after["status_detail"]["code"], "RE-3DS01");
        confirm(&server, payment, &json!({ "otp": "12345" }), 409);
    }
    // A payment that must not be held is rejected at once.
    let mut body = asked(&server, APPROVES);
    body["binary_mode"] = json!(true);
    let rejected = CAFE.post(&server, "/payments", &body, 201);
    assert_eq!(rejected["status_detail"]["code"], "RE-3DS01");
    assert_eq!(rejected["pending_action"], json!({}));
    assert_eq!(server.list("balances", "/ledger/balances"), Vec::<Value>::new());
}

#[test]
fn the_setting_says_who_is_asked() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let plain = || CAFE.pay(&server, APPROVES, "100")["status"].clone();
    let asking =
        || CAFE.post(&server, "/payments", &asked(&server, APPROVES), 201)["status"].clone();
    let setting = format!("/merchants/{}", CAFE.key);
    for (word, expected) in [
        ("requested", ("approved", "pending")),
        ("always", ("pending", "pending")),
        ("never", ("approved", "approved")),
    ] {
        server.control("PATCH", &setting, &json!({ "three_ds": word }), 200);
        assert_eq!((plain(), asking()), (json!(expected.0), json!(expected.1)), "{word}");
    }
}

#[test]
fn the_end_is_told_and_survives_a_restart() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let receiver = Receiver::start("");
    let mut body = asked(&server, APPROVES);
    body["webhook_url"] = json!(receiver.url("/p"));
    body["capture_method"] = json!("manual");
    let waiting = CAFE.post(&server, "/payments", &body, 201);
    receiver.wait(|notice| notice.body["event_type"] == "INSERT");
    let server = server.restart();
    let outcome = confirm(&server, &waiting, &json!({ "otp": "12345" }), 200);
    assert_eq!(outcome["outcome"], "approved");
    let told = receiver.wait(|notice| notice.body["event_type"] == "UPDATE");
    assert_eq!(told.body["id"], waiting["id"]);
    assert_eq!(read(&server, &waiting)["status"], "authorized");
}

fn hidden(html: &str, name: &str) -> String {
    let start = html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    start.split('"').next().unwrap().to_owned()
}

fn send_form(server: &Server<'_>, path: &str, fields: &[(&str, &str)], in_frame: bool) -> Answer {
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut call = Call::new("POST", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.join("&"));
    if in_frame {
        call = call.header("sec-fetch-dest", "iframe").header("sec-fetch-site", "same-origin");
    }
    server.send(&call)
}

#[test]
fn the_page_confirms_in_a_frame_and_by_itself() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    for in_frame in [true, false] {
        let waiting = CAFE.post(&server, "/payments", &asked(&server, APPROVES), 201);
        let path = page(&server, &waiting);
        let shown = server.send(&Call::get(&path)).expect(200);
        assert_eq!(shown.header("x-frame-options"), None);
        let policy = shown.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors http: https:"), "{policy}");
        let html = shown.text();
        assert!(html.contains("4515") && !html.contains(APPROVES), "{html}");
        assert!(html.contains(&format!("{{\"paymentId\":\"{}\"}}", id(&waiting))), "{html}");
        let csrf = hidden(&html, "csrf");
        // Nothing typed, and a form from elsewhere.
        let empty = send_form(&server, &path, &[("csrf", &csrf), ("action", "otp")], in_frame);
        assert_eq!(empty.status, 422);
        let forged = [("csrf", "0"), ("action", "otp"), ("otp", "12345")];
        assert_eq!(send_form(&server, &path, &forged, in_frame).status, 403);
        let typed = [("csrf", csrf.as_str()), ("action", "otp"), ("otp", "12345")];
        let answer = send_form(&server, &path, &typed, in_frame);
        if in_frame {
            assert_eq!((answer.status, answer.header("location")), (303, Some(path.as_str())));
        } else {
            let back = Some("https://shop.example.org/back");
            assert_eq!((answer.status, answer.header("location")), (302, back));
        }
        assert_eq!(read(&server, &waiting)["status"], "approved");
        let after = server.send(&Call::get(&path)).expect(200).text();
        assert!(after.contains("data-page=\"result\""), "{after}");
        assert!(after.contains("href=\"https://shop.example.org/back\""), "{after}");
        let again = send_form(&server, &path, &typed, in_frame);
        assert_eq!(again.status, 303);
    }
    // Given up on the page.
    let waiting = CAFE.post(&server, "/payments", &asked(&server, APPROVES), 201);
    let path = page(&server, &waiting);
    let csrf = hidden(&server.send(&Call::get(&path)).text(), "csrf");
    send_form(&server, &path, &[("csrf", &csrf), ("action", "cancel")], false);
    assert_eq!(read(&server, &waiting)["status_detail"]["code"], "RE-3DS01");
    // The page of a link is nobody's to frame, and a guessed address leads nowhere.
    let guessed = format!("{}0", &path[..path.len() - 1]);
    if guessed != path {
        server.send(&Call::get(&guessed)).expect(404);
    }
}

crate::on_both!(a_wrong_code_giving_up_and_time_reject_it);
