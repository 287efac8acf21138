//! A data channel as a handler sees it: a stream of messages in, a sink of messages out.

mod io;
mod pipe;
mod share;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;

pub use self::io::ChannelIo;
pub(crate) use self::{pipe::Pipe, share::Share};

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
    /// Whether both sides created it with this number on their own, instead of one announcing it to the other.
    pub negotiated: bool,
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// How often a lost message is sent again, if that is limited. Of channels that the peer opened it is not known:
    /// the protocol core does not tell.
    pub max_retransmits: Option<u16>,
    /// How long a lost message is sent again, in milliseconds, if that is limited. Known as above.
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
/// the channel, or both its halves, closes it, after what it has taken has been sent.
pub struct Channel {
    end: Arc<End>,
}

/// The sending half of a [`Channel`].
pub struct ChannelSender {
    end: Arc<End>,
}

/// The receiving half of a [`Channel`].
pub struct ChannelReceiver {
    end: Arc<End>,
}

/// The handler's end of a channel; dropping it closes the channel.
struct End {
    pipe: Arc<Pipe>,
    parameters: ChannelParameters,
}

impl Channel {
    pub(crate) fn new(pipe: Arc<Pipe>, parameters: ChannelParameters) -> Self {
        Self { end: Arc::new(End { pipe, parameters }) }
    }

    /// The name the opener gave the channel.
    pub fn label(&self) -> &str {
        &self.end.parameters.label
    }

    /// Everything that was agreed on for the channel.
    pub fn parameters(&self) -> &ChannelParameters {
        &self.end.parameters
    }

    /// The largest message that the peer takes, in bytes.
    pub fn max_message_size(&self) -> usize {
        self.end.pipe.max_message_size()
    }

    /// Two halves, for a task that sends and one that receives. The channel closes when both are dropped.
    pub fn split(self) -> (ChannelSender, ChannelReceiver) {
        (ChannelSender { end: self.end.clone() }, ChannelReceiver { end: self.end })
    }

    /// The channel as a stream of bytes, for protocols that know no messages.
    ///
    /// ```
    /// # async fn relay(channel: hola_webrtc_server::Channel) -> std::io::Result<()> {
    /// let mut ssh = tokio::net::TcpStream::connect("localhost:22").await?;
    /// tokio::io::copy_bidirectional(&mut channel.into_io(), &mut ssh).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_io(self) -> ChannelIo {
        ChannelIo::new(self)
    }
}

impl End {
    fn poll_close(&self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
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

impl Drop for End {
    fn drop(&mut self) {
        self.pipe.leave();
    }
}

macro_rules! receives {
    ($half:ty) => {
        impl Stream for $half {
            type Item = Message;

            fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
                self.end.pipe.poll_receive(context)
            }
        }
    };
}

macro_rules! sends {
    ($half:ty) => {
        impl Sink<Message> for $half {
            type Error = SendError;

            fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
                self.end.pipe.poll_ready(context)
            }

            fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
                self.end.pipe.send(message)
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
                self.end.pipe.poll_flush(context)
            }

            fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
                self.end.poll_close(context)
            }
        }
    };
}

macro_rules! shows_its_parameters {
    ($half:ident) => {
        impl fmt::Debug for $half {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($half))
                    .field("parameters", &self.end.parameters)
                    .finish_non_exhaustive()
            }
        }
    };
}

receives!(Channel);
receives!(ChannelReceiver);
sends!(Channel);
sends!(ChannelSender);
shows_its_parameters!(Channel);
shows_its_parameters!(ChannelSender);
shows_its_parameters!(ChannelReceiver);
