//! The module of the npm package: what its JavaScript, in `client/js`, is built on. No API for anybody else.
//!
//! The JavaScript holds what the web has shapes for: promises, events, streams, errors. What WebRTC is, is here.

mod host;
mod plain;
mod session;

#[cfg(target_family = "wasm")]
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

pub use host::{Chosen, Host};
pub use session::Core;

/// In place of the standard library's allocator, which weighs 2.6 KB more after gzip. A Rust program chooses its own.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
