//! The sessions of one worker. Takes orders, datagrams and the time, gives datagrams and opened sessions; has
//! no socket and no clock.

mod drive;

use std::{
    collections::BTreeSet,
    mem,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use hola_webrtc_protocol::SessionId;
use tokio::runtime::Handle;
use tracing::{Span, error, info};

use super::{Bells, Received, ids::ById, peer::Peer, registry::Registry, shrink::shrink};
use crate::{
    answer::IceCredentials,
    metrics::{Direction, Dropped},
    offer::AnswerError,
    session::{Closed, Session},
};

pub(crate) struct Core {
    /// This worker's number.
    worker: usize,
    registry: Arc<Registry>,
    peers: ById<Entry>,
    timers: BTreeSet<(Instant, SessionId)>,
    /// The peers that something has happened to since the last flush.
    touched: Vec<SessionId>,
    /// When the last flush was.
    flushed: Option<Instant>,
    bells: Arc<Bells>,
    runtime: Option<Handle>,
    out: Outbound,
}

/// What the core gives to the world.
#[derive(Default)]
pub(crate) struct Outbound {
    /// The datagrams to send, in order.
    pub(crate) datagrams: Vec<super::Datagram>,
    /// The sessions whose peers are connected.
    pub(crate) opened: Vec<Session>,
    /// What came here and is for another worker.
    pub(crate) strays: Vec<(usize, Received)>,
    /// Peers whose datagrams come to another worker's socket: they go there.
    pub(crate) leaving: Vec<(usize, Box<Peer>)>,
}

struct Entry {
    peer: Box<Peer>,
    timer: Option<Instant>,
    is_touched: bool,
}

impl Core {
    pub(crate) fn new(worker: usize, registry: Arc<Registry>) -> Self {
        Self {
            worker,
            registry,
            peers: ById::default(),
            timers: BTreeSet::new(),
            touched: Vec::new(),
            flushed: None,
            bells: Arc::default(),
            runtime: None,
            out: Outbound::default(),
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

    /// Drives a peer from now on.
    pub(crate) fn adopt(&mut self, mut peer: Box<Peer>) {
        let id = peer.id();
        // The order to drain may have come before it.
        if peer.link.is_draining() {
            peer.drain();
        }
        peer.doorbell.hang_up(self.bells.clone());
        self.peers.insert(id, Entry { peer, timer: None, is_touched: false });
        self.touch(id);
    }

    /// Takes in what came to the socket of a worker. A datagram that belongs to no session is dropped unanswered.
    pub(crate) fn receive(&mut self, now: Instant, socket: usize, received: Received) {
        match received {
            Received::Datagram(datagram) => {
                let metrics = self.registry.metrics();
                if socket == self.worker {
                    metrics.datagrams(Direction::In, 1, datagram.bytes.len());
                }
                let Some((id, worker)) = self.registry.find(&datagram) else {
                    return metrics.dropped(Dropped::NoSession);
                };
                // A session that has just been sent here may not have arrived.
                if worker != self.worker || !self.has(id) {
                    return self.out.strays.push((worker, Received::Datagram(datagram)));
                }
                let path = datagram.path();
                let heard = self.act(now, id, |peer| peer.receive(now, socket, datagram));
                if heard == Some(true)
                    && let Some(Entry { peer, .. }) = self.peers.get(&id)
                {
                    self.registry.heard(&peer.resident, now);
                    // Another session may have got the path since, or had it and be gone.
                    if !self.registry.has(path, &peer.resident) {
                        let has_answered = peer.selected() == Some(path);
                        self.registry.claim(path, &peer.resident, has_answered, now);
                    }
                }
            }
            Received::Unreachable(remote) => {
                for (id, worker) in self.registry.find_at(remote) {
                    if worker == self.worker {
                        self.act(now, id, |peer| peer.unreachable(now, remote));
                    } else if socket == self.worker {
                        self.out.strays.push((worker, Received::Unreachable(remote)));
                    }
                }
            }
        }
    }

    /// Whether the session lives here.
    pub(crate) fn has(&self, id: SessionId) -> bool {
        self.peers.contains_key(&id)
    }

    /// Whether no session lives here.
    pub(crate) fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Ends a session. `false` if it does not live here.
    pub(crate) fn close(&mut self, now: Instant, id: SessionId) -> bool {
        self.act(now, id, |peer| peer.end(Closed::ByServer)).is_some()
    }

    /// Restarts ICE with the client's new credentials. `None` if the session does not live here.
    pub(crate) fn restart_ice(
        &mut self,
        now: Instant,
        id: SessionId,
        remote: IceCredentials,
        candidates: &[SocketAddr],
    ) -> Option<Result<IceCredentials, AnswerError>> {
        let restarted = self.act(now, id, |peer| peer.restart_ice(now, remote, candidates))?;
        if let (Ok(ours), Some(entry)) = (&restarted, self.peers.get_mut(&id)) {
            self.registry.rename(&entry.peer.resident, ours.ufrag.clone());
        }
        Some(restarted)
    }

    /// Ends the sessions that have no open channel. The handlers of the others are told by the registry.
    pub(crate) fn drain(&mut self, now: Instant) {
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            self.act(now, id, Peer::drain);
        }
    }

    /// Ends every session.
    pub(crate) fn close_all(&mut self, now: Instant) {
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            self.act(now, id, |peer| peer.end(Closed::Stopping));
        }
    }

    /// What the flushes since the last look brought about.
    pub(crate) fn take_outbound(&mut self) -> Outbound {
        mem::take(&mut self.out)
    }

    /// Does something with a peer, which is driven at the next flush.
    fn act<T>(&mut self, now: Instant, id: SessionId, act: impl FnOnce(&mut Peer) -> T) -> Option<T> {
        let result = self.attempt(now, id, act)?;
        self.touch(id);
        Some(result)
    }

    /// Does something with a peer. If the protocol core panics, the session goes, and the others do not notice.
    fn attempt<T>(&mut self, now: Instant, id: SessionId, act: impl FnOnce(&mut Peer) -> T) -> Option<T> {
        let Entry { peer, .. } = self.peers.get_mut(&id)?;
        let span = peer.link.span.clone();
        if let Ok(result) = catch_unwind(AssertUnwindSafe(|| span.in_scope(|| act(peer)))) {
            return Some(result);
        }
        span.in_scope(|| error!("the protocol core panicked; the session is dropped"));
        peer.abandon(now, Closed::Failed);
        self.remove(id, Closed::Failed);
        None
    }

    fn touch(&mut self, id: SessionId) {
        if let Some(entry) = self.peers.get_mut(&id)
            && !mem::replace(&mut entry.is_touched, true)
        {
            self.touched.push(id);
        }
    }

    fn remove(&mut self, id: SessionId, reason: Closed) {
        let Some(mut peer) = self.forget(id) else { return };
        let (held, _) = peer.hold();
        self.registry.hold(held, 0);
        self.registry.remove(&peer.resident, peer.paths());
        let span: Span = peer.link.span.clone();
        drop(peer);
        span.in_scope(|| info!(live = self.registry.count(), "the session ends: {reason}"));
    }

    fn forget(&mut self, id: SessionId) -> Option<Box<Peer>> {
        let Entry { peer, timer, .. } = self.peers.remove(&id)?;
        if let Some(due) = timer {
            self.timers.remove(&(due, id));
        }
        shrink(&mut self.peers);
        Some(peer)
    }

    #[cfg(test)]
    pub(super) fn break_down(&mut self, id: SessionId, fault: super::stack::Fault) {
        self.peers.get_mut(&id).unwrap().peer.break_down(fault);
    }

    /// What is left in the tables: 0 when no session lives.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn residue(&self) -> usize {
        self.peers.len() + self.timers.len() + self.touched.len()
    }
}
