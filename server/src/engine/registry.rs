//! What the workers and the server's handles share: which sessions there are, which worker has each, and how many
//! there may be.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hola_webrtc_protocol::SessionId;
use tokio::sync::watch;

use super::{
    Datagram,
    routes::{Path, Routes},
    shrink::shrink,
};
use crate::{
    answer::KEEPALIVE,
    framing::Keeper,
    limits::{Limits, client_network},
    metrics::{Limit, Metrics},
    offer::AnswerError,
    session::Link,
};

pub(super) use super::resident::Resident;

pub(crate) struct Registry {
    limits: Limits,
    metrics: Arc<Metrics>,
    keeper: Arc<Keeper>,
    /// What the times in [`Resident`] count from.
    epoch: Instant,
    tables: RwLock<Tables>,
    /// How many sessions live, or are being answered.
    live: watch::Sender<usize>,
    draining: watch::Sender<bool>,
    /// How many bytes of messages all sessions hold.
    buffered: AtomicUsize,
}

#[derive(Default)]
struct Tables {
    routes: Routes,
    sessions: HashMap<SessionId, Arc<Resident>>,
    of_address: HashMap<IpAddr, usize>,
}

/// A place for a session, until it is dropped.
pub(crate) struct Place {
    registry: Arc<Registry>,
    network: Option<IpAddr>,
}

impl Registry {
    pub(crate) fn new(limits: Limits, epoch: Instant) -> Self {
        let metrics = Arc::<Metrics>::default();
        Self {
            limits,
            keeper: Arc::new(Keeper::new(limits, metrics.clone())),
            metrics,
            epoch,
            tables: RwLock::default(),
            live: watch::Sender::default(),
            draining: watch::Sender::default(),
            buffered: AtomicUsize::new(0),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The channels that outlive their sessions.
    pub(crate) fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }

    /// How many sessions live, those included that are being answered.
    pub(crate) fn live(&self) -> watch::Receiver<usize> {
        self.live.subscribe()
    }

    pub(crate) fn count(&self) -> usize {
        *self.live.borrow()
    }

    /// Whether the server is stopping.
    pub(crate) fn draining(&self) -> watch::Receiver<bool> {
        self.draining.subscribe()
    }

    /// No session is taken from now on, and the handlers of those that live are told.
    pub(crate) fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// A place for one more session of this client, if there is one.
    pub(crate) fn admit(self: &Arc<Self>, client: Option<IpAddr>) -> Result<Place, AnswerError> {
        if *self.draining.borrow() {
            return Err(AnswerError::Draining);
        }
        let network = client.map(client_network);
        let mut tables = self.write();
        if self.count() >= self.limits.max_sessions {
            self.metrics.limit_reached(Limit::MaxSessions);
            return Err(AnswerError::Full);
        }
        if let Some(network) = network {
            let sessions = tables.of_address.get(&network).copied().unwrap_or_default();
            if sessions >= self.limits.max_sessions_per_address {
                self.metrics.limit_reached(Limit::MaxSessionsPerAddress);
                return Err(AnswerError::TooManySessionsOfAddress);
            }
            tables.of_address.insert(network, sessions + 1);
        }
        self.live.send_modify(|live| *live += 1);
        Ok(Place { registry: self.clone(), network })
    }

    /// A session lives from now on.
    pub(super) fn settle(
        &self,
        id: SessionId,
        worker: usize,
        ufrag: String,
        link: Arc<Link>,
    ) -> Arc<Resident> {
        let resident = Arc::new(Resident::new(id, worker, ufrag, link));
        let mut tables = self.write();
        tables.routes.add_ufrag(&resident.ufrag(), resident.clone());
        tables.sessions.insert(id, resident.clone());
        resident
    }

    /// Another worker drives the session from now on. `hand_over` runs before anybody can find it there, and returns
    /// what it could not hand over: to drop a peer here would lock twice.
    pub(super) fn relocate<T>(&self, resident: &Resident, worker: usize, hand_over: impl FnOnce() -> T) -> T {
        let _nobody_looks = self.write();
        let left = hand_over();
        resident.worker.store(worker, Ordering::Release);
        left
    }

    /// ICE starts anew: the peer's checks name another fragment from now on.
    pub(super) fn rename(&self, resident: &Arc<Resident>, ufrag: String) {
        let mut tables = self.write();
        tables.routes.remove_ufrag(&resident.ufrag());
        tables.routes.add_ufrag(&ufrag, resident.clone());
        *resident.ufrag() = ufrag;
    }

    pub(super) fn remove(&self, resident: &Arc<Resident>, paths: impl Iterator<Item = Path>) {
        let mut tables = self.write();
        tables.routes.remove_ufrag(&resident.ufrag());
        tables.routes.remove_paths(resident, paths);
        tables.sessions.remove(&resident.id);
        shrink(&mut tables.sessions);
    }

    /// A session no longer uses these paths.
    pub(super) fn forget(&self, resident: &Arc<Resident>, paths: Vec<Path>) {
        self.write().routes.remove_paths(resident, paths.into_iter());
    }

    pub(crate) fn resident(&self, id: SessionId) -> Option<Arc<Resident>> {
        self.read().sessions.get(&id).cloned()
    }

    /// The session that a datagram is for, and the worker that drives it.
    pub(super) fn find(&self, datagram: &Datagram) -> Option<(SessionId, usize)> {
        self.read().routes.find(datagram).map(|resident| (resident.id, resident.worker()))
    }

    /// The sessions whose peer is at this address, and their workers.
    pub(super) fn find_at(&self, remote: SocketAddr) -> Vec<(SessionId, usize)> {
        self.read().routes.sessions_at(remote).map(|resident| (resident.id, resident.worker())).collect()
    }

    /// The peer was heard.
    pub(super) fn heard(&self, resident: &Resident, now: Instant) {
        resident.heard.store(self.millis(now), Ordering::Relaxed);
    }

    /// Whether the path is the session's.
    pub(super) fn has(&self, path: Path, session: &Arc<Resident>) -> bool {
        self.read().routes.owner(path).is_some_and(|owner| Arc::ptr_eq(&owner.session, session))
    }

    /// Gives a path to the session whose peer has proved that it knows the password. That proves the session, not the
    /// address, which `has_answered` a check if ICE has selected the path. Who only forges the source of a check does
    /// not get the path of a peer that has answered there and was heard since its last few keepalives, nor does it
    /// keep that peer from it before.
    pub(super) fn claim(&self, path: Path, claimant: &Arc<Resident>, has_answered: bool, now: Instant) {
        let mut tables = self.write();
        let is_taken = tables.routes.owner(path).is_some_and(|owner| {
            let heard = owner.session.heard.load(Ordering::Relaxed);
            let is_fresh = now < self.epoch + Duration::from_millis(heard) + KEEPALIVE * 4;
            owner.has_answered && is_fresh && !Arc::ptr_eq(&owner.session, claimant)
        });
        if !is_taken {
            tables.routes.add_path(path, claimant.clone(), has_answered);
        }
    }

    /// A session holds so many bytes now instead of so many before. `false` if all hold more than they may, and this
    /// one more than its equal share.
    pub(super) fn hold(&self, before: usize, now: usize) -> bool {
        if now <= before {
            let rest = self.buffered.fetch_sub(before - now, Ordering::Relaxed) - (before - now);
            self.metrics.buffered(rest);
            return true;
        }
        let total = self.buffered.fetch_add(now - before, Ordering::Relaxed) + (now - before);
        self.metrics.buffered(total);
        total <= self.limits.total_buffer || now <= self.limits.total_buffer / self.count().max(1)
    }

    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes of messages all sessions hold.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn buffered(&self) -> usize {
        self.buffered.load(Ordering::Relaxed)
    }

    /// What is left in the tables: 0 when no session lives.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn residue(&self) -> usize {
        let tables = self.read();
        tables.routes.len() + tables.sessions.len() + tables.of_address.len() + self.count() + self.buffered()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tables = self.registry.write();
        if let Some(Entry::Occupied(mut sessions)) =
            self.network.map(|network| tables.of_address.entry(network))
        {
            *sessions.get_mut() -= 1;
            if *sessions.get() == 0 {
                sessions.remove();
            }
        }
        shrink(&mut tables.of_address);
        self.registry.live.send_modify(|live| *live -= 1);
    }
}
