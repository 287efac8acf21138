//! The parts of `cargo xtask test`, each a few commands that can be typed by hand as well.

use std::{collections::BTreeSet, fmt, fs};

use anyhow::{Context, Result};
use clap::ValueEnum;
use xshell::{Shell, cmd};

use crate::{
    browsers::{self, CHROMEDRIVER, CHROMIUM, FIREFOX, Program},
    embed,
    installed::{NODE, NPM, PYTHON},
    interop, package,
    project::Project,
    server::{self, Launch},
    toolchain::{self, WASM_TARGET},
    tools::{CARGO_DENY, GECKODRIVER, TRUNK, Tool, Toolbox, WASM_BINDGEN, WASM_PACK},
    trunk,
};

/// One part, in the order in which they run: the quick ones first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Part {
    /// The source is formatted.
    Format,
    /// Clippy has no complaint.
    Lint,
    /// The dependencies are allowed.
    Deny,
    /// The documentation has no broken links.
    Doc,
    /// The tests that need no browser pass.
    Native,
    /// The page, the npm package and the server build for release.
    Build,
    /// Offerers of other makes connect to the server.
    Interop,
    /// The client's tests pass inside Chromium.
    WasmChromium,
    /// The client's tests pass inside Firefox.
    WasmFirefox,
    /// The examples that embed the client build, and their types fit.
    Embed,
    /// The page and the examples work, in both browsers.
    E2e,
}

impl Part {
    /// Every part, in order.
    pub const ALL: [Self; 11] = [
        Self::Format,
        Self::Lint,
        Self::Deny,
        Self::Doc,
        Self::Native,
        Self::Build,
        Self::Interop,
        Self::WasmChromium,
        Self::WasmFirefox,
        Self::Embed,
        Self::E2e,
    ];

    /// What is looked at.
    pub fn description(self) -> &'static str {
        match self {
            Self::Format => "is the source formatted?",
            Self::Lint => "has Clippy a complaint?",
            Self::Deny => "licences, sources and advisories of the dependencies",
            Self::Doc => "does the documentation build without a warning?",
            Self::Native => "the tests that need no browser",
            Self::Build => "the page, the npm package and the server",
            Self::Interop => "aiortc and libdatachannel against the server",
            Self::WasmChromium => "the client inside Chromium",
            Self::WasmFirefox => "the client inside Firefox",
            Self::Embed => "do the examples build with Vite and webpack, and do their types fit?",
            Self::E2e => "the page and the examples against the server, in both browsers",
        }
    }

    /// The parts that make what it runs.
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::Interop | Self::WasmChromium | Self::WasmFirefox | Self::Embed => &[Self::Build],
            Self::E2e => &[Self::Build, Self::Embed],
            _ => &[],
        }
    }

    fn tools(self) -> &'static [&'static Tool] {
        match self {
            Self::Format | Self::Lint | Self::Doc | Self::Native | Self::Interop | Self::Embed => &[],
            Self::Deny => &[&CARGO_DENY],
            Self::Build => &[&TRUNK, &WASM_BINDGEN, &WASM_PACK],
            Self::WasmChromium => &[&WASM_BINDGEN, &WASM_PACK],
            Self::WasmFirefox => &[&WASM_BINDGEN, &WASM_PACK, &GECKODRIVER],
            Self::E2e => &[&GECKODRIVER],
        }
    }

    fn browsers(self) -> &'static [&'static Program] {
        match self {
            Self::Build | Self::Embed => &[&NODE, &NPM],
            Self::Interop => &[&PYTHON, &NODE, &NPM],
            Self::WasmChromium => &[&CHROMIUM, &CHROMEDRIVER],
            Self::WasmFirefox => &[&FIREFOX],
            Self::E2e => &[&CHROMIUM, &CHROMEDRIVER, &FIREFOX],
            _ => &[],
        }
    }
}

/// As on the command line.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// Where the parts run, with everything installed that they need.
#[derive(Debug)]
pub struct Bench<'a> {
    project: &'a Project,
    shell: Shell,
}

/// The packages that only run in a browser.
const CLIENT: &str = "hola-webrtc-client";
const PAGE: &str = "hola-webrtc-page";
const SERVER: &str = "hola-webrtc-server";
const E2E: &str = "hola-webrtc-e2e";
/// The Cargo profile of the server under test: the binary that is handed out.
const PROFILE: &str = "release";
/// Tells the client's tests, when they are compiled, where the server is.
const TEST_SERVER: &str = "HOLA_WEBRTC_TEST_SERVER";
/// Tells the end-to-end tests where the server's binary is.
const SERVER_BINARY: &str = "HOLA_WEBRTC_SERVER";

impl<'a> Bench<'a> {
    /// Installs what these parts need.
    pub fn prepare(project: &'a Project, parts: &BTreeSet<Part>) -> Result<Self> {
        let shell = project.shell()?;
        toolchain::provide_wasm_target(&shell)?;
        toolchain::provide_components(&shell)?;
        let browsers: Vec<&Program> = parts.iter().flat_map(|part| part.browsers()).copied().collect();
        browsers::provide(&shell, &browsers)?;
        let tools: Vec<&Tool> = parts.iter().flat_map(|part| part.tools()).copied().collect();
        Toolbox::open(project)?.provide(&shell, &tools)?;
        Ok(Self { project, shell })
    }

    /// Runs one part.
    pub fn run(&self, part: Part) -> Result<()> {
        match part {
            Part::Format => self.format(),
            Part::Lint => self.lint(),
            Part::Deny => self.deny(),
            Part::Doc => self.doc(),
            Part::Native => self.native(),
            Part::Build => self.build(),
            Part::Interop => self.interop(),
            Part::WasmChromium => self.wasm("chrome"),
            Part::WasmFirefox => self.wasm("firefox"),
            Part::Embed => self.embed(),
            Part::E2e => self.e2e(),
        }
    }

    fn format(&self) -> Result<()> {
        Ok(cmd!(self.shell, "cargo fmt --all --check").run()?)
    }

    fn lint(&self) -> Result<()> {
        let native = ["--workspace", "--exclude", CLIENT, "--exclude", PAGE];
        let browser = ["--target", WASM_TARGET, "--package"];
        let strict = ["--", "--deny", "warnings"];
        cmd!(self.shell, "cargo clippy --locked {native...} --all-targets {strict...}").run()?;
        // As the fuzz targets have it, which take another compiler: without the tests.
        cmd!(
            self.shell,
            "cargo clippy --locked --package {SERVER} --no-default-features --features fuzzing {strict...}"
        )
        .run()?;
        cmd!(
            self.shell,
            "cargo clippy --locked {browser...} {CLIENT} --all-targets --features server-tests {strict...}"
        )
        .env(TEST_SERVER, "https://127.0.0.1:8443")
        .run()?;
        cmd!(self.shell, "cargo clippy --locked {browser...} {CLIENT} --no-default-features {strict...}")
            .run()?;
        cmd!(self.shell, "cargo clippy --locked {browser...} {PAGE} --all-targets {strict...}").run()?;
        self.lint_fuzz_targets()
    }

    /// The targets without the fuzzer, which would take a C++ compiler. They are a workspace of their own: with the same
    /// versions of dependencies, and the same profiles, most of what is compiled already serves. Cargo adds the fuzzer to
    /// the versions.
    fn lint_fuzz_targets(&self) -> Result<()> {
        let target = &self.project.target;
        self.shell.copy_file("Cargo.lock", "fuzz/Cargo.lock")?;
        let fuzz = ["--manifest-path", "fuzz/Cargo.toml", "--config", "Cargo.toml", "--no-default-features"];
        Ok(cmd!(self.shell, "cargo clippy {fuzz...} --target-dir {target} -- --deny warnings").run()?)
    }

    /// Advisories come from a repository of their own, which a closed network does not reach.
    fn deny(&self) -> Result<()> {
        cmd!(self.shell, "cargo deny --log-level error --workspace check bans licenses sources").run()?;
        if cmd!(self.shell, "cargo deny --log-level off --workspace fetch db").ignore_stderr().run().is_ok() {
            cmd!(self.shell, "cargo deny --log-level error --workspace check advisories").run()?;
        } else {
            eprintln!("The advisory database cannot be fetched: advisories are NOT checked.");
        }
        Ok(())
    }

    fn doc(&self) -> Result<()> {
        let strict = "--deny warnings";
        let native = ["--workspace", "--exclude", CLIENT, "--exclude", PAGE];
        let browser = ["--target", WASM_TARGET, "--package", CLIENT, "--package", PAGE];
        cmd!(self.shell, "cargo doc --locked --no-deps {native...}").env("RUSTDOCFLAGS", strict).run()?;
        cmd!(self.shell, "cargo doc --locked --no-deps {browser...}").env("RUSTDOCFLAGS", strict).run()?;
        Ok(())
    }

    fn native(&self) -> Result<()> {
        Ok(cmd!(self.shell, "cargo test --locked --workspace --exclude {E2E}").run()?)
    }

    /// The page first: the server takes it in.
    fn build(&self) -> Result<()> {
        trunk::build(&self.shell)?;
        package::build(&self.shell, self.project)?;
        server::build(&self.shell, self.project, PROFILE)?;
        Ok(())
    }

    fn interop(&self) -> Result<()> {
        let toolbox = Toolbox::open(self.project)?;
        interop::run(&self.shell, self.project, toolbox.cache(), &server::binary(self.project, PROFILE))
    }

    /// The tests' page has an origin of its own, which changes with each run.
    fn wasm(&self, browser: &str) -> Result<()> {
        let folder = self.project.reports().join(format!("wasm-{browser}"));
        let state = folder.join("state").to_string_lossy().into_owned();
        let server = Launch::new(server::binary(self.project, PROFILE), server::free_address()?)
            .arguments(["--allow-origin", "*", "--state-dir", &state])
            .log(folder.join("server.log"))
            .start()?;
        cmd!(self.shell, "wasm-pack test --headless --{browser} client --features server-tests --locked")
            .env(TEST_SERVER, server.url())
            .run()
            .context("the tests failed")?;
        drop(server);
        Ok(fs::remove_dir_all(&folder)?)
    }

    fn embed(&self) -> Result<()> {
        let toolbox = Toolbox::open(self.project)?;
        embed::build(&self.shell, self.project, toolbox.cache())
    }

    fn e2e(&self) -> Result<()> {
        cmd!(self.shell, "cargo test --locked --package {E2E}")
            .env(SERVER_BINARY, server::binary(self.project, PROFILE))
            .env("RUST_LIB_BACKTRACE", "0") // a failed expectation is told by what the page shows
            .run()
            .context("the tests failed")
    }
}
