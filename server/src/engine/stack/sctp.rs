//! SCTP (RFC 8831) over DTLS, and the data channels on its streams.

mod bundle;
mod clock;
mod early;
mod opening;
mod reading;
mod recovery;
mod reports;
mod set_up;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use rtc_sctp::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, Event as Happening, Payload,
    PayloadProtocolIdentifier, StreamEvent,
};
use rtc_shared::{
    TransportProtocol,
    error::{Error, Result},
};

use self::{
    bundle::bundle,
    clock::Clock,
    early::Early,
    recovery::Recovery,
    reports::{Report, Reports},
    set_up::SetUp,
};
use super::{
    Event, Incoming, Settings, TUNNEL,
    init::{self, Init},
    meter::Meter,
    window::WindowUpdate,
};
use crate::channel::{ChannelParameters, Message};

const FIRST_CHUNK: usize = 12;
const ABORT: u8 = 6;

/// How much may come early beside one of the largest messages.
const EARLY_SMALL: usize = 16 * 1024;

/// What stands for an empty message, which SCTP does not know (RFC 8831, 6.6).
const EMPTY: Bytes = Bytes::from_static(&[0]);

pub(super) struct Sctp {
    endpoint: Endpoint,
    handle: AssociationHandle,
    association: Association,
    /// The time as the association is told it.
    clock: Clock,
    reports: Reports,
    recovery: Recovery,
    meter: Meter,
    window: WindowUpdate,
    max_message_size: usize,
    is_up: bool,
    set_up: SetUp,
    channels: BTreeMap<u16, Stage>,
    /// The streams that this side has reset, and the peer has not yet.
    resetting: BTreeSet<u16>,
    /// The streams that may have a message to read.
    readable: BTreeSet<u16>,
    /// What came on streams that have no channel yet.
    early: Early,
    /// What was read and not handed over yet.
    read: Option<Incoming>,
    /// With what the peer has ended the association, while messages from before wait to be read.
    abort: Option<BytesMut>,
    packets: VecDeque<Bytes>,
    events: VecDeque<Event>,
}

enum Stage {
    /// Announced to the peer, which has not confirmed it.
    Opening(ChannelParameters),
    Open,
}

impl Sctp {
    /// The association's first packet is to leave.
    pub(super) fn connect(now: Instant, settings: &Settings) -> Result<Self> {
        let local = SocketAddr::new(TUNNEL.ip(), 0);
        let mut endpoint = Endpoint::new(local, TransportProtocol::UDP, settings.endpoint.clone(), None);
        let window = settings.transport.max_receive_buffer_size() as usize;
        let config = ClientConfig { transport: settings.transport.clone() };
        let (handle, association) =
            endpoint.connect(now, config, TUNNEL).map_err(|error| Error::Other(error.to_string()))?;
        Ok(Self {
            endpoint,
            handle,
            association,
            clock: Clock::started(now),
            reports: Reports::default(),
            recovery: Recovery::default(),
            meter: Meter::new(window),
            window: WindowUpdate::default(),
            max_message_size: settings.max_message_size() as usize,
            is_up: false,
            set_up: SetUp::default(),
            channels: BTreeMap::new(),
            resetting: BTreeSet::new(),
            readable: BTreeSet::new(),
            early: Early::new(settings.max_message_size() as usize + EARLY_SMALL),
            read: None,
            abort: None,
            packets: VecDeque::new(),
            events: VecDeque::new(),
        })
    }

    /// An association with the peer whose INIT chunk its offer has, and what the answer is to say: both sides take for
    /// themselves the steps that set it up (RFC 9260, 5.1), and none goes over the wire. `None` if the chunk is unusable.
    pub(super) fn agree(now: Instant, settings: &Settings, peer: &Init) -> Result<Option<(Self, String)>> {
        let mut sctp = Self::connect(now, settings)?;
        let init = sctp.poll_transmit(now);
        let tag = sctp.window.tag();
        sctp.receive(now, peer.acknowledgement(tag));
        // The cookie is nobody's.
        sctp.poll_transmit(now);
        sctp.receive(now, init::end(tag));
        let attribute = init.and_then(|init| init::attribute(&init));
        Ok(attribute.filter(|_| sctp.is_up).map(|attribute| (sctp, attribute)))
    }

    /// The association is up, with round trips of so long, if that is known.
    pub(super) fn came_up(&mut self, now: Instant, round_trip: Option<Duration>) {
        self.meter.came_up(round_trip);
        self.clock.suit(now, round_trip);
        self.recovery.suit(now, round_trip);
    }

    pub(super) fn receive(&mut self, now: Instant, mut packet: BytesMut) {
        if !self.is_up {
            self.set_up.received(now, &packet);
        }
        if self.meter.is_report_due() {
            self.fetch(now);
        }
        if !self.meter.received(&mut packet, |stream| self.resetting.contains(&stream)) {
            return;
        }
        if packet.get(FIRST_CHUNK) == Some(&ABORT) && !self.readable.is_empty() {
            self.abort = Some(packet);
            self.recovery.end();
        } else {
            let report = Report::read(self.window.tag(), &packet);
            let pieces = report.as_ref().and_then(|report| self.reports.pieces(report));
            let report = report.filter(|_| pieces.is_some());
            for piece in pieces.into_iter().flatten() {
                self.take_in(now, piece.freeze());
                // What is to be sent again may leave with each.
                self.fetch(now);
            }
            self.take_in(now, packet.freeze());
            if let Some(report) = report {
                if !report.blocks.is_empty() {
                    // What rtc-sctp sends again need not leave as a copy too.
                    self.fetch(now);
                }
                let again = self.recovery.heard(now, &report);
                self.repeat(again);
            }
        }
    }

    fn take_in(&mut self, now: Instant, packet: Bytes) {
        if let Some((handle, DatagramEvent::AssociationEvent(event))) =
            self.endpoint.handle(self.clock.told(now), TUNNEL, None, packet)
            && handle == self.handle
        {
            let was_up = self.is_up;
            self.association.handle_event(event);
            self.look();
            if self.is_up && !was_up {
                self.came_up(now, self.set_up.round_trip());
            }
            if self.meter.is_count_due() {
                self.meter.count_streams(self.association.stream_ids().len(), self.channels.len());
            }
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Bytes> {
        if self.packets.is_empty() {
            self.fetch(now);
        }
        // What was fetched may tell of the window already.
        if self.packets.is_empty()
            && self.meter.has_opened()
            && let Some(packet) = self.window.ask()
        {
            self.take_in(now, packet);
            self.fetch(now);
        }
        self.packets.pop_front()
    }

    /// Has SCTP write what it may send now.
    fn fetch(&mut self, now: Instant) {
        if let Some(transmit) = self.association.poll_transmit(self.clock.told(now))
            && let Payload::RawEncode(packets) = transmit.message
        {
            for packet in bundle(packets) {
                if !self.is_up {
                    self.set_up.sends(now, &packet);
                }
                self.reports.sends(&packet);
                self.recovery.sends(now, &packet);
                if self.meter.sends(&packet) {
                    self.window.sends(&packet);
                    self.packets.push_back(self.meter.shown(packet));
                }
            }
        }
    }

    /// Packets leave again that rtc-sctp has written before.
    fn repeat(&mut self, packets: Vec<BytesMut>) {
        for packet in packets {
            if self.meter.sends(&packet) {
                self.packets.push_back(packet.freeze());
            }
        }
    }

    /// The peer is on another path from now on, with round trips of so long, if that is known.
    pub(super) fn moved(&mut self, now: Instant, round_trip: Option<Duration>) {
        self.meter.moved();
        self.recovery.suit(now, round_trip);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let timer = self.association.poll_timeout().map(|told| self.clock.real(told));
        [timer, self.recovery.deadline()].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.association.handle_timeout(self.clock.told(now));
        self.look();
        if self.recovery.is_waiting() {
            // What the timer sends again need not leave as a probe too.
            self.fetch(now);
            self.recovery.timers_ran(now);
            let probe = self.recovery.probe(now);
            self.repeat(probe);
        }
    }

    /// Tells the peer that the association is over. What was to be sent and has not been polled is lost.
    pub(super) fn abort(&mut self) -> Result<()> {
        self.association.abort()
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// What waits to be read, in bytes.
    pub(super) fn queued(&self) -> usize {
        self.meter.queued() + self.early.held()
    }

    /// Whether the peer sends what makes up no message within the maximum.
    pub(super) fn is_flooded(&self) -> bool {
        let nothing_waits = self.readable.is_empty() && self.resetting.is_empty();
        self.meter.is_overrun() || (nothing_waits && self.meter.is_stuck())
    }

    pub(super) fn send(&mut self, now: Instant, stream: u16, message: Message) -> Result<()> {
        use PayloadProtocolIdentifier::{Binary, BinaryEmpty, String, StringEmpty};
        let (identifier, bytes) = match message {
            Message::Text(text) if text.is_empty() => (StringEmpty, EMPTY),
            Message::Text(text) => (String, text.into()),
            Message::Binary(bytes) if bytes.is_empty() => (BinaryEmpty, EMPTY),
            Message::Binary(bytes) => (Binary, bytes),
        };
        let now = self.clock.told(now);
        self.association.stream(stream)?.write_chunk_with_ppi(now, &bytes, identifier)?;
        Ok(())
    }

    /// How many bytes on this stream the peer has not acknowledged.
    pub(super) fn outstanding(&mut self, stream: u16) -> usize {
        let stream = self.association.stream(stream);
        stream.and_then(|stream| stream.buffered_amount()).unwrap_or_default()
    }

    /// Closes a channel by resetting its stream (RFC 8831, 6.7). Nothing more is read off it or sent on it.
    pub(super) fn close(&mut self, now: Instant, stream: u16) {
        while self.next_message(stream).is_some() {}
        self.channels.remove(&stream);
        self.early.forget(stream);
        let told = self.clock.told(now);
        let closed = self.association.stream(stream).and_then(|mut stream| stream.close(told));
        if closed.is_ok() {
            self.resetting.insert(stream);
        }
        // A reset by the peer may have waited for what was read here.
        self.look();
    }

    /// Sees what has happened to the association.
    fn look(&mut self) {
        while let Some(happening) = self.association.poll() {
            match happening {
                Happening::Connected => {
                    self.is_up = true;
                    self.events.push_back(Event::Associated);
                }
                Happening::Stream(StreamEvent::Readable { id }) => {
                    self.readable.insert(id);
                }
                // The peer has reset the stream, and everything before is read; or the association has ended.
                Happening::AssociationLost { id, .. } => {
                    self.readable.remove(&id);
                    self.resetting.remove(&id);
                    self.early.forget(id);
                    self.recovery.close(id);
                    if self.channels.remove(&id).is_some() {
                        self.events.push_back(Event::ChannelClosed(id));
                    }
                }
                _ => {}
            }
        }
        if self.association.is_closed() {
            self.recovery.end();
        }
    }
}
