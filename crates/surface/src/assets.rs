//! Style sheets, scripts and images, compiled into the program.

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};

/// Headers that every answer with a page or a part of one carries.
pub const NOT_SNIFFED: [(HeaderName, &str); 2] =
    [(X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "no-referrer")];

/// One file that pages load.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

/// Names the media type of a style sheet.
pub const CSS: &str = "text/css; charset=utf-8";
/// Names the media type of a script.
pub const JS: &str = "text/javascript; charset=utf-8";
/// Names the media type of a drawing.
pub const SVG: &str = "image/svg+xml";

/// The asset of that name, or an empty 404.
pub fn answer(assets: &'static [Asset], name: &str, request: &HeaderMap) -> Response {
    match assets.iter().find(|asset| asset.name == name) {
        Some(asset) => asset.answer(request),
        None => (StatusCode::NOT_FOUND, NOT_SNIFFED).into_response(),
    }
}

/// What is wrong with a table of assets: the files of its folder, in order of their names, must be
/// the assets.
pub fn faults(assets: &[Asset], folder: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec!["no folder".to_owned()] };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    let files: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    let is_file = |asset: &Asset| files.iter().any(|file| file == asset.name);
    let is_asset = |file: &&String| assets.iter().any(|asset| asset.name == **file);
    let missing = assets.iter().filter(|asset| !is_file(asset));
    let mut faults: Vec<String> = missing.map(|asset| format!("{}: no file", asset.name)).collect();
    let unknown = files.iter().filter(|file| !is_asset(file));
    faults.extend(unknown.map(|file| format!("{file}: not served")));
    faults
}

impl Asset {
    /// An asset.
    pub const fn new(name: &'static str, content_type: &'static str, text: &'static str) -> Self {
        Self { name, content_type, text }
    }

    /// The file's name, the last segment of its path.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The file's whole text.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// The asset, or 304 when the client has this very text.
    ///
    /// `no-cache` lets a browser keep the file but ask each time (RFC 9111, section 5.2.2.4): module
    /// scripts import each other by plain names, so an address cannot carry a version, and a page
    /// must never mix modules of two versions.
    fn answer(&self, request: &HeaderMap) -> Response {
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
}
