//! What a session's handler and the engine share.

use std::{
    mem,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use hola_webrtc_protocol::SessionId;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{Span, info_span};

use super::{ChannelOptions, Closed, OpenError, Session, SessionStats, journal::Journal};
use crate::{channel::Channel, engine::Doorbell, framing::Keeper, offer::OfferContext};

pub(crate) struct Link {
    pub(super) id: SessionId,
    pub(super) context: OfferContext,
    pub(super) closed: watch::Sender<Option<Closed>>,
    pub(super) draining: watch::Receiver<bool>,
    /// Every line that is logged about the session stands in it.
    pub(crate) span: Span,
    pub(crate) journal: Journal,
    remote: Mutex<Option<SocketAddr>>,
    wishes: Mutex<Vec<Wish>>,
    is_left: AtomicBool,
    doorbell: Arc<Doorbell>,
}

/// What a handler asks of the engine. If the session ends first, the reply is dropped.
pub(crate) enum Wish {
    Open { label: String, options: ChannelOptions, reply: oneshot::Sender<Result<Channel, OpenError>> },
    Stats(oneshot::Sender<SessionStats>),
    Close { reason: String },
}

impl Link {
    /// The session's two ends: the handler's, and the engine's with its way to hand over channels.
    pub(crate) fn open(
        now: Instant,
        id: SessionId,
        context: OfferContext,
        doorbell: Arc<Doorbell>,
        draining: watch::Receiver<bool>,
        max_channels: usize,
        keeper: Arc<Keeper>,
    ) -> (Session, Arc<Self>, mpsc::Sender<Channel>) {
        let link = Arc::new(Self {
            id,
            context,
            closed: watch::Sender::default(),
            draining,
            // Whoever knows the whole id may end the session, so the log has its beginning only.
            span: info_span!("session", id = id.prefix()),
            journal: Journal::new(now),
            remote: Mutex::default(),
            wishes: Mutex::default(),
            is_left: false.into(),
            doorbell,
        });
        let (sender, channels) = mpsc::channel(max_channels.max(1));
        (Session::new(link.clone(), channels, keeper), link, sender)
    }

    /// Whether the handler is done with the session.
    pub(crate) fn is_left(&self) -> bool {
        self.is_left.load(Ordering::Acquire)
    }

    pub(super) fn leave(&self) {
        self.is_left.store(true, Ordering::Release);
        self.doorbell.ring();
    }

    pub(super) fn wish(&self, wish: Wish) {
        lock(&self.wishes).push(wish);
        self.doorbell.ring();
    }

    /// What the handler has asked for since the last look.
    pub(crate) fn take_wishes(&self) -> Vec<Wish> {
        mem::take(&mut *lock(&self.wishes))
    }

    /// The address of the peer on the path that ICE has selected.
    pub(crate) fn remote(&self) -> Option<SocketAddr> {
        *lock(&self.remote)
    }

    pub(crate) fn set_remote(&self, remote: SocketAddr) {
        *lock(&self.remote) = Some(remote);
    }

    /// Whether the server is stopping.
    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.closed.borrow().is_some()
    }

    /// The engine has ended the session.
    pub(crate) fn end(&self, reason: Closed) {
        self.closed.send_replace(Some(reason));
        // Whoever still waits for a wish hears of the end by its dropped reply.
        self.take_wishes();
    }
}

/// No code panics while it holds one of these locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
