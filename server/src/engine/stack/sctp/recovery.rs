//! Sends again, and soon, what rtc-sctp would leave to its timer.
//!
//! rtc-sctp sends a chunk again, once, when three acknowledgements have reported it missing. One that is lost a second time, or is
//! followed by too few for three reports, waits for a timer of 400 ms (`clock.rs`), which sets the window to one packet; what is
//! sent again by it is sent again by nothing else. TCP knows better ([RACK-TLP](https://www.rfc-editor.org/rfc/rfc8985)): what
//! left before something that has come is lost, and where no acknowledgement comes, a probe draws one. So does this, beneath
//! rtc-sctp and with copies of its packets: what comes twice does no harm (RFC 9260, 6.2). The window stays rtc-sctp's
//! business, which reads the same acknowledgements.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};

use super::{
    super::packet::{packet, short},
    FIRST_CHUNK,
    reports::{Report, data_of, is_after},
};

/// How many packets have copies, the last ones. Where many are lost, fewer are under way.
const MOST: usize = 64;

/// How many are sent again for one acknowledgement: Max.Burst (RFC 9260, 16).
const BURST: usize = 4;

/// How long a probe waits at least, and how much longer if only one packet is out: peers may wait for a second before they
/// acknowledge it (RFC 9260, 6.2).
const LEAST: Duration = Duration::from_millis(50);
const DELAYED: Duration = Duration::from_millis(200);

/// How many packets a probe sends, and how many go out in vain, each after twice the time, before it is the timer's turn.
const PROBE: usize = 2;
const PROBES: u32 = 3;

#[derive(Default)]
pub(super) struct Recovery {
    /// How long a round trip takes, smoothed; none, and this does nothing.
    round_trip: Option<Duration>,
    /// The streams whose messages may be given up: how often those are sent is rtc-sctp's alone to say (RFC 3758).
    limited: BTreeSet<u16>,
    /// What has left and is not acknowledged, by its TSNs.
    flight: VecDeque<Sent>,
    /// Whether the peer has something behind what is missing.
    has_gap: bool,
    /// How many probes have gone out since something was acknowledged, and when the next one will.
    probes: u32,
    due: Option<Instant>,
}

struct Sent {
    /// Of its first chunk.
    tsn: u32,
    tag: u32,
    /// Its DATA, without what was acknowledged in front of it: that would be old.
    data: Bytes,
    /// When it left last, and whether not for the first time.
    at: Instant,
    is_again: bool,
}

impl Recovery {
    /// So long is a round trip to the peer. Without one this does nothing.
    pub(super) fn suit(&mut self, round_trip: Option<Duration>) {
        self.round_trip = round_trip;
    }

    /// Whether messages on the stream may be given up.
    pub(super) fn limit(&mut self, stream: u16, is_limited: bool) {
        if is_limited {
            self.limited.insert(stream);
        } else {
            self.limited.remove(&stream);
        }
    }

    /// A packet of rtc-sctp's is to leave. `false` if it has just left again, and need not.
    pub(super) fn sends(&mut self, now: Instant, packet: &Bytes) -> bool {
        let Some(round_trip) = self.round_trip else { return true };
        let Some((tag, tsn, offset)) =
            data_of(packet).filter(|(.., offset)| !self.is_limited(&packet[*offset..]))
        else {
            return true;
        };
        let is_new = self.flight.back().is_none_or(|last| is_after(tsn, last.tsn));
        let sent = Sent { tsn, tag, data: packet.slice(offset..), at: now, is_again: !is_new };
        if is_new {
            if self.flight.len() == MOST {
                self.flight.pop_front();
            }
            self.flight.push_back(sent);
        } else {
            let at = self.flight.partition_point(|other| is_after(tsn, other.tsn));
            if let Some(known) = self.flight.get_mut(at).filter(|known| known.tsn == tsn) {
                if known.is_again && now < known.at + round_trip && packet[FIRST_CHUNK..] == known.data {
                    return false;
                }
                *known = sent;
            }
        }
        self.arm(now);
        true
    }

    /// What is to be sent again, now that the peer tells this.
    pub(super) fn heard(&mut self, now: Instant, report: &Report) -> Vec<BytesMut> {
        let Some(round_trip) = self.round_trip else { return Vec::new() };
        let (mut newest, before) = (None, self.flight.len());
        self.flight.retain(|sent| {
            if is_after(sent.tsn, report.acknowledged) && !report.has(sent.tsn) {
                return true;
            }
            let took = now.saturating_duration_since(sent.at);
            if !sent.is_again {
                // What was alone may have been acknowledged late.
                let least =
                    if before > 1 { took } else { took.saturating_sub(DELAYED).max(took.min(round_trip)) };
                self.round_trip = Some((round_trip * 7 + least) / 8);
            }
            // Of what was sent twice, it may be the first that has come.
            if !sent.is_again || took > round_trip / 2 {
                newest = newest.max(Some(sent.at));
            }
            false
        });
        if self.flight.is_empty() {
            // A session that rests keeps nothing.
            self.flight = VecDeque::new();
        }
        self.has_gap = report.highest() != report.acknowledged;
        // Networks change the order of what follows closely.
        let is_lost = |sent: &Sent| newest.is_some_and(|newest| sent.at + round_trip / 4 < newest);
        let again = self.again(now, BURST, is_lost);
        if self.flight.len() < before {
            self.probes = 0;
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
        let lost = self.flight.iter_mut().filter(|sent| is_lost(sent));
        lost.take(most)
            .map(|sent| {
                (sent.at, sent.is_again) = (now, true);
                packet(sent.tag, &sent.data)
            })
            .collect()
    }

    fn arm(&mut self, now: Instant) {
        let is_awaited = !self.flight.is_empty() && self.probes < PROBES;
        self.due = self.round_trip.filter(|_| is_awaited).map(|round_trip| {
            // While something is missing, they acknowledge at once.
            let is_alone = self.flight.len() == 1 && !self.has_gap;
            let delayed = if is_alone { DELAYED } else { Duration::ZERO };
            now + (2 * round_trip + delayed).max(LEAST) * (1 << self.probes)
        });
    }

    /// Whether one of these DATA chunks is of a limited stream.
    fn is_limited(&self, mut data: &[u8]) -> bool {
        while let (Some(length @ 1..), Some(stream)) = (short(data, 2), short(data, 8)) {
            if self.limited.contains(&stream) {
                return true;
            }
            data = data.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stack::packets::{BINARY, WHOLE, chunk, packet as whole};

    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);
    const TAG: u32 = 7;
    const STREAM: u16 = 3;
    const NONE: [BytesMut; 0] = [];

    /// With round trips of 20 ms.
    fn recovery() -> Recovery {
        let mut recovery = Recovery::default();
        recovery.suit(Some(20 * MS));
        recovery
    }

    fn data(tsn: u32) -> Bytes {
        whole(TAG, &chunk(WHOLE, tsn, STREAM, 1, BINARY, &[7; 100])).freeze()
    }

    fn report(acknowledged: u32, blocks: &[(u16, u16)]) -> Report {
        Report { tag: 1, acknowledged, window: 1000, blocks: blocks.to_vec() }
    }

    #[test]
    fn what_left_before_something_that_has_come_is_lost() {
        let (begun, mut recovery) = (Instant::now(), recovery());
        for (after, tsn) in [(0, 11), (4, 12), (9, 13)] {
            assert!(recovery.sends(begun + after * MS, &data(tsn)));
        }
        // The second left too soon after the first to tell.
        assert_eq!(recovery.heard(begun + 24 * MS, &report(10, &[(2, 2)])), NONE);
        assert_eq!(recovery.heard(begun + 29 * MS, &report(10, &[(2, 3)])), [data(11)]);
        // It is lost again: something that left after it comes before it.
        assert!(recovery.sends(begun + 35 * MS, &data(14)));
        assert_eq!(recovery.heard(begun + 55 * MS, &report(10, &[(2, 4)])), [data(11)]);
        assert_eq!(recovery.heard(begun + 75 * MS, &report(14, &[])), NONE);
        assert_eq!((recovery.flight.capacity(), recovery.deadline()), (0, None));
    }

    #[test]
    fn what_has_just_left_again_does_not_leave_once_more() {
        let (begun, mut recovery) = (Instant::now(), recovery());
        recovery.sends(begun, &data(11));
        recovery.sends(begun + 9 * MS, &data(12));
        assert_eq!(recovery.heard(begun + 29 * MS, &report(10, &[(2, 2)])), [data(11)]);
        assert!(!recovery.sends(begun + 31 * MS, &data(11)));
        let other = whole(TAG, &chunk(WHOLE, 11, STREAM, 1, BINARY, &[7; 50])).freeze();
        assert!(recovery.sends(begun + 32 * MS, &other), "a packet with something else in it");
        assert!(recovery.sends(begun + 60 * MS, &other), "a round trip later");
    }

    #[test]
    fn a_probe_goes_out_where_nothing_comes_and_three_at_most() {
        let (begun, mut recovery) = (Instant::now(), recovery());
        for tsn in 11..=13 {
            recovery.sends(begun, &data(tsn));
        }
        assert_eq!(recovery.probe(begun), NONE);
        let mut at = begun;
        for wait in [LEAST, 2 * LEAST, 4 * LEAST] {
            at += wait;
            assert_eq!(recovery.deadline(), Some(at));
            assert_eq!(recovery.probe(at), [data(11), data(12)]);
        }
        assert_eq!(recovery.deadline(), None);
        // One is out, which the peer may acknowledge late.
        recovery.heard(at, &report(12, &[]));
        assert_eq!(recovery.deadline(), Some(at + 40 * MS + DELAYED));
        assert_eq!(recovery.probe(at + 40 * MS + DELAYED), [data(13)]);
    }

    #[test]
    fn a_copy_has_nothing_but_the_data() {
        let mut recovery = recovery();
        let sack = [3, 0, 0, 16, 0, 0, 0, 9, 0, 0, 16, 0, 0, 0, 0, 0];
        let joined = whole(TAG, &[&sack, &data(11)[FIRST_CHUNK..]].concat()).freeze();
        let begun = Instant::now();
        recovery.sends(begun, &joined);
        assert_eq!(recovery.probe(begun + SECOND), [data(11)]);
    }

    #[test]
    fn what_may_be_given_up_and_what_is_near_is_left_alone() {
        let begun = Instant::now();
        let mut limited = recovery();
        limited.limit(STREAM, true);
        let mixed = [chunk(WHOLE, 11, 5, 1, BINARY, &[7; 4]), chunk(WHOLE, 12, STREAM, 1, BINARY, &[7; 4])];
        for packet in [data(10), whole(TAG, &mixed.concat()).freeze()] {
            assert!(limited.sends(begun, &packet));
            assert_eq!(limited.deadline(), None);
        }
        limited.limit(STREAM, false);
        limited.sends(begun, &data(13));
        assert!(limited.deadline().is_some());
        let mut near = Recovery::default();
        near.sends(begun, &data(11));
        assert_eq!((near.deadline(), near.flight.len()), (None, 0));
    }

    #[test]
    fn few_leave_for_one_acknowledgement_and_few_are_kept() {
        let (begun, mut recovery) = (Instant::now(), recovery());
        // Also where the numbers begin anew.
        let first = u32::MAX - 20;
        for number in 0..100 {
            recovery.sends(begun + number * MS, &data(first.wrapping_add(number)));
        }
        assert_eq!(recovery.flight.len(), MOST);
        let again = recovery.heard(begun + 120 * MS, &report(first.wrapping_sub(1), &[(100, 100)]));
        assert_eq!(again, [36, 37, 38, 39].map(|number| data(first.wrapping_add(number))));
    }
}
