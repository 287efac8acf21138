//! The server as its user sees it: offers, sessions, and its end.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use hola_webrtc_protocol::{Candidate, SessionId};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};

use crate::{
    announce::reachable_at,
    answer::{Answerer, IceCredentials, host_candidates},
    builder::Builder,
    engine::{
        Mailbox, Order, Ping, Reception, Registry, Socket, abandon,
        workers::{self, order_all},
    },
    limits::Limits,
    metrics::{Limit, Metrics},
    offer::{AnswerError, Answered, EventsError, OfferContext, PatchError, Restarted, ServerEvent},
    session::{Link, Reader, Session},
};

/// A running server: a handle, cheap to clone. Dropping the last one stops it.
#[derive(Clone)]
pub struct RtcServer {
    inner: Arc<Inner>,
}

struct Inner {
    reception: Reception,
    registry: Arc<Registry>,
    workers: Arc<[Mailbox]>,
    /// Counts the sessions, each of which begins at the next worker.
    begun: AtomicUsize,
    sessions: Mutex<mpsc::Receiver<Session>>,
    ping: Ping,
    address: SocketAddr,
}

impl RtcServer {
    /// The default settings.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn start(
        listen: SocketAddr,
        workers: usize,
        limits: Limits,
        announce: &[IpAddr],
        once_quiet: Option<fn()>,
    ) -> io::Result<Self> {
        let (address, sockets) = Socket::bind(listen, workers)?;
        let candidates = reachable_at(address, announce);
        let answerer = Answerer::new(candidates, limits.max_message_size).map_err(io::Error::other)?;
        let registry = Arc::new(Registry::new(limits, Instant::now()));
        registry.metrics().workers(sockets.len());
        let reception = Reception::new(answerer, registry.clone());
        let (sender, sessions) = mpsc::channel(limits.max_sessions.max(1));
        let workers = workers::start(sockets, &registry, &sender, once_quiet)?;
        let (begun, sessions) = (AtomicUsize::new(0), Mutex::new(sessions));
        Ok(Self {
            inner: Arc::new(Inner {
                reception,
                registry,
                workers,
                begun,
                sessions,
                ping: Ping::default(),
                address,
            }),
        })
    }

    /// Answers an offer: step 6. The session is there from now on; it comes out of [`RtcServer::accept`] once the
    /// peer is connected. It takes a fraction of a millisecond, on the caller's thread.
    pub fn answer(&self, offer: &str, context: OfferContext) -> Result<Answered, AnswerError> {
        let Inner { reception, workers, begun, .. } = &*self.inner;
        let worker = begun.fetch_add(1, Ordering::Relaxed) % workers.len();
        let (answered, peer) = reception.answer(Instant::now(), offer, context, worker)?;
        if let Err(peer) = workers[worker].adopt(peer) {
            abandon(&self.inner.registry, peer);
            return Err(AnswerError::Stopped);
        }
        Ok(answered)
    }

    /// The next session whose peer is connected; `None` once the server has stopped. A session that is dropped is
    /// closed, and so is one for which [`Limits::max_sessions`] others wait already.
    pub async fn accept(&self) -> Option<Session> {
        self.inner.sessions.lock().await.recv().await
    }

    /// Ends a session. `false` if no such session lives.
    pub async fn close(&self, id: SessionId) -> bool {
        self.order(id, |reply| Order::Close { id, reply }).await.is_some()
    }

    /// Takes note of candidates that the client has found since its offer (RFC 8840). They are not contacted: the
    /// client's own checks tell where it is.
    pub fn trickle(
        &self,
        id: SessionId,
        etag: &str,
        candidates: impl IntoIterator<Item = Candidate>,
    ) -> Result<(), PatchError> {
        let resident = self.inner.registry.resident(id).ok_or(PatchError::NotFound)?;
        if *resident.ufrag() != etag {
            return Err(PatchError::Stale);
        }
        let max = self.limits().max_candidates;
        let noted = resident.note_candidates(Instant::now(), candidates.into_iter(), max);
        if !noted {
            self.metrics().limit_reached(Limit::MaxCandidates);
            return Err(PatchError::TooManyCandidates);
        }
        Ok(())
    }

    /// Restarts ICE with the client's new credentials (RFC 8445, 9): the session and its channels live on while the
    /// peers look for a new path.
    pub async fn restart_ice(
        &self,
        id: SessionId,
        ufrag: &str,
        password: &str,
    ) -> Result<Restarted, PatchError> {
        check_credentials(ufrag, password)?;
        let remote = IceCredentials { ufrag: ufrag.to_owned(), password: password.to_owned() };
        let addresses = self.announced();
        let candidates = addresses.clone();
        let restarted = self.order(id, |reply| Order::RestartIce { id, remote, candidates, reply }).await;
        match restarted.ok_or(PatchError::NotFound)? {
            Ok(IceCredentials { ufrag, password }) => {
                let candidates = host_candidates(&addresses).collect();
                Ok(Restarted { etag: ufrag.clone(), ufrag, password, candidates })
            }
            Err(AnswerError::BadSdp(why)) => Err(PatchError::BadCredentials(why)),
            Err(error) => Err(PatchError::Internal(error.to_string())),
        }
    }

    /// The server's half of a session's trace, from the event after number `after` on, then live until the session
    /// has ended.
    pub fn events(
        &self,
        id: SessionId,
        after: Option<u64>,
    ) -> Result<BoxStream<'static, ServerEvent>, EventsError> {
        let link = self.inner.registry.resident(id).ok_or(EventsError::NotFound)?.link.clone();
        let next = after.map_or(0, |after| usize::try_from(after).unwrap_or(usize::MAX).saturating_add(1));
        let Some(reader) = link.journal.read(next, self.limits().max_event_streams) else {
            self.metrics().limit_reached(Limit::MaxEventStreams);
            return Err(EventsError::TooMany);
        };
        let next = async |(link, mut reader): (Arc<Link>, Reader)| {
            let event = reader.next(&link.journal).await?;
            Some((event, (link, reader)))
        };
        Ok(stream::unfold((link, reader), next).boxed())
    }

    /// Whether new sessions are welcome: not once the server stops.
    pub fn is_ready(&self) -> bool {
        let has_stopped = self.inner.workers.iter().any(|worker| worker.orders.is_closed());
        !(has_stopped || *self.inner.registry.draining().borrow())
    }

    /// Whether every worker of the engine answers within the time.
    pub async fn is_alive(&self, within: Duration) -> bool {
        let Inner { ping, workers, .. } = &*self.inner;
        timeout(within, ping.ask(workers)).await == Ok(true)
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        self.inner.registry.limits()
    }

    /// What the server counts and measures.
    pub fn metrics(&self) -> &Arc<Metrics> {
        self.inner.registry.metrics()
    }

    /// How many sessions live now, those included that are not connected yet.
    pub fn session_count(&self) -> usize {
        self.inner.registry.count()
    }

    /// The bound UDP address.
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.address
    }

    /// The addresses that answers name.
    pub fn announced(&self) -> Arc<[SocketAddr]> {
        self.inner.reception.candidates()
    }

    /// Names these addresses in the answers from now on, as [`Builder::announce`] does from the start: the host's own if
    /// there are none. The sessions that live go on, and hear of the new addresses when their ICE is restarted. Returns
    /// whether they differ from those before.
    ///
    /// # Errors
    ///
    /// Where the system has no randomness for the DTLS certificate that the new answers name.
    pub fn announce(&self, addresses: &[IpAddr]) -> io::Result<bool> {
        let candidates = reachable_at(self.inner.address, addresses);
        if *self.announced() == *candidates {
            return Ok(false);
        }
        let answerer = Answerer::new(candidates, self.limits().max_message_size).map_err(io::Error::other)?;
        self.inner.reception.replace(answerer);
        Ok(true)
    }

    /// Stops taking offers, tells the handlers ([`Session::draining`]), and waits until every session has ended, or
    /// the time is over; then ends the rest and the engine. Returns how many had to be ended.
    pub async fn drain(&self, within: Duration) -> usize {
        self.inner.registry.drain();
        for worker in self.inner.workers.iter() {
            let _ = worker.orders.send(Order::Drain);
        }
        let mut live = self.inner.registry.live();
        // The sender lives in the registry, so only the time can be over.
        let _ = timeout(within, live.wait_for(|live| *live == 0)).await;
        let left = self.session_count();
        self.shutdown().await;
        left
    }

    /// Ends every session, tells the peers, and stops the engine.
    pub async fn shutdown(&self) {
        self.inner.registry.drain();
        order_all(&self.inner.workers, |reply| Order::Stop { reply }).await;
    }

    /// Has a session's worker do something; `None` if no such session lives.
    async fn order<T>(&self, id: SessionId, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let worker = self.inner.registry.resident(id)?.worker();
        let (reply, done) = oneshot::channel();
        self.inner.workers[worker].orders.send(order(reply)).ok()?;
        done.await.ok()
    }
}

/// Credentials consist of `ice-char`s, and have a length of 4 to 256 and of 22 to 256 (RFC 8839, 5.4).
fn check_credentials(ufrag: &str, password: &str) -> Result<(), PatchError> {
    let is_made_of_ice_chars =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    let fault = if !is_made_of_ice_chars(ufrag) || !is_made_of_ice_chars(password) {
        "an ice-ufrag and an ice-pwd consist of letters, digits, + and /"
    } else if !(4..=256).contains(&ufrag.len()) {
        "an ice-ufrag has 4 to 256 characters"
    } else if !(22..=256).contains(&password.len()) {
        "an ice-pwd has 22 to 256 characters"
    } else {
        return Ok(());
    };
    Err(PatchError::BadCredentials(fault.to_owned()))
}

/// Nobody is left to give orders.
impl Drop for Inner {
    fn drop(&mut self) {
        workers::stop(&self.workers);
    }
}

impl fmt::Debug for RtcServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtcServer").field("address", &self.inner.address).finish_non_exhaustive()
    }
}
