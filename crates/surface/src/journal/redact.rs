//! What is hidden when a past request is shown: credentials, card codes, card numbers.
//!
//! Redaction happens by name (headers, members, query and form fields) and by look (anything that
//! could be a card number). It errs on the side of hiding.

use std::borrow::Cow;

use http::HeaderMap;
use serde_json::{Map, Value};

use crate::json::{Json, Limits};

/// What stands for a hidden value.
const HIDDEN: &str = "****";

/// Longest run of digits that can be a card number (ISO/IEC 7812-1).
const PAN_MAX: usize = 19;
/// Shortest run of digits that is taken for one.
const PAN_MIN: usize = 13;

/// How the value under a name is hidden.
#[derive(Clone, Copy, PartialEq)]
enum Hide {
    /// Nothing of it is shown.
    Whole,
    /// First six and last four digits if it is a card number, else nothing.
    CardNumber,
}

/// Decides by a member's, field's or parameter's name, whatever its case and separators.
fn hidden_name(name: &str) -> Option<Hide> {
    const PARTS: [&str; 5] = ["token", "secret", "password", "passwd", "securitycode"];
    const WHOLE: [&str; 14] = [
        "cvv",
        "cvv2",
        "cvc",
        "cvc2",
        "cid",
        "pin",
        "otp",
        "track1",
        "track2",
        "trackdata",
        "trankey",
        "apikey",
        "privatekey",
        "authorization",
    ];
    let plain: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if plain == "number" || plain == "pan" || plain.contains("cardnumber") {
        Some(Hide::CardNumber)
    } else if plain == "tokentype" {
        None
    } else if WHOLE.contains(&plain.as_str()) || PARTS.iter().any(|part| plain.contains(part)) {
        Some(Hide::Whole)
    } else {
        None
    }
}

fn hide(text: &str, how: Hide) -> String {
    match (how, card_numbers(text)) {
        _ if text.is_empty() => String::new(),
        (Hide::CardNumber, Cow::Owned(masked)) => masked,
        _ => HIDDEN.to_owned(),
    }
}

/// Replaces the middle of each thing that looks like a card number: 13 to 19 digits, together or
/// in groups parted by one blank or dash, that pass the Luhn check. First six and last four stay.
pub(crate) fn card_numbers(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut hidden: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = run_end(bytes, at);
        if end > at {
            hide_in_run(bytes, at, end, &mut hidden);
        }
        at = end.max(at.saturating_add(1));
    }
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = bytes.to_vec();
    for index in hidden {
        if let Some(byte) = masked.get_mut(index) {
            *byte = b'*';
        }
    }
    // Only ASCII digits were replaced, so the text is still UTF-8.
    Cow::Owned(String::from_utf8_lossy(&masked).into_owned())
}

/// Where the run of digits and single separators that begins at `start` ends.
fn run_end(bytes: &[u8], start: usize) -> usize {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = start;
    loop {
        if digit(end) {
            end += 1;
        } else if end > start
            && matches!(bytes.get(end), Some(b' ' | b'-'))
            && digit(end.saturating_add(1))
        {
            end += 2;
        } else {
            return end;
        }
    }
}

/// Looks at every stretch of whole groups in a run, so that a date or another number beside a
/// card number does not hide it from us.
fn hide_in_run(bytes: &[u8], start: usize, end: usize, hidden: &mut Vec<usize>) {
    let is_digit = |at: &usize| bytes.get(*at).is_some_and(u8::is_ascii_digit);
    let starts_group = |at: usize| at == start || !is_digit(&at.saturating_sub(1));
    let ends_group = |at: usize| at.saturating_add(1) == end || !is_digit(&at.saturating_add(1));
    for first in (start..end).filter(is_digit).filter(|at| starts_group(*at)) {
        let window: Vec<usize> = (first..end).filter(is_digit).take(PAN_MAX).collect();
        for count in PAN_MIN..=window.len() {
            let Some(digits) = window.get(..count) else { break };
            let whole = digits.last().is_some_and(|last| ends_group(*last));
            if whole && passes_luhn(digits.iter().filter_map(|at| bytes.get(*at))) {
                hidden.extend(digits.iter().skip(6).take(count.saturating_sub(10)));
            }
        }
    }
}

/// The check of ISO/IEC 7812-1, annex B.
fn passes_luhn<'a>(digits: impl DoubleEndedIterator<Item = &'a u8>) -> bool {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.saturating_sub(b'0'));
            if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A JSON value as it may be shown.
pub(crate) fn json(value: &Json) -> Value {
    shown(value, None)
}

fn shown(value: &Json, how: Option<Hide>) -> Value {
    match (value, how) {
        (Json::Object(members), _) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    (card_numbers(name).into_owned(), shown(value, hidden_name(name)))
                })
                .collect(),
        ),
        (Json::Array(elements), _) => elements.iter().map(|value| shown(value, how)).collect(),
        (Json::String(text), Some(how)) => Value::String(hide(text, how)),
        (Json::Number(number), Some(how)) => Value::String(hide(number.as_str(), how)),
        (Json::String(text), None) => Value::from(card_numbers(text)),
        (Json::Number(number), None) => match card_numbers(number.as_str()) {
            Cow::Owned(masked) => Value::String(masked),
            Cow::Borrowed(_) => value.to_value(),
        },
        (Json::Null | Json::Bool(_), _) => value.to_value(),
    }
}

/// A body as it may be shown: nothing as `null`, JSON as JSON, anything else as text. What is
/// longer than `bytes_max` is text that is cut there.
pub(super) fn body(bytes: &[u8], bytes_max: usize) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let limits =
        Limits { members: usize::MAX, elements: usize::MAX, size: usize::MAX, ..Limits::default() };
    match Json::parse(bytes, &limits) {
        Ok(parsed) => {
            let value = json(&parsed);
            let text = value.to_string();
            if bytes.len() <= bytes_max && text.len() <= bytes_max {
                value
            } else {
                Value::String(cut(text, bytes_max))
            }
        }
        Err(_) => {
            let text = String::from_utf8_lossy(bytes);
            let text = if is_form(&text) { form(&text) } else { loose(&text) };
            Value::String(cut(text, bytes_max))
        }
    }
}

fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push('…');
    }
    text
}

fn is_form(text: &str) -> bool {
    text.contains('=') && !text.bytes().any(|b| b.is_ascii_whitespace() || b"{}[]<>\"".contains(&b))
}

/// A request target or URL as it may be shown.
pub(super) fn target(text: &str) -> String {
    match text.split_once('?') {
        Some((path, query)) => [&card_numbers(path), "?", &form(query)].concat(),
        None => card_numbers(text).into_owned(),
    }
}

/// Query parameters or form fields.
fn form(text: &str) -> String {
    let fields = text.split('&').map(|field| match field.split_once('=') {
        Some((name, value)) => {
            let plain = decoded(value);
            let value = match (hidden_name(&decoded(name)), card_numbers(&plain)) {
                (Some(how), _) => Cow::Owned(hide(&plain, how)),
                (None, Cow::Owned(masked)) => Cow::Owned(masked),
                (None, Cow::Borrowed(_)) => Cow::Borrowed(value),
            };
            [&card_numbers(name), "=", &value].concat()
        }
        None => card_numbers(field).into_owned(),
    });
    fields.collect::<Vec<_>>().join("&")
}

/// `application/x-www-form-urlencoded` without its encoding.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let mut ahead = rest.clone();
        let escaped = match (byte, ahead.next().and_then(hex), ahead.next().and_then(hex)) {
            (b'%', Some(high), Some(low)) => Some(high << 4 | low),
            _ => None,
        };
        match escaped {
            Some(value) => {
                out.push(value);
                rest = ahead;
            }
            None => out.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Text of no known form, such as JSON that is broken or cut off: hides what follows a telling
/// name and `:` or `=`.
fn loose(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, from_word) = rest.split_at(start);
        let (word, after) =
            from_word.split_at(from_word.find(|c| !is_word(c)).unwrap_or(from_word.len()));
        out.push_str(before);
        out.push_str(word);
        rest = after;
        if hidden_name(word).is_none() {
            continue;
        }
        let value = after.trim_start_matches(['"', '\'', '\\']).trim_start();
        let Some(value) = value.strip_prefix([':', '=']) else { continue };
        let value = value.trim_start();
        out.push_str(after.strip_suffix(value).unwrap_or_default());
        rest = value.split_at(loose_value_end(value)).1;
        // An object shows its own names; anything else is gone.
        if !value.starts_with('{') {
            out.push_str(HIDDEN);
        }
    }
    out.push_str(rest);
    card_numbers(&out).into_owned()
}

/// Where the value at the beginning of the text ends; when that cannot be told, at its end.
fn loose_value_end(text: &str) -> usize {
    let close = match text.chars().next() {
        Some('{') => return 0,
        Some('[') => ']',
        Some(quote @ ('"' | '\'')) => quote,
        _ => {
            let ends = |c: char| c.is_whitespace() || ",&;}])<\"'".contains(c);
            return text.find(ends).unwrap_or(text.len());
        }
    };
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == close && !escaped {
            return at.saturating_add(c.len_utf8());
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Headers as they may be shown: name to value, repeated ones joined by a comma. A credential is
/// its scheme and its last four characters.
pub(super) fn headers<'a>(headers: impl Iterator<Item = (&'a str, Cow<'a, str>)>) -> Value {
    let mut object = Map::new();
    for (name, value) in headers {
        let value = header(name, &value);
        match object.get_mut(name) {
            Some(Value::String(earlier)) => {
                earlier.push_str(", ");
                earlier.push_str(&value);
            }
            _ => _ = object.insert(name.to_owned(), Value::String(value)),
        }
    }
    Value::Object(object)
}

fn header(name: &str, value: &str) -> String {
    const SECRET: [&str; 5] =
        ["authorization", "proxy-authorization", "x-api-key", "cookie", "set-cookie"];
    const SECRET_PARTS: [&str; 4] = ["secret", "token", "password", "api-key"];
    const URLS: [&str; 3] = ["location", "referer", "content-location"];
    if SECRET.contains(&name) || SECRET_PARTS.iter().any(|part| name.contains(part)) {
        match value.split_once(' ') {
            Some((scheme, secret)) if name.ends_with("authorization") => {
                [scheme, " ", &last_four(secret)].concat()
            }
            _ => last_four(value),
        }
    } else if URLS.contains(&name) {
        target(value)
    } else {
        card_numbers(value).into_owned()
    }
}

/// Hides all but the last four characters, and those too where they would be much of the secret.
fn last_four(secret: &str) -> String {
    let count = secret.chars().count();
    let tail = if count < 12 { count } else { count.saturating_sub(4) };
    HIDDEN.chars().chain(secret.chars().skip(tail)).collect()
}

/// Headers in one piece of memory, so that the buffer that they were read into is not kept alive.
pub(super) fn pack(headers: &HeaderMap) -> Box<[u8]> {
    let size = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 2).sum();
    let mut packed = Vec::with_capacity(size);
    for (name, value) in headers {
        // Neither byte can be in a name or a value (RFC 9110, section 5.5).
        packed.extend_from_slice(name.as_str().as_bytes());
        packed.push(0);
        packed.extend_from_slice(value.as_bytes());
        packed.push(b'\n');
    }
    packed.into_boxed_slice()
}

/// The headers that [`pack`] packed.
pub(super) fn unpack(packed: &[u8]) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    packed.split(|byte| *byte == b'\n').filter_map(|line| {
        let end = line.iter().position(|byte| *byte == 0)?;
        let (name, value) = line.split_at_checked(end)?;
        let value = value.get(1..)?;
        Some((std::str::from_utf8(name).ok()?, String::from_utf8_lossy(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn card_numbers_are_masked_wherever_they_stand() {
        let table = [
            ("4111111111111111", "411111******1111"),
            ("pan=4111111111111111;", "pan=411111******1111;"),
            ("4111 1111 1111 1111", "4111 11** **** 1111"),
            ("4111-1111-1111-1111", "4111-11**-****-1111"),
            ("3782 822463 10005", "3782 82**** *0005"),
            ("x4111111111111111y", "x411111******1111y"),
            ("2026-11-20 4111111111111111", "2026-11-20 411111******1111"),
            ("4111111111111111 12 34", "411111******1111 12 34"),
            ("4222222222222", "422222***2222"),
            ("4111111111111112", "4111111111111112"),
            ("411111111111", "411111111111"),
            ("41111111111111111111111111", "41111111111111111111111111"),
            ("4111  1111  1111  1111", "4111  1111  1111  1111"),
            ("é4111111111111111é", "é411111******1111é"),
            ("", ""),
            ("-", "-"),
        ];
        for (text, masked) in table {
            assert_eq!(card_numbers(text), masked, "{text}");
        }
    }

    #[test]
    fn members_are_hidden_by_name() {
        let hidden = [
            "token",
            "access_token",
            "accessToken",
            "refresh_token",
            "client_secret",
            "secretKey",
            "password",
            "cvv",
            "CVC",
            "security_code",
            "securityCode",
            "pan",
            "number",
            "card_number",
            "cardNumber",
            "tranKey",
            "api_key",
        ];
        for name in hidden {
            let json = Json::Object(vec![(name.to_owned(), Json::String("abcdefgh12345".into()))]);
            assert_eq!(super::json(&json), json!({name: "****"}));
        }
        for name in ["amount", "token_type", "numbers_of_items", "panel", "status", "description"] {
            let json = Json::Object(vec![(name.to_owned(), Json::String("abc".into()))]);
            assert_eq!(super::json(&json), json!({name: "abc"}));
        }
    }

    #[test]
    fn bodies_are_shown_redacted() {
        let table = [
            ("", json!(null)),
            (r#"{"a":1.50,"b":[true,null]}"#, json!({"a": 1.5, "b": [true, null]})),
            (
                r#"{"card":{"number":"4111111111111111","cvv":123}}"#,
                json!({"card": {"number": "411111******1111", "cvv": "****"}}),
            ),
            (
                r#"{"token":{"token":"abc","subtoken":"9","last":"1111"}}"#,
                json!({"token": {"token": "****", "subtoken": "****", "last": "1111"}}),
            ),
            (r#"{"tokens":["abc",["d"],null]}"#, json!({"tokens": ["****", ["****"], null]})),
            (r#"{"n":4111111111111111}"#, json!({"n": "411111******1111"})),
            (
                r#"{"4111111111111111":"4111\u00201111 1111 1111"}"#,
                json!({"411111******1111": "4111 11** **** 1111"}),
            ),
            (r#"{"number":4111111111111112,"token":""}"#, json!({"number": "****", "token": ""})),
            // Broken, cut off or ambiguous JSON is text.
            (r#"{"token":"ab\"c","amount":1"#, json!(r#"{"token":****,"amount":1"#)),
            (r#"{"amount":1,"cvv": 123, "x":1,}"#, json!(r#"{"amount":1,"cvv": ****, "x":1,}"#)),
            (r#"{"card_number":"4111"#, json!(r#"{"card_number":****"#)),
            (r#"{'secret': 'a', 'b': 'c'}"#, json!(r#"{'secret': ****, 'b': 'c'}"#)),
            (
                r#"{"a":1,"a":2,"tokens":["x","y"],"z":{"pan":1}}"#,
                json!(r#"{"a":1,"a":2,"tokens":****,"z":{"pan":****}}"#),
            ),
            (
                r#"{"a":1,"a":2,"token":{"token":"x"}}"#,
                json!(r#"{"a":1,"a":2,"token":{"token":****}}"#),
            ),
            ("call 4111 1111 1111 1111 now", json!("call 4111 11** **** 1111 now")),
            (
                "grant_type=code&client%5Fsecret=abc&card=4111+1111%201111-1111&r=a%26b",
                json!("grant_type=code&client%5Fsecret=****&card=4111 11** ****-1111&r=a%26b"),
            ),
            ("code=", json!("code=")),
        ];
        for (text, expected) in table {
            assert_eq!(body(text.as_bytes(), 1_000), expected, "{text}");
        }
        assert_eq!(body(b"\xff4111111111111111", 100), json!("\u{fffd}411111******1111"));
    }

    #[test]
    fn long_bodies_are_cut_after_redaction() {
        let long = format!(r#"{{"a":"{}","token":"abc"}}"#, "é".repeat(20));
        assert_eq!(body(long.as_bytes(), 12), json!("{\"a\":\"ééé…"));
        assert_eq!(
            body(long.as_bytes(), 60),
            json!(long.replace("abc", "****")[..60].to_owned() + "…")
        );
        assert_eq!(body("aé".repeat(9).as_bytes(), 5), json!("aéa…"));
    }

    #[test]
    fn headers_keep_scheme_and_last_four() {
        let table = [
            ("authorization", "Bearer TEST-1234567890-abcd", "Bearer ****abcd"),
            ("authorization", "Basic short", "Basic ****"),
            ("authorization", "0123456789abcdef", "****cdef"),
            ("x-api-key", "0123456789abcdef", "****cdef"),
            ("cookie", "session=0123456789abcdef; b=1", "**** b=1"),
            ("x-client-secret", "abc", "****"),
            ("x-csrf-token", "0123456789abcdef", "****cdef"),
            ("location", "/pay?token=abc&x=1", "/pay?token=****&x=1"),
            ("x-note", "4111111111111111", "411111******1111"),
            ("content-type", "application/json", "application/json"),
        ];
        for (name, value, expected) in table {
            assert_eq!(header(name, value), expected, "{name}: {value}");
        }
    }

    #[test]
    fn headers_survive_packing() {
        let mut map = HeaderMap::new();
        map.append("accept", "a".parse().unwrap());
        map.append("accept", "b".parse().unwrap());
        map.append("x-empty", "".parse().unwrap());
        map.append("x-latin", http::HeaderValue::from_bytes(b"caf\xe9").unwrap());
        let packed = pack(&map);
        assert_eq!(
            headers(unpack(&packed)),
            json!({"accept": "a, b", "x-empty": "", "x-latin": "caf\u{fffd}"})
        );
        assert_eq!(headers(unpack(&[])), json!({}));
    }

    #[test]
    fn targets_are_shown_redacted() {
        let table = [
            ("/a/b", "/a/b"),
            ("/a?access_token=x&cvv=1&b=c%20d&e", "/a?access_token=****&cvv=****&b=c%20d&e"),
            ("/cards/4111111111111111", "/cards/411111******1111"),
            ("/a?card=4111%20111111111111", "/a?card=4111 11******1111"),
        ];
        for (text, expected) in table {
            assert_eq!(target(text), expected);
        }
    }
}
