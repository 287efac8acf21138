//! How much may be sent, and how much may still come.

use std::collections::VecDeque;

use super::{FRAME_COST, Fault};

/// What a frame that carries payload takes from the credit.
pub(super) fn cost(frame_length: usize) -> u64 {
    (frame_length + FRAME_COST) as u64
}

/// The frames that wait to be sent in one order, and the far side's credit for them.
#[derive(Default)]
pub(super) struct Lane {
    queue: VecDeque<Queued>,
    /// How many bytes wait.
    pub(super) bytes: usize,
    spent: u64,
    limit: u64,
}

struct Queued {
    frame: Vec<u8>,
    /// `None` if the frame takes nothing from the credit.
    payload: Option<usize>,
}

impl Lane {
    pub(super) fn new(window: u32) -> Self {
        Self { limit: window.into(), ..Self::default() }
    }

    /// A frame waits. It takes from the credit if it carries payload.
    pub(super) fn push(&mut self, frame: Vec<u8>, payload: Option<usize>) {
        self.bytes += frame.len();
        self.queue.push_back(Queued { frame, payload });
    }

    /// The next frame, if the credit suffices, and how many bytes of payload it has.
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, usize)> {
        let front = self.queue.front()?;
        let spent = self.spent + front.payload.map_or(0, |_| cost(front.frame.len()));
        if spent > self.limit {
            return None;
        }
        self.spent = spent;
        let Queued { frame, payload } = self.queue.pop_front()?;
        self.bytes -= frame.len();
        Some((frame, payload.unwrap_or_default()))
    }

    /// The far side grants more.
    pub(super) fn grant(&mut self, limit: u64) -> Result<(), Fault> {
        if limit < self.limit {
            return Err(Fault::Credit);
        }
        self.limit = limit;
        Ok(())
    }

    /// The far side begins anew, and grants so much.
    pub(super) fn renew(&mut self, window: u32) {
        (self.spent, self.limit) = (0, window.into());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Drops what waits.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.bytes = 0;
    }

    /// Takes what waits from the front, as long as it is to be taken.
    pub(super) fn take_while(&mut self, mut is_wanted: impl FnMut(&[u8]) -> bool) {
        while let Some(front) = self.queue.front()
            && is_wanted(&front.frame)
        {
            self.bytes -= front.frame.len();
            self.queue.pop_front();
        }
    }
}

/// What has come of one order of frames, what of it is unread, and what is granted.
pub(super) struct Allowance {
    window: u64,
    came: u64,
    unread: u64,
    granted: u64,
}

impl Allowance {
    pub(super) fn new(window: u32) -> Self {
        let window = window.into();
        Self { window, came: 0, unread: 0, granted: window }
    }

    /// A frame came, which stays unread.
    pub(super) fn take(&mut self, cost: u64) -> Result<(), Fault> {
        self.came += cost;
        self.unread += cost;
        if self.came > self.granted { Err(Fault::Credit) } else { Ok(()) }
    }

    /// So much was read, or is held by other limits. Returns what is to be granted, if that is worth a frame.
    pub(super) fn read(&mut self, cost: u64) -> Option<u64> {
        self.unread -= cost;
        let limit = (self.came + self.window).saturating_sub(self.unread);
        let is_worth_it = limit >= self.granted + self.window / 4;
        is_worth_it.then(|| {
            self.granted = limit;
            limit
        })
    }

    /// So much that counted as read is unread after all: a message is complete, and waits for its reader.
    pub(super) fn hold(&mut self, cost: u64) {
        self.unread += cost;
    }
}
