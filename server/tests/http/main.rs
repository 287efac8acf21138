//! The server over HTTP and HTTPS, by real sockets: what it answers, and to whom.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod answers;
mod cors;
mod events;
mod faults;
mod limits;
mod metrics;
mod patch;
mod profile;
mod session;
mod tls;
