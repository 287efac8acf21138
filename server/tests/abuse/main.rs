//! What strangers and greedy clients do to a server, over real sockets, while somebody talks on it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;
mod relay;
mod site;

mod flood;
mod forged;
mod guess;
mod handlers;
mod noise;
