//! Step 8, the layers that come up on top of each other: ICE, DTLS, SCTP, the channel.

use std::{cell::Cell, rc::Rc};

use hola_webrtc_protocol::{Step, TraceData};

use crate::{ChannelState, Connection, ErrorKind, RtcError, channel_core::ChannelCore, peer::Peer};

/// A peer connection with both descriptions, whose layers come up.
pub(crate) struct Layers {
    peer: Rc<Peer>,
    channel: Rc<ChannelCore>,
    ice_was_connected: Cell<bool>,
}

impl Layers {
    pub(crate) fn new(peer: Rc<Peer>, channel: Rc<ChannelCore>) -> Self {
        Self { peer, channel, ice_was_connected: Cell::new(false) }
    }

    /// Resolves when the layer of this part of step 8 is up. An open channel says that all of them are; a failure in any of
    /// them is one here.
    pub(crate) async fn up(&self, layer: Step) -> Result<(), RtcError> {
        self.peer.changes.until(|| self.outcome(layer)).await?;
        match layer {
            Step::CheckConnectivity => {
                self.ice_was_connected.set(true);
                self.peer.observer.path_found(&self.peer);
            }
            Step::OpenChannel => self.channel_opened(),
            _ => {}
        }
        Ok(())
    }

    fn channel_opened(&self) {
        self.peer.set_open();
        let data = TraceData::Channel {
            label: self.channel.label(),
            id: self.channel.id().unwrap_or_default(),
            max_message_size: self.channel.max_message_size().unwrap_or(0),
        };
        self.peer.trace().client(Step::OpenChannel, data);
    }

    /// What the steps led to.
    pub(crate) fn into_connection(self) -> Connection {
        Connection::new(self.peer, self.channel)
    }

    /// Whether the layer is up, if that is decided.
    fn outcome(&self, layer: Step) -> Option<Result<(), RtcError>> {
        let open = self.channel.state() == ChannelState::Open;
        if open || self.is_up(layer) { Some(Ok(())) } else { self.failure().map(Err) }
    }

    fn is_up(&self, layer: Step) -> bool {
        let state = match layer {
            // A pair of candidates carries data.
            Step::CheckConnectivity => return self.peer.ice_is_connected(),
            // A browser that does not show its DTLS transport shows the sum of ICE and DTLS.
            Step::HandshakeDtls => self.peer.dtls_state().or_else(|| self.peer.state("connectionState")),
            // In a browser that does not show its SCTP transport this ends with the channel's opening.
            Step::AssociateSctp => self.peer.sctp_state(),
            _ => None,
        };
        state.as_deref() == Some("connected")
    }

    /// The lowest layer that failed.
    fn failure(&self) -> Option<RtcError> {
        use ErrorKind::{ChannelClosed, DtlsFailed, IceFailed};
        let (dtls, sctp) = (self.peer.dtls_state(), self.peer.sctp_state());
        let (dtls, sctp_closed) = (dtls.as_deref(), sctp.as_deref() == Some("closed"));
        let has_failed = |state| self.peer.state(state).as_deref() == Some("failed");
        let ice_failed = has_failed("iceConnectionState");
        let any_failed = dtls == Some("failed") || has_failed("connectionState");
        // Firefox tells of the upper layers first: it is ICE that failed if that never came up.
        let (step, kind, cause) = if ice_failed || (any_failed && !self.ice_was_connected.get()) {
            (Step::CheckConnectivity, IceFailed, "no pair of candidates reached the other side")
        } else if any_failed {
            (Step::HandshakeDtls, DtlsFailed, "the DTLS handshake failed")
        } else if sctp_closed && matches!(dtls, Some("new" | "connecting")) {
            // Chromium tells of the SCTP transport first, and of its reason later.
            (Step::HandshakeDtls, DtlsFailed, "the DTLS handshake failed")
        } else if dtls == Some("closed") {
            (Step::HandshakeDtls, ChannelClosed, "the other side closed DTLS before the channel was open")
        } else if sctp_closed {
            (Step::AssociateSctp, ChannelClosed, "the other side ended SCTP before the channel was open")
        } else if self.channel.is_closed() {
            (Step::OpenChannel, ChannelClosed, "the channel was closed before it was open")
        } else {
            return None;
        };
        Some(RtcError::new(step, kind, cause))
    }
}
