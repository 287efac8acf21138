//! `cargo xtask package`: the client as an npm package.

use std::{ffi::OsStr, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::{
    browsers, budget,
    installed::{NODE, NPM},
    project::Project,
    shrink::{Names, Shrinker},
    toolchain::{self, WASM_TARGET},
    tools::{Toolbox, WASM_BINDGEN},
};

/// The package's folder.
pub const FOLDER: &str = "client/pkg";
/// What is written by hand: JavaScript, types, and the package's description.
const SOURCE: &str = "client/js";
/// What users import, with all that it imports in one file: the client, the element on top of it, and what some pages load.
const ENTRIES: [&str; 5] = ["index.js", "element.js", "framed.js", "reconnect.js", "worker.js"];
/// The parts of the element.
const ELEMENT: &str = "element";
/// A WebAssembly module of the package.
struct Module {
    /// The crate, and the file that Cargo makes of it.
    source: (&'static str, &'static str),
    /// Its name in the package.
    name: &'static str,
    /// Of Cargo's features.
    features: &'static [&'static str],
    /// What wasm-bindgen makes between it and the JavaScript of [`SOURCE`], which imports it by this name.
    glue: &'static str,
}
/// The client, and what it loads for channels that speak the framing, and for sessions that stay.
const MODULES: [Module; 3] = [
    Module {
        source: ("hola-webrtc-client", "hola_webrtc_client.wasm"),
        name: "hola_webrtc.wasm",
        features: &["--no-default-features", "--features", "js"],
        glue: "glue",
    },
    Module {
        source: ("hola-webrtc-framing", "hola_webrtc_framing.wasm"),
        name: "hola_framing.wasm",
        features: &[],
        glue: "framing_glue",
    },
    Module {
        source: ("hola-webrtc-reconnect", "hola_webrtc_reconnect.wasm"),
        name: "hola_reconnect.wasm",
        features: &[],
        glue: "reconnect_glue",
    },
];
/// The Cargo profile that the page has, too.
const PROFILE: &str = "wasm-release";
/// What the package says about itself and its licences.
const COPIES: [&str; 3] = ["client/README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Installs what is missing and builds the package.
pub fn run(project: &Project) -> Result<()> {
    let shell = project.shell()?;
    toolchain::provide_wasm_target(&shell)?;
    browsers::provide(&shell, &[&NODE, &NPM])?;
    Toolbox::open(project)?.provide(&shell, &[&WASM_BINDGEN])?;
    build(&shell, project)?;
    eprintln!("The npm package is {}", project.path(FOLDER).display());
    Ok(())
}

/// Builds the package, makes it small, and weighs it.
pub fn build(shell: &Shell, project: &Project) -> Result<()> {
    let shrinker = Shrinker::provide(shell, project)?;
    let (package, staging) = (project.path(FOLDER), project.target.join("package"));
    for folder in [&package, &staging] {
        shell.remove_path(folder)?;
        shell.create_dir(folder)?;
    }
    for part in &MODULES {
        let names = module(shell, project, &shrinker, &staging, &package, part)?;
        let glue = staging.join(part.glue).with_extension("js");
        fs::write(&glue, names.apply_small(&fs::read_to_string(&glue)?)?)?;
    }
    let source = project.path(SOURCE);
    for (from, to) in [(source.clone(), staging.clone()), (source.join(ELEMENT), staging.join(ELEMENT))] {
        shell.create_dir(&to)?;
        for file in shell.read_dir(from)? {
            // Types are for those who use the package, JavaScript for the bundler.
            match file.extension().and_then(OsStr::to_str) {
                Some("ts") => shell.copy_file(&file, &package)?,
                Some("js") => shell.copy_file(&file, &to)?,
                _ => {}
            }
        }
    }
    for entry in ENTRIES {
        shrinker.bundle(shell, &staging.join(entry), &package.join(entry))?;
    }
    for file in COPIES {
        shell.copy_file(project.path(file), &package)?;
    }
    describe(project, &package)?;
    let [client, element, framed, reconnect, worker] = ENTRIES.map(|entry| package.join(entry));
    let [module, framing, policy] = MODULES.map(|module| package.join(module.name));
    budget::check(project, &[("WebAssembly", &module), ("JavaScript", &client)])?;
    budget::check_element(project, &element)?;
    budget::check_framing(project, &[("framing", &framing), ("JavaScript", &framed)])?;
    budget::check_reconnect(project, &[("policy", &policy), ("JavaScript", &reconnect)])?;
    budget::check_worker(project, &worker)
}

/// The module and, in `staging`, its glue. Paths of this machine are cut off the places that a panic names, so that the same
/// sources give the same bytes everywhere.
fn module(
    shell: &Shell,
    project: &Project,
    shrinker: &Shrinker,
    staging: &Path,
    package: &Path,
    module: &Module,
) -> Result<Names> {
    let (Module { source: (name, file), features, glue, .. }, small) = (module, package.join(module.name));
    let features = *features;
    let home = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    let cargo = etcetera::home_dir().map(|home| home.join(".cargo")).unwrap_or_default();
    let cargo = shell.var_os("CARGO_HOME").map_or(cargo, Into::into);
    let root = &project.root;
    let flags = [(root.display().to_string(), "."), (cargo.display().to_string(), "cargo"), (home, "rust")]
        .map(|(path, name)| format!("--remap-path-prefix={path}={name}"));
    cmd!(
        shell,
        "cargo build --locked --package {name} {features...} --target {WASM_TARGET} --profile {PROFILE}"
    )
    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags.join(" "))
    .run()
    .context("the module does not build")?;
    let built = project.target.join(WASM_TARGET).join(PROFILE).join(file);
    let options = ["--target", "web", "--no-typescript", "--omit-default-module-path", "--out-name", glue];
    cmd!(shell, "wasm-bindgen {options...} --out-dir {staging} {built}")
        .run()
        .context("wasm-bindgen failed")?;
    shrinker.shrink(shell, &staging.join(format!("{glue}_bg.wasm")), &small)
}

/// Writes `package.json`, with the version of the workspace.
fn describe(project: &Project, package: &Path) -> Result<()> {
    let text = fs::read_to_string(project.path(SOURCE).join("package.json"))?;
    // As text: among the conditions of `exports` the first that fits counts, so that their order has to stay.
    let text = text.replacen('{', concat!("{\n  \"version\": \"", env!("CARGO_PKG_VERSION"), "\","), 1);
    serde_json::from_str::<Value>(&text).context("the package's description is no JSON")?;
    fs::write(package.join("package.json"), text).context("cannot write package.json")
}
