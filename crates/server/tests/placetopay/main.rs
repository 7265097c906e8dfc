//! The Checkout dialect over real sockets: what seed 004 and the reference promise to a shop; on
//! SQLite and, where `COBRO_TEST_POSTGRES` names a server to make databases on, on PostgreSQL.
//!
//! Nothing here waits for a time: each step waits for an answer or a notification.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod authentication;
mod collects;
mod leaks;
mod notifications;
mod recurrences;
mod seed;
mod sessions;
mod slowness;
mod transactions;
mod vault;

use shared::{http, on_both, place, receiver, server, shape, shop};
