use axum::body::Body;
use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response as Answered, Security};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::command::curl;

static MAKE: Endpoint = Endpoint {
    method: "POST",
    path: "/shops/{shop_id}/things/{id}",
    id: "makeThing",
    summary: "Makes a <thing>",
    tag: "things",
    security: Security::Body,
    parameters: &[
        Parameter { name: "day", place: Place::Query, required: true, description: "Which day" },
        Parameter {
            name: "lastDay",
            place: Place::Query,
            required: true,
            description: "Until when",
        },
    ],
    request: Some(
        r#"{"auth":{"login":"x","tranKey":"x","nonce":"x","seed":"x"},"name":"d'or","thingRef":7,"token":"abc"}"#,
    ),
    responses: &[
        Answered { status: 201, description: "Made", example: Some(r#"{"id":"a","note":null}"#) },
        Answered { status: 201, description: "Noted", example: Some(r#"{"id":"a","note":"x"}"#) },
        Answered { status: 204, description: "Nothing", example: None },
    ],
};

static READ: Endpoint = Endpoint {
    method: "GET",
    path: "/things/{id}/events",
    id: "readThing",
    summary: "Reads a thing",
    security: Security::Bearer,
    parameters: &[],
    request: None,
    responses: &[Answered { status: 200, description: "It", example: Some("data: <1>\n\n") }],
    ..MAKE
};

fn things() -> Surface {
    Surface {
        name: "control",
        title: "Things & more",
        endpoints: vec![&MAKE, &READ],
        credentials: Credentials {
            bearer: Some("TOKEN"),
            body: Some(SignedBody { login: "shop", secret: "s3cret" }),
            ..Credentials::default()
        },
        samples: &[("/shops/{shop_id}", "shop-1"), ("?day", "2026-01-02")],
        own_values: &["thingRef", "token"],
    }
}

async fn ask(path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let docs = Docs {
        version: "1.2.3-test",
        base_url: "http://127.0.0.1:7070".to_owned(),
        surfaces: vec![things()],
    };
    let answer = router(docs).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

const PATHS: [&str; 5] =
    ["/docs", "/docs/api", "/docs/api/control", "/docs/clients/node", "/docs/none"];

#[tokio::test]
async fn pages_are_whole_and_load_nothing_from_elsewhere() {
    for path in PATHS {
        let (status, headers, html) = ask(path, &[]).await;
        let expected = if path == "/docs/none" { 404 } else { 200 };
        assert_eq!(status.as_u16(), expected, "{path}");
        assert_eq!(headers[CONTENT_SECURITY_POLICY], frame::POLICY, "{path}");
        assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        assert!(html.trim_end().ends_with("</html>") && html.contains("1.2.3-test"), "{path}");
        assert!(!html.contains("{{"), "{path}: a hole is left");
        for banned in [" style=", "<style", "javascript:", " onclick=", "src=\"http", "src=\"//"] {
            assert!(!html.contains(banned), "{path}: {banned}");
        }
        for part in html.split("/docs/assets/").skip(1) {
            let file = part.split('"').next().unwrap();
            assert!(ASSETS.iter().any(|asset| asset.name() == file), "{path}: {file}");
        }
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    assert_eq!(assets::faults(ASSETS, &folder), [""; 0]);
    for (path, status) in [("/docs/assets/docs.css", 200), ("/docs/assets/none.css", 404)] {
        assert_eq!(ask(path, &[]).await.0.as_u16(), status, "{path}");
    }
    for path in ["/docs/", "/docs/api/"] {
        assert_eq!(ask(path, &[]).await.0, StatusCode::PERMANENT_REDIRECT, "{path}");
    }
    assert_eq!(ask("/docs/api/none", &[]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn languages_are_those_of_the_console() {
    type Sent = &'static [(&'static str, &'static str)];
    let table: [(&str, Sent, &str); 5] = [
        ("/docs/api", &[], "es"),
        ("/docs/api", &[("accept-language", "pt")], "pt-BR"),
        ("/docs/api", &[("accept-language", "pt"), ("cookie", "a=b; cobro_lang=en")], "en"),
        ("/docs/api?lang=en", &[("cookie", "cobro_lang=es")], "en"),
        ("/docs/api?lang=xx", &[], "es"),
    ];
    for (path, sent, expected) in table {
        let (_, headers, html) = ask(path, sent).await;
        assert!(html.contains(&format!("<html lang=\"{expected}\">")), "{path} {sent:?}");
        assert_eq!(headers.contains_key(SET_COOKIE), path.ends_with("=en"), "{path}");
    }
}

#[test]
fn texts_are_the_same_in_every_language() {
    use cobro_surface::texts::Language;
    let (texts, faults) = frame::texts();
    assert_eq!(faults, [""; 0]);
    let keys = |language| texts.all(language).unwrap().keys().collect::<Vec<_>>();
    for language in Language::ALL {
        assert_eq!(keys(language), keys(Language::Es), "{}", language.tag());
    }
    let all = texts.all(Language::Es).unwrap();
    for asset in ASSETS.iter().filter(|asset| asset.name().ends_with(".js")) {
        for part in asset.text().split(" t('").skip(1) {
            let key = part.split('\'').next().unwrap();
            assert!(all.contains_key(key), "{}: {key}", asset.name());
        }
    }
}

#[tokio::test]
async fn a_call_shows_everything_its_table_has() {
    let (_, _, html) = ask("/docs/api/control?lang=en", &[]).await;
    for part in [
        "id=\"makeThing\"",
        "Makes a &lt;thing&gt;",
        "Things &amp; more",
        "/<wbr>shops/<wbr><var>{shop_id}</var>",
        "Which day",
        "<code class=\"member\">note</code> <span class=\"type\">string | null</span>",
        "Made; Noted",
        "<span class=\"chip good\">204</span>",
        "No body.",
        "data: &lt;1&gt;",
        "href=\"/openapi/control.json\"",
        "data-words=\"post /shops/{shop_id}/things/{id} makes a &lt;thing&gt; makething things\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn commands_can_be_pasted() {
    let surface = things();
    assert_eq!(
        curl(&surface, &READ, "http://h"),
        "THING_ID='…' # yours\n\ncurl -N \"http://h/things/$THING_ID/events\" \\\n  -H 'Authorization: Bearer TOKEN'"
    );
    assert_eq!(
        curl(&surface, &MAKE, "http://h"),
        r#"THING_ID='…' # yours
LAST_DAY='…' # yours
THING_REF='7' # yours
TOKEN='abc' # yours
RANDOM_HEX=$(openssl rand -hex 16)
SEED=$(date -u +%Y-%m-%dT%H:%M:%S+00:00)
NONCE=$(printf %s "$RANDOM_HEX" | base64)
TRAN_KEY=$(printf %s "$RANDOM_HEX${SEED}s3cret" | openssl dgst -sha256 -binary | base64)

curl "http://h/shops/shop-1/things/$THING_ID?day=2026-01-02&lastDay=$LAST_DAY" \
  -H 'Content-Type: application/json' \
  -d '{
    "auth": {
      "login": "shop",
      "tranKey": "'"$TRAN_KEY"'",
      "nonce": "'"$NONCE"'",
      "seed": "'"$SEED"'"
    },
    "name": "d'\''or",
    "thingRef": '"$THING_REF"',
    "token": "'"$TOKEN"'"
  }'"#
    );
}
