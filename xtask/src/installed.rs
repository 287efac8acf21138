//! What other registries' tools install into the user's cache folder: each into a folder of its own, which remembers what it
//! was asked for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::browsers::Program;

/// Runs npm packages.
pub const NODE: Program = Program { names: &["node"], debian: "nodejs", elsewhere: "Node.js 18.18 or later" };

/// Installs npm packages.
pub const NPM: Program = Program { names: &["npm"], debian: "npm", elsewhere: "npm" };

/// Runs Python packages.
pub const PYTHON: Program = Program {
    names: &["python3"],
    debian: "python3-venv",
    elsewhere: "Python 3.10 or later with its module venv",
};

/// A folder in the cache, and the text of the file that says what belongs into it.
#[derive(Debug)]
pub struct Installed {
    /// The folder.
    pub folder: PathBuf,
    wanted: String,
}

impl Installed {
    /// The folder that is to hold what the file `lock` says.
    pub fn at(folder: PathBuf, lock: &Path) -> Result<Self> {
        let wanted = fs::read_to_string(lock).with_context(|| format!("cannot read {}", lock.display()))?;
        Ok(Self { folder, wanted })
    }

    /// Whether exactly this was installed, to the end.
    pub fn is_complete(&self) -> bool {
        fs::read_to_string(self.mark()).is_ok_and(|installed| installed == self.wanted)
    }

    /// Remembers that it was.
    pub fn complete(&self) -> Result<()> {
        Ok(fs::write(self.mark(), &self.wanted)?)
    }

    fn mark(&self) -> PathBuf {
        self.folder.join("installed")
    }
}

/// The `node_modules` with what the `package-lock.json` in `source` names, installed into `folder` of the cache.
pub fn node_modules(shell: &Shell, source: &Path, folder: PathBuf) -> Result<PathBuf> {
    let installed = Installed::at(folder, &source.join("package-lock.json"))?;
    let folder = &installed.folder;
    if !installed.is_complete() {
        eprintln!("Installing npm packages into {}: once only, a few seconds.", folder.display());
        shell.create_dir(folder)?;
        for file in ["package.json", "package-lock.json"] {
            shell.copy_file(source.join(file), folder)?;
        }
        cmd!(shell, "npm ci --prefix {folder} --ignore-scripts --no-audit --no-fund --loglevel error")
            .run()
            .with_context(|| format!("could not install what {} names", source.display()))?;
        installed.complete()?;
    }
    Ok(folder.join("node_modules"))
}

/// The Python that has what the file `requirements` names, in a virtual environment in `folder` of the cache.
pub fn python(shell: &Shell, requirements: &Path, folder: PathBuf) -> Result<PathBuf> {
    let installed = Installed::at(folder, requirements)?;
    let python = installed.folder.join("bin/python");
    if !installed.is_complete() {
        let folder = &installed.folder;
        eprintln!("Installing Python packages into {}: once only, less than a minute.", folder.display());
        cmd!(shell, "python3 -m venv --clear {folder}").run().with_context(|| {
            format!("Python cannot make a virtual environment: install {}", PYTHON.elsewhere)
        })?;
        let quiet = ["--quiet", "--disable-pip-version-check"];
        cmd!(shell, "{python} -m pip install {quiet...} --requirement {requirements}")
            .run()
            .with_context(|| format!("could not install what {} names", requirements.display()))?;
        installed.complete()?;
    }
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_lock_asked_for_does_not_count_as_installed() {
        let wanted = "aiortc==1.0\n".to_owned();
        assert!(!Installed { folder: PathBuf::from("/nowhere"), wanted }.is_complete());
    }
}
