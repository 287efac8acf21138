//! Waiting until something that a browser's event has changed is as one wants it.

use std::{
    cell::RefCell,
    future::poll_fn,
    task::{Context, Poll, Waker},
};

/// Tells all who wait that something changed. What it changed to, they look up themselves: nothing is said
/// twice, and no event is missed between looking and waiting, as both happen in one turn of the page.
#[derive(Debug, Default)]
pub(crate) struct Changes(RefCell<Vec<Waker>>);

impl Changes {
    pub(crate) fn notify(&self) {
        // Taken out first: who is woken may wait again at once.
        for waker in self.0.take() {
            waker.wake();
        }
    }

    /// Waits until `check` has a result.
    pub(crate) async fn until<T>(&self, mut check: impl FnMut() -> Option<T>) -> T {
        poll_fn(|context| self.poll(context, &mut check)).await
    }

    /// Ready as soon as `check` has a result. It is asked now, and again after each change.
    pub(crate) fn poll<T>(&self, context: &Context<'_>, check: impl FnOnce() -> Option<T>) -> Poll<T> {
        let result = check();
        if result.is_none() {
            self.wake_later(context.waker());
        }
        result.map_or(Poll::Pending, Poll::Ready)
    }

    /// A task waits once, however often it looks.
    fn wake_later(&self, waker: &Waker) {
        let mut waiting = self.0.borrow_mut();
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
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

    #[test]
    fn a_task_that_looks_often_is_woken_once() {
        let changes = Changes::default();
        let mut waiting = Box::pin(changes.until(|| None::<()>));
        for _ in 0..100 {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        assert_eq!(changes.0.borrow().len(), 1);
    }
}
