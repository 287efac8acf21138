//! The server as its user sees it: settings, offers, sessions.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::http::Extensions;
use futures_core::Stream;
use hola_webrtc_protocol::{Candidate, SessionId, Step, TraceEvent};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::{
    announce,
    answer::Answerer,
    engine::{Core, Order, Socket, Worker},
    limits::Limits,
    session::Session,
};

/// The settings of a server.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    listen: SocketAddr,
    announce: Vec<IpAddr>,
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

    /// What bounds everything that a stranger can make grow.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
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
        let answerer =
            Answerer::new(candidates.clone(), self.limits.max_message_size).map_err(io::Error::other)?;
        let core = Core::new(answerer, self.limits, live.clone());
        let (sender, sessions) = mpsc::channel(self.limits.max_sessions.max(1));
        let orders = Worker::start(core, socket, sender)?;
        let limits = self.limits;
        let inner = Inner { orders, sessions: Mutex::new(sessions), address, candidates, live, limits };
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
    limits: Limits,
}

/// What is known of a client when its offer arrives.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OfferContext {
    /// The address the offer came from.
    pub remote: Option<SocketAddr>,
    /// The request's `Accept-Language`.
    pub accept_language: Option<String>,
    /// Whatever else the program wants to know when the session is there, such as the user it let in.
    pub extensions: Extensions,
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
    /// What names this ICE session among those of its restarts, unquoted.
    pub etag: String,
}

/// What an ICE restart brings: the credentials and candidates of this side (RFC 8445, 9).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restarted {
    /// What names the new ICE session, unquoted.
    pub etag: String,
    /// The new user name fragment.
    pub ufrag: String,
    /// The new password.
    pub password: String,
    /// The candidates of this server.
    pub candidates: Vec<Candidate>,
}

/// Why a session could not be changed. It goes on as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// No such session lives.
    #[error("no such session lives")]
    NotFound,
    /// The entity tag is not that of the session's present ICE session.
    #[error("the ICE session has been restarted since: its entity tag is another one")]
    Stale,
    /// The credentials cannot be used.
    #[error("{0}")]
    BadCredentials(String),
    /// The client has named as many candidates as it may.
    #[error("the client has named as many candidates as it may")]
    TooManyCandidates,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopped,
    /// The server's own fault.
    #[error("the server failed: {0}")]
    Internal(String),
}

/// An event of a session on the server's side, numbered from 0 on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServerEvent {
    /// Its place in the session's trace.
    pub number: u64,
    /// When it happened by the wall clock.
    pub time: SystemTime,
    /// What happened; its time counts from the arrival of the offer.
    pub event: TraceEvent,
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
        Builder { listen: SocketAddr::from(([0_u16; 8], 0)), announce: Vec::new(), limits: Limits::default() }
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

    /// Takes note of candidates that the client has found since its offer (RFC 8840). They are not contacted: the
    /// client's own checks tell where it is.
    pub async fn trickle(
        &self,
        _id: SessionId,
        _etag: &str,
        _candidates: Vec<Candidate>,
    ) -> Result<(), PatchError> {
        Err(PatchError::NotFound)
    }

    /// Restarts ICE with the client's new credentials (RFC 8445, 9): the session and its channels live on while the
    /// peers look for a new path.
    pub async fn restart_ice(
        &self,
        _id: SessionId,
        _ufrag: &str,
        _password: &str,
    ) -> Result<Restarted, PatchError> {
        Err(PatchError::NotFound)
    }

    /// The server's half of a session's trace, from the event after number `after` on, then live until the session
    /// has ended. `None` if no such session lives, or if it is watched by as many as may.
    pub fn events(
        &self,
        _id: SessionId,
        _after: Option<u64>,
    ) -> Option<impl Stream<Item = ServerEvent> + Send + 'static + use<>> {
        None::<futures_util::stream::Empty<ServerEvent>>
    }

    /// Stops taking offers, tells the handlers ([`Session::draining`]), and waits until every session has ended, or
    /// the time is over; then ends the rest and the engine. Returns how many had to be ended.
    pub async fn drain(&self, _within: Duration) -> usize {
        self.shutdown().await;
        0
    }

    /// Whether new sessions are welcome: not while the server stops.
    pub fn is_ready(&self) -> bool {
        true
    }

    /// Whether every worker of the engine answers within the time.
    pub async fn is_alive(&self, _within: Duration) -> bool {
        true
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
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
