//! The browser's events: each goes into the trace, and wakes who waits.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use gloo_events::EventListener;
use hola_webrtc_protocol::{StateMachine, Step, TraceData};
use wasm_bindgen::JsCast;
use web_sys::{EventTarget, RtcDataChannelEvent, RtcPeerConnectionIceErrorEvent, RtcPeerConnectionIceEvent};

use crate::{peer::Peer, sys};

/// The listeners of a peer connection and its transports. They deregister when dropped.
#[derive(Default)]
pub(crate) struct Listeners {
    registered: RefCell<Vec<EventListener>>,
    transports: RefCell<Transports>,
}

/// The transports below a peer connection, as far as the browser shows them.
#[derive(Clone, Default)]
pub(crate) struct Transports {
    dtls: Option<sys::DtlsTransport>,
    sctp: Option<sys::SctpTransport>,
}

impl Transports {
    pub(crate) fn dtls_state(&self) -> Option<String> {
        self.dtls.as_ref().and_then(sys::DtlsTransport::dtls_state)
    }

    pub(crate) fn sctp_state(&self) -> Option<String> {
        self.sctp.as_ref().and_then(sys::SctpTransport::state)
    }

    /// One of them was ended by the other side.
    pub(crate) fn is_closed(&self) -> bool {
        self.dtls_state().as_deref() == Some("closed") || self.sctp_state().as_deref() == Some("closed")
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.dtls_state().as_deref() == Some("failed")
    }
}

impl Listeners {
    pub(crate) fn transports(&self) -> Transports {
        self.transports.borrow().clone()
    }

    pub(crate) fn clear(&self) {
        self.registered.take();
        self.transports.take();
    }

    /// Calls `handle` for each such event, as long as the peer lives.
    fn on<T: JsCast>(
        &self,
        peer: &Rc<Peer>,
        target: &EventTarget,
        event: &'static str,
        handle: impl Fn(&Rc<Peer>, &T) + 'static,
    ) {
        let weak: Weak<Peer> = Rc::downgrade(peer);
        let listener = EventListener::new(target, event, move |event| {
            if let (Some(peer), Some(event)) = (weak.upgrade(), event.dyn_ref()) {
                handle(&peer, event);
            }
        });
        self.registered.borrow_mut().push(listener);
    }

    /// Follows a state machine.
    fn follow(
        &self,
        peer: &Rc<Peer>,
        target: &EventTarget,
        event: &'static str,
        machine: StateMachine,
        state: impl Fn(&Peer) -> Option<String> + 'static,
    ) {
        self.on::<web_sys::Event>(peer, target, event, move |peer, _| {
            if let Some(state) = state(peer) {
                moved(peer, machine, state);
            }
        });
    }
}

/// Listens to the peer connection itself.
pub(crate) fn peer_connection(peer: &Rc<Peer>) {
    let (listeners, pc) = (&peer.listeners, peer.raw());
    listeners.follow(peer, pc, "signalingstatechange", StateMachine::Signaling, |peer| {
        Some(sys::name(peer.raw().signaling_state()))
    });
    listeners.follow(peer, pc, "icegatheringstatechange", StateMachine::IceGathering, |peer| {
        Some(sys::name(peer.raw().ice_gathering_state()))
    });
    listeners.follow(peer, pc, "iceconnectionstatechange", StateMachine::IceConnection, |peer| {
        Some(sys::name(peer.raw().ice_connection_state()))
    });
    listeners.follow(peer, pc, "connectionstatechange", StateMachine::Connection, |peer| {
        Some(sys::name(peer.raw().connection_state()))
    });
    listeners.on(peer, pc, "icecandidate", |peer, event: &RtcPeerConnectionIceEvent| {
        // Without a candidate the event says that gathering is complete, which the state says as well.
        if let Some(candidate) = event.candidate().and_then(|candidate| candidate.candidate().parse().ok()) {
            peer.trace().client(Step::SetLocalOffer, TraceData::Candidate { candidate });
        }
    });
    listeners.on(peer, pc, "icecandidateerror", |peer, event: &RtcPeerConnectionIceErrorEvent| {
        let error = TraceData::CandidateError {
            url: event.url(),
            code: event.error_code(),
            text: event.error_text(),
        };
        peer.trace().client(Step::SetLocalOffer, error);
    });
    listeners.on(peer, pc, "datachannel", |peer, event: &RtcDataChannelEvent| {
        peer.take_incoming(event.channel());
    });
}

/// Listens to the transports as well, which exist once the answer is set
/// ([W3C](https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-sctp)). What a browser does not show is not missed.
pub(crate) fn transports(peer: &Rc<Peer>) {
    let Some(sctp) = peer.raw().sctp() else { return };
    let transports = Transports { dtls: sctp.transport(), sctp: Some(sctp) };
    peer.listeners.transports.replace(transports.clone());
    if let Some(dtls) = &transports.dtls {
        let state = |peer: &Peer| peer.listeners.transports().dtls_state();
        peer.listeners.follow(peer, dtls, "statechange", StateMachine::DtlsTransport, state);
    }
    if let Some(sctp) = &transports.sctp {
        let state = |peer: &Peer| peer.listeners.transports().sctp_state();
        peer.listeners.follow(peer, sctp, "statechange", StateMachine::SctpTransport, state);
    }
}

/// A state machine has moved.
pub(crate) fn moved(peer: &Rc<Peer>, machine: StateMachine, state: String) {
    let step = step_of(machine, &state);
    peer.trace().client(step, TraceData::State { machine, state });
    peer.judge();
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
