//! Step 8 on the server's side: the layers come up on top of each other.

use std::{net::SocketAddr, time::Instant};

use hola_webrtc_protocol::{Candidate, CandidateType, Step, TraceData};
use rtc::peer_connection::transport::{
    RTCDtlsTransportState, RTCIceCandidate, RTCIceCandidateType, RTCSctpTransportState,
};
use tracing::info;

use super::Peer;
use crate::{metrics::SessionState, session::Closed};

impl Peer {
    /// Step 8: ICE, DTLS and SCTP come up on top of each other. Returns whether one did.
    pub(super) fn climb(&mut self, now: Instant) -> bool {
        self.select(now);
        let Some(sctp) = self.connection.sctp() else { return false };
        let dtls = sctp.transport();
        if dtls.state() == RTCDtlsTransportState::Closed {
            self.end(Closed::ByPeer);
            return false;
        }
        let Some(layer) = self.next_layer() else { return false };
        let (is_up, message) = match layer {
            Step::CheckConnectivity => (self.is_selected, "ICE has found a candidate pair"),
            Step::HandshakeDtls => {
                (dtls.state() == RTCDtlsTransportState::Connected, "the DTLS handshake is done")
            }
            _ => (sctp.state() == RTCSctpTransportState::Connected, "the SCTP association is up"),
        };
        if !is_up {
            return false;
        }
        let took = now.saturating_duration_since(self.reached_at).as_secs_f64() * 1e3;
        info!(step = %layer, "{message}");
        self.link.journal.note(now, layer, TraceData::Done { took });
        self.reach(now, layer);
        if layer == Step::CheckConnectivity {
            // The protocol core queues its ClientHello here and would send it with its next timer.
            self.timeout(now);
        }
        true
    }

    /// A channel may have opened.
    pub(super) fn note_channel(&mut self, now: Instant) {
        if self.channels.open_count() == 0 {
            return;
        }
        if self.reached != Some(Step::OpenChannel) {
            self.reach(now, Step::OpenChannel);
        }
        self.liveness.channel_opened(now);
    }

    pub(super) fn reach(&mut self, now: Instant, layer: Step) {
        let before = self.state();
        (self.reached, self.reached_at) = (Some(layer), now);
        self.metrics.step(layer, now.saturating_duration_since(self.born));
        if before != self.state() {
            self.metrics.session_moved(Some(before), Some(self.state()));
        }
    }

    pub(super) fn state(&self) -> SessionState {
        match self.reached {
            None => SessionState::Checking,
            Some(Step::OpenChannel) => SessionState::Open,
            Some(_) => SessionState::Connecting,
        }
    }

    /// Looks whether ICE has selected a pair. The session's datagrams come along it from now on.
    pub(super) fn select(&mut self, now: Instant) {
        if self.is_selected {
            return;
        }
        let Some(sctp) = self.connection.sctp() else { return };
        let Some(pair) = sctp.transport().ice_transport().get_selected_candidate_pair() else { return };
        let (local, remote) = (candidate(pair.local()), candidate(pair.remote()));
        self.is_selected = true;
        self.nomination = None;
        let addresses = (socket_addr(&local), socket_addr(&remote));
        if let (Some(ours), Some(theirs)) = addresses {
            self.link.set_remote(theirs);
            if let Some(way) = self.ways.between(ours, theirs) {
                self.home = Some(way.worker);
                self.selected = Some(way.path);
            }
        }
        let pair = TraceData::CandidatePair { local, remote };
        self.link.journal.note(now, Step::CheckConnectivity, pair);
        self.feed_held_back(now);
    }

    /// The layer of step 8 that comes up next.
    pub(super) fn next_layer(&self) -> Option<Step> {
        match self.reached {
            None => Some(Step::CheckConnectivity),
            Some(Step::CheckConnectivity) => Some(Step::HandshakeDtls),
            Some(Step::HandshakeDtls) => Some(Step::AssociateSctp),
            Some(_) => None,
        }
    }
}

fn candidate(of: &RTCIceCandidate) -> Candidate {
    Candidate {
        foundation: of.foundation.clone(),
        component: of.component,
        transport: of.protocol.to_string().to_ascii_lowercase(),
        priority: of.priority,
        address: of.address.clone(),
        port: of.port,
        kind: match of.typ {
            RTCIceCandidateType::Srflx => CandidateType::Srflx,
            RTCIceCandidateType::Prflx => CandidateType::Prflx,
            RTCIceCandidateType::Relay => CandidateType::Relay,
            _ => CandidateType::Host,
        },
    }
}

fn socket_addr(candidate: &Candidate) -> Option<SocketAddr> {
    Some(SocketAddr::new(candidate.address.parse().ok()?, candidate.port))
}
