//! Messages on streams that have no channel yet.
//!
//! Each side creates its end of a
//! [negotiated channel](https://www.w3.org/TR/webrtc/#dom-rtcdatachannelinit-negotiated) by itself, and whoever is first
//! may send at once: what comes waits here until this side's handler has created its own end.

use std::collections::{BTreeMap, VecDeque};

use crate::channel::Message;

/// What a message costs beside its bytes.
const COST: usize = 256;

pub(super) struct Early {
    /// How many bytes may wait.
    room: usize,
    held: usize,
    /// By their streams. No queue is empty.
    waiting: BTreeMap<u16, VecDeque<Message>>,
}

impl Early {
    pub(super) fn new(room: usize) -> Self {
        Self { room, held: 0, waiting: BTreeMap::new() }
    }

    /// Keeps a message. `false` if there is no room for it.
    pub(super) fn keep(&mut self, stream: u16, message: Message) -> bool {
        let held = self.held + message.len() + COST;
        let has_room = held <= self.room;
        if has_room {
            self.held = held;
            self.waiting.entry(stream).or_default().push_back(message);
        }
        has_room
    }

    /// The next message on a stream that it may be read from.
    pub(super) fn next(&mut self, mut may_read: impl FnMut(u16) -> bool) -> Option<(u16, Message)> {
        let stream = self.waiting.keys().copied().find(|stream| may_read(*stream))?;
        let queue = self.waiting.get_mut(&stream)?;
        let message = queue.pop_front()?;
        if queue.is_empty() {
            self.waiting.remove(&stream);
        }
        self.held -= message.len() + COST;
        Some((stream, message))
    }

    /// The stream is over, or to be.
    pub(super) fn forget(&mut self, stream: u16) {
        let messages = self.waiting.remove(&stream).unwrap_or_default();
        self.held -= messages.iter().map(|message| message.len() + COST).sum::<usize>();
    }

    /// How many bytes wait.
    pub(super) fn held(&self) -> usize {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Message {
        Message::Binary(vec![7; length].into())
    }

    #[test]
    fn messages_wait_in_order_and_only_as_many_as_there_is_room_for() {
        let mut early = Early::new(2 * (1000 + COST));
        assert!(early.keep(3, message(1000)) && early.keep(3, message(900)));
        assert!(!early.keep(1, message(1000)));
        assert_eq!(early.next(|stream| stream == 1), None);
        assert_eq!(early.next(|stream| stream == 3), Some((3, message(1000))));
        assert!(early.keep(1, message(1000)));
        early.forget(1);
        early.forget(1);
        assert_eq!(early.next(|_| true), Some((3, message(900))));
        assert_eq!((early.next(|_| true), early.held()), (None, 0));
    }

    #[test]
    fn empty_messages_are_not_for_nothing() {
        let mut early = Early::new(10 * COST);
        assert_eq!((0..100).filter(|_| early.keep(1, message(0))).count(), 10);
    }
}
