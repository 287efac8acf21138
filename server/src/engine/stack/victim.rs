//! SCTP whose peer makes its packets by hand.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc_sctp::{DatagramEvent, Endpoint, Payload, ServerConfig, TransportConfig};
use rtc_shared::TransportProtocol;

use super::{
    packets::{BINARY, DCEP, OPEN, WHOLE, chunk, packet, reset_request},
    sctp::Sctp,
    *,
};

/// This side's SCTP, and what its peer needs to know to make up packets.
pub(super) struct Victim {
    pub(super) now: Instant,
    pub(super) sctp: Sctp,
    tag: u32,
    pub(super) next_tsn: u32,
    /// Every packet that it has sent since the association came up.
    pub(super) sent: Vec<Bytes>,
    pub(super) messages: usize,
}

impl Victim {
    pub(super) fn new() -> Self {
        Self::away(Duration::ZERO)
    }

    /// So long is a round trip to the peer.
    pub(super) fn away(round_trip: Duration) -> Self {
        let mut now = Instant::now();
        let settings = Settings::new(65_536).unwrap();
        let mut sctp = Sctp::connect(now, &settings).unwrap();
        let server = ServerConfig::new(TransportConfig::default());
        let mut endpoint =
            Endpoint::new(TUNNEL, TransportProtocol::UDP, Arc::default(), Some(Arc::new(server)));
        let (mut peer, mut tag, mut next_tsn) = (None, 0, 0);
        while sctp.poll_event().is_none() {
            while let Some(packet) = sctp.poll_transmit(now) {
                if packet[12] == 1 {
                    tag = u32::from_be_bytes(packet[16..20].try_into().unwrap());
                }
                match endpoint.handle(now, TUNNEL, None, packet).unwrap().1 {
                    DatagramEvent::NewAssociation(association) => peer = Some(association),
                    DatagramEvent::AssociationEvent(event) => peer.as_mut().unwrap().handle_event(event),
                    _ => {}
                }
            }
            now += round_trip;
            while let Some(transmit) = peer.as_mut().unwrap().poll_transmit(now) {
                let Payload::RawEncode(packets) = transmit.message else { panic!() };
                for packet in packets {
                    if packet[12] == 2 {
                        next_tsn = u32::from_be_bytes(packet[28..32].try_into().unwrap());
                    }
                    sctp.receive(now, BytesMut::from(&packet[..]));
                }
            }
        }
        let mut victim = Self { now, sctp, tag, next_tsn, sent: Vec::new(), messages: 0 };
        victim.act();
        victim
    }

    /// Sends a chunk, whose user data is of this length.
    pub(super) fn data(&mut self, flags: u8, stream: u16, sequence: u16, length: usize) {
        self.chunk(flags, self.next_tsn, stream, sequence, BINARY, &vec![7; length]);
        self.next_tsn = self.next_tsn.wrapping_add(1);
    }

    pub(super) fn chunk(
        &mut self,
        flags: u8,
        tsn: u32,
        stream: u16,
        sequence: u16,
        identifier: u32,
        data: &[u8],
    ) {
        self.packet(chunk(flags, tsn, stream, sequence, identifier, data));
    }

    pub(super) fn packet(&mut self, chunk: impl AsRef<[u8]>) {
        self.deliver(chunk.as_ref());
        self.act();
    }

    pub(super) fn deliver(&mut self, chunk: &[u8]) {
        self.sctp.receive(self.now, packet(self.tag, chunk));
    }

    /// Announces a channel on the stream, as the first message on it.
    pub(super) fn open(&mut self, stream: u16) {
        self.chunk(WHOLE, self.next_tsn, stream, 0, DCEP, OPEN);
        self.next_tsn = self.next_tsn.wrapping_add(1);
    }

    pub(super) fn reset(&mut self, stream: u16) {
        self.reset_as(1, stream);
    }

    /// With this number.
    pub(super) fn reset_as(&mut self, number: u32, stream: u16) {
        self.packet(reset_request(number, self.next_tsn.wrapping_sub(1), stream));
    }

    /// Reads and writes, as a session does.
    pub(super) fn act(&mut self) {
        self.now += Duration::from_millis(1);
        self.sctp.handle_timeout(self.now);
        while self.sctp.poll_read(self.now, |_| true).is_some() {
            self.messages += 1;
        }
        while let Some(packet) = self.sctp.poll_transmit(self.now) {
            self.sent.push(packet);
        }
    }

    /// The numbers of what it has sent in RE-CONFIG chunks with a parameter of this kind.
    pub(super) fn reconfigurations(&self, kind: u8) -> Vec<u32> {
        let of_kind = self.sent.iter().filter(|packet| packet[12] == 130 && packet[17] == kind);
        of_kind.map(|packet| u32::from_be_bytes(packet[20..24].try_into().unwrap())).collect()
    }

    /// Goes on until SCTP is found to be flooded, and returns how much that took; or gives up.
    pub(super) fn flood(&mut self, mut step: impl FnMut(&mut Self, u16) -> usize) -> Option<usize> {
        let mut bytes = 0;
        for number in 0..20_000 {
            bytes += step(self, number);
            if self.sctp.is_flooded() {
                return Some(bytes);
            }
        }
        None
    }
}
