//! The log, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, Operation};

/// The protocol core reports what peers send as warnings and as errors, such as an SCTP ABORT, with which some say
/// goodbye. Its modules are heard when `--log` names them.
const QUIET: &str = "rtc=off,rtc_datachannel=off,rtc_dtls=off,rtc_ice=off,rtc_sctp=off,rtc_stun=off";

/// Sends what the program says from now on to standard error.
pub(crate) fn start(operation: &Operation) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", operation.log))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match operation.log_format {
        LogFormat::Text => log.with_target(false).with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).init(),
    }
    Ok(())
}
