//! The server under measurement: the program itself, in a process of its own.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use hola_webrtc_offerer::http::Http;
use hyper::Request;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::proc::Process;

/// How long the server may take to listen.
const START: Duration = Duration::from_secs(20);

/// How to start the server.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// The limits that one machine's load would meet long before a server's users do.
pub(crate) const LIFTED: [&str; 3] =
    ["--max-sessions=100000", "--max-sessions-per-address=100000", "--offers-per-second=0"];

/// The running server. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    _state: TempDir,
    pub(crate) url: String,
    pub(crate) process: Process,
}

impl Launch {
    /// Starts the server on a free port of the loopback and waits until it listens.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Result<Server> {
        let state = tempfile::tempdir()?;
        let mut child = Command::new(&self.program)
            .args(["--listen=127.0.0.1:0", "--log=error", "--greeting-interval=0", "--state-dir"])
            .arg(state.path())
            .args(arguments)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let id = child.id().context("the server ended at once")?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(output).lines();
        let url = async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, rest)) = line.split_once("https://") {
                    let address = rest.split(['/', ' ']).next().unwrap_or_default();
                    return Ok(format!("https://{address}"));
                }
            }
            bail!("the server ended before it listened")
        };
        let url = timeout(START, url).await.context("the server does not start")??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Server { child, _state: state, url, process: Process::of(id) })
    }
}

impl Server {
    /// Tells the server to stop.
    pub(crate) fn terminate(&self) -> Result<()> {
        let id = self.child.id().context("the server has ended already")?;
        Ok(kill(Pid::from_raw(id.try_into()?), Signal::SIGTERM)?)
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// How many sessions the server has, by its own count.
    pub(crate) async fn sessions(&self, http: &Http) -> Result<u64> {
        sessions(http, &self.url).await
    }
}

/// How many sessions the server with this URL has, by its own count.
pub(crate) async fn sessions(http: &Http, url: &str) -> Result<u64> {
    let request = Request::get(format!("{url}/metrics")).body(Bytes::new())?;
    let reply = http.send(request).await?;
    let text = std::str::from_utf8(reply.body())?;
    let samples = text.lines().filter(|line| line.starts_with("hola_webrtc_sessions{"));
    let values: Vec<u64> = samples.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect();
    if values.is_empty() {
        bail!("the server counts no sessions at /metrics");
    }
    Ok(values.iter().sum())
}
