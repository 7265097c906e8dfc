//! What every HTTP surface shares: exact JSON, endpoint tables, OpenAPI, the request journal, and
//! what pages are made of.
//!
//! Nothing here knows a provider, the engine or the store. A surface brings its own paths,
//! statuses and words, and takes from here what must be the same everywhere: how a money body is
//! read, how a route and its documentation stay one thing, and what is shown of a past request.

pub mod assets;
pub mod body;
pub mod endpoint;
pub mod html;
pub mod journal;
pub mod json;
pub mod problem;
pub mod query;
pub mod texts;
