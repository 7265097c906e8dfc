//! Users: seed 003, section 1; reference, section 11.

use serde_json::{Value, json};

use crate::ask;
use crate::http::Call;
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

const DAY_S: i64 = 86_400;

fn make(server: &Server<'_>, token: &str, site: &str, status: u16) -> Value {
    ask(server, token, ("POST", "/users/test_user"), &json!({ "site_id": site }), status)
}

/// A test user as a seller, with a token as the contract says.
fn seller<'s>(server: &'s Server<'s>, user: &Value) -> Seller<'s> {
    let code = server.control("POST", "/oauth/codes", &json!({ "user_id": user["id"] }), 201);
    let body = json!({
        "client_id": "1000000000000001",
        "client_secret": "secreto-de-la-aplicacion-demo-01",
        "code": code["code"],
        "grant_type": "authorization_code",
    });
    let answer = server.send(&Call::new("POST", "/oauth/token").json(&body)).expect(200).json();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let devices = ask(server, &token, ("GET", "/point/integration-api/devices"), &Value::Null, 200);
    assert_eq!(devices["paging"]["total"], 1, "{devices}");
    assert_eq!(devices["devices"][0]["operating_mode"], "PDV");
    let device = devices["devices"][0]["id"].as_str().unwrap();
    let user_id = user["id"].as_i64().unwrap();
    let demo = Seller::demo(server, "MLA");
    let mut seller = demo.at(device);
    (seller.token, seller.user_id) = (token, user_id);
    seller
}

fn test_users_are_sellers(place: &Place) {
    let server = Server::start(place);
    let demo = Seller::demo(&server, "MLA");
    for (site, country, model) in [
        ("MLA", "AR", "PAX_A910__"),
        ("MLB", "BR", "GERTEC_MP35P__"),
        ("MLM", "MX", "NEWLAND_N950__"),
    ] {
        let user = make(&server, &demo.token, site, 201);
        let names: Vec<_> = user.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["email", "id", "nickname", "password", "site_status"]);
        let text = |name: &str| user[name].as_str().unwrap();
        assert_eq!(text("email"), format!("test_user_{}@testuser.com", user["id"]));
        assert!(text("nickname").starts_with("TEST") && text("password").starts_with("qatest"));
        assert_eq!(text("site_status"), "active");
        let seller = seller(&server, &user);
        assert!(seller.device.starts_with(model), "{}", seller.device);
        let me = seller.get("/users/me");
        assert_eq!(
            (&me["id"], &me["site_id"], &me["country_id"], &me["tags"], &me["nickname"]),
            (
                &user["id"],
                &json!(site),
                &json!(country),
                &json!(["normal", "test_user"]),
                &user["nickname"]
            )
        );
        let receiver = seller.subscribe();
        let (intent, payment) = seller.pay(150_000);
        let told = receiver.told(&intent, "FINISHED");
        assert_eq!(told.body["caller_id"], user["id"]);
        assert_eq!(seller.payment(&payment)["collector_id"], user["id"]);
        make(&server, &seller.token, site, 403);
        // Its terminal is nobody else's.
        let foreign = demo.at(&seller.device);
        foreign.post(&json!({ "amount": 150_000 })).expect(403);
    }
    let me = demo.get("/users/me");
    assert_eq!((&me["id"], &me["tags"]), (&json!(100_000_001), &json!(["normal"])));

    let body = json!({ "site_id": "MLB", "description": "Caja 1" });
    let user = ask(&server, &demo.token, ("POST", "/users/test"), &body, 201);
    assert_eq!((&user["site_id"], &user["description"]), (&json!("MLB"), &json!("Caja 1")));
    assert_eq!(user["date_created"], user["date_last_updated"]);
    seller(&server, &user).pay(150_000);
    for (target, body, message) in [
        ("/users/test_user", json!({}), "site_id is required"),
        ("/users/test_user", json!({ "site_id": "MLC" }), "site_id must be one of the following"),
        ("/users/test", json!({ "site_id": "MLA" }), "description is required"),
        ("/users/test", json!({ "description": "x" }), "site_id is required"),
    ] {
        let error = ask(&server, &demo.token, ("POST", target), &body, 400);
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
    server.send(&Call::get("/users/me")).expect(401);
    // The demo world is described as before.
    let world = server.control("GET", "/worlds/demo", &Value::Null, 200);
    assert_eq!(world["mercado_pago"]["sellers"].as_array().unwrap().len(), 3);
}

fn ten_at_a_time_for_sixty_days(place: &Place) {
    let server = Server::start(place);
    let demo = Seller::demo(&server, "MLA");
    let users: Vec<Value> = (0..10).map(|_| make(&server, &demo.token, "MLA", 201)).collect();
    let error = make(&server, &demo.token, "MLA", 400);
    assert_eq!(error["message"], "You have reached the limit of 10 test users");
    // Everybody has ten.
    let other = Seller::demo(&server, "MLB");
    make(&server, &other.token, "MLB", 201);

    let (busy, idle) = (seller(&server, &users[0]), seller(&server, &users[1]));
    demo.advance(30 * DAY_S);
    busy.get("/users/me");
    demo.advance(30 * DAY_S - 3600);
    idle_still_counts(&server, &demo);
    demo.advance(3600 + 120);
    for _ in 0..9 {
        make(&server, &demo.token, "MLM", 201);
    }
    make(&server, &demo.token, "MLM", 400);
    ask(&server, &idle.token, ("GET", "/users/me"), &Value::Null, 401);
    let user = json!({ "user_id": users[2]["id"] });
    server.control("POST", "/oauth/codes", &user, 404);
    busy.pay(150_000);
    let busy = busy.token;
    drop(server);

    let server = Server::start(place);
    let demo = Seller::demo(&server, "MLA");
    make(&server, &demo.token, "MLA", 400);
    let me = ask(&server, &busy, ("GET", "/users/me"), &Value::Null, 200);
    assert_eq!(me["id"], users[0]["id"]);
    demo.advance(61 * DAY_S);
    ask(&server, &busy, ("GET", "/users/me"), &Value::Null, 401);
}

/// Before its time is over a test user keeps its place.
fn idle_still_counts(server: &Server<'_>, demo: &Seller<'_>) {
    make(server, &demo.token, "MLA", 400);
}

crate::on_both!(test_users_are_sellers, ten_at_a_time_for_sixty_days);
