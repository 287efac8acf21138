//! From the command line to a running server, and to its end.

mod announced;
mod app;
mod bind;
mod clock;
mod descriptors;
mod identity;
mod keeper;
mod log;
#[cfg_attr(not(unix), path = "startup/notify/absent.rs")]
mod notify;
mod report;
mod signals;

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use axum_server::Handle;
use hola_webrtc_server::{Builder, RtcServer, echo, host_addresses};
use tokio::time::{MissedTickBehavior, interval};

use self::{
    clock::{WallClock, today},
    identity::Identity,
    keeper::Keeper,
    report::Report,
    signals::{Request, Signals},
};
#[cfg(unix)]
use crate::allocator;
use crate::{cli::Cli, https};

/// How often the wall clock is looked at, which may jump, and with it the certificate.
const CLOCK_CHECK: Duration = Duration::from_secs(5);

/// Runs the server until it is told to stop.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<()> {
    log::start(&cli.operation)?;
    descriptors::raise_limit();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    #[cfg(unix)]
    runtime.on_thread_park(allocator::tidy);
    let runtime = runtime.enable_all().build()?;
    let ended = runtime.block_on(serve(cli));
    // Nothing that still runs is worth waiting for.
    runtime.shutdown_background();
    ended
}

async fn serve(cli: &Cli) -> anyhow::Result<()> {
    let host = host_addresses();
    let announced = announced::resolve(&cli.announce).await?;
    if let Some(hint) = announced::hint(&cli.announce, cli.listen.ip(), &host, Path::new("/")) {
        tracing::info!("{hint}");
    }
    let reachable: Vec<IpAddr> = host.iter().chain(&announced).copied().collect();
    let identity = Identity::choose(cli, &reachable, today())?;
    let mut keeper = Keeper::new(identity).context("TLS cannot be set up")?;
    let (listener, server) =
        bind::both(cli.listen, |address| builder(cli, &announced).listen(address).start())?;
    let bound = listener.local_addr()?;

    tokio::spawn(echo::serve(server.clone(), cli.operation.greeting_interval));
    let mut signals = Signals::listen().context("signals cannot be received")?;
    let handle = Handle::new();
    let app = app::app(&server, cli)?;
    let bounds = cli.connections.bounds(&cli.signalling.trusted_proxy);
    descriptors::warn_if_fewer_than(bounds.max_connections);
    let mut serving = tokio::spawn(https::serve(
        listener,
        keeper.tls(),
        app,
        bounds,
        server.metrics().clone(),
        handle.clone(),
    ));
    Report { bound, host: &host, udp: &server.announced(), identity: keeper.identity() }.print();
    notify::ready();
    tokio::spawn(notify::watch(server.clone()));

    let mut checks = interval(CLOCK_CHECK);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut clock = WallClock::new(Instant::now(), today());
    loop {
        tokio::select! {
            ended = &mut serving => return ended?.context("HTTPS ended by itself"),
            _ = checks.tick() => {
                if let Some(by) = clock.jumped(Instant::now(), today()) {
                    follow_clock(by);
                }
                keeper.check(today());
            }
            request = signals.next() => match request {
                Request::Stop => break,
                Request::Reload => {
                    notify::reloading();
                    keeper.reload(today());
                    announced::renew(&cli.announce, &server).await;
                    notify::ready();
                }
            },
        }
    }
    notify::stopping();
    let stopping = async {
        drain(&server, &handle, cli.operation.drain_timeout).await;
        serving.await?.context("HTTPS did not end well")
    };
    tokio::select! {
        stopped = stopping => stopped,
        // Told twice, it does not wait for anybody.
        () = signals.stop() => {
            tracing::warn!(sessions = server.session_count(), "stopping at once");
            Ok(())
        }
    }
}

/// The wall clock has been set. Whatever happens at a time by it is the certificate's matter, and the allocator's.
fn follow_clock(by: time::Duration) {
    tracing::info!(seconds = by.whole_seconds(), "the clock was set");
    #[cfg(unix)]
    if by.is_negative() {
        allocator::wake();
    }
}

/// Lets the sessions end, then HTTPS: until then it tells load balancers and clients that the server stops.
async fn drain(server: &RtcServer, handle: &Handle<SocketAddr>, within: Duration) {
    let begun = Instant::now();
    tracing::info!(sessions = server.session_count(), ?within, "stopping: the sessions may end");
    // The last tenth is for replies that are under way.
    let ended = server.drain(within.mul_f32(0.9)).await;
    if ended == 0 {
        tracing::info!("every session has ended");
    } else {
        tracing::warn!(sessions = ended, "not every session ended in time; the rest was closed");
    }
    handle.graceful_shutdown(Some(within.saturating_sub(begun.elapsed())));
}

fn builder(cli: &Cli, announced: &[IpAddr]) -> Builder {
    let mut builder = RtcServer::builder().limits(cli.sessions.limits());
    if !announced.is_empty() {
        builder = builder.announce(announced.iter().copied());
    }
    #[cfg(unix)]
    {
        builder = builder.once_quiet(allocator::tidy);
    }
    if let Some(workers) = cli.operation.workers {
        builder = builder.workers(workers);
    }
    builder
}
