//! Who is measured, and how each is installed.

use std::{
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use xshell::{Shell, cmd};
use xtask::{
    browsers::{self, Program},
    installed::{self, NODE, NPM, PYTHON},
    lock::locked_version,
    project::Project,
};

/// Where the answerers stand.
const FOLDER: &str = "bench/peers";

/// Debian's package of pion, and what it installs.
const PION: &str = "golang-github-pion-webrtc.v3-dev";
const GO_CODE: &str = "/usr/share/gocode";

/// Builds pion.
const GO: Program =
    Program { names: &["go"], debian: "golang-go", elsewhere: "Go and pion v3 as Debian has them" };

/// An answerer, in the order of the report's columns.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub(crate) enum Peer {
    Hola,
    Str0m,
    Libwebrtc,
    Pion,
    Libdatachannel,
    Webrtc,
    Aiortc,
    Werift,
}

/// How an answerer is started.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) variables: Vec<(&'static str, OsString)>,
    pub(crate) version: String,
}

impl Peer {
    pub(crate) const ALL: [Self; 8] = [
        Self::Hola,
        Self::Str0m,
        Self::Libwebrtc,
        Self::Pion,
        Self::Libdatachannel,
        Self::Webrtc,
        Self::Aiortc,
        Self::Werift,
    ];

    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hola => "hola-webrtc",
            Self::Str0m => "str0m",
            Self::Libwebrtc => "libwebrtc",
            Self::Pion => "pion",
            Self::Libdatachannel => "libdatachannel",
            Self::Webrtc => "webrtc-rs",
            Self::Aiortc => "aiortc",
            Self::Werift => "werift",
        }
    }

    /// Installs or builds it, if it is not there. `server` is the binary of this project.
    pub(crate) fn install(
        self,
        shell: &Shell,
        project: &Project,
        cache: &Path,
        server: &Path,
    ) -> Result<Installed> {
        let folder = project.path(FOLDER);
        let cache = cache.join("bench");
        match self {
            Self::Hola => Ok(Installed::program(server, own_version(shell))),
            Self::Libwebrtc => {
                node(shell, &folder.join("libwebrtc"), &cache, "@roamhq/wrtc", &folder.join("libwebrtc"))
            }
            Self::Werift => node(shell, &folder.join("werift"), &cache, "werift", &folder.join("werift")),
            Self::Libdatachannel => {
                let lock = project.path("e2e/interop/libdatachannel");
                node(shell, &lock, &cache, "node-datachannel", &folder.join("libdatachannel"))
            }
            Self::Aiortc => aiortc(shell, &folder.join("aiortc"), &cache),
            Self::Pion => pion(shell, &folder.join("pion"), &cache),
            Self::Str0m => rust(shell, project, "str0m"),
            Self::Webrtc => rust(shell, project, "webrtc"),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Installed {
    fn program(program: impl Into<PathBuf>, version: String) -> Self {
        Self { program: program.into(), arguments: Vec::new(), variables: Vec::new(), version }
    }
}

/// The version in the manifest, and the commit.
fn own_version(shell: &Shell) -> String {
    let commit = cmd!(shell, "git describe --always --dirty").quiet().ignore_stderr().read();
    [Some(env!("CARGO_PKG_VERSION").to_owned()), commit.ok()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

fn node(shell: &Shell, lock: &Path, cache: &Path, package: &str, answerer: &Path) -> Result<Installed> {
    browsers::provide(shell, &[&NODE, &NPM])?;
    let name = answerer.file_name().context("no folder")?;
    let modules = installed::node_modules(shell, lock, cache.join(name))?;
    let manifest = fs::read_to_string(modules.join(package).join("package.json"))?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
    let version = manifest["version"].as_str().context("the package has no version")?.to_owned();
    Ok(Installed {
        program: NODE.find().context("Node.js is missing")?,
        arguments: vec![answerer.join("answerer.cjs").into()],
        variables: vec![("NODE_PATH", modules.into())],
        version: format!("{package} {version}"),
    })
}

fn aiortc(shell: &Shell, folder: &Path, cache: &Path) -> Result<Installed> {
    browsers::provide(shell, &[&PYTHON])?;
    let requirements = folder.join("requirements.txt");
    let python = installed::python(shell, &requirements, cache.join("aiortc"))?;
    let pinned = fs::read_to_string(&requirements)?;
    let version = pinned.lines().find_map(|line| line.strip_prefix("aiortc==")).context("no aiortc")?;
    let arguments = vec![folder.join("answerer.py").into()];
    Ok(Installed { arguments, ..Installed::program(python, version.to_owned()) })
}

/// As Debian builds Go programs: without modules and without a network, from the sources in its packages.
fn pion(shell: &Shell, folder: &Path, cache: &Path) -> Result<Installed> {
    let sources = Path::new(GO_CODE).join("src/github.com/pion/webrtc");
    if (GO.find().is_none() || !sources.is_dir()) && !browsers::install(shell, &[GO.debian, PION])? {
        bail!("pion v3 is built from Debian's packages: sudo apt-get install {} {PION}", GO.debian);
    }
    let work = cache.join("pion");
    let package = work.join("src/answerer");
    shell.create_dir(&package)?;
    for file in ["main.go", "go.mod"] {
        shell.copy_file(folder.join(file), &package)?;
    }
    let binary = work.join("answerer");
    let _folder = shell.push_dir(&package);
    cmd!(shell, "go build -o {binary} .")
        .env("GO111MODULE", "off")
        .env("GOFLAGS", "")
        .env("GOPATH", format!("{}:{GO_CODE}", work.display()))
        .env("GOCACHE", work.join("build"))
        .run()
        .context("pion does not build")?;
    let (package, format) = (PION, "--showformat=${Version}");
    let version = cmd!(shell, "dpkg-query --show {format} {package}").quiet().read();
    Ok(Installed::program(binary, version.unwrap_or_else(|_| "v3".to_owned())))
}

fn rust(shell: &Shell, project: &Project, name: &str) -> Result<Installed> {
    let folder = project.path(FOLDER).join("rust");
    let (manifest, target) = (folder.join("Cargo.toml"), project.target.join("bench-peers"));
    let package = format!("bench-{name}");
    // Both at once: alone each would have dependencies with other features, and nothing to share.
    cmd!(shell, "cargo build --quiet --locked --release --manifest-path {manifest}")
        .env("CARGO_TARGET_DIR", &target)
        .run()
        .with_context(|| format!("{name} does not build"))?;
    let lock = fs::read_to_string(folder.join("Cargo.lock"))?;
    Ok(Installed::program(target.join("release").join(package), locked_version(&lock, name)?))
}
