//! The command line.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{Parser, value_parser};
use hola_webrtc_server::Origin;
use tracing_subscriber::EnvFilter;

/// WebRTC data channels, shown step by step: serves the page, answers offers over HTTPS, and echoes what comes.
#[derive(Clone, Debug, Parser)]
#[command(name = "hola-webrtc", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Address and port of HTTPS (TCP) and of WebRTC (UDP); port 0 lets the system choose one
    #[arg(long, env = "HOLA_LISTEN", value_name = "ADDRESS", default_value = "[::]:8443")]
    pub(crate) listen: SocketAddr,

    /// Address to name in answers instead of the host's own, for servers behind NAT or in a container (repeatable)
    #[arg(long, env = "HOLA_ANNOUNCE", value_name = "IP", value_delimiter = ',')]
    pub(crate) announce: Vec<IpAddr>,

    /// Certificate chain, a PEM file; without it the server makes a self-signed certificate
    #[arg(long, env = "HOLA_CERT", value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// Private key of the certificate, a PEM file
    #[arg(long, env = "HOLA_KEY", value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// Folder that keeps the self-signed certificate [default: hola-webrtc in the user's state folder]
    #[arg(long, env = "HOLA_STATE_DIR", value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Other origin whose pages may use this server, or * for all (repeatable)
    #[arg(long, env = "HOLA_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) allow_origin: Vec<Origin>,

    /// How many sessions may live at once
    #[arg(long, env = "HOLA_MAX_SESSIONS", value_name = "NUMBER", default_value = "10000", value_parser = sessions)]
    pub(crate) max_sessions: usize,

    /// Largest message taken, in bytes
    #[arg(long, env = "HOLA_MAX_MESSAGE_SIZE", value_name = "BYTES", default_value_t = 65_536,
          value_parser = value_parser!(u32).range(1..=16_777_216))]
    pub(crate) max_message_size: u32,

    /// How long an offer may go without a connectivity check of its peer
    #[arg(long, env = "HOLA_CHECK_TIMEOUT", value_name = "TIME", default_value = "2s", value_parser = timeout)]
    pub(crate) check_timeout: Duration,

    /// How long a session may take from the offer to its first open channel
    #[arg(long, env = "HOLA_OPEN_TIMEOUT", value_name = "TIME", default_value = "15s", value_parser = timeout)]
    pub(crate) open_timeout: Duration,

    /// How long an open session may be silent before it counts as lost
    #[arg(long, env = "HOLA_SILENCE_TIMEOUT", value_name = "TIME", default_value = "15s", value_parser = timeout)]
    pub(crate) silence_timeout: Duration,

    /// How often the server says something on its own on a channel labelled chat; 0 switches it off
    #[arg(long, env = "HOLA_GREETING_INTERVAL", value_name = "TIME", default_value = "30s",
          value_parser = humantime::parse_duration)]
    pub(crate) greeting_interval: Duration,

    /// What to log to standard error: error, warn, info, debug, trace, or per module as in `info,rtc_ice=debug`
    #[arg(long, env = "HOLA_LOG", value_name = "FILTER", default_value = "info", value_parser = log_filter)]
    pub(crate) log: String,
}

fn sessions(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("there must be room for one".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("not a number of sessions: {error}")),
    }
}

/// A duration such as `500ms` or `2m 30s`, above zero.
fn timeout(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}, as in 500ms, 30s or 2m"))?;
    if time.is_zero() { Err("must be above zero".to_owned()) } else { Ok(time) }
}

/// The filter as it was written: a parsed [`EnvFilter`] cannot be cloned, as clap asks.
fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["hola-webrtc"], arguments].concat())
    }

    #[test]
    fn both_readmes_list_every_flag_with_its_default() {
        for readme in [include_str!("../../README.md"), include_str!("../../README.es.md")] {
            for flag in Cli::command().get_arguments() {
                let Some(long) = flag.get_long().filter(|long| !matches!(*long, "help" | "version")) else {
                    continue;
                };
                let row = readme
                    .lines()
                    .find(|line| line.starts_with('|') && line.contains(&format!("`--{long} ")));
                let row = row.unwrap_or_else(|| panic!("--{long} is not listed"));
                for default in flag.get_default_values() {
                    assert!(row.contains(&format!("`{}`", default.display())), "{row}");
                }
            }
        }
    }

    #[test]
    fn every_flag_has_an_environment_name_after_its_own() {
        Cli::command().debug_assert();
        for flag in Cli::command().get_arguments().filter(|flag| flag.get_env().is_some()) {
            let name = flag.get_long().unwrap().replace('-', "_").to_uppercase();
            assert_eq!(flag.get_env().unwrap().to_str(), Some(format!("HOLA_{name}").as_str()));
        }
        assert_eq!(Cli::command().get_arguments().filter(|flag| flag.get_env().is_some()).count(), 13);
    }

    #[test]
    fn values_are_typed() {
        let cli = parse(&[
            "--listen=127.0.0.1:0",
            "--announce=192.0.2.1,2001:db8::1",
            "--allow-origin=https://a.example",
            "--allow-origin=http://b.example:8080",
            "--check-timeout=500ms",
            "--greeting-interval=0",
        ])
        .unwrap();
        assert_eq!(cli.listen.to_string(), "127.0.0.1:0");
        assert_eq!(cli.announce.len(), 2);
        assert_eq!(cli.allow_origin.len(), 2);
        assert_eq!(cli.check_timeout, Duration::from_millis(500));
        assert_eq!(cli.greeting_interval, Duration::ZERO);
        assert_eq!(parse(&[]).unwrap().listen.to_string(), "[::]:8443");
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for argument in [
            "--listen=8443",
            "--announce=example.org",
            "--allow-origin=example.org",
            "--max-sessions=0",
            "--max-message-size=0",
            "--check-timeout=0s",
            "--open-timeout=soon",
            "--cert=certificate.pem",
            "--key=key.pem",
            "--log=loud=very",
        ] {
            assert!(parse(&[argument]).is_err(), "{argument}");
        }
    }
}
