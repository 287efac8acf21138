//! Drives the protocol core with time and with what the handlers want, and the handlers with what has come.

use std::time::Instant;

use bytes::BytesMut;
use hola_webrtc_protocol::Step;

use super::{
    super::{Datagram, channels::Delivered, liveness::Verdict, routes::Path, stack::Event, stun},
    Peer,
};
use crate::session::{Closed, Session, Wish};

/// What driving a peer brought about.
#[derive(Default)]
pub(in crate::engine) struct Outcome {
    pub(in crate::engine) datagrams: Vec<Datagram>,
    /// The paths on which the peer has proved that it knows the password.
    pub(in crate::engine) proven: Vec<Path>,
    /// The path that ICE has selected: its address has answered, so it is no forged one.
    pub(in crate::engine) selected: Option<Path>,
    pub(in crate::engine) opened: Option<Session>,
    /// The worker at whose socket the session's datagrams arrive, if the session should go there.
    pub(in crate::engine) home: Option<usize>,
}

impl Peer {
    /// Moves everything that can move: timers, events, messages in and out, datagrams out.
    pub(in crate::engine) fn drive(&mut self, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        self.keep_time(now, &mut outcome);
        self.grant_wishes(now);
        loop {
            let moved = self.handle_events(now);
            // What is read makes room, which the acknowledgements written next tell the peer of.
            let delivered = self.hand_over(now);
            // While ICE starts anew, the old path may be dead: what is sent waits for the new one.
            let has_sent = self.is_selected && self.channels.send(&mut self.stack, now);
            let has_talked = delivered.has_talked || has_sent;
            if has_talked {
                self.liveness.talked(now);
            }
            let has_written = self.write(now, &mut outcome);
            if !(moved || delivered.has_opened || has_talked || has_written) || self.ended.is_some() {
                break;
            }
        }
        self.channels.measure(&mut self.stack);
        self.count_retransmissions();
        if self.reached == Some(Step::OpenChannel) && self.channels.is_empty() {
            self.liveness.no_channel_is_open(now);
            if self.link.is_draining() {
                self.end(Closed::NoChannel);
            }
        }
        if self.stack.is_flooded() {
            self.end_flood();
        }
        self.ways.forget_unproven();
        if self.link.is_left() {
            self.end(Closed::ByServer);
        }
        if let Some(reason) = self.ended {
            self.close(now, reason, &mut outcome);
        }
        if matches!(self.reached, Some(Step::AssociateSctp | Step::OpenChannel)) {
            outcome.opened = self.session.take();
        }
        if self.announced != self.selected {
            self.announced = self.selected;
            outcome.selected = self.selected;
        }
        // Once the handler has the session, its tasks are bound to this worker's thread.
        outcome.home = self.home.take().filter(|_| self.session.is_some());
        outcome
    }

    /// Hands the handlers what has come, before the peer is driven. Returns whether there was a message. Until the first
    /// channel is open, driving alone brings the layers up, each after the one beneath it.
    pub(in crate::engine) fn deliver(&mut self, now: Instant) -> bool {
        if self.reached != Some(Step::OpenChannel) || self.ended.is_some() {
            return false;
        }
        self.handle_events(now);
        let has_talked = self.hand_over(now).has_talked;
        if has_talked {
            self.liveness.talked(now);
        }
        has_talked
    }

    fn hand_over(&mut self, now: Instant) -> Delivered {
        let delivered = self.channels.deliver(&mut self.stack, now);
        if delivered.has_opened {
            self.note_channel(now);
        }
        if delivered.is_too_much {
            self.end(Closed::TooManyChannels);
        }
        delivered
    }

    fn grant_wishes(&mut self, now: Instant) {
        for wish in self.link.take_wishes() {
            match wish {
                Wish::Open { label, options, reply } => {
                    self.channels.create(&mut self.stack, &label, options, reply, now);
                    self.note_channel(now);
                }
                // Whoever asked may be gone.
                Wish::Stats(reply) => drop(reply.send(self.stats(now))),
                Wish::Close { reason } => {
                    self.farewell.get_or_insert(reason);
                    self.end(Closed::ByServer);
                }
            }
        }
    }

    fn keep_time(&mut self, now: Instant, outcome: &mut Outcome) {
        match self.liveness.verdict(now) {
            Verdict::Alive => {}
            Verdict::Probe => {
                let probe = |path: Path| Datagram {
                    local: path.local,
                    remote: path.remote,
                    bytes: BytesMut::from(&stun::indication([0; 12])[..]),
                };
                // Along the selected pair only: the other addresses may be forged, as may the errors.
                outcome.datagrams.extend(self.selected.map(probe));
            }
            Verdict::Ended(reason) => self.end(reason),
        }
        self.stack.handle_timeout(now);
    }

    fn handle_events(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(event) = self.stack.poll_event() {
            moved = true;
            match event {
                Event::Selected { local, remote } => self.select(now, local, remote),
                Event::Secured => self.climb(now, Step::HandshakeDtls),
                Event::Associated => self.climb(now, Step::AssociateSctp),
                Event::ChannelClosed(stream) => self.channels.closed(stream, now),
                Event::Closed => self.end(Closed::ByPeer),
            }
        }
        moved
    }

    pub(super) fn count_retransmissions(&mut self) {
        let retransmissions = self.stack.retransmissions();
        self.metrics.retransmitted(retransmissions - self.retransmissions);
        self.retransmissions = retransmissions;
    }
}
