//! Whether a session still deserves its place: by time alone, in any stage of its life.

use std::time::{Duration, Instant};

use crate::{answer::KEEPALIVE, limits::Limits, session::Closed};

/// How long a session stays without a channel. A peer that closes one channel to open another gets to do so.
const LONELY_TIMEOUT: Duration = Duration::from_secs(1);

/// An ICMP error may be forged by anyone who guesses a port, so it only raises a doubt. Probes follow at
/// this interval, which draw further errors from a host that means it.
const PROBE_INTERVAL: Duration = Duration::from_millis(200);

/// The number of probes before the doubt is dropped for want of further errors.
const PROBES: u32 = 6;

/// An error that comes this long after the first, with silence in between, confirms it: long enough for a
/// keepalive and its answer, by which a peer that lives drops the doubt.
const CONFIRMED_AFTER: Duration = KEEPALIVE.saturating_mul(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Alive,
    /// Send the peer a datagram, to see whether its host still says that nobody listens.
    Probe,
    Ended(Closed),
}

pub(super) struct Liveness {
    limits: Limits,
    born: Instant,
    stage: Stage,
    last_heard: Instant,
    last_message: Instant,
    doubt: Option<Doubt>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No authenticated check has come.
    Unchecked,
    /// The peer is there; no channel has opened.
    Opening,
    /// A channel is open.
    Open,
    /// No channel is open any more.
    Lonely { since: Instant },
}

struct Doubt {
    since: Instant,
    probes: u32,
}

impl Liveness {
    pub(super) fn new(now: Instant, limits: Limits) -> Self {
        Self { limits, born: now, stage: Stage::Unchecked, last_heard: now, last_message: now, doubt: None }
    }

    /// The peer checked the path, or answered a check.
    pub(super) fn heard(&mut self, now: Instant) {
        self.last_heard = now;
        self.doubt = None;
    }

    /// A message went one way or the other.
    pub(super) fn talked(&mut self, now: Instant) {
        self.last_message = now;
    }

    /// The peer has proved that it knows the session's password.
    pub(super) fn checked(&mut self) {
        if self.stage == Stage::Unchecked {
            self.stage = Stage::Opening;
        }
    }

    pub(super) fn channel_opened(&mut self, now: Instant) {
        self.last_message = now;
        self.stage = Stage::Open;
    }

    pub(super) fn no_channel_is_open(&mut self, now: Instant) {
        if self.stage == Stage::Open {
            self.stage = Stage::Lonely { since: now };
        }
    }

    /// The peer's host says that nobody listens at its address.
    pub(super) fn unreachable(&mut self, now: Instant) -> Verdict {
        match &self.doubt {
            Some(doubt) if now >= doubt.since + CONFIRMED_AFTER => Verdict::Ended(Closed::Unreachable),
            Some(_) => Verdict::Alive,
            None => {
                self.doubt = Some(Doubt { since: now, probes: 0 });
                Verdict::Alive
            }
        }
    }

    /// When to ask for the verdict next.
    pub(super) fn deadline(&self) -> Instant {
        let end = self.end().0;
        self.doubt.as_ref().map_or(end, |doubt| end.min(doubt.next_probe()))
    }

    pub(super) fn verdict(&mut self, now: Instant) -> Verdict {
        let (end, reason) = self.end();
        if now >= end {
            return Verdict::Ended(reason);
        }
        match &mut self.doubt {
            Some(doubt) if now >= doubt.next_probe() => {
                doubt.probes += 1;
                if doubt.probes > PROBES {
                    self.doubt = None;
                    return Verdict::Alive;
                }
                Verdict::Probe
            }
            _ => Verdict::Alive,
        }
    }

    /// When the session ends if nothing happens, and why.
    fn end(&self) -> (Instant, Closed) {
        let silent = (self.last_heard + self.limits.silence_timeout, Closed::Silent);
        let not_open = (self.born + self.limits.open_timeout, Closed::NotOpenInTime);
        let staged = match self.stage {
            Stage::Unchecked => {
                not_open.min_by_time((self.born + self.limits.check_timeout, Closed::NeverConnected))
            }
            Stage::Opening => not_open,
            Stage::Open => match self.limits.idle_timeout {
                Some(time) => silent.min_by_time((self.last_message + time, Closed::Idle)),
                None => silent,
            },
            Stage::Lonely { since } => (since + LONELY_TIMEOUT, Closed::NoChannel),
        };
        staged.min_by_time(silent)
    }
}

impl Doubt {
    fn next_probe(&self) -> Instant {
        self.since + PROBE_INTERVAL * (self.probes + 1)
    }
}

trait MinByTime {
    fn min_by_time(self, other: Self) -> Self;
}

impl MinByTime for (Instant, Closed) {
    fn min_by_time(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { silence_timeout: Duration::from_secs(10), ..Limits::new() };
    const MS: Duration = Duration::from_millis(1);

    fn open() -> (Instant, Liveness) {
        let now = Instant::now();
        let mut liveness = Liveness::new(now, LIMITS);
        liveness.checked();
        liveness.channel_opened(now);
        (now, liveness)
    }

    #[test]
    fn each_stage_ends_at_its_own_time_and_for_its_own_reason() {
        let now = Instant::now();
        let mut liveness = Liveness::new(now, LIMITS);
        assert_eq!(liveness.end(), (now + LIMITS.check_timeout, Closed::NeverConnected));
        liveness.checked();
        liveness.heard(now + 9000 * MS);
        assert_eq!(liveness.end(), (now + LIMITS.open_timeout, Closed::NotOpenInTime));
        liveness.channel_opened(now);
        assert_eq!(liveness.end(), (now + 19_000 * MS, Closed::Silent));
        liveness.no_channel_is_open(now + 9500 * MS);
        assert_eq!(liveness.end(), (now + 10_500 * MS, Closed::NoChannel));
    }

    #[test]
    fn an_open_session_that_keeps_silent_about_everything_is_idle() {
        let now = Instant::now();
        let limits = Limits { idle_timeout: Some(3000 * MS), ..LIMITS };
        let mut liveness = Liveness::new(now, limits);
        liveness.checked();
        assert_ne!(liveness.end().1, Closed::Idle);
        liveness.channel_opened(now);
        liveness.talked(now + 1000 * MS);
        liveness.heard(now + 2000 * MS);
        assert_eq!(liveness.end(), (now + 4000 * MS, Closed::Idle));
    }

    #[test]
    fn an_error_that_persists_in_silence_ends_the_session() {
        let (now, mut liveness) = open();
        assert_eq!(liveness.unreachable(now), Verdict::Alive);
        assert_eq!(liveness.unreachable(now + 100 * MS), Verdict::Alive);
        assert_eq!(liveness.deadline(), now + 200 * MS);
        assert_eq!(liveness.verdict(now + 200 * MS), Verdict::Probe);
        assert_eq!(liveness.verdict(now + 201 * MS), Verdict::Alive);
        assert_eq!(liveness.unreachable(now + 999 * MS), Verdict::Alive);
        assert_eq!(liveness.unreachable(now + 1000 * MS), Verdict::Ended(Closed::Unreachable));
    }

    #[test]
    fn forged_errors_do_not_end_a_session_whose_peer_answers_a_keepalive_in_between() {
        let (now, mut liveness) = open();
        for moment in 0..900 {
            let at = now + 10 * MS * moment;
            assert_eq!(liveness.unreachable(at), Verdict::Alive, "{moment}");
            if moment % 95 == 94 {
                liveness.heard(at);
            }
        }
    }

    #[test]
    fn a_single_error_is_forgotten_after_the_probes() {
        let (now, mut liveness) = open();
        liveness.unreachable(now);
        for probe in 1..=PROBES {
            assert_eq!(liveness.verdict(now + PROBE_INTERVAL * probe), Verdict::Probe);
        }
        assert_eq!(liveness.verdict(now + PROBE_INTERVAL * (PROBES + 1)), Verdict::Alive);
        assert_eq!(liveness.deadline(), now + LIMITS.silence_timeout);
    }
}
