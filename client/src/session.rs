//! A session that stays: over one connection after the other, with the same channels.

mod channel;
mod driver;
mod slot;

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::Future,
    rc::{Rc, Weak},
};

use futures_core::Stream;
use futures_util::{StreamExt, stream};
use hola_webrtc_protocol::{
    Side, Step, TraceData,
    framing::{Mode, Role},
};

pub use self::channel::SessionChannel;
use self::{driver::Inbox, slot::Slot};
use crate::{
    Backoff, Channel, ChannelOptions, Closed, ConnectOptions, Connecting, Connection, ConnectionState,
    FramedChannel, RtcError, Trace, connect,
    connection::Ending,
    framed::{Framed, asking_for},
    observer::Native,
};

/// A session with a server that stays: when the network changes it restarts ICE, and when its connection is lost it makes
/// another one, after waits that get longer, and opens its channels again under the same handles. Clones are handles to the
/// same session.
///
/// It lives until it is [closed](Self::close), until it gives up, or until the last of its handles and channels is dropped.
/// One of whose own channels none is left makes no other connection.
///
/// ```no_run
/// use futures_util::{SinkExt, StreamExt};
/// use hola_webrtc_client::{Backoff, ChannelOptions, ConnectOptions, Message, Mode, Session};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let session =
///     Session::connect("https://localhost:8443", ConnectOptions::default(), Backoff::default()).await?;
/// let mut channel = session.open_framed("talk", &ChannelOptions::default(), Mode::Resumable)?;
/// channel.send(Message::from("arrives, even if the server's network fails meanwhile")).await?;
/// let echo = channel.next().await;
/// # drop(echo);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    shared: Rc<Shared>,
    first: Rc<Slot>,
}

/// How a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Its connection is alive, as far as the browser knows.
    Connected,
    /// Nothing comes at the moment; another path is looked for.
    Disconnected,
    /// Its connection is gone; another one is made, or about to be.
    Reconnecting,
    /// Over.
    Closed,
}

/// What its handles and channels share.
pub(crate) struct Shared {
    make: Box<dyn Fn() -> Connecting>,
    trace: Trace,
    inbox: Rc<Inbox>,
    connection: RefCell<Option<Connection>>,
    slots: RefCell<Vec<Weak<Slot>>>,
    is_reconnecting: Cell<bool>,
    ending: Rc<Ending<Closed>>,
}

impl Session {
    /// Connects to a hola-webrtc server, as [`connect`] does. The first failure is the caller's to judge; what fails later is
    /// tried again, as often as `backoff` says.
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn connect(
        url: impl Into<String>,
        options: ConnectOptions,
        backoff: Backoff,
    ) -> Result<Self, RtcError> {
        let (url, inbox) = (url.into(), Rc::<Inbox>::default());
        let trace = Trace::new(Rc::new(Native));
        let label = options.label.clone();
        let options = ConnectOptions { observer: driver::relay(trace.clone(), Rc::clone(&inbox)), ..options };
        let make = Box::new(move || connect(url.clone(), options.clone()));
        let connection = make().await?;
        let first = Slot::first(label);
        let shared = Rc::new(Shared {
            make,
            trace,
            inbox,
            connection: RefCell::default(),
            slots: RefCell::new(vec![Rc::downgrade(&first)]),
            is_reconnecting: Cell::default(),
            ending: Rc::default(),
        });
        driver::start(&shared, &connection, backoff);
        Ok(Self { shared, first })
    }

    /// The channel made in step 2 of each connection.
    pub fn channel(&self) -> SessionChannel {
        SessionChannel::new(Rc::clone(&self.first), Rc::clone(&self.shared))
    }

    /// Makes another channel, now or as soon as there is a connection, and again on each that follows.
    pub fn open_channel(&self, label: &str, options: &ChannelOptions) -> SessionChannel {
        let slot = Slot::plain(label, options);
        self.shared.add(&slot);
        SessionChannel::new(slot, Rc::clone(&self.shared))
    }

    /// Makes a channel that speaks the framing, as [`open_channel`](Self::open_channel) does. A resumable one goes on where it
    /// was. Another one begins anew: what has not begun to leave goes over the next connection, the message that was cut off is
    /// [reported](FramedChannel::take_undelivered), and of those that had left before nobody knows.
    ///
    /// Fails if it is not ordered and reliable.
    pub fn open_framed(
        &self,
        label: &str,
        options: &ChannelOptions,
        mode: Mode,
    ) -> Result<FramedChannel, RtcError> {
        let framed = Framed::new(Role::Opener, mode == Mode::Resumable);
        let slot = Slot::framed(label, &asking_for(mode, options)?, &framed, mode);
        framed.keep(Rc::new((Rc::clone(&slot), Rc::clone(&self.shared))));
        self.shared.add(&slot);
        Ok(FramedChannel { framed })
    }

    /// The channels that the other side opens, on one connection after the other: each belongs to its own, and closes with it.
    /// Ends when the session is closed, and does not keep it alive.
    pub fn incoming_channels(&self) -> impl Stream<Item = Channel> + Unpin + use<> {
        let begin = (Rc::downgrade(&self.shared), Rc::clone(&self.shared.inbox));
        let on_each = stream::unfold(begin, |(shared, inbox)| async move {
            let present = || match shared.upgrade().filter(|shared| !shared.ending.is_reached()) {
                Some(shared) => shared.alive().map(|connection| Some(connection.incoming_channels())),
                None => Some(None),
            };
            let incoming = inbox.states.until(present).await?;
            Some((incoming, (shared, inbox)))
        });
        Box::pin(on_each.flatten())
    }

    /// The present connection, if there is one.
    pub fn connection(&self) -> Option<Connection> {
        self.shared.connection.borrow().clone()
    }

    /// How it is.
    pub fn state(&self) -> SessionState {
        self.shared.state()
    }

    /// How it is, then each state that it comes to; those that pass at once may be left out. Ends when the session is closed,
    /// and does not keep it alive.
    pub fn states(&self) -> impl Stream<Item = SessionState> + Unpin + use<> {
        let begin = (Rc::downgrade(&self.shared), Rc::clone(&self.shared.inbox), None);
        Box::pin(stream::unfold(begin, |(shared, inbox, last)| async move {
            let look = || {
                let now = shared.upgrade().map_or(SessionState::Closed, |shared| shared.state());
                (Some(now) != last).then_some(now)
            };
            if last == Some(SessionState::Closed) {
                return None;
            }
            let now = inbox.states.until(look).await;
            Some((now, (shared, inbox, Some(now))))
        }))
    }

    /// What happened on all connections, and each attempt at one.
    pub fn trace(&self) -> Trace {
        self.shared.trace.clone()
    }

    /// Closes it with all its channels, and tells the server.
    pub fn close(&self) {
        self.shared.end(Closed::Local);
    }

    /// Waits for the end, and tells how it came. Does not keep the session alive.
    pub fn closed(&self) -> impl Future<Output = Closed> + use<> {
        let ending = Rc::clone(&self.shared.ending);
        async move { ending.reached().await }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> SessionState {
        if self.ending.is_reached() {
            return SessionState::Closed;
        }
        match self.connection.borrow().as_ref().map(Connection::state) {
            Some(ConnectionState::Connected) => SessionState::Connected,
            Some(ConnectionState::Disconnected) => SessionState::Disconnected,
            Some(ConnectionState::Closed) | None => SessionState::Reconnecting,
        }
    }

    fn alive(&self) -> Option<Connection> {
        self.connection.borrow().clone().filter(|connection| connection.state() != ConnectionState::Closed)
    }

    fn add(&self, slot: &Rc<Slot>) {
        if self.ending.is_reached() {
            slot.end();
            return;
        }
        let mut slots = self.slots.borrow_mut();
        slots.retain(|slot| slot.strong_count() > 0);
        slots.push(Rc::downgrade(slot));
        drop(slots);
        let present = self.connection.borrow().clone();
        if let Some(connection) = present {
            slot.attach(&connection);
        }
    }

    fn slots(&self) -> Vec<Rc<Slot>> {
        self.slots.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    /// Goes on over this connection.
    fn install(&self, connection: &Connection) {
        self.is_reconnecting.set(false);
        self.connection.replace(Some(connection.clone()));
        for slot in self.slots() {
            slot.attach(connection);
        }
        self.inbox.states.notify();
    }

    /// Its connection is gone.
    fn detach(&self) {
        self.is_reconnecting.set(true);
        for slot in self.slots() {
            slot.detach();
        }
        self.connection.take();
        self.inbox.states.notify();
    }

    /// The first end counts.
    fn end(&self, how: Closed) {
        let is_between = how == Closed::Local && self.is_reconnecting.get();
        if !self.ending.set(how) {
            return;
        }
        if let Some(connection) = self.connection.take() {
            connection.close();
        } else if is_between {
            self.trace.client(Step::OpenChannel, TraceData::Closed { by: Side::Client, reason: None });
        }
        for slot in self.slots() {
            slot.end();
        }
        self.trace.end();
        self.inbox.close();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.end(Closed::Local);
    }
}
