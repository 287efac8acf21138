//! The channels of one session: what comes and goes on SCTP's streams, and the handlers' pipes.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use hola_webrtc_protocol::{Step, TraceData};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info};

use super::{
    Doorbell,
    names::Names,
    stack::{Incoming, Stack},
};
use crate::{
    channel::{Channel, ChannelParameters, Pipe, Share},
    limits::Limits,
    metrics::{Direction, Limit, Metrics},
    session::{ChannelClosed, ChannelOptions, Link, OpenError},
};

pub(super) struct Channels {
    doorbell: Arc<Doorbell>,
    link: Arc<Link>,
    limits: Limits,
    metrics: Arc<Metrics>,
    /// By their streams.
    open: BTreeMap<u16, Arc<Pipe>>,
    /// The channels that the handler opens and the peer has not confirmed.
    opening: BTreeMap<u16, oneshot::Sender<Result<Channel, OpenError>>>,
    /// To the session's `accept_channel`.
    accepted: mpsc::Sender<Channel>,
    /// What the pipes may hold, and do.
    share: Arc<Share>,
    names: Names,
    /// What SCTP held at the last look, to be read and for the peer.
    in_sctp: usize,
    pub(super) received: u64,
    pub(super) sent: u64,
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
            names: Names::default(),
            in_sctp: 0,
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

    /// How many bytes of messages the session holds.
    pub(super) fn held(&self) -> usize {
        self.share.held() + self.in_sctp
    }

    /// Opens a channel to the peer. The handler gets it once it is open.
    pub(super) fn create(
        &mut self,
        stack: &mut Stack,
        label: &str,
        options: ChannelOptions,
        reply: oneshot::Sender<Result<Channel, OpenError>>,
        now: Instant,
    ) {
        // Whoever asked may be gone.
        if self.open.len() + self.opening.len() >= self.limits.max_channels {
            return drop(reply.send(Err(OpenError::TooManyChannels)));
        }
        let (stream, parameters) = match stack.open_channel(now, label, options) {
            Ok(opening) => opening,
            Err(error) => return drop(reply.send(Err(OpenError::Invalid(error)))),
        };
        self.opening.insert(stream, reply);
        if let Some(parameters) = parameters {
            self.opened(stack, parameters, now);
        }
    }

    /// A channel has opened: hands it to the session's handler. `false` if the peer opens them too fast.
    fn opened(&mut self, stack: &mut Stack, parameters: ChannelParameters, now: Instant) -> bool {
        let stream = parameters.id;
        let wanted = self.opening.remove(&stream);
        if wanted.is_none() && !self.names.take(now, &parameters) {
            return false;
        }
        let label = shorten(&parameters.label);
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
            stack.close_channel(now, stream);
            return true;
        };
        info!(step = %Step::OpenChannel, "channel {label:?} is open (stream {stream})");
        let maximum = stack.peers_maximum();
        let data = TraceData::Channel { label, id: stream, max_message_size: maximum };
        self.link.journal.note(now, Step::OpenChannel, data);
        let pipe = Arc::new(Pipe::new(self.doorbell.clone(), self.share.clone(), maximum as usize));
        self.open.insert(stream, pipe.clone());
        self.share.among(self.open.len());
        hand_over(Channel::new(pipe, parameters));
        true
    }

    /// The peer has closed a channel, and everything that it sent before has been delivered.
    pub(super) fn closed(&mut self, stream: u16, now: Instant) {
        self.opening.remove(&stream);
        self.forget(stream, now, ChannelClosed::ByPeer);
    }

    /// Closes a channel from this side.
    fn close(&mut self, stack: &mut Stack, stream: u16, now: Instant, reason: ChannelClosed) {
        stack.close_channel(now, stream);
        self.forget(stream, now, reason);
    }

    fn forget(&mut self, stream: u16, now: Instant, reason: ChannelClosed) {
        if let Some(pipe) = self.open.remove(&stream) {
            debug!("stream {stream} is closed: {}", reason.as_str());
            note_closed(&self.link, now, stream, reason);
            pipe.close();
            self.share.among(self.open.len());
        }
    }

    pub(super) fn close_all(&mut self, now: Instant) {
        self.opening.clear();
        for (stream, pipe) in std::mem::take(&mut self.open) {
            note_closed(&self.link, now, stream, ChannelClosed::WithSession);
            pipe.close();
        }
    }

    /// Hands received messages to their handlers. Those for a handler without room stay in SCTP, whose window is the
    /// session's, not the channel's.
    pub(super) fn deliver(&mut self, stack: &mut Stack, now: Instant) -> Delivered {
        let mut delivered = Delivered::default();
        let mut full = Vec::new();
        while let Some(incoming) = stack.poll_read(now, |stream| self.has_room(stream, &mut full)) {
            match incoming {
                Incoming::Opened(parameters) => {
                    delivered.has_opened = true;
                    delivered.is_too_much |= !self.opened(stack, parameters, now);
                }
                Incoming::Message(stream, message) => {
                    let Some(pipe) = self.open.get(&stream) else { continue };
                    delivered.has_talked = true;
                    self.received += 1;
                    self.metrics.message(Direction::In, message.len());
                    pipe.deliver(message);
                }
                Incoming::Fault(stream, reason) => {
                    if reason == ChannelClosed::TooLarge {
                        self.metrics.limit_reached(Limit::MaxMessageSize);
                    }
                    info!("stream {stream} is closed for what it sent: {}", reason.as_str());
                    delivered.has_talked = true;
                    self.close(stack, stream, now, reason);
                }
            }
        }
        delivered
    }

    /// Whether a message may be read for a channel. `full` are those that were found to have no room.
    fn has_room(&self, stream: u16, full: &mut Vec<u16>) -> bool {
        if full.contains(&stream) {
            return false;
        }
        let has_room = self.open.get(&stream).is_none_or(|pipe| pipe.has_room());
        if !has_room {
            self.metrics.limit_reached(Limit::SessionBuffer);
            full.push(stream);
        }
        has_room
    }

    /// Hands the handlers' messages to SCTP, as many as may be unacknowledged, and closes the channels whose
    /// handlers are done. Returns whether anything moved.
    pub(super) fn send(&mut self, stack: &mut Stack, now: Instant) -> bool {
        let mut moved = false;
        let mut finished = Vec::new();
        let share = self.share.per_channel();
        for (&stream, pipe) in &self.open {
            let mut outstanding = stack.outstanding(stream);
            while outstanding < share {
                let Some(message) = pipe.take() else { break };
                moved = true;
                self.sent += 1;
                self.metrics.message(Direction::Out, message.len());
                if let Err(error) = stack.send(now, stream, message) {
                    debug!("stream {stream} cannot send: {error}");
                }
                outstanding = stack.outstanding(stream);
            }
            // A stream reset drops what is not yet acknowledged, so it waits.
            if outstanding == 0 && pipe.is_finished() {
                finished.push(stream);
            }
        }
        for stream in finished {
            self.close(stack, stream, now, ChannelClosed::ByServer);
            moved = true;
        }
        moved
    }

    /// Looks how much SCTP holds, in either direction: more may come while nothing is sent.
    pub(super) fn measure(&mut self, stack: &mut Stack) {
        let outstanding: usize = self.open.keys().map(|stream| stack.outstanding(*stream)).sum();
        self.in_sctp = outstanding + stack.queued();
    }
}

/// What came.
#[derive(Default)]
pub(super) struct Delivered {
    /// Whether a channel has opened.
    pub(super) has_opened: bool,
    /// Whether more have than may.
    pub(super) is_too_much: bool,
    /// Whether there was a message.
    pub(super) has_talked: bool,
}

fn note_closed(link: &Link, now: Instant, stream: u16, reason: ChannelClosed) {
    let data = TraceData::ChannelClosed { id: stream, reason: reason.as_str().to_owned() };
    link.journal.note(now, Step::OpenChannel, data);
}

/// As much of a label as the log needs.
fn shorten(label: &str) -> String {
    label.chars().take(64).collect()
}
