//! The JavaScript API: what a plain page imports. A thin coat over the Rust API, with the names of the web.

mod connection;
mod error;
mod handlers;
mod options;

#[cfg(target_family = "wasm")]
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

pub use connection::{JsConnection, connect};

/// In place of the standard library's allocator, which weighs 2.6 KB more after gzip. A Rust program chooses its own.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
