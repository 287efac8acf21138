//! The place of a channel in a session: what it is opened as, on one connection after the other.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::{Rc, Weak},
    task::Poll,
};

use gloo_timers::callback::Timeout;
use hola_webrtc_protocol::framing::Mode;
use wasm_bindgen_futures::spawn_local;

use super::channel::Plain;
use crate::{
    Channel, ChannelOptions, Connection, ConnectionState, channel_core::ChannelCore, framed::Framed, sys,
};

/// How long a closed channel waits for the news that its session has ended with it, in milliseconds. A resumable one says so
/// itself when it ends for good, so that it can wait for a server that closes one channel after the other as it stops.
const GRACE: u32 = 250;
const RESUMABLE_GRACE: u32 = 5000;

pub(crate) struct Slot {
    pub(super) label: String,
    /// None for the channel of step 2.
    options: Option<ChannelOptions>,
    pub(super) kind: Kind,
    grace: u32,
    present: RefCell<Weak<ChannelCore>>,
    waits: RefCell<Option<Timeout>>,
    ended: Cell<bool>,
}

/// What is in it.
pub(super) enum Kind {
    Plain(Plain),
    /// Which keeps this place alive.
    Framed(Weak<Framed>),
}

impl Slot {
    pub(super) fn first(label: String) -> Rc<Self> {
        Self::new(label, None, Kind::Plain(Plain::default()), GRACE)
    }

    pub(super) fn plain(label: &str, options: &ChannelOptions) -> Rc<Self> {
        Self::new(label.to_owned(), Some(options.clone()), Kind::Plain(Plain::default()), GRACE)
    }

    pub(super) fn framed(label: &str, options: &ChannelOptions, framed: &Rc<Framed>, mode: Mode) -> Rc<Self> {
        let grace = if mode == Mode::Resumable { RESUMABLE_GRACE } else { GRACE };
        Self::new(label.to_owned(), Some(options.clone()), Kind::Framed(Rc::downgrade(framed)), grace)
    }

    fn new(label: String, options: Option<ChannelOptions>, kind: Kind, grace: u32) -> Rc<Self> {
        Rc::new(Self {
            label,
            options,
            kind,
            grace,
            present: RefCell::default(),
            waits: RefCell::default(),
            ended: Cell::default(),
        })
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.get()
    }

    /// Whether no other connection is to open it.
    pub(super) fn is_over(&self) -> bool {
        let has_ended =
            |framed: &Weak<Framed>| framed.upgrade().is_none_or(|framed| framed.ended().is_some());
        self.is_ended() || matches!(&self.kind, Kind::Framed(framed) if has_ended(framed))
    }

    /// Opens the channel on this connection.
    pub(super) fn attach(self: &Rc<Self>, connection: &Connection) {
        let is_over = self.is_over();
        match &self.options {
            // The connection has made it unasked.
            None if is_over => connection.channel().close(),
            None => self.go_on(connection.channel()),
            Some(_) if is_over => {}
            Some(options) => match connection.open_channel(&self.label, options) {
                Ok(channel) => self.go_on(channel),
                // The connection has just ended; there may be another one.
                Err(_) if connection.state() == ConnectionState::Closed => {}
                Err(_) => self.end(),
            },
        }
    }

    fn go_on(self: &Rc<Self>, channel: Channel) {
        let core = Rc::downgrade(channel.core());
        self.present.replace(core.clone());
        match &self.kind {
            Kind::Plain(plain) => plain.attach(channel),
            Kind::Framed(framed) => {
                if let Some(framed) = framed.upgrade() {
                    framed.attach(channel);
                }
            }
        }
        let slot = Rc::downgrade(self);
        spawn_local(async move {
            closed(&core).await;
            if let Some(slot) = slot.upgrade() {
                slot.closed_alone(&core);
            }
        });
    }

    /// Its channel has closed. What becomes of the session shows shortly.
    fn closed_alone(self: &Rc<Self>, core: &Weak<ChannelCore>) {
        if !Weak::ptr_eq(&self.present.borrow(), core) {
            return;
        }
        let slot = Rc::downgrade(self);
        let timer = sys::after(
            self.grace,
            Box::new(move || {
                if let Some(slot) = slot.upgrade() {
                    slot.end();
                }
            }),
        );
        self.waits.replace(Some(timer));
    }

    /// The connection is gone, and another one will be made.
    pub(super) fn detach(&self) {
        self.present.replace(Weak::new());
        self.waits.take();
        match &self.kind {
            Kind::Plain(plain) => plain.detach(),
            Kind::Framed(framed) => framed.upgrade().iter().for_each(|framed| framed.detach()),
        }
    }

    /// Nothing follows.
    pub(super) fn end(&self) {
        if self.ended.replace(true) {
            return;
        }
        self.present.replace(Weak::new());
        self.waits.take();
        match &self.kind {
            Kind::Plain(plain) => plain.end(),
            Kind::Framed(framed) => framed.upgrade().iter().for_each(|framed| framed.give_up()),
        }
    }
}

/// Waits until the channel is closed or gone.
async fn closed(core: &Weak<ChannelCore>) {
    poll_fn(|context| match core.upgrade() {
        Some(core) => core.changes.poll(context, || core.is_closed().then_some(())),
        None => Poll::Ready(()),
    })
    .await;
}
