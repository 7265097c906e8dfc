//! The control API over a real engine and store, with an acquirer and a dialect of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "that is how a test fails"
)]
mod calls;
mod double;
mod expiry;
mod journals;
mod streams;
mod till;
