//! The server as a library: configuration, wiring, listening, subcommands. The binary only reads
//! its arguments and calls [`cli::run`].
//!
//! This is the only crate that knows every room, and the only one with the real clock, the real
//! randomness and the file system.

mod ambient;
mod app;
mod banner;
pub mod cli;
mod config;
mod data;
mod export;
mod factory;
mod http;
mod logs;
mod merchandise;
mod operations;
mod outbound;
mod peers;
mod platform;
mod reference;
mod serve;
mod unchanged;
mod vault;
mod verify;
