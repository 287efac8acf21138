//! A worker that has nothing to do any more gives back what it keeps for later.

use std::time::{Duration, Instant};

use tokio::time::sleep_until;

/// How long a worker has had no session by then: the handlers of the last one have ended as well.
const REST: Duration = Duration::from_secs(1);

/// What a worker does once its last session has ended.
pub(super) struct Quiet {
    act: Option<fn()>,
    was_busy: bool,
    due: Option<Instant>,
}

impl Quiet {
    pub(super) fn new(act: Option<fn()>) -> Self {
        Self { act, was_busy: false, due: None }
    }

    /// Whether the worker has sessions. `true` if its last one has just ended.
    pub(super) fn note(&mut self, now: Instant, is_busy: bool) -> bool {
        let has_ended = std::mem::replace(&mut self.was_busy, is_busy) && !is_busy;
        if is_busy {
            self.due = None;
        } else if has_ended && self.act.is_some() {
            self.due = Some(now + REST);
        }
        has_ended
    }

    /// Waits until it is time to act.
    pub(super) fn is_due(&self) -> impl Future<Output = ()> + use<> {
        let due = self.due;
        async move {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        }
    }

    pub(super) fn act(&mut self) {
        self.due = None;
        if let Some(act) = self.act {
            act();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;

    use super::*;

    static ACTS: AtomicUsize = AtomicUsize::new(0);

    #[tokio::test(start_paused = true)]
    async fn it_acts_once_after_the_last_session_and_not_while_there_is_another() {
        let now = || tokio::time::Instant::now().into_std();
        let mut quiet = Quiet::new(Some(|| {
            ACTS.fetch_add(1, Ordering::Relaxed);
        }));
        for (is_busy, is_due) in [(false, false), (true, false), (false, true), (false, false)] {
            assert_eq!(quiet.note(now(), is_busy), is_due, "the last one has just ended");
            assert!(quiet.is_due().now_or_never().is_none());
            tokio::time::advance(REST).await;
            assert_eq!(quiet.is_due().now_or_never().is_some(), is_due);
            if is_due {
                quiet.act();
            }
        }
        assert_eq!(ACTS.load(Ordering::Relaxed), 1);
        quiet.note(now(), true);
        quiet.note(now(), false);
        quiet.note(now(), true);
        tokio::time::advance(2 * REST).await;
        assert!(quiet.is_due().now_or_never().is_none(), "another has come");
    }
}
