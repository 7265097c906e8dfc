//! The server that Cobro is compared with: one axum route that parses a body and answers it.

use std::io::Write as _;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use serde_json::Value;

/// Serves until killed; prints the port first.
pub(crate) fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", listener.local_addr()?.port())?;
        out.flush()?;
        drop(out);
        let path = "/point/integration-api/devices/{device_id}/payment-intents";
        let router = Router::new().route(path, post(echo));
        let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
        Ok(axum::serve(listener, router).await?)
    })
}

async fn echo(body: Bytes) -> Response {
    match serde_json::from_slice::<Value>(&body) {
        Ok(value) => (StatusCode::CREATED, Json(value)).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
