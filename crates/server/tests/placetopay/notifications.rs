//! What a site is told when a session ends: once, signed, never again.

use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::place::Place;
use crate::receiver::{Notice, Receiver};
use crate::server::Server;
use crate::shop::{COLOMBIA, collect, payment};

crate::on_both!(
    both_signatures_and_one_notice_each,
    ends_are_told_once_and_answers_are_not_repeated,
    what_waits_for_the_merchant_is_told_when_it_is_decided,
);

fn signed_text(notice: &Value, id: &Value) -> String {
    let status = &notice["status"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    format!("{id}{}{}{}", text(&status["status"]), text(&status["date"]), COLOMBIA.secret)
}

fn told(receiver: &Receiver, id: &Value) -> Notice {
    receiver.wait(|notice| notice.body["requestId"] == *id)
}

fn both_signatures_and_one_notice_each(place: &Place) {
    let server = Server::start(place);
    let receiver = Receiver::start("");
    let setting = format!("/merchants/{}", COLOMBIA.login);
    for sha256 in [false, true] {
        let signature = if sha256 { "sha256" } else { "sha1" };
        let webhook = json!({ "url": receiver.url("/n"), "signature": signature });
        let shown = server.control("PATCH", &setting, &json!({ "webhook": webhook }), 200);
        assert_eq!(shown["webhook"]["signature"], signature);
        let made = COLOMBIA.call(&server, "/api/session", payment(signature, "COP", 100), 200);
        let id = &made["requestId"];
        server.control("POST", &format!("/sessions/{id}/pay"), &json!({}), 200);
        let notice = told(&receiver, id);
        assert_eq!(notice.body["status"]["status"], "APPROVED");
        assert_eq!(notice.body["reference"], signature);
        let text = signed_text(&notice.body, id);
        let expected = if sha256 {
            format!("sha256:{}", hex::encode(Sha256::digest(&text)))
        } else {
            hex::encode(Sha1::digest(&text))
        };
        assert_eq!(notice.body["signature"], expected);
        let query = COLOMBIA.call(&server, &format!("/api/session/{id}"), json!({}), 200);
        assert_eq!(notice.body["status"], query["status"]);
    }
}

fn ends_are_told_once_and_answers_are_not_repeated(place: &Place) {
    let server = Server::start(place);
    let receiver = Receiver::start("");
    let setting = format!("/merchants/{}", COLOMBIA.login);
    let webhook = json!({ "webhook": { "url": receiver.url("/n") } });
    server.control("PATCH", &setting, &webhook, 200);
    receiver.refuse(1);
    let make = || {
        COLOMBIA.call(&server, "/api/session", payment("N", "COP", 100), 200)["requestId"].clone()
    };
    let cancelled = make();
    COLOMBIA.call(&server, &format!("/api/session/{cancelled}/cancel"), json!({}), 200);
    let notice = told(&receiver, &cancelled);
    assert_eq!(
        (&notice.body["status"]["status"], &notice.body["status"]["reason"]),
        (&json!("REJECTED"), &json!("MC"))
    );
    // It was answered with an error; no day makes it come again.
    let expiring = make();
    server.control("POST", "/clock/advance", &json!({ "seconds": 30 * 24 * 3600 }), 200);
    assert_eq!(told(&receiver, &expiring).body["status"]["reason"], "EX");
    let token = COLOMBIA.token(&server, "4111111111111111");
    let before = receiver.notices().len();
    // An answer that its caller waited for is not told; one that came later is.
    COLOMBIA.call(&server, "/api/collect", collect("NOW", 100, &token), 200);
    let late = COLOMBIA.token(&server, "4110760000000073");
    let pending = COLOMBIA.call(&server, "/api/collect", collect("LATER", 100, &late), 200);
    server.control("POST", "/clock/advance", &json!({ "seconds": 40 }), 200);
    let notice = told(&receiver, &pending["requestId"]);
    assert_eq!(notice.body["status"]["status"], "APPROVED");
    assert_eq!(notice.body["reference"], "LATER");
    // Those of the two subscriptions, and the late one.
    receiver.wait_for(before + 2);
    let times = |id: &Value| {
        receiver.notices().iter().filter(|notice| notice.body["requestId"] == *id).count()
    };
    assert_eq!((times(&cancelled), times(&expiring)), (1, 1));
    let now = receiver.notices();
    assert!(now.iter().all(|notice| notice.body["reference"] != "NOW"), "{now:?}");
}

fn what_waits_for_the_merchant_is_told_when_it_is_decided(place: &Place) {
    let server = Server::start(place);
    let receiver = Receiver::start("");
    let setting = format!("/merchants/{}", COLOMBIA.login);
    let wanted = json!({ "webhook": { "url": receiver.url("/n") }, "confirmation_flow": true });
    server.control("PATCH", &setting, &wanted, 200);
    for (action, outcome) in
        [("confirm", "APPROVED"), ("cancel", "REJECTED"), ("nothing", "REJECTED")]
    {
        let mut body = payment(action, "COP", 100);
        body["metadata"] = json!({ "requiresConfirmation": true });
        let id = COLOMBIA.call(&server, "/api/session", body, 200)["requestId"].clone();
        server.control("POST", &format!("/sessions/{id}/pay"), &json!({}), 200);
        server.control("POST", "/clock/advance", &json!({ "seconds": 60 }), 200);
        let is_told = || receiver.notices().iter().any(|notice| notice.body["requestId"] == id);
        assert!(!is_told(), "{action}: nothing is decided yet");
        let path = format!("/api/session/{id}");
        let waiting = COLOMBIA.call(&server, &path, json!({}), 200);
        let number = waiting["payment"][0]["internalReference"].clone();
        let act = json!({ "action": action, "internalReference": number });
        match action {
            "nothing" => {
                server.control("POST", "/clock/advance", &json!({ "seconds": 3600 }), 200);
            }
            _ => {
                COLOMBIA.call(&server, "/api/transaction", act, 200);
            }
        }
        let notice = told(&receiver, &id);
        assert_eq!(notice.body["status"]["status"], outcome, "{action}");
        let query = COLOMBIA.call(&server, &path, json!({}), 200);
        assert_eq!(notice.body["status"], query["status"], "{action}");
    }
}
