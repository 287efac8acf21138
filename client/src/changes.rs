//! Waiting until something that a browser's event has changed is as one wants it.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};

use event_listener::{Event, EventListener};

/// Tells all who wait that something changed. What it changed to, they look up themselves: nothing is said
/// twice, and no event is missed between looking and waiting.
#[derive(Debug, Default)]
pub(crate) struct Changes(Event);

impl Changes {
    pub(crate) fn notify(&self) {
        self.0.notify(usize::MAX);
    }

    /// Waits until `check` has a result.
    pub(crate) async fn until<T>(&self, mut check: impl FnMut() -> Option<T>) -> T {
        let mut waiter = Waiter::default();
        poll_fn(|context| waiter.poll(context, self, &mut check)).await
    }
}

/// One who waits, between polls.
#[derive(Debug, Default)]
pub(crate) struct Waiter(Option<EventListener>);

impl Waiter {
    /// Ready as soon as `check` has a result. It is asked now, and again after each change.
    pub(crate) fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        changes: &Changes,
        mut check: impl FnMut() -> Option<T>,
    ) -> Poll<T> {
        loop {
            if let Some(result) = check() {
                self.0 = None;
                return Poll::Ready(result);
            }
            ready!(self.poll_changed(context, changes));
        }
    }

    /// Ready when it is time to look once more.
    fn poll_changed(&mut self, context: &mut Context<'_>, changes: &Changes) -> Poll<()> {
        if let Some(listener) = &mut self.0 {
            ready!(Pin::new(listener).poll(context));
            self.0 = None;
        } else {
            // Listens first: what changes between looking and listening would be missed.
            self.0 = Some(changes.0.listen());
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::{FutureExt, future::join};

    use super::*;

    #[test]
    fn every_waiting_task_sees_a_change() {
        let (changes, value) = (Changes::default(), Cell::new(0));
        let mut both = Box::pin(join(
            changes.until(|| (value.get() > 0).then(|| value.get())),
            changes.until(|| (value.get() > 1).then(|| value.get())),
        ));
        assert!(both.as_mut().now_or_never().is_none());
        value.set(1);
        changes.notify();
        assert!(both.as_mut().now_or_never().is_none());
        value.set(2);
        changes.notify();
        assert_eq!(both.now_or_never(), Some((1, 2)));
    }

    #[test]
    fn what_is_so_already_needs_no_change() {
        assert_eq!(Changes::default().until(|| Some("now")).now_or_never(), Some("now"));
    }
}
