//! What the handles of a framed channel share, and what moves its frames.

use std::{
    any::Any,
    cell::{OnceCell, Ref, RefCell, RefMut},
    future::poll_fn,
    rc::{Rc, Weak},
    task::{Context, Poll},
};

use gloo_timers::callback::Timeout;
use hola_webrtc_protocol::framing::{Ended, Fault, Framing, Limits, ResumeId, Role, State, Unsendable};
use wasm_bindgen_futures::spawn_local;

use crate::{
    Channel, ChannelState, HIGH_WATER, Message, SendError, changes::Changes, channel_core::ChannelCore,
    clock, connection::Ending, sys,
};

/// One side of a channel, with the browser's channel beneath it as long as there is one.
pub(crate) struct Framed {
    framing: RefCell<Framing<Vec<u8>>>,
    channel: RefCell<Option<Channel>>,
    /// What gives it another channel when it loses its own; its handles keep that alive.
    keeper: OnceCell<Rc<dyn Any>>,
    /// Moves with all that happens to it, and wakes what moves its frames.
    pub(crate) changes: Changes,
    ending: Rc<Ending<Ended>>,
    timer: RefCell<Option<Timeout>>,
}

impl Framed {
    pub(crate) fn new(role: Role, is_resumable: bool) -> Rc<Self> {
        let id = is_resumable.then(|| {
            let mut id = [0; 16];
            sys::get_random_values(&mut id);
            ResumeId(id)
        });
        Rc::new(Self {
            framing: RefCell::new(Framing::new(role, Limits::BROWSER, id)),
            channel: RefCell::default(),
            keeper: OnceCell::new(),
            changes: Changes::default(),
            ending: Rc::default(),
            timer: RefCell::default(),
        })
    }

    /// From now on another channel may follow.
    pub(crate) fn keep(&self, keeper: Rc<dyn Any>) {
        let _ = self.keeper.set(keeper);
    }

    pub(crate) fn framing(&self) -> Ref<'_, Framing<Vec<u8>>> {
        self.framing.borrow()
    }

    /// Who changes something that has to be sent [notifies](Self::notify) afterwards.
    pub(crate) fn framing_mut(&self) -> RefMut<'_, Framing<Vec<u8>>> {
        self.framing.borrow_mut()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Framing<Vec<u8>>)) {
        change(&mut self.framing_mut());
        self.notify();
    }

    /// Tells those who wait that something has changed.
    pub(crate) fn notify(&self) {
        if let Some(how) = self.ended() {
            self.ending.set(how);
        }
        self.changes.notify();
    }

    /// How it ended.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self.framing().state() {
            State::Ended(how) => Some(how.clone()),
            _ => None,
        }
    }

    /// That it ends, to be awaited.
    pub(crate) fn ending(&self) -> &Rc<Ending<Ended>> {
        &self.ending
    }

    pub(crate) fn buffered(&self) -> usize {
        let waiting = self.channel.borrow().as_ref().map_or(0, Channel::buffered_amount);
        self.framing().buffered() + waiting as usize
    }

    /// The next message. Taking it lets the other side send more.
    pub(crate) fn receive(&self) -> Option<Message> {
        let message = self.framing_mut().receive()?;
        let bytes = message.parts.concat();
        let message = if message.text {
            if let Ok(text) = String::from_utf8(bytes) {
                Some(Message::Text(text))
            } else {
                self.framing_mut().fail(Fault::NotUtf8);
                None
            }
        } else {
            Some(Message::Binary(bytes))
        };
        self.notify();
        message
    }

    pub(crate) fn send(&self, message: &Message) -> Result<(), SendError> {
        let buffered = self.buffered();
        if buffered >= HIGH_WATER as usize {
            return Err(SendError::Full { buffered: u32::try_from(buffered).unwrap_or(u32::MAX) });
        }
        let (is_text, data) = match message {
            Message::Text(text) => (true, text.as_bytes()),
            Message::Binary(bytes) => (false, &**bytes),
        };
        let sent = self.framing_mut().send(is_text, data);
        self.notify();
        sent.map_err(|error| match error {
            Unsendable::NotOpen => SendError::NotOpen,
            Unsendable::TooLarge(limit) => SendError::TooLarge { size: data.len(), limit },
        })
    }

    /// Goes on over this channel, which opens by itself.
    pub(crate) fn attach(self: &Rc<Self>, channel: Channel) {
        let core = Rc::downgrade(channel.core());
        self.channel.replace(Some(channel));
        let (framed, mut is_begun) = (Rc::downgrade(self), false);
        spawn_local(poll_fn(move |context| turn(&framed, &core, &mut is_begun, context)));
    }

    /// Its channel is gone.
    pub(crate) fn detach(&self) {
        self.timer.take();
        if self.channel.take().is_some() {
            let is_kept = self.keeper.get().is_some();
            self.change(|framing| if is_kept { framing.detach() } else { framing.give_up() });
        }
    }

    /// Nothing follows.
    pub(crate) fn give_up(&self) {
        self.timer.take();
        self.channel.take();
        self.change(Framing::give_up);
    }

    fn is_over(&self, core: &Rc<ChannelCore>) -> bool {
        self.channel.borrow().as_ref().is_none_or(|channel| !Rc::ptr_eq(channel.core(), core))
    }

    /// Takes what came and sends what there is. Whether anything moved.
    fn pump(&self, core: &ChannelCore) -> bool {
        let mut framing = self.framing_mut();
        let mut has_moved = false;
        while let Some(message) = core.take_message() {
            has_moved = true;
            match message {
                Message::Text(_) => framing.fail(Fault::NotBinary),
                // What is wrong with it the other side is told; the state says that it has ended.
                Message::Binary(bytes) => {
                    let _ = framing.handle(now(), &bytes, &mut |offset| bytes[offset..].to_vec());
                }
            }
        }
        while core.state() == ChannelState::Open && core.buffered_amount() < HIGH_WATER {
            let Some(frame) = framing.transmit(now()) else { break };
            has_moved = true;
            if core.send(&Message::Binary(frame)).is_err() {
                // It closes, and says so itself.
                break;
            }
        }
        has_moved
    }

    /// Is woken when an acknowledgement is due. While the browser has no room, it is room that is waited for.
    fn set_timer(self: &Rc<Self>, core: &ChannelCore) {
        let due = self.framing().due().filter(|_| core.buffered_amount() < HIGH_WATER);
        self.timer.replace(due.map(|due| {
            let wait = u32::try_from(due.saturating_sub(now())).unwrap_or(u32::MAX);
            let framed = Rc::downgrade(self);
            sys::after(
                wait,
                Box::new(move || {
                    if let Some(framed) = framed.upgrade() {
                        framed.changes.notify();
                    }
                }),
            )
        }));
    }
}

impl Drop for Framed {
    fn drop(&mut self) {
        self.change(Framing::give_up);
    }
}

/// Moves what can be moved between the framing and one channel of the browser, and waits for more; until either is gone.
fn turn(
    framed: &Weak<Framed>,
    core: &Weak<ChannelCore>,
    is_begun: &mut bool,
    context: &Context<'_>,
) -> Poll<()> {
    let (Some(framed), Some(core)) = (framed.upgrade(), core.upgrade()) else { return Poll::Ready(()) };
    if framed.is_over(&core) {
        return Poll::Ready(());
    }
    let mut has_moved = false;
    if !*is_begun && core.state() == ChannelState::Open {
        *is_begun = true;
        has_moved = true;
        framed.framing_mut().attach();
    }
    has_moved |= *is_begun && framed.pump(&core);
    if framed.ended().is_some() {
        core.close();
    } else if core.is_closed() {
        framed.detach();
    } else {
        framed.set_timer(&core);
    }
    if has_moved {
        framed.notify();
    }
    if framed.is_over(&core) || core.is_closed() {
        framed.notify();
        return Poll::Ready(());
    }
    let waits = || None::<()>;
    let _ = core.changes.poll(context, waits);
    framed.changes.poll(context, waits)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn now() -> u64 {
    clock::now() as u64
}
