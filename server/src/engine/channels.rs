//! The channels of one session: what the protocol core calls messages and events, and the handlers' pipes.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use bytes::BytesMut;
use hola_webrtc_protocol::{SessionId, Step};
use rtc::{
    data_channel::{RTCDataChannelId, RTCDataChannelMessage},
    peer_connection::{RTCPeerConnection, message::RTCMessage},
    sansio::Protocol,
};
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::Doorbell;
use crate::channel::{Channel, ChannelParameters, Message, Pipe};

/// How many channels a session may have open, and how many may wait to be accepted.
pub(crate) const MAX_CHANNELS: usize = 64;

/// How many bytes a session may have in SCTP that the peer has not acknowledged; each of its channels has an
/// equal share, and may exceed it by one message. It bounds what a peer that does not read costs, and the
/// throughput on a long way to 1 MiB a round trip.
const SEND_LIMIT: usize = 1024 * 1024;

/// What the labels and protocols of all channels that a session ever opens may add up to, in bytes, each with
/// [`NAME_COST`]: the protocol core remembers them until the session ends.
const NAMES_LIMIT: usize = 256 * 1024;
const NAME_COST: usize = 64;

pub(super) struct Channels {
    session: SessionId,
    doorbell: Arc<Doorbell>,
    open: BTreeMap<RTCDataChannelId, Entry>,
    /// To the session's `accept_channel`.
    accepted: mpsc::Sender<Channel>,
    max_message_size: usize,
    names: usize,
    /// A message that came while its pipe was full; it waits, and SCTP holds those behind it.
    waiting: Option<(RTCDataChannelId, RTCDataChannelMessage)>,
}

struct Entry {
    pipe: Arc<Pipe>,
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
        session: SessionId,
        doorbell: Arc<Doorbell>,
        accepted: mpsc::Sender<Channel>,
        max_message_size: usize,
    ) -> Self {
        Self { session, doorbell, open: BTreeMap::new(), accepted, max_message_size, names: 0, waiting: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// A channel has opened: hands it to the session's handler. `false` if the session has opened too much.
    pub(super) fn opened(&mut self, connection: &mut RTCPeerConnection, id: RTCDataChannelId) -> bool {
        let peers_maximum = connection.sctp().and_then(|sctp| sctp.max_message_size());
        let Some(mut channel) = connection.data_channel(id) else { return true };
        self.names += channel.label().len() + channel.protocol().len() + NAME_COST;
        if self.names > NAMES_LIMIT {
            return false;
        }
        let Some(place) = self.accepted.try_reserve().ok().filter(|_| self.open.len() < MAX_CHANNELS) else {
            // Too many, or the session's handler is gone.
            info!(session = %self.session, "a channel that nobody accepts is closed");
            let _ = channel.close();
            return true;
        };
        let parameters = ChannelParameters {
            label: channel.label().to_owned(),
            protocol: channel.protocol().to_owned(),
            id: channel.stream_id().unwrap_or_default(),
            ordered: channel.ordered(),
            max_retransmits: channel.max_retransmits(),
            max_packet_life_time: channel.max_packet_life_time(),
        };
        info!(
            session = %self.session, step = %Step::OpenChannel,
            "channel {:?} is open (stream {})", shorten(&parameters.label), parameters.id
        );
        let limit = peers_maximum.map_or(self.max_message_size, |bytes| bytes as usize);
        let pipe = Arc::new(Pipe::new(self.doorbell.clone(), limit));
        self.open.insert(id, Entry { pipe: pipe.clone(), state: State::Open });
        place.send(Channel::new(pipe, parameters));
        true
    }

    /// A channel is closed. It stays until what the peer sent before is delivered.
    pub(super) fn closed(&mut self, id: RTCDataChannelId) {
        if let Some(entry) = self.open.get_mut(&id) {
            debug!(session = %self.session, "channel {id} is closed");
            entry.state = State::Ended;
            entry.pipe.close_sink();
        }
    }

    pub(super) fn close_all(&mut self) {
        for entry in std::mem::take(&mut self.open).into_values() {
            entry.pipe.close();
        }
    }

    /// Hands received messages to their handlers, until one has no room: then the rest stays in SCTP, whose
    /// window is the session's, not the channel's. Returns whether anything moved.
    pub(super) fn deliver(&mut self, connection: &mut RTCPeerConnection) -> bool {
        let mut moved = false;
        while let Some((id, message)) = self.waiting.take().or_else(|| next_message(connection)) {
            let Some(entry) = self.open.get_mut(&id) else { continue };
            if !entry.pipe.has_room() {
                self.waiting = Some((id, message));
                return moved;
            }
            moved = true;
            if let Some(message) = decode(message) {
                entry.pipe.deliver(message);
            } else {
                info!(session = %self.session, "channel {id} sent text that is not UTF-8 and is closed");
                entry.close(connection, id);
            }
        }
        // Everything is delivered: the channels that had ended are gone now.
        self.open.retain(|_, entry| {
            let has_ended = entry.state == State::Ended;
            if has_ended {
                entry.pipe.close();
            }
            !has_ended
        });
        moved
    }

    /// Hands the handlers' messages to SCTP, as many as may be unacknowledged, and closes the channels whose
    /// handlers are done. Returns whether anything moved.
    pub(super) fn send(&mut self, connection: &mut RTCPeerConnection, now: Instant) -> bool {
        let mut moved = false;
        let share = SEND_LIMIT / self.open.len().max(1);
        for (&id, entry) in &mut self.open {
            let Some(mut channel) = connection.data_channel(id) else { continue };
            while channel.outstanding_bytes() < share {
                let Some(message) = entry.pipe.take() else { break };
                moved = true;
                let sent = match message {
                    Message::Text(text) => channel.send_text(now, text),
                    Message::Binary(bytes) => channel.send(now, BytesMut::from(bytes)),
                };
                if let Err(error) = sent {
                    debug!(session = %self.session, "channel {id} cannot send: {error}");
                }
            }
            // A stream reset drops what is not yet acknowledged, so it waits.
            if entry.state == State::Open && entry.pipe.is_finished() && channel.outstanding_bytes() == 0 {
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
