//! The Clip dialect over real sockets: what seeds 000 to 002 and the reference promise to points of
//! sale, shops and ERPs; on SQLite and, for what moves the clock and where `COBRO_TEST_POSTGRES` names
//! a server to make databases on, on PostgreSQL.
//!
//! Nothing here waits for a time: each step waits for an answer or a notification.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod card_tokens;
mod checkout;
mod credentials;
mod documents;
mod leaks;
mod payments;
mod payments_list;
mod pinpad;
mod pos;
mod postback;
mod refunds;
mod settlement_input;
mod settlement_reports;
mod settlements;
mod terminals;
mod three_ds;
mod transactions;

use shared::{clip_shop as shop, http, on_both, place, receiver, server, shape, till};
