//! Tells the peer that the receive window is open again (RFC 9260, 6.2). rtc-sctp does so only when something comes; without
//! this a peer that was stopped stands still for a second at least, until it tries by itself.

use bytes::{BufMut, Bytes, BytesMut};

const CHUNK: usize = 12;
const INIT: u8 = 1;
const SACK: u8 = 3;

/// SCTP for data channels has the same port on both sides (RFC 8841).
const PORT: u16 = 5000;

pub(super) struct WindowUpdate {
    /// The receive window when nothing waits to be read.
    window: usize,
    /// What the peer names in its packets.
    tag: u32,
    told: Option<Told>,
    /// How many bytes were read since.
    freed: usize,
}

/// What the last selective acknowledgement told the peer.
struct Told {
    /// Everything up to here has come.
    tsn: u32,
    /// How much more may come.
    window: usize,
}

impl WindowUpdate {
    pub(super) fn new(window: usize) -> Self {
        Self { window, tag: 0, told: None, freed: 0 }
    }

    /// A packet leaves. What matters here comes first in its packet.
    pub(super) fn sends(&mut self, packet: &[u8]) {
        match packet.get(CHUNK) {
            Some(&INIT) => self.tag = number(packet, 4).unwrap_or_default(),
            Some(&SACK) => {
                let window = number(packet, 8).and_then(|window| window.try_into().ok());
                self.told = number(packet, 4).zip(window).map(|(tsn, window)| Told { tsn, window });
                self.freed = 0;
            }
            _ => {}
        }
    }

    /// A message was read.
    pub(super) fn read(&mut self, bytes: usize) {
        self.freed += bytes;
    }

    /// As if from the peer: a byte that has come already, to be acknowledged at once. Only if the window has opened by
    /// half, so that no acknowledgement tells of little.
    pub(super) fn due(&mut self) -> Option<Bytes> {
        let is_due = |told: &Told| told.window < self.window / 2 && self.freed >= self.window / 2;
        let told = self.told.take_if(|told| is_due(told))?;
        Some(again(self.tag, told.tsn))
    }
}

fn number(packet: &[u8], at: usize) -> Option<u32> {
    packet.get(CHUNK + at..CHUNK + at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// A packet with a DATA chunk of one byte, flagged as a message of its own and as urgent (RFC 7053).
fn again(tag: u32, tsn: u32) -> Bytes {
    const FLAGS: u8 = 0b1011;
    let mut packet = BytesMut::with_capacity(32);
    packet.put_u16(PORT);
    packet.put_u16(PORT);
    packet.put_u32(tag);
    packet.put_u32(0);
    packet.put_slice(&[0, FLAGS]);
    packet.put_u16(17);
    packet.put_u32(tsn);
    packet.put_bytes(0, 12);
    let checksum = crc32c::crc32c(&packet);
    packet[8..12].copy_from_slice(&checksum.to_le_bytes());
    packet.freeze()
}
