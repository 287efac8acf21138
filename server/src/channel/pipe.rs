//! The queues between a channel's handler and the engine. Both ends work from any thread; a lock guards two
//! short queues and is never held across I/O.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{Message, SendError, Share};
use crate::engine::Doorbell;

/// What a message costs beside its payload, so that empty messages are not free.
const MESSAGE_COST: usize = 64;

pub(crate) struct Pipe {
    state: Mutex<State>,
    doorbell: Arc<Doorbell>,
    share: Arc<Share>,
    max_message_size: usize,
}

#[derive(Default)]
struct State {
    inbox: Queue,
    outbox: Queue,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// The engine has left messages in SCTP and wants to know when there is room again.
    stalled: bool,
    /// The handler is gone or wants no more.
    left: bool,
    /// The channel closed before everything that was sent had been taken.
    is_cut: bool,
    stage: Stage,
}

#[derive(Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    /// Nothing can be sent any more; what was received is still delivered.
    Mute,
    /// Nothing will be delivered any more.
    Closed,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    cost: usize,
}

impl Queue {
    fn push(&mut self, message: Message, share: &Share) {
        let cost = message.len() + MESSAGE_COST;
        self.cost += cost;
        share.add(cost);
        self.messages.push_back(message);
    }

    fn pop(&mut self, share: &Share) -> Option<Message> {
        let message = self.messages.pop_front()?;
        let cost = message.len() + MESSAGE_COST;
        self.cost -= cost;
        share.subtract(cost);
        Some(message)
    }

    fn clear(&mut self, share: &Share) {
        share.subtract(self.cost);
        *self = Self::default();
    }
}

/// The handler's end.
impl Pipe {
    pub(super) fn poll_receive(&self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut state = self.lock();
        if let Some(message) = state.inbox.pop(&self.share) {
            if state.stalled && state.inbox.cost < self.share.per_queue() {
                state.stalled = false;
                self.doorbell.ring();
            }
            return Poll::Ready(Some(message));
        }
        if state.stage == Stage::Closed || state.left {
            return Poll::Ready(None);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let mut state = self.lock();
        if state.stage != Stage::Open || state.left {
            return Poll::Ready(Err(SendError::Closed));
        }
        if state.outbox.cost < self.share.per_queue() {
            return Poll::Ready(Ok(()));
        }
        state.writer = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let mut state = self.lock();
        if state.outbox.messages.is_empty() {
            return Poll::Ready(if state.is_cut { Err(SendError::Closed) } else { Ok(()) });
        }
        state.writer = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn send(&self, message: Message) -> Result<(), SendError> {
        if message.len() > self.max_message_size {
            return Err(SendError::TooLarge { size: message.len(), max: self.max_message_size });
        }
        let mut state = self.lock();
        if state.stage != Stage::Open || state.left {
            return Err(SendError::Closed);
        }
        state.outbox.push(message, &self.share);
        self.doorbell.ring();
        Ok(())
    }

    pub(super) fn max_message_size(&self) -> usize {
        self.max_message_size
    }

    /// Whoever reads and writes the channel on behalf of its handler holds so many bytes, in place of so many before.
    pub(super) fn hold(&self, before: usize, now: usize) {
        self.share.add(now);
        self.share.subtract(before);
    }

    /// The handler wants no more. What it has sent still goes out.
    pub(super) fn leave(&self) {
        let mut state = self.lock();
        if !state.left && state.stage != Stage::Closed {
            state.left = true;
            state.inbox.clear(&self.share);
            self.doorbell.ring();
        }
    }
}

/// The engine's end.
impl Pipe {
    pub(crate) fn new(doorbell: Arc<Doorbell>, share: Arc<Share>, max_message_size: usize) -> Self {
        Self { state: Mutex::default(), doorbell, share, max_message_size }
    }

    /// Whether the handler's queue has room. If not, the engine hears when it has.
    pub(crate) fn has_room(&self) -> bool {
        let mut state = self.lock();
        let has_room =
            state.left || state.stage == Stage::Closed || state.inbox.cost < self.share.per_queue();
        state.stalled = !has_room;
        has_room
    }

    pub(crate) fn deliver(&self, message: Message) {
        let mut state = self.lock();
        if !state.left && state.stage != Stage::Closed {
            state.inbox.push(message, &self.share);
            wake(&mut state.reader);
        }
    }

    /// The next message to send.
    pub(crate) fn take(&self) -> Option<Message> {
        let mut state = self.lock();
        let message = state.outbox.pop(&self.share)?;
        if state.outbox.cost < self.share.per_queue() {
            wake(&mut state.writer);
        }
        Some(message)
    }

    /// Whether the handler is done with the channel and everything it sent has been taken.
    pub(crate) fn is_finished(&self) -> bool {
        let state = self.lock();
        state.left && state.outbox.messages.is_empty()
    }

    /// The peer has closed the channel: the handler's sink fails. What is still to be delivered may come.
    pub(crate) fn close_sink(&self) {
        let mut state = self.lock();
        if state.stage == Stage::Open {
            state.stage = Stage::Mute;
        }
        state.is_cut |= !state.outbox.messages.is_empty();
        state.outbox.clear(&self.share);
        wake(&mut state.writer);
    }

    /// The channel is closed, and everything is delivered: the handler's stream ends once it is read up, and its
    /// sink fails.
    pub(crate) fn close(&self) {
        self.close_sink();
        let mut state = self.lock();
        state.stage = Stage::Closed;
        wake(&mut state.reader);
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the queues still hold is held no longer.
impl Drop for Pipe {
    fn drop(&mut self) {
        let State { inbox, outbox, .. } = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.share.subtract(inbox.cost + outbox.cost);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
