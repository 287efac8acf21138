//! Sends again, and soon, what rtc-sctp would leave to its timer.
//!
//! rtc-sctp sends a chunk again once, when three acknowledgements have reported it missing. One that is lost a second time, or is
//! followed by too few for three reports, waits for a timer of 400 ms (`clock.rs`), which sets the window to one packet; what is
//! sent again by it is sent again by nothing else. TCP knows better ([RACK-TLP](https://www.rfc-editor.org/rfc/rfc8985)): what
//! left before something that has come is lost, and where no acknowledgement comes, a probe draws one. So does this, beneath
//! rtc-sctp and with copies of its packets: what comes twice does no harm (RFC 9260, 6.2).
//!
//! rtc-sctp knows nothing of the copies. Its window is its own business still, for it reads the same acknowledgements, and a copy
//! leaves only where a packet has come, or as a probe. But it takes what a copy brought for a slow round trip
//! (RFC 9260, 6.3.1, C5 would leave it out), and its timer is longer for a while.

use std::{
    collections::{BTreeSet, VecDeque},
    mem,
    time::{Duration, Instant},
};

use bytes::BytesMut;

use super::{
    super::{
        meter::FAR,
        packet::{packet, short},
    },
    reports::{Report, data_of, is_after},
};

/// How many packets have copies, the last ones: no more than 75 KiB for a session. Where many are lost, fewer are under way.
const MOST: usize = 64;

/// How many are sent again for one acknowledgement, and no more than it is for: Max.Burst (RFC 9260, 16).
const BURST: usize = 4;

/// How often a packet leaves before it is the timer's turn.
const TIMES: u32 = 6;

/// How long a probe waits at least, and how much longer if only one packet is out: peers may wait for a second before they
/// acknowledge it, mostly for 200 ms (RFC 9260, 6.2).
const LEAST: Duration = Duration::from_millis(50);
const DELAYED: Duration = Duration::from_millis(250);

/// How many packets a probe sends (as with [QUIC](https://www.rfc-editor.org/rfc/rfc9002#section-6.2.4)), and how many go out
/// in vain, each after twice the time, before it is the timer's turn.
const PROBE: usize = 2;
const PROBES: u32 = 3;

#[derive(Default)]
pub(super) struct Recovery {
    /// Not for peers nearby, where the timers of all this would be far longer than what they measure.
    is_on: bool,
    /// How long a round trip takes, smoothed, once it is known.
    round_trip: Option<Duration>,
    /// The streams whose messages are never given up. How often others are sent is rtc-sctp's alone to say (RFC 3758).
    reliable: BTreeSet<u16>,
    /// The last TSN that has left.
    last: Option<u32>,
    /// What has left and is not acknowledged, by its TSNs.
    flight: VecDeque<Sent>,
    /// When the last of what has come left. What left more than once does not count: it may be the first that has come.
    newest: Option<Instant>,
    /// Whether the peer has something behind what is missing, and whether it has no room.
    has_gap: bool,
    is_shut: bool,
    /// How many probes have gone out since something was acknowledged that left once, and when the next one will.
    probes: u32,
    due: Option<Instant>,
}

struct Sent {
    /// Of its first chunk.
    tsn: u32,
    tag: u32,
    /// Its DATA, without what was acknowledged in front of it: that would be old.
    data: Box<[u8]>,
    /// When it left last, and how often it has.
    at: Instant,
    times: u32,
}

impl Recovery {
    /// The association is up, or on another path, with round trips of so long, if that is known.
    pub(super) fn suit(&mut self, round_trip: Option<Duration>) {
        let is_on = round_trip.is_none_or(|round_trip| round_trip >= FAR);
        let (reliable, last) = (mem::take(&mut self.reliable), self.last);
        *self = Self { is_on, round_trip, reliable, last, ..Self::default() };
    }

    /// The association is over.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// A channel opens on the stream.
    pub(super) fn open(&mut self, stream: u16, is_reliable: bool) {
        if is_reliable {
            self.reliable.insert(stream);
        } else {
            self.reliable.remove(&stream);
        }
    }

    /// It has closed on both sides.
    pub(super) fn close(&mut self, stream: u16) {
        self.reliable.remove(&stream);
    }

    /// A packet of rtc-sctp's leaves.
    pub(super) fn sends(&mut self, now: Instant, packet: &[u8]) {
        let Some((tag, tsn, offset)) = data_of(packet) else { return };
        let is_new = self.last.is_none_or(|last| is_after(tsn, last));
        if is_new {
            self.last = Some(tsn);
        }
        let data = &packet[offset..];
        if !self.is_on || !self.is_reliable(data) {
            return;
        }
        let sent = Sent { tsn, tag, data: data.into(), at: now, times: if is_new { 1 } else { 2 } };
        if is_new {
            if self.flight.len() == MOST {
                self.flight.pop_front();
            }
            self.flight.push_back(sent);
        } else if let Some(known) = self.flight.iter_mut().find(|known| known.tsn == tsn) {
            *known = sent;
        }
        self.arm(now);
    }

    /// What is to be sent again, now that the peer tells this.
    pub(super) fn heard(&mut self, now: Instant, report: &Report) -> Vec<BytesMut> {
        if !self.is_on {
            return Vec::new();
        }
        let is_out = |sent: &Sent| is_after(sent.tsn, report.acknowledged) && !report.has(sent.tsn);
        let was_alone = self.flight.len() == 1;
        // A session that rests keeps nothing: this allocates only for what is out.
        let (out, come) = mem::take(&mut self.flight).into_iter().partition::<VecDeque<_>, _>(is_out);
        self.flight = out;
        for sent in come.iter().filter(|sent| sent.times == 1) {
            let took = now.saturating_duration_since(sent.at);
            if self.round_trip.is_none() && took < FAR {
                self.suit(Some(took));
                return Vec::new();
            }
            self.learn(took, was_alone);
            self.newest = self.newest.max(Some(sent.at));
            self.probes = 0;
        }
        self.has_gap = report.highest() != report.acknowledged;
        let was_shut = mem::replace(&mut self.is_shut, report.window == 0);
        // Networks change the order of what follows closely.
        let lost = self.newest.zip(self.round_trip).map(|(newest, round_trip)| (newest, round_trip / 4));
        let is_lost = |sent: &Sent| lost.is_some_and(|(newest, margin)| sent.at + margin < newest);
        let again = self.again(now, come.len().min(BURST), is_lost);
        if !come.is_empty() || was_shut != self.is_shut {
            self.arm(now);
        }
        again
    }

    /// When a probe is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// The probe, if it is due.
    pub(super) fn probe(&mut self, now: Instant) -> Vec<BytesMut> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.probes += 1;
        let probe = self.again(now, PROBE, |_| true);
        self.arm(now);
        probe
    }

    /// The first of those that have not come and count as lost.
    fn again(&mut self, now: Instant, most: usize, is_lost: impl Fn(&Sent) -> bool) -> Vec<BytesMut> {
        if self.is_shut {
            return Vec::new();
        }
        let lost = self.flight.iter_mut().filter(|sent| sent.times < TIMES && is_lost(sent));
        lost.take(most)
            .map(|sent| {
                sent.at = now;
                sent.times += 1;
                packet(sent.tag, &sent.data)
            })
            .collect()
    }

    /// What left once was acknowledged after so long.
    fn learn(&mut self, took: Duration, was_alone: bool) {
        self.round_trip = Some(self.round_trip.map_or(took, |known| {
            // What was alone may have been acknowledged late.
            let least = if was_alone { took.saturating_sub(DELAYED).max(took.min(known)) } else { took };
            (known * 7 + least) / 8
        }));
    }

    fn arm(&mut self, now: Instant) {
        let is_awaited = !self.flight.is_empty() && !self.is_shut && self.probes < PROBES;
        self.due = self.round_trip.filter(|_| is_awaited).map(|round_trip| {
            // While something is missing, they acknowledge at once.
            let is_alone = self.flight.len() == 1 && !self.has_gap;
            let delayed = if is_alone { DELAYED } else { Duration::ZERO };
            now + (2 * round_trip + delayed).max(LEAST) * (1 << self.probes)
        });
    }

    /// Whether all of these DATA chunks are of such streams.
    fn is_reliable(&self, mut data: &[u8]) -> bool {
        while let (Some(length @ 1..), Some(stream)) = (short(data, 2), short(data, 8)) {
            if !self.reliable.contains(&stream) {
                return false;
            }
            data = data.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
        }
        true
    }
}

#[cfg(test)]
mod tests;
