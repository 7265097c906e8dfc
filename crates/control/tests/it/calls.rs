//! What holds for every call: access, paths, worlds, lists, the description.

use axum::body::Body;
use cobro_control::Access;
use cobro_surface::endpoint::faults;
use http::Request;
use serde_json::json;

use crate::double::{Sandbox, request};

const PROBLEM: &str = "application/problem+json";

#[tokio::test]
async fn the_description_is_whole() {
    let sandbox = Sandbox::open().await;
    assert_eq!(faults(&sandbox.endpoints), Vec::<String>::new());
    for endpoint in &sandbox.endpoints {
        let statuses: Vec<u16> = endpoint.responses.iter().map(|one| one.status).collect();
        assert!(statuses.contains(&403), "{}", endpoint.id);
        assert!(endpoint.request.is_none() || statuses.contains(&400), "{}", endpoint.id);
        assert!(endpoint.request.is_none() || statuses.contains(&413), "{}", endpoint.id);
    }
    assert_eq!(sandbox.endpoints.len(), 38);
}

#[tokio::test]
async fn paths_that_are_not_there_are_problems() {
    let sandbox = Sandbox::open().await;
    let table = [
        ("GET", "/_cobro", 404),
        ("GET", "/_cobro/", 404),
        ("GET", "/_cobro/v1", 404),
        ("GET", "/_cobro/v1/nothing", 404),
        ("POST", "/_cobro/v1/sessions/1/pay", 404),
        ("POST", "/_cobro/v1/worlds/demo/more", 404),
        ("PUT", "/_cobro/v1/worlds", 405),
        ("DELETE", "/_cobro/v1/clock", 405),
    ];
    for (method, path, status) in table {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let told = sandbox.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((told.status.as_u16(), told.media_type.as_str()), (status, PROBLEM), "{path}");
        assert_eq!(told.body["status"], status);
    }
}

#[tokio::test]
async fn refused_callers_get_a_403_problem_and_change_nothing() {
    let sandbox = Sandbox::open().await;
    let table = [
        ("host", "attacker.example", 403),
        ("origin", "https://attacker.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "http://localhost:7070", 200),
        ("sec-fetch-site", "same-origin", 200),
    ];
    for (name, value, status) in table {
        let mut request =
            request("POST clock/advance").body(Body::from(r#"{"seconds":60}"#)).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        let before = sandbox.worlds.main().now();
        let told = sandbox.send(request).await;
        assert_eq!(told.status.as_u16(), status, "{name}: {value}");
        assert_eq!(sandbox.worlds.main().now() == before, status == 403, "{name}: {value}");
        if status == 403 {
            assert_eq!(told.media_type, PROBLEM);
        }
    }
    // Paths that are not there tell nobody that they are not.
    let request = Request::builder().uri("/_cobro/v1/nothing").header("host", "attacker.example");
    assert_eq!(sandbox.send(request.body(Body::empty()).unwrap()).await.status, 403);
}

#[tokio::test]
async fn elsewhere_a_token_is_needed() {
    let sandbox = Sandbox::with_access(Access::Token("tok-1".to_owned())).await;
    for (token, status) in [(None, 403), (Some("Bearer tok-2"), 403), (Some("Bearer tok-1"), 200)] {
        let mut request = request("GET clock").body(Body::empty()).unwrap();
        request.headers_mut().insert("host", "cobro.example".parse().unwrap());
        if let Some(token) = token {
            request.headers_mut().insert("authorization", token.parse().unwrap());
        }
        assert_eq!(sandbox.send(request).await.status.as_u16(), status, "{token:?}");
    }
}

#[tokio::test]
async fn worlds_are_made_selected_and_removed() {
    let sandbox = Sandbox::open().await;
    let made = sandbox.call("POST worlds", r#"{"name":"prueba"}"#).await;
    assert_eq!(made.status, 201);
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(made.body["name"], "prueba");
    assert_eq!(made.body["now"], crate::double::BEGIN);
    assert_eq!(made.body["plain"], json!({"token": format!("token-{id}")}));
    let shown = sandbox.ok(&format!("GET worlds/{id}"), "").await;
    assert_eq!(shown, made.body);
    assert_eq!(sandbox.ok("GET worlds/demo", "").await["id"], "demo");

    let till = sandbox.call_in(&id, "GET terminals", "").await.body["terminals"][0]["id"].clone();
    assert_eq!(till, json!(format!("TILL-{id}-1")));
    sandbox.call_in(&id, "POST clock/advance", r#"{"seconds":60}"#).await;
    let by_query = sandbox.ok(&format!("GET clock?world={id}"), "").await;
    assert_eq!(by_query["now"], "2026-11-20T10:01:00Z");
    assert_eq!(sandbox.ok("GET clock", "").await["now"], crate::double::BEGIN);

    assert_eq!(sandbox.call(&format!("DELETE worlds/{id}"), "").await.status, 204);
    assert_eq!(sandbox.call(&format!("GET worlds/{id}"), "").await.status, 404);
    assert_eq!(sandbox.call(&format!("DELETE worlds/{id}"), "").await.status, 404);
    assert_eq!(sandbox.call_in(&id, "GET clock", "").await.status, 404);
    assert_eq!(sandbox.call("DELETE worlds/demo", "").await.status, 409);
    assert_eq!(sandbox.call("POST worlds", "").await.status, 201, "the name may be left out");
    assert_eq!(sandbox.call("POST worlds", r#"{"name":7}"#).await.status, 400);
}

#[tokio::test]
async fn lists_have_one_form() {
    let sandbox = Sandbox::open().await;
    let lists = [
        ("terminals", "terminals"),
        ("requests", "requests"),
        ("events", "events"),
        ("deliveries", "deliveries"),
        ("ledger/balances", "balances"),
        ("ledger/postings", "postings"),
    ];
    for (path, plural) in lists {
        let body = sandbox.ok(&format!("GET {path}"), "").await;
        assert!(body[plural].is_array() && body["next"].is_null(), "{path}");
        assert_eq!(body.as_object().unwrap().len(), 2);
        for query in ["limit=0", "limit=1001", "limit=x", "limit=", "limit=-1"] {
            let told = sandbox.call(&format!("GET {path}?{query}"), "").await;
            assert_eq!(told.status, 400, "{path} {query}");
            assert_eq!(told.media_type, PROBLEM);
        }
        if plural != "terminals" {
            let told = sandbox.call(&format!("GET {path}?cursor=no"), "").await;
            assert_eq!(told.status, 400, "{path}");
        }
        assert_eq!(sandbox.call_in("w_00000000", &format!("GET {path}"), "").await.status, 404);
    }
}

#[tokio::test]
async fn the_clock_goes_forwards() {
    let sandbox = Sandbox::open().await;
    let till = "TILL-demo-1";
    sandbox.queue(till, "").await;
    let told = sandbox.ok("POST clock/advance", r#"{"to":"2026-11-20T11:00:00Z"}"#).await;
    assert_eq!(told["now"], "2026-11-20T11:00:00Z");
    assert_eq!(told["due"][0]["kind"], "abandon");
    assert_eq!(told["due"][0]["subject"], till);
    assert!(told["due"][0]["at"].as_str().unwrap().starts_with("2026-11-20T10:10:00"));
    let past = sandbox.call("POST clock/advance", r#"{"to":"2026-11-20T10:00:00Z"}"#).await;
    assert_eq!((past.status.as_u16(), &past.body["code"]), (400, &json!("clock_backwards")));
    let last = sandbox.ok(&format!("GET terminals/{till}"), "").await["last"].clone();
    assert_eq!((&last["outcome"], &last["payment"]), (&json!("canceled"), &json!(null)));
    assert_eq!(last["intent"]["state"], "abandoned");
}

#[tokio::test]
async fn merchants_have_settings() {
    let sandbox = Sandbox::open().await;
    let shown = sandbox.ok("GET merchants/1001", "").await;
    assert_eq!(
        shown,
        json!({"merchant": "1001", "dialect": "plain", "name": "Café", "country": "MX",
            "currency": "MXN", "state": "active", "loud": false,
            "webhook": {"url": null, "test_url": null, "events": "final"}})
    );
    let change = r#"{"state":"inactive","loud":true,"webhook":{"url":"http://localhost:9/a","events":"all"}}"#;
    let changed = sandbox.ok("PATCH merchants/1001", change).await;
    assert_eq!((&changed["state"], &changed["loud"]), (&json!("inactive"), &json!(true)));
    assert_eq!(
        changed["webhook"],
        json!({"url": "http://localhost:9/a", "test_url": null, "events": "all"})
    );
    let table = [
        (r#"{"state":"gone"}"#, 400),
        (r#"{"silent":true}"#, 422),
        (r#"{"loud":"yes"}"#, 422),
        (r#"{"webhook":{"url":"http://169.254.169.254/"}}"#, 422),
        (r#"{"webhook":{"test_url":"http://169.254.169.254/"}}"#, 422),
        ("[]", 400),
    ];
    for (body, status) in table {
        let told = sandbox.call("PATCH merchants/1001", body).await;
        assert_eq!((told.status.as_u16(), told.media_type.as_str()), (status, PROBLEM), "{body}");
        assert_eq!(sandbox.ok("GET merchants/1001", "").await, changed, "{body}");
    }
    let cleared = sandbox.ok("PATCH merchants/1001", r#"{"webhook":{"url":""}}"#).await;
    assert_eq!(cleared["webhook"]["url"], json!(null));
    assert_eq!(sandbox.ok("PATCH merchants/1001", "").await, cleared);
    for call in ["GET merchants/1002", "PATCH merchants/1002"] {
        assert_eq!(sandbox.call(call, "{}").await.status, 404);
    }
}
