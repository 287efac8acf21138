//! A session as a handler sees it: the connection to one peer, and the channels the peer opens on it.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use hola_webrtc_protocol::SessionId;
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

use crate::{
    channel::Channel,
    engine::{Doorbell, MAX_CHANNELS},
    server::OfferContext,
};

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closed {
    /// The peer closed the connection.
    ByPeer,
    /// This side closed it, or dropped the session.
    ByServer,
    /// The last channel closed, and no other was opened.
    NoChannel,
    /// The peer never sent an authenticated connectivity check.
    NeverConnected,
    /// The first channel did not open in time.
    NotOpenInTime,
    /// The peer opened too many channels in a row, or channels with too long names.
    TooManyChannels,
    /// Nothing was heard of the peer for too long.
    Silent,
    /// The peer's host says that nobody listens there any more.
    Unreachable,
    /// The engine failed on something the peer sent.
    Failed,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByPeer => "closed by the peer",
            Self::ByServer => "closed by the server",
            Self::NoChannel => "no channel is left",
            Self::NeverConnected => "no connectivity check came",
            Self::NotOpenInTime => "no channel opened in time",
            Self::TooManyChannels => "the peer opened too many channels",
            Self::Silent => "the peer fell silent",
            Self::Unreachable => "nobody listens at the peer's address",
            Self::Failed => "the engine failed",
        })
    }
}

/// The connection to one peer. It ends when either side closes it, and when it is dropped.
pub struct Session {
    link: Arc<Link>,
    channels: mpsc::Receiver<Channel>,
    runtime: Option<Handle>,
}

impl Session {
    /// The session's name, as in its URL and in the log.
    pub fn id(&self) -> SessionId {
        self.link.id
    }

    /// What was known of the client when its offer arrived.
    pub fn context(&self) -> &OfferContext {
        &self.link.context
    }

    /// The next channel that the peer opens; `None` once the session has ended.
    ///
    /// A session may have 64 channels. A channel whose messages nobody takes stops the others of its session,
    /// which share SCTP's receive window with it: serve each in a task of its own.
    pub async fn accept_channel(&mut self) -> Option<Channel> {
        self.channels.recv().await
    }

    /// Waits until the session has ended.
    pub async fn closed(&self) -> Closed {
        let mut closed = self.link.closed.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        closed.wait_for(Option::is_some).await.ok().and_then(|reason| *reason).unwrap_or(Closed::ByServer)
    }

    /// Ends the session. The peer is told.
    pub fn close(&self) {
        self.link.leave();
    }

    /// Spawns tasks on the thread that does this session's I/O.
    pub fn spawner(&self) -> Spawner {
        Spawner { runtime: self.runtime.clone() }
    }
}

/// Spawns tasks on the thread that does a session's I/O: there, handing messages over costs no switch between
/// threads. The tasks must not block.
#[derive(Clone, Debug)]
pub struct Spawner {
    runtime: Option<Handle>,
}

impl Spawner {
    /// Runs the task in the background. It ends with the server at the latest.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(task)),
            None => drop(tokio::spawn(task)),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.link.id).finish_non_exhaustive()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.link.leave();
    }
}

/// What the session's handler and the engine share.
pub(crate) struct Link {
    id: SessionId,
    context: OfferContext,
    closed: watch::Sender<Option<Closed>>,
    left: AtomicBool,
    doorbell: Arc<Doorbell>,
}

impl Link {
    /// The session's two ends: the handler's, and the engine's with its way to hand over channels.
    pub(crate) fn open(
        id: SessionId,
        context: OfferContext,
        doorbell: Arc<Doorbell>,
        runtime: Option<Handle>,
    ) -> (Session, Arc<Self>, mpsc::Sender<Channel>) {
        let link =
            Arc::new(Self { id, context, closed: watch::Sender::default(), left: false.into(), doorbell });
        let (sender, channels) = mpsc::channel(MAX_CHANNELS);
        (Session { link: link.clone(), channels, runtime }, link, sender)
    }

    /// Whether the handler is done with the session.
    pub(crate) fn is_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// The engine has ended the session.
    pub(crate) fn end(&self, reason: Closed) {
        self.closed.send_replace(Some(reason));
    }

    fn leave(&self) {
        self.left.store(true, Ordering::Release);
        self.doorbell.ring();
    }
}
