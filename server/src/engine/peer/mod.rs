//! One session: drives the protocol core with datagrams, with time, and with what the handlers want.

mod datagrams;
mod farewell;
mod layers;
mod ways;

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Instant};

use bytes::BytesMut;
use hola_webrtc_protocol::{SessionId, Step, TraceData};
use tracing::info;

use self::{datagrams::Traffic, ways::Ways};
use super::{
    Datagram, Doorbell,
    channels::{Channels, Delivered},
    liveness::{Liveness, Verdict},
    registry::{Place, Resident},
    routes::Path,
    stack::{Event, Stack},
    stun,
};
use crate::{
    answer::IceCredentials,
    limits::Limits,
    metrics::Metrics,
    offer::AnswerError,
    session::{Closed, Link, Session, Wish},
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

/// What driving a peer brought about.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) datagrams: Vec<Datagram>,
    /// The paths on which the peer has proved that it knows the password.
    pub(super) proven: Vec<Path>,
    /// The path that ICE has selected: its address has answered, so it is no forged one.
    pub(super) selected: Option<Path>,
    pub(super) opened: Option<Session>,
    /// The worker at whose socket the session's datagrams arrive, if the session should go there.
    pub(super) home: Option<usize>,
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
        let Parts { place, resident, stack, candidates, doorbell, link, session, channels, limits, metrics } =
            parts;
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

    /// ICE starts anew with the client's new credentials; everything above it lives on. Nothing has changed if that
    /// fails.
    pub(super) fn restart_ice(
        &mut self,
        now: Instant,
        ufrag: &str,
        password: &str,
    ) -> Result<IceCredentials, AnswerError> {
        let remote = IceCredentials { ufrag: ufrag.to_owned(), password: password.to_owned() };
        // A request that is repeated, because its reply was lost, changes nothing.
        if self.stack.is_with(&remote) {
            return Ok(self.stack.credentials());
        }
        let ours =
            self.stack.restart_ice(now, remote).map_err(|error| AnswerError::Internal(error.to_string()))?;
        self.is_selected = false;
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

    /// Moves everything that can move: timers, events, messages in and out, datagrams out.
    pub(super) fn drive(&mut self, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        self.keep_time(now, &mut outcome);
        self.grant_wishes(now);
        loop {
            let moved = self.handle_events(now);
            // What is read makes room, which the acknowledgements written next tell the peer of.
            let delivered = self.hand_over(now);
            // While ICE starts anew, the old path may be dead: what is sent waits for the new one.
            let has_sent = self.is_selected && self.channels.send(&mut self.stack, now);
            let has_talked = delivered.has_talked || has_sent;
            if has_talked {
                self.liveness.talked(now);
            }
            let has_written = self.write(now, &mut outcome);
            if !(moved || delivered.has_opened || has_talked || has_written) || self.ended.is_some() {
                break;
            }
        }
        self.count_retransmissions();
        if self.reached == Some(Step::OpenChannel) && self.channels.is_empty() {
            self.liveness.no_channel_is_open(now);
            if self.link.is_draining() {
                self.end(Closed::NoChannel);
            }
        }
        if self.stack.is_flooded() {
            self.end_flood();
        }
        self.ways.forget_unproven();
        if self.link.is_left() {
            self.end(Closed::ByServer);
        }
        if let Some(reason) = self.ended {
            self.close(now, reason, &mut outcome);
        }
        if matches!(self.reached, Some(Step::AssociateSctp | Step::OpenChannel)) {
            outcome.opened = self.session.take();
        }
        if self.announced != self.selected {
            self.announced = self.selected;
            outcome.selected = self.selected;
        }
        // Once the handler has the session, its tasks are bound to this worker's thread.
        outcome.home = self.home.take().filter(|_| self.session.is_some());
        outcome
    }

    /// Hands the handlers what has come, before the peer is driven. Returns whether there was a message. Until the first
    /// channel is open, driving alone brings the layers up, each after the one beneath it.
    pub(super) fn deliver(&mut self, now: Instant) -> bool {
        if self.reached != Some(Step::OpenChannel) || self.ended.is_some() {
            return false;
        }
        self.handle_events(now);
        let has_talked = self.hand_over(now).has_talked;
        if has_talked {
            self.liveness.talked(now);
        }
        has_talked
    }

    fn hand_over(&mut self, now: Instant) -> Delivered {
        let delivered = self.channels.deliver(&mut self.stack, now);
        if delivered.has_opened {
            self.note_channel(now);
        }
        if delivered.is_too_much {
            self.end(Closed::TooManyChannels);
        }
        delivered
    }

    fn grant_wishes(&mut self, now: Instant) {
        for wish in self.link.take_wishes() {
            match wish {
                Wish::Open { label, options, reply } => {
                    self.channels.create(&mut self.stack, &label, options, reply, now);
                    self.note_channel(now);
                }
                // Whoever asked may be gone.
                Wish::Stats(reply) => drop(reply.send(self.stats(now))),
                Wish::Close { reason } => {
                    self.farewell.get_or_insert(reason);
                    self.end(Closed::ByServer);
                }
            }
        }
    }

    fn keep_time(&mut self, now: Instant, outcome: &mut Outcome) {
        match self.liveness.verdict(now) {
            Verdict::Alive => {}
            Verdict::Probe => {
                let probe = |path: Path| Datagram {
                    local: path.local,
                    remote: path.remote,
                    bytes: BytesMut::from(&stun::indication([0; 12])[..]),
                };
                // Along the selected pair only: the other addresses may be forged, as may the errors.
                outcome.datagrams.extend(self.selected.map(probe));
            }
            Verdict::Ended(reason) => self.end(reason),
        }
        self.stack.handle_timeout(now);
    }

    fn handle_events(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(event) = self.stack.poll_event() {
            moved = true;
            match event {
                Event::Selected { local, remote } => self.select(now, local, remote),
                Event::Secured => self.climb(now, Step::HandshakeDtls),
                Event::Associated => self.climb(now, Step::AssociateSctp),
                Event::ChannelClosed(stream) => self.channels.closed(stream, now),
                Event::Closed => self.end(Closed::ByPeer),
            }
        }
        moved
    }

    fn count_retransmissions(&mut self) {
        let retransmissions = self.stack.retransmissions();
        self.metrics.retransmitted(retransmissions - self.retransmissions);
        self.retransmissions = retransmissions;
    }
}
