//! The programs that Cargo can install: which ones, in which version, and where they are kept.
//!
//! They are kept per version in the user's cache folder, so that nothing the user installed is overwritten and two
//! checkouts with different versions do not quarrel:
//!
//! ```text
//! <cache>/hola-webrtc/tools/<package>-<version>/bin/…
//! <cache>/hola-webrtc/build/                           shared by the installations
//! ```

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use etcetera::BaseStrategy;
use xshell::{Shell, cmd};

use crate::{lock::locked_version, project::Project};

/// Names the folder that takes the place of `<cache>/hola-webrtc`.
pub const CACHE_VARIABLE: &str = "HOLA_WEBRTC_CACHE";

/// A program that `cargo install` can build.
#[derive(Debug)]
pub struct Tool {
    /// The package on crates.io.
    pub package: &'static str,
    /// The version to use.
    pub version: ToolVersion,
    /// What the package installs and the project uses.
    pub binaries: &'static [&'static str],
    /// Whether to build with the package's own `Cargo.lock`.
    pub locked: bool,
    /// What it is for.
    pub purpose: &'static str,
    /// How long the build takes on two cores.
    pub minutes: u32,
}

/// How a tool's version is settled.
#[derive(Debug)]
pub enum ToolVersion {
    /// By this table.
    Pinned(&'static str),
    /// By the library of this name in `Cargo.lock`, because the two talk in a format that changes with each version.
    OfLibrary(&'static str),
}

/// Builds the page, and serves it while one works on it. Later versions need a later Rust than the pinned one.
pub const TRUNK: Tool = Tool {
    package: "trunk",
    version: ToolVersion::Pinned("0.21.14"),
    binaries: &["trunk"],
    locked: true,
    purpose: "builds and serves the page",
    minutes: 6,
};

/// Makes JavaScript bindings for a WebAssembly module. Its own lock can name versions that a registry mirror lacks.
pub const WASM_BINDGEN: Tool = Tool {
    package: "wasm-bindgen-cli",
    version: ToolVersion::OfLibrary("wasm-bindgen"),
    binaries: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    locked: false,
    purpose: "makes the JavaScript bindings",
    minutes: 3,
};

/// Makes the npm package, and runs tests inside a browser.
pub const WASM_PACK: Tool = Tool {
    package: "wasm-pack",
    version: ToolVersion::Pinned("0.15.1"),
    binaries: &["wasm-pack"],
    locked: true,
    purpose: "makes the npm package and runs tests in browsers",
    minutes: 2,
};

/// Drives Firefox.
pub const GECKODRIVER: Tool = Tool {
    package: "geckodriver",
    version: ToolVersion::Pinned("0.37.1"),
    binaries: &["geckodriver"],
    locked: true,
    purpose: "drives Firefox",
    minutes: 2,
};

/// Checks licences and sources of the dependencies.
pub const CARGO_DENY: Tool = Tool {
    package: "cargo-deny",
    version: ToolVersion::Pinned("0.20.2"),
    binaries: &["cargo-deny"],
    locked: true,
    purpose: "checks the dependencies",
    minutes: 2,
};

/// Finds tools and installs the missing ones.
#[derive(Debug)]
pub struct Toolbox<'a> {
    project: &'a Project,
    cache: PathBuf,
}

impl<'a> Toolbox<'a> {
    /// The toolbox in the user's cache folder, or in [`CACHE_VARIABLE`].
    pub fn open(project: &'a Project) -> Result<Self> {
        let cache = match env::var_os(CACHE_VARIABLE) {
            Some(cache) => PathBuf::from(cache),
            None => etcetera::choose_base_strategy()
                .with_context(|| format!("no home folder: name a cache folder in {CACHE_VARIABLE}"))?
                .cache_dir()
                .join("hola-webrtc"),
        };
        Ok(Self { project, cache })
    }

    /// The folder that everything installed is kept in.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Makes every tool callable by name from this shell: nothing to do for one that is on PATH in the right version.
    pub fn provide(&self, shell: &Shell, tools: &[&Tool]) -> Result<()> {
        for tool in tools {
            let version = self.version_of(tool)?;
            if on_path(shell, tool, &version) {
                continue;
            }
            let folder = self.folder(tool, &version);
            if !is_installed(tool, &folder) {
                self.install(shell, tool, &version, &folder)?;
            }
            shell.set_var("PATH", prepend(&shell.var_os("PATH").unwrap_or_default(), &folder.join("bin"))?);
        }
        Ok(())
    }

    fn version_of(&self, tool: &Tool) -> Result<String> {
        match tool.version {
            ToolVersion::Pinned(version) => Ok(version.to_owned()),
            ToolVersion::OfLibrary(library) => {
                let path = self.project.path("Cargo.lock");
                let lock =
                    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                locked_version(&lock, library)
            }
        }
    }

    fn folder(&self, tool: &Tool, version: &str) -> PathBuf {
        self.cache.join("tools").join(format!("{}-{version}", tool.package))
    }

    /// Builds into a folder beside the final one and renames that at the end, so that an interrupted installation
    /// never looks like a finished one.
    fn install(&self, shell: &Shell, tool: &Tool, version: &str, folder: &Path) -> Result<()> {
        fs::create_dir_all(self.cache.join("tools"))
            .with_context(|| format!("cannot make {}", self.cache.display()))?;
        let guard = File::create(self.cache.join("tools/.lock"))?;
        guard.lock().context("cannot lock the tools' folder")?;
        if is_installed(tool, folder) {
            return Ok(()); // another one was at it
        }

        let (package, purpose, minutes) = (tool.package, tool.purpose, tool.minutes);
        eprintln!(
            "Installing {package} {version}, which {purpose}: once only, about {minutes} minutes on two cores."
        );
        let partial = folder.with_file_name(format!("{package}-{version}.partial"));
        shell.remove_path(&partial)?;
        let locked = tool.locked.then_some("--locked");
        cmd!(shell, "cargo install --root {partial} --version {version} {locked...} {package}")
            .envs(QUICK_BUILD)
            .env("CARGO_TARGET_DIR", self.cache.join("build"))
            .run()
            .with_context(|| format!("could not install {package} {version}"))?;
        ensure!(
            is_installed(tool, &partial),
            "{package} {version} did not install {}",
            tool.binaries.join(", ")
        );
        shell.remove_path(folder)?;
        fs::rename(&partial, folder)?;
        Ok(())
    }
}

/// These programs run for seconds and are built once: the build's time counts, not theirs.
const QUICK_BUILD: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
];

fn is_installed(tool: &Tool, folder: &Path) -> bool {
    tool.binaries.iter().all(|binary| folder.join("bin").join(binary).is_file())
}

fn on_path(shell: &Shell, tool: &Tool, version: &str) -> bool {
    tool.binaries.iter().all(|binary| {
        which::which(binary).is_ok()
            && cmd!(shell, "{binary} --version")
                .quiet()
                .ignore_stderr()
                .read()
                .is_ok_and(|output| printed_version(&output) == Some(version))
    })
}

/// The version in what `--version` prints: `geckodriver 0.37.1 (2024-…)`.
fn printed_version(output: &str) -> Option<&str> {
    output.lines().next()?.split_whitespace().nth(1).map(|version| version.trim_start_matches('v'))
}

fn prepend(path: &OsStr, folder: &Path) -> Result<OsString> {
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(path));
    env::join_paths(folders).with_context(|| format!("{} cannot stand in PATH", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [&Tool; 5] = [&TRUNK, &WASM_BINDGEN, &WASM_PACK, &GECKODRIVER, &CARGO_DENY];

    fn toolbox(project: &Project) -> Toolbox<'_> {
        Toolbox { project, cache: PathBuf::from("/cache") }
    }

    #[test]
    fn the_version_is_the_second_word_that_a_tool_prints() {
        assert_eq!(printed_version("trunk 0.21.14\n"), Some("0.21.14"));
        assert_eq!(printed_version("geckodriver 0.37.1 (f4bfb5bc 2025-05-19)\n\nThe source"), Some("0.37.1"));
        assert_eq!(printed_version("tool v1.2.3"), Some("1.2.3"));
        assert_eq!(printed_version(""), None);
        assert_eq!(printed_version("unversioned"), None);
    }

    #[test]
    fn every_tool_has_a_settled_version_and_a_folder_of_its_own() {
        let project = Project::find().unwrap();
        let toolbox = toolbox(&project);
        for tool in TABLE {
            let version = toolbox.version_of(tool).unwrap();
            assert_eq!(version.split('.').count(), 3, "{} {version}", tool.package);
            let folder = toolbox.folder(tool, &version);
            assert_eq!(folder, Path::new("/cache/tools").join(format!("{}-{version}", tool.package)));
        }
    }

    #[test]
    fn the_bindings_tool_follows_the_library_in_the_lock() {
        let project = Project::find().unwrap();
        let lock = fs::read_to_string(project.path("Cargo.lock")).unwrap();
        let version = toolbox(&project).version_of(&WASM_BINDGEN).unwrap();
        assert_eq!(version, locked_version(&lock, "wasm-bindgen").unwrap());
    }

    #[test]
    fn a_folder_without_the_binaries_does_not_count_as_installed() {
        assert!(!is_installed(&TRUNK, Path::new("/nowhere")));
    }

    #[test]
    fn a_tool_of_the_cache_comes_before_the_users_own() {
        let path = prepend(OsStr::new("/usr/bin:/bin"), Path::new("/cache/bin")).unwrap();
        assert_eq!(path, "/cache/bin:/usr/bin:/bin");
    }
}
