//! `GET /healthz` and `GET /readyz`: whether the server lives, and whether it takes offers.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use hola_webrtc_protocol::ProblemCode;

use super::{problem::Refusal, signalling::Shared};

/// How long the engine may take to show that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// Whether the program works: asks each of the engine's workers. A server that refuses should be started anew.
pub(super) async fn alive(State(shared): State<Arc<Shared>>) -> Result<&'static str, Refusal> {
    if shared.server.is_alive(SIGN_OF_LIFE).await {
        Ok("ok\n")
    } else {
        Err(Refusal::new(ProblemCode::Stalled, format!("it gave no sign of life within {SIGN_OF_LIFE:?}")))
    }
}

/// Whether offers should be sent here. A server that refuses finishes what it has, and must not be stopped.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Result<&'static str, Refusal> {
    shared.ensure_ready().map(|()| "ready\n")
}

impl Shared {
    /// Refuses what would begin something new while the server stops.
    pub(super) fn ensure_ready(&self) -> Result<(), Refusal> {
        if self.server.is_ready() {
            Ok(())
        } else {
            Err(Refusal::new(ProblemCode::Draining, "it ends the sessions it has and takes no more"))
        }
    }
}
