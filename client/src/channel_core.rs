//! What the handles of a data channel share.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
};

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelType};

use crate::{
    ChannelState, HIGH_WATER, Message, SendError, changes::Changes, channel::LOW_WATER, listener::Listener,
    object, peer::Peer, sys,
};

/// A data channel of the browser. It is closed with the last who holds it.
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

    /// Whether it is this channel of the browser's.
    pub(crate) fn is(&self, raw: &JsValue) -> bool {
        AsRef::<JsValue>::as_ref(&self.raw) == raw
    }

    #[cfg(feature = "js")]
    pub(crate) fn raw(&self) -> &RtcDataChannel {
        &self.raw
    }

    /// The next message that came.
    pub(crate) fn take_message(&self) -> Option<Message> {
        let data = self.received.borrow_mut().pop_front()?;
        Some(content(&data))
    }

    pub(crate) fn protocol(&self) -> String {
        self.raw.protocol().unwrap_or_default()
    }

    /// How many bytes wait in the browser.
    pub(crate) fn buffered_amount(&self) -> u32 {
        self.raw.buffered_amount()
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
    pub(crate) fn writable(&self) -> Option<Result<(), SendError>> {
        match self.state() {
            ChannelState::Connecting => None,
            ChannelState::Open => (self.raw.buffered_amount() < HIGH_WATER).then_some(Ok(())),
            ChannelState::Closing | ChannelState::Closed => Some(Err(SendError::NotOpen)),
        }
    }

    pub(crate) fn send(&self, message: &Message) -> Result<(), SendError> {
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
            self.moved();
        }
    }

    /// Its state has changed, or another channel's.
    pub(crate) fn moved(&self) {
        if self.closed_here.get() {
            self.close_raw();
        }
        self.changes.notify();
    }

    /// Firefox closes none that is told to before it is open: whoever hears that it is has to come back.
    fn close_raw(&self) {
        if self.state() != ChannelState::Connecting {
            self.raw.close();
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
        self.close_raw();
    }
}

/// What came, copied into this module's memory; binary messages come as array buffers.
fn content(data: &JsValue) -> Message {
    match data.as_string() {
        Some(text) => Message::Text(text),
        None => Message::Binary(Uint8Array::new(data).to_vec()),
    }
}
