//! What a call is made of: the world, the page, the name in the path, the body.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::Bytes;
use cobro_engine::worlds::MAIN;
use cobro_engine::{EngineError, Subject, World};
use cobro_surface::journal::WorldSlot;
use cobro_surface::json::{Json, JsonError, Limits};
use http::request::Parts;
use http::{HeaderName, StatusCode};

use crate::Shared;
use crate::refusal::Refusal;

const COBRO_WORLD: HeaderName = HeaderName::from_static("cobro-world");

/// How many rows a list has unless told (contract, "Control API").
const LIMIT_DEFAULT: usize = 50;

/// How many rows a list has at most (contract, "Control API").
const LIMIT_MAX: usize = 1000;

/// The first value of a parameter of the query.
///
/// # Errors
/// A query that cannot be read.
pub(crate) fn parameter(parts: &Parts, name: &str) -> Result<Option<String>, Refusal> {
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let Query(pairs) = query.map_err(|_| Refusal::bad("the query cannot be read"))?;
    Ok(pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value))
}

/// The world that the header `Cobro-World` selects, or the parameter `world` where a browser
/// cannot set headers; else the main one.
pub(crate) struct Selected(pub(crate) World);

impl FromRequestParts<Shared> for Selected {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Refusal> {
        let unknown = || Refusal::from(EngineError::NotFound(Subject::World));
        let id = match parts.headers.get(COBRO_WORLD) {
            Some(value) => Some(value.to_str().map_err(|_| unknown())?.to_owned()),
            None => parameter(parts, "world")?,
        };
        let world = shared.control.worlds.by_id(id.as_deref().unwrap_or(MAIN)).await?;
        if let Some(slot) = parts.extensions.get::<WorldSlot>() {
            slot.settle(world.id());
        }
        Ok(Self(world))
    }
}

/// Which part of a list is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    /// What the page before ended with.
    pub(crate) cursor: Option<String>,
    /// How many rows.
    pub(crate) limit: usize,
}

impl Paging {
    fn parse(cursor: Option<String>, limit: Option<&str>) -> Result<Self, Refusal> {
        let limit = match limit {
            None => LIMIT_DEFAULT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=LIMIT_MAX).contains(limit) && !text.starts_with('+'))
                .ok_or_else(|| Refusal::bad("limit must be a number from 1 to 1000"))?,
        };
        Ok(Self { cursor, limit })
    }

    /// The cursor as `read` understands it.
    ///
    /// # Errors
    /// A cursor that no page gave.
    pub(crate) fn cursor<T>(
        &self,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let cursor = self.cursor.as_deref().map(|text| {
            read(text).ok_or_else(|| Refusal::bad("cursor must be one that a page gave as next"))
        });
        cursor.transpose()
    }

    /// One row more than the page has: whether it is there tells whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// The page, and the cursor of the next one if there is one. `rows` are [`Self::rows`] at most.
    pub(crate) fn cut<T>(
        &self,
        mut rows: Vec<T>,
        cursor: impl FnOnce(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| has_more).map(cursor);
        (rows, next)
    }
}

impl FromRequestParts<Shared> for Paging {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        Self::parse(parameter(parts, "cursor")?, parameter(parts, "limit")?.as_deref())
    }
}

/// The one name in the path.
pub(crate) struct Named(pub(crate) String);

impl FromRequestParts<Shared> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Refusal> {
        let name = Path::<String>::from_request_parts(parts, shared).await;
        let name = name.map_err(|_| Refusal::bad("the path is not UTF-8"))?;
        Ok(Self(name.0))
    }
}

/// The body, an object; an empty body is an empty object.
pub(crate) struct Input(Json);

impl FromRequest<Shared> for Input {
    type Rejection = Refusal;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, shared).await.map_err(|rejection| {
            let status = rejection.status();
            Refusal::new(status, "the body cannot be read")
        })?;
        Self::parse(&body)
    }
}

impl Input {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match Json::parse(body, &Limits::default()) {
            Ok(json @ Json::Object(_)) => Ok(Self(json)),
            Ok(_) => Err(Refusal::bad("the body must be a JSON object")),
            Err(JsonError::Empty) => Ok(Self(Json::Object(Vec::new()))),
            Err(error @ JsonError::TooLarge) => {
                Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))
            }
            Err(error) => Err(Refusal::bad(error.to_string())),
        }
    }

    /// The body as it came.
    pub(crate) const fn json(&self) -> &Json {
        &self.0
    }

    /// Its members.
    ///
    /// # Errors
    /// A member that is not known: a word that was misspelt must not be passed over.
    pub(crate) fn members(&self, known: &[&str]) -> Result<Members<'_>, Refusal> {
        Members::of(&self.0, known)
    }
}

/// The members of an object; one that is `null` counts as absent.
#[derive(Clone, Copy)]
pub(crate) struct Members<'a>(&'a Json);

impl<'a> Members<'a> {
    /// The members of an object.
    ///
    /// # Errors
    /// Something that is no object, or has a member that is not known. The refusal does not
    /// repeat the member, which could be anything.
    pub(crate) fn of(json: &'a Json, known: &[&str]) -> Result<Self, Refusal> {
        let object = json.as_object().ok_or_else(|| Refusal::bad("an object was expected"))?;
        if object.iter().all(|(name, _)| known.contains(&name.as_str())) {
            return Ok(Self(json));
        }
        Err(Refusal::bad(match known {
            [] => "the body must be empty".to_owned(),
            known => format!("a member is none of: {}", known.join(", ")),
        }))
    }

    /// A member, `null` included.
    pub(crate) fn raw(self, name: &str) -> Option<&'a Json> {
        self.0.get(name)
    }

    /// A member of any type.
    pub(crate) fn get(self, name: &str) -> Option<&'a Json> {
        self.raw(name).filter(|json| !matches!(json, Json::Null))
    }

    /// Text.
    ///
    /// # Errors
    /// Another type.
    pub(crate) fn text(self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.read(name, "text", Json::as_str)
    }

    /// A boolean.
    ///
    /// # Errors
    /// Another type.
    pub(crate) fn boolean(self, name: &str) -> Result<Option<bool>, Refusal> {
        self.read(name, "true or false", Json::as_bool)
    }

    /// A whole number in a range.
    ///
    /// # Errors
    /// Another type, a fraction, or a number outside the range.
    pub(crate) fn integer(
        self,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<i64>, Refusal> {
        let words = format!("a whole number from {} to {}", range.start(), range.end());
        self.read(name, &words, |json| {
            json.as_number()?.integer().filter(|number| range.contains(number))
        })
    }

    fn read<T>(
        self,
        name: &str,
        words: &str,
        read: impl FnOnce(&'a Json) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let value = self
            .get(name)
            .map(|json| read(json).ok_or_else(|| Refusal::bad(format!("{name} must be {words}"))));
        value.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    fn status<T>(result: Result<T, Refusal>) -> u16 {
        result.map_or_else(|refusal| refusal.into_response().status().as_u16(), |_| 200)
    }

    #[test]
    fn limits_are_numbers_from_1_to_1000() {
        let table = [
            (None, Some(50)),
            (Some("1"), Some(1)),
            (Some("1000"), Some(1000)),
            (Some("0"), None),
            (Some("1001"), None),
            (Some("-1"), None),
            (Some("+1"), None),
            (Some(""), None),
            (Some("1.0"), None),
            (Some("ten"), None),
            (Some("99999999999999999999"), None),
        ];
        for (text, expected) in table {
            let found = Paging::parse(None, text);
            assert_eq!(found.ok().map(|paging| paging.limit), expected, "{text:?}");
            assert_eq!(
                status(Paging::parse(None, text)),
                if expected.is_some() { 200 } else { 400 }
            );
        }
    }

    #[test]
    fn a_page_says_whether_there_is_another() {
        let paging = Paging { cursor: None, limit: 2 };
        assert_eq!(paging.rows(), 3);
        let cut = |rows: Vec<i32>| paging.cut(rows, |row| format!("after {row}"));
        assert_eq!(cut(vec![]), (vec![], None));
        assert_eq!(cut(vec![5, 4]), (vec![5, 4], None));
        assert_eq!(cut(vec![5, 4, 3]), (vec![5, 4], Some("after 4".to_owned())));
    }

    #[test]
    fn a_cursor_is_one_that_a_page_gave() {
        let paging = |cursor: &str| Paging { cursor: Some(cursor.to_owned()), limit: 2 };
        let read = |text: &str| text.parse::<u64>().ok();
        assert_eq!(paging("7").cursor(read).unwrap(), Some(7));
        assert_eq!(status(paging("x").cursor(read)), 400);
        assert_eq!(Paging { cursor: None, limit: 2 }.cursor(read).unwrap(), None);
    }

    #[test]
    fn bodies_are_objects_with_known_members() {
        let large = vec![b' '; 2 << 20];
        let table: [(&[u8], u16); 9] = [
            (b"", 200),
            (b"  ", 200),
            (b"{}", 200),
            (br#"{"a":1}"#, 200),
            (br#"{"b":1}"#, 400),
            (b"[]", 400),
            (b"{", 400),
            (br#"{"a":1,"a":2}"#, 400),
            (&large, 413),
        ];
        for (body, expected) in table {
            let found = Input::parse(body).and_then(|input| input.members(&["a"]).map(|_| ()));
            assert_eq!(status(found), expected, "{:?}", body.get(..9));
        }
        let stray = Input::parse(br#"{"4111111111111111":1}"#).unwrap();
        let refusal = stray.members(&["a"]).err().unwrap();
        assert!(!format!("{refusal:?}").contains("4111"));
    }

    #[test]
    fn members_have_types() {
        let input = Input::parse(br#"{"t":"x","n":3,"b":true,"z":null,"f":1.5,"w":2.0}"#).unwrap();
        let members = input.members(&["t", "n", "b", "z", "f", "w"]).unwrap();
        assert_eq!(members.text("t").unwrap(), Some("x"));
        assert_eq!(members.text("z").unwrap(), None);
        assert_eq!(members.text("none").unwrap(), None);
        assert_eq!(members.integer("n", 1..=3).unwrap(), Some(3));
        assert_eq!(members.integer("w", 1..=3).unwrap(), Some(2));
        assert_eq!(members.boolean("b").unwrap(), Some(true));
        assert_eq!(status(members.text("n")), 400);
        assert_eq!(status(members.integer("n", 1..=2)), 400);
        assert_eq!(status(members.integer("f", 1..=2)), 400);
        assert_eq!(status(members.integer("t", 1..=2)), 400);
        assert_eq!(status(members.boolean("n")), 400);
    }
}
