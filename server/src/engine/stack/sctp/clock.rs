//! The time as rtc-sctp is told it, by a clock that is fast where the peer is not far.
//!
//! rtc-sctp waits a second at least before it sends again what is not acknowledged, and has no setting for that. A second is
//! what RFC 9260, 16 recommends for all networks; the SCTP of browsers (dcSCTP) waits 400 ms, and so does this side then.
//! That is to be more than a round trip with the time for which peers delay their acknowledgements (200 ms, RFC 9260, 6.2), or
//! what has come is sent again: further away the clock is right. All that rtc-sctp measures by its clock it waits for by the same
//! clock, and its other times are shorter in the same proportion: it acknowledges after 80 ms, not 200, and waits 24 s at most
//! before it tries again, not 60.

use std::time::{Duration, Instant};

/// From which round trip on the clock is right.
const FAR: Duration = Duration::from_millis(150);

/// How many of its seconds pass in how many of ours, where it is fast.
const TOLD: u32 = 5;
const REAL: u32 = 2;

#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// When its pace was set last, and what time it was by it.
    real: Instant,
    told: Instant,
    is_fast: bool,
}

impl Clock {
    /// It is right now, and from now on fast.
    pub(super) fn started(now: Instant) -> Self {
        Self { real: now, told: now, is_fast: true }
    }

    /// So long is a round trip to the peer, if that is known.
    pub(super) fn suit(&mut self, now: Instant, round_trip: Option<Duration>) {
        let is_fast = round_trip.is_some_and(|round_trip| round_trip < FAR);
        *self = Self { real: now, told: self.told(now), is_fast };
    }

    /// What the time is by this clock.
    pub(super) fn told(self, now: Instant) -> Instant {
        let passed = now.saturating_duration_since(self.real);
        self.told + if self.is_fast { passed * TOLD / REAL } else { passed }
    }

    /// When it will be so late by this clock, and not before.
    pub(super) fn real(self, told: Instant) -> Instant {
        let left = told.saturating_duration_since(self.told);
        // What is rounded off is too early.
        self.real + if self.is_fast { left * REAL / TOLD + Duration::from_nanos(1) } else { left }
    }

    /// So many milliseconds, by this clock.
    pub(super) fn milliseconds(self, real: u32) -> u32 {
        if self.is_fast { real * TOLD / REAL } else { real }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wake_at_is_not_before_it_is_due_and_no_later_than_need_be() {
        let begun = Instant::now();
        let clock = Clock::started(begun);
        assert_eq!(clock.told(begun), begun);
        assert_eq!(clock.told(begun + Duration::from_millis(400)), begun + Duration::from_secs(1));
        for nanos in (0..1000).chain(1_000_000_000..1_000_001_000) {
            let due = begun + Duration::from_nanos(nanos);
            let told = clock.told(clock.real(due));
            assert!(due <= told && told <= due + Duration::from_nanos(5), "{nanos}");
        }
    }

    #[test]
    fn it_goes_on_where_it_is_and_is_right_for_peers_far_away_and_those_of_whom_nothing_is_known() {
        let begun = Instant::now();
        let ms = |count| Duration::from_millis(count);
        for (round_trip, second) in [(Some(ms(149)), ms(400)), (Some(FAR), ms(1000)), (None, ms(1000))] {
            let mut clock = Clock::started(begun);
            clock.suit(begun + ms(400), round_trip);
            assert_eq!(clock.told(begun + ms(400)), begun + ms(1000));
            assert_eq!(clock.told(begun + ms(400) + second), begun + ms(2000), "{round_trip:?}");
            let woken = clock.real(begun + ms(2000));
            assert!(woken - (begun + ms(400) + second) <= Duration::from_nanos(1), "{round_trip:?}");
        }
    }
}
