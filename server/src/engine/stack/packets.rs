//! Packets by hand: of SCTP (RFC 9260, 3), and of handshakes of DTLS (RFC 6347, 4.2.2).

use bytes::{BufMut, BytesMut};

pub(crate) use super::packet::packet;

/// The flags of DATA chunks.
pub(crate) const ENDING: u8 = 1;
pub(crate) const BEGINNING: u8 = 2;
pub(crate) const UNORDERED: u8 = 4;
/// A chunk that is a message of its own.
pub(crate) const WHOLE: u8 = BEGINNING | ENDING;

/// What messages are (RFC 8831, 8).
pub(crate) const DCEP: u32 = 50;
pub(crate) const BINARY: u32 = 53;

/// Announces a reliable channel `x`.
pub(crate) const OPEN: &[u8] = &[3, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, b'x'];

/// A DATA chunk.
pub(crate) fn chunk(
    flags: u8,
    tsn: u32,
    stream: u16,
    sequence: u16,
    identifier: u32,
    data: &[u8],
) -> Vec<u8> {
    let mut chunk = vec![0, flags];
    chunk.put_u16(u16::try_from(16 + data.len()).unwrap());
    chunk.put_u32(tsn);
    chunk.put_u16(stream);
    chunk.put_u16(sequence);
    chunk.put_u32(identifier);
    chunk.extend(data);
    chunk
}

/// A RE-CONFIG chunk that asks to reset an outgoing stream once everything up to a TSN has come (RFC 6525, 4.1).
pub(crate) fn reset_request(number: u32, last_tsn: u32, stream: u16) -> Vec<u8> {
    let mut chunk = vec![130, 0, 0, 22, 0, 13, 0, 18];
    chunk.put_u32(number);
    chunk.put_u32(0);
    chunk.put_u32(last_tsn);
    chunk.put_u16(stream);
    chunk
}

/// A RE-CONFIG chunk that answers a request (RFC 6525, 4.4).
pub(crate) fn reset_response(number: u32, result: u32) -> Vec<u8> {
    let mut chunk = vec![130, 0, 0, 16, 0, 16, 0, 12];
    chunk.put_u32(number);
    chunk.put_u32(result);
    chunk
}

/// A FORWARD TSN chunk that names no stream (RFC 3758, 3.2).
pub(crate) fn forward_tsn(tsn: u32) -> Vec<u8> {
    let mut chunk = vec![192, 0, 0, 8];
    chunk.put_u32(tsn);
    chunk
}

/// A byte at this offset of the first handshake message, which is as long as it says. The core takes it for a part even
/// of a message of length 0, which has no such byte.
pub(crate) fn handshake_part(offset: u32, length: u32) -> Vec<u8> {
    let mut part = vec![3];
    part.extend(&length.to_be_bytes()[1..]);
    part.put_u16(0);
    part.extend(&offset.to_be_bytes()[1..]);
    part.extend([0, 0, 1]);
    part.extend((length > 0).then_some(7));
    part
}

/// A record of a handshake that is not encrypted.
pub(crate) fn handshake_record(sequence: u32, parts: &[u8]) -> BytesMut {
    let mut record = BytesMut::from(&[22, 254, 253, 0, 0, 0, 0][..]);
    record.put_u32(sequence);
    record.put_u16(u16::try_from(parts.len()).unwrap());
    record.extend(parts);
    record
}
