//! One session: the protocol core, what the handlers want of it, and when it ends.

mod datagrams;
mod drive;
mod farewell;
mod layers;
mod ways;

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Instant};

use hola_webrtc_protocol::{SessionId, Step, TraceData};
use tracing::info;

pub(super) use self::drive::Outcome;
use self::{datagrams::Traffic, ways::Ways};
use super::{
    Doorbell,
    channels::Channels,
    liveness::{Liveness, Verdict},
    registry::{Place, Resident},
    routes::Path,
    stack::Stack,
};
use crate::{
    answer::{IceCredentials, host_candidates},
    limits::Limits,
    metrics::Metrics,
    offer::AnswerError,
    session::{Closed, Link, Session},
};

pub(crate) struct Peer {
    pub(super) resident: Arc<Resident>,
    pub(super) doorbell: Arc<Doorbell>,
    pub(super) link: Arc<Link>,
    _place: Place,
    metrics: Arc<Metrics>,
    /// When the offer was answered.
    born: Instant,
    ways: Ways,
    stack: Stack,
    /// The handler's end, until the peer is connected.
    session: Option<Session>,
    channels: Channels,
    /// Whether ICE has selected a pair, since its last restart if there was one.
    is_selected: bool,
    /// The way along the pair that ICE has selected last.
    selected: Option<Path>,
    /// The one of these that the registry knows.
    announced: Option<Path>,
    /// The layer of step 8 that came up last.
    reached: Option<Step>,
    /// When it came up; at first, when the offer was answered.
    reached_at: Instant,
    liveness: Liveness,
    /// The transactions of the last checks sent.
    asked: VecDeque<[u8; 12]>,
    /// The worker at whose socket the selected pair's datagrams arrive.
    home: Option<usize>,
    ended: Option<Closed>,
    /// What the handler gave as its reason to end the session.
    farewell: Option<String>,
    /// How many bytes the registry knows the session to hold.
    held: usize,
    /// How many retransmissions the metrics know of.
    retransmissions: u64,
    traffic: Traffic,
}

/// What a peer is made of.
pub(super) struct Parts {
    pub(super) place: Place,
    pub(super) resident: Arc<Resident>,
    pub(super) stack: Stack,
    pub(super) candidates: Arc<[SocketAddr]>,
    pub(super) doorbell: Arc<Doorbell>,
    pub(super) link: Arc<Link>,
    pub(super) session: Session,
    pub(super) channels: Channels,
    pub(super) limits: Limits,
    pub(super) metrics: Arc<Metrics>,
}

impl Peer {
    pub(super) fn new(now: Instant, parts: Parts) -> Self {
        let Parts {
            place,
            resident,
            stack,
            candidates,
            doorbell,
            link,
            mut session,
            channels,
            limits,
            metrics,
        } = parts;
        session.parameters.max_message_size = stack.peers_maximum();
        session.parameters.max_received_message_size = limits.max_message_size;
        Self {
            resident,
            doorbell,
            link,
            _place: place,
            metrics,
            born: now,
            ways: Ways::new(candidates),
            stack,
            session: Some(session),
            channels,
            is_selected: false,
            selected: None,
            announced: None,
            reached: None,
            reached_at: now,
            liveness: Liveness::new(now, limits),
            asked: VecDeque::new(),
            home: None,
            ended: None,
            farewell: None,
            held: 0,
            retransmissions: 0,
            traffic: Traffic::default(),
        }
    }

    pub(crate) fn id(&self) -> SessionId {
        self.resident.id
    }

    /// The path that ICE has selected.
    pub(super) fn selected(&self) -> Option<Path> {
        self.selected
    }

    /// The paths that have proved to be the peer's.
    pub(super) fn paths(&self) -> impl Iterator<Item = Path> {
        self.ways.proven()
    }

    /// The peer's host says that nobody listens at an address of the peer.
    pub(super) fn unreachable(&mut self, now: Instant, remote: SocketAddr) {
        // An address that a check only claimed to come from says nothing of the peer.
        if self.selected.is_some_and(|path| path.remote != remote) {
            return;
        }
        if let Verdict::Ended(reason) = self.liveness.unreachable(now) {
            self.end(reason);
        }
    }

    /// Ends the session at the next drive; the first reason counts.
    pub(super) fn end(&mut self, reason: Closed) {
        self.ended.get_or_insert(reason);
    }

    pub(super) fn ended(&self) -> Option<Closed> {
        self.ended
    }

    /// Ends the session unless a channel is open: the server is stopping.
    pub(super) fn drain(&mut self) {
        if self.channels.is_empty() {
            self.end(Closed::Stopping);
        }
    }

    /// ICE starts anew with the client's new credentials, and at these addresses of this side's; everything above it lives
    /// on.
    pub(super) fn restart_ice(
        &mut self,
        now: Instant,
        remote: IceCredentials,
        candidates: &[SocketAddr],
    ) -> Result<IceCredentials, AnswerError> {
        // A request that is repeated, because its reply was lost, changes nothing.
        if self.stack.is_with(&remote) {
            return Ok(self.stack.credentials());
        }
        let named: Vec<_> = host_candidates(candidates).collect();
        let ours = self.stack.restart_ice(now, remote, &named);
        let ours = ours.map_err(|error| AnswerError::Internal(error.to_string()))?;
        self.is_selected = false;
        self.ways.expect_others(candidates, self.selected);
        info!("ICE starts anew");
        self.link.journal.note(now, Step::CheckConnectivity, TraceData::Began);
        Ok(ours)
    }

    /// How many more bytes than the registry knows the session holds: before and now.
    pub(super) fn hold(&mut self) -> (usize, usize) {
        let held = if self.ended.is_some() { 0 } else { self.channels.held() };
        (std::mem::replace(&mut self.held, held), held)
    }

    /// When the peer needs to be driven even if nothing happens.
    pub(super) fn deadline(&mut self) -> Instant {
        let ours = self.liveness.deadline();
        self.stack.deadline().map_or(ours, |protocols| protocols.min(ours))
    }

    #[cfg(test)]
    pub(in crate::engine) fn break_down(&mut self, fault: super::stack::Fault) {
        self.stack.fault = Some(fault);
    }
}
