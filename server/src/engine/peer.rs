//! One session: drives the protocol core with datagrams, with time, and with what the handlers want.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use bytes::BytesMut;
use hola_webrtc_protocol::{SessionId, Step};
use rtc::{
    peer_connection::{
        RTCPeerConnection,
        event::{RTCDataChannelEvent, RTCPeerConnectionEvent},
        transport::{RTCDtlsTransportState, RTCSctpTransportState},
    },
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};
use tracing::{debug, info};

use super::{
    Datagram, Doorbell,
    channels::Channels,
    liveness::{Liveness, Verdict},
    routes::Path,
    stun::{self, Stun},
};
use crate::{
    limits::Limits,
    session::{Closed, Link, Session},
};

/// How many pairs of addresses a session may use. A browser has a few interfaces; a NAT that rebinds adds
/// some over time.
const MAX_PATHS: usize = 32;

pub(super) struct Peer {
    pub(super) id: SessionId,
    pub(super) ufrag: String,
    pub(super) doorbell: Arc<Doorbell>,
    ways: Vec<Way>,
    connection: RTCPeerConnection,
    /// The addresses that the answer names.
    candidates: Arc<[SocketAddr]>,
    link: Arc<Link>,
    /// The handler's end, until the first channel opens.
    session: Option<Session>,
    channels: Channels,
    /// A request that nominates its pair and came before the pair was valid.
    nomination: Option<Datagram>,
    /// The layer of step 8 that came up last.
    reached: Option<Step>,
    liveness: Liveness,
    ended: Option<Closed>,
}

/// A path, and what the peer is trusted with on it.
struct Way {
    path: Path,
    /// Whether the protocol core has replied on it, which it does only to the session's password.
    is_proven: bool,
    /// How many bytes may go there before ICE has selected it: three times what came, as in QUIC (RFC 9000,
    /// 8.1), because the source of a check may be forged.
    credit: usize,
}

/// What driving a peer brought about.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) datagrams: Vec<Datagram>,
    pub(super) proven: Vec<Path>,
    pub(super) opened: Option<Session>,
}

/// What a peer is made of.
pub(super) struct Parts {
    pub(super) id: SessionId,
    pub(super) ufrag: String,
    pub(super) connection: RTCPeerConnection,
    pub(super) candidates: Arc<[SocketAddr]>,
    pub(super) doorbell: Arc<Doorbell>,
    pub(super) link: Arc<Link>,
    pub(super) session: Session,
    pub(super) channels: Channels,
}

impl Peer {
    pub(super) fn new(now: Instant, limits: Limits, parts: Parts) -> Self {
        let Parts { id, ufrag, connection, candidates, doorbell, link, session, channels } = parts;
        Self {
            id,
            ufrag,
            doorbell,
            ways: Vec::new(),
            connection,
            candidates,
            link,
            session: Some(session),
            channels,
            nomination: None,
            reached: None,
            liveness: Liveness::new(now, limits),
            ended: None,
        }
    }

    /// The paths that have proved to be the peer's.
    pub(super) fn paths(&self) -> impl Iterator<Item = Path> {
        self.ways.iter().filter(|way| way.is_proven).map(|way| way.path)
    }

    /// Whether the peer has shown lately that it is there.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.liveness.is_fresh(now)
    }

    /// Takes in a datagram. Its effects show when the peer is driven.
    pub(super) fn receive(&mut self, now: Instant, datagram: Datagram) {
        let path = datagram.path();
        let Some(is_proven) = self.credit(path, datagram.bytes.len()) else { return };
        let (mut nominates, mut validates) = (false, false);
        if let Some(stun) = Stun::parse(&datagram.bytes) {
            if is_proven {
                self.liveness.heard(now);
            }
            let is_connecting = self.reached.is_none();
            nominates = is_connecting && stun.is_request() && stun.uses_candidate();
            validates = is_connecting && stun.is_success();
        }
        if nominates {
            let Datagram { local, remote, ref bytes } = datagram;
            self.nomination = Some(Datagram { local, remote, bytes: bytes.clone() });
        }
        self.feed(now, datagram);

        // As controlled agent the protocol core neither answers nor remembers a nomination that comes before
        // its own check of the pair has succeeded (RFC 8445, 7.3.1.5 wants it remembered). It is fed again
        // once that check has: otherwise Chromium's next one is 50 ms away.
        if validates && let Some(nomination) = self.nomination.take_if(|nomination| nomination.path() == path)
        {
            self.feed(now, nomination);
        }
    }

    /// The peer's host says that nobody listens at the peer's address.
    pub(super) fn unreachable(&mut self, now: Instant) {
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

    /// Tells the handlers, and only them, that the session has ended.
    pub(super) fn abandon(&mut self, reason: Closed) {
        self.channels.close_all();
        self.link.end(reason);
    }

    /// When the peer needs to be driven even if nothing happens.
    pub(super) fn deadline(&mut self) -> Instant {
        let ours = self.liveness.deadline();
        self.connection.poll_timeout().map_or(ours, |protocols| protocols.min(ours))
    }

    /// Moves everything that can move: timers, events, messages in and out, datagrams out.
    pub(super) fn drive(&mut self, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        self.keep_time(now, &mut outcome);
        loop {
            // What is there to write goes out before the next layer starts: a ClientHello that overtakes the
            // reply to the nomination finds no pair selected at its peer, is dropped, and costs a second.
            let moved = self.handle_events(now)
                | self.write(&mut outcome)
                | self.climb(now)
                | self.channels.deliver(&mut self.connection)
                | self.channels.send(&mut self.connection, now);
            if !moved || self.ended.is_some() {
                break;
            }
        }
        if self.reached == Some(Step::OpenChannel) && self.channels.is_empty() {
            self.liveness.no_channel_is_open(now);
        }
        self.ways.retain(|way| way.is_proven);
        if self.link.is_left() {
            self.end(Closed::ByServer);
        }
        if let Some(reason) = self.ended {
            self.close(reason, &mut outcome);
        }
        if self.reached == Some(Step::OpenChannel) {
            outcome.opened = self.session.take();
        }
        outcome
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
                outcome.datagrams.extend(self.paths().map(probe));
            }
            Verdict::Ended(reason) => self.end(reason),
        }
        if self.connection.poll_timeout().is_some_and(|due| due <= now) {
            self.timeout(now);
        }
    }

    fn handle_events(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(event) = self.connection.poll_event() {
            moved = true;
            let RTCPeerConnectionEvent::OnDataChannel(event) = event else { continue };
            match event {
                RTCDataChannelEvent::OnOpen(id) => {
                    while self.climb(now) {}
                    if !self.channels.opened(&mut self.connection, id) {
                        self.end(Closed::TooManyChannels);
                    }
                    self.reached = Some(Step::OpenChannel);
                    self.liveness.channel_opened();
                }
                RTCDataChannelEvent::OnClose(id) => {
                    self.channels.closed(id);
                }
                _ => {}
            }
        }
        moved
    }

    /// Step 8: ICE, DTLS and SCTP come up on top of each other. Returns whether one did.
    fn climb(&mut self, now: Instant) -> bool {
        let Some(sctp) = self.connection.sctp() else { return false };
        let dtls = sctp.transport();
        if dtls.state() == RTCDtlsTransportState::Closed {
            self.end(Closed::ByPeer);
            return false;
        }
        let (layer, is_up) = match self.reached {
            None => (Step::CheckConnectivity, dtls.ice_transport().get_selected_candidate_pair().is_some()),
            Some(Step::CheckConnectivity) => {
                (Step::HandshakeDtls, dtls.state() == RTCDtlsTransportState::Connected)
            }
            Some(Step::HandshakeDtls) => {
                (Step::AssociateSctp, sctp.state() == RTCSctpTransportState::Connected)
            }
            Some(_) => return false,
        };
        if !is_up {
            return false;
        }
        self.reached = Some(layer);
        match layer {
            Step::CheckConnectivity => {
                info!(session = %self.id, step = %layer, "ICE has found a candidate pair");
                self.nomination = None;
                // The protocol core queues its ClientHello here and would send it with its next timer.
                self.timeout(now);
            }
            Step::HandshakeDtls => info!(session = %self.id, step = %layer, "the DTLS handshake is done"),
            _ => info!(session = %self.id, step = %layer, "the SCTP association is up"),
        }
        true
    }

    /// Collects the datagrams to send. Returns whether there were any.
    fn write(&mut self, outcome: &mut Outcome) -> bool {
        let mut moved = false;
        while let Some(TaggedBytesMut { transport, message, .. }) = self.connection.poll_write() {
            moved = true;
            let is_selected = self.reached.is_some();
            let candidates = &self.candidates;
            let leads_there = |way: &&mut Way| {
                way.path.remote == transport.peer_addr
                    && candidate_of(candidates, way.path) == Some(transport.local_addr)
            };
            // Else it is a check from an address of ours that the peer has not talked to.
            let Some(way) = self.ways.iter_mut().find(leads_there) else { continue };
            if !way.is_proven {
                way.is_proven = true;
                self.liveness.checked();
                outcome.proven.push(way.path);
            }
            if !is_selected {
                let Some(credit) = way.credit.checked_sub(message.len()) else { continue };
                way.credit = credit;
            }
            let Path { local, remote } = way.path;
            outcome.datagrams.push(Datagram { local, remote, bytes: message });
        }
        moved
    }

    /// Tells the peer and the handlers.
    fn close(&mut self, reason: Closed, outcome: &mut Outcome) {
        if let Err(error) = self.connection.close() {
            debug!(session = %self.id, "the connection does not close cleanly: {error}");
        }
        self.write(outcome);
        self.abandon(reason);
    }

    fn feed(&mut self, now: Instant, datagram: Datagram) {
        let Some(candidate) = candidate_of(&self.candidates, datagram.path()) else { return };
        let transport = TransportContext {
            local_addr: candidate,
            peer_addr: datagram.remote,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = TaggedBytesMut { now, transport, message: datagram.bytes };
        if let Err(error) = self.connection.handle_read(message) {
            debug!(session = %self.id, "a datagram is refused: {error}");
        }
    }

    /// Notes that something came along a path. `None` if the session has no room for another path, else
    /// whether the path has proved to be the peer's.
    fn credit(&mut self, path: Path, bytes: usize) -> Option<bool> {
        if let Some(way) = self.ways.iter_mut().find(|way| way.path == path) {
            way.credit = way.credit.saturating_add(3 * bytes);
            return Some(way.is_proven);
        }
        (self.ways.len() < MAX_PATHS).then(|| {
            self.ways.push(Way { path, is_proven: false, credit: 3 * bytes });
            false
        })
    }

    fn timeout(&mut self, now: Instant) {
        if let Err(error) = self.connection.handle_timeout(now) {
            debug!(session = %self.id, "a timer fails: {error}");
        }
    }
}

/// The candidate of ours that a path leads to. Behind a NAT or in a container the address a datagram arrives
/// at is not the announced one: then it is the first of the same family.
fn candidate_of(candidates: &[SocketAddr], path: Path) -> Option<SocketAddr> {
    let is_exact = |candidate: &&SocketAddr| candidate.ip() == path.local;
    let is_of_family = |candidate: &&SocketAddr| candidate.is_ipv4() == path.local.is_ipv4();
    let mut candidates = candidates.iter();
    candidates.clone().find(is_exact).or_else(|| candidates.find(is_of_family)).copied()
}
