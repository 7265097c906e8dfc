//! The card page over a real engine and store, with a dialect of its own.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "that is how a test fails")]

mod pages;
mod stage;
mod visitor;
