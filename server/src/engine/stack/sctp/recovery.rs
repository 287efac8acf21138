//! Sends again, and soon, what rtc-sctp would leave to its timer.
//!
//! rtc-sctp sends a chunk again once, when three acknowledgements have reported it missing. One that is lost a second time, or is
//! followed by too few for three reports, waits for a timer of 400 ms (`clock.rs`), which sets the window to one packet; what is
//! sent again by it is sent again by nothing else. TCP knows better ([RACK-TLP](https://www.rfc-editor.org/rfc/rfc8985)): what
//! left before something that has come is lost, and where no acknowledgement comes, a probe draws one. So does this, beneath
//! rtc-sctp and with copies of its packets: what comes twice does no harm (RFC 9260, 6.2).
//!
//! rtc-sctp knows nothing of the copies. It takes what one brought for a slow round trip, so that its timer is longer for a while,
//! and what one brought before three reports does not make its window smaller. In return a copy leaves only where a packet has
//! come, or as one of few probes.

use std::{
    collections::{BTreeSet, VecDeque},
    iter, mem,
    time::{Duration, Instant},
};

use bytes::BytesMut;

use super::{
    super::{
        meter::FAR,
        packet::{number, packet, short},
    },
    reports::{Report, data_of, is_after},
};

/// How many packets have copies, 75 KiB at most for a session: the last ones, and what of the others rtc-sctp has sent again.
const MOST: usize = 64;

/// How many are sent again for one acknowledgement, and no more than it is for: Max.Burst (RFC 9260, 16).
const BURST: usize = 4;

/// How often a packet leaves before it is the timer's turn.
const TIMES: u32 = 6;

/// How long a probe waits at least, and how much longer if only one packet is out: peers may wait for a second before they
/// acknowledge it, mostly for 200 ms (RFC 9260, 6.2). From round trips of 75 ms on the timer is sooner then.
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
    /// How long a round trip takes, smoothed, once it is known, and how long at least.
    round_trip: Option<Duration>,
    least: Option<Duration>,
    /// The streams whose messages are never given up. How often others are sent is rtc-sctp's alone to say (RFC 3758).
    reliable: BTreeSet<u16>,
    /// The last TSN that has left, and up to which the peer has everything.
    last: Option<u32>,
    acknowledged: Option<u32>,
    /// What has left and is not acknowledged, by its TSNs.
    flight: VecDeque<Sent>,
    /// When the last of what has come left.
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

impl Sent {
    fn leaves_again(&mut self, now: Instant) {
        (self.at, self.times) = (now, 2);
    }
}

impl Recovery {
    /// The association is up, or on another path, with round trips of so long, if that is known.
    pub(super) fn suit(&mut self, now: Instant, round_trip: Option<Duration>) {
        self.is_on = round_trip.is_none_or(|round_trip| round_trip >= FAR);
        (self.round_trip, self.least) = (round_trip, round_trip);
        (self.newest, self.probes) = (None, 0);
        if !self.is_on {
            self.flight = VecDeque::new();
        }
        for sent in &mut self.flight {
            // It says nothing of the new path.
            sent.leaves_again(now);
        }
        self.arm(now);
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
        let data = &packet[offset..];
        let is_new = self.last.is_none_or(|last| is_after(tsn, last));
        if is_new {
            self.last = chunks(data).last().map(|(tsn, _)| tsn);
        }
        if !self.is_on {
            return;
        }
        if !is_new {
            // It may be in other company than before.
            for (tsn, _) in chunks(data) {
                if let Some(known) = self.flight.iter_mut().find(|known| known.tsn == tsn) {
                    known.leaves_again(now);
                }
            }
        }
        let is_out = self.acknowledged.is_none_or(|acknowledged| is_after(tsn, acknowledged));
        let at = self.flight.partition_point(|other| is_after(tsn, other.tsn));
        let is_known = self.flight.get(at).is_some_and(|known| known.tsn == tsn);
        if is_known {
            self.arm(now);
        } else if is_out && chunks(data).all(|(_, stream)| self.reliable.contains(&stream)) {
            let times = if is_new { 1 } else { 2 };
            self.flight.insert(at, Sent { tsn, tag, data: data.into(), at: now, times });
            if self.flight.len() > MOST {
                // What has left but once rtc-sctp will send again by itself.
                let once = self.flight.iter().position(|sent| sent.times == 1);
                self.flight.remove(once.unwrap_or_default());
            }
            self.arm(now);
        }
    }

    /// rtc-sctp's timers have run. If that was due by which it sends again, all that was out is its to send again.
    pub(super) fn timers_ran(&mut self, now: Instant) {
        if self.flight.front().is_some_and(|first| first.times > 1 && first.at == now) {
            self.flight.retain(|sent| sent.at == now);
        }
    }

    /// Whether anything is out that could be sent again from here.
    pub(super) fn is_waiting(&self) -> bool {
        !self.flight.is_empty()
    }

    /// What is to be sent again, now that the peer tells this.
    pub(super) fn heard(&mut self, now: Instant, report: &Report) -> Vec<BytesMut> {
        let advances = self.acknowledged.replace(report.acknowledged) != Some(report.acknowledged);
        self.has_gap = report.highest() != report.acknowledged;
        let was_shut = mem::replace(&mut self.is_shut, report.window == 0);
        if !self.is_on {
            return Vec::new();
        }
        let before = self.flight.len();
        let (mut newest, mut sample) = (self.newest, None);
        self.flight.retain(|sent| {
            if is_after(sent.tsn, report.acknowledged) && !report.has(sent.tsn) {
                return true;
            }
            let took = now.saturating_duration_since(sent.at);
            // Of what left more than once, it may be the first that has come, and surely is if that is too soon for the last.
            if sent.times == 1 {
                sample = Some(took);
            }
            if sent.times == 1 || self.least.is_some_and(|least| took >= least) {
                newest = newest.max(Some(sent.at));
            }
            false
        });
        let come = before - self.flight.len();
        if self.flight.is_empty() {
            // A session that rests keeps nothing.
            self.flight = VecDeque::new();
        }
        self.newest = newest;
        if let Some(took) = sample {
            self.learn(took, before == 1);
            self.probes = 0;
        }
        if self.round_trip.is_some_and(|round_trip| round_trip < FAR) {
            self.suit(now, self.round_trip);
            return Vec::new();
        }
        // Networks change the order of what follows closely.
        let lost = newest.zip(self.round_trip).map(|(newest, round_trip)| (newest, round_trip / 4));
        let is_lost = |sent: &Sent| lost.is_some_and(|(newest, margin)| sent.at + margin < newest);
        let again = self.again(now, come.min(BURST), is_lost);
        if come > 0 || advances || was_shut != self.is_shut {
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
        let most = most.min(self.room());
        let lost = self.flight.iter_mut().filter(|sent| sent.times < TIMES && is_lost(sent));
        lost.take(most)
            .map(|sent| {
                sent.at = now;
                sent.times += 1;
                packet(sent.tag, &sent.data)
            })
            .collect()
    }

    /// How many packets the peer has room for: if for none, still for what it misses before what fills its window.
    fn room(&self) -> usize {
        if self.is_shut { usize::from(self.has_gap) } else { usize::MAX }
    }

    /// What left once was acknowledged after so long.
    fn learn(&mut self, took: Duration, was_alone: bool) {
        self.least = Some(self.least.map_or(took, |least| least.min(took)));
        self.round_trip = Some(self.round_trip.map_or(took, |known| {
            // What was alone may have been acknowledged late.
            let least = if was_alone { took.saturating_sub(DELAYED).max(took.min(known)) } else { took };
            (known * 7 + least) / 8
        }));
    }

    fn arm(&mut self, now: Instant) {
        let is_awaited = !self.flight.is_empty() && self.room() > 0 && self.probes < PROBES;
        self.due = self.round_trip.filter(|_| is_awaited).map(|round_trip| {
            // While something is missing, they acknowledge at once.
            let is_alone = self.flight.len() == 1 && !self.has_gap;
            let delayed = if is_alone { DELAYED } else { Duration::ZERO };
            now + (2 * round_trip + delayed).max(LEAST) * (1 << self.probes)
        });
    }
}

/// The TSN and the stream of each of these DATA chunks.
fn chunks(mut data: &[u8]) -> impl Iterator<Item = (u32, u16)> {
    iter::from_fn(move || {
        let length @ 1.. = short(data, 2)? else { return None };
        let found = (number(data, 4)?, short(data, 8)?);
        data = data.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
        Some(found)
    })
}

#[cfg(test)]
mod tests;
