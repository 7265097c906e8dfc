//! JSON of money bodies: exact numbers, no ambiguity, bounded work.
//!
//! The rules are those of the hostile-input and money tables: what two readers could understand
//! differently (duplicate keys, a byte order mark, trailing bytes) is refused, numbers keep their
//! text, and depth, members and size are bounded before any of it is believed.

mod number;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

pub use number::{AmountError, NumberText, decimal_text, decimal_units};

/// A JSON value whose numbers keep their text and whose members keep their order.
///
/// `Debug` prints it redacted, as the request journal would.
#[derive(Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(NumberText),
    /// A string, unescaped; never with U+0000 when it was parsed.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, in the order of the text; parsed ones have each key once.
    Object(Vec<(String, Json)>),
}

/// How much JSON is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub size: usize,
    /// Containers within each other; a scalar has depth 0, `[]` depth 1.
    pub depth: usize,
    /// Members of all objects of the text together.
    pub members: usize,
    /// Elements of all arrays of the text together.
    pub elements: usize,
}

impl Default for Limits {
    /// 1 MiB, 32 deep, 1,000 members, 10,000 elements.
    fn default() -> Self {
        Self { size: 1 << 20, depth: 32, members: 1_000, elements: 10_000 }
    }
}

/// Why a text is not JSON that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Nothing, or nothing but white space.
    #[error("the body is empty")]
    Empty,
    /// More bytes than [`Limits::size`].
    #[error("the body is too large")]
    TooLarge,
    /// The bytes are not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// The text begins with U+FEFF (RFC 8259, section 8.1, forbids to send one).
    #[error("the body begins with a byte order mark")]
    ByteOrderMark,
    /// Not the grammar of RFC 8259, or a string with half a surrogate pair.
    #[error("the body is not valid JSON")]
    Syntax,
    /// Deeper than [`Limits::depth`].
    #[error("the body is nested too deeply")]
    TooDeep,
    /// More members or elements than [`Limits`] allows.
    #[error("the body has too many members")]
    TooManyMembers,
    /// The same key twice in one object, compared after unescaping.
    #[error("the body has an object with the same key twice")]
    DuplicateKey,
    /// U+0000 in a string or key, which not every database can store.
    #[error("the body has a string with U+0000")]
    Nul,
}

impl Json {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, JsonError> {
        if bytes.len() > limits.size {
            return Err(JsonError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
        if text.starts_with('\u{feff}') {
            return Err(JsonError::ByteOrderMark);
        }
        if text.bytes().all(is_blank) {
            return Err(JsonError::Empty);
        }
        check_budget(bytes, limits)?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| JsonError::Syntax)?;
        let mut walk =
            Walk { members: limits.members, elements: limits.elements, failure: JsonError::Syntax };
        walk.value(raw, limits.depth)
    }

    /// The member `key` of an object; `None` when there is none or this is no object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number of a number.
    pub fn as_number(&self) -> Option<&NumberText> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What kind of value it is, in JSON Schema's words: `integer` for a number whose value is
    /// integral (`1.0` too), else `number`, `string`, `boolean`, `object`, `array` or `null`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(number) if number.is_integral() => "integer",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// The same for storing and echoing. An integral number that fits `i64` becomes an integer;
    /// another becomes the nearest number that `serde_json` can print, or its text as a string
    /// when there is none (`1e400`). Not for reading amounts.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => match number.integer() {
                Some(integer) => Value::from(integer),
                None => serde_json::from_str(number.as_str())
                    .unwrap_or_else(|_| Value::from(number.as_str())),
            },
            Self::String(text) => Value::String(text.clone()),
            Self::Array(elements) => elements.iter().map(Self::to_value).collect(),
            Self::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (name.clone(), value.to_value())).collect(),
            ),
        }
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(NumberText::from_token(&number.to_string())),
            Value::String(text) => Self::String(text.clone()),
            Value::Array(elements) => Self::Array(elements.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect(),
            ),
        }
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", crate::journal::redact::json(self))
    }
}

impl fmt::Debug for NumberText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::journal::redact::card_numbers(self.as_str()))
    }
}

/// White space of RFC 8259, section 2.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// One pass over the bytes that refuses what is too deep or too wide. It does not know the
/// grammar; it only bounds the work of those who do, since each level is read once per level
/// above it.
fn check_budget(bytes: &[u8], limits: &Limits) -> Result<(), JsonError> {
    let (mut depth, mut commas) = (0_usize, 0_usize);
    let commas_max = limits.members.saturating_add(limits.elements);
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => {
                while let Some(inner) = rest.next() {
                    match inner {
                        b'"' => break,
                        b'\\' => _ = rest.next(),
                        _ => {}
                    }
                }
            }
            b'[' | b'{' => {
                depth = depth.saturating_add(1);
                if depth > limits.depth {
                    return Err(JsonError::TooDeep);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => {
                commas = commas.saturating_add(1);
                if commas > commas_max {
                    return Err(JsonError::TooManyMembers);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is left of the limits, and why the walk stopped.
struct Walk {
    members: usize,
    elements: usize,
    failure: JsonError,
}

impl Walk {
    /// Reads a value of which the parser has found the ends; `depth` is how many containers may
    /// still open.
    fn value(&mut self, raw: &RawValue, depth: usize) -> Result<Json, JsonError> {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') => Ok(Json::Null),
            Some(b't') => Ok(Json::Bool(true)),
            Some(b'f') => Ok(Json::Bool(false)),
            Some(b'"') => {
                let text = serde_json::from_str(text).map_err(|_| JsonError::Syntax)?;
                without_nul(text).map(Json::String)
            }
            Some(b'[' | b'{') => {
                let depth = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
                let mut parser = serde_json::Deserializer::from_str(text);
                Container { walk: self, depth }.deserialize(&mut parser).map_err(|_| self.failure)
            }
            Some(_) => Ok(Json::Number(NumberText::from_token(text))),
            None => Err(JsonError::Syntax),
        }
    }

    /// Keeps the reason, which a deserialiser's own error cannot carry.
    fn stop<E: de::Error>(&mut self, failure: JsonError) -> E {
        self.failure = failure;
        E::custom(failure)
    }
}

fn without_nul(text: String) -> Result<String, JsonError> {
    if text.contains('\0') { Err(JsonError::Nul) } else { Ok(text) }
}

/// Reads the members or elements of one container, each as raw text first.
struct Container<'a> {
    walk: &'a mut Walk,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Container<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Container<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let Self { walk, depth } = self;
        let mut elements = Vec::new();
        while let Some(raw) = seq.next_element::<&RawValue>()? {
            walk.elements = match walk.elements.checked_sub(1) {
                Some(left) => left,
                None => return Err(walk.stop(JsonError::TooManyMembers)),
            };
            elements.push(walk.value(raw, depth).map_err(|failure| walk.stop(failure))?);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let Self { walk, depth } = self;
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            walk.members = match walk.members.checked_sub(1) {
                Some(left) => left,
                None => return Err(walk.stop(JsonError::TooManyMembers)),
            };
            let name = without_nul(name).map_err(|failure| walk.stop(failure))?;
            let raw = map.next_value::<&RawValue>()?;
            members.push((name, walk.value(raw, depth).map_err(|failure| walk.stop(failure))?));
        }
        if has_duplicate(&members) {
            return Err(walk.stop(JsonError::DuplicateKey));
        }
        Ok(Json::Object(members))
    }
}

fn has_duplicate(members: &[(String, Json)]) -> bool {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}
