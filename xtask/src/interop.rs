//! Offerers of other makes against the server: aiortc, a Python package, and libdatachannel, in an npm package. Their
//! programs stand in `e2e/interop`; what these need is kept in the user's cache folder:
//!
//! ```text
//! <cache>/hola-webrtc/interop/aiortc/           a virtual environment of Python
//! <cache>/hola-webrtc/interop/libdatachannel/   with node_modules
//! ```

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::{
    installed,
    project::Project,
    server::{Launch, free_address},
};

/// Where the programs stand.
const FOLDER: &str = "e2e/interop";

/// What the server is asked to log: the steps, and each flight of the DTLS handshake.
const LOG: &str = "info,rtc_dtls=debug";

/// Connects both to the server, again and again, and looks into its log for what they do not notice.
pub fn run(shell: &Shell, project: &Project, cache: &Path, binary: &Path) -> Result<()> {
    let requirements = project.path(FOLDER).join("aiortc/requirements.txt");
    let python = installed::python(shell, &requirements, cache.join("interop/aiortc"))?;
    let source = project.path(FOLDER).join("libdatachannel");
    let modules = installed::node_modules(shell, &source, cache.join("interop/libdatachannel"))?;

    let folder = project.reports().join("interop");
    let (state, log) = (folder.join("state"), folder.join("server.log"));
    let server = Launch::new(binary, free_address()?)
        .arguments(["--log", LOG, "--state-dir", &state.to_string_lossy()])
        .log(&log)
        .start()?;
    let (url, certificate) = (server.url(), state.join("certificate.pem"));
    cmd!(shell, "{python} {FOLDER}/aiortc/offerer.py {url} {certificate}").run().context("aiortc failed")?;
    cmd!(shell, "node {FOLDER}/libdatachannel/offerer.cjs {url} {certificate}")
        .env("NODE_PATH", modules)
        .run()
        .context("libdatachannel failed")?;
    drop(server);
    check_log(&fs::read_to_string(&log)?)?;
    Ok(fs::remove_dir_all(&folder)?)
}

/// Fails if a handshake had to repeat a flight, which costs a second, or if the log complains of an ordinary connection.
fn check_log(log: &str) -> Result<()> {
    let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    let (handshakes, repeated) = (count("[handshake:client] is completed"), count("retransmit_timer"));
    ensure!(handshakes > 0, "the server's log names no handshake");
    ensure!(repeated == 0, "a flight of DTLS was repeated {repeated} times in {handshakes} handshakes");
    let complaint = log.lines().find(|line| line.contains(" ERROR "));
    ensure!(complaint.is_none(), "the server logged an error: {}", complaint.unwrap_or_default());
    eprintln!("{handshakes} DTLS handshakes, no flight repeated");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: &str = "DEBUG [handshake:client] is completed\n INFO channel \"any\" is open (stream 1)\n";

    #[test]
    fn a_log_of_quiet_handshakes_passes() {
        check_log(DONE).unwrap();
    }

    #[test]
    fn a_repeated_flight_an_error_and_an_empty_log_are_faults() {
        let fault = |log: &str| check_log(log).unwrap_err().to_string();
        let repeated = format!("{DONE}DEBUG [handshake:client] Flight 1 retransmit_timer\n");
        assert_eq!(fault(&repeated), "a flight of DTLS was repeated 1 times in 1 handshakes");
        assert!(fault(&format!("{DONE}2026 ERROR something\n")).contains("something"));
        assert_eq!(fault(""), "the server's log names no handshake");
    }
}
