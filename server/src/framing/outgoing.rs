//! A large transfer to the peer.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, ready},
};

use hola_webrtc_protocol::framing::Transfer;

use super::LargeError;
use crate::channel::End;

/// A large transfer that is being sent. Dropping it gives it up, unless it is finished.
pub struct OutgoingLarge {
    end: Arc<End>,
    key: u32,
}

impl OutgoingLarge {
    pub(super) fn new(end: Arc<End>, key: u32) -> Self {
        Self { end, key }
    }

    /// Writes a piece. Waits while the peer takes no more.
    pub async fn write(&self, data: &[u8]) -> Result<(), LargeError> {
        poll_fn(|context| self.poll_room(context)).await?;
        if let Some(talk) = self.end.talk() {
            talk.lock().act(|framing| framing.write(self.key, data));
        }
        Ok(())
    }

    /// Everything is written: waits until the peer has read it, and its checksum agrees.
    pub async fn finish(self) -> Result<(), LargeError> {
        if let Some(talk) = self.end.talk() {
            talk.lock().act(|framing| framing.finish(self.key));
        }
        poll_fn(|context| match ready!(self.poll_change(context, |_| false))? {
            Transfer::Delivered => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        })
        .await
    }

    /// How many bytes have left.
    pub fn sent(&self) -> u64 {
        let transfer = self.end.talk().and_then(|talk| talk.lock().framing.transfer(self.key));
        match transfer {
            Some(Transfer::Sending { sent, .. }) => sent,
            _ => 0,
        }
    }

    /// Gives it up; the peer is told why.
    pub fn cancel(self, reason: &str) {
        self.reset(reason);
    }

    fn poll_room(&self, context: &Context<'_>) -> Poll<Result<(), LargeError>> {
        let has_room = |transfer: &Transfer| matches!(transfer, Transfer::Sending { has_room: true, .. });
        self.poll_change(context, has_room).map_ok(drop)
    }

    /// Waits while the transfer is under way and not as wanted.
    fn poll_change(
        &self,
        context: &Context<'_>,
        is_wanted: impl Fn(&Transfer) -> bool,
    ) -> Poll<Result<Transfer, LargeError>> {
        let Some(talk) = self.end.talk() else { return Poll::Ready(Err(LargeError::NotFramed)) };
        let mut inner = talk.lock();
        match inner.framing.transfer(self.key) {
            Some(Transfer::Failed(reason)) => Poll::Ready(Err(LargeError::GivenUp(reason))),
            Some(transfer) if transfer == Transfer::Delivered || is_wanted(&transfer) => {
                Poll::Ready(Ok(transfer))
            }
            Some(_) => inner.wait(context),
            None => Poll::Ready(Err(LargeError::Closed)),
        }
    }

    fn reset(&self, reason: &str) {
        if let Some(talk) = self.end.talk() {
            talk.lock().act(|framing| framing.reset(self.key, reason));
        }
    }
}

impl Drop for OutgoingLarge {
    fn drop(&mut self) {
        self.reset("it was dropped");
        if let Some(talk) = self.end.talk() {
            talk.lock().framing.forget(self.key);
        }
    }
}

impl fmt::Debug for OutgoingLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingLarge").field("sent", &self.sent()).finish_non_exhaustive()
    }
}
