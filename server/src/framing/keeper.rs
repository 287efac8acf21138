//! The resumable channels of a server, found by their ids when their clients come back.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use hola_webrtc_protocol::framing::ResumeId;
use subtle::ConstantTimeEq;

use super::Talk;
use crate::{
    limits::{Limits, client_network},
    metrics::{Limit, Metrics},
};

/// Every resumable channel that lives, whether its client is there or not.
pub(crate) struct Keeper {
    limits: Limits,
    metrics: Arc<Metrics>,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    talks: HashMap<Key, Kept>,
    /// How many places were given away.
    places: u64,
    of_address: HashMap<Option<IpAddr>, Account>,
    /// What those hold whose clients are away, in bytes.
    parked: usize,
}

struct Kept {
    talk: Weak<Talk>,
    /// The number of its place.
    place: u64,
}

#[derive(Default)]
struct Account {
    talks: usize,
    parked: usize,
}

/// A resume id. The hash is keyed at random and the comparison takes the same time wherever two differ, so a guess
/// learns nothing from how long it takes.
struct Key(ResumeId);

impl Hash for Key {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.0.hash(hasher);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.0.ct_eq(&other.0.0).into()
    }
}

impl Eq for Key {}

/// A place among the resumable channels, until it is dropped.
pub(super) struct Place {
    keeper: Arc<Keeper>,
    number: u64,
    id: ResumeId,
    network: Option<IpAddr>,
    /// What it holds while its client is away.
    parked: Option<usize>,
}

/// What becomes of an OPEN.
pub(super) enum Found {
    /// Its channel lives.
    Known(Arc<Talk>),
    /// It is a new one.
    New(Arc<Talk>),
    /// There are as many as may be.
    Full,
}

impl Keeper {
    pub(crate) fn new(limits: Limits, metrics: Arc<Metrics>) -> Self {
        Self { limits, metrics, tables: Mutex::default() }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The channel of this id, or a new one, if there is room.
    pub(super) fn find(
        self: &Arc<Self>,
        id: ResumeId,
        client: Option<IpAddr>,
        make: impl FnOnce(Place) -> Arc<Talk>,
    ) -> Found {
        let network = client.map(client_network);
        let mut tables = self.lock();
        if let Some(talk) = tables.talks.get(&Key(id)).and_then(|kept| kept.talk.upgrade()) {
            return Found::Known(talk);
        }
        let of_address = tables.of_address.get(&network).map_or(0, |account| account.talks);
        let limit = if tables.talks.len() >= self.limits.max_resumable {
            Some(Limit::MaxResumable)
        } else if network.is_some() && of_address >= self.limits.max_resumable_per_address {
            Some(Limit::MaxResumablePerAddress)
        } else {
            None
        };
        if let Some(limit) = limit {
            drop(tables);
            self.metrics.limit_reached(limit);
            return Found::Full;
        }
        tables.places += 1;
        let number = tables.places;
        let talk = make(Place { keeper: self.clone(), number, id, network, parked: None });
        tables.of_address.entry(network).or_default().talks += 1;
        tables.talks.insert(Key(id), Kept { talk: Arc::downgrade(&talk), place: number });
        Found::New(talk)
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The channel holds so many bytes while its client is away; `None` if it is there. `false` if that is more than may
    /// be.
    pub(super) fn park(&mut self, bytes: Option<usize>) -> bool {
        if bytes == self.parked {
            return true;
        }
        let Keeper { limits, metrics, .. } = &*self.keeper;
        let (before, now) = (self.parked.unwrap_or_default(), bytes.unwrap_or_default());
        let mut tables = self.keeper.lock();
        let parked = tables.parked - before + now;
        let account = tables.of_address.entry(self.network).or_default();
        let of_address = account.parked - before + now;
        account.parked = of_address;
        tables.parked = parked;
        drop(tables);
        metrics.parked(self.parked, bytes);
        self.parked = bytes;
        let grows = now > before;
        let limit = if parked > limits.resume_buffer {
            Limit::ResumeBuffer
        } else if self.network.is_some() && of_address > limits.resume_buffer_per_address {
            Limit::ResumeBufferPerAddress
        } else {
            return true;
        };
        if grows {
            metrics.limit_reached(limit);
        }
        !grows
    }
}

impl Place {
    /// A limit took effect on the channel.
    pub(super) fn note(&self, limit: Limit) {
        self.keeper.metrics.limit_reached(limit);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.park(None);
        let mut tables = self.keeper.lock();
        // The same id may have come once more since the channel went.
        if tables.talks.get(&Key(self.id)).is_some_and(|kept| kept.place == self.number) {
            tables.talks.remove(&Key(self.id));
        }
        if let Some(account) = tables.of_address.get_mut(&self.network) {
            account.talks -= 1;
            if account.talks == 0 {
                tables.of_address.remove(&self.network);
            }
        }
    }
}
