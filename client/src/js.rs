//! The JavaScript API: what a plain page imports. A thin coat over the Rust API, with the names of the web.

mod connection;
mod error;
mod handlers;
mod options;

pub use connection::{JsConnection, connect};
