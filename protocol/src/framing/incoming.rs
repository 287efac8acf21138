//! Transfers that this side receives.

use std::collections::VecDeque;

use crc::{Digest, Table};

use super::{
    CHECKSUM, Fault,
    credit::{Allowance, cost},
};

/// What the sender of a transfer tells of it beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Its length in bytes, if that is known.
    pub total: Option<u64>,
    /// Its name, or empty.
    pub name: String,
    /// Its media type, or empty.
    pub kind: String,
}

/// What comes next of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<P> {
    /// A piece of it.
    Chunk(P),
    /// Nothing: all of it was read, and the checksum agrees.
    End,
    /// Nothing: it failed, for this reason.
    Failed(String),
}

/// The reason that both sides are given when a transfer arrives changed.
pub(super) const CORRUPT: &str = "the checksum does not agree";
pub(super) const LENGTH: &str = "the length is not the announced one";

pub(super) struct Incoming<P> {
    /// What its user calls it.
    pub(super) key: u32,
    /// What it is called on the wire.
    pub(super) number: u32,
    pub(super) info: Info,
    /// Whether its user knows of it.
    pub(super) is_taken: bool,
    chunks: VecDeque<(P, u64)>,
    allowance: Allowance,
    received: u64,
    digest: Digest<'static, u32, Table<1>>,
    /// The sender has sent all that it will.
    pub(super) is_over: bool,
    /// What its user hears when all is read.
    outcome: Option<Result<(), String>>,
    /// The user wants no more of it, or has it all.
    pub(super) is_left: bool,
}

impl<P> Incoming<P> {
    pub(super) fn new(key: u32, number: u32, info: Info, window: u32) -> Self {
        Self {
            key,
            number,
            info,
            is_taken: false,
            chunks: VecDeque::new(),
            allowance: Allowance::new(window),
            received: 0,
            digest: CHECKSUM.digest(),
            is_over: false,
            outcome: None,
            is_left: false,
        }
    }

    /// A piece came. Returns why no more is wanted, if that is new.
    pub(super) fn take(
        &mut self,
        data: &[u8],
        frame_length: usize,
        payload: P,
    ) -> Result<Option<&'static str>, Fault> {
        if self.is_over {
            return Err(Fault::Transfer);
        }
        if data.is_empty() {
            return Err(Fault::Malformed);
        }
        let cost = cost(frame_length);
        self.allowance.take(cost)?;
        if self.is_left || self.outcome.is_some() {
            return Ok(None);
        }
        self.received += data.len() as u64;
        if self.info.total.is_some_and(|total| self.received > total) {
            self.fail(LENGTH);
            return Ok(Some(LENGTH));
        }
        self.digest.update(data);
        self.chunks.push_back((payload, cost));
        Ok(None)
    }

    /// All of it came. Returns what is wrong with it, if that is new.
    pub(super) fn finish(&mut self, length: u64, checksum: u32) -> Result<Option<&'static str>, Fault> {
        if self.is_over {
            return Err(Fault::Transfer);
        }
        self.is_over = true;
        if self.is_left || self.outcome.is_some() {
            return Ok(None);
        }
        let is_as_long = self.received == length && self.info.total.is_none_or(|total| total == length);
        let fault = if !is_as_long {
            Some(LENGTH)
        } else if self.digest.clone().finalize() != checksum {
            Some(CORRUPT)
        } else {
            None
        };
        match fault {
            Some(fault) => self.fail(fault),
            None => self.outcome = Some(Ok(())),
        }
        Ok(fault)
    }

    /// The sender gave it up.
    pub(super) fn reset(&mut self, reason: &str) -> Result<(), Fault> {
        if self.is_over {
            return Err(Fault::Transfer);
        }
        self.lose(reason);
        Ok(())
    }

    /// It ends where it is.
    pub(super) fn lose(&mut self, reason: &str) {
        if !self.is_over {
            self.is_over = true;
            self.fail(reason);
        }
        if !self.is_taken {
            self.is_left = true;
        }
    }

    fn fail(&mut self, reason: &str) {
        self.chunks.clear();
        self.outcome.get_or_insert_with(|| Err(reason.to_owned()));
    }

    /// What comes next, and the credit to grant; `None` if it is not there yet.
    pub(super) fn read(&mut self) -> Option<(Read<P>, Option<u64>)> {
        if let Some((chunk, cost)) = self.chunks.pop_front() {
            let limit = self.allowance.read(cost).filter(|_| !self.is_over);
            return Some((Read::Chunk(chunk), limit));
        }
        let outcome = self.outcome.clone()?;
        self.is_left = true;
        Some((outcome.map_or_else(Read::Failed, |()| Read::End), None))
    }

    /// Its user wants no more of it. Whether the sender has to hear of that.
    pub(super) fn stop(&mut self) -> bool {
        let is_news = !self.is_left && !matches!(self.outcome, Some(Err(_)));
        self.is_left = true;
        self.chunks.clear();
        is_news
    }

    pub(super) fn held(&self) -> u64 {
        self.chunks.iter().map(|(_, cost)| cost).sum()
    }
}
