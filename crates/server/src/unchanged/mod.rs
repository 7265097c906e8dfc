//! Programs as they are: what leads a client that was written for a provider to Cobro, without
//! a change to it.
//!
//! The proxy itself lives in `cobro-proxy`; here is what it needs from this machine (files, the
//! clock, the journal) and the subcommands `run`, `env`, `tls` and `doctor`.

mod authority;
pub(crate) mod client;
pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod front;
mod java;
pub(crate) mod run;
mod surroundings;
pub(crate) mod tls;
