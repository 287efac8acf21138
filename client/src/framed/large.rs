//! Large transfers beside the messages of a channel.

use std::{
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_sink::Sink;
use futures_util::SinkExt;
use hola_webrtc_protocol::framing::{Info, Read, Transfer};

use super::Framed;

/// What is handed over at a time.
const PIECE: usize = 64 * 1024;

/// Why a transfer did not arrive, in the words of who gave it up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the transfer was given up: {0}")]
pub struct TransferError(String);

impl TransferError {
    pub(super) fn channel_ended() -> Self {
        Self("the channel has ended".to_owned())
    }
}

/// Where the bytes of a transfer go. Closing the [`Sink`] waits until the other side's reader has all of them and the checksum
/// agrees; dropping it before gives up.
pub struct LargeSender {
    framed: Rc<Framed>,
    key: u32,
    is_finished: bool,
}

impl LargeSender {
    pub(super) fn new(framed: Rc<Framed>, key: u32) -> Self {
        Self { framed, key, is_finished: false }
    }

    /// How many bytes have left; `None` once it is over.
    pub fn sent(&self) -> Option<u64> {
        match self.framed.framing().transfer(self.key)? {
            Transfer::Sending { sent, .. } => Some(sent),
            _ => None,
        }
    }

    /// Gives up; the other side is told why.
    pub fn cancel(self, reason: &str) {
        self.framed.change(|framing| framing.reset(self.key, reason));
    }

    pub(super) async fn send_all(
        mut self,
        data: &[u8],
        mut progress: impl FnMut(u64),
    ) -> Result<(), TransferError> {
        let mut last = 0;
        let mut tell = |sent: u64| {
            if sent > last {
                last = sent;
                progress(sent);
            }
        };
        for piece in data.chunks(PIECE) {
            self.send(piece.to_vec()).await?;
            tell(self.sent().unwrap_or_default());
        }
        self.finish();
        let framed = Rc::clone(&self.framed);
        let look = || {
            tell(self.sent().unwrap_or_default());
            self.outcome()
        };
        framed.changes.until(look).await?;
        tell(data.len() as u64);
        Ok(())
    }

    fn finish(&mut self) {
        if !self.is_finished {
            self.is_finished = true;
            self.framed.change(|framing| framing.finish(self.key));
        }
    }

    /// `None` while it is under way.
    fn outcome(&self) -> Option<Result<(), TransferError>> {
        match self.framed.framing().transfer(self.key) {
            Some(Transfer::Sending { .. }) => None,
            Some(Transfer::Delivered) => Some(Ok(())),
            Some(Transfer::Failed(reason)) => Some(Err(TransferError(reason))),
            None => Some(Err(TransferError::channel_ended())),
        }
    }
}

impl Sink<Vec<u8>> for LargeSender {
    type Error = TransferError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransferError>> {
        self.framed.changes.poll(context, || match self.framed.framing().transfer(self.key) {
            Some(Transfer::Sending { has_room, .. }) => has_room.then_some(Ok(())),
            Some(Transfer::Failed(reason)) => Some(Err(TransferError(reason))),
            Some(Transfer::Delivered) | None => Some(Err(TransferError::channel_ended())),
        })
    }

    fn start_send(self: Pin<&mut Self>, piece: Vec<u8>) -> Result<(), TransferError> {
        self.framed.change(|framing| framing.write(self.key, &piece));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransferError>> {
        self.poll_ready(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), TransferError>> {
        self.finish();
        self.framed.changes.poll(context, || self.outcome())
    }
}

impl Drop for LargeSender {
    fn drop(&mut self) {
        self.framed.change(|framing| {
            framing.reset(self.key, "its sender has gone");
            framing.forget(self.key);
        });
    }
}

impl fmt::Debug for LargeSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LargeSender").field("sent", &self.sent()).finish_non_exhaustive()
    }
}

/// A transfer from the other side, piece by piece. The [`Stream`] ends when all of it was read and the checksum agrees, or
/// after an error. The sender goes no faster than it is read. Dropping it before tells the sender to stop.
pub struct LargeReceiver {
    framed: Rc<Framed>,
    key: u32,
    info: Info,
    is_over: bool,
}

impl LargeReceiver {
    pub(super) fn new(framed: Rc<Framed>, key: u32, info: Info) -> Self {
        Self { framed, key, info, is_over: false }
    }

    /// What the sender tells of it beforehand.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Wants no more of it; the sender is told why.
    pub fn cancel(mut self, reason: &str) {
        self.stop(reason);
    }

    fn stop(&mut self, reason: &str) {
        if !self.is_over {
            self.is_over = true;
            self.framed.change(|framing| framing.stop(self.key, reason));
        }
    }
}

impl Stream for LargeReceiver {
    type Item = Result<Vec<u8>, TransferError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let read = self.framed.changes.poll(context, || self.framed.framing_mut().read(self.key));
        read.map(|read| {
            // What was read lets the sender go on.
            self.framed.notify();
            match read {
                Read::Chunk(chunk) => Some(Ok(chunk)),
                Read::End => {
                    self.is_over = true;
                    None
                }
                Read::Failed(reason) => {
                    self.is_over = true;
                    Some(Err(TransferError(reason)))
                }
            }
        })
    }
}

impl Drop for LargeReceiver {
    fn drop(&mut self) {
        self.stop("it is not wanted");
    }
}

impl fmt::Debug for LargeReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LargeReceiver").field("info", &self.info).finish_non_exhaustive()
    }
}
