//! A large transfer from the peer.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use hola_webrtc_protocol::framing::{Info, Read};
use tokio::io::{AsyncRead, ReadBuf};

use crate::channel::End;

/// A large transfer that comes: a [`Stream`] of its pieces, and an [`AsyncRead`]. What is not read stops the peer, and
/// nothing else on the channel. It has ended well when the stream ends without an error: the length and the checksum
/// agreed. Dropping it gives it up.
pub struct IncomingLarge {
    end: Arc<End>,
    key: u32,
    info: Info,
    unread: Bytes,
    is_over: bool,
}

impl IncomingLarge {
    pub(super) fn new(end: Arc<End>, key: u32, info: Info) -> Self {
        Self { end, key, info, unread: Bytes::new(), is_over: false }
    }

    /// What the peer told of it beforehand.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Gives it up; the peer is told why.
    pub fn cancel(mut self, reason: &str) {
        self.stop(reason);
    }

    fn stop(&mut self, reason: &str) {
        if let Some(talk) = self.end.talk().filter(|_| !self.is_over) {
            self.is_over = true;
            talk.lock().act(|framing| framing.stop(self.key, reason));
        }
    }

    fn poll_chunk(&mut self, context: &Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Some(talk) = self.end.talk().filter(|_| !self.is_over) else { return Poll::Ready(None) };
        let mut inner = talk.lock();
        let Some(read) = inner.framing.read(self.key) else { return inner.wait(context) };
        if inner.framing.has_control() {
            inner.wake_task();
        }
        drop(inner);
        Poll::Ready(match read {
            Read::Chunk(chunk) => Some(Ok(chunk)),
            Read::End => {
                self.is_over = true;
                None
            }
            Read::Failed(reason) => {
                self.is_over = true;
                Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, reason)))
            }
        })
    }
}

impl Stream for IncomingLarge {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !self.unread.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.unread))));
        }
        self.poll_chunk(context)
    }
}

impl AsyncRead for IncomingLarge {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            match ready!(self.poll_chunk(context)) {
                Some(chunk) => self.unread = chunk?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread[..length]);
        self.unread.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl Drop for IncomingLarge {
    fn drop(&mut self) {
        self.stop("it was dropped");
    }
}

impl fmt::Debug for IncomingLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingLarge").field("info", &self.info).finish_non_exhaustive()
    }
}
