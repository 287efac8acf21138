//! All sessions of a worker. Takes orders, datagrams and the time, gives datagrams and opened sessions; has
//! no socket and no clock.

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hola_webrtc_protocol::SessionId;
use tokio::runtime::Handle;
use tracing::{error, info, trace};

use super::{
    Bells, Datagram, Doorbell,
    channels::Channels,
    peer::{Outcome, Parts, Peer},
    routes::Routes,
};
use crate::{
    answer::{Answer, Answerer},
    limits::Limits,
    server::{AnswerError, Answered, OfferContext},
    session::{Closed, Link, Session},
};

/// A timer that is already due again is served this much later, so that no peer can keep the engine busy.
const TIMER_STEP: Duration = Duration::from_millis(1);

pub(crate) struct Core {
    answerer: Answerer,
    candidates: Arc<[SocketAddr]>,
    limits: Limits,
    peers: HashMap<SessionId, Entry>,
    routes: Routes,
    timers: BTreeSet<(Instant, SessionId)>,
    /// The peers that something has happened to since the last flush.
    touched: Vec<SessionId>,
    /// When the last flush was.
    flushed: Option<Instant>,
    bells: Arc<Bells>,
    runtime: Option<Handle>,
    /// How many sessions live, for those outside.
    live: Arc<AtomicUsize>,
    datagrams: Vec<Datagram>,
    opened: Vec<Session>,
}

struct Entry {
    peer: Peer,
    timer: Option<Instant>,
    is_touched: bool,
}

impl Core {
    pub(crate) fn new(answerer: Answerer, limits: Limits, live: Arc<AtomicUsize>) -> Self {
        Self {
            candidates: answerer.candidates().into(),
            answerer,
            limits,
            peers: HashMap::new(),
            routes: Routes::default(),
            timers: BTreeSet::new(),
            touched: Vec::new(),
            flushed: None,
            bells: Arc::default(),
            runtime: None,
            live,
            datagrams: Vec::new(),
            opened: Vec::new(),
        }
    }

    /// Lets sessions spawn their tasks on this runtime.
    pub(crate) fn run_on(&mut self, runtime: Handle) {
        self.runtime = Some(runtime);
    }

    /// The bells that handlers ring.
    pub(crate) fn bells(&self) -> Arc<Bells> {
        self.bells.clone()
    }

    /// Answers an offer. If that fails, nothing is left of it.
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        offer: &str,
        context: OfferContext,
    ) -> Result<Answered, AnswerError> {
        if self.peers.len() >= self.limits.max_sessions {
            return Err(AnswerError::Full);
        }
        let answer = catch_unwind(AssertUnwindSafe(|| self.answerer.answer(now, offer)))
            .unwrap_or_else(|_| Err(AnswerError::Internal("the answerer panicked".to_owned())))?;
        let id = SessionId::from_bytes(self.answerer.random()?);
        for (step, took) in &answer.timings {
            info!(session = %id, %step, "{} ({:.2} ms)", step.title(), took.as_secs_f64() * 1e3);
        }
        trace!(session = %id, %offer, answer = answer.sdp);
        let Answer { connection, sdp, ufrag, timings } = answer;

        let etag = ufrag.clone();
        let doorbell = Arc::new(Doorbell::new(id, self.bells.clone()));
        let (session, link, accepted) = Link::open(id, context, doorbell.clone(), self.runtime.clone());
        let channels = Channels::new(id, doorbell.clone(), accepted, self.limits.max_message_size as usize);
        self.routes.add_ufrag(&ufrag, id);
        let candidates = self.candidates.clone();
        let parts = Parts { id, ufrag, connection, candidates, doorbell, link, session, channels };
        let peer = Peer::new(now, self.limits, parts);
        self.peers.insert(id, Entry { peer, timer: None, is_touched: false });
        let live = self.count();
        info!(session = %id, live, "the session begins");
        self.touch(id);
        Ok(Answered { id, sdp, timings, etag })
    }

    /// Takes in a datagram. One that belongs to no session is dropped unanswered.
    pub(crate) fn receive(&mut self, now: Instant, datagram: Datagram) {
        let Some(id) = self.routes.find(&datagram) else { return };
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let received = catch_unwind(AssertUnwindSafe(|| entry.peer.receive(now, datagram)));
        if received.is_err() {
            self.drop_failed(id);
        } else {
            self.touch(id);
        }
    }

    /// Takes note that nobody listens at an address.
    pub(crate) fn unreachable(&mut self, now: Instant, remote: SocketAddr) {
        for id in self.routes.sessions_at(remote) {
            if let Some(entry) = self.peers.get_mut(&id) {
                entry.peer.unreachable(now);
                self.touch(id);
            }
        }
    }

    /// Ends a session. `false` if no such session lives.
    pub(crate) fn close(&mut self, id: SessionId) -> bool {
        let Some(entry) = self.peers.get_mut(&id) else { return false };
        entry.peer.end(Closed::ByServer);
        self.touch(id);
        true
    }

    /// Ends every session.
    pub(crate) fn close_all(&mut self) {
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            self.close(id);
        }
    }

    /// When [`Core::flush`] is due even if nothing happens: at once if something has happened since the last.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let at_once = self.flushed.filter(|_| !self.touched.is_empty());
        at_once.or_else(|| self.timers.first().map(|(due, _)| *due))
    }

    /// Drives every peer that something has happened to, whose timer is due or whose bell has rung.
    pub(crate) fn flush(&mut self, now: Instant) {
        self.flushed = Some(now);
        while let Some(&(due, id)) = self.timers.first() {
            if due > now {
                break;
            }
            self.timers.pop_first();
            if let Some(entry) = self.peers.get_mut(&id) {
                entry.timer = None;
            }
            self.touch(id);
        }
        for id in self.bells.take() {
            self.touch(id);
        }
        for id in std::mem::take(&mut self.touched) {
            self.drive(now, id);
        }
    }

    /// The datagrams to send, in order.
    pub(crate) fn take_datagrams(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.datagrams)
    }

    /// The sessions whose first channel has opened.
    pub(crate) fn take_opened(&mut self) -> Vec<Session> {
        std::mem::take(&mut self.opened)
    }

    fn touch(&mut self, id: SessionId) {
        if let Some(entry) = self.peers.get_mut(&id)
            && !std::mem::replace(&mut entry.is_touched, true)
        {
            self.touched.push(id);
        }
    }

    fn drive(&mut self, now: Instant, id: SessionId) {
        let Some(entry) = self.peers.get_mut(&id) else { return };
        entry.is_touched = false;
        entry.peer.doorbell.answer();
        let driven = catch_unwind(AssertUnwindSafe(|| (entry.peer.drive(now), entry.peer.deadline())));
        let Ok((outcome, deadline)) = driven else { return self.drop_failed(id) };

        let Outcome { datagrams, proven, opened } = outcome;
        self.datagrams.extend(datagrams);
        self.opened.extend(opened);
        let ended = entry.peer.ended();
        for path in proven {
            // The password proves the session, not the address: who forges the source of a check does not get
            // the path of a peer that is there.
            let is_taken =
                self.routes.owner(path).filter(|owner| *owner != id).is_some_and(|owner| {
                    self.peers.get(&owner).is_some_and(|owner| owner.peer.is_fresh(now))
                });
            if !is_taken {
                self.routes.add_path(path, id);
            }
        }
        if let Some(reason) = ended {
            return self.remove(id, reason);
        }
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let due = deadline.max(now + TIMER_STEP);
        if entry.timer != Some(due) {
            if let Some(old) = entry.timer.replace(due) {
                self.timers.remove(&(old, id));
            }
            self.timers.insert((due, id));
        }
    }

    fn remove(&mut self, id: SessionId, reason: Closed) {
        let Some(Entry { peer, timer, .. }) = self.peers.remove(&id) else { return };
        if let Some(due) = timer {
            self.timers.remove(&(due, id));
        }
        self.routes.remove(id, &peer.ufrag, peer.paths());
        let live = self.count();
        info!(session = %id, live, "the session ends: {reason}");
    }

    /// The protocol core panicked: the session goes, the others do not notice.
    fn drop_failed(&mut self, id: SessionId) {
        error!(session = %id, "the protocol core panicked; the session is dropped");
        if let Some(entry) = self.peers.get_mut(&id) {
            entry.peer.abandon(Closed::Failed);
        }
        self.remove(id, Closed::Failed);
    }

    fn count(&self) -> usize {
        self.live.store(self.peers.len(), Ordering::Relaxed);
        self.peers.len()
    }

    /// What is left in the tables: 0 when no session lives.
    #[cfg(test)]
    pub(super) fn residue(&self) -> usize {
        self.peers.len() + self.routes.len() + self.timers.len() + self.touched.len()
    }
}
