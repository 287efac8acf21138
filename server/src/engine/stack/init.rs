//! What offer and answer may say of SCTP, so that its own handshake is left out: the INIT chunks of both sides, as attributes
//! `sctp-init`. A channel opens up to two round trips sooner then. That is SNAP, an Internet-Draft:
//! <https://datatracker.ietf.org/doc/draft-hancke-tsvwg-snap/>.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{BufMut, BytesMut};

use super::packet::{packet, short};

const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const COOKIE_ACK: u8 = 11;

const COMMON_HEADER: usize = 12;
const CHUNK_HEADER: usize = 4;
/// The chunk's header; tag, window, streams and first TSN; then come parameters.
const FIXED: usize = 20;
const PARAMETER_HEADER: usize = 4;

/// Proper ones have less than a hundred bytes.
const MAX_LENGTH: usize = 1024;

/// What says which extensions a side has: partial reliability (RFC 3758, 3.3.1), and others (RFC 5061, 4.2.7).
const FORWARD_TSN_SUPPORTED: u16 = 0xC000;
const SUPPORTED_EXTENSIONS: u16 = 0x8008;

/// A cookie and its header (RFC 9260, 3.3.3.1). Nobody reads it: what sends it back stays here.
const COOKIE: [u8; 8] = [0, 7, 0, 8, 0, 0, 0, 0];

/// The attribute is no INIT chunk in base64, or one of an association that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a=sctp-init is no usable INIT chunk in base64")]
pub(crate) struct InitError;

/// A peer's INIT chunk (RFC 9260, 3.3.2), as far as the association depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Init {
    /// Tag, window, streams and first TSN.
    fixed: [u8; FIXED - CHUNK_HEADER],
    /// The parameters that name extensions. All others are for the handshake that is left out.
    extensions: Vec<u8>,
}

impl FromStr for Init {
    type Err = InitError;

    fn from_str(attribute: &str) -> Result<Self, InitError> {
        let bytes = BASE64_STANDARD.decode(attribute).map_err(|_| InitError)?;
        Self::read(&bytes).ok_or(InitError)
    }
}

impl Init {
    fn read(bytes: &[u8]) -> Option<Self> {
        let length = usize::from(short(bytes, 2)?);
        // It may be padded, like any chunk.
        let chunk = bytes.get(..length).filter(|_| bytes.len() <= length.next_multiple_of(4))?;
        let fixed = chunk.get(CHUNK_HEADER..FIXED)?.try_into().ok()?;
        if chunk[0] != INIT || length > MAX_LENGTH {
            return None;
        }
        let mut extensions = Vec::new();
        let mut rest = &chunk[FIXED..];
        while !rest.is_empty() {
            let length = usize::from(short(rest, 2)?);
            let parameter = rest.get(..length).filter(|_| length >= PARAMETER_HEADER)?;
            if let FORWARD_TSN_SUPPORTED | SUPPORTED_EXTENSIONS = short(parameter, 0)? {
                extensions.extend_from_slice(parameter);
                extensions.resize(extensions.len().next_multiple_of(4), 0);
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(Self { fixed, extensions })
    }

    /// As if from the peer: what confirms the INIT with this tag. Values that no association can have (RFC 9260, 3.3.2) are for
    /// SCTP to refuse.
    pub(super) fn acknowledgement(&self, tag: u32) -> BytesMut {
        let length = FIXED + self.extensions.len() + COOKIE.len();
        let mut chunk = Vec::with_capacity(length);
        chunk.put_slice(&[INIT_ACK, 0]);
        // No longer than the INIT, but for the cookie.
        chunk.put_u16(u16::try_from(length).unwrap_or(u16::MAX));
        chunk.put_slice(&self.fixed);
        chunk.put_slice(&self.extensions);
        chunk.put_slice(&COOKIE);
        packet(tag, &chunk)
    }
}

/// As if from the peer: what ends the handshake of whom has chosen this tag.
pub(super) fn end(tag: u32) -> BytesMut {
    packet(tag, &[COOKIE_ACK, 0, 0, 4])
}

/// The attribute that says what the INIT chunk in this packet says, without its padding.
pub(super) fn attribute(packet: &[u8]) -> Option<String> {
    let chunk = packet.get(COMMON_HEADER..)?;
    Some(BASE64_STANDARD.encode(chunk.get(..short(chunk, 2)?.into())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Chromium writes it: partial reliability, and resets of streams.
    const CHROMIUM: &str = "AQAAHvmFXyMAUAAA/////80ISz/AAAAEgAgABoLA";

    fn chunk(parameters: &[u8]) -> Vec<u8> {
        let mut chunk = BASE64_STANDARD.decode(CHROMIUM).unwrap();
        chunk.truncate(FIXED);
        chunk.extend(parameters);
        chunk[3] = u8::try_from(chunk.len()).unwrap();
        chunk
    }

    #[test]
    fn what_confirms_this_sides_init_says_what_the_peers_says() {
        let packet = CHROMIUM.parse::<Init>().unwrap().acknowledgement(7);
        let theirs = BASE64_STANDARD.decode(CHROMIUM).unwrap();
        assert_eq!(packet[4..8], 7_u32.to_be_bytes());
        assert_eq!(packet[12..16], [INIT_ACK, 0, 0, 40]);
        assert_eq!(packet[16..42], theirs[4..]);
        assert_eq!(packet[44..], COOKIE);
    }

    #[test]
    fn parameters_of_the_handshake_that_is_left_out_are_left_out() {
        let addresses = [0, 12, 0, 6, 0, 5, 0, 0];
        let extensions = [0x80, 8, 0, 5, 130, 0, 0, 0];
        let init = Init::read(&chunk(&[&addresses[..], &extensions, &addresses].concat())).unwrap();
        assert_eq!(init.extensions, extensions);
    }

    #[test]
    fn what_is_no_init_chunk_is_refused() {
        let valid = BASE64_STANDARD.decode(CHROMIUM).unwrap();
        let with = |at: usize, byte: u8| {
            let mut chunk = valid.clone();
            chunk[at] = byte;
            chunk
        };
        let mut long = chunk(&[]);
        long.resize(MAX_LENGTH + 4, 0);
        long[2..4].copy_from_slice(&[4, 4]);
        for bytes in [
            Vec::new(),
            valid[..19].to_vec(),
            [&valid[..], &[0; 3]].concat(),
            with(0, 2),
            with(3, 31),
            with(3, 19),
            // A parameter that is longer than the chunk, one that is shorter than its header, and half a header.
            with(27, 7),
            with(27, 3),
            chunk(&[0x80, 8, 0]),
            long,
        ] {
            assert_eq!(Init::read(&bytes), None, "{bytes:?}");
        }
        assert_eq!(Init::read(&[&valid[..], &[0; 2]].concat()), Init::read(&valid));
        for text in ["", "?", "AQAAHvmFXyMAUAAA/////80ISz/AAAAEgAgABoL"] {
            assert_eq!(text.parse::<Init>(), Err(InitError), "{text}");
        }
    }
}
