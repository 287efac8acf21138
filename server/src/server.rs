//! The server as its user sees it: settings, offers, sessions.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hola_webrtc_protocol::{SessionId, Step};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::{
    announce,
    answer::Answerer,
    engine::{Core, Limits, Order, Socket, Worker},
    session::Session,
};

/// The settings of a server.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    listen: SocketAddr,
    announce: Vec<IpAddr>,
    max_message_size: u32,
    limits: Limits,
}

impl Builder {
    /// The UDP address to bind (default `[::]:0`). With port 0 the system chooses one; an unspecified address
    /// serves every address of the host, `[::]` those of IPv4 as well.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The addresses that answers name as host candidates, in order of preference. By default the bound one,
    /// or every address of the host. Behind a NAT or in a container, name the address that clients reach.
    pub fn announce(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.announce = addresses.into_iter().collect();
        self
    }

    /// The largest message taken, in bytes (default 65,536). Each connection reserves a buffer of this size.
    pub fn max_message_size(mut self, bytes: u32) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// How many sessions may live at once (default 10,000).
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.limits.max_sessions = sessions;
        self
    }

    /// How long an answered offer may go without a connectivity check of its peer (default 2 s).
    pub fn check_timeout(mut self, time: Duration) -> Self {
        self.limits.check_timeout = time;
        self
    }

    /// How long a session may take from the offer to its first open channel (default 15 s).
    pub fn open_timeout(mut self, time: Duration) -> Self {
        self.limits.open_timeout = time;
        self
    }

    /// How long an open session may be silent before it counts as lost (default 15 s). The server asks for a
    /// sign of life every second.
    pub fn silence_timeout(mut self, time: Duration) -> Self {
        self.limits.silence_timeout = time;
        self
    }

    /// Binds the port and starts the engine's thread.
    ///
    /// # Errors
    ///
    /// What the system says when the address cannot be bound.
    pub fn start(self) -> io::Result<RtcServer> {
        let socket = Socket::bind(self.listen)?;
        let address = socket.local_addr()?;
        let candidates: Vec<SocketAddr> =
            self.reachable_at(address).into_iter().map(|ip| SocketAddr::new(ip, address.port())).collect();
        let live = Arc::new(AtomicUsize::new(0));
        let answerer = Answerer::new(candidates.clone(), self.max_message_size).map_err(io::Error::other)?;
        let core = Core::new(answerer, self.limits, self.max_message_size, live.clone());
        let (sender, sessions) = mpsc::channel(self.limits.max_sessions.max(1));
        let orders = Worker::start(core, socket, sender)?;
        let inner = Inner { orders, sessions: Mutex::new(sessions), address, candidates, live };
        Ok(RtcServer { inner: Arc::new(inner) })
    }

    fn reachable_at(&self, bound: SocketAddr) -> Vec<IpAddr> {
        if !self.announce.is_empty() {
            self.announce.iter().map(IpAddr::to_canonical).collect()
        } else if bound.ip().is_unspecified() {
            let mut addresses = announce::with_loopback();
            addresses.retain(|ip| ip.is_ipv4() || bound.is_ipv6());
            addresses
        } else {
            vec![bound.ip().to_canonical()]
        }
    }
}

/// A running server: a handle, cheap to clone. Dropping the last one stops it.
#[derive(Clone)]
pub struct RtcServer {
    inner: Arc<Inner>,
}

struct Inner {
    orders: mpsc::Sender<Order>,
    sessions: Mutex<mpsc::Receiver<Session>>,
    address: SocketAddr,
    candidates: Vec<SocketAddr>,
    live: Arc<AtomicUsize>,
}

/// What is known of a client when its offer arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferContext {
    /// The address the offer came from.
    pub remote: Option<SocketAddr>,
    /// The request's `Accept-Language`.
    pub accept_language: Option<String>,
}

/// An answered offer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// The new session.
    pub id: SessionId,
    /// The answer.
    pub sdp: String,
    /// How long each part of step 6 took.
    pub timings: Vec<(Step, Duration)>,
}

/// Why an offer was not answered. Nothing is left of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The SDP does not parse, or cannot be answered.
    #[error("{0}")]
    BadSdp(String),
    /// The SDP has no `m=application` section.
    #[error("the offer has no m=application section: create a data channel before the offer")]
    NoDataChannel,
    /// As many sessions live as may.
    #[error("the server holds as many sessions as it may")]
    Full,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopped,
    /// The server's own fault.
    #[error("the server failed: {0}")]
    Internal(String),
}

impl RtcServer {
    /// The default settings.
    pub fn builder() -> Builder {
        Builder {
            listen: SocketAddr::from(([0_u16; 8], 0)),
            announce: Vec::new(),
            max_message_size: 65_536,
            limits: Limits {
                max_sessions: 10_000,
                check_timeout: Duration::from_secs(2),
                open_timeout: Duration::from_secs(15),
                silence_timeout: Duration::from_secs(15),
            },
        }
    }

    /// Answers an offer: step 6. The session is there from now on; it comes out of [`RtcServer::accept`] once
    /// its first channel is open.
    pub async fn answer(&self, offer: &str, context: OfferContext) -> Result<Answered, AnswerError> {
        let offer = offer.to_owned();
        self.order(|reply| Order::Answer { offer, context, reply }).await.unwrap_or(Err(AnswerError::Stopped))
    }

    /// The next session whose first channel has opened; `None` once the server has stopped. A session that is
    /// dropped is closed, and so is one for which [`Builder::max_sessions`] others wait already.
    pub async fn accept(&self) -> Option<Session> {
        self.inner.sessions.lock().await.recv().await
    }

    /// Ends a session. `false` if no such session lives.
    pub async fn close(&self, id: SessionId) -> bool {
        self.order(|reply| Order::Close { id, reply }).await.unwrap_or(false)
    }

    /// How many sessions live now, those included that are not open yet.
    pub fn session_count(&self) -> usize {
        self.inner.live.load(Ordering::Relaxed)
    }

    /// The bound UDP address.
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.address
    }

    /// The addresses that answers name.
    pub fn announced(&self) -> &[SocketAddr] {
        &self.inner.candidates
    }

    /// Ends every session, tells the peers, and stops the engine.
    pub async fn shutdown(&self) {
        self.order(|reply| Order::Stop { reply }).await;
    }

    /// `None` if the engine has stopped.
    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.inner.orders.send(order(reply)).await.ok()?;
        answer.await.ok()
    }
}

impl std::fmt::Debug for RtcServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RtcServer").field("address", &self.inner.address).finish_non_exhaustive()
    }
}
