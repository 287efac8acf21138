//! What a service manager such as systemd is told. Without one nothing happens.

use hola_webrtc_server::RtcServer;
use sd_notify::NotifyState::{self, Ready, Reloading, Status, Stopping, Watchdog};
use tokio::time::{MissedTickBehavior, interval};

/// The server is up, or up again after a reload.
pub(crate) fn ready() {
    notify(&[Ready, Status("serving")]);
}

/// It reads its certificate anew; [`ready`] follows.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[Reloading, now]),
        Err(error) => tracing::warn!("the clock cannot be read: {error}"),
    }
}

/// It stops.
pub(crate) fn stopping() {
    notify(&[Stopping, Status("waiting for the sessions to end")]);
}

/// If the service manager wants signs of life, gives one as long as every worker of the engine answers.
pub(crate) async fn watch(server: RtcServer) {
    let Some(patience) = sd_notify::watchdog_enabled().filter(|patience| !patience.is_zero()) else { return };
    let mut ticks = interval(patience / 3);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if server.is_alive(patience / 3).await {
            let status = format!("{} sessions", server.session_count());
            notify(&[Watchdog, Status(&status)]);
        } else {
            tracing::error!(
                "a worker of the engine does not answer: the service manager is not given a sign of life"
            );
        }
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the service manager cannot be told: {error}");
    }
}
