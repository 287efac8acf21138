//! Turns the translations into one method per sentence, so that a sentence that is missing, or one that lacks a
//! parameter, does not compile; and leaves the names of functions out of the module that visitors download.

use std::env;

use rosetta_build::error::BuildError;

fn main() -> Result<(), BuildError> {
    strip();
    rosetta_build::config()
        .source("en", "locales/en.json")
        .source("es", "locales/es.json")
        .fallback("en")
        .generate()
}

/// The names are two fifths of a release module. `strip = true` in the profile would take the list of target
/// features along, which wasm-bindgen reads.
fn strip() {
    let is = |name, value| env::var(name).is_ok_and(|actual| actual == value);
    if is("CARGO_CFG_TARGET_ARCH", "wasm32") && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bins=--strip-all");
        println!("cargo::rustc-link-arg-bins=--keep-section=target_features");
    }
}
