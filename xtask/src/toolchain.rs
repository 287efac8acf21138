//! The parts of the Rust toolchain that `rust-toolchain.toml` asks for. rustup installs them by itself, but not where
//! its automatic installation is switched off.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// The target of everything that runs in a browser.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Makes sure that Rust can compile for the browser.
pub fn provide_wasm_target(shell: &Shell) -> Result<()> {
    let library = cmd!(shell, "rustc --print target-libdir --target {WASM_TARGET}")
        .quiet()
        .read()
        .context("rustc does not run")?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    if which::which("rustup").is_err() {
        bail!(
            "this Rust cannot compile for {WASM_TARGET}, and there is no rustup to install that target: add it with your system's packages"
        );
    }
    eprintln!("Installing the {WASM_TARGET} target: once only, less than a minute.");
    cmd!(shell, "rustup target add {WASM_TARGET}").run().context("could not install the target")
}

/// Makes sure that the formatter and the linter are there.
pub fn provide_components(shell: &Shell) -> Result<()> {
    for (component, command) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if cmd!(shell, "cargo {command} --version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
            continue;
        }
        if which::which("rustup").is_err() {
            bail!(
                "`cargo {command}` is missing, and there is no rustup to install it: add {component} with your system's packages"
            );
        }
        eprintln!("Installing {component}: once only, less than a minute.");
        cmd!(shell, "rustup component add {component}")
            .run()
            .with_context(|| format!("could not install {component}"))?;
    }
    Ok(())
}
