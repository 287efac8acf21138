//! What changes of an ICE session after the offer and the answer: new candidates, or new credentials (RFC 8840, 9).

use std::{fmt, str::FromStr};

use crate::Candidate;

/// A fragment of an SDP, `application/trickle-ice-sdpfrag`: the body of a `PATCH` to a session (RFC 9725, 4.3).
///
/// ```
/// # use hola_webrtc_protocol::SdpFragment;
/// let fragment: SdpFragment = "a=ice-ufrag:sXP5\r\na=ice-pwd:7m8BnJuxq5jPxQFzYSVoJfCk\r\n\
///     m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n\
///     a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n".parse()?;
/// assert_eq!(fragment.mid.as_deref(), Some("0"));
/// assert_eq!(fragment.candidates.len(), 1);
/// # Ok::<(), hola_webrtc_protocol::SdpFragmentError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SdpFragment {
    /// The user name fragment of the ICE session that the candidates belong to.
    pub ufrag: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// The identification tag of the media section; a data-channel session has one.
    pub mid: Option<String>,
    /// The candidates found.
    pub candidates: Vec<Candidate>,
    /// Whether no more follow.
    pub end_of_candidates: bool,
}

/// The text is no SDP fragment. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpFragmentError {
    /// A line is not of the form `<letter>=<value>`.
    #[error("line {line} is none of an SDP: expected <letter>=<value>")]
    Line {
        /// Its number.
        line: usize,
    },
    /// A user name fragment is not 4 to 256 letters, digits, `+` or `/` (RFC 8839, 5.4).
    #[error("line {line}: an ice-ufrag has 4 to 256 letters, digits, + or /")]
    Ufrag {
        /// The number of the line.
        line: usize,
    },
    /// A password is not 22 to 256 letters, digits, `+` or `/` (RFC 8839, 5.4).
    #[error("line {line}: an ice-pwd has 22 to 256 letters, digits, + or /")]
    Password {
        /// The number of the line.
        line: usize,
    },
    /// A candidate is malformed.
    #[error("line {line}: {source}")]
    Candidate {
        /// The number of the line.
        line: usize,
        /// What it should be.
        source: crate::CandidateError,
    },
    /// A second `ice-ufrag`, `ice-pwd` or `mid` differs from the first.
    #[error("line {line}: a second {name} contradicts the first")]
    Contradiction {
        /// The number of the line.
        line: usize,
        /// The attribute.
        name: &'static str,
    },
    /// There is a user name fragment without a password, or a password without a user name fragment.
    #[error("ice-ufrag and ice-pwd belong together: one is missing")]
    HalfCredentials,
}

impl SdpFragment {
    /// The media type.
    pub const MEDIA_TYPE: &str = "application/trickle-ice-sdpfrag";
}

/// Lines may end in CR LF, LF or CR. Attributes that have nothing to do with it are passed over (RFC 8840, 9).
/// Candidates are also taken where no `m=` line precedes them.
impl FromStr for SdpFragment {
    type Err = SdpFragmentError;

    fn from_str(text: &str) -> Result<Self, SdpFragmentError> {
        let mut fragment = Self::default();
        for (line, text) in numbered_lines(text) {
            if !matches!(text.as_bytes(), [b'a'..=b'z', b'=', ..]) {
                return Err(SdpFragmentError::Line { line });
            }
            let Some(attribute) = text.strip_prefix("a=") else { continue };
            match attribute.split_once(':').unwrap_or((attribute, "")) {
                ("ice-ufrag", value) if !is_ice_text(value, 4) => {
                    return Err(SdpFragmentError::Ufrag { line });
                }
                ("ice-pwd", value) if !is_ice_text(value, 22) => {
                    return Err(SdpFragmentError::Password { line });
                }
                ("ice-ufrag", value) => set(&mut fragment.ufrag, value, line, "ice-ufrag")?,
                ("ice-pwd", value) => set(&mut fragment.password, value, line, "ice-pwd")?,
                ("mid", value) => set(&mut fragment.mid, value, line, "mid")?,
                ("candidate", _) => {
                    let candidate = attribute.parse();
                    let candidate =
                        candidate.map_err(|source| SdpFragmentError::Candidate { line, source })?;
                    fragment.candidates.push(candidate);
                }
                ("end-of-candidates", _) => fragment.end_of_candidates = true,
                _ => {}
            }
        }
        if fragment.ufrag.is_some() != fragment.password.is_some() {
            return Err(SdpFragmentError::HalfCredentials);
        }
        Ok(fragment)
    }
}

/// Lines end in CR LF. The candidates stand under the media section of a data channel.
impl fmt::Display for SdpFragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ufrag, password, mid, candidates, end_of_candidates } = self;
        for (name, value) in [("ice-ufrag", ufrag), ("ice-pwd", password)] {
            if let Some(value) = value {
                write!(f, "a={name}:{value}\r\n")?;
            }
        }
        f.write_str("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n")?;
        if let Some(mid) = mid {
            write!(f, "a=mid:{mid}\r\n")?;
        }
        candidates.iter().try_for_each(|candidate| write!(f, "a={candidate}\r\n"))?;
        if *end_of_candidates { f.write_str("a=end-of-candidates\r\n") } else { Ok(()) }
    }
}

/// The lines that are not empty, without blanks at their ends, each with its number.
fn numbered_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // A CR LF must not count as two.
    let lines = text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'));
    (1..).zip(lines.map(|line| line.trim_end_matches([' ', '\t']))).filter(|(_, line)| !line.is_empty())
}

/// Whether the text has at least this many, and at most 256, of RFC 8839's `ice-char`.
fn is_ice_text(text: &str, least: usize) -> bool {
    (least..=256).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn set(
    field: &mut Option<String>,
    value: &str,
    line: usize,
    name: &'static str,
) -> Result<(), SdpFragmentError> {
    match field {
        Some(first) if first != value => Err(SdpFragmentError::Contradiction { line, name }),
        Some(_) => Ok(()),
        None => {
            *field = Some(value.to_owned());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9725, figure 4, cut to one candidate.
    const TRICKLE: &str = "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:EsAw\r\n\
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
        a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n\
        a=end-of-candidates\r\n";

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let fragment: SdpFragment = TRICKLE.parse().unwrap();
        assert_eq!(fragment.ufrag.as_deref(), Some("EsAw"));
        assert_eq!(fragment.password.as_deref(), Some("P2uYro0UCOQ4zxjKXaWCBui1"));
        assert_eq!(fragment.mid.as_deref(), Some("0"));
        assert_eq!(fragment.candidates[0].port, 61764);
        assert!(fragment.end_of_candidates);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let full: SdpFragment = TRICKLE.parse().unwrap();
        let bare = SdpFragment { candidates: full.candidates.clone(), ..SdpFragment::default() };
        for fragment in [full, bare, SdpFragment::default()] {
            assert_eq!(fragment.to_string().parse(), Ok(fragment));
        }
    }

    #[test]
    fn lines_may_end_oddly() {
        let expected: SdpFragment = TRICKLE.parse().unwrap();
        for odd in [
            TRICKLE.replace("\r\n", "\n"),
            TRICKLE.replace("\r\n", "\r"),
            TRICKLE.replace("\r\n", "\r\n\r\n"),
            TRICKLE.replace("\r\n", "\n\r"),
            TRICKLE.replace("\r\n", " \t\r\n"),
            TRICKLE.trim_end().to_owned(),
            format!("\n\n{TRICKLE}\r\r"),
        ] {
            assert_eq!(odd.parse().as_ref(), Ok(&expected), "{odd:?}");
        }
    }

    #[test]
    fn a_fault_names_its_line() {
        use SdpFragmentError::*;
        let long = "x".repeat(257);
        for (text, error) in [
            ("candidate:1 1 udp 1 192.0.2.1 9 typ host", Line { line: 1 }),
            ("a=mid:0\r\n\r\nhello", Line { line: 3 }),
            ("a=mid:0\rA=mid:0", Line { line: 2 }),
            (" a=mid:0", Line { line: 1 }),
            ("\0", Line { line: 1 }),
            ("{\"candidate\":\"\"}", Line { line: 1 }),
            ("a=ice-ufrag:abc", Ufrag { line: 1 }),
            ("a=ice-ufrag", Ufrag { line: 1 }),
            ("a=ice-ufrag:ab:cd", Ufrag { line: 1 }),
            ("\na=ice-ufrag:abcñ", Ufrag { line: 2 }),
            (&format!("a=ice-ufrag:{long}"), Ufrag { line: 1 }),
            ("a=ice-pwd:012345678901234567890", Password { line: 1 }),
            ("a=mid:0\na=mid:1", Contradiction { line: 2, name: "mid" }),
            ("a=ice-ufrag:abcd\na=ice-ufrag:abce", Contradiction { line: 2, name: "ice-ufrag" }),
            ("a=ice-ufrag:abcd", HalfCredentials),
            ("a=ice-pwd:0123456789012345678901", HalfCredentials),
        ] {
            assert_eq!(text.parse::<SdpFragment>(), Err(error), "{text:?}");
        }
        let error = "a=mid:0\r\na=candidate:nonsense".parse::<SdpFragment>().unwrap_err();
        assert!(error.to_string().starts_with("line 2: not a candidate attribute"), "{error}");
    }

    #[test]
    fn an_empty_text_is_an_empty_fragment() {
        assert_eq!("".parse(), Ok(SdpFragment::default()));
        assert_eq!("\r\n".parse(), Ok(SdpFragment::default()));
    }
}
