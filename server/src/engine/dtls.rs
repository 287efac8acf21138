//! What the protocol core must not see of DTLS (RFC 6347), because it acts on it before it has checked who sent it.

/// The header of a record.
pub(super) const HEADER: usize = 13;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// The epoch of the encrypted records. There is no renegotiation in WebRTC, so none follows.
const ENCRYPTED: u16 = 1;

/// Whether the protocol core may read a datagram that is not STUN: one or more whole records, none of which a stranger
/// can harm the connection with.
///
/// - A `ChangeCipherSpec` is never encrypted. The first one comes in epoch 0; the core takes one of epoch 1 as well and
///   goes on to epoch 2, and whatever the peer sends from then on is lost.
/// - Once both sides are done with the handshake, only encrypted data and alerts may come. The core would keep up to
///   2 MB of what it takes for parts of a handshake.
pub(super) fn is_to_be_read(datagram: &[u8], is_established: bool) -> bool {
    let mut rest = datagram;
    while let Some((header, records)) = rest.split_first_chunk::<HEADER>() {
        let kind = header[0];
        let epoch = u16::from_be_bytes([header[3], header[4]]);
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let is_expected = if is_established {
            epoch == ENCRYPTED && matches!(kind, ALERT | APPLICATION_DATA)
        } else {
            kind != CHANGE_CIPHER_SPEC || epoch == 0
        };
        match records.get(length..) {
            Some(behind) if is_expected => rest = behind,
            _ => return false,
        }
    }
    rest.is_empty() && !datagram.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, length: u8) -> Vec<u8> {
        let mut record = vec![kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 9, 0, length];
        record.resize(HEADER + usize::from(length), 7);
        record
    }

    #[test]
    fn a_handshake_is_read_until_it_is_over() {
        let last_flight = [record(CHANGE_CIPHER_SPEC, 0, 1), record(HANDSHAKE, 1, 40)].concat();
        for flight in [record(HANDSHAKE, 0, 200), last_flight, record(ALERT, 0, 2)] {
            assert!(is_to_be_read(&flight, false));
            assert!(!is_to_be_read(&flight, true));
        }
        for record in [record(APPLICATION_DATA, 1, 90), record(ALERT, 1, 26)] {
            assert!(is_to_be_read(&record, true));
        }
    }

    #[test]
    fn no_cipher_is_changed_twice() {
        let change = record(CHANGE_CIPHER_SPEC, 1, 1);
        let behind = [record(APPLICATION_DATA, 1, 90), change.clone()].concat();
        assert!(!is_to_be_read(&change, false) && !is_to_be_read(&behind, false));
        assert!(!is_to_be_read(&change, true) && !is_to_be_read(&behind, true));
    }

    #[test]
    fn a_part_of_a_record_is_not_read() {
        let whole = record(APPLICATION_DATA, 1, 90);
        for length in 0..whole.len() {
            assert!(!is_to_be_read(&whole[..length], true) && !is_to_be_read(&whole[..length], false));
        }
        assert!(!is_to_be_read(&[&whole[..], &[23]].concat(), true));
    }
}
