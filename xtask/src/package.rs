//! `cargo xtask package`: the client as an npm package.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{
    browsers, budget,
    installed::{NODE, NPM},
    project::Project,
    shrink, toolchain,
    tools::{Toolbox, WASM_BINDGEN, WASM_PACK},
};

/// The package's folder.
const FOLDER: &str = "client/pkg";

/// Installs what is missing and builds the package.
pub fn run(project: &Project) -> Result<()> {
    let shell = project.shell()?;
    toolchain::provide_wasm_target(&shell)?;
    browsers::provide(&shell, &[&NODE, &NPM])?;
    Toolbox::open(project)?.provide(&shell, &[&WASM_BINDGEN, &WASM_PACK])?;
    build(&shell, project)?;
    eprintln!("The npm package is {}", project.path(FOLDER).display());
    Ok(())
}

/// Builds the package in the profile that the page uses too, makes it small, and weighs it. Without wasm-pack's own wasm-opt,
/// which it would download.
pub fn build(shell: &Shell, project: &Project) -> Result<()> {
    cmd!(shell, "wasm-pack build client --target web --no-opt --profile wasm-release -- --locked")
        .run()
        .context("the npm package does not build")?;
    let module = project.path(FOLDER).join("hola_webrtc_client_bg.wasm");
    let glue = project.path(FOLDER).join("hola_webrtc_client.js");
    shrink::run(shell, project, &module, &glue)?;
    // It tells the types of the module's own exports, whose names are others now.
    shell.remove_path(module.with_extension("wasm.d.ts"))?;
    budget::check(project, &[("WebAssembly", &module), ("JavaScript", &glue)])
}
