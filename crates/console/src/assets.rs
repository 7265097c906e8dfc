//! Style sheets, scripts and images, compiled into the program.

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};

/// Headers that every answer of the console carries.
pub(crate) const NOT_SNIFFED: [(HeaderName, &str); 2] =
    [(X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "no-referrer")];

/// One file under `/console/assets/`.
pub(crate) struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! assets {
    ($($name:literal: $content_type:expr,)*) => {
        &[$(Asset {
            name: $name,
            content_type: $content_type,
            text: include_str!(concat!("../assets/", $name)),
        },)*]
    };
}

/// Every asset there is; a file that is not named here is not served.
pub(crate) const ASSETS: &[Asset] = assets! {
    "base.css": CSS,
    "home.css": CSS,
    "journal.css": CSS,
    "sites.css": CSS,
    "device.css": CSS,
    "screen.css": CSS,
    "counter.css": CSS,
    "deposits.css": CSS,
    "simulator.css": CSS,
    "icon.svg": SVG,
    "texts.js": JS,
    "api.js": JS,
    "dom.js": JS,
    "chrome.js": JS,
    "money.js": JS,
    "screen.js": JS,
    "view.js": JS,
    "receipt.js": JS,
    "device.js": JS,
    "cards.js": JS,
    "gesture.js": JS,
    "flow.js": JS,
    "raw.js": JS,
    "journal.js": JS,
    "home.js": JS,
    "terminals.js": JS,
    "terminal.js": JS,
    "events.js": JS,
    "requests.js": JS,
    "delivery.js": JS,
    "deliveries.js": JS,
    "books.js": JS,
    "chart.js": JS,
    "deposits.js": JS,
    "deposit.js": JS,
    "endpoints.js": JS,
    "pairing.js": JS,
    "ledger.js": JS,
    "missing.js": JS,
    "sites.js": JS,
    "simulator.js": JS,
    "access.js": JS,
    "pos.js": JS,
    "wire.js": JS,
    "notices.js": JS,
};

/// The asset of that name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

impl Asset {
    /// The file's name, the last segment of its path.
    #[cfg(test)]
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The file's whole text.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &'static str {
        self.text
    }

    /// The asset, or 304 when the client has this very text.
    ///
    /// `no-cache` lets a browser keep the file but ask each time (RFC 9111, section 5.2.2.4): module
    /// scripts import each other by plain names, so an address cannot carry a version, and a page
    /// must never mix modules of two versions.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let etag = format!("\"{:016x}\"", fingerprint(self.text.as_bytes()));
        let known = request
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| names(value, &etag));
        let validators = [(ETAG, etag.as_str()), (CACHE_CONTROL, "no-cache")];
        if known {
            return (StatusCode::NOT_MODIFIED, NOT_SNIFFED, validators).into_response();
        }
        (NOT_SNIFFED, validators, [(CONTENT_TYPE, self.content_type)], self.text).into_response()
    }
}

/// Whether an `If-None-Match` value names the tag (weak comparison, RFC 9110, section 13.1.2).
fn names(value: &str, etag: &str) -> bool {
    value.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == etag)
}

/// FNV-1a, 64 bits: tells two versions of a file apart, and need not resist an attacker.
const fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = tail;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditional_requests() {
        let etag = "\"00000000000000aa\"";
        for (value, expected) in [
            ("\"00000000000000aa\"", true),
            ("W/\"00000000000000aa\"", true),
            ("\"other\", \"00000000000000aa\"", true),
            ("*", true),
            ("\"other\"", false),
            ("00000000000000aa", false),
            ("", false),
        ] {
            assert_eq!(names(value, etag), expected, "{value}");
        }
    }

    #[test]
    fn fingerprint_is_fnv_1a() {
        for (text, expected) in [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c)] {
            assert_eq!(fingerprint(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let mut served: Vec<&str> = ASSETS.iter().map(Asset::name).collect();
        served.sort();
        assert_eq!(files, served);
    }
}
