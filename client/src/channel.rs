//! A data channel, as a stream and a sink of messages.

use std::{
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_sink::Sink;

use crate::{Message, SendError, channel_core::ChannelCore, peer::Peer};

/// How many bytes may wait in the browser before sending waits: 1 MiB. Browsers close a channel in which many
/// megabytes wait, Chromium at 16 MiB.
pub const HIGH_WATER: u32 = 1 << 20;

/// Sending goes on when so few bytes wait. Enough to keep the network busy meanwhile.
pub(crate) const LOW_WATER: u32 = HIGH_WATER / 4;

/// A data channel. Clones are handles to the same one: a message goes to one of those who wait for it.
///
/// As a [`Stream`] it yields the messages and ends when the channel closes, after the last of them. Browsers
/// cannot pause receiving: what nobody takes waits in memory, and nothing bounds it but the other side.
///
/// As a [`Sink`] it is ready while less than [`HIGH_WATER`] bytes wait to be sent, so that at most that and one
/// message are held. Flushing waits for the same, and not for the other side to have received everything;
/// closing sends what waits first.
///
/// Dropping the last handle closes the channel, except the one made in step 2, which [`Connection`] holds too.
///
/// [`Connection`]: crate::Connection
pub struct Channel {
    core: Rc<ChannelCore>,
    /// A channel keeps its connection alive.
    peer: Rc<Peer>,
}

/// [W3C, `RTCDataChannelState`](https://www.w3.org/TR/webrtc/#dom-rtcdatachannelstate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelState {
    /// Not open yet.
    Connecting,
    /// Both sides may send.
    Open,
    /// Closing; what waits is still sent.
    Closing,
    /// Closed, with or without its connection.
    Closed,
}

impl Channel {
    pub(crate) fn new(peer: Rc<Peer>, core: Rc<ChannelCore>) -> Self {
        Self { core, peer }
    }

    #[cfg(feature = "session")]
    pub(crate) fn core(&self) -> &Rc<ChannelCore> {
        &self.core
    }

    /// The label.
    pub fn label(&self) -> String {
        self.core.label()
    }

    /// The stream number, once DTLS has settled who takes the even ones.
    pub fn id(&self) -> Option<u16> {
        self.core.id()
    }

    /// The name of what is spoken on the channel, often empty.
    pub fn protocol(&self) -> String {
        self.core.protocol()
    }

    /// Whether it is open.
    pub fn state(&self) -> ChannelState {
        self.core.state()
    }

    /// The largest message that the other side takes, in bytes. `None`: no limit, or none known yet.
    pub fn max_message_size(&self) -> Option<u32> {
        self.core.max_message_size()
    }

    /// How many bytes wait to be sent.
    pub fn buffered_amount(&self) -> u32 {
        self.core.buffered_amount()
    }

    /// Sends without waiting; refuses if [`HIGH_WATER`] is reached.
    pub fn send_now(&self, message: &Message) -> Result<(), SendError> {
        self.core.send(message)
    }

    /// Waits until the channel is open and takes a message. Fails if it closes.
    pub async fn ready(&self) -> Result<(), SendError> {
        self.core.changes.until(|| self.core.writable()).await
    }

    /// Closes the channel; what waits is still sent. The connection stays.
    pub fn close(&self) {
        self.core.close();
    }
}

impl Clone for Channel {
    fn clone(&self) -> Self {
        Self::new(Rc::clone(&self.peer), Rc::clone(&self.core))
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("label", &self.label())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl Stream for Channel {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let core = &self.core;
        core.changes.poll(context, || match core.take_message() {
            Some(message) => Some(Some(message)),
            None => core.is_closed().then_some(None),
        })
    }
}

impl Sink<Message> for Channel {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.core.changes.poll(context, || self.core.writable())
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        self.core.send(&message)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_ready(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.core.close();
        self.core.changes.poll(context, || self.core.is_closed().then_some(Ok(())))
    }
}
