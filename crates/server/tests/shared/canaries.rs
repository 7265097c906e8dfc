//! Canaries: numbers, codes and secrets that are looked for wherever a server leaves something.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde_json::Value;

use super::receiver::Receiver;
use super::server::Server;

/// A security code that appears nowhere else.
pub(crate) const CODE: &str = "7391";

/// What pages take of it for cards whose codes have three digits.
pub(crate) const SHORT_CODE: &str = "739";

/// Texts whose appearance anywhere is a leak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Canaries<'a>(pub(crate) &'a [&'a str]);

impl Canaries<'_> {
    #[track_caller]
    pub(crate) fn assert_not_in(self, what: &str, bytes: &[u8]) {
        for canary in self.0 {
            for form in forms(canary) {
                let found = bytes.windows(form.len()).any(|window| window == form);
                assert!(!found, "{canary} is in {what}");
            }
        }
    }

    /// Looks into every file below a directory; answers how many there are.
    #[track_caller]
    pub(crate) fn assert_not_below(self, directory: &Path) -> usize {
        let mut files = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += self.assert_not_below(&path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                self.assert_not_in(&path.display().to_string(), &bytes);
                files += 1;
            }
        }
        files
    }

    /// Neither a webhook nor these lists of the control API nor a log of everything tells them, nor
    /// the codes.
    #[track_caller]
    pub(crate) fn assert_not_told(
        self,
        server: &Server<'_>,
        receivers: &[&Receiver],
        lists: &[&str],
    ) {
        for notice in receivers.iter().flat_map(|receiver| receiver.notices()) {
            self.assert_not_in("a notification", notice.body.to_string().as_bytes());
        }
        for list in lists {
            let rows = Value::Array(server.list(list, &format!("/{list}"))).to_string();
            self.assert_not_in(list, rows.as_bytes());
            for code in [CODE, SHORT_CODE] {
                // A body of as many bytes is no leak.
                let lengths = format!("\"content-length\":\"{code}\"");
                let rows = rows.replace(&lengths, "");
                Canaries(&[&format!("\"{code}\"")]).assert_not_in(list, rows.as_bytes());
            }
        }
        let log = server.log();
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log says little: {log}");
        self.assert_not_in("the log", log.as_bytes());
    }
}

/// The forms in which a text may hide in bytes.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![
        text.as_bytes().to_vec(),
        hex::encode(text).into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        BASE64.encode(text).into_bytes(),
    ];
    if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        for separator in [" ", "-", "%20", "+"] {
            let groups: Vec<&str> = (0..4).map(|n| &text[n * 4..n * 4 + 4]).collect();
            forms.push(groups.join(separator).into_bytes());
        }
        forms.push(hex::decode(text).unwrap());
    }
    forms
}
