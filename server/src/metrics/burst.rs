//! Says something that happens often, but not as often as it happens.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How long nothing is said after something was.
const QUIET: Duration = Duration::from_secs(10);

/// The occurrences of one thing.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// When something was said last, in milliseconds, plus one; 0 if never.
    said: AtomicU64,
    unsaid: AtomicU64,
}

impl Burst {
    /// Takes note of one more, `now` after some fixed moment. If it is time to say so: how many there were since that
    /// was done last.
    pub(super) fn note(&self, now: Duration) -> Option<u64> {
        self.unsaid.fetch_add(1, Relaxed);
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX - 1) + 1;
        let said = self.said.load(Relaxed);
        let is_time = said == 0 || u128::from(now.saturating_sub(said)) >= QUIET.as_millis();
        // Of several threads one says it.
        let says = is_time && self.said.compare_exchange(said, now, Relaxed, Relaxed).is_ok();
        says.then(|| self.unsaid.swap(0, Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_at_once_and_the_others_together() {
        let burst = Burst::default();
        let said: Vec<_> = (0..25).map(|second| burst.note(Duration::from_secs(second))).collect();
        assert_eq!((said[0], said[10], said[20]), (Some(1), Some(10), Some(10)));
        assert_eq!(said.iter().flatten().count(), 3);
    }
}
