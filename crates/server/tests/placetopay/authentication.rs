//! Who is let in: reference, section 1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::server::Server;
use crate::shop::{CHILE, COLOMBIA, at, now, send, sha1, sha256};

crate::on_both!(
    digests_of_every_library_are_accepted,
    failures_have_their_numbers_and_languages,
    paths_and_methods_that_are_not_there_answer_in_the_apis_own_form,
);

fn failure(answer: &Value) -> (i64, String) {
    let status = &answer["status"];
    assert_eq!(status["status"], "FAILED");
    let message = status["message"].as_str().unwrap();
    (status["reason"].as_i64().unwrap(), message.to_owned())
}

fn digests_of_every_library_are_accepted(place: &Place) {
    let server = Server::start(place);
    let seconds = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let minute = at(seconds).get(..16).unwrap().to_owned();
    let query = |auth: &Value| send(&server, "/api/session/1", &json!({ "auth": auth })).status;
    let text = BASE64.encode("6149ed880b3a7");
    let table: [(&[u8], String); 6] = [
        (b"6149ed880b3a7", now()),
        (text.as_bytes(), now()),
        (&[0xff, 0x00, 0xfe], now()),
        (b"x", format!("{minute}+0000")),
        (b"x", at(seconds - 240)),
        (b"x", format!("{}.335Z", at(seconds).get(..19).unwrap())),
    ];
    for (nonce, seed) in &table {
        for tran_key in [sha256(nonce, seed, COLOMBIA.secret), sha1(nonce, seed, COLOMBIA.secret)] {
            let auth = json!({ "login": COLOMBIA.login, "tranKey": tran_key, "seed": seed,
                "nonce": BASE64.encode(nonce), "additional": [] });
            // Whoever is let in is told that the session does not exist.
            assert_eq!(query(&auth), 404, "{seed}");
        }
    }
    let setting = format!("/merchants/{}", COLOMBIA.login);
    server.control("PATCH", &setting, &json!({ "refuse_sha1": true }), 200);
    let seed = now();
    let mut auth = json!({ "login": COLOMBIA.login, "seed": seed, "nonce": "eA==",
        "tranKey": sha1(b"x", &seed, COLOMBIA.secret) });
    assert_eq!(query(&auth), 401);
    auth["tranKey"] = json!(sha256(b"x", &seed, COLOMBIA.secret));
    assert_eq!(query(&auth), 404);
}

fn failures_have_their_numbers_and_languages(place: &Place) {
    let server = Server::start(place);
    let seconds = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let good = COLOMBIA.auth();
    let changed = |name: &str, value: Value| {
        let mut auth = good.clone();
        auth[name] = value;
        auth
    };
    let old = at(seconds - 400);
    let mut wrong_time = changed("seed", json!(old));
    wrong_time["tranKey"] = json!(sha256(b"x", &old, COLOMBIA.secret));
    wrong_time["nonce"] = json!("eA==");
    let table = [
        (Value::Null, 100),
        (json!([]), 100),
        (changed("login", json!("")), 100),
        (changed("nonce", json!(7)), 100),
        (changed("login", json!("nobody")), 101),
        (changed("login", json!(CHILE.login)), 102),
        (changed("tranKey", json!("AAAA")), 102),
        (changed("tranKey", json!("???")), 102),
        (changed("nonce", json!("AAAA")), 102),
        (wrong_time, 103),
        (changed("seed", json!("ayer")), 103),
    ];
    for (auth, code) in table {
        for path in ["/api/session", "/api/collect", "/api/reverse", "/api/session/1"] {
            let answer = send(&server, path, &json!({ "auth": auth })).expect(401).json();
            assert_eq!(failure(&answer), (401, format!("Autenticación fallida {code}")), "{auth}");
        }
        let english = json!({ "auth": auth, "locale": "en_US" });
        let answer = send(&server, "/api/collect", &english).expect(401).json();
        assert_eq!(failure(&answer).1, format!("Authentication failed {code}"));
    }
    for body in ["", "no JSON", "[]", "{\"auth\":"] {
        let call = Call::new("POST", "/api/collect").body(body);
        let answer = server.send(&call).expect(401).json();
        assert!(failure(&answer).1.ends_with("100"), "{body}");
    }
    for (state, code) in [("inactive", 104), ("expired", 105), ("credentials_expired", 106)] {
        let path = format!("/merchants/{}", COLOMBIA.login);
        server.control("PATCH", &path, &json!({ "state": state }), 200);
        let body = json!({ "auth": COLOMBIA.auth() });
        let answer = send(&server, "/api/session", &body).expect(401).json();
        assert_eq!(failure(&answer), (401, format!("Autenticación fallida {code}")));
        server.control("PATCH", &path, &json!({ "state": "active" }), 200);
    }
    COLOMBIA.call(&server, "/api/session/1", json!({}), 404);
}

fn paths_and_methods_that_are_not_there_answer_in_the_apis_own_form(place: &Place) {
    let server = Server::start(place);
    let table = [
        ("POST", "/api/nothing", 404),
        ("POST", "/placetopay/api/nothing", 404),
        ("POST", "/placetopay/nothing", 404),
        ("GET", "/api/collect", 405),
        ("GET", "/placetopay/api/session/1", 405),
    ];
    for (method, path, status) in table {
        let answer = server.send(&Call::new(method, path)).expect(status).json();
        assert_eq!(answer["status"]["status"], "FAILED", "{path}");
        assert_eq!(answer["status"]["reason"], "NA", "{path}");
        assert_eq!(answer["status"]["message"], "Pagina no encontrada", "{path}");
    }
    let large = Call::new("POST", "/api/collect").body(vec![b'x'; 2 << 20]);
    assert_eq!(server.send(&large).expect(413).json()["status"]["status"], "FAILED");
    let document = server.send(&Call::get("/openapi/placetopay.json")).expect(200).json();
    assert!(document["paths"]["/api/collect"]["post"].is_object());
}

#[test]
fn worlds_have_sites_of_their_own() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let world = server.control("POST", "/worlds", &json!({ "name": "otra" }), 201);
    let sites = world["placetopay"]["sites"].as_array().unwrap();
    assert_eq!(sites.len(), 2);
    let (login, secret) =
        (sites[0]["login"].as_str().unwrap(), sites[0]["secret_key"].as_str().unwrap());
    assert_ne!(login, COLOMBIA.login);
    let seed = now();
    let mut body = crate::shop::subscription();
    body["auth"] = json!({ "login": login, "seed": seed, "nonce": "eA==",
        "tranKey": sha256(b"x", &seed, secret) });
    let made = send(&server, "/api/session", &body).expect(200).json();
    let url = made["processUrl"].as_str().unwrap();
    let tag = world["id"].as_str().unwrap().strip_prefix("w_").unwrap();
    assert!(url.rsplit('/').next().unwrap().starts_with(tag), "{url}");
    // Another world's session is nobody's here.
    let id = made["requestId"].as_i64().unwrap();
    COLOMBIA.call(&server, &format!("/api/session/{id}"), json!({}), 404);
    let demo = server.control("GET", "/worlds/demo", &Value::Null, 200);
    assert_eq!(demo["placetopay"]["sites"][0]["login"], COLOMBIA.login);
    assert_eq!(demo["placetopay"]["sites"][1]["secret_key"], CHILE.secret);
}
