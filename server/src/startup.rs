//! From the command line to a running server, and to its end.

mod bind;
mod identity;
mod report;
mod stop;

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use hola_webrtc_server::{Limits, RtcServer, echo, host_addresses};
use tracing_subscriber::EnvFilter;

use self::{identity::Identity, report::Report, stop::StopSignals};
use crate::{cli::Cli, https, page};

/// How long requests and sessions may take to end when the server is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The protocol core reports what peers send as warnings and as errors, such as an SCTP ABORT, with which some say
/// goodbye. Its modules are heard when `--log` names them.
const QUIET: &str = "rtc=off,rtc_datachannel=off,rtc_dtls=off,rtc_ice=off,rtc_sctp=off,rtc_stun=off";

/// Runs the server until it is told to stop.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(format!("{QUIET},{}", cli.log))?)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(cli))
}

async fn serve(cli: &Cli) -> anyhow::Result<()> {
    let host = host_addresses();
    let identity = Identity::choose(cli, &host)?;
    let tls = identity.certificate.tls_config().context("TLS cannot be set up")?;
    let (listener, server) = bind::both(cli.listen, |address| builder(cli).listen(address).start())?;
    let bound = listener.local_addr()?;

    tokio::spawn(echo::serve(server.clone(), cli.greeting_interval));

    let mut signals = StopSignals::listen().context("signals cannot be received")?;
    let handle = Handle::new();
    let app = app(&server, cli);
    let mut serving = tokio::spawn(https::serve(listener, tls, app, handle.clone()));
    Report { bound, host: &host, udp: server.announced(), identity: &identity }.print();

    tokio::select! {
        ended = &mut serving => return ended?.context("HTTPS ended by itself"),
        () = signals.next() => {}
    }
    tracing::info!(sessions = server.session_count(), "stopping");
    handle.graceful_shutdown(Some(STOP_TIMEOUT));
    let stopping = async {
        let (sessions, http) = tokio::join!(tokio::time::timeout(STOP_TIMEOUT, server.shutdown()), serving);
        if sessions.is_err() {
            tracing::warn!("not every session ended in time");
        }
        http?.context("HTTPS did not end well")
    };
    tokio::select! {
        stopped = stopping => stopped,
        // Told twice, it does not wait for anybody.
        () = signals.next() => Ok(()),
    }
}

fn builder(cli: &Cli) -> hola_webrtc_server::Builder {
    let mut limits = Limits::default();
    limits.max_sessions = cli.max_sessions;
    limits.max_message_size = cli.max_message_size;
    limits.check_timeout = cli.check_timeout;
    limits.open_timeout = cli.open_timeout;
    limits.silence_timeout = cli.silence_timeout;
    let builder = RtcServer::builder().limits(limits);
    if cli.announce.is_empty() { builder } else { builder.announce(cli.announce.iter().copied()) }
}

/// The signalling, and the page beneath it.
fn app(server: &RtcServer, cli: &Cli) -> Router {
    let allowed = cli.allow_origin.iter().cloned();
    server.signalling().allow_origins(allowed).fallback(page::router()).router()
}
