//! What the demultiplexer reads off a STUN message (RFC 8489) before any session has checked it: bounds are
//! checked here, integrity is not.

const HEADER: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_INDICATION: u16 = 0x0011;
const USERNAME: u16 = 0x0006;
const USE_CANDIDATE: u16 = 0x0025;
const ICE_CONTROLLED: u16 = 0x8029;

/// A datagram that has the shape of a STUN message.
#[derive(Clone, Copy)]
pub(super) struct Stun<'a>(&'a [u8]);

impl<'a> Stun<'a> {
    /// `None` if the datagram is not STUN (RFC 7983, 7 and RFC 8489, 5).
    pub(super) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let header = datagram.get(..HEADER)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let is_stun = header[0] < 4 && header[4..8] == MAGIC_COOKIE && datagram.len() == HEADER + length;
        is_stun.then_some(Self(datagram))
    }

    pub(super) fn is_request(self) -> bool {
        self.message_type() == BINDING_REQUEST
    }

    pub(super) fn is_success(self) -> bool {
        self.message_type() == BINDING_SUCCESS
    }

    /// What a reply has in common with its request.
    pub(super) fn transaction(self) -> [u8; 12] {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.0[8..HEADER]);
        transaction
    }

    /// The receiver's user name fragment: USERNAME up to its colon (RFC 8445, 7.2.2).
    pub(super) fn ufrag(self) -> Option<&'a str> {
        let username = std::str::from_utf8(self.attribute(USERNAME)?).ok()?;
        username.split_once(':').map(|(receiver, _)| receiver)
    }

    /// Whether the sender nominates the pair (RFC 8445, 7.1.2).
    pub(super) fn uses_candidate(self) -> bool {
        self.attribute(USE_CANDIDATE).is_some()
    }

    /// Whether the sender says that it is the controlled agent (RFC 8445, 7.1.3).
    pub(super) fn is_controlled(self) -> bool {
        self.attribute(ICE_CONTROLLED).is_some()
    }

    fn message_type(self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    fn attribute(self, wanted: u16) -> Option<&'a [u8]> {
        let mut rest = &self.0[HEADER..];
        while let Some((&[t0, t1, l0, l1], values)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            if u16::from_be_bytes([t0, t1]) == wanted {
                return values.get(..length);
            }
            rest = values.get(length.next_multiple_of(4)..)?;
        }
        None
    }
}

/// A Binding indication (RFC 8445, 11): it asks for nothing, but an address without a listener gives itself
/// away by an ICMP error.
pub(super) fn indication(transaction: [u8; 12]) -> [u8; HEADER] {
    let mut message = [0; HEADER];
    message[..2].copy_from_slice(&BINDING_INDICATION.to_be_bytes());
    message[4..8].copy_from_slice(&MAGIC_COOKIE);
    message[8..].copy_from_slice(&transaction);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = indication([7; 12]).to_vec();
        message[1] = 1;
        for (kind, value) in attributes {
            message.extend(kind.to_be_bytes());
            message.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            message.extend(*value);
            message.resize(message.len().next_multiple_of(4), 0);
        }
        let length = u16::try_from(message.len() - HEADER).unwrap();
        message[2..4].copy_from_slice(&length.to_be_bytes());
        message
    }

    #[test]
    fn the_receivers_ufrag_and_the_nomination_are_found_behind_padding() {
        let message = request(&[(ICE_CONTROLLED, b"x"), (USERNAME, b"mine:theirs"), (USE_CANDIDATE, b"")]);
        let stun = Stun::parse(&message).unwrap();
        assert!(stun.is_request() && !stun.is_success());
        assert_eq!(stun.ufrag(), Some("mine"));
        assert!(stun.uses_candidate());
        assert!(stun.is_controlled());
        let other = request(&[(USERNAME, b"a:b")]);
        let other = Stun::parse(&other).unwrap();
        assert!(!other.uses_candidate() && !other.is_controlled());
    }

    #[test]
    fn a_value_that_looks_like_an_attribute_is_not_one() {
        let message = request(&[(USERNAME, &[0x00, 0x25, 0x00, 0x00])]);
        assert!(!Stun::parse(&message).unwrap().uses_candidate());
    }

    #[test]
    fn every_truncation_is_refused_or_read_within_its_bounds() {
        let whole = request(&[(USERNAME, b"mine:theirs"), (USE_CANDIDATE, b"")]);
        for length in 0..whole.len() {
            assert!(Stun::parse(&whole[..length]).is_none(), "{length}");
            // The same cut with a header that claims it is all there.
            let mut cut = whole[..length].to_vec();
            if let Some(claimed) = length.checked_sub(HEADER) {
                cut[2..4].copy_from_slice(&u16::try_from(claimed).unwrap().to_be_bytes());
                let stun = Stun::parse(&cut).unwrap();
                let _ = (stun.ufrag(), stun.uses_candidate());
            }
        }
    }

    #[test]
    fn dtls_and_garbage_are_not_stun() {
        assert!(Stun::parse(&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_none());
        assert!(Stun::parse(&[0; 20]).is_none());
        assert!(Stun::parse(b"").is_none());
    }
}
