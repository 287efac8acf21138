//! Counts what an answerer allocates: by a small library that is loaded before its allocator's (`bench/counting`), or as it
//! tells itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use hola_webrtc_offerer::{Trust, http::Http};
use hyper::Request;
use xtask::project::Project;

use super::roster::{Installed, Peer};

const SOURCE: &str = "bench/counting/counting.c";

/// Where the library is to write the count.
const COUNT: &str = "HOLA_BENCH_COUNT";

/// Our library with the system's allocator: jemalloc is part of the program, where nothing is loaded before it.
const COUNTED: &str = "hola-webrtc-counted";

/// From where the number is known.
#[derive(Clone, Debug)]
pub(crate) enum Counter {
    /// A file that the library shares with us.
    File(PathBuf),
    /// The answerer's runtime counts, and `GET /allocations` tells.
    Asked,
}

impl Counter {
    /// The garbage collectors of JavaScript and Python do not ask the system for every object.
    pub(crate) fn is_for(peer: Peer) -> bool {
        matches!(peer, Peer::Hola | Peer::Str0m | Peer::Webrtc | Peer::Pion)
    }

    /// How the peer is started to be counted, and who counts. `folder` takes what is made for that.
    pub(crate) fn of(
        peer: Peer,
        installed: &Installed,
        project: &Project,
        folder: &Path,
    ) -> Result<(Installed, Self)> {
        if peer == Peer::Pion {
            return Ok((installed.clone(), Self::Asked));
        }
        let mut installed = installed.clone();
        if peer == Peer::Hola {
            installed.program = std::env::current_exe()?.with_file_name(COUNTED);
        }
        let (library, count) = (folder.join("counting.so"), folder.join("allocations"));
        compile(&project.path(SOURCE), &library)?;
        // What an earlier one has counted.
        fs::write(&count, [0; 8])?;
        installed.variables.push(("LD_PRELOAD", library.into()));
        installed.variables.push((COUNT, count.clone().into()));
        Ok((installed, Self::File(count)))
    }

    /// How many there were so far, in the answerer at this URL.
    pub(crate) async fn read(&self, url: &str) -> Result<u64> {
        match self {
            Self::File(path) => {
                let bytes = fs::read(path)?.try_into().ok().context("there is no count")?;
                Ok(u64::from_ne_bytes(bytes))
            }
            Self::Asked => {
                let request = Request::get(format!("{url}/allocations")).body(Bytes::new())?;
                let reply = Http::new(Trust::Anyone)?.send(request).await?;
                Ok(std::str::from_utf8(reply.body())?.trim().parse()?)
            }
        }
    }
}

/// By the compiler that Rust links with.
fn compile(source: &Path, library: &Path) -> Result<()> {
    let built = Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(library).arg(source).output();
    let built = built.context("there is no C compiler to build what counts allocations")?;
    ensure!(
        built.status.success(),
        "what counts allocations does not build: {}",
        String::from_utf8_lossy(&built.stderr)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_is_watched_has_allocated() {
        let folder = tempfile::tempdir().unwrap();
        let installed = Installed {
            program: "/bin/ls".into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            version: String::new(),
        };
        let project = Project::find().unwrap();
        let (watched, counter) = Counter::of(Peer::Str0m, &installed, &project, folder.path()).unwrap();
        assert_eq!(counter.read("").await.unwrap(), 0);
        let status = Command::new(&watched.program)
            .envs(watched.variables.iter().map(|(name, value)| (name, value)))
            .output();
        assert!(status.unwrap().status.success());
        assert!(counter.read("").await.unwrap() > 10);
    }
}
