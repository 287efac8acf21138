//! Puts what is acknowledged into the packet of what is sent (RFC 9260, 6.10). rtc-sctp gives each a packet of its own,
//! which costs a datagram more for every second message that is answered.

use bytes::{Bytes, BytesMut};

use super::super::packet::seal;

const HEADER: usize = 12;

const DATA: u8 = 0;
const SACK: u8 = 3;

/// What rtc-sctp fills a packet up to: with DTLS, UDP and IPv6 around it, it fits into what every path takes.
const MAX_PACKET: usize = 1191;

/// The packets, in their order, with a selective acknowledgement in front of the data before it where it has room.
pub(super) fn bundle(mut packets: Vec<Bytes>) -> Vec<Bytes> {
    let fits = |pair: &[Bytes]| {
        let [data, sack] = pair else { return false };
        let kinds = (data.get(HEADER), sack.get(HEADER));
        kinds == (Some(&DATA), Some(&SACK)) && data.len() + sack.len() - HEADER <= MAX_PACKET
    };
    if let Some(at) = packets.windows(2).position(fits) {
        let sack = packets.remove(at + 1);
        packets[at] = join(&packets[at], &sack);
    }
    packets
}

/// Control chunks come before DATA. <https://www.rfc-editor.org/rfc/rfc9260#section-6.10>
fn join(data: &[u8], sack: &[u8]) -> Bytes {
    let mut packet = BytesMut::with_capacity(sack.len() + data.len() - HEADER);
    packet.extend_from_slice(sack);
    packet.extend_from_slice(&data[HEADER..]);
    seal(&mut packet);
    packet.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stack::packets::{BINARY, WHOLE, chunk, packet};

    const ACKNOWLEDGEMENT: [u8; 16] = [SACK, 0, 0, 16, 0, 0, 0, 7, 0, 16, 0, 0, 0, 0, 0, 0];

    fn data(tsn: u32, length: usize) -> Vec<u8> {
        chunk(WHOLE, tsn, 1, 1, BINARY, &vec![7; length])
    }

    fn whole(chunks: &[u8]) -> Bytes {
        packet(9, chunks).freeze()
    }

    fn sack() -> Bytes {
        whole(&ACKNOWLEDGEMENT)
    }

    #[test]
    fn an_acknowledgement_goes_in_front_of_the_last_data_before_it() {
        let bundled = bundle(vec![whole(&data(1, 1100)), whole(&data(2, 64)), sack()]);
        let joined = whole(&[&ACKNOWLEDGEMENT[..], &data(2, 64)].concat());
        assert_eq!(bundled, [whole(&data(1, 1100)), joined]);
    }

    #[test]
    fn it_stays_alone_where_there_is_no_room_or_no_data() {
        let full = vec![whole(&data(1, 1160)), sack()];
        assert_eq!(bundle(full.clone()), full);
        assert_eq!(bundle(vec![sack()]), [sack()]);
        assert_eq!(bundle(Vec::new()), Vec::<Bytes>::new());
    }

    #[test]
    fn a_packet_is_filled_to_the_last_byte() {
        let length = MAX_PACKET / 4 * 4 - HEADER - 16 - 16;
        assert_eq!(bundle(vec![whole(&data(1, length)), sack()]).len(), 1);
        assert_eq!(bundle(vec![whole(&data(1, length + 4)), sack()]).len(), 2);
    }
}
