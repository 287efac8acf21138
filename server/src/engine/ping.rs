//! Whether the workers live.

use std::sync::{Mutex, PoisonError};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use super::{Mailbox, Order, workers};

/// Asks the workers for a sign of life. All who want to know wait for the same one: a worker that stands still is not given ever
/// more orders.
#[derive(Default)]
pub(crate) struct Ping {
    last: Mutex<Option<Shared<BoxFuture<'static, bool>>>>,
}

impl Ping {
    /// `true` once every worker has given one, `false` if one of them has stopped.
    pub(crate) fn ask(&self, workers: &[Mailbox]) -> Shared<BoxFuture<'static, bool>> {
        // No code panics while it holds the lock, so a poisoned one is as good as any.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has come says nothing of now.
        let awaited = last.take().filter(|sign| sign.clone().now_or_never().is_none());
        let awaited = awaited
            .unwrap_or_else(|| workers::order_all(workers, |reply| Order::Ping { reply }).boxed().shared());
        last.insert(awaited).clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn however_many_ask_a_worker_that_stands_still_has_one_order() {
        let (orders, mut worker) = mpsc::unbounded_channel();
        let workers = [Mailbox { orders, strays: mpsc::channel(1).0 }];
        let ping = Ping::default();
        let asked: Vec<_> = (0..1000).map(|_| ping.ask(&workers)).collect();
        assert!(asked.iter().all(|sign| sign.clone().now_or_never().is_none()));
        assert_eq!(worker.len(), 1);

        let Ok(Order::Ping { reply }) = worker.try_recv() else { panic!("no order") };
        reply.send(()).unwrap();
        assert!(asked.into_iter().all(|sign| sign.now_or_never() == Some(true)));
        assert_eq!(ping.ask(&workers).now_or_never(), None, "it is asked anew");
        assert_eq!(worker.len(), 1);

        drop(worker);
        assert_eq!(ping.ask(&workers).now_or_never(), Some(false));
    }
}
