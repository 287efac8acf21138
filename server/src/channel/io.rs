//! A channel as a stream of bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::{Channel, Message, SendError};

/// How many bytes go into one message: more would hold up other channels, which SCTP does not interleave with it
/// (RFC 8831, 6.6).
const MAX_CHUNK: usize = 16 * 1024;

/// A channel as a stream of bytes: [`AsyncRead`] and [`AsyncWrite`] over binary messages, whose bounds mean nothing.
/// [`Channel::into_io`] makes it.
///
/// A text message is an error of kind [`io::ErrorKind::InvalidData`]. The stream ends when the channel closes; what is
/// written then fails with [`io::ErrorKind::BrokenPipe`]. Shutting down closes the channel, in both directions.
#[derive(Debug)]
pub struct ChannelIo {
    channel: Channel,
    unread: Bytes,
}

impl ChannelIo {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, unread: Bytes::new() }
    }

    fn channel(&mut self) -> Pin<&mut Channel> {
        Pin::new(&mut self.channel)
    }
}

impl AsyncBufRead for ChannelIo {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        // An empty message is no end.
        while this.unread.is_empty() {
            match ready!(this.channel().poll_next(context)) {
                Some(Message::Binary(bytes)) => this.unread = bytes,
                Some(Message::Text(_)) => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, "text came on a stream of bytes");
                    return Poll::Ready(Err(error));
                }
                None => break,
            }
        }
        Poll::Ready(Ok(&this.unread))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.unread.advance(amount);
    }
}

impl AsyncRead for ChannelIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(context))?;
        let amount = bytes.len().min(buffer.remaining());
        buffer.put_slice(&bytes[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ChannelIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.channel().poll_ready(context)).map_err(broken)?;
        let chunk = &bytes[..bytes.len().min(MAX_CHUNK).min(self.channel.max_message_size())];
        self.channel().start_send(Message::Binary(Bytes::copy_from_slice(chunk))).map_err(broken)?;
        Poll::Ready(Ok(chunk.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel().poll_flush(context).map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel().poll_close(context).map_err(broken)
    }
}

fn broken(error: SendError) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error)
}
