//! The command line.

mod connections;
mod limits;
mod signalling;
#[cfg(test)]
mod tests;
mod values;

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};
use hola_webrtc_server::MetricsAccess;

use self::{
    connections::ConnectionLimits,
    limits::SessionLimits,
    signalling::SignallingFlags,
    values::{any_time, log_filter, time, workers},
};
pub(crate) use self::{signalling::SignallingError, values::Host};

/// WebRTC data channels, shown step by step: serves the page, answers offers over HTTPS, and echoes what comes.
#[derive(Clone, Debug, Parser)]
#[command(name = "hola-webrtc", version, max_term_width = 100, next_help_heading = "Addresses")]
pub(crate) struct Cli {
    /// Address and port of HTTPS (TCP) and of WebRTC (UDP); port 0 lets the system choose one
    #[arg(long, env = "HOLA_LISTEN", value_name = "ADDRESS", default_value = "[::]:8443")]
    pub(crate) listen: SocketAddr,

    /// Address or name to announce in answers instead of the host's own, for servers behind NAT or in a container;
    /// names are resolved at the start (repeatable)
    #[arg(long, env = "HOLA_ANNOUNCE", value_name = "HOST", value_delimiter = ',')]
    pub(crate) announce: Vec<Host>,

    /// Certificate chain, a PEM file; without it the server makes a self-signed certificate
    #[arg(long, env = "HOLA_CERT", value_name = "FILE", requires = "key", help_heading = "Certificate")]
    pub(crate) cert: Option<PathBuf>,

    /// Private key of the certificate, a PEM file
    #[arg(long, env = "HOLA_KEY", value_name = "FILE", requires = "cert", help_heading = "Certificate")]
    pub(crate) key: Option<PathBuf>,

    /// Folder that keeps the self-signed certificate [default: hola-webrtc in the user's state folder]
    #[arg(long, env = "HOLA_STATE_DIR", value_name = "FOLDER", help_heading = "Certificate")]
    pub(crate) state_dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) signalling: SignallingFlags,

    #[command(flatten)]
    pub(crate) sessions: SessionLimits,

    #[command(flatten)]
    pub(crate) connections: ConnectionLimits,

    #[command(flatten)]
    pub(crate) operation: Operation,
}

#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Operation")]
pub(crate) struct Operation {
    /// How many threads serve the sessions [default: one for each core]
    #[arg(long, env = "HOLA_WORKERS", value_name = "NUMBER", value_parser = workers)]
    pub(crate) workers: Option<NonZeroUsize>,

    /// Who may read /metrics beside those who name the token: local (programs on this host), public, off
    #[arg(long, env = "HOLA_METRICS", value_name = "WHO", value_enum, default_value_t)]
    pub(crate) metrics: Audience,

    /// How long sessions may take to end when the server is told to stop
    #[arg(long, env = "HOLA_DRAIN_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(crate) drain_timeout: Duration,

    /// How often the server says something on its own on a channel labelled chat; 0 switches it off
    #[arg(long, env = "HOLA_GREETING_INTERVAL", value_name = "TIME", default_value = "30s", value_parser = any_time)]
    pub(crate) greeting_interval: Duration,

    /// What to log to standard error: error, warn, info, debug, trace, or per module as in `info,rtc_ice=debug`
    #[arg(long, env = "HOLA_LOG", value_name = "FILTER", default_value = "info", value_parser = log_filter)]
    pub(crate) log: String,

    /// How to write the log: lines of text, or of JSON
    #[arg(long, env = "HOLA_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
}

/// Who may read the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub(crate) enum Audience {
    #[default]
    Local,
    Public,
    Off,
}

impl From<Audience> for MetricsAccess {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::Local => Self::Loopback,
            Audience::Public => Self::Everybody,
            Audience::Off => Self::Nobody,
        }
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}
