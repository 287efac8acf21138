//! Why a connection did not come up, or went away.

use std::{borrow::Cow, fmt, time::Duration};

use hola_webrtc_protocol::{Phase, Problem, Step, TraceData};
use wasm_bindgen::JsValue;

use crate::sys;

/// A failure: in which layer and step, of which kind, why, and what to do about it.
///
/// `Display` gives the cause in English.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RtcError {
    /// The layer that failed.
    pub phase: Phase,
    /// The step that failed.
    pub step: Step,
    /// What a program may act upon.
    pub kind: ErrorKind,
    /// In seconds; 0 if the server does not say. So it takes no room of its own.
    pub(crate) retry_after: u16,
    cause: Cow<'static, str>,
}

/// The kinds of failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL does not parse, or is neither `https` nor `http`.
    InvalidUrl,
    /// The browser has no `RTCPeerConnection`, or it is switched off.
    Unsupported,
    /// The request found no server: it is down, its name is unknown, its certificate is not accepted, or it
    /// does not allow this page's origin. Browsers do not tell which.
    ServerUnreachable,
    /// The server refused the offer and said why.
    Refused(Box<Problem>),
    /// The server replied with something else than an answer or a problem.
    UnexpectedReply {
        /// The HTTP status.
        status: u16,
    },
    /// The reply holds no answer, or one that the browser does not accept.
    BadAnswer,
    /// The deadline passed; the phase tells in which layer.
    Timeout,
    /// No path between the peers.
    IceFailed,
    /// The peers could not agree on keys, or the certificate is not the one of the answer.
    DtlsFailed,
    /// The other side closed the channel, or its association, before it was open.
    ChannelClosed,
    /// The connection was open and went away: nothing came any more.
    Lost,
    /// The browser refused a call, in its own words.
    Js,
}

impl ErrorKind {
    /// A stable name, as in `server-unreachable`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InvalidUrl => "invalid-url",
            Self::Unsupported => "unsupported",
            Self::ServerUnreachable => "server-unreachable",
            Self::Refused(_) => "refused",
            Self::UnexpectedReply { .. } => "unexpected-reply",
            Self::BadAnswer => "bad-answer",
            Self::Timeout => "timeout",
            Self::IceFailed => "ice-failed",
            Self::DtlsFailed => "dtls-failed",
            Self::ChannelClosed => "channel-closed",
            Self::Lost => "lost",
            Self::Js => "js",
        }
    }
}

impl RtcError {
    /// A failure of this step, with its cause in a sentence without a full stop.
    pub fn new(step: Step, kind: ErrorKind, cause: impl Into<Cow<'static, str>>) -> Self {
        Self { phase: Phase::of(step), step, kind, retry_after: 0, cause: cause.into() }
    }

    /// The browser threw this, or rejected a promise with it.
    pub(crate) fn js(step: Step, thrown: &JsValue) -> Self {
        Self::new(step, ErrorKind::Js, sys::describe(thrown))
    }

    /// What [`Display`](fmt::Display) gives. Formatting machinery weighs more than all the texts.
    pub(crate) fn cause(&self) -> &str {
        &self.cause
    }

    pub(crate) fn into_cause(self) -> Cow<'static, str> {
        self.cause
    }

    /// As the trace tells it.
    pub(crate) fn trace_data(&self) -> TraceData {
        TraceData::Failed { phase: self.phase, message: self.cause().to_owned() }
    }

    /// What to do about it, for a person, in English.
    pub fn hint(&self) -> &str {
        match &self.kind {
            ErrorKind::InvalidUrl => "Give the server's address as in https://localhost:8443.",
            ErrorKind::Unsupported => "Use a browser with WebRTC that no extension switches off.",
            ErrorKind::ServerUnreachable => {
                "Check that the server runs, that this browser accepts its certificate (open its address in a tab), \
                 and that it allows this page's origin."
            }
            ErrorKind::Refused(problem) => &problem.detail,
            ErrorKind::UnexpectedReply { .. } => "Check that the address is a hola-webrtc server's.",
            ErrorKind::BadAnswer => "Check that the server speaks POST /offer, and see its log.",
            ErrorKind::Timeout if self.phase == Phase::Signalling => {
                "Check the server's load and the network."
            }
            ErrorKind::Timeout | ErrorKind::IceFailed => {
                "Check that UDP reaches the server at the address and port it announces."
            }
            ErrorKind::DtlsFailed => "Check that nothing on the way changes the answer or the packets.",
            ErrorKind::ChannelClosed => "See the server's log; it may be stopping.",
            ErrorKind::Lost => "Check the network and the server, and connect again.",
            ErrorKind::Js => "The cause is in the browser's own words.",
        }
    }

    /// How long the server asks to stay away
    /// ([RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)), if it says so in seconds.
    pub fn retry_after(&self) -> Option<Duration> {
        (self.retry_after > 0).then(|| Duration::from_secs(self.retry_after.into()))
    }

    /// Whether the same call may succeed later.
    pub const fn retryable(&self) -> bool {
        match &self.kind {
            ErrorKind::ServerUnreachable
            | ErrorKind::Timeout
            | ErrorKind::IceFailed
            | ErrorKind::DtlsFailed
            | ErrorKind::ChannelClosed
            | ErrorKind::Lost => true,
            ErrorKind::Refused(problem) => matches!(problem.status, 408 | 429 | 500..),
            ErrorKind::UnexpectedReply { status } => *status >= 500,
            ErrorKind::InvalidUrl | ErrorKind::Unsupported | ErrorKind::BadAnswer | ErrorKind::Js => false,
        }
    }
}

impl fmt::Display for RtcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for RtcError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Refused(problem) => Some(&**problem),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use hola_webrtc_protocol::ProblemCode;

    use super::*;

    #[test]
    fn a_refusal_hints_at_what_the_server_said_and_is_retryable_only_if_it_passes() {
        let refused = |code| {
            let problem = Problem::new(code, "come back later");
            RtcError::new(
                Step::SendOffer,
                ErrorKind::Refused(Box::new(problem)),
                "the server refused the offer",
            )
        };
        assert_eq!(refused(ProblemCode::Unavailable).hint(), "come back later");
        assert!(refused(ProblemCode::Unavailable).retryable());
        assert!(!refused(ProblemCode::BadSdp).retryable());
    }

    #[test]
    fn the_layer_follows_from_the_step() {
        assert_eq!(RtcError::new(Step::HandshakeDtls, ErrorKind::Timeout, "").phase, Phase::Dtls);
        assert_eq!(RtcError::new(Step::SendOffer, ErrorKind::Timeout, "").phase, Phase::Signalling);
    }
}
