//! What is known of a session everywhere in the engine, and outside.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use hola_webrtc_protocol::{Candidate, SessionId, Step, TraceData};

use crate::session::Link;

/// A session, as those see it who do not drive it.
pub(crate) struct Resident {
    pub(crate) id: SessionId,
    pub(crate) link: Arc<Link>,
    pub(super) worker: AtomicUsize,
    ufrag: Mutex<String>,
    /// When the peer was heard last, in milliseconds since the registry's epoch.
    pub(super) heard: AtomicU64,
    /// How many candidates the client has named.
    candidates: AtomicUsize,
}

impl Resident {
    pub(super) fn new(id: SessionId, worker: usize, ufrag: String, link: Arc<Link>) -> Self {
        Self {
            id,
            link,
            worker: worker.into(),
            ufrag: Mutex::new(ufrag),
            heard: AtomicU64::new(0),
            candidates: AtomicUsize::new(0),
        }
    }

    /// The worker that drives the session.
    pub(crate) fn worker(&self) -> usize {
        self.worker.load(Ordering::Acquire)
    }

    /// The server's user name fragment in the present ICE session.
    pub(crate) fn ufrag(&self) -> MutexGuard<'_, String> {
        // No code panics while it holds the lock.
        self.ufrag.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes down the candidates that the client names, for the trace alone: nobody contacts them. `false` if they
    /// are more than it may name; then none of the surplus is taken down.
    pub(crate) fn note_candidates(
        &self,
        now: Instant,
        candidates: impl Iterator<Item = Candidate>,
        max: usize,
    ) -> bool {
        for candidate in candidates {
            if self.candidates.fetch_add(1, Ordering::Relaxed) >= max {
                self.candidates.store(max, Ordering::Relaxed);
                return false;
            }
            self.link.journal.note_of_client(now, Step::SetRemoteOffer, TraceData::Candidate { candidate });
        }
        true
    }
}
