//! Datagrams on their way between the network and the protocol core.

use std::time::Instant;

use hola_webrtc_protocol::Step;
use tracing::debug;

use super::{
    super::{Datagram, dtls, routes::Path, stack::Transmit, stun::Stun},
    Outcome, Peer,
};
use crate::metrics::Dropped;

/// How many checks are remembered until their replies come.
const MAX_ASKED: usize = 16;

/// Datagrams and their bytes.
#[derive(Default)]
pub(super) struct Traffic {
    pub(super) packets_sent: u64,
    pub(super) bytes_sent: u64,
    pub(super) packets_received: u64,
    pub(super) bytes_received: u64,
}

impl Peer {
    /// Takes in a datagram that came to the socket of a worker. Its effects show when the peer is driven. Returns
    /// whether it was a sign of life.
    pub(in crate::engine) fn receive(&mut self, now: Instant, worker: usize, datagram: Datagram) -> bool {
        let path = datagram.path();
        let Some(is_proven) = self.ways.credit(path, worker, datagram.bytes.len()) else {
            self.metrics.dropped(Dropped::NoPath);
            return false;
        };
        self.traffic.packets_received += 1;
        self.traffic.bytes_received += datagram.bytes.len() as u64;
        let mut is_sign = false;
        if let Some(stun) = Stun::parse(&datagram.bytes) {
            is_sign = is_proven && self.is_sign_of_life(stun);
            if is_sign {
                self.liveness.heard(now);
            }
        } else if !dtls::is_to_be_read(&datagram.bytes, self.has_sctp()) {
            self.metrics.dropped(Dropped::Refused);
            return false;
        }
        self.feed(now, datagram);
        is_sign
    }

    /// Whether SCTP has come up, so that the peer is done with its handshake as well.
    fn has_sctp(&self) -> bool {
        matches!(self.reached, Some(Step::AssociateSctp | Step::OpenChannel))
    }

    /// Whether only somebody who sees the session's datagrams could have sent it: a request names the fragment of
    /// the answer, or it would not have come here, and a reply repeats what is drawn at random for each request.
    fn is_sign_of_life(&self, stun: Stun<'_>) -> bool {
        stun.is_request() || (stun.is_success() && self.asked.contains(&stun.transaction()))
    }

    /// Collects the datagrams to send. Returns whether there were any.
    pub(super) fn write(&mut self, now: Instant, outcome: &mut Outcome) -> bool {
        let mut moved = false;
        while let Some(transmit) = self.stack.poll_transmit(now) {
            moved = true;
            self.post(transmit, outcome);
        }
        moved
    }

    pub(super) fn post(&mut self, Transmit { ours, theirs, bytes }: Transmit, outcome: &mut Outcome) {
        // Else it is a check from an address of ours that the peer has not talked to.
        let Some(way) = self.ways.between(ours, theirs) else { return };
        if !way.is_proven {
            way.is_proven = true;
            self.liveness.checked();
            outcome.proven.push(way.path);
        }
        let stun = Stun::parse(&bytes);
        // While ICE starts anew, what is above it goes on along the path that has proved itself before.
        let is_trusted = self.is_selected || (stun.is_none() && self.selected == Some(way.path));
        if !is_trusted {
            let Some(credit) = way.credit.checked_sub(bytes.len()) else {
                return self.metrics.dropped(Dropped::Untrusted);
            };
            way.credit = credit;
        }
        if let Some(stun) = stun.filter(|stun| stun.is_request()) {
            self.asked.truncate(MAX_ASKED - 1);
            self.asked.push_front(stun.transaction());
        }
        let Path { local, remote } = way.path;
        self.traffic.packets_sent += 1;
        self.traffic.bytes_sent += bytes.len() as u64;
        outcome.datagrams.push(Datagram { local, remote, bytes });
    }

    fn feed(&mut self, now: Instant, datagram: Datagram) {
        let Some(candidate) = self.ways.candidate_of(datagram.path()) else {
            return self.metrics.dropped(Dropped::NoPath);
        };
        if let Err(error) = self.stack.receive(now, candidate, datagram.remote, datagram.bytes) {
            debug!("a datagram is refused: {error}");
            self.metrics.dropped(Dropped::Refused);
            if self.stack.is_swamped() {
                self.end_flood();
            }
        }
    }
}
