//! Worlds: make, show, remove.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use cobro_engine::worlds::MAIN;
use cobro_engine::{EngineError, World};
use cobro_surface::body::json_response;
use cobro_surface::endpoint::{Endpoint, Routes};
use futures_util::FutureExt as _;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::answers::{
    BAD, CONFLICT, FAULT, GONE, REFUSED, TOO_LARGE, UNAVAILABLE, answer, call, read_responses,
};
use crate::input::{Input, Named};
use crate::refusal::{Answer, Refusal};
use crate::view::ok;

/// The longest name of a world, in characters.
const NAME_MAX: usize = 100;

/// The name of a world that was not given one.
const NAME_DEFAULT: &str = "sandbox";

const WORLD: &str = r#"{"id":"w_5f0c1e2a","name":"prueba","now":"2026-11-20T10:00:00Z","mercado_pago":{"client_id":1000000000000001,"client_secret":"secreto","webhook_secret":"secreto","sellers":[{"site":"MLA","user_id":100000001,"access_token":"TEST-1","integrator_token":"token","terminals":["PAX_A910__SBX0000001"]}]}}"#;

static MAKE: Endpoint = Endpoint {
    summary: "Makes a world with merchants, credentials, terminals and a clock of its own",
    parameters: &[],
    request: Some(r#"{"name":"prueba"}"#),
    responses: &[
        answer(201, "The world", WORLD),
        BAD,
        REFUSED,
        CONFLICT,
        TOO_LARGE,
        FAULT,
        UNAVAILABLE,
    ],
    ..call("POST", "/_cobro/v1/worlds", "makeWorld")
};

static SHOW: Endpoint = Endpoint {
    summary: "Shows a world with its credentials; demo is the main one",
    parameters: &[],
    responses: read_responses![answer(200, "The world", WORLD)],
    ..call("GET", "/_cobro/v1/worlds/{id}", "showWorld")
};

static REMOVE: Endpoint = Endpoint {
    summary: "Removes a world; its credentials stop working",
    parameters: &[],
    responses: read_responses![GONE, CONFLICT],
    ..call("DELETE", "/_cobro/v1/worlds/{id}", "removeWorld")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&MAKE, post(make)).at(&SHOW, get(show)).at(&REMOVE, axum::routing::delete(remove))
}

async fn make(State(shared): State<Shared>, input: Input) -> Answer {
    let name = input.members(&["name"])?.text("name")?.unwrap_or(NAME_DEFAULT);
    if name.chars().count() > NAME_MAX {
        return Err(Refusal::bad("name must be text of at most 100 characters"));
    }
    let (worlds, name) = (Arc::clone(&shared.control.worlds), name.to_owned());
    // A world that was begun is finished, also when the caller hangs up: half of one would stay.
    let world = to_the_end(async move { worlds.make(&name).await }).await?;
    Ok(json_response(StatusCode::CREATED, &described(&world).await?))
}

async fn show(State(shared): State<Shared>, Named(id): Named) -> Answer {
    let world = shared.control.worlds.by_id(&id).await?;
    Ok(ok(&described(&world).await?))
}

async fn remove(State(shared): State<Shared>, Named(id): Named) -> Answer {
    let control = shared.control.clone();
    to_the_end(async move {
        control.worlds.remove(&id).await?;
        control.journal.remove_world(&id);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A world's own members, and each dialect's.
async fn described(world: &World) -> Result<Value, EngineError> {
    let mut members = Map::new();
    for dialect in world.dialects() {
        let (name, value) = dialect.describe(world).await?;
        members.insert(name.to_owned(), value);
    }
    members.insert("id".to_owned(), json!(world.id()));
    members.insert("name".to_owned(), json!(world.name()));
    members.insert("now".to_owned(), json!(world.now().to_string()));
    Ok(Value::Object(members))
}

/// Runs something that must not stop half-way when its caller hangs up.
///
/// # Errors
/// Its own.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
) -> Result<T, EngineError> {
    let done = tokio::spawn(work.boxed()).await;
    done.unwrap_or_else(|error| Err(EngineError::Fault(error.to_string())))
}

/// The world with this id as long as it is open. Whoever lives long asks anew each time instead of
/// holding a world, so that a world that was removed can go.
pub(crate) fn open_world(worlds: &cobro_engine::Worlds, id: &str) -> Option<World> {
    if id == MAIN {
        return Some(worlds.main().clone());
    }
    worlds.all_open().into_iter().find(|world| world.id() == id)
}
