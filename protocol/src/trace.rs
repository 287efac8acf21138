//! What happened in a negotiation, and when: the events that the page draws and a bug report carries.

use serde::{Deserialize, Serialize};

use crate::{Candidate, SessionDescription, SessionId, Side, Step};

/// The layer in which something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Making, sending or accepting descriptions.
    Signalling,
    /// Finding a path between the peers.
    Ice,
    /// Agreeing on keys.
    Dtls,
    /// The association inside DTLS.
    Sctp,
    /// The channel itself.
    Channel,
}

impl Phase {
    /// As it stands on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signalling => "signalling",
            Self::Ice => "ice",
            Self::Dtls => "dtls",
            Self::Sctp => "sctp",
            Self::Channel => "channel",
        }
    }

    /// The layer that a step belongs to.
    pub const fn of(step: Step) -> Self {
        match step {
            Step::CheckConnectivity => Self::Ice,
            Step::HandshakeDtls => Self::Dtls,
            Step::AssociateSctp => Self::Sctp,
            Step::OpenChannel => Self::Channel,
            _ => Self::Signalling,
        }
    }
}

/// The state machines of a peer connection, by the W3C's names without the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateMachine {
    /// `RTCPeerConnection.signalingState`.
    Signaling,
    /// `RTCPeerConnection.iceGatheringState`.
    IceGathering,
    /// `RTCPeerConnection.iceConnectionState`.
    IceConnection,
    /// `RTCPeerConnection.connectionState`.
    Connection,
    /// `RTCDtlsTransport.state`.
    DtlsTransport,
    /// `RTCSctpTransport.state`.
    SctpTransport,
    /// `RTCDataChannel.readyState`.
    DataChannel,
}

impl StateMachine {
    /// As it stands on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signaling => "signaling",
            Self::IceGathering => "ice-gathering",
            Self::IceConnection => "ice-connection",
            Self::Connection => "connection",
            Self::DtlsTransport => "dtls-transport",
            Self::SctpTransport => "sctp-transport",
            Self::DataChannel => "data-channel",
        }
    }
}

/// An event of the trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// The step it belongs to.
    pub step: Step,
    /// Who acted, or whose state changed.
    pub side: Side,
    /// Milliseconds since the negotiation began, on a clock that never goes back.
    pub at: f64,
    /// What happened.
    #[serde(flatten)]
    pub data: TraceData,
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TraceData {
    /// The step began.
    Began,
    /// The step ended well.
    Done {
        /// How long it took, in milliseconds.
        took: f64,
    },
    /// A description was made or received.
    Description {
        /// The offer or the answer.
        description: SessionDescription,
    },
    /// A candidate of this side became known.
    Candidate {
        /// The candidate.
        candidate: Candidate,
    },
    /// A STUN or TURN server did not give a candidate.
    CandidateError {
        /// The server's URL.
        url: String,
        /// The STUN error code, or 701 if the server could not be reached.
        code: u16,
        /// The server's words.
        text: String,
    },
    /// A state machine moved.
    State {
        /// Which one.
        machine: StateMachine,
        /// Its new state, in the W3C's words.
        state: String,
    },
    /// The offer left.
    Request {
        /// The URL it was posted to.
        url: String,
        /// The length of the body in bytes.
        bytes: u32,
    },
    /// The server replied.
    Response {
        /// The HTTP status.
        status: u16,
        /// The session, if the server names one.
        session: Option<SessionId>,
    },
    /// ICE chose a pair.
    CandidatePair {
        /// This side's candidate. Boxed, because the events of other kinds would be as large.
        local: Box<Candidate>,
        /// The other side's.
        remote: Box<Candidate>,
    },
    /// The channel is open.
    Channel {
        /// Its label.
        label: String,
        /// Its stream number.
        id: u16,
        /// The largest message that the other side takes, in bytes; 0 stands for no limit.
        max_message_size: u32,
    },
    /// A channel was closed.
    ChannelClosed {
        /// Its stream number.
        id: u16,
        /// The stable name of the reason.
        reason: String,
    },
    /// The connection is gone, and another attempt at one is going to be made.
    Attempt {
        /// Its number, from one on.
        number: u32,
        /// How long it waits, in milliseconds.
        wait: f64,
    },
    /// The step failed; nothing follows.
    Failed {
        /// The layer.
        phase: Phase,
        /// What was wrong, for a person.
        message: String,
    },
    /// The connection was closed.
    Closed {
        /// Who closed it.
        by: Side,
        /// Why, if that side says so: the stable name of the reason, or the words of the server's program.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl TraceData {
    /// What happened, as it stands on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Done { .. } => "done",
            Self::Description { .. } => "description",
            Self::Candidate { .. } => "candidate",
            Self::CandidateError { .. } => "candidate-error",
            Self::State { .. } => "state",
            Self::Request { .. } => "request",
            Self::Response { .. } => "response",
            Self::CandidatePair { .. } => "candidate-pair",
            Self::Channel { .. } => "channel",
            Self::ChannelClosed { .. } => "channel-closed",
            Self::Attempt { .. } => "attempt",
            Self::Failed { .. } => "failed",
            Self::Closed { .. } => "closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_name_is_the_one_that_travels() {
        use Phase::{Channel, Dtls, Ice, Sctp, Signalling};
        use StateMachine::{
            Connection, DataChannel, DtlsTransport, IceConnection, IceGathering, SctpTransport, Signaling,
        };
        for phase in [Signalling, Ice, Dtls, Sctp, Channel] {
            assert_eq!(json!(phase), phase.name());
        }
        for machine in
            [Signaling, IceGathering, IceConnection, Connection, DtlsTransport, SctpTransport, DataChannel]
        {
            assert_eq!(json!(machine), machine.name());
        }
        for side in [Side::Client, Side::Server] {
            assert_eq!(json!(side), side.name());
        }
        let candidate: Candidate = "candidate:1 1 udp 1 192.0.2.1 9 typ host".parse().unwrap();
        for data in [
            TraceData::Began,
            TraceData::Done { took: 1.0 },
            TraceData::Description { description: SessionDescription::answer("v=0") },
            TraceData::Candidate { candidate: candidate.clone() },
            TraceData::CandidateError { url: String::new(), code: 701, text: String::new() },
            TraceData::State { machine: Signaling, state: String::new() },
            TraceData::Request { url: String::new(), bytes: 1 },
            TraceData::Response { status: 201, session: None },
            TraceData::CandidatePair { local: Box::new(candidate.clone()), remote: Box::new(candidate) },
            TraceData::Channel { label: String::new(), id: 1, max_message_size: 0 },
            TraceData::ChannelClosed { id: 1, reason: String::new() },
            TraceData::Attempt { number: 1, wait: 2.5 },
            TraceData::Failed { phase: Ice, message: String::new() },
            TraceData::Closed { by: Side::Server, reason: None },
        ] {
            assert_eq!(json!(data)["event"], data.name());
        }
    }

    #[test]
    fn an_event_travels_flat() {
        let event = TraceEvent {
            step: Step::CheckConnectivity,
            side: Side::Client,
            at: 12.5,
            data: TraceData::State { machine: StateMachine::IceConnection, state: "checking".to_owned() },
        };
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"step":"8a","side":"client","at":12.5,"event":"state","machine":"ice-connection","state":"checking"}"#
        );
        assert_eq!(serde_json::from_str::<TraceEvent>(&json).unwrap(), event);
    }
}
