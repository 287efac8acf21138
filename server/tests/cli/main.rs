//! The program as its operator and its user start it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod clock;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod names;
#[cfg(unix)]
mod operation;
mod program;
#[cfg(target_os = "linux")]
mod unit;
