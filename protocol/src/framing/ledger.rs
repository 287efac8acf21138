//! What makes a channel resumable: the numbers of its frames, and what may have to be sent again.

use std::{collections::VecDeque, mem};

use super::{
    Fault,
    frame::Header,
    messages::{Salvage, more_of},
};

/// How many frames may come before they are acknowledged, how many of their bytes, and for how many milliseconds.
const ACK_FRAMES: u32 = 32;
const ACK_BYTES: usize = 128 * 1024;
const ACK_DELAY: u64 = 50;

/// How many bytes of frames that are no messages and no chunks may be unacknowledged, beyond the others.
const ROOM_FOR_OTHERS: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Ledger {
    /// The number of the next new frame.
    next: u32,
    /// The frames before it that the far side has not acknowledged.
    unacknowledged: VecDeque<Vec<u8>>,
    pub(super) bytes: usize,
    /// How many of them have been sent on this connection.
    sent: usize,
    /// How many frames have come.
    pub(super) received: u32,
    /// Whether the last message of which something is acknowledged is not complete.
    is_within: bool,
    owed_frames: u32,
    owed_bytes: usize,
    /// When the acknowledgement that is owed has to leave.
    pub(super) due: Option<u64>,
}

impl Ledger {
    /// The next frame to send again after a resumption.
    pub(super) fn repeat(&mut self) -> Option<Vec<u8>> {
        let left = u32::try_from(self.unacknowledged.len() - self.sent).ok()?;
        let header = Header { sequence: self.next.wrapping_sub(left), received: self.received };
        let frame = self.unacknowledged.get_mut(self.sent)?;
        header.stamp(frame);
        let frame = frame.clone();
        self.sent += 1;
        self.settle();
        Some(frame)
    }

    /// Numbers a new frame, and keeps it until it is acknowledged.
    pub(super) fn enter(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        Header { sequence: self.next, received: self.received }.stamp(&mut frame);
        self.next = self.next.wrapping_add(1);
        self.bytes += frame.len();
        self.unacknowledged.push_back(frame.clone());
        self.sent = self.unacknowledged.len();
        self.settle();
        frame
    }

    /// A numbered frame came.
    pub(super) fn receive(&mut self, header: Header, length: usize, now: u64) -> Result<(), Fault> {
        self.acknowledge(header.received)?;
        if header.sequence != self.received {
            return Err(Fault::Sequence);
        }
        self.received = self.received.wrapping_add(1);
        self.owed_frames += 1;
        self.owed_bytes += length;
        let is_urgent = self.owed_frames >= ACK_FRAMES || self.owed_bytes >= ACK_BYTES;
        let due = if is_urgent { now } else { now + ACK_DELAY };
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        Ok(())
    }

    /// The far side has received so many frames.
    pub(super) fn acknowledge(&mut self, received: u32) -> Result<(), Fault> {
        let first = self.next.wrapping_sub(u32::try_from(self.unacknowledged.len()).unwrap_or(u32::MAX));
        let news = received.wrapping_sub(first) as usize;
        if news > self.sent {
            return Err(Fault::Acknowledgement);
        }
        self.sent -= news;
        for frame in self.unacknowledged.drain(..news) {
            self.bytes -= frame.len();
            self.is_within = more_of(&frame).unwrap_or(self.is_within);
        }
        Ok(())
    }

    /// The channel goes on where the far side has received so many frames; the others are sent again.
    pub(super) fn resume(&mut self, received: u32) -> Result<(), Fault> {
        self.sent = self.unacknowledged.len();
        self.acknowledge(received)?;
        self.sent = 0;
        Ok(())
    }

    /// What this side has received is acknowledged.
    pub(super) fn settle(&mut self) {
        (self.owed_frames, self.owed_bytes, self.due) = (0, 0, None);
    }

    pub(super) fn is_settled(&self) -> bool {
        self.unacknowledged.is_empty()
    }

    /// Whether the far side takes frames without acknowledging them.
    pub(super) fn is_overdrawn(&self, limit: usize) -> bool {
        self.bytes > limit + ROOM_FOR_OTHERS
    }

    /// Begins anew, and returns the messages that were not acknowledged.
    pub(super) fn renew(&mut self) -> Salvage {
        let Self { unacknowledged, is_within, .. } = mem::take(self);
        let mut salvage = Salvage::new(true, is_within);
        for frame in &unacknowledged {
            salvage.add(frame);
        }
        salvage
    }
}
