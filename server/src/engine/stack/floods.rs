//! What SCTP holds of a peer that makes packets by hand, and is bound by no window.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc_sctp::{DatagramEvent, Endpoint, Payload, ServerConfig, TransportConfig};
use rtc_shared::TransportProtocol;

use super::{
    packets::{
        BEGINNING, BINARY, DCEP, OPEN, UNORDERED, WHOLE, chunk, forward_tsn, packet, reset_request,
        reset_response,
    },
    sctp::Sctp,
    *,
};

const MIB: usize = 1024 * 1024;
/// This side's SCTP, and what its peer needs to know to make up packets.
struct Victim {
    now: Instant,
    sctp: Sctp,
    tag: u32,
    next_tsn: u32,
    /// Every packet that it has sent since the association came up.
    sent: Vec<Bytes>,
    messages: usize,
}

impl Victim {
    fn new() -> Self {
        let now = Instant::now();
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
    fn data(&mut self, flags: u8, stream: u16, sequence: u16, length: usize) {
        self.chunk(flags, self.next_tsn, stream, sequence, BINARY, &vec![7; length]);
        self.next_tsn = self.next_tsn.wrapping_add(1);
    }

    fn chunk(&mut self, flags: u8, tsn: u32, stream: u16, sequence: u16, identifier: u32, data: &[u8]) {
        self.packet(chunk(flags, tsn, stream, sequence, identifier, data));
    }

    fn packet(&mut self, chunk: Vec<u8>) {
        self.deliver(chunk);
        self.act();
    }

    fn deliver(&mut self, chunk: Vec<u8>) {
        self.sctp.receive(self.now, packet(self.tag, chunk));
    }

    /// Announces a channel on the stream, as the first message on it.
    fn open(&mut self, stream: u16) {
        self.chunk(WHOLE, self.next_tsn, stream, 0, DCEP, OPEN);
        self.next_tsn = self.next_tsn.wrapping_add(1);
    }

    fn reset(&mut self, stream: u16) {
        self.packet(reset_request(1, self.next_tsn.wrapping_sub(1), stream));
    }

    /// Reads and writes, as a session does.
    fn act(&mut self) {
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
    fn reconfigurations(&self, kind: u8) -> Vec<u32> {
        let of_kind = self.sent.iter().filter(|packet| packet[12] == 130 && packet[17] == kind);
        of_kind.map(|packet| u32::from_be_bytes(packet[20..24].try_into().unwrap())).collect()
    }

    /// Goes on until SCTP is found to be flooded, and returns how much that took; or gives up.
    fn flood(&mut self, mut step: impl FnMut(&mut Self, u16) -> usize) -> Option<usize> {
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

#[test]
fn a_message_without_an_end_is_found_out_when_the_window_is_full() {
    for kind in [0, UNORDERED] {
        let mut victim = Victim::new();
        victim.open(1);
        let flooded = victim.flood(|victim, number| {
            victim.data(kind | if number == 0 { BEGINNING } else { 0 }, 1, 1, 1000);
            1000
        });
        assert!(flooded.is_some_and(|bytes| bytes < MIB + 10_000), "{flooded:?}");
    }
}

#[test]
fn so_is_one_whose_parts_come_among_small_messages() {
    for kind in [0, UNORDERED] {
        let mut victim = Victim::new();
        victim.open(1);
        victim.open(3);
        let flooded = victim.flood(|victim, number| {
            victim.data(kind | if number == 0 { BEGINNING } else { 0 }, 1, 1, 1000);
            victim.data(WHOLE, 3, number + 1, 10);
            1010
        });
        assert!(flooded.is_some_and(|bytes| bytes < MIB + 20_000), "{flooded:?}");
        assert!(victim.messages > 1000, "the small ones are read");
    }
}

#[test]
fn so_are_parts_on_very_many_streams_and_messages_whose_turn_never_comes() {
    let mut victim = Victim::new();
    let flooded = victim.flood(|victim, number| {
        victim.data(BEGINNING, number, 0, 1000);
        1000
    });
    assert!(flooded.is_some_and(|bytes| bytes < MIB + 10_000), "{flooded:?}");

    let mut victim = Victim::new();
    victim.open(1);
    let flooded = victim.flood(|victim, number| {
        victim.data(WHOLE, 1, number + 2, 1000);
        1000
    });
    assert!(flooded.is_some_and(|bytes| bytes < MIB + 10_000), "{flooded:?}");
}

#[test]
fn gaps_that_are_filled_from_the_top_do_not_open_the_window_wider() {
    let mut victim = Victim::new();
    victim.open(1);
    let top = victim.next_tsn.wrapping_add(4000);
    let flooded = victim.flood(|victim, number| {
        victim.chunk(0, top.wrapping_sub(number.into()), 1, 1, BINARY, &[7; 1000]);
        1000
    });
    assert!(flooded.is_some_and(|bytes| bytes < 2 * MIB + 10_000), "{flooded:?}");
}

#[test]
fn parts_that_are_given_up_and_stay_count_as_well() {
    let mut victim = Victim::new();
    victim.open(1);
    let flooded = victim.flood(|victim, number| {
        victim.data(BEGINNING, 1, number + 1, 1000);
        // FORWARD TSN that names no stream.
        victim.packet(forward_tsn(victim.next_tsn.wrapping_sub(1)));
        1000
    });
    assert!(flooded.is_some_and(|bytes| bytes < MIB + 10_000), "{flooded:?}");
}

#[test]
fn very_small_chunks_are_let_in_up_to_a_number() {
    let mut victim = Victim::new();
    victim.open(1);
    for number in 0..40_000_u16 {
        victim.data(WHOLE, 1, number.wrapping_add(2) % 30_000 + 2, 1);
    }
    assert!(victim.sctp.meter().queued() < 5 * MIB, "{}", victim.sctp.meter().queued());
}

#[test]
fn an_honest_peer_fills_the_window_and_is_read_to_the_end() {
    let mut victim = Victim::new();
    victim.open(1);
    for number in 0..MIB / 1000 {
        // Nobody reads meanwhile.
        let sequence = u16::try_from(number).unwrap() + 1;
        victim.deliver(chunk(WHOLE, victim.next_tsn, 1, sequence, BINARY, &[7; 1000]));
        victim.next_tsn = victim.next_tsn.wrapping_add(1);
        while victim.sctp.poll_transmit(victim.now).is_some() {}
        assert!(!victim.sctp.is_flooded());
    }
    let queued = victim.sctp.meter().queued();
    assert!(queued > MIB - 2000, "{queued}");
    victim.act();
    assert_eq!(victim.messages, 1 + MIB / 1000);
    assert!(!victim.sctp.is_flooded());
}

#[test]
fn what_still_comes_on_a_channel_that_this_side_has_closed_does_not_keep_its_stream() {
    let mut victim = Victim::new();
    victim.open(1);
    assert_eq!(victim.messages, 1);
    victim.sctp.close(victim.now, 1);
    for number in 1..100 {
        victim.data(WHOLE, 1, number, 1000);
    }
    assert_eq!(victim.messages, 1, "nobody hears it");
    victim.reset(1);
    victim.now += Duration::from_secs(1);
    victim.act();
    // The stream is free for another channel, and the window is open as at first.
    victim.open(1);
    victim.data(WHOLE, 1, 1, 1000);
    assert_eq!((victim.messages, victim.sctp.meter().queued()), (3, 0));
}

#[test]
fn messages_on_very_many_streams_that_nobody_has_announced_are_found_out() {
    let mut victim = Victim::new();
    let flooded = victim.flood(|victim, number| {
        victim.data(WHOLE, 65_534 - number, 0, 1);
        1
    });
    assert!(flooded.is_some_and(|streams| streams <= 1536), "{flooded:?}");
    assert!(victim.messages == 0);
}

#[test]
fn requests_to_reset_streams_later_are_answered_up_to_a_number_with_every_chunk() {
    let mut victim = Victim::new();
    victim.open(1);
    let later = victim.next_tsn.wrapping_add(1000);
    for number in 1..=1000 {
        victim.packet(reset_request(number, later, 1));
    }
    victim.sent.clear();
    victim.data(WHOLE, 3, 0, 1);
    assert_eq!(victim.reconfigurations(16).len(), 64);
    // Those that are let in have their turn, and make room for the others.
    while victim.next_tsn != later.wrapping_add(1) {
        victim.data(WHOLE, 3, 0, 1);
    }
    victim.sent.clear();
    victim.packet(reset_request(1001, later, 1));
    assert_eq!(victim.reconfigurations(16), [1001]);
}

#[test]
fn a_stream_that_the_peer_is_still_resetting_is_asked_for_again() {
    let mut victim = Victim::new();
    victim.open(1);
    victim.sctp.close(victim.now, 1);
    victim.act();
    let [number] = victim.reconfigurations(13)[..] else { panic!("{:?}", victim.sent) };
    victim.packet(reset_response(number, 6));
    victim.sent.clear();
    victim.now += Duration::from_secs(10);
    victim.act();
    assert_eq!(victim.reconfigurations(13), [number]);
    // In progress is not for ever.
    victim.packet(reset_response(number, 1));
    victim.sent.clear();
    victim.now += Duration::from_secs(10);
    victim.act();
    assert!(victim.reconfigurations(13).is_empty());
}
