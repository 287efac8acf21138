//! The settings of a server.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    thread,
};

use crate::{limits::Limits, server::RtcServer};

/// The settings of a server. [`RtcServer::builder`] has the defaults.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    listen: SocketAddr,
    announce: Vec<IpAddr>,
    workers: usize,
    limits: Limits,
    once_quiet: Option<fn()>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            listen: SocketAddr::from(([0_u16; 8], 0)),
            announce: Vec::new(),
            workers: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            limits: Limits::default(),
            once_quiet: None,
        }
    }

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

    /// How many threads do the I/O of the sessions (default: as many as the host has cores), each with a socket of
    /// its own on the port. Where the system cannot share a port between sockets, there is one.
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = workers.get();
        self
    }

    /// What bounds everything that a stranger can make grow.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What each of the engine's threads does once its last session has ended, about a second later; by default nothing.
    /// It is a moment to let the allocator give back what it keeps for the thread.
    pub fn once_quiet(mut self, act: fn()) -> Self {
        self.once_quiet = Some(act);
        self
    }

    /// Binds the port and starts the engine's threads.
    ///
    /// # Errors
    ///
    /// What the system says when the address cannot be bound; [`io::ErrorKind::InvalidInput`] for limits that contradict
    /// themselves.
    pub fn start(self) -> io::Result<RtcServer> {
        if self.limits.max_message_size == 0 {
            let why = "a max_message_size of 0 would tell peers that there is no limit (RFC 8841, 6.1)";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        RtcServer::start(self.listen, self.workers, self.limits.reckonable(), &self.announce, self.once_quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_largest_message_of_no_size_is_refused_since_peers_would_take_it_for_none() {
        let limits = Limits { max_message_size: 0, ..Limits::new() };
        let error = Builder::new().limits(limits).start().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("max_message_size"), "{error}");
    }
}
