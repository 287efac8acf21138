//! The time as rtc-sctp is told it, whose clock is fast: it waits a second at least before it sends again what is not
//! acknowledged, and has no setting for that. A second is what RFC 9260, 16 recommends for all networks; browsers' SCTP
//! (dcSCTP) waits 400 ms, which is still more than peers delay their acknowledgements. What is lost at the end of a burst
//! is there after 400 ms then, too. All that rtc-sctp measures by its clock, it waits for by the same clock.

use std::time::{Duration, Instant};

/// Its second, in fifths of ours: 2.
const REAL: u32 = 2;
const TOLD: u32 = 5;

#[derive(Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    /// It is right now, and from now on fast.
    pub(super) fn started(now: Instant) -> Self {
        Self(now)
    }

    /// What the time is by this clock.
    pub(super) fn told(self, now: Instant) -> Instant {
        self.0 + now.saturating_duration_since(self.0) * TOLD / REAL
    }

    /// When it will be so late by this clock, and not before.
    pub(super) fn real(self, told: Instant) -> Instant {
        self.0 + told.saturating_duration_since(self.0) * REAL / TOLD + Duration::from_nanos(1)
    }

    /// So many milliseconds, by this clock.
    pub(super) fn milliseconds(real: u32) -> u32 {
        real.saturating_mul(TOLD) / REAL
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
            let real = clock.real(due);
            assert!(clock.told(real) >= due, "{nanos}");
            assert!(clock.told(real) <= due + Duration::from_nanos(5), "{nanos}");
        }
    }
}
