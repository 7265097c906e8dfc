//! The real binary over real sockets: what issue and reference promise to a point of sale, on
//! SQLite and, where `COBRO_TEST_POSTGRES` names a server to make databases on, on PostgreSQL.
//!
//! Nothing here waits for a time: each step waits for an answer, a notification or a line.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod bad_input;
mod cluster;
mod control;
mod countries;
mod documents;
mod endings;
mod main_job;
mod operations;
mod races;
mod samples;
mod transport;
mod worlds;

use shared::{http, on_both, place, point, receiver, server, shape};
