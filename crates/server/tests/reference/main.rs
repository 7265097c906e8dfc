//! The API reference's commands, as somebody would paste them: every one is run in a shell against
//! the real binary, and must be answered with a success that the reference documents.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod cafe;
mod commands;
mod stage;

use shared::{clip_shop, http, place, point, receiver, server, shape, shop, till};
