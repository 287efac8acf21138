//! What both sides read off an SDP (RFC 8866) without a full parser.

use crate::Candidate;

/// Whether there is an `m=application` section that carries data channels, over SCTP (RFC 8841).
pub fn has_data_channel(sdp: &str) -> bool {
    sdp.lines().any(|line| line.starts_with("m=application ") && line.contains("/SCTP"))
}

/// The value of the first attribute of this name, anywhere in the SDP: `attribute(sdp, "ice-ufrag")`.
pub fn attribute<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

/// The candidates that the SDP lists (RFC 8839, 5.1), without those that do not parse.
pub fn candidates(sdp: &str) -> impl Iterator<Item = Candidate> {
    sdp.lines().filter_map(|line| line.strip_prefix("a=")?.parse().ok())
}

/// The SDP without its candidates, as if gathering had only begun. The ICE options stay: they announce that
/// more candidates may follow (RFC 8840).
///
/// Lines end at each CR and LF, and white space before a value does not count, because there are parsers that
/// see it so: what any of them takes for a candidate is left out.
pub fn without_candidates(sdp: &str) -> String {
    let is_candidate = |line: &&str| {
        let value = line.strip_prefix("a=").map(str::trim_start);
        value.is_some_and(|value| value.starts_with("candidate") || value.starts_with("end-of-candidates"))
    };
    let lines = sdp.split(['\r', '\n']).filter(|line| !line.is_empty());
    lines.filter(|line| !is_candidate(line)).flat_map(|line| [line, "\r\n"]).collect()
}

/// The SDP with other ICE credentials (RFC 8839, 5.4), as in an offer that restarts ICE.
pub fn with_credentials(sdp: &str, ufrag: &str, password: &str) -> String {
    let replaced = |line: &str| {
        if line.starts_with("a=ice-ufrag:") {
            format!("a=ice-ufrag:{ufrag}\r\n")
        } else if line.starts_with("a=ice-pwd:") {
            format!("a=ice-pwd:{password}\r\n")
        } else {
            format!("{line}\r\n")
        }
    };
    sdp.lines().map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\na=ice-ufrag:abcd\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
        a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\na=candidate:nonsense\r\n\
        a=end-of-candidates\r\na=sctp-port:5000\r\n";

    #[test]
    fn attributes_and_candidates_are_found() {
        assert!(has_data_channel(SDP));
        assert!(!has_data_channel("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"));
        assert_eq!(attribute(SDP, "ice-ufrag"), Some("abcd"));
        assert_eq!(attribute(SDP, "ice-pwd"), None);
        assert_eq!(candidates(SDP).map(|candidate| candidate.address).collect::<Vec<_>>(), ["192.0.2.1"]);
    }

    #[test]
    fn oddly_spelt_candidates_are_removed_too() {
        for odd in ["\ra=candidate:1", "a= candidate:1", "a=\tcandidate:1", "a=mid:0\ra=candidate:1\r"] {
            assert!(!without_candidates(&format!("{SDP}{odd}\n")).contains("candidate:1"), "{odd:?}");
        }
    }

    #[test]
    fn other_credentials_change_nothing_else() {
        let sdp = SDP.replace("m=app", "a=ice-pwd:old\r\nm=app");
        let restarted = with_credentials(&sdp, "new", "secret");
        assert_eq!(restarted, sdp.replace(":abcd", ":new").replace("ice-pwd:old", "ice-pwd:secret"));
    }

    #[test]
    fn removing_the_candidates_leaves_every_other_byte() {
        assert_eq!(
            without_candidates(SDP),
            "v=0\r\na=ice-ufrag:abcd\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\n"
        );
    }
}
