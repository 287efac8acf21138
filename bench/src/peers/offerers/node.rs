//! A library in Node, told what to do by lines of JSON.

use std::{fs::File, path::Path, process::Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};
use xshell::Shell;
use xtask::{
    browsers,
    installed::{self, NODE, NPM},
    project::Project,
};

use super::Kind;

#[derive(Debug)]
pub(crate) struct Node {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Node {
    pub(super) fn start(
        kind: Kind,
        shell: &Shell,
        project: &Project,
        cache: &Path,
        log: &Path,
    ) -> Result<Self> {
        browsers::provide(shell, &[&NODE, &NPM])?;
        // The same packages as the answerers'.
        let (module, lock, folder) = match kind {
            Kind::Libdatachannel => {
                ("node-datachannel/polyfill", "e2e/interop/libdatachannel", "libdatachannel")
            }
            _ => ("@roamhq/wrtc", "bench/peers/libwebrtc", "libwebrtc"),
        };
        let modules = installed::node_modules(shell, &project.path(lock), cache.join("bench").join(folder))?;
        let mut child = Command::new(NODE.find().context("Node.js is missing")?)
            .arg(project.path("bench/offerers/node.cjs"))
            .arg(module)
            .env("NODE_PATH", modules)
            // The server's certificate is its own.
            .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(log)?)
            .kill_on_drop(true)
            .spawn()
            .context("Node.js does not start")?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { _child: child, input, output })
    }

    pub(super) async fn call(&mut self, operation: &str, arguments: Value) -> Result<Value> {
        let call = json!({ "operation": operation, "arguments": arguments });
        self.input.write_all(format!("{call}\n").as_bytes()).await?;
        loop {
            let line = self.output.next_line().await?.context("the offerer has ended")?;
            // A library may print what it likes.
            let Ok(mut reply) = serde_json::from_str::<Value>(&line) else { continue };
            match reply["error"].as_str() {
                Some(error) => bail!("{error}"),
                None => return Ok(reply["ok"].take()),
            }
        }
    }
}
