//! How handlers call the engine: a handler that has sent, read or left rings its session's bell, and the
//! worker comes and looks. Ringing twice before it comes is ringing once.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use futures_util::task::AtomicWaker;
use hola_webrtc_protocol::SessionId;

/// All bells of a worker.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    rung: Mutex<Vec<SessionId>>,
    worker: AtomicWaker,
}

impl Bells {
    /// Waits until a bell has rung since the last look. The worker alone waits.
    pub(crate) async fn rang(&self) {
        poll_fn(|context| {
            self.worker.register(context.waker());
            let is_quiet = self.rung.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
            if is_quiet { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
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
    bells: Mutex<Arc<Bells>>,
    is_rung: AtomicBool,
}

impl Doorbell {
    /// A bell that hangs nowhere yet.
    pub(crate) fn new(session: SessionId) -> Self {
        Self { session, bells: Mutex::default(), is_rung: AtomicBool::new(false) }
    }

    /// Hangs the bell up at a worker. It has not rung there.
    pub(crate) fn hang_up(&self, bells: Arc<Bells>) {
        *self.bells.lock().unwrap_or_else(PoisonError::into_inner) = bells;
        self.answer();
    }

    pub(crate) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
            bells.rung.lock().unwrap_or_else(PoisonError::into_inner).push(self.session);
            bells.worker.wake();
        }
    }

    /// The engine comes: what happens from here on needs a new ring.
    pub(crate) fn answer(&self) {
        self.is_rung.swap(false, Ordering::AcqRel);
    }

    /// A bell that nobody hears.
    #[cfg(test)]
    pub(crate) fn detached() -> Self {
        Self::new(SessionId::from_bytes([0; 16]))
    }
}
