//! An answerer in a process of its own.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::time::sleep;
use xtask::process::{POLL, Process as Child};

use super::{allocations::Counter, roster::Installed};
use crate::{proc::Process, server::LIFTED};

/// How long it may take until it listens: Python imports for seconds on a busy machine.
const START: Duration = Duration::from_mins(1);

/// Our own program; the others take the arguments of `bench/peers/README.md`.
const SERVER: &str = "hola-webrtc";

/// Whom an offerer talks to, and whose time and memory are read.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Offers go to `/offer` beneath it.
    pub(crate) url: String,
    pub(crate) process: Process,
    /// Who counts its allocations, if that was asked for.
    pub(crate) counter: Option<Counter>,
}

/// A running answerer. It ends when this is dropped, and when we are told to end.
#[derive(Debug)]
pub(crate) struct Answerer {
    pub(crate) target: Target,
    _child: Child,
    _state: TempDir,
}

impl Answerer {
    /// Starts it on a free port, with what it complains of in the file `log`.
    pub(crate) async fn start(installed: &Installed, log: &Path) -> Result<Self> {
        let state = tempfile::tempdir()?;
        let output = state.path().join("output");
        let mut command = Command::new(&installed.program);
        command
            .args(&installed.arguments)
            .envs(installed.variables.iter().map(|(name, value)| (name, value)));
        if installed.program.file_name().is_some_and(|name| name == SERVER) {
            // Firefox reaches no server that listens on the loopback alone.
            command.args(["--listen=0.0.0.0:0", "--log=error", "--greeting-interval=0", "--allow-origin=*"]);
            command.args(LIFTED).arg("--drain-timeout=100ms").arg("--state-dir").arg(state.path());
        } else {
            command.args(["--port", "0"]);
        }
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(File::create(&output)?).stderr(log);
        let mut child = Child::spawn("the answerer", command)?;
        let deadline = Instant::now() + START;
        let url = loop {
            if let Some(url) = url_in(&fs::read_to_string(&output)?) {
                break url;
            }
            ensure!(child.ended()?.is_none(), "it ended before it listened");
            ensure!(Instant::now() < deadline, "it does not listen");
            sleep(POLL).await;
        };
        let process = Process::of(child.id());
        Ok(Self { target: Target { url, process, counter: None }, _child: child, _state: state })
    }
}

/// A peer prints its port; our own server, among other things, its URL.
fn url_in(output: &str) -> Option<String> {
    let complete = output.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    complete.map(str::trim).find_map(|line| {
        if let Ok(port) = line.parse::<u16>() {
            return Some(format!("http://127.0.0.1:{port}"));
        }
        let (_, rest) = line.split_once("https://")?;
        let (_, port) = rest.split(['/', ' ']).next()?.rsplit_once(':')?;
        Some(format!("https://127.0.0.1:{}", port.parse::<u16>().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_or_a_url_says_where_it_listens() {
        assert_eq!(url_in("4711\n").unwrap(), "http://127.0.0.1:4711");
        assert_eq!(url_in("hello\n  https://192.0.2.1:8443/ page\n").unwrap(), "https://127.0.0.1:8443");
        assert_eq!(url_in("47"), None);
        assert_eq!(url_in("nothing\n"), None);
    }
}
