//! The server against a native offerer, over real sockets of this host.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;
mod offerer;
mod relay;
mod stand;

mod addresses;
mod chat;
mod echo;
mod end;
mod operation;
mod program;
mod unopened;
