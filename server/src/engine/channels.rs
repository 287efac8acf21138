//! The channels of one session: what the protocol core calls messages and events, and the handlers' pipes.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use bytes::BytesMut;
use hola_webrtc_protocol::{Step, TraceData};
use rtc::{
    data_channel::{RTCDataChannelId, RTCDataChannelInit, RTCDataChannelMessage, RTCDataChannelState},
    peer_connection::{RTCPeerConnection, message::RTCMessage},
    sansio::Protocol,
};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info};

use super::Doorbell;
use crate::{
    channel::{Channel, ChannelParameters, Message, Pipe, Share},
    limits::Limits,
    metrics::{Direction, Limit, Metrics},
    session::{ChannelClosed, ChannelOptions, Link, OpenError},
};

/// What the labels and protocols of all channels that a session ever opens may add up to, in bytes, each with
/// [`NAME_COST`]: the protocol core remembers them until the session ends.
const NAMES_LIMIT: usize = 256 * 1024;
const NAME_COST: usize = 64;

/// How many bytes may come without a message among them. A peer whose messages get lost on an unreliable channel, and
/// are never completed, does not come near; who sends one that does not end does.
const MAX_UNDELIVERED: usize = 64 * 1024 * 1024;

/// How many of them are no reason to count them: SCTP's receive window.
const RECEIVE_WINDOW: usize = 1024 * 1024;

/// What an acknowledgement has at most, but for one that reports many gaps (RFC 9260, 3.3.4), in DTLS.
const ACKNOWLEDGEMENT: usize = 128;

pub(super) struct Channels {
    doorbell: Arc<Doorbell>,
    link: Arc<Link>,
    limits: Limits,
    metrics: Arc<Metrics>,
    open: BTreeMap<RTCDataChannelId, Entry>,
    /// The channels that the handler opens and the peer has not confirmed.
    opening: BTreeMap<RTCDataChannelId, oneshot::Sender<Result<Channel, OpenError>>>,
    /// To the session's `accept_channel`.
    accepted: mpsc::Sender<Channel>,
    /// What the pipes may hold, and do.
    share: Arc<Share>,
    names: usize,
    /// A message that came while its pipe was full; it waits, and SCTP holds those behind it.
    waiting: Option<(RTCDataChannelId, RTCDataChannelMessage)>,
    /// How many bytes came behind it at most, as datagrams.
    unread: usize,
    /// How many bytes came since the last message, but for acknowledgements.
    undelivered: usize,
    /// What SCTP held for the peer at the last look.
    outstanding: usize,
    pub(super) received: u64,
    pub(super) sent: u64,
}

struct Entry {
    pipe: Arc<Pipe>,
    stream: u16,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Closed by this side; the peer has not confirmed it.
    Closing,
    /// Closed, but for what the peer sent before.
    Ended,
}

impl Channels {
    pub(super) fn new(
        doorbell: Arc<Doorbell>,
        accepted: mpsc::Sender<Channel>,
        link: Arc<Link>,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            doorbell,
            link,
            limits,
            metrics,
            open: BTreeMap::new(),
            opening: BTreeMap::new(),
            accepted,
            share: Arc::new(Share::new(limits.session_buffer)),
            names: 0,
            waiting: None,
            unread: 0,
            undelivered: 0,
            outstanding: 0,
            received: 0,
            sent: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.opening.is_empty()
    }

    pub(super) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many bytes of messages the session holds at most.
    pub(super) fn held(&self) -> usize {
        let undelivered = self.undelivered.saturating_sub(RECEIVE_WINDOW);
        self.share.held() + self.unread + self.outstanding + undelivered
    }

    /// A datagram of DTLS came. While a handler does not read, the protocol core may keep its content.
    pub(super) fn count_received(&mut self, bytes: usize) {
        if self.waiting.is_some() {
            self.unread = (self.unread + bytes).min(MAX_UNDELIVERED);
        } else {
            self.undelivered += bytes;
        }
    }

    /// A datagram of DTLS left, for which the peer may send an acknowledgement.
    pub(super) fn count_sent(&mut self) {
        self.undelivered = self.undelivered.saturating_sub(ACKNOWLEDGEMENT);
    }

    /// Whether the peer sends a message that does not end. The protocol core takes what continues a message even where
    /// its receive window is closed, or the window would never open again; so such a message has no bound there.
    pub(super) fn is_endless(&self) -> bool {
        self.waiting.is_none() && self.undelivered > MAX_UNDELIVERED
    }

    /// Opens a channel to the peer. The handler gets it once it is open.
    pub(super) fn create(
        &mut self,
        connection: &mut RTCPeerConnection,
        label: &str,
        options: ChannelOptions,
        reply: oneshot::Sender<Result<Channel, OpenError>>,
        now: Instant,
    ) {
        let ChannelOptions { ordered, max_retransmits, max_packet_life_time, protocol, negotiated } = options;
        let names = self.names + label.len() + protocol.len() + NAME_COST;
        let refusal = if self.open.len() + self.opening.len() >= self.limits.max_channels {
            Some(OpenError::TooManyChannels)
        } else if label.len() > usize::from(u16::MAX) || names > NAMES_LIMIT {
            Some(OpenError::Invalid(
                "the labels and protocols of the session's channels are too long".to_owned(),
            ))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let _ = reply.send(Err(refusal));
            return;
        }
        let options =
            RTCDataChannelInit { ordered, max_packet_life_time, max_retransmits, protocol, negotiated };
        let (id, state) = match connection.create_data_channel(label, Some(options)) {
            Ok(channel) => (channel.id(), channel.ready_state()),
            // Whoever asked may be gone.
            Err(error) => return drop(reply.send(Err(OpenError::Invalid(error.to_string())))),
        };
        self.names = names;
        self.opening.insert(id, reply);
        // A negotiated channel is open from the start, and the protocol core says so here alone.
        if state == RTCDataChannelState::Open {
            self.opened(connection, id, now);
        }
    }

    /// A channel has opened: hands it to the session's handler. `false` if the session has opened too much.
    pub(super) fn opened(
        &mut self,
        connection: &mut RTCPeerConnection,
        id: RTCDataChannelId,
        now: Instant,
    ) -> bool {
        let peers_maximum = connection.sctp().and_then(|sctp| sctp.max_message_size());
        let Some(mut channel) = connection.data_channel(id) else { return true };
        let wanted = self.opening.remove(&id);
        if wanted.is_none() {
            self.names += channel.label().len() + channel.protocol().len() + NAME_COST;
            if self.names > NAMES_LIMIT {
                return false;
            }
        }
        let parameters = ChannelParameters {
            label: channel.label().to_owned(),
            protocol: channel.protocol().to_owned(),
            id: channel.stream_id().unwrap_or_default(),
            negotiated: channel.negotiated(),
            ordered: channel.ordered(),
            max_retransmits: channel.max_retransmits(),
            max_packet_life_time: channel.max_packet_life_time(),
        };
        let (label, stream) = (shorten(&parameters.label), parameters.id);
        let has_room = self.open.len() < self.limits.max_channels;
        let taker: Result<Box<dyn FnOnce(Channel)>, ()> = match wanted {
            Some(reply) => Ok(Box::new(move |channel| drop(reply.send(Ok(channel))))),
            None => match self.accepted.clone().try_reserve_owned() {
                Ok(place) if has_room => Ok(Box::new(move |channel| drop(place.send(channel)))),
                _ => Err(()),
            },
        };
        let Ok(hand_over) = taker else {
            // Too many, or the session's handler is gone.
            self.metrics.limit_reached(Limit::MaxChannels);
            info!("channel {label:?} is closed: nobody accepts it");
            note_closed(&self.link, now, stream, ChannelClosed::NotAccepted);
            let _ = channel.close();
            return true;
        };
        info!(step = %Step::OpenChannel, "channel {label:?} is open (stream {stream})");
        let maximum = peers_maximum.unwrap_or(self.limits.max_message_size);
        let data = TraceData::Channel { label, id: stream, max_message_size: maximum };
        self.link.journal.note(now, Step::OpenChannel, data);
        let pipe = Arc::new(Pipe::new(self.doorbell.clone(), self.share.clone(), maximum as usize));
        self.open.insert(id, Entry { pipe: pipe.clone(), stream, state: State::Open });
        self.share.among(self.open.len());
        hand_over(Channel::new(pipe, parameters));
        true
    }

    /// A channel is closed. It stays until what the peer sent before is delivered.
    pub(super) fn closed(&mut self, id: RTCDataChannelId, now: Instant) {
        self.opening.remove(&id);
        if let Some(entry) = self.open.get_mut(&id) {
            let reason = match entry.state {
                State::Open => ChannelClosed::ByPeer,
                State::Closing | State::Ended => ChannelClosed::ByServer,
            };
            debug!("stream {} is closed", entry.stream);
            note_closed(&self.link, now, entry.stream, reason);
            entry.state = State::Ended;
            entry.pipe.close_sink();
        }
    }

    pub(super) fn close_all(&mut self) {
        self.opening.clear();
        for entry in std::mem::take(&mut self.open).into_values() {
            entry.pipe.close();
        }
    }

    /// Hands received messages to their handlers, until one has no room: then the rest stays in SCTP, whose
    /// window is the session's, not the channel's. Returns whether anything moved.
    pub(super) fn deliver(&mut self, connection: &mut RTCPeerConnection, now: Instant) -> bool {
        let mut moved = false;
        while let Some((id, message)) = self.waiting.take().or_else(|| next_message(connection)) {
            let Some(entry) = self.open.get_mut(&id) else { continue };
            if !entry.pipe.has_room() {
                self.metrics.limit_reached(Limit::SessionBuffer);
                self.waiting = Some((id, message));
                return moved;
            }
            moved = true;
            self.received += 1;
            self.metrics.message(Direction::In, message.data.len());
            self.undelivered = 0;
            if let Some(message) = decode(message) {
                entry.pipe.deliver(message);
            } else {
                info!("stream {} is closed: it sent text that is not UTF-8", entry.stream);
                note_closed(&self.link, now, entry.stream, ChannelClosed::NotUtf8);
                entry.close(connection, id);
            }
        }
        self.unread = 0;
        // Everything is delivered: the channels that had ended are gone now.
        let before = self.open.len();
        self.open.retain(|_, entry| {
            let has_ended = entry.state == State::Ended;
            if has_ended {
                entry.pipe.close();
            }
            !has_ended
        });
        if self.open.len() != before {
            self.share.among(self.open.len());
        }
        moved
    }

    /// Hands the handlers' messages to SCTP, as many as may be unacknowledged, and closes the channels whose
    /// handlers are done. Returns whether anything moved.
    pub(super) fn send(&mut self, connection: &mut RTCPeerConnection, now: Instant) -> bool {
        let mut moved = false;
        self.outstanding = 0;
        let share = self.share.per_channel();
        for (&id, entry) in &mut self.open {
            let Some(mut channel) = connection.data_channel(id) else { continue };
            while channel.outstanding_bytes() < share {
                let Some(message) = entry.pipe.take() else { break };
                moved = true;
                self.sent += 1;
                self.metrics.message(Direction::Out, message.len());
                let sent = match message {
                    Message::Text(text) => channel.send_text(now, text),
                    Message::Binary(bytes) => channel.send(now, BytesMut::from(bytes)),
                };
                if let Err(error) = sent {
                    debug!("stream {} cannot send: {error}", entry.stream);
                }
            }
            let outstanding = channel.outstanding_bytes();
            self.outstanding += outstanding;
            // A stream reset drops what is not yet acknowledged, so it waits.
            if entry.state == State::Open && outstanding == 0 && entry.pipe.is_finished() {
                entry.close(connection, id);
                moved = true;
            }
        }
        moved
    }
}

impl Entry {
    fn close(&mut self, connection: &mut RTCPeerConnection, id: RTCDataChannelId) {
        self.state = State::Closing;
        self.pipe.close();
        if let Some(mut channel) = connection.data_channel(id) {
            let _ = channel.close();
        }
    }
}

fn note_closed(link: &Link, now: Instant, stream: u16, reason: ChannelClosed) {
    let data = TraceData::ChannelClosed { id: stream, reason: reason.as_str().to_owned() };
    link.journal.note(now, Step::OpenChannel, data);
}

/// As much of a label as the log needs.
fn shorten(label: &str) -> String {
    label.chars().take(64).collect()
}

fn next_message(connection: &mut RTCPeerConnection) -> Option<(RTCDataChannelId, RTCDataChannelMessage)> {
    loop {
        // Media, which nobody negotiates here, is passed over.
        if let RTCMessage::DataChannelMessage(id, message) = connection.poll_read()?.message {
            return Some((id, message));
        }
    }
}

fn decode(message: RTCDataChannelMessage) -> Option<Message> {
    if message.is_string {
        String::from_utf8(message.data.into()).ok().map(Message::Text)
    } else {
        Some(Message::Binary(message.data.freeze()))
    }
}
