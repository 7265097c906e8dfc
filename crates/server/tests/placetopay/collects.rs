//! Charges of stored cards: outcomes, duplicates, races, lenient input.

use serde_json::{Value, json};

use crate::place::Place;
use crate::server::Server;
use crate::shop::{CHILE, COLOMBIA, charges, collect, keyword, payer, send, status};

crate::on_both!(
    cards_do_what_they_are_published_to_do,
    pending_charges_resolve_with_the_clock,
    the_same_charge_is_made_once_a_day,
    sixty_four_identical_collects_are_one_charge_and_one_body,
    collect_and_invalidate_at_once_are_a_charge_or_a_refusal,
    what_libraries_send_is_accepted,
    what_breaks_a_rule_is_refused_and_leaves_no_trace,
    a_card_that_has_expired_is_rejected,
);

fn cards_do_what_they_are_published_to_do(place: &Place) {
    let server = Server::start(place);
    let table = [
        ("4110760000000081", ("APPROVED", "00"), Some(("APPROVED", "00"))),
        ("4110760000000016", ("REJECTED", "XN"), Some(("REJECTED", "05"))),
        ("4110760000000073", ("PENDING", "PT"), None),
        ("4110760000000024", ("PENDING", "PT"), None),
        ("4110760000000115", ("PENDING", "PT"), None),
        ("4110760000000065", ("REJECTED", "XN"), Some(("FAILED", "XH"))),
        ("4110760000000057", ("APPROVED", "00"), Some(("APPROVED", "00"))),
        ("4012888888881881", ("APPROVED", "00"), Some(("APPROVED", "00"))),
        ("5903090000000000", ("APPROVED", "00"), Some(("APPROVED", "00"))),
        ("5077120000008725945", ("APPROVED", "00"), Some(("APPROVED", "00"))),
    ];
    for (card, outer, inner) in table {
        let token = COLOMBIA.token(&server, card);
        let answer = COLOMBIA.call(&server, "/api/collect", collect(card, 45_900, &token), 200);
        assert_eq!(status(&answer), outer, "{card}");
        match inner {
            Some(inner) => assert_eq!(status(&answer["payment"][0]), inner, "{card}"),
            None => assert_eq!(answer["payment"], Value::Null, "{card}"),
        }
        if outer.0 == "REJECTED" {
            assert_eq!(answer["payment"][0]["authorization"], "000000", "{card}");
        }
        assert_eq!(answer["subscription"], Value::Null);
    }
    // Two hundred dollars and more are too much for one of them.
    let token = COLOMBIA.token(&server, "4110760000000057");
    let mut body = collect("LIMIT", 200, &token);
    body["payment"]["amount"]["currency"] = json!("USD");
    let answer = COLOMBIA.call(&server, "/api/collect", body, 200);
    assert_eq!(status(&answer["payment"][0]), ("REJECTED", "61"));
}

fn pending_charges_resolve_with_the_clock(place: &Place) {
    let server = Server::start(place);
    let table = [
        ("4110760000000073", 30, ("APPROVED", "00")),
        ("4048370000000037", 30, ("REJECTED", "XN")),
        ("4110760000000024", 180, ("APPROVED", "00")),
    ];
    for (card, after_s, outcome) in table {
        let token = COLOMBIA.token(&server, card);
        let body = COLOMBIA.signed(collect(card, 45_900, &token));
        let first = send(&server, "/api/collect", &body).expect(200);
        let id = first.json()["requestId"].as_i64().unwrap();
        let path = format!("/api/session/{id}");
        server.control("POST", "/clock/advance", &json!({ "seconds": after_s - 5 }), 200);
        let answer = COLOMBIA.call(&server, &path, json!({}), 200);
        assert_eq!(status(&answer), ("PENDING", "PT"), "{card}");
        server.control("POST", "/clock/advance", &json!({ "seconds": 10 }), 200);
        let answer = COLOMBIA.call(&server, &path, json!({}), 200);
        assert_eq!(status(&answer), outcome, "{card}");
        assert_eq!(answer["payment"].as_array().unwrap().len(), 1);
        // The same request again gets what it got.
        assert_eq!(send(&server, "/api/collect", &body).expect(200).body, first.body);
    }
}

fn the_same_charge_is_made_once_a_day(place: &Place) {
    let server = Server::start(place);
    let token = COLOMBIA.token(&server, "4111111111111111");
    let other = COLOMBIA.token(&server, "4110760000000081");
    let again = |body: Value| COLOMBIA.call(&server, "/api/collect", body, 200);
    let first = again(collect("R-1", 100, &token));
    assert_eq!(again(collect("R-1", 100, &token)), first);
    assert_eq!(again(collect("R-1", 100, &other)), first, "the token is not part of it");
    assert_ne!(again(collect("R-1", 101, &token))["requestId"], first["requestId"]);
    assert_ne!(again(collect("R-2", 100, &token))["requestId"], first["requestId"]);
    server.control("POST", "/clock/advance", &json!({ "seconds": 24 * 3600 + 1 }), 200);
    assert_ne!(again(collect("R-1", 100, &token))["requestId"], first["requestId"]);
    // A charge that was rejected may be tried again.
    let rejecting = COLOMBIA.token(&server, "4110760000000016");
    let rejected = again(collect("R-3", 100, &rejecting));
    assert_eq!(rejected["status"]["status"], "REJECTED");
    let approved = again(collect("R-3", 100, &token));
    assert_eq!(approved["status"]["status"], "APPROVED");
    assert_eq!(again(collect("R-3", 100, &rejecting)), approved);
}

fn sixty_four_identical_collects_are_one_charge_and_one_body(place: &Place) {
    let server = Server::start(place);
    let token = COLOMBIA.token(&server, "4111111111111111");
    let identical = COLOMBIA.signed(collect("SAME", 45_900, &token));
    for with_fresh_nonce in [false, true] {
        let before = charges(&server);
        let bodies: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let tasks: Vec<_> = (0..64)
                .map(|_| {
                    let (server, identical, token) = (&server, &identical, &token);
                    scope.spawn(move || {
                        let fresh = || COLOMBIA.signed(collect("FRESH", 45_900, token));
                        let body = if with_fresh_nonce { fresh() } else { identical.clone() };
                        send(server, "/api/collect", &body).expect(200).body
                    })
                })
                .collect();
            tasks.into_iter().map(|task| task.join().unwrap()).collect()
        });
        assert_eq!(charges(&server), before + 1);
        let first: Value = serde_json::from_slice(&bodies[0]).unwrap();
        assert_eq!(first["status"]["status"], "APPROVED");
        assert!(bodies.iter().all(|body| *body == bodies[0]));
    }
}

fn collect_and_invalidate_at_once_are_a_charge_or_a_refusal(place: &Place) {
    let server = Server::start(place);
    for round in 0..12 {
        let token = COLOMBIA.token(&server, "4111111111111111");
        let before = charges(&server);
        let reference = format!("RACE-{round}");
        let answers = std::thread::scope(|scope| {
            let (server, token) = (&server, &token);
            let body = json!({ "instrument": { "token": { "token": token } } });
            let invalidating =
                scope.spawn(move || COLOMBIA.call(server, "/api/instrument/invalidate", body, 200));
            let collecting = scope.spawn(move || {
                let body = COLOMBIA.signed(collect(&reference, 100, token));
                send(server, "/api/collect", &body)
            });
            invalidating.join().unwrap();
            collecting.join().unwrap()
        });
        let body = answers.json();
        match answers.status {
            200 => {
                assert_eq!(body["status"]["status"], "APPROVED");
                assert_eq!(charges(&server), before + 1);
            }
            status => {
                assert_eq!((status, &body["status"]["reason"]), (400, &json!("XN")));
                assert_eq!(charges(&server), before);
            }
        }
    }
}

fn what_libraries_send_is_accepted(place: &Place) {
    let server = Server::start(place);
    let query = COLOMBIA.subscribe(&server, "4111111111111111");
    let instrument = &query["subscription"]["instrument"];
    let (token, subtoken) = (keyword(instrument, "token"), keyword(instrument, "subtoken"));
    assert!(subtoken.ends_with("1111") && subtoken.len() == 16);
    let number: i64 = subtoken.parse().unwrap();
    let table = [
        json!({ "token": { "token": token, "installments": "0" } }),
        json!({ "token": { "subtoken": subtoken } }),
        json!({ "token": { "subtoken": number } }),
        json!({ "token": { "token": token, "subtoken": subtoken, "installments": 12 } }),
        json!({ "token": token }),
        json!({ "token": { "token": token }, "pocket": "20", "credit": null }),
    ];
    for (place, instrument) in table.iter().enumerate() {
        let mut body = collect(&format!("L-{place}"), 1, &token);
        body["instrument"] = instrument.clone();
        body["payment"]["amount"]["total"] = json!("45900");
        body["payer"] = json!([]);
        let answer = COLOMBIA.call(&server, "/api/collect", body, 200);
        assert_eq!(answer["status"]["status"], "APPROVED", "{instrument}");
        let request = &answer["request"];
        assert!(request["returnUrl"].as_str().unwrap().ends_with("/home"));
        for name in ["ipAddress", "userAgent", "expiration"] {
            assert!(request[name].is_string(), "{name}");
        }
        assert_eq!(request["payment"]["amount"]["total"], 45_900);
    }
    let found = COLOMBIA.call(
        &server,
        "/api/gateway/token",
        json!({ "instrument": { "token": { "subtoken": subtoken } } }),
        200,
    );
    assert_eq!(found["data"]["token"], token.as_str());
    assert_eq!(found["data"]["owner"], "ROSA LEMUS");
    let needed = json!({ "instrument": { "token": { "token": token } } });
    let needed = COLOMBIA.call(&server, "/api/gateway/information", needed, 200);
    assert_eq!(status(&needed), ("OK", "00"));
}

fn what_breaks_a_rule_is_refused_and_leaves_no_trace(place: &Place) {
    let server = Server::start(place);
    let token = COLOMBIA.token(&server, "4111111111111111");
    let before = server.traces();
    let changed = |pointer: &str, value: Value| {
        let mut body = collect("E-1", 100, &token);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let mut with_card = collect("E-1", 100, &token);
    with_card["instrument"]["card"] = json!({ "number": "4111111111111111" });
    let mut with_type = collect("E-1", 100, &token);
    with_type["type"] = json!("other");
    let mut with_initiator = collect("E-1", 100, &token);
    with_initiator["metadata"] = json!({ "initiatorIndicator": "NOBODY" });
    let mut with_code = collect("E-1", 100, &token);
    with_code["instrument"]["token"]["cvv"] = json!("12");
    let mut with_payer = collect("E-1", 100, &token);
    with_payer["payer"] = json!({ "name": "4111 1111 1111 1111" });
    let invalid = "request_not_valid";
    let table = [
        (changed("/payment", Value::Null), invalid, "payment"),
        (changed("/payment/reference", json!("")), invalid, "payment.reference"),
        (changed("/payment/amount", json!({})), invalid, "payment.amount.currency"),
        (changed("/payment/amount/total", json!(0)), invalid, "payment.amount.total"),
        (changed("/instrument", Value::Null), invalid, "instrument"),
        (changed("/instrument/token", json!({})), invalid, "instrument.token"),
        (changed("/instrument/token/token", json!("unknown")), "XN", "token"),
        (with_card, invalid, "instrument.card"),
        (with_type, invalid, "type"),
        (with_initiator, invalid, "metadata.initiatorIndicator"),
        (with_code, invalid, "instrument.token.cvv"),
        (with_payer, "payer_data_not_valid", ""),
    ];
    for (body, reason, field) in table {
        let answer = COLOMBIA.call(&server, "/api/collect", body.clone(), 400);
        assert_eq!(status(&answer), ("FAILED", reason), "{body}");
        assert!(answer["status"]["message"].as_str().unwrap().contains(field), "{answer}");
        assert_eq!(answer.as_object().unwrap().len(), 1);
    }
    // Another site's token is nobody's.
    let answer = CHILE.call(&server, "/api/collect", collect("E-1", 100, &token), 400);
    assert_eq!(status(&answer), ("FAILED", "XN"));
    assert_eq!(server.traces(), before);
    let setting = format!("/merchants/{}", COLOMBIA.login);
    server.control("PATCH", &setting, &json!({ "strict_collect": true }), 200);
    COLOMBIA.call(&server, "/api/collect", collect("E-1", 100, &token), 400);
    let mut strict = collect("E-1", 100, &token);
    strict["payment"]["description"] = json!("Prueba");
    strict["payer"] = payer();
    strict["ipAddress"] = json!("127.0.0.1");
    strict["userAgent"] = json!("Tienda/1.0");
    COLOMBIA.call(&server, "/api/collect", strict, 200);
}

fn a_card_that_has_expired_is_rejected(place: &Place) {
    let server = Server::start(place);
    let made = COLOMBIA.call(&server, "/api/session", crate::shop::subscription(), 200);
    let path = format!("/sessions/{}/pay", made["requestId"]);
    let year = &crate::shop::now()[2..4];
    let card = json!({ "number": "4111111111111111", "expiration": format!("12/{year}") });
    server.control("POST", &path, &json!({ "card": card }), 200);
    let query = format!("/api/session/{}", made["requestId"]);
    let query = COLOMBIA.call(&server, &query, json!({}), 200);
    let token = keyword(&query["subscription"]["instrument"], "token");
    server.control("POST", "/clock/advance", &json!({ "seconds": 400 * 24 * 3600 }), 200);
    let answer = COLOMBIA.call(&server, "/api/collect", collect("OLD", 100, &token), 200);
    assert_eq!(status(&answer), ("REJECTED", "XN"));
    assert_eq!(status(&answer["payment"][0]), ("REJECTED", "54"));
}
