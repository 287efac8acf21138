//! When the worker has to look at its timers again.

use std::{future, pin::Pin, time::Instant};

use tokio::time::{Sleep, sleep_until};

/// A timer of the runtime that is left alone as long as it does not ring too late. The deadlines of sessions that talk move
/// with every message, mostly away; and a timer that is set to an earlier time than all others costs a system call.
#[derive(Default)]
pub(super) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    /// When it rings, at the earliest of the deadlines since it last rang.
    set_to: Option<Instant>,
}

impl Alarm {
    /// Waits until the deadline, and returns it. Without one, nothing wakes the thread.
    pub(super) async fn ring(&mut self, deadline: Option<Instant>) -> Instant {
        let Some(deadline) = deadline else {
            *self = Self::default();
            return future::pending().await;
        };
        loop {
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
            if self.set_to.is_none_or(|set_to| deadline < set_to) {
                self.set_to = Some(deadline);
                sleep.as_mut().reset(deadline.into());
            }
            sleep.await;
            if self.set_to.take().is_some_and(|rung| rung >= deadline) {
                return deadline;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{self, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn rings_after(alarm: &mut Alarm, begin: time::Instant, seconds: u32) {
        let deadline = (begin + SECOND * seconds).into_std();
        assert_eq!(alarm.ring(Some(deadline)).await, deadline);
        assert_eq!(begin.elapsed().as_secs(), u64::from(seconds));
    }

    #[tokio::test(start_paused = true)]
    async fn it_rings_at_the_last_deadline_whether_that_is_later_or_earlier_than_the_ones_before() {
        let (mut alarm, begin) = (Alarm::default(), time::Instant::now());
        rings_after(&mut alarm, begin, 1).await;
        for given_up in [9, 5] {
            let deadline = begin + SECOND * given_up;
            assert!(timeout(SECOND / 10, alarm.ring(Some(deadline.into_std()))).await.is_err());
        }
        rings_after(&mut alarm, begin, 7).await;
        rings_after(&mut alarm, begin, 8).await;
        assert!(timeout(SECOND, alarm.ring(None)).await.is_err());
        rings_after(&mut alarm, begin, 10).await;
    }
}
