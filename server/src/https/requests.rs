//! Whether a client of HTTP/2 asks for anything. One that does not is let go, though it answers pings, as one of HTTP/1.1 is.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The requests of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    under_way: usize,
    have_come: bool,
    /// Since when nothing is, unless something is.
    quiet_since: Instant,
}

impl Default for State {
    fn default() -> Self {
        Self { under_way: 0, have_come: false, quiet_since: Instant::now() }
    }
}

impl Requests {
    /// A request has come. It is under way until the end of its reply, when what this returns is dropped.
    pub(super) fn begin(&self) -> UnderWay {
        let mut state = self.state();
        state.under_way += 1;
        state.have_come = true;
        UnderWay(self.clone())
    }

    /// Whether there has been any.
    pub(super) fn have_come(&self) -> bool {
        self.state().have_come
    }

    /// When to look again whether none has been under way for this long; `None` if so.
    pub(super) fn next_look(&self, patience: Duration) -> Option<Instant> {
        let now = Instant::now();
        let state = self.state();
        let since = if state.under_way > 0 { now } else { state.quiet_since };
        let due = since + patience;
        (due > now).then_some(due)
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that has no reply yet, or not all of it.
#[derive(Debug)]
pub(super) struct UnderWay(Requests);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        state.quiet_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_client_is_quiet_from_the_end_of_its_last_reply_on() {
        let requests = Requests::default();
        advance(PATIENCE / 2).await;
        let (one, other) = (requests.begin(), requests.begin());
        drop(one);
        advance(PATIENCE * 2).await;
        assert!(requests.next_look(PATIENCE).is_some(), "one is under way");
        drop(other);
        assert_eq!(requests.next_look(PATIENCE), Some(Instant::now() + PATIENCE));
        advance(PATIENCE).await;
        assert_eq!(requests.next_look(PATIENCE), None);
        assert!(requests.have_come());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_asks_is_quiet_from_the_beginning_on() {
        let requests = Requests::default();
        advance(PATIENCE).await;
        assert_eq!(requests.next_look(PATIENCE), None);
        assert!(!requests.have_come());
    }
}
