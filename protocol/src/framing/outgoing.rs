//! Transfers that this side sends.

use crc::{Digest, Table};

use super::{CHECKSUM, Frame, Header, MAX_PAYLOAD, credit::Lane, frame::shorten};

/// How many bytes of one transfer wait in it before its writer has to.
const ROOM: usize = 4 * MAX_PAYLOAD;

/// How a transfer to the far side fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// It is under way.
    Sending {
        /// Whether it takes more now.
        has_room: bool,
        /// How many bytes have left.
        sent: u64,
    },
    /// The far side's reader has all of it, and the checksum agrees.
    Delivered,
    /// It was given up, for this reason.
    Failed(String),
}

pub(super) struct Outgoing {
    /// What its user calls it.
    pub(super) key: u32,
    /// What it is called on the wire.
    pub(super) number: u32,
    pub(super) lane: Lane,
    /// How many bytes of it have been sent.
    sent: u64,
    written: u64,
    digest: Digest<'static, u32, Table<1>>,
    /// Everything is written, or it is given up.
    is_over: bool,
    /// The far side is through with it.
    pub(super) is_done: bool,
    /// Its user is.
    pub(super) is_forgotten: bool,
    failure: Option<String>,
    header: Option<Header>,
}

impl Outgoing {
    pub(super) fn new(key: u32, window: u32, header: Option<Header>) -> Self {
        Self {
            key,
            // The numbers increase, which is all that they have to.
            number: key,
            lane: Lane::new(window),
            sent: 0,
            written: 0,
            digest: CHECKSUM.digest(),
            is_over: false,
            is_done: false,
            is_forgotten: false,
            failure: None,
            header,
        }
    }

    /// Its next frame to send.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let (frame, payload) = self.lane.pop()?;
        self.sent += payload as u64;
        Some(frame)
    }

    pub(super) fn state(&self) -> Transfer {
        match &self.failure {
            Some(reason) => Transfer::Failed(reason.clone()),
            None if self.is_done => Transfer::Delivered,
            None => Transfer::Sending { has_room: !self.is_over && self.lane.bytes < ROOM, sent: self.sent },
        }
    }

    pub(super) fn write(&mut self, data: &[u8]) {
        if self.is_over {
            return;
        }
        self.digest.update(data);
        self.written += data.len() as u64;
        for payload in data.chunks(MAX_PAYLOAD) {
            let frame = Frame::Chunk { transfer: self.number, payload };
            self.lane.push(frame.encode(self.header), Some(payload.len()));
        }
    }

    pub(super) fn finish(&mut self) {
        if !self.is_over {
            self.is_over = true;
            let checksum = self.digest.clone().finalize();
            let frame = Frame::Finish { transfer: self.number, length: self.written, checksum };
            self.lane.push(frame.encode(self.header), None);
        }
    }

    /// Gives it up, unless all of it has been sent or it is given up already.
    pub(super) fn reset(&mut self, reason: &str) {
        if self.failure.is_none() && !self.may_be_done() {
            self.stopped(reason);
        }
    }

    /// The far side wants no more of it. It is told that nothing follows, unless it knows.
    pub(super) fn stopped(&mut self, reason: &str) {
        if self.failure.is_none() {
            self.failure = Some(reason.to_owned());
            if !self.may_be_done() {
                self.is_over = true;
                self.lane.clear();
                let frame = Frame::Reset { transfer: self.number, reason: shorten(reason) };
                self.lane.push(frame.encode(self.header), None);
            }
        }
    }

    /// It ends without the far side.
    pub(super) fn lose(&mut self, reason: &str) {
        if !self.is_done {
            self.is_over = true;
            self.is_done = true;
            self.failure.get_or_insert_with(|| reason.to_owned());
            self.lane.clear();
        }
    }

    /// Whether the far side may be through with it.
    pub(super) fn may_be_done(&self) -> bool {
        self.is_over && self.lane.is_empty()
    }
}
