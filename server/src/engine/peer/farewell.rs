//! How a session ends, and what it tells of itself before.

use std::time::Instant;

use hola_webrtc_protocol::{Phase, Side, Step, TraceData};

use super::{Outcome, Peer};
use crate::{
    metrics::Limit,
    session::{Closed, SessionStats},
};

impl Peer {
    /// Ends the session of a peer that sends more than anybody can use.
    pub(super) fn end_flood(&mut self) {
        if self.ended.is_none() {
            self.metrics.limit_reached(Limit::Flood);
        }
        self.end(Closed::Overloaded);
    }

    /// Tells the peer and the handlers.
    pub(super) fn close(&mut self, now: Instant, reason: Closed, outcome: &mut Outcome) {
        for transmit in self.stack.close(now) {
            self.post(transmit, outcome);
        }
        self.count_retransmissions();
        self.abandon(now, reason);
    }

    /// Tells the handlers, and only them, that the session has ended.
    pub(in crate::engine) fn abandon(&mut self, now: Instant, reason: Closed) {
        if self.link.has_ended() {
            return;
        }
        self.channels.close_all(now);
        let journal = &self.link.journal;
        let step = self.next_layer().unwrap_or(Step::OpenChannel);
        if self.reached != Some(Step::OpenChannel) {
            let failed = TraceData::Failed { phase: Phase::of(step), message: reason.to_string() };
            journal.note(now, step, failed);
        }
        self.metrics.session_moved(Some(self.state()), None);
        self.metrics.session_ended(reason);
        if let Some(limit) = Limit::that_ends(reason) {
            self.metrics.limit_reached(limit);
        }
        let by = if reason == Closed::ByPeer { Side::Client } else { Side::Server };
        let reason_in_words = self.farewell.take().unwrap_or_else(|| reason.as_str().to_owned());
        journal.end(now, step, TraceData::Closed { by, reason: Some(reason_in_words) });
        self.link.end(reason);
    }

    pub(super) fn stats(&mut self, now: Instant) -> SessionStats {
        SessionStats {
            round_trip_time: self.stack.round_trip_time(now),
            packets_sent: self.traffic.packets_sent,
            bytes_sent: self.traffic.bytes_sent,
            packets_received: self.traffic.packets_received,
            bytes_received: self.traffic.bytes_received,
            messages_sent: self.channels.sent,
            messages_received: self.channels.received,
            retransmissions: self.stack.retransmissions(),
            channels: self.channels.open_count(),
            buffered: self.channels.held(),
        }
    }
}
