use axum::body::Body;
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

const PATHS: [&str; 15] = [
    "/",
    "/console/terminals",
    "/console/terminals/PAX_A910__SBX0000001",
    "/console/events",
    "/console/requests",
    "/console/deliveries",
    "/console/deposits",
    "/console/deposits/W472RZQKV",
    "/console/deposits/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "/console/endpoints",
    "/console/ledger",
    "/console/sites",
    "/point/integrator-simulator/sandbox/?ignoreapidoc=true",
    "/point/integrator-simulator/sandbox/device?ignoreapidoc=true",
    "/console/terminals/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
];

async fn ask(path: &str, headers: &[(HeaderName, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let config = crate::ConsoleConfig { version: "1.2.3-test" };
    let console = crate::router(config).merge(crate::simulator_router(config));
    console.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn header<'a>(response: &'a Response<Body>, name: &HeaderName) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_page_is_whole_and_guarded() {
    for path in PATHS {
        let response = ask(path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&response, &CONTENT_SECURITY_POLICY), POLICY, "{path}");
        assert_eq!(header(&response, &CONTENT_TYPE), "text/html; charset=utf-8", "{path}");
        for (name, value) in NOT_SNIFFED {
            assert_eq!(header(&response, &name), value, "{path}");
        }
        let html = text(response).await;
        assert!(html.trim_end().ends_with("</html>"), "{path}: cut short");
        assert!(!html.contains("{{"), "{path}: a placeholder is left");
        assert!(html.contains("Cobro 1.2.3-test"), "{path}");
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_says_so() {
    for path in ["/console/nada", "/console/terminals/T1/nada"] {
        let response = ask(path, &[(ACCEPT_LANGUAGE, "pt")]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&response, &CONTENT_SECURITY_POLICY), POLICY, "{path}");
        let html = text(response).await;
        assert!(html.contains("<h1>Esta página não existe</h1>"), "{path}: {html}");
        assert!(html.trim_end().ends_with("</html>") && !html.contains("{{"), "{path}");
    }
    assert_eq!(ask("/console/assets/nada.js", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_page_has_anything_inline_or_from_elsewhere() {
    for path in PATHS {
        let html = text(ask(path, &[]).await).await;
        for banned in [" style=", "<style", "javascript:", " onclick=", "=\"http", "=\"//"] {
            assert!(!html.contains(banned), "{path}: {banned}");
        }
        let scripts = html.matches("<script").count();
        let sound = html.matches("<script type=\"module\" src=\"/console/assets/").count()
            + html.matches("<script type=\"application/json\"").count();
        assert_eq!(scripts, sound, "{path}: a script of another kind");
    }
}

#[tokio::test]
async fn what_a_page_and_its_scripts_load_exists() {
    let mut files: Vec<String> = Vec::new();
    for path in PATHS {
        let html = text(ask(path, &[]).await).await;
        files.extend(html.split("/console/assets/").skip(1).map(|rest| until_quote(rest, '"')));
    }
    for asset in crate::assets::ASSETS {
        files.extend(asset.text().split("from './").skip(1).map(|rest| until_quote(rest, '\'')));
    }
    assert!(files.len() > 20);
    for file in files {
        let response = ask(&format!("/console/assets/{file}"), &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{file}");
    }
}

fn until_quote(rest: &str, quote: char) -> String {
    rest.split(quote).next().unwrap_or("").to_owned()
}

#[tokio::test]
async fn assets_have_types_and_are_not_sent_twice() {
    for (file, content_type) in [
        ("base.css", "text/css; charset=utf-8"),
        ("api.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let path = format!("/console/assets/{file}");
        let first = ask(&path, &[]).await;
        assert_eq!(header(&first, &CONTENT_TYPE), content_type, "{file}");
        assert_eq!(header(&first, &CACHE_CONTROL), "no-cache", "{file}");
        let etag = header(&first, &ETAG).to_owned();
        let second = ask(&path, &[(IF_NONE_MATCH, &etag)]).await;
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED, "{file}");
        assert_eq!(header(&second, &ETAG), etag, "{file}");
        assert_eq!(text(second).await, "", "{file}");
    }
    for missing in ["nothing.js", "..%2Fsrc%2Flib.rs", "%2Fetc%2Fpasswd"] {
        let response = ask(&format!("/console/assets/{missing}"), &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn language_is_chosen_and_kept() {
    for (path, cookie, accept, expected, kept) in [
        ("/", "", "", "es", ""),
        ("/", "", "en-GB,en;q=0.9", "en", ""),
        ("/", "cobro_lang=pt-BR", "en", "pt-BR", ""),
        ("/", "a=b; cobro_lang=en", "es", "en", ""),
        ("/", "cobro_lang=xx", "en", "en", ""),
        ("/?lang=pt", "cobro_lang=en", "es", "pt-BR", "cobro_lang=pt-BR; Path=/"),
        ("/?world=w_1&lang=en", "", "es", "en", "cobro_lang=en; Path=/"),
        ("/?lang=klingon", "", "", "es", ""),
    ] {
        let response = ask(path, &[(COOKIE, cookie), (ACCEPT_LANGUAGE, accept)]).await;
        assert!(header(&response, &SET_COOKIE).starts_with(kept), "{path} {cookie} {accept}");
        assert_eq!(header(&response, &SET_COOKIE).is_empty(), kept.is_empty(), "{path}");
        let html = text(response).await;
        assert!(html.contains(&format!("<html lang=\"{expected}\">")), "{path} {cookie} {accept}");
    }
}

#[tokio::test]
async fn world_goes_on_in_links_when_it_can_be_one() {
    for (query, world, link) in [
        ("", "demo", "href=\"/console/events\""),
        ("?world=w_01jd-x", "w_01jd-x", "href=\"/console/events?world=w_01jd-x\""),
        ("?world=", "demo", "href=\"/console/events\""),
        ("?world=%22%3E", "demo", "href=\"/console/events\""),
    ] {
        let path = format!("/console/terminals{query}");
        let html = text(ask(&path, &[]).await).await;
        assert!(html.contains(&format!("data-world=\"{world}\"")), "{query}");
        assert!(html.contains(link), "{query}");
    }
}

#[tokio::test]
async fn the_terminals_page_is_where_the_console_begins() {
    for (path, place) in [
        ("/console", "/console/terminals"),
        ("/console/?world=w_1", "/console/terminals?world=w_1"),
    ] {
        let response = ask(path, &[]).await;
        assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT, "{path}");
        assert_eq!(header(&response, &LOCATION), place);
    }
}

#[tokio::test]
async fn the_simulator_has_two_modes_at_the_paths_of_the_seed() {
    const PDV: &str = "/point/integrator-simulator/sandbox";
    const DEVICE: &str = "/point/integrator-simulator/sandbox/device";
    for (path, mode, point_of_sale) in [
        (PDV.to_owned(), "pdv", true),
        (format!("{PDV}/"), "pdv", true),
        (format!("{PDV}/?ignoreapidoc=true"), "pdv", true),
        (DEVICE.to_owned(), "device", false),
        (format!("{DEVICE}/"), "device", false),
        (format!("{DEVICE}?ignoreapidoc=true&lang=pt"), "device", false),
    ] {
        let response = ask(&path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let html = text(response).await;
        assert!(html.contains(&format!("data-mode=\"{mode}\"")), "{path}");
        // each mode has the terminal, and exactly one of the two other halves
        assert!(html.contains("id=\"stage\""), "{path}");
        assert_eq!(html.contains("id=\"pos\""), point_of_sale, "{path}");
        assert_eq!(html.contains("id=\"wire\""), point_of_sale, "{path}");
        assert_eq!(html.contains("id=\"amounts\""), !point_of_sale, "{path}");
        // the modes lead to each other, whether or not the address ended with a slash
        for link in [format!("{PDV}/"), DEVICE.to_owned()] {
            assert!(html.contains(&format!("href=\"{link}\"")), "{path}: {link}");
        }
        assert!(!html.contains("href=\"/console/ledger"), "{path}: the console's navigation");
    }
}

#[test]
fn text_is_escaped() {
    for (text, expected) in [
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"),
        ("ñandú · 15 €", "ñandú · 15 €"),
        ("{{$version}}", "{{$version}}"),
    ] {
        let mut html = String::new();
        escape(text, &mut html);
        assert_eq!(html, expected);
    }
}
