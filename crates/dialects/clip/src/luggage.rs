//! What a payment or a payment link carries for this dialect.
//!
//! The luggage is JSON. `kind` says what it belongs to; the other members are those of the request,
//! checked. `payer` is what somebody typed on a page, `page` the sealed secret of its address. That
//! of charges at terminals is written elsewhere; what it has in common with these is read here too.

use cobro_engine::World;
use serde_json::{Map, Value, json};

/// What a luggage belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A payment with a card token.
    Payment,
    /// A payment link.
    Link,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Link => "link",
        }
    }
}

/// What the secret of a page's address is sealed for.
const PAGE_PURPOSE: &str = "clip.page";

/// The luggage, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Luggage(Map<String, Value>);

impl Luggage {
    pub(crate) fn new(kind: Kind, mut members: Map<String, Value>) -> Self {
        members.insert("kind".to_owned(), kind.word().into());
        Self(members)
    }

    pub(crate) fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.str("kind") == kind.word()
    }

    /// A text; empty when there is none.
    pub(crate) fn str(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The first of these texts that there is.
    pub(crate) fn first(&self, names: &[&str]) -> &str {
        names.iter().map(|name| self.str(name)).find(|text| !text.is_empty()).unwrap_or_default()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// An object; an empty one when there is none.
    pub(crate) fn object(&self, name: &str) -> Value {
        self.0.get(name).filter(|value| value.is_object()).cloned().unwrap_or_else(|| json!({}))
    }

    /// Notes the secret of a page's address, sealed.
    pub(crate) fn with_page(mut self, world: &World, secret: &str) -> Self {
        let sealed = world.key().seal(PAGE_PURPOSE, secret.as_bytes(), world.entropy());
        self.0.insert("page".to_owned(), hex::encode(sealed).into());
        self
    }

    /// The address of the page of the session with this number.
    pub(crate) fn page(&self, world: &World, base: &str, number: i64) -> Option<String> {
        let sealed = hex::decode(self.str("page")).ok()?;
        let secret = world.key().open(PAGE_PURPOSE, &sealed).ok()?;
        let secret = String::from_utf8(secret).ok()?;
        Some(format!("{base}/spa/session/{number}/{secret}"))
    }
}

/// A new secret for a page's address: a world's tag first, where it is not the main one.
pub(crate) fn page_secret(world: &World) -> String {
    let secret = hex::encode(world.entropy().seed());
    match world.id().strip_prefix("w_") {
        Some(tag) => format!("{tag}{}", secret.get(8..).unwrap_or_default()),
        None => secret,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_back() {
        let members = json!({"description": "x", "binary_mode": true, "metadata": {"a": 1}});
        let luggage = Luggage::new(Kind::Link, members.as_object().unwrap().clone());
        let again = Luggage::read(&luggage.text());
        assert!(again.is(Kind::Link) && !again.is(Kind::Payment));
        assert_eq!(again.first(&["message", "description"]), "x");
        assert!(again.flag("binary_mode") && !again.flag("description"));
        assert_eq!(again.object("metadata"), json!({"a": 1}));
        assert_eq!(again.object("customer"), json!({}));
        assert_eq!(Luggage::read("no JSON").str("kind"), "");
    }
}
