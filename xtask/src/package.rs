//! `cargo xtask package`: the client as an npm package.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{
    project::Project,
    toolchain,
    tools::{Toolbox, WASM_BINDGEN, WASM_PACK},
};

/// Installs what is missing and builds the package.
pub fn run(project: &Project) -> Result<()> {
    let shell = project.shell()?;
    toolchain::provide_wasm_target(&shell)?;
    Toolbox::open(project)?.provide(&shell, &[&WASM_BINDGEN, &WASM_PACK])?;
    build(&shell)?;
    eprintln!("The npm package is {}", project.path("client/pkg").display());
    Ok(())
}

/// Builds `client/pkg` in the profile that the page uses too. Without wasm-opt, which wasm-pack would download.
pub fn build(shell: &Shell) -> Result<()> {
    cmd!(shell, "wasm-pack build client --target web --no-opt --profile wasm-release -- --locked")
        .run()
        .context("the npm package does not build")
}
