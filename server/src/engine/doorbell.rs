//! How handlers call the engine: a handler that has sent, read or left rings its session's bell, and the
//! worker comes and looks. Ringing twice before it comes is ringing once.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use hola_webrtc_protocol::SessionId;
use tokio::sync::Notify;

/// All bells of a worker.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    rung: Mutex<Vec<SessionId>>,
    notify: Notify,
}

impl Bells {
    /// Waits until a bell has rung.
    pub(crate) async fn rang(&self) {
        self.notify.notified().await;
    }

    /// The sessions whose bells have rung since the last look.
    pub(crate) fn take(&self) -> Vec<SessionId> {
        std::mem::take(&mut *self.rung.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The bell of a session.
#[derive(Debug)]
pub(crate) struct Doorbell {
    session: SessionId,
    bells: Arc<Bells>,
    is_rung: AtomicBool,
}

impl Doorbell {
    pub(crate) fn new(session: SessionId, bells: Arc<Bells>) -> Self {
        Self { session, bells, is_rung: AtomicBool::new(false) }
    }

    pub(crate) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            self.bells.rung.lock().unwrap_or_else(PoisonError::into_inner).push(self.session);
            self.bells.notify.notify_one();
        }
    }

    /// The engine comes: what happens from here on needs a new ring.
    pub(crate) fn answer(&self) {
        self.is_rung.swap(false, Ordering::AcqRel);
    }

    /// A bell that nobody hears.
    #[cfg(test)]
    pub(crate) fn detached() -> Self {
        Self::new(SessionId::from_bytes([0; 16]), Arc::default())
    }
}
