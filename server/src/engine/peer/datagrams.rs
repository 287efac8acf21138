//! Datagrams on their way between the network and the protocol core.

use std::time::Instant;

use hola_webrtc_protocol::Step;
use rtc::{
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};
use tracing::debug;

use super::{
    super::{Datagram, dtls, routes::Path, stun::Stun},
    Outcome, Peer,
};
use crate::metrics::Dropped;

/// How many checks are remembered until their replies come.
const MAX_ASKED: usize = 16;

/// How many datagrams are held back while ICE starts anew: what a window of SCTP sends in a round trip or two.
const MAX_HELD_BACK: usize = 64;

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
        let (mut nominates, mut validates, mut is_sign) = (false, false, false);
        if let Some(stun) = Stun::parse(&datagram.bytes) {
            is_sign = is_proven && self.is_sign_of_life(stun);
            if is_sign {
                self.liveness.heard(now);
            }
            nominates = !self.is_selected && stun.is_request() && stun.uses_candidate();
            validates = !self.is_selected && stun.is_success();
        } else if !dtls::is_to_be_read(&datagram.bytes, self.has_sctp()) {
            self.metrics.dropped(Dropped::Refused);
            return false;
        } else if self.is_restarting() {
            // The protocol core would drop it, and the peer would send it again a second later.
            if self.held_back.len() < MAX_HELD_BACK {
                self.held_back.push(datagram);
            }
            return false;
        } else {
            self.channels.count_received(datagram.bytes.len());
        }
        if nominates {
            let Datagram { local, remote, ref bytes } = datagram;
            self.nomination = Some(Datagram { local, remote, bytes: bytes.clone() });
        }
        self.feed(now, datagram);

        // As controlled agent the protocol core neither answers nor remembers a nomination that comes before
        // its own check of the pair has succeeded (RFC 8445, 7.3.1.5 wants it remembered). It is fed again
        // once that check has: otherwise Chromium's next one is 50 ms away.
        if validates && let Some(nomination) = self.nomination.take_if(|nomination| nomination.path() == path)
        {
            self.feed(now, nomination);
        }
        is_sign
    }

    /// Whether ICE starts anew beneath a connection. The peer still uses the old path meanwhile.
    fn is_restarting(&self) -> bool {
        !self.is_selected && self.reached.is_some()
    }

    /// ICE has selected a pair: what came for the layers above it goes there.
    pub(super) fn feed_held_back(&mut self, now: Instant) {
        for datagram in std::mem::take(&mut self.held_back) {
            self.feed(now, datagram);
        }
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
    pub(super) fn write(&mut self, outcome: &mut Outcome) -> bool {
        let mut moved = false;
        while let Some(TaggedBytesMut { transport, message, .. }) = self.connection.poll_write() {
            moved = true;
            // Else it is a check from an address of ours that the peer has not talked to.
            let Some(way) = self.ways.between(transport.local_addr, transport.peer_addr) else { continue };
            if !way.is_proven {
                way.is_proven = true;
                self.liveness.checked();
                outcome.proven.push(way.path);
            }
            if !self.is_selected {
                let Some(credit) = way.credit.checked_sub(message.len()) else {
                    self.metrics.dropped(Dropped::Untrusted);
                    continue;
                };
                way.credit = credit;
            }
            match Stun::parse(&message) {
                Some(stun) if stun.is_request() => {
                    self.asked.truncate(MAX_ASKED - 1);
                    self.asked.push_front(stun.transaction());
                }
                Some(_) => {}
                None => self.channels.count_sent(),
            }
            let Path { local, remote } = way.path;
            self.traffic.packets_sent += 1;
            self.traffic.bytes_sent += message.len() as u64;
            outcome.datagrams.push(Datagram { local, remote, bytes: message });
        }
        moved
    }

    fn feed(&mut self, now: Instant, datagram: Datagram) {
        let Some(candidate) = self.ways.candidate_of(datagram.path()) else {
            return self.metrics.dropped(Dropped::NoPath);
        };
        let transport = TransportContext {
            local_addr: candidate,
            peer_addr: datagram.remote,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = TaggedBytesMut { now, transport, message: datagram.bytes };
        if let Err(error) = self.connection.handle_read(message) {
            debug!("a datagram is refused: {error}");
            self.metrics.dropped(Dropped::Refused);
        }
    }
}
