//! Sessions: made, paid on their page, read, taken back, over.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{CHILE, COLOMBIA, keyword, payer, payment, status, subscription};

crate::on_both!(
    a_subscription_ends_with_a_token,
    a_payment_is_tried_until_it_is_approved,
    tries_run_out_and_challenges_are_answered,
    a_challenge_that_a_program_began_is_answered_on_the_page,
    sessions_are_cancelled_abandoned_and_expire,
    a_payment_in_parts,
    amounts_dispersion_and_modifiers_are_kept,
    what_a_session_must_have,
    the_control_api_lists_sessions_cards_and_notifications,
);

fn pay(server: &Server<'_>, id: &Value, body: &Value, status: u16) -> Value {
    server.control("POST", &format!("/sessions/{id}/pay"), body, status)
}

fn query(server: &Server<'_>, id: &Value) -> Value {
    COLOMBIA.call(server, &format!("/api/session/{id}"), json!({}), 200)
}

fn a_subscription_ends_with_a_token(place: &Place) {
    let server = Server::start(place);
    let made = COLOMBIA.call(&server, "/api/session", subscription(), 200);
    assert_eq!(status(&made), ("OK", "PC"));
    let id = &made["requestId"];
    let url = made["processUrl"].as_str().unwrap();
    let expected = format!("http://{}/spa/session/{id}/", server.address);
    assert_eq!(url.strip_prefix(&expected).map(str::len), Some(32), "{url}");
    let untouched = query(&server, id);
    assert_eq!(status(&untouched), ("PENDING", "PC"));
    assert_eq!(untouched["status"]["message"], "La petición se encuentra activa");
    assert_eq!((&untouched["payment"], &untouched["subscription"]), (&Value::Null, &Value::Null));
    assert_eq!(keyword(&untouched["request"]["fields"], "_processUrl_"), url);
    let outcome = pay(&server, id, &json!({}), 200);
    assert_eq!(outcome["outcome"], "approved");
    assert_eq!(outcome["session"]["status"], "APPROVED");
    let done = query(&server, id);
    assert_eq!(status(&done), ("APPROVED", "00"));
    assert_eq!(done["request"]["payer"]["name"], "Rosa");
    let names: Vec<&Value> = done["subscription"]["instrument"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| &pair["keyword"])
        .collect();
    assert_eq!(
        names,
        [
            "token",
            "subtoken",
            "franchise",
            "franchiseName",
            "issuerName",
            "lastDigits",
            "validUntil",
            "installments"
        ]
    );
    assert_eq!(done["subscription"]["type"], "token");
    assert_eq!(status(&done["subscription"]), ("OK", "00"));
    CHILE.call(&server, &format!("/api/session/{id}"), json!({}), 404);
    pay(&server, id, &json!({}), 409);
}

fn a_payment_is_tried_until_it_is_approved(place: &Place) {
    let server = Server::start(place);
    let mut body = payment("ORD-1", "COP", 189_900);
    body["payment"]["subscribe"] = json!(true);
    body["payer"] = payer();
    body["fields"] = json!([{ "keyword": "orderKey", "value": "wc_1" }]);
    let made = COLOMBIA.call(&server, "/api/session", body, 200);
    let id = &made["requestId"];
    let declined = pay(&server, id, &json!({ "card": "4110760000000016" }), 200);
    assert_eq!(declined["outcome"], "rejected");
    assert_eq!(query(&server, id)["status"]["status"], "PENDING");
    let approved = pay(&server, id, &json!({ "card": "4111111111111111", "installments": 3 }), 200);
    assert_eq!(approved["outcome"], "approved");
    let done = query(&server, id);
    let tries = done["payment"].as_array().unwrap();
    // The newest first.
    assert_eq!((status(&tries[0]), status(&tries[1])), (("APPROVED", "00"), ("REJECTED", "05")));
    assert_eq!(
        tries[0]["internalReference"].to_string(),
        approved["payment"]["id"].as_str().unwrap()
    );
    assert_eq!(keyword(&done["request"]["fields"], "orderKey"), "wc_1");
    assert_eq!(done["subscription"]["type"], "token");
    let english = json!({ "locale": "en_US" });
    let english = COLOMBIA.call(&server, &format!("/api/session/{id}"), english, 200);
    assert_eq!(english["status"]["message"], "The petition has been successfully approved");
    assert_eq!(english["payment"][0]["status"]["message"], "Approved");
    // Without consent there is no token.
    let mut body = payment("ORD-2", "USD", 10);
    body["payment"]["subscribe"] = json!(true);
    let made = COLOMBIA.call(&server, "/api/session", body, 200);
    pay(&server, &made["requestId"], &json!({ "save": false }), 200);
    assert_eq!(query(&server, &made["requestId"])["subscription"], Value::Null);
}

fn tries_run_out_and_challenges_are_answered(place: &Place) {
    let server = Server::start(place);
    let setting = format!("/merchants/{}", COLOMBIA.login);
    server.control("PATCH", &setting, &json!({ "card_attempts_max": 2 }), 200);
    let made = COLOMBIA.call(&server, "/api/session", payment("T-1", "COP", 100), 200);
    let id = &made["requestId"];
    for _ in 0..2 {
        pay(&server, id, &json!({ "card": "4110760000000016" }), 200);
    }
    assert_eq!(status(&query(&server, id)), ("REJECTED", "XN"));
    let challenged = json!({ "card": "4110760000000008" });
    let made = COLOMBIA.call(&server, "/api/session", payment("T-2", "COP", 100), 200);
    let id = &made["requestId"];
    assert_eq!(pay(&server, id, &challenged, 200)["outcome"], "challenge");
    assert_eq!(query(&server, id)["payment"], Value::Null);
    let failed = pay(&server, id, &json!({ "otp": "99999" }), 200);
    assert_eq!(
        (&failed["outcome"], &failed["reason"]),
        (&json!("rejected"), &json!("authentication"))
    );
    assert_eq!(status(&query(&server, id)["payment"][0]), ("REJECTED", "OT"));
    assert_eq!(pay(&server, id, &challenged, 200)["outcome"], "challenge");
    assert_eq!(pay(&server, id, &json!({ "otp": "12345" }), 200)["outcome"], "approved");
    assert_eq!(status(&query(&server, id)), ("APPROVED", "00"));
}

fn a_challenge_that_a_program_began_is_answered_on_the_page(place: &Place) {
    let server = Server::start(place);
    for (code, outcome) in [("99999", ("PENDING", "PC")), ("12345", ("APPROVED", "00"))] {
        let made = COLOMBIA.call(&server, "/api/session", payment(code, "COP", 100), 200);
        let id = &made["requestId"];
        let challenged = json!({ "card": "4110760000000008" });
        assert_eq!(pay(&server, id, &challenged, 200)["outcome"], "challenge");
        let url = made["processUrl"].as_str().unwrap();
        let page = url.strip_prefix(&format!("http://{}", server.address)).unwrap();
        let shown = server.send(&Call::get(page)).expect(200);
        let html = String::from_utf8(shown.body).unwrap();
        assert!(html.contains("name=\"otp\"") && html.contains("0008"), "{html}");
        let answer = json!({ "action": "otp", "otp": code });
        server.send(&Call::new("POST", page).json(&answer)).expect(200);
        assert_eq!(status(&query(&server, id)), outcome);
        // And what the page has answered waits no longer: another card, or a session that is over.
        let again = if code == "12345" { 409 } else { 200 };
        pay(&server, id, &json!({ "otp": "12345" }), again);
    }
}

fn sessions_are_cancelled_abandoned_and_expire(place: &Place) {
    let server = Server::start(place);
    let make = |reference: &str| {
        COLOMBIA.call(&server, "/api/session", payment(reference, "COP", 100), 200)["requestId"]
            .clone()
    };
    let (cancelled, abandoned, expiring, paid) = (make("A"), make("B"), make("C"), make("D"));
    let path = format!("/api/session/{cancelled}/cancel");
    let answer = COLOMBIA.call(&server, &path, json!({}), 200);
    assert_eq!(status(&answer), ("OK", "00"));
    assert_eq!(status(&answer["session"]), ("REJECTED", "MC"));
    assert_eq!(answer["session"]["requestId"], cancelled);
    let again = COLOMBIA.call(&server, &path, json!({}), 400);
    assert_eq!(status(&again), ("FAILED", "action_not_allowed"));
    let outcome =
        server.control("POST", &format!("/sessions/{abandoned}/abandon"), &Value::Null, 200);
    assert_eq!(outcome["outcome"], "canceled");
    assert_eq!(status(&query(&server, &abandoned)), ("REJECTED", "?C"));
    pay(&server, &paid, &json!({}), 200);
    COLOMBIA.call(&server, &format!("/api/session/{paid}/cancel"), json!({}), 400);
    server.control("POST", "/clock/advance", &json!({ "seconds": 1801 }), 200);
    assert_eq!(status(&query(&server, &expiring)), ("REJECTED", "EX"));
    assert_eq!(status(&query(&server, &paid)), ("APPROVED", "00"));
    COLOMBIA.call(&server, "/api/session/x", json!({}), 404);
    let missing = COLOMBIA.call(&server, "/api/session/2147483646/cancel", json!({}), 404);
    assert_eq!(missing["status"]["message"], "No existe la sesión que busca");
}

fn a_payment_in_parts(place: &Place) {
    let server = Server::start(place);
    let mut body = payment("PARTS", "COP", 100);
    body["payment"]["allowPartial"] = json!(true);
    let id = COLOMBIA.call(&server, "/api/session", body.clone(), 200)["requestId"].clone();
    pay(&server, &id, &json!({ "amount_minor": 6_000 }), 200);
    assert_eq!(status(&query(&server, &id)), ("APPROVED_PARTIAL", "P0"));
    pay(&server, &id, &json!({ "amount_minor": 6_000 }), 409);
    pay(&server, &id, &json!({}), 200);
    let done = query(&server, &id);
    assert_eq!(status(&done), ("APPROVED", "00"));
    assert_eq!(done["payment"][0]["amount"]["from"]["total"], 40);
    assert_eq!(done["payment"][1]["amount"]["from"]["total"], 60);
    let id = COLOMBIA.call(&server, "/api/session", body, 200)["requestId"].clone();
    pay(&server, &id, &json!({ "amount_minor": 6_000 }), 200);
    server.control("POST", "/clock/advance", &json!({ "seconds": 1801 }), 200);
    assert_eq!(status(&query(&server, &id)), ("PARTIAL_EXPIRED", "PX"));
}

fn amounts_dispersion_and_modifiers_are_kept(place: &Place) {
    let server = Server::start(place);
    let mut body = payment("MORE", "USD", 0);
    body["payment"]["amount"]["total"] = json!(576.9875);
    body["payment"]["dispersion"] = json!([
        { "amount": { "currency": "USD", "total": 500 }, "agreement": "122",
          "agreementType": "AIRLINE" },
        { "amount": { "currency": "USD", "total": 76.99 } }]);
    let id = COLOMBIA.call(&server, "/api/session", body, 200)["requestId"].clone();
    pay(&server, &id, &json!({}), 200);
    let done = query(&server, &id);
    assert_eq!(done["request"]["payment"]["amount"]["total"], 576.99);
    assert_eq!(done["payment"][0]["dispersion"][0]["agreement"], "122");
    let mut body = payment("LESS", "COP", 199_000);
    body["payment"]["modifiers"] = json!([{ "type": "FEDERAL_GOVERMENT", "code": "17934",
        "additional": { "invoice": "123456789" } }]);
    let id = COLOMBIA.call(&server, "/api/session", body, 200)["requestId"].clone();
    pay(&server, &id, &json!({}), 200);
    let transaction = &query(&server, &id)["payment"][0];
    let discount = json!({ "base": 199_000, "code": "17934", "type": "FEDERAL_GOVERNMENT",
        "amount": 9_950, "percent": "5.0000" });
    assert_eq!(transaction["discount"], discount);
    assert_eq!(transaction["amount"]["from"]["total"], 189_050);
}

fn what_a_session_must_have(place: &Place) {
    let server = Server::start(place);
    let soon = crate::shop::at(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() + 60);
    let table = [
        ("payment", Value::Null, "payment"),
        ("returnUrl", Value::Null, "returnUrl"),
        ("returnUrl", json!("javascript://x"), "returnUrl"),
        ("ipAddress", Value::Null, "ipAddress"),
        ("userAgent", json!(""), "userAgent"),
        ("expiration", json!(soon), "expiration"),
        ("expiration", json!("mañana"), "expiration"),
        ("type", json!("autopay"), "type"),
        ("skipResult", json!("perhaps"), "skipResult"),
        ("metadata", json!({ "initiatorIndicator": "X" }), "metadata.initiatorIndicator"),
    ];
    for (name, value, field) in table {
        let mut body = payment("S-1", "COP", 100);
        body[name] = value;
        let answer = COLOMBIA.call(&server, "/api/session", body, 400);
        assert_eq!(status(&answer), ("FAILED", "request_not_valid"), "{name}");
        assert!(answer["status"]["message"].as_str().unwrap().contains(field), "{answer}");
    }
    let mut lenient = payment("S-2", "COP", 100);
    lenient["locale"] = json!("xx");
    lenient["captureAddress"] = json!(true);
    lenient["noBuyerFill"] = json!(false);
    lenient["subscription"] = Value::Null;
    let made = COLOMBIA.call(&server, "/api/session", lenient, 200);
    let sample = json!({ "requestId": 1, "request": { "locale": "es_CO", "returnUrl": "",
        "ipAddress": "", "userAgent": "", "expiration": "", "fields": [{ "keyword": "" }],
        "payment": { "allowPartial": false, "subscribe": false } } });
    assert_shape("query", &sample, &query(&server, &made["requestId"]));
}

fn the_control_api_lists_sessions_cards_and_notifications(place: &Place) {
    let server = Server::start(place);
    let receiver = crate::receiver::Receiver::start("");
    let setting = format!("/merchants/{}", COLOMBIA.login);
    let webhook = json!({ "webhook": { "url": receiver.url("/n") } });
    server.control("PATCH", &setting, &webhook, 200);
    let token = COLOMBIA.token(&server, "4111111111111111");
    for (reference, total) in [("L-1", 100), ("L-2", 200)] {
        let body = crate::shop::collect(reference, total, &token);
        COLOMBIA.call(&server, "/api/collect", body, 200);
    }
    CHILE.call(&server, "/api/session", payment("L-3", "CLP", 5), 200);
    receiver.wait_for(1);
    let list = |plural: &str, query: &str| {
        let page = server.control("GET", &format!("/{plural}?{query}"), &Value::Null, 200);
        page[plural.split('?').next().unwrap()].as_array().unwrap().clone()
    };
    let references = |rows: Vec<Value>| -> Vec<Value> {
        rows.iter().map(|row| row["reference"].clone()).collect()
    };
    let all = list("sessions", "");
    assert_eq!(references(all.clone()), ["L-3", "L-2", "L-1", "SUB-77"]);
    let document = server.send(&Call::get("/openapi/control.json")).expect(200).json();
    let example = |path: &str, plural: &str| {
        let content = &document["paths"][path]["get"]["responses"]["200"]["content"];
        let content = &content["application/json"];
        let whole = content.get("example").unwrap_or(&content["examples"]).clone();
        let whole = if whole.get(plural).is_some() { whole } else { whole["0"]["value"].clone() };
        whole[plural][0].clone()
    };
    assert_shape("session", &example("/_cobro/v1/sessions", "sessions"), &all[1]);
    assert_eq!(all[1]["payments"][0]["outcome"], "approved");
    let of = |login: &str| format!("merchant={login}");
    let colombian = list("sessions", &of(COLOMBIA.login));
    assert_eq!(references(colombian), ["L-2", "L-1", "SUB-77"]);
    let direct = format!("kind=direct&{}", of(COLOMBIA.login));
    assert_eq!(references(list("sessions", &direct)), ["L-2", "L-1"]);
    assert_eq!(references(list("sessions", "kind=page")), ["L-3", "SUB-77"]);
    let page = server.control("GET", "/sessions?limit=3", &Value::Null, 200);
    let next = format!("/sessions?limit=3&cursor={}", page["next"].as_str().unwrap());
    let page = server.control("GET", &next, &Value::Null, 200);
    assert_eq!((page["sessions"].as_array().unwrap().len(), &page["next"]), (1, &Value::Null));
    let second = COLOMBIA.token(&server, "5367680000000005");
    let page = server.control("GET", "/cards?limit=1", &Value::Null, 200);
    assert_shape("card", &example("/_cobro/v1/cards", "cards"), &page["cards"][0]);
    assert_eq!(page["cards"][0]["last_digits"], "0005");
    let rest = format!("/cards?limit=1&cursor={}", page["next"].as_str().unwrap());
    let rest = server.control("GET", &rest, &Value::Null, 200);
    assert_eq!((&rest["cards"][0]["last_digits"], &rest["next"]), (&json!("1111"), &Value::Null));
    let shown = page.to_string() + &rest.to_string();
    assert!(shown.contains(&format!("****{}", &second[60..])));
    assert!(!shown.contains(&token[..60]) && !shown.contains(&second[..60]));
    assert_eq!(list("cards", &of(CHILE.login)), [Value::Null; 0]);
    receiver.wait_for(2);
    assert_eq!(list("deliveries", &of(COLOMBIA.login)).len(), 2);
    assert_eq!(list("deliveries", &of(CHILE.login)).len(), 0);
    for (path, status) in
        [("/sessions?kind=x", 400), ("/sessions?merchant=nobody", 404), ("/cards?cursor=x", 400)]
    {
        server.control("GET", path, &Value::Null, status);
    }
}
