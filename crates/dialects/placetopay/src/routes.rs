//! The surface: which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use cobro_domain::Timestamp;
use cobro_engine::Worlds;
use cobro_surface::endpoint::{Endpoint, Routes};

use crate::calls::{Operation, answer};
use crate::endpoints;
use crate::errors::Refusal;
use crate::sites::Country;
use crate::texts::Language;

/// What the handlers work with.
#[derive(Clone)]
pub struct Surface {
    /// The worlds.
    pub worlds: Arc<Worlds>,
    /// The beginning of our own addresses, without a slash at the end.
    pub public_url: Arc<str>,
}

impl std::fmt::Debug for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surface").finish_non_exhaustive()
    }
}

fn call(operation: Operation) -> MethodRouter<Surface> {
    post(async move |State(surface): State<Surface>, request: Request| {
        answer(surface, operation, None, request).await
    })
}

fn call_of_session(operation: Operation) -> MethodRouter<Surface> {
    post(async move |State(surface): State<Surface>, Path(id): Path<String>, request: Request| {
        answer(surface, operation, Some(id), request).await
    })
}

/// The router of this dialect, and what it serves.
pub fn routes(surface: Surface) -> (Router, Vec<&'static Endpoint>) {
    let (router, endpoints) = Routes::new()
        .at(&endpoints::CREATE_SESSION, call(Operation::CreateSession))
        .at(&endpoints::QUERY_SESSION, call_of_session(Operation::QuerySession))
        .at(&endpoints::CANCEL_SESSION, call_of_session(Operation::CancelSession))
        .at(&endpoints::COLLECT, call(Operation::Collect))
        .at(&endpoints::INVALIDATE, call(Operation::Invalidate))
        .at(&endpoints::REVERSE, call(Operation::Reverse))
        .at(&endpoints::TRANSACTION, call(Operation::Transaction))
        .at(&endpoints::GATEWAY_TOKEN, call(Operation::GatewayToken))
        .at(&endpoints::GATEWAY_INFORMATION, call(Operation::GatewayInformation))
        .finish();
    let router = router.method_not_allowed_fallback(async |State(surface): State<Surface>| {
        wrong_method(surface.worlds.main().now())
    });
    (router.with_state(surface), endpoints)
}

/// Whether a path belongs to this dialect, so that its own error answers what is not there.
pub fn is_ours(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

fn refused(refusal: &Refusal, now: Timestamp) -> Response {
    refusal.response(Language::Es, now, &Country::Co.zone())
}

/// The answer to a path that the API does not have.
pub fn not_found(now: Timestamp) -> Response {
    refused(&Refusal::page_unknown(), now)
}

/// The answer to a method that a path does not have.
pub fn wrong_method(now: Timestamp) -> Response {
    refused(&Refusal::method(), now)
}

/// The answer to a body that is too large.
pub fn too_large(now: Timestamp) -> Response {
    refused(&Refusal::too_large(), now)
}
