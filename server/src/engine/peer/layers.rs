//! Step 8 on the server's side: the layers come up on top of each other.

use std::{net::SocketAddr, time::Instant};

use hola_webrtc_protocol::{Candidate, Step, TraceData};
use tracing::info;

use super::Peer;
use crate::metrics::SessionState;

impl Peer {
    /// Step 8: a layer has come up, ICE, DTLS or SCTP, each on top of the one before.
    pub(super) fn climb(&mut self, now: Instant, layer: Step) {
        if self.next_layer() != Some(layer) {
            return;
        }
        let message = match layer {
            Step::CheckConnectivity => "ICE has found a candidate pair",
            Step::HandshakeDtls => "the DTLS handshake is done",
            _ => "the SCTP association is up",
        };
        let took = now.saturating_duration_since(self.reached_at).as_secs_f64() * 1e3;
        info!(step = %layer, "{message}");
        self.link.journal.note(now, layer, TraceData::Done { took });
        self.reach(now, layer);
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

    /// ICE has selected a pair. The session's datagrams come along it from now on.
    pub(super) fn select(&mut self, now: Instant, local: Candidate, remote: Candidate) {
        self.is_selected = true;
        let addresses = (socket_addr(&local), socket_addr(&remote));
        if let (Some(ours), Some(theirs)) = addresses {
            self.link.set_remote(theirs);
            if let Some(way) = self.ways.between(ours, theirs) {
                self.home = Some(way.worker);
                self.selected = Some(way.path);
                self.ways.settle();
            }
        }
        let pair = TraceData::CandidatePair { local: Box::new(local), remote: Box::new(remote) };
        self.link.journal.note(now, Step::CheckConnectivity, pair);
        self.climb(now, Step::CheckConnectivity);
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

fn socket_addr(candidate: &Candidate) -> Option<SocketAddr> {
    Some(SocketAddr::new(candidate.address.parse().ok()?, candidate.port))
}
