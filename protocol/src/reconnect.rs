//! When a client that wants to stay connected restarts ICE, connects anew, waits, or gives up.
//!
//! It does nothing itself: it is told what happens and what time it is, and says what to do next. Time is in milliseconds
//! from any beginning, and chance comes from whoever asks.

/// How often to try, and how long to wait between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How many attempts may fail one after the other; none means no end. A connection that lasts shorter than `max_delay`
    /// counts as one that failed: a server that lets everybody in and then sends them away is to be spared, too.
    pub attempts: Option<u32>,
    /// What the wait before the first attempt is at most, in milliseconds. It doubles with each.
    pub delay: u64,
    /// What no wait exceeds, in milliseconds, unless the server asks for more.
    pub max_delay: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { attempts: None, delay: 500, max_delay: 30_000 }
    }
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is open, for the first time or again.
    Connected,
    /// Nothing comes any more; it may come back by itself.
    Disconnected,
    /// The page's network is another one.
    NetworkChanged,
    /// The page is online again.
    Online,
    /// The page is offline: hardly an attempt can succeed, though browsers may be wrong, and a server may be near.
    Offline,
    /// The ICE restart under way is over, well or not.
    Restarted,
    /// The connection, or the attempt at one, is over.
    Failed {
        /// Whether another attempt may do better.
        retryable: bool,
        /// How long the server asks to stay away, in milliseconds (`Retry-After`).
        retry_after: Option<u64>,
    },
    /// Nobody wants it any more.
    Closed,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Restart ICE: a new path for the same session.
    RestartIce,
    /// An attempt is due at this time; ask then. For the trace: its number, from one, and how long the wait is.
    Wait {
        /// The attempt's number.
        number: u32,
        /// How long to wait, in milliseconds.
        wait: u64,
    },
    /// Connect anew, and leave the attempt that is under way, if one is.
    Connect {
        /// The attempt's number.
        number: u32,
    },
    /// Give up.
    GiveUp(Reason),
}

/// Why no further attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It never was connected: the first failure is the caller's to judge.
    NeverConnected,
    /// Another attempt would fail alike.
    NotRetryable,
    /// As many have failed as may.
    Exhausted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first connection is being made.
    Connecting,
    /// Open since then, perhaps with an ICE restart under way, and perhaps with the wish for another one after it.
    Connected { since: u64, restarting: bool, again: bool },
    /// The next attempt is due then, not before what the server asked for, and offline not before the longest wait is over.
    Waiting { due: u64, not_before: u64, offline: u64 },
    /// An attempt is under way.
    Attempting,
    /// Nothing follows.
    Over,
}

/// The policy of one connection.
#[derive(Clone, Debug)]
pub struct Reconnect {
    backoff: Backoff,
    state: State,
    /// How many attempts have led to nothing that lasted. Those made offline do not count.
    number: u32,
    offline: bool,
}

impl Reconnect {
    /// That of a connection that is being made.
    #[must_use]
    pub fn new(backoff: Backoff) -> Self {
        Self { backoff, state: State::Connecting, number: 0, offline: false }
    }

    /// Something has happened. `chance` is even between 0 and 1, and spreads the attempts of many clients.
    pub fn handle(&mut self, now: u64, chance: f64, event: Event) -> Option<Action> {
        match event {
            Event::Offline => self.offline = true,
            // Whatever the browser says, what has connected can connect.
            Event::Online | Event::Connected => self.offline = false,
            _ => {}
        }
        match (self.state, event) {
            (State::Over, _) => None,
            (_, Event::Closed) => {
                self.state = State::Over;
                None
            }
            (_, Event::Connected) => {
                self.state = State::Connected { since: now, restarting: false, again: false };
                None
            }
            (
                State::Connected { since, restarting: false, .. },
                Event::Disconnected | Event::NetworkChanged | Event::Online,
            ) => {
                self.state = State::Connected { since, restarting: true, again: false };
                Some(Action::RestartIce)
            }
            // What is under way may have begun on the network that is gone.
            (State::Connected { since, restarting: true, .. }, Event::NetworkChanged | Event::Online) => {
                self.state = State::Connected { since, restarting: true, again: true };
                None
            }
            (State::Connected { since, restarting: true, again }, Event::Restarted) => {
                self.state = State::Connected { since, restarting: again, again: false };
                again.then_some(Action::RestartIce)
            }
            (State::Waiting { not_before, offline, .. }, Event::NetworkChanged | Event::Online) => {
                self.state = State::Waiting { due: now.max(not_before), not_before, offline };
                self.poll(now)
            }
            // It may have begun on the network that is gone, and wait there for long.
            (State::Attempting, Event::NetworkChanged | Event::Online) => {
                Some(Action::Connect { number: self.number })
            }
            (State::Connecting, Event::Failed { .. }) => Some(self.give_up(Reason::NeverConnected)),
            (State::Connected { since, .. }, Event::Failed { retryable, retry_after }) => {
                if now.saturating_sub(since) >= self.backoff.max_delay {
                    self.number = 0;
                }
                Some(self.failed(now, chance, retryable, retry_after))
            }
            (State::Attempting, Event::Failed { retryable, retry_after }) => {
                Some(self.failed(now, chance, retryable, retry_after))
            }
            _ => None,
        }
    }

    /// When to ask [`poll`](Self::poll). It changes with what happens.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        match self.state {
            State::Waiting { due, offline, .. } => Some(if self.offline { due.max(offline) } else { due }),
            _ => None,
        }
    }

    /// What is due.
    pub fn poll(&mut self, now: u64) -> Option<Action> {
        self.due().filter(|due| *due <= now).map(|_| {
            self.state = State::Attempting;
            let number = self.number;
            if self.offline {
                self.number = number.saturating_sub(1);
            }
            Action::Connect { number }
        })
    }

    fn failed(&mut self, now: u64, chance: f64, retryable: bool, retry_after: Option<u64>) -> Action {
        if !retryable {
            return self.give_up(Reason::NotRetryable);
        }
        if self.backoff.attempts.is_some_and(|attempts| self.number >= attempts) {
            return self.give_up(Reason::Exhausted);
        }
        let doubled = self.backoff.delay.saturating_mul(1_u64.checked_shl(self.number).unwrap_or(u64::MAX));
        let longest = doubled.min(self.backoff.max_delay);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and a wait need not be exact"
        )]
        let random = (longest as f64 * chance.clamp(0.0, 1.0)) as u64;
        // On top of what the server asks for, lest all whom it sent away come back at once.
        let asked = retry_after.unwrap_or_default();
        let wait = asked.saturating_add(random);
        self.number = self.number.saturating_add(1);
        self.state = State::Waiting {
            due: now.saturating_add(wait),
            not_before: now.saturating_add(asked),
            offline: now.saturating_add(self.backoff.max_delay),
        };
        Action::Wait { number: self.number, wait }
    }

    fn give_up(&mut self, reason: Reason) -> Action {
        self.state = State::Over;
        Action::GiveUp(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Event = Event::Failed { retryable: true, retry_after: None };

    fn connected(backoff: Backoff) -> Reconnect {
        let mut policy = Reconnect::new(backoff);
        assert_eq!(policy.handle(0, 1.0, Event::Connected), None);
        policy
    }

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_connection_that_lasted() {
        let mut policy = connected(Backoff { attempts: None, delay: 500, max_delay: 3000 });
        let mut now = 0;
        for (number, wait) in [(1, 500), (2, 1000), (3, 2000), (4, 3000), (5, 3000)] {
            assert_eq!(policy.handle(now, 1.0, LOST), Some(Action::Wait { number, wait }));
            assert_eq!(policy.due(), Some(now + wait));
            assert_eq!(policy.poll(now + wait - 1), None);
            now += wait;
            assert_eq!(policy.poll(now), Some(Action::Connect { number }));
            assert_eq!((policy.due(), policy.poll(now)), (None, None));
        }
        assert_eq!(policy.handle(now, 1.0, Event::Connected), None);
        assert_eq!(policy.handle(now + 3000, 0.5, LOST), Some(Action::Wait { number: 1, wait: 250 }));
    }

    #[test]
    fn connections_that_end_at_once_are_attempts_that_failed() {
        let mut policy = connected(Backoff { attempts: Some(3), delay: 500, max_delay: 3000 });
        let mut now = 0;
        for (number, wait) in [(1, 500), (2, 1000), (3, 2000)] {
            now += 2999;
            assert_eq!(policy.handle(now, 1.0, LOST), Some(Action::Wait { number, wait }));
            now += wait;
            assert_eq!(policy.poll(now), Some(Action::Connect { number }));
            assert_eq!(policy.handle(now, 1.0, Event::Connected), None);
            // That ICE is restarted meanwhile does not make it a new one.
            assert_eq!(policy.handle(now + 1, 1.0, Event::Disconnected), Some(Action::RestartIce));
            assert_eq!(policy.handle(now + 2, 1.0, Event::Restarted), None);
        }
        assert_eq!(policy.handle(now + 2999, 1.0, LOST), Some(Action::GiveUp(Reason::Exhausted)));
    }

    #[test]
    fn very_many_attempts_do_not_overflow() {
        let mut policy = connected(Backoff::default());
        let mut now = 0;
        for _ in 0..200 {
            policy.handle(now, 1.0, LOST);
            now = policy.due().unwrap();
            policy.poll(now).unwrap();
        }
        assert_eq!(policy.handle(now, 1.0, LOST), Some(Action::Wait { number: 201, wait: 30_000 }));
    }

    #[test]
    fn no_attempt_comes_before_what_the_server_asks_for_even_if_the_network_changes() {
        let mut policy = connected(Backoff::default());
        let full = Event::Failed { retryable: true, retry_after: Some(60_000) };
        assert_eq!(policy.handle(0, 0.5, full), Some(Action::Wait { number: 1, wait: 60_250 }));
        assert_eq!(policy.handle(1000, 0.5, Event::NetworkChanged), None);
        assert_eq!(policy.due(), Some(60_000));
        assert_eq!(policy.poll(60_000), Some(Action::Connect { number: 1 }));
    }

    #[test]
    fn a_network_that_is_back_ends_the_wait_and_offline_the_longest_is_waited() {
        let mut policy = connected(Backoff::default());
        policy.handle(0, 1.0, LOST);
        assert_eq!(policy.handle(10, 1.0, Event::Offline), None);
        assert_eq!((policy.due(), policy.poll(10_000)), (Some(30_000), None));
        assert_eq!(policy.handle(10_001, 1.0, Event::NetworkChanged), None);
        assert_eq!((policy.due(), policy.poll(29_999)), (Some(30_000), None));
        assert_eq!(policy.handle(10_002, 1.0, Event::Online), Some(Action::Connect { number: 1 }));
        policy.handle(10_003, 1.0, LOST);
        assert_eq!(policy.handle(10_004, 1.0, Event::NetworkChanged), Some(Action::Connect { number: 2 }));
    }

    #[test]
    fn an_attempt_begins_anew_on_another_network_and_counts_once() {
        let mut policy = connected(Backoff { attempts: Some(2), ..Backoff::default() });
        assert_eq!(policy.handle(0, 1.0, LOST), Some(Action::Wait { number: 1, wait: 500 }));
        assert_eq!(policy.poll(500), Some(Action::Connect { number: 1 }));
        for event in [Event::NetworkChanged, Event::Online] {
            assert_eq!(policy.handle(600, 1.0, event), Some(Action::Connect { number: 1 }));
        }
        assert_eq!(policy.handle(601, 1.0, Event::Offline), None);
        assert_eq!(policy.handle(602, 1.0, LOST), Some(Action::Wait { number: 2, wait: 1000 }));
    }

    #[test]
    fn attempts_made_offline_do_not_count_and_one_that_connects_ends_that() {
        let mut policy = connected(Backoff { attempts: Some(1), ..Backoff::default() });
        policy.handle(0, 1.0, Event::Offline);
        let mut now = 0;
        for _ in 0..5 {
            assert_eq!(policy.handle(now, 1.0, LOST), Some(Action::Wait { number: 1, wait: 500 }));
            assert_eq!(policy.due(), Some(now + 30_000));
            now += 30_000;
            assert_eq!(policy.poll(now), Some(Action::Connect { number: 1 }));
        }
        policy.handle(now, 1.0, Event::Connected);
        now += 30_000;
        policy.handle(now, 1.0, LOST);
        assert_eq!(policy.due(), Some(now + 500));
        assert_eq!(policy.poll(now + 500), Some(Action::Connect { number: 1 }));
        assert_eq!(policy.handle(now + 501, 1.0, LOST), Some(Action::GiveUp(Reason::Exhausted)));
    }

    #[test]
    fn offline_too_no_attempt_comes_before_what_the_server_asks_for() {
        let mut policy = connected(Backoff::default());
        policy.handle(0, 0.5, Event::Failed { retryable: true, retry_after: Some(60_000) });
        policy.handle(10, 0.5, Event::Offline);
        assert_eq!((policy.due(), policy.poll(60_249)), (Some(60_250), None));
        assert_eq!(policy.poll(60_250), Some(Action::Connect { number: 1 }));
    }

    #[test]
    fn ice_is_restarted_once_at_a_time_and_again_if_the_network_changed_meanwhile() {
        let mut policy = connected(Backoff::default());
        assert_eq!(policy.handle(0, 1.0, Event::Disconnected), Some(Action::RestartIce));
        assert_eq!(policy.handle(1, 1.0, Event::Disconnected), None);
        assert_eq!(policy.handle(2, 1.0, Event::NetworkChanged), None);
        assert_eq!(policy.handle(3, 1.0, Event::Restarted), Some(Action::RestartIce));
        assert_eq!(policy.handle(4, 1.0, Event::Restarted), None);
        assert_eq!(policy.handle(5, 1.0, Event::NetworkChanged), Some(Action::RestartIce));
        assert_eq!(policy.handle(6, 1.0, LOST), Some(Action::Wait { number: 1, wait: 500 }));
    }

    #[test]
    fn it_gives_up_for_a_reason_and_only_once() {
        let refused = Event::Failed { retryable: false, retry_after: None };
        let mut policy = connected(Backoff { attempts: Some(1), ..Backoff::default() });
        policy.handle(0, 0.0, LOST);
        assert_eq!(policy.poll(0), Some(Action::Connect { number: 1 }));
        assert_eq!(policy.handle(1, 0.0, LOST), Some(Action::GiveUp(Reason::Exhausted)));
        assert_eq!(policy.handle(2, 0.0, LOST), None);
        let mut policy = connected(Backoff::default());
        assert_eq!(policy.handle(0, 0.0, refused), Some(Action::GiveUp(Reason::NotRetryable)));
        let mut policy = Reconnect::new(Backoff::default());
        assert_eq!(policy.handle(0, 0.0, LOST), Some(Action::GiveUp(Reason::NeverConnected)));
        let mut policy = connected(Backoff::default());
        policy.handle(0, 1.0, LOST);
        assert_eq!(policy.handle(1, 1.0, Event::Closed), None);
        assert_eq!((policy.due(), policy.poll(1000)), (None, None));
    }
}
