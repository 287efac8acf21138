//! A data channel as a handler sees it: a stream of messages in, a sink of messages out.

mod end;
mod io;
mod pipe;
mod share;

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use hola_webrtc_protocol::framing::{Info, Mode};
use tokio::io::AsyncRead;

pub use self::io::ChannelIo;
pub(crate) use self::{end::End, pipe::Pipe, share::Share};
use crate::framing::{IncomingLarge, Large, LargeError, Talk};

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

/// A message of a resumable channel of which it is not known that it arrived: the peer did not come back in time, or has
/// forgotten the channel. It may have arrived; only its acknowledgement is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undelivered {
    /// The message.
    pub message: Message,
    /// Whether it is whole. The beginning of a long one may have arrived, and is not held any more.
    pub is_whole: bool,
}

/// An open data channel: a [`Stream`] of the peer's messages, which ends when the channel closes, and a
/// [`Sink`] for messages to the peer.
///
/// There is back-pressure both ways. The sink is ready while little is buffered towards the network. Messages
/// that are not taken from the stream stay in SCTP's receive buffer, whose advertised window shrinks until the
/// peer stops sending.
///
/// A channel whose opener asked for it (`docs/framing.md`) takes messages beyond what fits into one of SCTP, and
/// [large transfers](Channel::large). A resumable one lives on when its session ends, and goes on over the client's next
/// session, each message once and in order: go on accepting channels there, though this one does not come again. If the
/// client does not come back in time, the stream ends, and [`Channel::take_undelivered`] tells what did not arrive.
///
/// A message that the sink has taken leaves without being flushed; a flush waits until SCTP has it, or, on a resumable
/// channel, not at all: what it has taken it keeps until the peer has it. Dropping
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

impl Channel {
    pub(crate) fn new(pipe: Arc<Pipe>, parameters: ChannelParameters) -> Self {
        Self { end: Arc::new(End::plain(pipe, parameters)) }
    }

    /// A channel that speaks the framing on a data channel with these parameters.
    pub(crate) fn framed(talk: Arc<Talk>, carrier: &ChannelParameters) -> Self {
        let protocol = Mode::of(&carrier.protocol).1.to_owned();
        Self { end: Arc::new(End::framed(talk, ChannelParameters { protocol, ..carrier.clone() })) }
    }

    /// Sends without asking whether there is room.
    pub(crate) fn send_now(&mut self, message: Message) -> Result<(), SendError> {
        self.end.send(message)
    }

    /// So many bytes are held on account of the session, in place of so many before.
    pub(crate) fn hold(&self, before: usize, now: usize) {
        self.end.hold(before, now);
    }

    /// The name the opener gave the channel.
    pub fn label(&self) -> &str {
        &self.end.parameters().label
    }

    /// Everything that was agreed on for the channel.
    pub fn parameters(&self) -> &ChannelParameters {
        self.end.parameters()
    }

    /// The largest message that the peer takes, in bytes.
    pub fn max_message_size(&self) -> usize {
        self.end.max_message_size()
    }

    /// The channel's large transfers, for tasks of their own.
    pub fn large(&self) -> Large {
        Large::new(self.end.clone())
    }

    /// Sends all that can be read, beside the channel's messages ([`Large::send`]).
    pub async fn send_large(&self, source: impl AsyncRead + Unpin, info: Info) -> Result<(), LargeError> {
        self.large().send(source, info).await
    }

    /// The next large transfer that the peer begins ([`Large::accept`]).
    pub async fn incoming_large(&self) -> Option<IncomingLarge> {
        self.large().accept().await
    }

    /// Whether the channel outlives its session.
    pub fn is_resumable(&self) -> bool {
        self.end.talk().is_some_and(Talk::is_resumable)
    }

    /// Lets go of a resumable channel because the server stops: once the peer has everything that was sent, and without
    /// telling it that the channel ends, so that it goes on elsewhere. Any other channel is closed.
    pub async fn part(self) {
        match self.end.talk().filter(|talk| talk.is_resumable()) {
            Some(talk) => poll_fn(|context| talk.poll_part(context)).await,
            // One that is closed already is what was wanted.
            None => drop(poll_fn(|context| self.end.poll_close(context)).await),
        }
    }

    /// The messages of a resumable channel of which it is not known that they arrived, since the last call. There are
    /// some only once it has ended.
    pub fn take_undelivered(&self) -> Vec<Undelivered> {
        self.end.take_undelivered()
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

macro_rules! receives {
    ($half:ty) => {
        impl Stream for $half {
            type Item = Message;

            fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
                self.end.poll_receive(context)
            }
        }
    };
}

macro_rules! sends {
    ($half:ty) => {
        impl Sink<Message> for $half {
            type Error = SendError;

            fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
                self.end.poll_ready(context)
            }

            fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
                self.end.send(message)
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
                self.end.poll_flush(context)
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
                    .field("parameters", self.end.parameters())
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
