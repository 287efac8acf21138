//! A connection that is open, or was.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    future::Future,
    pin::pin,
    rc::Rc,
};

use futures_core::Stream;
use futures_util::{
    future::{Either, select},
    stream,
};
use hola_webrtc_protocol::{SessionId, Step};
use wasm_bindgen::JsValue;
use web_sys::{RtcDataChannelInit, RtcPeerConnection};

use crate::{
    Channel, ChannelOptions, ConnectionStats, ErrorKind, RtcError, Trace, changes::Changes,
    channel_core::ChannelCore, dictionaries, peer::Peer, restart, stats,
};

/// A connection with a server. Clones are handles to the same one.
///
/// It lives until it is [closed](Self::close), or until the last of its handles and [channels](Channel) is
/// dropped, which closes it too.
#[derive(Clone)]
pub struct Connection {
    peer: Rc<Peer>,
    channel: Rc<ChannelCore>,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// This side closed it.
    Local,
    /// The other side closed it.
    Remote,
    /// It failed. The kind is [`Lost`](crate::ErrorKind::Lost): no end was said, nothing came any more.
    Failed(RtcError),
}

/// Whether a connection is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// Alive, as far as the browser knows.
    Connected,
    /// Nothing comes at the moment. It may recover, until
    /// [`patience`](crate::ConnectOptions::patience) is over.
    Disconnected,
    /// Ended.
    Closed,
}

impl Connection {
    pub(crate) fn new(peer: Rc<Peer>, channel: Rc<ChannelCore>) -> Self {
        Self { peer, channel }
    }

    /// The session's name on the server, if the server named one.
    pub fn session_id(&self) -> Option<SessionId> {
        self.peer.session_id()
    }

    /// The channel made in step 2.
    pub fn channel(&self) -> Channel {
        Channel::new(Rc::clone(&self.peer), Rc::clone(&self.channel))
    }

    /// Makes another channel. It opens by itself; [`Channel::ready`] waits for that.
    ///
    /// Fails if the connection is closed, or the browser does not take the options.
    pub fn open_channel(&self, label: &str, options: &ChannelOptions) -> Result<Channel, RtcError> {
        let channel = self
            .open_raw(label, &dictionaries::channel(options))
            .map_err(|thrown| RtcError::js(Step::OpenChannel, &thrown))?;
        Ok(Channel::new(Rc::clone(&self.peer), channel))
    }

    /// The same, as the browser takes and throws it.
    pub(crate) fn open_raw(
        &self,
        label: &str,
        init: &RtcDataChannelInit,
    ) -> Result<Rc<ChannelCore>, JsValue> {
        self.peer.make_channel(label, init)
    }

    /// The browser's peer connection, for what has no place here. Whoever closes it ends the connection.
    pub fn raw(&self) -> &RtcPeerConnection {
        self.peer.raw()
    }

    /// The channels that the other side opens, from the first on. Ends when the connection does, and does not
    /// keep it alive.
    pub fn incoming_channels(&self) -> impl Stream<Item = Channel> + Unpin + use<> {
        let state = (Rc::clone(self.peer.incoming()), Rc::downgrade(&self.peer));
        Box::pin(stream::unfold(state, |(incoming, peer)| async move {
            let channel = incoming.next().await?;
            Some((Channel::new(peer.upgrade()?, channel), (incoming, peer)))
        }))
    }

    /// How the connection is.
    pub fn state(&self) -> ConnectionState {
        self.peer.connection_state()
    }

    /// Waits for the end, and tells how it came. Does not keep the connection alive.
    pub fn closed(&self) -> impl Future<Output = Closed> + use<> {
        let ending = Rc::clone(self.peer.ending());
        async move { ending.reached().await }
    }

    /// Closes the connection with all its channels, and tells the server.
    pub fn close(&self) {
        self.peer.end(&Closed::Local);
    }

    /// Finds a new path for the same session, as when the network has changed; channels and what is in them stay. Resolves
    /// when both sides know each other's new credentials; [`state`](Self::state) tells when the path is found. One at a time:
    /// what one that fails goes back to is what there was before it began.
    ///
    /// Fails if the other side refuses, or does not reply within the [deadline](crate::ConnectOptions::deadline), and leaves the
    /// connection as it was on this side; a server whose reply alone was lost does not hear it then, until another restart
    /// succeeds. Fails also if the connection is closed meanwhile.
    pub async fn restart_ice(&self) -> Result<(), RtcError> {
        // The browser settles nothing of a connection that is closed: https://www.w3.org/TR/webrtc/#chain-an-asynchronous-operation
        match select(pin!(self.restart_ice_alone()), pin!(self.peer.ending().reached())).await {
            Either::Left((restarted, _)) => restarted,
            Either::Right(_) => {
                Err(RtcError::new(Step::SendOffer, ErrorKind::Lost, "the connection was closed meanwhile"))
            }
        }
    }

    /// The same for those who watch over the end themselves.
    pub(crate) async fn restart_ice_alone(&self) -> Result<(), RtcError> {
        restart::restart(&self.peer).await
    }

    /// What happened to the connection, from the first step on.
    pub fn trace(&self) -> Trace {
        self.peer.trace().clone()
    }

    /// How it goes, as the browser counts it
    /// ([W3C, `getStats`](https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-getstats)).
    pub async fn stats(&self) -> Result<ConnectionStats, RtcError> {
        stats::of(self.peer.raw()).await
    }
}

/// Whether they are handles to the same connection.
impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.peer, &other.peer)
    }
}

impl Eq for Connection {}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("session", &self.session_id())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// The end of something, which may be awaited without keeping that alive.
pub(crate) struct Ending<T> {
    how: RefCell<Option<T>>,
    changes: Changes,
}

impl<T> Default for Ending<T> {
    fn default() -> Self {
        Self { how: RefCell::default(), changes: Changes::default() }
    }
}

impl<T: Clone> Ending<T> {
    pub(crate) fn is_reached(&self) -> bool {
        self.how.borrow().is_some()
    }

    /// Sets how it ended. The first cause counts: false if there is one already.
    pub(crate) fn set(&self, how: T) -> bool {
        if self.is_reached() {
            return false;
        }
        *self.how.borrow_mut() = Some(how);
        self.changes.notify();
        true
    }

    pub(crate) async fn reached(&self) -> T {
        self.changes.until(|| self.how.borrow().clone()).await
    }
}

/// The channels that the other side opened, and nobody has taken yet.
#[derive(Default)]
pub(crate) struct Incoming {
    channels: RefCell<VecDeque<Rc<ChannelCore>>>,
    ended: Cell<bool>,
    changes: Changes,
}

impl Incoming {
    pub(crate) fn push(&self, channel: Rc<ChannelCore>) {
        self.channels.borrow_mut().push_back(channel);
        self.changes.notify();
    }

    pub(crate) fn end(&self) {
        self.channels.take();
        self.ended.set(true);
        self.changes.notify();
    }

    async fn next(&self) -> Option<Rc<ChannelCore>> {
        self.changes
            .until(|| match self.channels.borrow_mut().pop_front() {
                Some(channel) => Some(Some(channel)),
                None => self.ended.get().then_some(None),
            })
            .await
    }
}
