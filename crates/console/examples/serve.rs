//! Serves the console alone, without a control API behind it: `serve [ADDRESS:PORT]`.
//!
//! For work on the pages, together with `tests/clients/mock-control.mjs`, which answers the control
//! API from memory and leads every other path here.

/// Listens on the address given, `127.0.0.1:7171` unless told.
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7171".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("http://{}", listener.local_addr()?);
    let config = cobro_console::ConsoleConfig { version: "0.1.0" };
    let console = cobro_console::router(config).merge(cobro_console::simulator_router(config));
    axum::serve(listener, console).await
}
