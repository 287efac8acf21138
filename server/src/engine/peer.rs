//! One session: drives the protocol core with datagrams, with time, and with what the handlers want.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use hola_webrtc_protocol::{Candidate, CandidateType, Phase, SessionId, Side, Step, TraceData};
use rtc::{
    peer_connection::{
        RTCPeerConnection,
        event::{RTCDataChannelEvent, RTCPeerConnectionEvent},
        transport::{RTCDtlsTransportState, RTCIceCandidate, RTCIceCandidateType, RTCSctpTransportState},
    },
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
    statistics::StatsSelector,
};
use tracing::{debug, info};

use super::{
    Datagram, Doorbell,
    channels::Channels,
    liveness::{Liveness, Verdict},
    registry::{Place, Resident},
    routes::Path,
    stun::{self, Stun},
};
use crate::{
    answer::{self, IceCredentials},
    limits::Limits,
    metrics::{Dropped, Limit, Metrics, SessionState},
    offer::AnswerError,
    session::{Closed, Link, Session, SessionStats, Wish},
};

/// How many pairs of addresses a session may use. A browser has a few interfaces; a NAT that rebinds adds
/// some over time.
const MAX_PATHS: usize = 32;

/// How many checks are remembered until their replies come.
const MAX_ASKED: usize = 16;

pub(crate) struct Peer {
    pub(super) resident: Arc<Resident>,
    pub(super) doorbell: Arc<Doorbell>,
    pub(super) link: Arc<Link>,
    _place: Place,
    metrics: Arc<Metrics>,
    /// When the offer was answered.
    born: Instant,
    ways: Vec<Way>,
    connection: RTCPeerConnection,
    /// The addresses that the answer names.
    candidates: Arc<[SocketAddr]>,
    /// The handler's end, until the peer is connected.
    session: Option<Session>,
    channels: Channels,
    /// A request that nominates its pair and came before the pair was valid.
    nomination: Option<Datagram>,
    /// Whether ICE has selected a pair, since its last restart if there was one.
    is_selected: bool,
    /// The way along the pair that ICE has selected last.
    selected: Option<Path>,
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
    traffic: Traffic,
}

/// Datagrams and their bytes.
#[derive(Default)]
struct Traffic {
    packets_sent: u64,
    bytes_sent: u64,
    packets_received: u64,
    bytes_received: u64,
}

/// A path, and what the peer is trusted with on it.
struct Way {
    path: Path,
    /// The worker at whose socket its datagrams arrive.
    worker: usize,
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
    pub(super) connection: RTCPeerConnection,
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
            connection,
            candidates,
            doorbell,
            link,
            session,
            channels,
            limits,
            metrics,
        } = parts;
        Self {
            resident,
            doorbell,
            link,
            _place: place,
            metrics,
            born: now,
            ways: Vec::new(),
            connection,
            candidates,
            session: Some(session),
            channels,
            nomination: None,
            is_selected: false,
            selected: None,
            reached: None,
            reached_at: now,
            liveness: Liveness::new(now, limits),
            asked: VecDeque::new(),
            home: None,
            ended: None,
            farewell: None,
            held: 0,
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
        self.ways.iter().filter(|way| way.is_proven).map(|way| way.path)
    }

    /// Takes in a datagram that came to the socket of a worker. Its effects show when the peer is driven. Returns
    /// whether it was a sign of life.
    pub(super) fn receive(&mut self, now: Instant, worker: usize, datagram: Datagram) -> bool {
        let path = datagram.path();
        let Some(is_proven) = self.credit(path, worker, datagram.bytes.len()) else {
            self.metrics.dropped(Dropped::NoPath);
            return false;
        };
        self.traffic.packets_received += 1;
        self.traffic.bytes_received += datagram.bytes.len() as u64;
        let (mut nominates, mut validates, mut is_sign) = (false, false, false);
        if let Some(stun) = Stun::parse(&datagram.bytes) {
            is_sign = is_proven && self.is_sign_of_life(stun);
            if is_sign {
                self.liveness.heard(now);
            }
            nominates = !self.is_selected && stun.is_request() && stun.uses_candidate();
            validates = !self.is_selected && stun.is_success();
        } else {
            self.channels.count_unread(datagram.bytes.len());
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
        is_sign
    }

    /// Whether only somebody who sees the session's datagrams could have sent it: a request names the fragment of
    /// the answer, or it would not have come here, and a reply repeats what is drawn at random for each request.
    fn is_sign_of_life(&self, stun: Stun<'_>) -> bool {
        stun.is_request() || (stun.is_success() && self.asked.contains(&stun.transaction()))
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

    /// Tells the handlers, and only them, that the session has ended.
    pub(super) fn abandon(&mut self, now: Instant, reason: Closed) {
        if self.link.has_ended() {
            return;
        }
        self.channels.close_all();
        let journal = &self.link.journal;
        let step = self.next_layer().unwrap_or(Step::OpenChannel);
        if self.reached != Some(Step::OpenChannel) {
            let failed = TraceData::Failed { phase: Phase::of(step), message: reason.to_string() };
            journal.note(now, step, failed);
        }
        self.metrics.session_moved(Some(self.state()), None);
        self.metrics.session_ended(reason);
        if let Some(limit) = Limit::that_ends(reason) {
            self.metrics.limit_reached(limit);
        }
        let by = if reason == Closed::ByPeer { Side::Client } else { Side::Server };
        let reason_in_words = self.farewell.take().unwrap_or_else(|| reason.as_str().to_owned());
        journal.end(now, step, TraceData::Closed { by, reason: Some(reason_in_words) });
        self.link.end(reason);
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
        let ours = answer::restart_ice(&mut self.connection, now, ufrag, password)?;
        self.is_selected = false;
        self.nomination = None;
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
        self.connection.poll_timeout().map_or(ours, |protocols| protocols.min(ours))
    }

    /// Moves everything that can move: timers, events, messages in and out, datagrams out.
    pub(super) fn drive(&mut self, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        let before = self.selected;
        self.keep_time(now, &mut outcome);
        self.grant_wishes(now);
        loop {
            // What is there to write goes out before the next layer starts: a ClientHello that overtakes the
            // reply to the nomination finds no pair selected at its peer, is dropped, and costs a second.
            let moved = self.handle_events(now) | self.write(&mut outcome) | self.climb(now);
            let talked = self.channels.deliver(&mut self.connection, now)
                | self.channels.send(&mut self.connection, now);
            if talked {
                self.liveness.talked(now);
            }
            if !(moved || talked) || self.ended.is_some() {
                break;
            }
        }
        if self.reached == Some(Step::OpenChannel) && self.channels.is_empty() {
            self.liveness.no_channel_is_open(now);
            if self.link.is_draining() {
                self.end(Closed::NoChannel);
            }
        }
        self.ways.retain(|way| way.is_proven);
        if self.link.is_left() {
            self.end(Closed::ByServer);
        }
        if let Some(reason) = self.ended {
            self.close(now, reason, &mut outcome);
        }
        if matches!(self.reached, Some(Step::AssociateSctp | Step::OpenChannel)) {
            outcome.opened = self.session.take();
        }
        outcome.selected = self.selected.filter(|path| before != Some(*path));
        // Once the handler has the session, its tasks are bound to this worker's thread.
        outcome.home = self.home.take().filter(|_| self.session.is_some());
        outcome
    }

    fn grant_wishes(&mut self, now: Instant) {
        for wish in self.link.take_wishes() {
            match wish {
                Wish::Open { label, options, reply } => {
                    self.channels.create(&mut self.connection, &label, options, reply, now);
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

    fn stats(&mut self, now: Instant) -> SessionStats {
        let report = self.connection.get_stats(now, StatsSelector::None);
        let mut pairs = report.candidate_pairs();
        let measured = pairs.find(|pair| pair.nominated && pair.responses_received > 0);
        let mut stats = SessionStats::default();
        stats.round_trip_time =
            measured.and_then(|pair| Duration::try_from_secs_f64(pair.current_round_trip_time).ok());
        stats.packets_sent = self.traffic.packets_sent;
        stats.bytes_sent = self.traffic.bytes_sent;
        stats.packets_received = self.traffic.packets_received;
        stats.bytes_received = self.traffic.bytes_received;
        stats.messages_sent = self.channels.sent;
        stats.messages_received = self.channels.received;
        stats.channels = self.channels.len();
        stats.buffered = self.channels.held();
        stats
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
                    if !self.channels.opened(&mut self.connection, id, now) {
                        self.end(Closed::TooManyChannels);
                    }
                    self.note_channel(now);
                }
                RTCDataChannelEvent::OnClose(id) => {
                    self.channels.closed(id, now);
                }
                _ => {}
            }
        }
        moved
    }

    /// Step 8: ICE, DTLS and SCTP come up on top of each other. Returns whether one did.
    fn climb(&mut self, now: Instant) -> bool {
        self.select(now);
        let Some(sctp) = self.connection.sctp() else { return false };
        let dtls = sctp.transport();
        if dtls.state() == RTCDtlsTransportState::Closed {
            self.end(Closed::ByPeer);
            return false;
        }
        let Some(layer) = self.next_layer() else { return false };
        let (is_up, message) = match layer {
            Step::CheckConnectivity => (self.is_selected, "ICE has found a candidate pair"),
            Step::HandshakeDtls => {
                (dtls.state() == RTCDtlsTransportState::Connected, "the DTLS handshake is done")
            }
            _ => (sctp.state() == RTCSctpTransportState::Connected, "the SCTP association is up"),
        };
        if !is_up {
            return false;
        }
        let took = now.saturating_duration_since(self.reached_at).as_secs_f64() * 1e3;
        info!(step = %layer, "{message}");
        self.link.journal.note(now, layer, TraceData::Done { took });
        self.reach(now, layer);
        if layer == Step::CheckConnectivity {
            // The protocol core queues its ClientHello here and would send it with its next timer.
            self.timeout(now);
        }
        true
    }

    /// A channel may have opened.
    fn note_channel(&mut self, now: Instant) {
        if self.channels.len() == 0 {
            return;
        }
        if self.reached != Some(Step::OpenChannel) {
            self.reach(now, Step::OpenChannel);
        }
        self.liveness.channel_opened(now);
    }

    fn reach(&mut self, now: Instant, layer: Step) {
        let before = self.state();
        (self.reached, self.reached_at) = (Some(layer), now);
        self.metrics.step(layer, now.saturating_duration_since(self.born));
        if before != self.state() {
            self.metrics.session_moved(Some(before), Some(self.state()));
        }
    }

    fn state(&self) -> SessionState {
        match self.reached {
            None => SessionState::Checking,
            Some(Step::OpenChannel) => SessionState::Open,
            Some(_) => SessionState::Connecting,
        }
    }

    /// Looks whether ICE has selected a pair. The session's datagrams come along it from now on.
    fn select(&mut self, now: Instant) {
        if self.is_selected {
            return;
        }
        let Some(sctp) = self.connection.sctp() else { return };
        let Some(pair) = sctp.transport().ice_transport().get_selected_candidate_pair() else { return };
        let (local, remote) = (candidate(pair.local()), candidate(pair.remote()));
        self.is_selected = true;
        self.nomination = None;
        let addresses = (socket_addr(&local), socket_addr(&remote));
        if let (Some(ours), Some(theirs)) = addresses {
            self.link.set_remote(theirs);
            let leads_there = |way: &&Way| {
                way.path.remote == theirs && candidate_of(&self.candidates, way.path) == Some(ours)
            };
            let way = self.ways.iter().find(leads_there);
            self.home = way.map(|way| way.worker);
            self.selected = way.map(|way| way.path).or(self.selected);
        }
        let pair = TraceData::CandidatePair { local, remote };
        self.link.journal.note(now, Step::CheckConnectivity, pair);
    }

    /// The layer of step 8 that comes up next.
    fn next_layer(&self) -> Option<Step> {
        match self.reached {
            None => Some(Step::CheckConnectivity),
            Some(Step::CheckConnectivity) => Some(Step::HandshakeDtls),
            Some(Step::HandshakeDtls) => Some(Step::AssociateSctp),
            Some(_) => None,
        }
    }

    /// Collects the datagrams to send. Returns whether there were any.
    fn write(&mut self, outcome: &mut Outcome) -> bool {
        let mut moved = false;
        while let Some(TaggedBytesMut { transport, message, .. }) = self.connection.poll_write() {
            moved = true;
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
            if !self.is_selected {
                let Some(credit) = way.credit.checked_sub(message.len()) else {
                    self.metrics.dropped(Dropped::Untrusted);
                    continue;
                };
                way.credit = credit;
            }
            if let Some(request) = Stun::parse(&message).filter(|stun| stun.is_request()) {
                self.asked.truncate(MAX_ASKED - 1);
                self.asked.push_front(request.transaction());
            }
            let Path { local, remote } = way.path;
            self.traffic.packets_sent += 1;
            self.traffic.bytes_sent += message.len() as u64;
            outcome.datagrams.push(Datagram { local, remote, bytes: message });
        }
        moved
    }

    /// Tells the peer and the handlers.
    fn close(&mut self, now: Instant, reason: Closed, outcome: &mut Outcome) {
        if let Err(error) = self.connection.close() {
            debug!("the connection does not close cleanly: {error}");
        }
        self.write(outcome);
        self.abandon(now, reason);
    }

    fn feed(&mut self, now: Instant, datagram: Datagram) {
        let Some(candidate) = candidate_of(&self.candidates, datagram.path()) else {
            return self.metrics.dropped(Dropped::NoPath);
        };
        let transport = TransportContext {
            local_addr: candidate,
            peer_addr: datagram.remote,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = TaggedBytesMut { now, transport, message: datagram.bytes };
        if let Err(error) = self.connection.handle_read(message) {
            debug!("a datagram is refused: {error}");
            self.metrics.dropped(Dropped::Refused);
        }
    }

    /// Notes that something came along a path. `None` if the session has no room for another path, else
    /// whether the path has proved to be the peer's.
    fn credit(&mut self, path: Path, worker: usize, bytes: usize) -> Option<bool> {
        if let Some(way) = self.ways.iter_mut().find(|way| way.path == path) {
            way.credit = way.credit.saturating_add(3 * bytes);
            way.worker = worker;
            return Some(way.is_proven);
        }
        (self.ways.len() < MAX_PATHS).then(|| {
            self.ways.push(Way { path, worker, is_proven: false, credit: 3 * bytes });
            false
        })
    }

    fn timeout(&mut self, now: Instant) {
        if let Err(error) = self.connection.handle_timeout(now) {
            debug!("a timer fails: {error}");
        }
    }
}

fn candidate(of: &RTCIceCandidate) -> Candidate {
    Candidate {
        foundation: of.foundation.clone(),
        component: of.component,
        transport: of.protocol.to_string().to_ascii_lowercase(),
        priority: of.priority,
        address: of.address.clone(),
        port: of.port,
        kind: match of.typ {
            RTCIceCandidateType::Srflx => CandidateType::Srflx,
            RTCIceCandidateType::Prflx => CandidateType::Prflx,
            RTCIceCandidateType::Relay => CandidateType::Relay,
            _ => CandidateType::Host,
        },
    }
}

fn socket_addr(candidate: &Candidate) -> Option<SocketAddr> {
    Some(SocketAddr::new(candidate.address.parse().ok()?, candidate.port))
}

/// The candidate of ours that a path leads to. Behind a NAT or in a container the address a datagram arrives
/// at is not the announced one: then it is the first of the same family.
fn candidate_of(candidates: &[SocketAddr], path: Path) -> Option<SocketAddr> {
    let is_exact = |candidate: &&SocketAddr| candidate.ip() == path.local;
    let is_of_family = |candidate: &&SocketAddr| candidate.is_ipv4() == path.local.is_ipv4();
    let mut candidates = candidates.iter();
    candidates.clone().find(is_exact).or_else(|| candidates.find(is_of_family)).copied()
}
