//! An ICE candidate, as it stands in an SDP or in `RTCIceCandidate.candidate` (RFC 8839, 5.1).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a candidate's address comes from (RFC 8445, 5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CandidateType {
    /// An address of the host itself.
    Host,
    /// The address a STUN server saw: server reflexive.
    Srflx,
    /// The address the other peer saw: peer reflexive.
    Prflx,
    /// An address that a TURN server lends.
    Relay,
}

impl CandidateType {
    /// The word after `typ`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Srflx => "srflx",
            Self::Prflx => "prflx",
            Self::Relay => "relay",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Host, Self::Srflx, Self::Prflx, Self::Relay].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A transport address at which a peer may be reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Candidate {
    /// Equal for candidates of the same kind, base and server.
    pub foundation: String,
    /// 1 for RTP and for data channels.
    pub component: u16,
    /// `udp` or `tcp`, in lower case.
    pub transport: String,
    /// The higher, the sooner it is tried (RFC 8445, 5.1.2).
    pub priority: u32,
    /// An IP address, or an mDNS name that hides one (`….local`).
    pub address: String,
    /// The port at that address.
    pub port: u16,
    /// Where the address comes from.
    #[serde(rename = "type")]
    pub kind: CandidateType,
}

/// The text is not a candidate attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a candidate attribute: expected `candidate:<foundation> <component> <transport> <priority> <address> \
     <port> typ <host|srflx|prflx|relay>`"
)]
pub struct CandidateError;

/// How long a candidate attribute may be, extensions included. A browser's has about 150 bytes.
const MAX_LENGTH: usize = 1024;

impl FromStr for Candidate {
    type Err = CandidateError;

    fn from_str(text: &str) -> Result<Self, CandidateError> {
        fn number<T: TryFrom<u32>>(word: Option<&str>) -> Result<T, CandidateError> {
            let number: Option<u32> = word.and_then(|word| word.parse().ok());
            number.and_then(|number| number.try_into().ok()).ok_or(CandidateError)
        }
        // Each part has a length of its own: 32 for a foundation (RFC 8839, 5.1), 255 for a name. This is for all.
        if text.len() > MAX_LENGTH {
            return Err(CandidateError);
        }
        let mut words = text.strip_prefix("candidate:").ok_or(CandidateError)?.split_ascii_whitespace();
        Ok(Self {
            foundation: words.next().ok_or(CandidateError)?.to_owned(),
            component: number(words.next())?,
            transport: words.next().ok_or(CandidateError)?.to_ascii_lowercase(),
            priority: number(words.next())?,
            address: words.next().ok_or(CandidateError)?.to_owned(),
            port: number(words.next())?,
            kind: match (words.next(), words.next()) {
                (Some("typ"), Some(kind)) => CandidateType::from_name(kind).ok_or(CandidateError)?,
                _ => return Err(CandidateError),
            },
        })
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, transport, priority, address, port, kind } = self;
        let kind = kind.as_str();
        write!(f, "candidate:{foundation} {component} {transport} {priority} {address} {port} typ {kind}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_candidate_is_read_with_its_extensions_ignored() {
        let text = "candidate:842163049 1 UDP 1677729535 203.0.113.9 56000 typ srflx raddr 0.0.0.0 rport 0 \
                    generation 0 ufrag sXP5 network-cost 999";
        let candidate: Candidate = text.parse().unwrap();
        assert_eq!(candidate.kind, CandidateType::Srflx);
        assert_eq!(candidate.to_string(), "candidate:842163049 1 udp 1677729535 203.0.113.9 56000 typ srflx");
    }

    #[test]
    fn what_is_not_a_candidate_is_refused() {
        let good = "candidate:1 1 udp 1 192.0.2.1 9 typ host";
        assert!(good.parse::<Candidate>().is_ok());
        for bad in [
            "",
            "candidate:",
            "1 1 udp 1 192.0.2.1 9 typ host",
            "candidate:1 1 udp 1 192.0.2.1 9",
            "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
            "candidate:1 1 udp -1 192.0.2.1 9 typ host",
            "candidate:1 1 udp 1 192.0.2.1 9 typ magic",
            &format!("candidate:{} 1 udp 1 192.0.2.1 9 typ host", "1".repeat(MAX_LENGTH)),
        ] {
            assert_eq!(bad.parse::<Candidate>(), Err(CandidateError), "{bad:?}");
        }
    }
}
