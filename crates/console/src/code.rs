//! A code to scan: the address of a terminal's page, for a phone that becomes the terminal.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::{HeaderMap, StatusCode};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use crate::assets::NOT_SNIFFED;

/// The side of a drawing, at least, in its own units.
const SIDE_MIN: u32 = 240;

/// The longest address that is drawn.
const ADDRESS_MAX: usize = 512;

/// The code of a terminal as a drawing; 400 where no address can be made.
///
/// The address begins with the host that the browser asked for: a phone reaches the page at the same
/// one, unless it is this machine's own name for itself.
pub(crate) async fn code(
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    match address(host, &id, query.as_deref()).and_then(|address| drawn(&address)) {
        Some(svg) => {
            let about = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "no-store")];
            (NOT_SNIFFED, about, svg).into_response()
        }
        None => (StatusCode::BAD_REQUEST, NOT_SNIFFED).into_response(),
    }
}

/// The address of a terminal's page.
fn address(host: &str, id: &str, query: Option<&str>) -> Option<String> {
    let is_plain = |text: &str, more: &str| {
        !text.is_empty()
            && text.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
    };
    if !is_plain(host, ".-:[]") || !is_plain(id, "_-.") {
        return None;
    }
    let world = query.and_then(|query| query.split('&').find_map(|one| one.strip_prefix("world=")));
    let world = match world.filter(|world| is_plain(world, "_-")) {
        Some(world) => format!("?world={world}"),
        None => String::new(),
    };
    let address = format!("http://{host}/console/terminals/{id}{world}");
    (address.len() <= ADDRESS_MAX).then_some(address)
}

fn drawn(address: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(address, EcLevel::M).ok()?;
    let mut renderer = code.render::<svg::Color<'_>>();
    renderer.min_dimensions(SIDE_MIN, SIDE_MIN);
    renderer.dark_color(svg::Color("#000")).light_color(svg::Color("#fff"));
    Some(renderer.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_terminals() {
        let table = [
            (
                "10.0.0.5:7070",
                "PAX_A910__SBX1",
                None,
                Some("http://10.0.0.5:7070/console/terminals/PAX_A910__SBX1"),
            ),
            (
                "[::1]:7070",
                "T",
                Some("lang=es&world=w_1"),
                Some("http://[::1]:7070/console/terminals/T?world=w_1"),
            ),
            ("h", "T", Some("world=%22"), Some("http://h/console/terminals/T")),
            ("", "T", None, None),
            ("h/x", "T", None, None),
            ("h", "<T>", None, None),
        ];
        for (host, id, query, expected) in table {
            assert_eq!(address(host, id, query).as_deref(), expected, "{host} {id} {query:?}");
        }
        assert_eq!(address("h", &"T".repeat(600), None), None);
    }

    #[test]
    fn a_code_is_a_drawing() {
        let svg = drawn("http://10.0.0.5:7070/console/terminals/PAX_A910__SBX1").unwrap();
        assert!(svg.contains("<svg") && svg.contains("<path") && svg.contains("#fff"));
    }
}
