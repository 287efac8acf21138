//! Has a release build embed the page anew when the page was built anew: cargo sees changes of the files that were
//! embedded, but not that there are other ones now.

use std::{env, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let is_program = env::var_os("CARGO_FEATURE_PROGRAM").is_some();
    // Cargo runs a script that names a missing folder at every build: so it is only named where it may appear.
    if is_release && is_program && Path::new("../Trunk.toml").exists() {
        println!("cargo::rerun-if-changed=../dist");
    }
}
