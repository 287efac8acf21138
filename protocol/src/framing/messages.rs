//! Ordinary messages: in fragments, if they are long.

use std::collections::VecDeque;

use super::{
    Fault, Frame, Header, MAX_PAYLOAD,
    credit::{Allowance, Lane, cost},
    frame::{MESSAGE, MORE, TEXT},
};

/// A message that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received<P> {
    /// Whether it is text. Its host checks that it is UTF-8.
    pub text: bool,
    /// Its content, piece by piece.
    pub parts: Vec<P>,
}

/// A message of which it is not known that it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// Whether it is text.
    pub text: bool,
    /// Its content.
    pub data: Vec<u8>,
    /// Whether all of the content is there. The beginning of a long message may have arrived, and is not held any more.
    pub is_whole: bool,
}

/// Queues a message as frames.
pub(super) fn queue(lane: &mut Lane, text: bool, data: &[u8], header: Option<Header>) {
    let mut rest = data;
    loop {
        let (payload, left) = rest.split_at(rest.len().min(MAX_PAYLOAD));
        let more = !left.is_empty();
        lane.push(Frame::Message { text, more, payload }.encode(header), Some(payload.len()));
        if !more {
            return;
        }
        rest = left;
    }
}

/// Puts the frames of messages together again that were not delivered.
pub(super) struct Salvage {
    header: usize,
    messages: Vec<Undelivered>,
    begun: Option<Undelivered>,
}

impl Salvage {
    /// `is_within` says that the first message has lost its beginning.
    pub(super) fn new(is_resumable: bool, is_within: bool) -> Self {
        let header = if is_resumable { Header::LENGTH } else { 1 };
        Self { header, messages: Vec::new(), begun: is_within.then(Undelivered::default) }
    }

    /// Takes a frame in, if it is of a message.
    pub(super) fn add(&mut self, frame: &[u8]) {
        let Some(more) = more_of(frame) else { return };
        let begun = self.begun.take();
        let mut message = begun.unwrap_or_else(|| Undelivered { is_whole: true, ..Undelivered::default() });
        message.text = frame[0] & TEXT != 0;
        message.data.extend_from_slice(&frame[self.header..]);
        if more {
            self.begun = Some(message);
        } else {
            self.messages.push(message);
        }
    }

    /// Whether the last message is not complete.
    pub(super) fn is_within(&self) -> bool {
        self.begun.is_some()
    }

    pub(super) fn finish(self) -> Vec<Undelivered> {
        self.messages
    }
}

/// Whether more of its message follows this frame; `None` if it is of no message.
pub(super) fn more_of(frame: &[u8]) -> Option<bool> {
    (frame[0] & !(TEXT | MORE) == MESSAGE).then_some(frame[0] & MORE != 0)
}

/// The messages that came and are unread.
pub(super) struct Inbox<P> {
    complete: VecDeque<Complete<P>>,
    begun: Option<Complete<P>>,
    pub(super) allowance: Allowance,
    pub(super) bytes: usize,
}

struct Complete<P> {
    message: Received<P>,
    length: usize,
    cost: u64,
}

impl<P> Inbox<P> {
    pub(super) fn new(window: u32) -> Self {
        Self { complete: VecDeque::new(), begun: None, allowance: Allowance::new(window), bytes: 0 }
    }

    /// A frame of a message came. Returns the credit to grant, if any: what belongs to a message that is not complete
    /// is bounded by the size of messages.
    pub(super) fn take(
        &mut self,
        (text, more): (bool, bool),
        (payload_length, frame_length): (usize, usize),
        max_message: u32,
        payload: P,
    ) -> Result<Option<u64>, Fault> {
        let frame_cost = cost(frame_length);
        self.allowance.take(frame_cost)?;
        let begun = self.begun.take();
        let Complete { mut message, mut length, cost: before } = begun.unwrap_or_else(|| Complete {
            message: Received { text, parts: Vec::new() },
            length: 0,
            cost: 0,
        });
        // Full fragments only, so that their number is bounded by their bytes.
        if message.text != text || (more && payload_length != MAX_PAYLOAD) {
            return Err(Fault::Fragment);
        }
        length += payload_length;
        if length > max_message as usize {
            return Err(Fault::Oversize);
        }
        message.parts.push(payload);
        self.bytes += payload_length;
        let message = Complete { message, length, cost: before + frame_cost };
        if more {
            self.begun = Some(message);
            return Ok(self.allowance.read(frame_cost));
        }
        self.allowance.hold(before);
        self.complete.push_back(message);
        Ok(None)
    }

    /// The next message, and the credit to grant.
    pub(super) fn read(&mut self) -> Option<(Received<P>, Option<u64>)> {
        let Complete { message, length, cost } = self.complete.pop_front()?;
        self.bytes -= length;
        Some((message, self.allowance.read(cost)))
    }

    /// The far side begins anew: what it did not complete is gone.
    pub(super) fn renew(&mut self, window: u32) {
        let begun = self.begun.take();
        self.bytes -= begun.map_or(0, |begun| begun.length);
        let unread = self.complete.iter().map(|message| message.cost).sum();
        self.allowance = Allowance::new(window);
        self.allowance.hold(unread);
    }
}
