//! How much of a DTLS handshake (RFC 6347) a peer may send.
//!
//! Until the handshake is done, everybody who passes ICE is heard, and rtc-dtls keeps what it cannot use yet: parts of
//! handshake messages, which it searches anew for each record and puts together by a recursion as deep as they are
//! many, and records of the next epoch. A worker's stack must not be theirs to exhaust, nor its memory and time.

use super::super::dtls::{HANDSHAKE, HEADER};

/// The header of a handshake message, or of a part of one. <https://www.rfc-editor.org/rfc/rfc6347#section-4.2.2>
const PART_HEADER: usize = 12;

/// Records, and parts of handshake messages. A peer's two flights are about ten; a lossy path has them sent a dozen
/// times until the session's time is up, and a chain of large certificates over a small MTU twice as many. As many
/// calls within each other take less than a tenth of a worker's stack.
const MAX_PARTS: usize = 512;

/// Bytes of all these records: 1 to 4 KB for each time that the flights are sent.
const MAX_BYTES: usize = 64 * 1024;

/// What a connection has taken in for its handshake.
#[derive(Default)]
pub(super) struct Budget {
    parts: usize,
    bytes: usize,
}

impl Budget {
    /// Whether the core may still read a datagram, which consists of whole records. It counts from then on.
    ///
    /// Once this side is done, data is no longer a part of the handshake, but the core still takes records of one: the
    /// peer may not have heard that it is over.
    pub(super) fn admits(&mut self, datagram: &[u8], is_secure: bool) -> bool {
        let (mut parts, mut bytes) = (self.parts, self.bytes);
        let mut rest = datagram;
        while let Some((header, behind)) = rest.split_first_chunk::<HEADER>() {
            let length = usize::from(u16::from_be_bytes([header[11], header[12]])).min(behind.len());
            let (record, behind) = behind.split_at(length);
            rest = behind;
            let is_handshake = header[0] == HANDSHAKE;
            if is_secure && !is_handshake {
                continue;
            }
            bytes += HEADER + record.len();
            parts += match (is_handshake, &header[3..5]) {
                (false, _) => 1,
                (true, [0, 0]) => parts_of(record),
                // Encrypted: no more than have room in it.
                (true, _) => record.len().div_ceil(PART_HEADER).max(1),
            };
        }
        let is_within = parts <= MAX_PARTS && bytes <= MAX_BYTES;
        if is_within {
            *self = Self { parts, bytes };
        }
        is_within
    }
}

/// The parts of handshake messages that the core finds in a record. It goes by the length of the whole message, not by
/// that of the part.
fn parts_of(mut record: &[u8]) -> usize {
    let mut parts = 1;
    while let Some((header, behind)) = record.split_first_chunk::<PART_HEADER>() {
        let length = u32::from_be_bytes([0, header[1], header[2], header[3]]);
        let length = usize::try_from(length).map_or(behind.len(), |length| length.min(behind.len()));
        record = &behind[length..];
        parts += usize::from(!record.is_empty());
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{
        super::{
            Settings,
            dtls::Dtls,
            packets::{handshake_part, handshake_record},
        },
        *,
    };

    const CHANGE_CIPHER_SPEC: u8 = 20;
    const APPLICATION_DATA: u8 = 23;

    fn record(kind: u8, epoch: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        let header = [kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 9, length[0], length[1]];
        [&header[..], content].concat()
    }

    fn admitted(datagram: &[u8], is_secure: bool) -> usize {
        let mut budget = Budget::default();
        (0..100_000).take_while(|_| budget.admits(datagram, is_secure)).count()
    }

    #[test]
    fn parts_of_handshake_messages_are_counted_in_one_record_as_in_many() {
        let one = handshake_record(0, &handshake_part(1, 2));
        assert_eq!(admitted(&one, false), MAX_PARTS);
        assert_eq!(admitted(&one, true), MAX_PARTS);
        let many = handshake_record(0, &handshake_part(1, 0).repeat(64));
        assert_eq!(admitted(&many, false), MAX_PARTS / 64);
        assert_eq!(admitted(&many, true), MAX_PARTS / 64);
        let encrypted = record(HANDSHAKE, 1, &[0; 64 * PART_HEADER]);
        assert_eq!(admitted(&encrypted, false), MAX_PARTS / 64);
        assert_eq!(admitted(&encrypted, true), MAX_PARTS / 64);
    }

    #[test]
    fn what_waits_for_the_handshake_is_bounded_in_number_and_bytes() {
        for (kind, epoch) in [(CHANGE_CIPHER_SPEC, 0), (APPLICATION_DATA, 1), (HANDSHAKE, 0)] {
            assert_eq!(admitted(&record(kind, epoch, &[1]), false), MAX_PARTS);
        }
        let large = record(APPLICATION_DATA, 1, &[7; 1200]);
        assert_eq!(admitted(&large, false), MAX_BYTES / large.len());
    }

    #[test]
    fn data_is_not_counted_once_the_handshake_is_done() {
        assert_eq!(admitted(&record(APPLICATION_DATA, 1, &[7; 1200]), true), 100_000);
    }

    #[test]
    fn a_refused_datagram_leaves_room_for_a_smaller_one() {
        let mut budget = Budget::default();
        let record = record(APPLICATION_DATA, 1, &[7; 10_000]);
        assert!(!budget.admits(&record.repeat(7), false));
        assert!(budget.admits(&record.repeat(6), false));
        assert!(!budget.admits(&record, false));
    }

    #[test]
    fn a_message_in_very_many_parts_is_given_up_before_it_exhausts_the_stack() {
        // In records of one part, and of many, of which the core finds the next by the length of the message.
        for (packed, length) in [(1, 100_000), (50, 0)] {
            let now = Instant::now();
            let mut dtls = Dtls::new(&Settings::new(65_536).unwrap(), Vec::new()).unwrap();
            dtls.start(now).unwrap();
            let mut read = 0;
            for (sequence, number) in (0..).zip((1..=60_000 / packed).chain([0])) {
                let parts: Vec<u8> =
                    (0..packed).flat_map(|part| handshake_part(number * packed + part, length)).collect();
                let record = handshake_record(sequence, &parts);
                read += usize::from(dtls.receive(now, record).is_ok()) * usize::try_from(packed).unwrap();
            }
            assert!((MAX_PARTS / 2..=MAX_PARTS).contains(&read), "{read}");
            assert!(dtls.is_swamped());
        }
    }
}
