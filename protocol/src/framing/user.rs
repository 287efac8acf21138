//! What the user of a channel does with it.

use std::mem;

use super::{
    Ended, Frame, Framing, Info, MAX_NAME, MAX_TYPE, Read, Received, State, Transfer, Undelivered,
    frame::shorten, incoming::Incoming, messages, outgoing::Outgoing,
};

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsendable {
    /// The channel was not open yet, or has ended.
    NotOpen,
    /// The far side takes messages of so many bytes at most.
    TooLarge(u32),
}

/// Messages.
impl<P> Framing<P> {
    /// The largest message that the far side takes, in bytes; without a bound while it is not known.
    pub fn max_message(&self) -> u32 {
        self.peer.max_message
    }

    /// Queues a message. How much may wait is the host's matter ([`Framing::buffered`]).
    pub fn send(&mut self, text: bool, data: &[u8]) -> Result<(), Unsendable> {
        if !self.is_established || self.is_closing || matches!(self.state, State::Ended(_)) {
            return Err(Unsendable::NotOpen);
        }
        if data.len() > self.peer.max_message as usize {
            return Err(Unsendable::TooLarge(self.peer.max_message));
        }
        let header = self.header();
        messages::queue(&mut self.messages, text, data, header);
        Ok(())
    }

    /// How many bytes of messages wait to be sent.
    pub fn buffered(&self) -> usize {
        self.messages.bytes
    }

    /// The next message that came.
    pub fn receive(&mut self) -> Option<Received<P>> {
        let (message, limit) = self.inbox.read()?;
        self.grant(0, limit);
        Some(message)
    }

    /// The messages of which it is not known that they arrived, since the last call.
    pub fn take_undelivered(&mut self) -> Vec<Undelivered> {
        mem::take(&mut self.undelivered)
    }

    /// Whether there are any.
    pub fn has_undelivered(&self) -> bool {
        !self.undelivered.is_empty()
    }

    /// Closes the channel once everything is delivered; at once if it has never been open.
    pub fn close(&mut self) {
        self.is_closing = true;
        if !self.is_established {
            self.end(Ended::Closed);
        }
    }

    /// Whether it is closed, or about to be.
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Whether it has been open, whatever it is now.
    pub fn is_established(&self) -> bool {
        self.is_established
    }

    /// Whether it outlives its data channel.
    pub fn is_resumable(&self) -> bool {
        self.ledger.is_some()
    }

    /// Whether something waits that was caused by reading, such as credit.
    pub fn has_control(&self) -> bool {
        !self.control.is_empty()
    }

    /// Whether the far side has to be told of the end.
    pub fn has_farewell(&self) -> bool {
        self.farewell.is_some()
    }

    /// How many bytes it holds, unread, unsent and unacknowledged.
    pub fn held(&self) -> usize {
        let unacknowledged = self.ledger.as_ref().map_or(0, |ledger| ledger.bytes);
        let outgoing: usize = self.outgoing.iter().map(|transfer| transfer.lane.bytes).sum();
        let incoming: u64 = self.incoming.iter().map(Incoming::held).sum();
        let control = self.control.len() * 16;
        let incoming = usize::try_from(incoming).unwrap_or(usize::MAX);
        self.messages.bytes + self.inbox.bytes + unacknowledged + outgoing + incoming + control
    }
}

/// Transfers to the far side.
impl<P> Framing<P> {
    /// Begins a transfer and returns its key; `None` while the far side takes no more of them.
    pub fn start(&mut self, info: &Info) -> Option<u32> {
        let under_way = self.outgoing.iter().filter(|transfer| !transfer.is_done).count();
        let is_over = self.is_closing || matches!(self.state, State::Ended(_));
        if !self.is_established || is_over || under_way >= usize::from(self.peer.max_transfers) {
            return None;
        }
        let name = &info.name[..info.name.floor_char_boundary(MAX_NAME)];
        let kind = &info.kind[..info.kind.floor_char_boundary(MAX_TYPE)];
        self.last_key += 1;
        let transfer = Outgoing::new(self.last_key, self.peer.window, self.header());
        // Ahead of what waits, so that transfers begin by their numbers.
        self.control(&Frame::Start { transfer: transfer.number, total: info.total, name, kind });
        self.outgoing.push(transfer);
        Some(self.last_key)
    }

    /// How a transfer fares.
    pub fn transfer(&self, key: u32) -> Option<Transfer> {
        self.outgoing.iter().find(|transfer| transfer.key == key).map(Outgoing::state)
    }

    /// Queues a piece of it. It should have room.
    pub fn write(&mut self, key: u32, data: &[u8]) {
        if let Some(transfer) = self.sending_by(key) {
            transfer.write(data);
        }
    }

    /// All of it is written.
    pub fn finish(&mut self, key: u32) {
        if let Some(transfer) = self.sending_by(key) {
            transfer.finish();
        }
    }

    /// Gives it up, unless all of it has been sent already.
    pub fn reset(&mut self, key: u32, reason: &str) {
        if let Some(transfer) = self.sending_by(key) {
            transfer.reset(reason);
        }
        self.sweep();
    }

    /// Nobody wants to know of it any more.
    pub fn forget(&mut self, key: u32) {
        if let Some(transfer) = self.sending_by(key) {
            transfer.is_forgotten = true;
        }
        self.sweep();
    }

    fn sending_by(&mut self, key: u32) -> Option<&mut Outgoing> {
        self.outgoing.iter_mut().find(|transfer| transfer.key == key)
    }
}

/// Transfers from the far side.
impl<P> Framing<P> {
    /// The next transfer that begins, with its key.
    pub fn accept(&mut self) -> Option<(u32, Info)> {
        let transfer = self.incoming.iter_mut().find(|transfer| !transfer.is_taken)?;
        transfer.is_taken = true;
        Some((transfer.key, transfer.info.clone()))
    }

    /// The next piece of a transfer; `None` if it is not there yet. After the end or a failure the key is void.
    pub fn read(&mut self, key: u32) -> Option<Read<P>> {
        let transfer = self.incoming.iter_mut().find(|transfer| transfer.key == key)?;
        let number = transfer.number;
        let (read, limit) = transfer.read()?;
        self.grant(number, limit);
        if !matches!(read, Read::Chunk(_)) {
            self.sweep();
        }
        Some(read)
    }

    /// Wants no more of a transfer.
    pub fn stop(&mut self, key: u32, reason: &str) {
        let Some(transfer) = self.incoming.iter_mut().find(|transfer| transfer.key == key) else { return };
        let number = transfer.number;
        if transfer.stop() && number != 0 {
            self.control(&Frame::Stop { transfer: number, reason: shorten(reason) });
        }
        self.sweep();
    }
}
