//! What the channels of one session may hold together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What one queue may hold at most: enough that a handler and the engine never wait for each other, and little enough
/// that messages wait in SCTP, where the peer feels it.
const MAX_QUEUE: usize = 128 * 1024;

/// Each queue of a session's channels may hold an equal share of the session's buffer, and one message more, so that a
/// message of any permitted size passes.
pub(crate) struct Share {
    buffer: usize,
    per_channel: AtomicUsize,
    held: AtomicUsize,
}

impl Share {
    pub(crate) fn new(buffer: usize) -> Self {
        let share = Self { buffer, per_channel: AtomicUsize::new(0), held: AtomicUsize::new(0) };
        share.among(1);
        share
    }

    /// The buffer is shared among so many channels from now on. However small it is, a channel may hold a message.
    pub(crate) fn among(&self, channels: usize) {
        self.per_channel.store((self.buffer / channels.max(1)).max(1), Ordering::Relaxed);
    }

    /// What a channel may have in SCTP that the peer has not acknowledged.
    pub(crate) fn per_channel(&self) -> usize {
        self.per_channel.load(Ordering::Relaxed)
    }

    /// What may wait in one queue between a handler and the engine.
    pub(super) fn per_queue(&self) -> usize {
        self.per_channel().min(MAX_QUEUE)
    }

    pub(super) fn add(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn subtract(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What waits in all queues together.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_channels_the_less_for_each() {
        let share = Share::new(1024 * 1024);
        assert_eq!((share.per_channel(), share.per_queue()), (1024 * 1024, MAX_QUEUE));
        share.among(64);
        assert_eq!((share.per_channel(), share.per_queue()), (16 * 1024, 16 * 1024));
        share.among(0);
        assert_eq!(share.per_channel(), 1024 * 1024);
        share.among(2 * 1024 * 1024);
        assert_eq!(share.per_channel(), 1, "none would never be written to");
        assert_eq!(Share::new(0).per_channel(), 1);
    }
}
