//! The projects in `examples/embed` that take a bundler, built as their users build them: from the package as npm would
//! publish it, with `npm run check` and `npm run build`; and served as while they work on it. What they need besides is kept in
//! the user's cache folder.
//!
//! ```text
//! target/embed/package/         the npm package, packed and unpacked
//! target/embed/vite/, webpack/  a copy of each project, with its node_modules
//! ```

mod dev;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{installed, package, project::Project};

/// Where the examples stand.
const SOURCE: &str = "examples/embed";

/// Those with a bundler.
const BUNDLED: [&str; 2] = ["vite", "webpack"];

/// The one that has a server for development.
const SERVED: &str = "vite";

/// What users get.
const PACKAGE: &str = "package";

/// What a copy does not take along: it is made anew.
const MADE: [&str; 2] = ["node_modules", "dist"];

/// Where an example is built.
pub fn folder(project: &Project, example: &str) -> PathBuf {
    project.target.join("embed").join(example)
}

/// Checks the types of each example, builds it, and has it served.
pub fn build(shell: &Shell, project: &Project, cache: &Path) -> Result<()> {
    let package = unpack(shell, project)?;
    for example in BUNDLED {
        let source = project.path(SOURCE).join(example);
        let modules = installed::node_modules(shell, &source, cache.join("embed").join(example))?;
        let folder = folder(project, example);
        shell.remove_path(&folder)?;
        copy(&source, &folder)?;
        link(&modules, &package, &folder.join("node_modules"))?;
        let _here = shell.push_dir(&folder);
        cmd!(shell, "npm run --silent check")
            .run()
            .with_context(|| format!("{example}: types do not fit"))?;
        cmd!(shell, "npm run --silent build").run().with_context(|| format!("{example} does not build"))?;
        if example == SERVED {
            dev::check(&folder).with_context(|| format!("{example} does not serve the project"))?;
        }
    }
    Ok(())
}

/// The package with the files that npm would publish, and no others.
fn unpack(shell: &Shell, project: &Project) -> Result<PathBuf> {
    let (source, folder) = (project.path(package::FOLDER), folder(project, PACKAGE));
    let beside = project.target.join("embed");
    shell.create_dir(&beside)?;
    let packed = cmd!(shell, "npm pack {source} --pack-destination {beside} --silent").read()?;
    let packed = beside.join(packed.trim());
    shell.remove_path(&folder)?;
    // Every such archive holds one folder of that name.
    cmd!(shell, "tar --extract --gzip --file {packed} --directory {beside}").run()?;
    shell.remove_path(&packed)?;
    Ok(folder)
}

/// A `node_modules` with what is installed and with the package: other checkouts share the former, but not the latter.
fn link(modules: &Path, package: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into)?;
    for entry in fs::read_dir(modules)?.flatten() {
        symlink(entry.path(), into.join(entry.file_name()))?;
    }
    let ours = into.join("hola-webrtc");
    if ours.symlink_metadata().is_ok() {
        fs::remove_file(&ours)?;
    }
    Ok(symlink(package, ours)?)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if MADE.iter().any(|made| name == *made) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_leaves_behind_what_was_installed_and_built() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for made in ["src", "node_modules/vite", "dist"] {
            fs::create_dir_all(from.join(made)).unwrap();
        }
        fs::write(from.join("src/main.ts"), "").unwrap();
        copy(&from, &to).unwrap();
        assert!(to.join("src/main.ts").exists());
        assert!(!to.join("node_modules").exists() && !to.join("dist").exists());
    }

    #[test]
    fn the_package_of_this_checkout_takes_the_place_of_what_npm_linked() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for made in ["cache/vite", "package", "work"] {
            fs::create_dir_all(path(made)).unwrap();
        }
        symlink("../nowhere", path("cache/hola-webrtc")).unwrap();
        link(&path("cache"), &path("package"), &path("work/node_modules")).unwrap();
        assert!(path("work/node_modules/vite").is_dir());
        assert_eq!(fs::read_link(path("work/node_modules/hola-webrtc")).unwrap(), path("package"));
    }
}
