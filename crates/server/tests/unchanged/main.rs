//! The proxy on the real binary's listener, and `cobro run`: what honest clients and bad ones see.
//!
//! Nothing here waits for a time: each step waits for an answer, an end or a line.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod program;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod wire;
