//! What a page loads, in bytes, which are the same everywhere.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xshell::Shell;
use xtask::{
    budget, package,
    project::Project,
    tools::{TRUNK, Toolbox, WASM_BINDGEN},
    trunk,
};

/// Where Trunk puts the page.
const PAGE: &str = "dist";

/// The npm package, by what a page loads together; each of the others comes on top of the first where a page wants it.
const PARTS: [(&str, &[&str]); 5] = [
    ("npm package, the client", &["hola_webrtc.wasm", "index.js"]),
    ("npm package, for channels that are large or resumable", &["hola_framing.wasm", "framed.js"]),
    ("npm package, for sessions that come back", &["hola_reconnect.wasm", "reconnect.js"]),
    ("npm package, the element", &["element.js"]),
    ("npm package, for workers", &["worker.js"]),
];

/// A file, or some together.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Size {
    pub(crate) name: String,
    pub(crate) bytes: usize,
    /// After `gzip -9`.
    pub(crate) compressed: usize,
}

/// Builds the npm package and the page, and weighs their parts.
pub(crate) fn weigh(shell: &Shell, project: &Project) -> Result<Vec<Size>> {
    package::run(project)?;
    Toolbox::open(project)?.provide(shell, &[&TRUNK, &WASM_BINDGEN])?;
    trunk::build(shell)?;
    let folder = project.path(package::FOLDER);
    let part = |(name, files): &(&str, &[&str])| together(name, &folder, files);
    let mut sizes = PARTS.iter().map(part).collect::<Result<Vec<_>>>()?;
    sizes.extend(of_folder("page", &project.path(PAGE), &["wasm", "js", "css", "html"])?);
    Ok(sizes)
}

/// These files, each compressed on its own as it is sent.
fn together(name: &str, folder: &Path, files: &[&str]) -> Result<Size> {
    let mut size = Size { name: name.to_owned(), bytes: 0, compressed: 0 };
    for file in files {
        let content = fs::read(folder.join(file)).with_context(|| format!("the package has no {file}"))?;
        size.bytes += content.len();
        size.compressed += budget::weight(&content)?;
    }
    Ok(size)
}

/// The files of these kinds, kind by kind, each compressed on its own as it is sent.
fn of_folder(name: &str, folder: &Path, kinds: &[&str]) -> Result<Vec<Size>> {
    let mut sizes: Vec<Size> =
        kinds.iter().map(|kind| Size { name: format!("{name}, {kind}"), bytes: 0, compressed: 0 }).collect();
    for file in fs::read_dir(folder).with_context(|| format!("there is no {}", folder.display()))? {
        let path = file?.path();
        let kind = path.extension().and_then(|kind| kinds.iter().position(|it| *it == kind));
        let Some(size) = kind.and_then(|kind| sizes.get_mut(kind)) else { continue };
        let content = fs::read(&path)?;
        size.bytes += content.len();
        size.compressed += budget::weight(&content)?;
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_the_sum_of_its_files_and_of_no_others() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("a.js", 1000), ("a.wasm", 500), ("later.js", 9)] {
            fs::write(folder.path().join(name), vec![b'x'; bytes]).unwrap();
        }
        let size = together("the client", folder.path(), &["a.wasm", "a.js"]).unwrap();
        assert_eq!(size.bytes, 1500);
        assert!(together("the client", folder.path(), &["b.js"]).is_err());
    }

    #[test]
    fn files_are_weighed_by_their_kind() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("a.js", 1000), ("b.js", 500), ("c.wasm", 7), ("d.ts", 9)] {
            fs::write(folder.path().join(name), vec![b'x'; bytes]).unwrap();
        }
        let sizes = of_folder("package", folder.path(), &["wasm", "js"]).unwrap();
        assert_eq!((&*sizes[0].name, sizes[0].bytes), ("package, wasm", 7));
        assert_eq!((&*sizes[1].name, sizes[1].bytes), ("package, js", 1500));
        assert!(sizes[1].compressed < 100);
    }
}
