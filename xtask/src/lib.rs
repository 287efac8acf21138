//! The project's own commands, `cargo xtask serve | test | bench | conformance | package`: they install what is missing and run programs.
//!
//! Nothing here knows WebRTC. The end-to-end tests share [`process`] and [`server`].

pub mod browsers;
pub mod budget;
pub mod embed;
mod glue;
pub mod installed;
pub mod interop;
pub mod lock;
pub mod package;
pub mod parts;
pub mod process;
pub mod programs;
pub mod project;
pub mod serve;
pub mod server;
pub mod shrink;
pub mod test;
pub mod toolchain;
pub mod tools;
pub mod trunk;
