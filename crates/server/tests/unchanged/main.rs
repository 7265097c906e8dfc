//! The proxy on the real binary's listener, and `cobro run`: what honest clients and bad ones see.
//!
//! Nothing here waits for a time: each step waits for an answer, an end or a line.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod bad_input;
mod commands;
mod program;
mod proxy;
mod wire;
