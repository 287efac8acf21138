//! Packets of SCTP (RFC 9260, 3) that the engine writes itself.

use bytes::{BufMut, BytesMut};

/// SCTP for data channels has the same port on both sides (RFC 8841).
const PORT: u16 = 5000;

pub(super) const CHECKSUM: std::ops::Range<usize> = 8..12;

/// A packet with one chunk, for who has chosen this verification tag.
pub(crate) fn packet(tag: u32, chunk: &[u8]) -> BytesMut {
    let padded = chunk.len().next_multiple_of(4);
    let mut packet = BytesMut::with_capacity(CHECKSUM.end + padded);
    packet.put_u16(PORT);
    packet.put_u16(PORT);
    packet.put_u32(tag);
    packet.put_u32(0);
    packet.put_slice(chunk);
    packet.put_bytes(0, padded - chunk.len());
    seal(&mut packet);
    packet
}

/// Makes a packet's checksum right.
pub(super) fn seal(packet: &mut BytesMut) {
    packet[CHECKSUM].fill(0);
    let checksum = crc32c::crc32c(packet);
    packet[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
}

/// A number of 16 bits.
pub(super) fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

/// A number of 32 bits.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}
