//! The browser's events: each goes into the trace, and wakes who waits.

use std::rc::Rc;

use hola_webrtc_protocol::{StateMachine, Step, TraceData};
use wasm_bindgen::JsCast;
use web_sys::{Event, EventTarget, RtcDataChannel};

use crate::{object, peer::Peer};

/// What a peer connection tells.
pub(crate) const PEER_CONNECTION: &[&str] = &[
    "signalingstatechange",
    "icegatheringstatechange",
    "iceconnectionstatechange",
    "connectionstatechange",
    "icecandidate",
    "icecandidateerror",
    "datachannel",
];

/// What the transports below it tell.
pub(crate) const TRANSPORT: &[&str] = &["statechange"];

/// What a channel tells of its state. Not every browser says that it is closing.
pub(crate) const CHANNEL: &[&str] = &["open", "closing", "close"];

/// Takes up an event of any of them.
pub(crate) fn happened(peer: &Rc<Peer>, event: &Event) {
    let target: EventTarget = object::property(event, "target").unchecked_into();
    let (machine, property) = match &*object::text(event, "type").unwrap_or_default() {
        "signalingstatechange" => (StateMachine::Signaling, "signalingState"),
        "icegatheringstatechange" => (StateMachine::IceGathering, "iceGatheringState"),
        "iceconnectionstatechange" => (StateMachine::IceConnection, "iceConnectionState"),
        "connectionstatechange" => (StateMachine::Connection, "connectionState"),
        // The two transports have an event of the same name. Only DTLS stands on another one, that of ICE.
        "statechange" if object::property(&target, "iceTransport").is_undefined() => {
            (StateMachine::SctpTransport, "state")
        }
        "statechange" => (StateMachine::DtlsTransport, "state"),
        "icecandidate" => return candidate(peer, event),
        "icecandidateerror" => return candidate_error(peer, event),
        "datachannel" => {
            return peer.take_incoming(object::property(event, "channel").unchecked_into::<RtcDataChannel>());
        }
        _ => (StateMachine::DataChannel, "readyState"),
    };
    if let Some(state) = object::text(&target, property) {
        let (step, is_closed) = (step_of(machine, &state), state == "closed");
        peer.trace().client(step, TraceData::State { machine, state });
        if machine == StateMachine::DataChannel {
            peer.channel_moved(&target, is_closed);
        }
        peer.judge();
    }
}

fn candidate(peer: &Peer, event: &Event) {
    // Without a candidate the event says that gathering is complete, which the state says as well.
    let text = object::text(&object::property(event, "candidate"), "candidate");
    if let Some(candidate) = text.and_then(|text| text.parse().ok()) {
        peer.trace().client(Step::SetLocalOffer, TraceData::Candidate { candidate });
    }
}

fn candidate_error(peer: &Peer, event: &Event) {
    let text = |name| object::text(event, name).unwrap_or_default();
    let code = object::number(event, "errorCode").and_then(object::u16).unwrap_or_default();
    let error = TraceData::CandidateError { url: text("url"), code, text: text("errorText") };
    peer.trace().client(Step::SetLocalOffer, error);
}

/// The step to which a state belongs.
fn step_of(machine: StateMachine, state: &str) -> Step {
    match (machine, state) {
        (StateMachine::Signaling, "have-local-offer") | (StateMachine::IceGathering, _) => {
            Step::SetLocalOffer
        }
        (StateMachine::Signaling, _) => Step::SetRemoteAnswer,
        (StateMachine::Connection, "connected") | (StateMachine::DtlsTransport, _) => Step::HandshakeDtls,
        (StateMachine::IceConnection | StateMachine::Connection, _) => Step::CheckConnectivity,
        (StateMachine::SctpTransport, _) => Step::AssociateSctp,
        (StateMachine::DataChannel, _) => Step::OpenChannel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_has_its_step() {
        assert_eq!(step_of(StateMachine::Signaling, "stable"), Step::SetRemoteAnswer);
        assert_eq!(step_of(StateMachine::Connection, "failed"), Step::CheckConnectivity);
        assert_eq!(step_of(StateMachine::DtlsTransport, "connecting"), Step::HandshakeDtls);
    }
}
