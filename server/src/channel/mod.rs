//! A data channel as a handler sees it: a stream of messages in, a sink of messages out.

mod pipe;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;

pub(crate) use pipe::Pipe;

/// A message on a data channel, one frame for the sender and for the receiver alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, UTF-8.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// The length of the payload in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether there is no payload. Empty messages are messages all the same.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What both sides agreed on for a channel
/// ([W3C, `RTCDataChannelInit`](https://www.w3.org/TR/webrtc/#dom-rtcdatachannelinit)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelParameters {
    /// The name the opener gave it. Not unique.
    pub label: String,
    /// The subprotocol, or empty.
    pub protocol: String,
    /// Its SCTP stream number.
    pub id: u16,
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// How often a lost message is sent again, if that is limited.
    pub max_retransmits: Option<u16>,
    /// How long a lost message is sent again, in milliseconds, if that is limited.
    pub max_packet_life_time: Option<u16>,
}

/// Why a message could not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is closed, by either side or with its session.
    #[error("the channel is closed")]
    Closed,
    /// The peer takes no message of this size (RFC 8841, 6).
    #[error("the message has {size} bytes, and the peer takes at most {max}")]
    TooLarge {
        /// The message's size in bytes.
        size: usize,
        /// The largest size the peer takes.
        max: usize,
    },
}

/// An open data channel: a [`Stream`] of the peer's messages, which ends when the channel closes, and a
/// [`Sink`] for messages to the peer.
///
/// There is back-pressure both ways. The sink is ready while little is buffered towards the network. Messages
/// that are not taken from the stream stay in SCTP's receive buffer, whose advertised window shrinks until the
/// peer stops sending.
///
/// A message that the sink has taken leaves without being flushed; a flush waits until SCTP has it. Dropping
/// the channel closes it, after what it has taken has been sent.
pub struct Channel {
    pipe: Arc<Pipe>,
    parameters: ChannelParameters,
}

impl Channel {
    pub(crate) fn new(pipe: Arc<Pipe>, parameters: ChannelParameters) -> Self {
        Self { pipe, parameters }
    }

    /// The name the opener gave the channel.
    pub fn label(&self) -> &str {
        &self.parameters.label
    }

    /// Everything that was agreed on for the channel.
    pub fn parameters(&self) -> &ChannelParameters {
        &self.parameters
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

impl Stream for Channel {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.pipe.poll_receive(context)
    }
}

impl Sink<Message> for Channel {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.pipe.poll_ready(context)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        self.pipe.send(message)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.pipe.poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        match self.pipe.poll_flush(context) {
            Poll::Ready(Ok(())) => {
                self.pipe.leave();
                Poll::Ready(Ok(()))
            }
            // Closed by the other side: there is nothing left to close.
            Poll::Ready(Err(_)) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.pipe.leave();
    }
}
