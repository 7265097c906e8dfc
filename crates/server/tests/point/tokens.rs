//! `POST /oauth/token` with every grant: reference, section 11.

use serde_json::{Value, json};

use crate::ask;
use crate::http::{Answer, Call};
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

const CLIENT: i64 = 1_000_000_000_000_001;
const SECRET: &str = "secreto-de-la-aplicacion-demo-01";

fn code(server: &Server<'_>, user: i64) -> String {
    let answer = server.control("POST", "/oauth/codes", &json!({ "user_id": user }), 201);
    answer["code"].as_str().unwrap().to_owned()
}

fn token(server: &Server<'_>, members: &Value) -> Answer {
    let mut body = json!({ "client_id": CLIENT.to_string(), "client_secret": SECRET });
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    server.send(&Call::new("POST", "/oauth/token").json(&body))
}

fn with_code(code: &str) -> Value {
    json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": "https://x.example" })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The same seller, with a token of the application's.
fn with_token<'s>(seller: &Seller<'s>, token: &str) -> Seller<'s> {
    let mut seller = seller.clone();
    token.clone_into(&mut seller.token);
    seller
}

/// The seller whose token it is.
fn me(server: &Server<'_>, token: &str, status: u16) -> Value {
    ask(server, token, ("GET", "/users/me"), &Value::Null, status)
}

#[track_caller]
fn refused(answer: Answer, error: &str) {
    let body = answer.expect(400).json();
    assert_eq!(
        (&body["error"], &body["status"], &body["cause"]),
        (&json!(error), &json!(400), &json!([]))
    );
    assert!(!body["message"].as_str().unwrap().is_empty());
}

fn a_seller_consents(place: &Place) {
    let server = Server::start(place);
    let granted = code(&server, 100_000_003);
    let answer = token(&server, &with_code(&granted)).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    let access = text(&body["access_token"]);
    let parts: Vec<&str> = access.split('-').collect();
    assert_eq!((parts[0], parts[1], parts[4]), ("APP_USR", "1000000000000001", "100000003"));
    assert_eq!((parts[2].len(), parts[3].len(), parts.len()), (6, 32, 5));
    assert_eq!(
        (
            &body["token_type"],
            &body["expires_in"],
            &body["scope"],
            &body["user_id"],
            &body["live_mode"]
        ),
        (
            &json!("bearer"),
            &json!(15_552_000),
            &json!("offline_access read write"),
            &json!(100_000_003),
            &json!(true)
        )
    );
    assert!(body["public_key"].as_str().unwrap().starts_with("APP_USR-"));
    let refresh = text(&body["refresh_token"]);
    assert!(refresh.starts_with("TG-") && refresh.ends_with("-100000003"));

    // The integrator works for the seller, beside the seller's own token.
    let own = Seller::demo(&server, "MLM");
    let seller = with_token(&own, &access);
    let (intent, payment) = seller.pay(150_000);
    assert_eq!(own.intent(&intent)["payment"]["id"], *payment);
    assert_eq!(me(&server, &access, 200)["site_id"], "MLM");

    // A code works once, for ten minutes.
    refused(token(&server, &with_code(&granted)), "invalid_grant");
    let late = code(&server, 100_000_003);
    own.advance(599);
    let in_time = code(&server, 100_000_003);
    own.advance(1);
    refused(token(&server, &with_code(&late)), "invalid_grant");
    token(&server, &with_code(&in_time)).expect(200);

    // So does a refresh token; the older token goes on until its time is over.
    let with = |refresh: &str| json!({ "grant_type": "refresh_token", "refresh_token": refresh });
    let next = token(&server, &with(&refresh)).expect(200).json();
    assert_ne!(text(&next["access_token"]), access);
    refused(token(&server, &with(&refresh)), "invalid_grant");
    me(&server, &access, 200);
    let next_refresh = text(&next["refresh_token"]);
    drop(server);
    let server = Server::start(place);
    let own = Seller::demo(&server, "MLM");
    let renewed = token(&server, &with(&next_refresh)).expect(200).json();
    // What is handed in as the wrong kind is none.
    let renewed_refresh = text(&renewed["refresh_token"]);
    refused(token(&server, &with_code(&renewed_refresh)), "invalid_grant");
    own.advance(15_552_000 - 600);
    me(&server, &access, 401);
    me(&server, &text(&renewed["access_token"]), 200);
    own.advance(600);
    me(&server, &text(&renewed["access_token"]), 401);
    refused(token(&server, &with(&renewed_refresh)), "invalid_grant");
    me(&server, &own.token, 200);
}

fn the_application_itself(place: &Place) {
    let server = Server::start(place);
    let own = json!({ "grant_type": "client_credentials" });
    let body = token(&server, &own).expect(200).json();
    assert_eq!((&body["expires_in"], &body["user_id"]), (&json!(21_600), &json!(100_000_001)));
    assert_eq!(body.get("refresh_token"), None);
    let access = text(&body["access_token"]);
    assert_eq!(me(&server, &access, 200)["id"], 100_000_001);
    let test = json!({ "grant_type": "client_credentials", "test_token": true });
    let test = token(&server, &test).expect(200).json();
    assert!(test["access_token"].as_str().unwrap().starts_with("TEST-1000000000000001-"));
    assert_eq!(test["live_mode"], false);
    Seller::demo(&server, "MLA").advance(21_600);
    me(&server, &access, 401);
}

fn forms_and_errors(place: &Place) {
    let server = Server::start(place);
    let granted = code(&server, 100_000_002);
    let form = format!(
        "grant_type=authorization_code&client_id={CLIENT}&client_secret={SECRET}&code={granted}\
         &redirect_uri=https%3A%2F%2Fx.example%2F&code_verifier=v"
    );
    let send = |kind: &str, body: &str| {
        let call = Call::new("POST", "/oauth/token").body(body);
        server.send(&if kind.is_empty() { call } else { call.header("content-type", kind) })
    };
    let body = send("application/x-www-form-urlencoded", &form).expect(200).json();
    assert_eq!(body["user_id"], 100_000_002);
    // As curl and some libraries send it.
    let granted = code(&server, 100_000_002);
    let json = with_code(&granted);
    let json = format!(
        r#"{{"client_id":{CLIENT},"client_secret":"{SECRET}","code":{},"grant_type":"authorization_code"}}"#,
        json["code"]
    );
    assert_eq!(send("", &json).expect(200).json()["user_id"], 100_000_002);

    let granted = code(&server, 100_000_002);
    let merged = |change: Value| {
        let mut body = with_code(&granted);
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (change, error) in [
        (json!({ "client_secret": "wrong" }), "invalid_client"),
        (json!({ "client_id": "7" }), "invalid_client"),
        (json!({ "client_id": "" }), "invalid_request"),
        (json!({ "client_secret": null }), "invalid_request"),
        (json!({ "code": null }), "invalid_request"),
        (json!({ "grant_type": null }), "invalid_request"),
        (json!({ "grant_type": "password" }), "unsupported_grant_type"),
        (json!({ "code": "TG-0123456789abcdef0123456789abcdef-100000002" }), "invalid_grant"),
        (json!({ "code": granted.replace("100000002", "100000001") }), "invalid_grant"),
        (json!({ "code": granted.replace("100000002", "7") }), "invalid_grant"),
        (json!({ "code": "nonsense" }), "invalid_grant"),
    ] {
        refused(token(&server, &merged(change)), error);
    }
    refused(send("application/json", "{"), "invalid_request");
    refused(send("application/json", ""), "invalid_request");
    // None of these has used it up.
    token(&server, &with_code(&granted)).expect(200);
    for body in [json!({ "user_id": 7 }), json!({ "user_id": "c0b70000000000000000000000000001" })]
    {
        server.control("POST", "/oauth/codes", &body, 404);
    }
    for body in [json!({}), json!({ "user_id": 1.5 }), json!({ "user_id": 1, "x": 1 })] {
        server.control("POST", "/oauth/codes", &body, 400);
    }
}

#[test]
fn worlds_have_applications_of_their_own() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let world = server.control("POST", "/worlds", &json!({}), 201);
    let seller = Seller::of(&server, &world, "MLB");
    let body = json!({ "user_id": seller.user_id });
    let granted = seller.control("POST", "/oauth/codes", &body).expect(201).json();
    let granted = text(&granted["code"]);
    let secret = text(&world["mercado_pago"]["client_secret"]);
    assert_ne!(secret, SECRET);
    refused(token(&server, &with_code(&granted)), "invalid_client");
    let mut body = with_code(&granted);
    body["client_secret"] = json!(secret);
    let body = token(&server, &body).expect(200).json();
    assert_eq!(body["user_id"], seller.user_id);
    let with = |token: &Value| with_token(&seller, &text(token));
    with(&body["access_token"]).pay(150_000);
    let renew = json!({ "grant_type": "refresh_token", "client_secret": secret,
                        "refresh_token": body["refresh_token"] });
    let renewed = token(&server, &renew).expect(200).json();
    with(&renewed["access_token"]).pay(150_000);
    let own = json!({ "grant_type": "client_credentials", "client_secret": secret });
    let own = token(&server, &own).expect(200).json();
    let first = Seller::of(&server, &world, "MLA");
    assert_eq!(own["user_id"], first.user_id);
    with_token(&first, &text(&own["access_token"])).pay(150_000);
}

crate::on_both!(forms_and_errors, a_seller_consents, the_application_itself);

#[test]
fn a_code_is_handed_in_as_it_was_asked_for() {
    // The pair of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let place = Place::sqlite();
    let server = Server::start(&place);
    let bound = json!({
        "user_id": 100_000_003, "redirect_uri": "https://tienda.example/vuelta",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let granted = text(&server.control("POST", "/oauth/codes", &bound, 201)["code"]);
    let with = |address: &str, verifier: &str| {
        let mut body = with_code(&granted);
        body["redirect_uri"] = json!(address);
        body["code_verifier"] = json!(verifier);
        token(&server, &body)
    };
    refused(with("https://otra.example/", VERIFIER), "invalid_grant");
    refused(with("https://tienda.example/vuelta", CHALLENGE), "invalid_grant");
    // What was refused used nothing up.
    with("https://tienda.example/vuelta", VERIFIER).expect(200);
    refused(with("https://tienda.example/vuelta", VERIFIER), "invalid_grant");
    for wrong in [json!({ "code_challenge_method": "S512" }), json!({ "redirect_uri": 7 })] {
        let mut body = json!({ "user_id": 100_000_003 });
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        server.control("POST", "/oauth/codes", &body, 400);
    }
}
