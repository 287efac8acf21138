//! One connection without sockets and clocks: takes datagrams, messages and the time, gives datagrams and
//! messages.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc::{
    data_channel::{RTCDataChannelId, RTCDataChannelState},
    peer_connection::{
        RTCPeerConnection,
        event::{RTCDataChannelEvent, RTCPeerConnectionEvent},
        message::RTCMessage,
        state::RTCPeerConnectionState,
        transport::RTCDtlsTransportState,
    },
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};
use tracing::debug;

use crate::{
    ChannelOptions, Closed, Message, SendError, Stats,
    leaving::Leaving,
    line::{Line, LineState},
};

/// How many bytes a channel may have sent without their being acknowledged; then senders wait.
const SEND_LIMIT: usize = 1024 * 1024;

/// How many bytes may have arrived without being taken; then the rest stays in SCTP, whose window shrinks.
const UNREAD_LIMIT: usize = 1024 * 1024;

/// A timer that is already due again is served this much later.
const TIMER_STEP: Duration = Duration::from_millis(1);

pub(crate) struct Core {
    pub(crate) peer: RTCPeerConnection,
    local: SocketAddr,
    pub(crate) lines: BTreeMap<RTCDataChannelId, Line>,
    /// The channels that the server has opened and nobody has accepted yet.
    pub(crate) offered: VecDeque<RTCDataChannelId>,
    /// Closed by the server, but what it sent before is not delivered yet.
    closing: Vec<RTCDataChannelId>,
    leaving: Leaving,
    unread: usize,
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) ended: Option<Closed>,
    pub(crate) stats: Stats,
}

/// Datagrams to one address.
pub(crate) struct Outgoing {
    pub(crate) to: SocketAddr,
    pub(crate) datagrams: Vec<BytesMut>,
}

impl Core {
    pub(crate) fn new(peer: RTCPeerConnection, local: SocketAddr) -> Self {
        Self {
            peer,
            local,
            lines: BTreeMap::new(),
            offered: VecDeque::new(),
            closing: Vec::new(),
            leaving: Leaving::default(),
            unread: 0,
            outgoing: Vec::new(),
            ended: None,
            stats: Stats::default(),
        }
    }

    /// Creates a channel; it opens when the association is up.
    pub(crate) fn create(&mut self, options: &ChannelOptions) -> Result<RTCDataChannelId, SendError> {
        if self.ended.is_some() {
            return Err(SendError::Closed);
        }
        let channel = self.peer.create_data_channel(&options.label, Some(options.init()));
        let channel = channel.map_err(|error| SendError::Refused(error.to_string()))?;
        // A negotiated channel is open at once, and no event says so.
        let is_open = channel.ready_state() == RTCDataChannelState::Open;
        let (id, state) = (channel.id(), if is_open { LineState::Open } else { LineState::Connecting });
        self.lines.insert(id, Line::new(options.clone(), state));
        Ok(id)
    }

    /// Takes in a datagram. Its effects show when the connection is driven.
    pub(crate) fn receive(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.stats.datagrams_received += 1;
        self.count_unacknowledged();
        let transport = TransportContext {
            local_addr: self.local,
            peer_addr: from,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = BytesMut::from(datagram);
        if let Err(error) = self.peer.handle_read(TaggedBytesMut { now, transport, message }) {
            debug!("a datagram is refused: {error}");
        }
    }

    /// Hands a message to SCTP. `false` if too much is on its way already.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        id: RTCDataChannelId,
        message: &Message,
    ) -> Result<bool, SendError> {
        let line = self.lines.get_mut(&id).filter(|line| line.state == LineState::Open);
        let (None, Some(line), Some(mut channel)) = (self.ended, line, self.peer.data_channel(id)) else {
            return Err(SendError::Closed);
        };
        if channel.outstanding_bytes() >= SEND_LIMIT {
            line.await_bytes(SEND_LIMIT - 1);
            return Ok(false);
        }
        let sent = match message {
            Message::Text(text) => channel.send_text(now, text.as_str()),
            Message::Binary(bytes) => channel.send(now, BytesMut::from(&bytes[..])),
        };
        sent.map_err(|error| SendError::Refused(error.to_string()))?;
        self.stats.messages_sent += 1;
        self.stats.bytes_sent += message.len() as u64;
        Ok(true)
    }

    /// Whether everything sent on the channel is acknowledged. If not yet, `changed` will tell.
    pub(crate) fn is_flushed(&mut self, id: RTCDataChannelId) -> Result<bool, SendError> {
        self.count_unacknowledged();
        let is_gone = self.ended.is_some() || self.peer.data_channel(id).is_none();
        match self.lines.get_mut(&id).filter(|line| line.unacknowledged > 0) {
            None => Ok(true),
            Some(line) if is_gone || line.state == LineState::Closed => Err(SendError::Closed),
            Some(line) => {
                line.await_bytes(0);
                Ok(false)
            }
        }
    }

    /// The protocol forgets a channel with what is outstanding, once it is closed.
    fn count_unacknowledged(&mut self) {
        for (&id, line) in &mut self.lines {
            if let Some(channel) = self.peer.data_channel(id) {
                line.unacknowledged = channel.outstanding_bytes();
            }
        }
    }

    /// The next message of a channel that has arrived.
    pub(crate) fn take(&mut self, id: RTCDataChannelId) -> Option<Message> {
        let message = self.lines.get_mut(&id)?.received.pop_front()?;
        self.unread -= message.len();
        Some(message)
    }

    /// Closes a channel.
    pub(crate) fn close_line(&mut self, id: RTCDataChannelId) {
        self.leaving.close(&mut self.peer, id);
    }

    /// Ends the connection, and tells the server if `with_farewell`.
    pub(crate) fn end(&mut self, reason: Closed, with_farewell: bool) {
        if self.ended.is_some() {
            return;
        }
        if with_farewell {
            if let Err(error) = self.peer.close() {
                debug!("the connection does not close cleanly: {error}");
            }
            self.write();
        }
        self.ended = Some(reason);
        for line in self.lines.values_mut() {
            line.state = LineState::Closed;
            line.changed.notify_waiters();
        }
    }

    /// When the connection needs to be driven even if nothing happens.
    pub(crate) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        self.peer.poll_timeout().map(|due| due.max(now + TIMER_STEP))
    }

    /// Moves everything that can move. Returns whether the connection has ended or a channel was offered.
    pub(crate) fn drive(&mut self, now: Instant) -> bool {
        if self.ended.is_some() {
            return false;
        }
        let offered = self.offered.len();
        if self.peer.poll_timeout().is_some_and(|due| due <= now)
            && let Err(error) = self.peer.handle_timeout(now)
        {
            debug!("a timer fails: {error}");
        }
        while self.handle_events() | self.read() | self.write() {}
        let has_read_all = self.unread < UNREAD_LIMIT;
        for id in if has_read_all { std::mem::take(&mut self.closing) } else { Vec::new() } {
            if let Some(line) = self.lines.get_mut(&id) {
                line.state = LineState::Closed;
                line.changed.notify_waiters();
            }
        }
        self.count_unacknowledged();
        for (&id, line) in &mut self.lines {
            let Some(awaited) = line.awaited else { continue };
            if line.unacknowledged <= awaited || self.peer.data_channel(id).is_none() {
                line.awaited = None;
                line.changed.notify_waiters();
            }
        }
        let is_closed =
            self.peer.sctp().is_some_and(|sctp| sctp.transport().state() == RTCDtlsTransportState::Closed);
        if is_closed && has_read_all {
            self.end(Closed::Remote, false);
        }
        self.ended.is_some() || self.offered.len() > offered
    }

    fn handle_events(&mut self) -> bool {
        let mut moved = false;
        while let Some(event) = self.peer.poll_event() {
            moved = true;
            match event {
                RTCPeerConnectionEvent::OnDataChannel(RTCDataChannelEvent::OnOpen(id)) => self.opened(id),
                RTCPeerConnectionEvent::OnDataChannel(RTCDataChannelEvent::OnClose(id)) => {
                    let is_channel = self.leaving.closed(&mut self.peer, id);
                    self.closing.extend(is_channel.then_some(id));
                }
                RTCPeerConnectionEvent::OnConnectionStateChangeEvent(RTCPeerConnectionState::Failed) => {
                    self.end(Closed::Lost, true);
                }
                _ => {}
            }
        }
        moved
    }

    fn opened(&mut self, id: RTCDataChannelId) {
        if let Some(line) = self.lines.get_mut(&id) {
            line.state = LineState::Open;
            line.changed.notify_waiters();
        } else if !self.leaving.keeps(id)
            && let Some(channel) = self.peer.data_channel(id)
        {
            let options = ChannelOptions {
                label: channel.label().to_owned(),
                protocol: channel.protocol().to_owned(),
                ordered: channel.ordered(),
                max_retransmits: channel.max_retransmits(),
                max_packet_life_time: channel.max_packet_life_time(),
                negotiated: None,
            };
            self.lines.insert(id, Line::new(options, LineState::Open));
            self.offered.push_back(id);
        }
    }

    fn read(&mut self) -> bool {
        let mut moved = false;
        while self.unread < UNREAD_LIMIT
            && let Some(message) = self.peer.poll_read()
        {
            moved = true;
            let RTCMessage::DataChannelMessage(id, message) = message.message else { continue };
            let Some(line) = self.lines.get_mut(&id) else { continue };
            let message = Message::from(message);
            self.unread += message.len();
            self.stats.messages_received += 1;
            self.stats.bytes_received += message.len() as u64;
            line.received.push_back(message);
            line.changed.notify_waiters();
        }
        moved
    }

    fn write(&mut self) -> bool {
        let mut moved = false;
        while let Some(TaggedBytesMut { transport, message, .. }) = self.peer.poll_write() {
            moved = true;
            self.stats.datagrams_sent += 1;
            let to = transport.peer_addr;
            match self.outgoing.last_mut().filter(|last| last.to == to) {
                Some(last) => last.datagrams.push(message),
                None => self.outgoing.push(Outgoing { to, datagrams: vec![message] }),
            }
        }
        moved
    }
}
