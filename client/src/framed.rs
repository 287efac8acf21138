//! Channels that speak the framing: messages of any size, large transfers beside them, and resumption.

mod core;
mod large;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_sink::Sink;
use futures_util::stream;
use hola_webrtc_protocol::{
    Step,
    framing::{Ended, Framing, Info, Mode, Role, State, Undelivered},
};

pub(crate) use self::core::Framed;
pub use self::large::{LargeReceiver, LargeSender, TransferError};
use crate::{Channel, ChannelOptions, Connection, ErrorKind, HIGH_WATER, Message, RtcError, SendError};

/// A channel that speaks [the framing](hola_webrtc_protocol::framing). Clones are handles to the same one: a message goes to
/// one of those who wait for it.
///
/// As a [`Stream`] and a [`Sink`] it carries messages of up to what the other side takes, whatever the browser's limit is,
/// and receiving is slowed down to the pace of the reader. Beside them go [large transfers](Self::start_large) of any length.
///
/// A [resumable](Mode::Resumable) one that belongs to a [`Session`](crate::Session) goes on over the session's next
/// connection: each message is delivered once and in order, or reported by [`take_undelivered`](Self::take_undelivered).
///
/// Dropping the last handle, of it and of the transfers on it, gives up what is still on its way;
/// [`delivered`](Self::delivered) waits for it.
///
/// ```no_run
/// use futures_util::{SinkExt, StreamExt};
/// use hola_webrtc_client::{ChannelOptions, ConnectOptions, FramedChannel, Message, Mode, connect};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let connection = connect("https://localhost:8443", ConnectOptions::default()).await?;
/// let mut channel = FramedChannel::open(&connection, "files", &ChannelOptions::default(), Mode::Framed)?;
/// channel.send(Message::from("x".repeat(1_000_000))).await?;
/// let echo = channel.next().await;
/// # drop(echo);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FramedChannel {
    pub(crate) framed: Rc<Framed>,
}

impl FramedChannel {
    /// Opens one. It has to be ordered and reliable.
    ///
    /// Fails if it is not, if the connection is closed, or if the browser does not take the options.
    pub fn open(
        connection: &Connection,
        label: &str,
        options: &ChannelOptions,
        mode: Mode,
    ) -> Result<Self, RtcError> {
        let channel = connection.open_channel(label, &asking_for(mode, options)?)?;
        let framed = Framed::new(Role::Opener, mode == Mode::Resumable);
        framed.attach(channel);
        Ok(Self { framed })
    }

    /// Speaks the framing on a channel that the other side has opened for that. Gives the channel back if its
    /// [`protocol`](Channel::protocol) does not ask for it.
    pub fn accept(channel: Channel) -> Result<Self, Channel> {
        let (Some(mode), _) = Mode::of(&channel.protocol()) else { return Err(channel) };
        let framed = Framed::new(Role::Acceptor, mode == Mode::Resumable);
        framed.attach(channel);
        Ok(Self { framed })
    }

    /// The largest message that the other side takes, in bytes; `None` until it has said so.
    pub fn max_message_size(&self) -> Option<u32> {
        let framing = self.framed.framing();
        framing.is_established().then(|| framing.max_message())
    }

    /// How many bytes of messages wait to be sent.
    pub fn buffered_amount(&self) -> usize {
        self.framed.buffered()
    }

    /// Waits until the channel is open and takes a message. Fails if it ends.
    pub async fn ready(&self) -> Result<(), SendError> {
        self.framed.changes.until(|| self.writable()).await
    }

    /// Waits until everything is sent, and, on a resumable channel, until the other side has it or it is
    /// [undelivered](Self::take_undelivered). Fails if the channel ends before.
    pub async fn delivered(&self) -> Result<(), SendError> {
        let check = || self.outcome().or_else(|| self.framed.framing().is_delivered().then_some(Ok(())));
        self.framed.changes.until(check).await
    }

    /// The messages of which it is not known that they arrived, since the last call. There may be some after the end, and
    /// after a new connection if the other side has forgotten the channel. They may have arrived: none of them is sent again.
    pub fn take_undelivered(&self) -> Vec<Undelivered> {
        self.framed.framing_mut().take_undelivered()
    }

    /// Closes the channel once everything is delivered; [`closed`](Self::closed) tells when.
    pub fn close(&self) {
        self.framed.change(Framing::close);
    }

    /// Waits for the end, and tells how it came. What came before can still be read. Does not keep the channel alive.
    pub fn closed(&self) -> impl Future<Output = Ended> + use<> {
        let ending = Rc::clone(self.framed.ending());
        async move { ending.reached().await }
    }

    /// Begins a transfer to the other side, as soon as that takes one more, and returns where its bytes go.
    ///
    /// Fails if the channel ends.
    pub async fn start_large(&self, info: &Info) -> Result<LargeSender, TransferError> {
        let start = || {
            if self.framed.ended().is_some() {
                return Some(Err(TransferError::channel_ended()));
            }
            let key = self.framed.framing_mut().start(info)?;
            Some(Ok(LargeSender::new(Rc::clone(&self.framed), key)))
        };
        let sender = self.framed.changes.until(start).await;
        self.framed.notify();
        sender
    }

    /// Sends all of this as one transfer, and waits until the other side's reader has it and the checksum agrees. `progress`
    /// is told how many bytes have left. Dropping the future gives up.
    ///
    /// ```no_run
    /// # use hola_webrtc_client::{FramedChannel, TransferError, TransferInfo};
    /// # async fn example(channel: FramedChannel, picture: &[u8]) -> Result<(), TransferError> {
    /// let info = TransferInfo { name: "cat.png".into(), kind: "image/png".into(), ..TransferInfo::default() };
    /// channel.send_large(picture, info, |sent| drop(sent)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_large(
        &self,
        data: &[u8],
        info: Info,
        progress: impl FnMut(u64),
    ) -> Result<(), TransferError> {
        let sender = self.start_large(&Info { total: Some(data.len() as u64), ..info }).await?;
        sender.send_all(data, progress).await
    }

    /// The transfers that the other side begins. Ends with the channel, and does not keep it alive; a transfer does.
    pub fn incoming_large(&self) -> impl Stream<Item = LargeReceiver> + Unpin + use<> {
        let framed = Rc::downgrade(&self.framed);
        stream::poll_fn(move |context| {
            let Some(framed) = framed.upgrade() else { return Poll::Ready(None) };
            framed.changes.poll(context, || {
                let accepted = framed.framing_mut().accept();
                match accepted {
                    Some((key, info)) => Some(Some(LargeReceiver::new(Rc::clone(&framed), key, info))),
                    None => framed.ended().map(|_| None),
                }
            })
        })
    }

    /// Whether it ended well, once it has ended.
    fn outcome(&self) -> Option<Result<(), SendError>> {
        let is_clean = matches!(self.framed.ended()?, Ended::Closed | Ended::ByRemote { code: 0, .. });
        Some(if is_clean { Ok(()) } else { Err(SendError::NotOpen) })
    }

    /// `Ok` if it takes a message now; `None` if not yet.
    fn writable(&self) -> Option<Result<(), SendError>> {
        let framing = self.framed.framing();
        if framing.is_closing() || matches!(framing.state(), State::Ended(_)) {
            return Some(Err(SendError::NotOpen));
        }
        drop(framing);
        let is_ready = self.framed.framing().is_established() && self.buffered_amount() < HIGH_WATER as usize;
        is_ready.then_some(Ok(()))
    }
}

/// The options of a channel that asks for this mode.
pub(crate) fn asking_for(mode: Mode, options: &ChannelOptions) -> Result<ChannelOptions, RtcError> {
    if !options.ordered || options.max_retransmits.is_some() || options.max_packet_life_time.is_some() {
        let cause = "a channel that speaks the framing has to be ordered and reliable";
        return Err(RtcError::new(Step::OpenChannel, ErrorKind::Js, cause));
    }
    Ok(options.clone().protocol(mode.protocol(&options.protocol)))
}

impl Stream for FramedChannel {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let framed = &self.framed;
        framed.changes.poll(context, || match framed.receive() {
            Some(message) => Some(Some(message)),
            None => framed.ended().map(|_| None),
        })
    }
}

impl Sink<Message> for FramedChannel {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.framed.changes.poll(context, || self.writable())
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        self.framed.send(&message)
    }

    /// Waits for the same as being ready; [`delivered`](Self::delivered) waits for more.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_ready(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        if !self.framed.framing().is_closing() {
            self.close();
        }
        self.framed.changes.poll(context, || self.outcome())
    }
}

impl fmt::Debug for FramedChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FramedChannel").field("state", self.framed.framing().state()).finish_non_exhaustive()
    }
}
