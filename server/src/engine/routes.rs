//! Which session a datagram belongs to: a first STUN request by the user name fragment it is addressed to
//! (RFC 8445, 7.2.2), everything after it by its pair of addresses.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::{Datagram, resident::Resident, shrink::shrink, stun::Stun};

/// The way between a peer and this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Path {
    /// The address of this host that the datagrams arrive at.
    pub(super) local: IpAddr,
    /// The peer's address.
    pub(super) remote: SocketAddr,
}

#[derive(Default)]
pub(super) struct Routes {
    by_ufrag: HashMap<String, Arc<Resident>>,
    /// By the peer's address: the addresses of this host that it talks to, mostly one, and its session.
    by_remote: HashMap<SocketAddr, Vec<Owner>>,
}

/// Who has a path.
pub(super) struct Owner {
    local: IpAddr,
    pub(super) session: Arc<Resident>,
    /// Whether the peer's address has answered a check, which nobody can who only forges it.
    pub(super) has_answered: bool,
}

impl Routes {
    pub(super) fn add_ufrag(&mut self, ufrag: &str, session: Arc<Resident>) {
        self.by_ufrag.insert(ufrag.to_owned(), session);
    }

    pub(super) fn remove_ufrag(&mut self, ufrag: &str) {
        self.by_ufrag.remove(ufrag);
        shrink(&mut self.by_ufrag);
    }

    /// Lets everything that comes along the path go to the session. Call it for paths whose peer has proved
    /// that it knows the session's password.
    pub(super) fn add_path(&mut self, path: Path, session: Arc<Resident>, has_answered: bool) {
        let owners = self.by_remote.entry(path.remote).or_default();
        owners.retain(|owner| owner.local != path.local);
        owners.push(Owner { local: path.local, session, has_answered });
    }

    /// The session that has the path now.
    pub(super) fn owner(&self, path: Path) -> Option<&Owner> {
        self.by_remote.get(&path.remote)?.iter().find(|owner| owner.local == path.local)
    }

    pub(super) fn find(&self, datagram: &Datagram) -> Option<&Arc<Resident>> {
        let request = Stun::parse(&datagram.bytes).filter(|stun| stun.is_request());
        match request {
            Some(request) => self.by_ufrag.get(request.ufrag()?),
            None => self.owner(datagram.path()).map(|owner| &owner.session),
        }
    }

    /// The sessions that are reached at this address, whichever address of ours they talk to.
    pub(super) fn sessions_at(&self, remote: SocketAddr) -> impl Iterator<Item = &Arc<Resident>> {
        self.by_remote.get(&remote).into_iter().flatten().map(|owner| &owner.session)
    }

    /// Forgets a session's paths. A path that another session has taken over since stays with that one.
    pub(super) fn remove_paths(&mut self, session: &Arc<Resident>, paths: impl Iterator<Item = Path>) {
        for path in paths {
            if let Entry::Occupied(mut owners) = self.by_remote.entry(path.remote) {
                let is_meant =
                    |owner: &Owner| owner.local == path.local && Arc::ptr_eq(&owner.session, session);
                owners.get_mut().retain(|owner| !is_meant(owner));
                if owners.get().is_empty() {
                    owners.remove();
                }
            }
        }
        shrink(&mut self.by_remote);
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn len(&self) -> usize {
        self.by_ufrag.len() + self.by_remote.len()
    }
}

impl Datagram {
    pub(super) fn path(&self) -> Path {
        Path { local: self.local, remote: self.remote }
    }
}
