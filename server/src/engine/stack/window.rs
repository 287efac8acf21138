//! Tells the peer that the receive window is open again (RFC 9260, 6.2). rtc-sctp does so only when something comes; without
//! this a peer that was stopped stands still for a second at least, until it tries by itself.

use bytes::{BufMut, Bytes};

use super::packet::{number, packet};

const CHUNK: usize = 12;
const INIT: u8 = 1;
const SACK: u8 = 3;

#[derive(Default)]
pub(super) struct WindowUpdate {
    /// What the peer names in its packets.
    tag: u32,
    /// Up to where everything has come, by the last selective acknowledgement.
    acknowledged: Option<u32>,
}

impl WindowUpdate {
    /// A packet leaves. What matters here comes first in its packet.
    pub(super) fn sends(&mut self, packet: &[u8]) {
        match packet.get(CHUNK) {
            Some(&INIT) => self.tag = number(packet, CHUNK + 4).unwrap_or_default(),
            Some(&SACK) => self.acknowledged = number(packet, CHUNK + 4),
            _ => {}
        }
    }

    /// What the peer names in its packets, once this side has told it.
    pub(super) fn tag(&self) -> u32 {
        self.tag
    }

    /// As if from the peer: a byte that has come already, to be acknowledged at once. Only one until that has left.
    pub(super) fn ask(&mut self) -> Option<Bytes> {
        Some(again(self.tag, self.acknowledged.take()?))
    }
}

/// A packet with a DATA chunk of one byte, flagged as a message of its own and as urgent (RFC 7053).
fn again(tag: u32, tsn: u32) -> Bytes {
    const FLAGS: u8 = 0b1011;
    const LENGTH: u16 = 17;
    let mut chunk = Vec::with_capacity(LENGTH.into());
    chunk.put_slice(&[0, FLAGS]);
    chunk.put_u16(LENGTH);
    chunk.put_u32(tsn);
    chunk.resize(LENGTH.into(), 0);
    packet(tag, &chunk).freeze()
}
