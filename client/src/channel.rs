//! A data channel, as a stream and a sink of messages.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_sink::Sink;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelType};

use crate::{Message, SendError, changes::Changes, listener::Listener, object, peer::Peer, sys};

/// How many bytes may wait in the browser before sending waits: 1 MiB. Browsers close a channel in which many
/// megabytes wait, Chromium at 16 MiB.
pub const HIGH_WATER: u32 = 1 << 20;

/// Sending goes on when so few bytes wait. Enough to keep the network busy meanwhile.
const LOW_WATER: u32 = HIGH_WATER / 4;

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
        self.core.raw.protocol().unwrap_or_default()
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
        self.core.raw.buffered_amount()
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
        core.changes.poll(context, || match core.received.borrow_mut().pop_front() {
            Some(data) => Some(Some(content(&data))),
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

/// What the handles of a channel share.
pub(crate) struct ChannelCore {
    raw: sys::DataChannel,
    peer: Weak<Peer>,
    /// What the browser gave, in the order in which it came.
    received: RefCell<VecDeque<JsValue>>,
    pub(crate) changes: Changes,
    listener: RefCell<Option<Listener>>,
    /// Closed by this side, or with the connection.
    closed_here: Cell<bool>,
    connection_ended: Cell<bool>,
}

impl ChannelCore {
    pub(crate) fn new(peer: &Rc<Peer>, raw: RtcDataChannel) -> Rc<Self> {
        raw.set_binary_type(RtcDataChannelType::Arraybuffer);
        raw.set_buffered_amount_low_threshold(LOW_WATER);
        let core = Rc::new(Self {
            raw: raw.unchecked_into(),
            peer: Rc::downgrade(peer),
            received: RefCell::default(),
            changes: Changes::default(),
            listener: RefCell::default(),
            closed_here: Cell::new(false),
            connection_ended: Cell::new(false),
        });
        peer.observer.adopted(&core);
        core
    }

    /// Keeps what comes for those who take it here.
    pub(crate) fn keep_messages(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let listener = Listener::new(move |event| {
            if let Some(core) = weak.upgrade() {
                if let Some(message) = event.dyn_ref::<MessageEvent>() {
                    core.received.borrow_mut().push_back(message.data());
                }
                core.changes.notify();
            }
        });
        listener.listen(&self.raw, &["message", "bufferedamountlow"]);
        self.listener.replace(Some(listener));
    }

    #[cfg(feature = "js")]
    pub(crate) fn raw(&self) -> &RtcDataChannel {
        &self.raw
    }

    pub(crate) fn label(&self) -> String {
        object::text(&self.raw, "label").unwrap_or_default()
    }

    pub(crate) fn id(&self) -> Option<u16> {
        object::u16(object::number(&self.raw, "id")?)
    }

    pub(crate) fn state(&self) -> ChannelState {
        if self.connection_ended.get() {
            return ChannelState::Closed;
        }
        match self.raw.state().as_deref() {
            Some("connecting") => ChannelState::Connecting,
            Some("open") => ChannelState::Open,
            Some("closing") => ChannelState::Closing,
            _ => ChannelState::Closed,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state() == ChannelState::Closed
    }

    pub(crate) fn was_closed_by_remote(&self) -> bool {
        self.is_closed() && !self.closed_here.get()
    }

    /// The browser says infinite if there is no limit.
    pub(crate) fn max_message_size(&self) -> Option<u32> {
        let size = self.peer.upgrade()?.raw().sctp()?.max_message_size()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to fit")]
        (1.0..=f64::from(u32::MAX)).contains(&size).then_some(size as u32)
    }

    /// `Ok` if it takes a message now; `None` if not yet.
    fn writable(&self) -> Option<Result<(), SendError>> {
        match self.state() {
            ChannelState::Connecting => None,
            ChannelState::Open => (self.raw.buffered_amount() < HIGH_WATER).then_some(Ok(())),
            ChannelState::Closing | ChannelState::Closed => Some(Err(SendError::NotOpen)),
        }
    }

    fn send(&self, message: &Message) -> Result<(), SendError> {
        self.may_send(message.len())?;
        match message {
            Message::Text(text) => self.raw.send_with_str(text),
            Message::Binary(bytes) => self.raw.send_with_u8_array(bytes),
        }
        .map_err(|thrown| SendError::Js(sys::describe(&thrown)))
    }

    fn may_send(&self, size: usize) -> Result<(), SendError> {
        if self.state() != ChannelState::Open {
            return Err(SendError::NotOpen);
        }
        if let Some(limit) = self.max_message_size()
            && u32::try_from(size).map_or(true, |size| size > limit)
        {
            return Err(SendError::TooLarge { size, limit });
        }
        let buffered = self.raw.buffered_amount();
        if buffered >= HIGH_WATER {
            return Err(SendError::Full { buffered });
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        // Once only: it wakes those who wait, who may be the ones who close.
        if !self.closed_here.replace(true) {
            self.raw.close();
            self.changes.notify();
        }
    }

    /// The connection is gone, and with it the channel.
    pub(crate) fn connection_ended(&self) {
        self.connection_ended.set(true);
        self.listener.take();
        self.changes.notify();
    }
}

impl Drop for ChannelCore {
    fn drop(&mut self) {
        self.raw.close();
    }
}

/// What came, copied into this module's memory; binary messages come as array buffers.
fn content(data: &JsValue) -> Message {
    match data.as_string() {
        Some(text) => Message::Text(text),
        None => Message::Binary(Uint8Array::new(data).to_vec()),
    }
}
