//! The engine in virtual time: a native offerer, a network with a delay, no socket and no clock.

// The fuzz targets play in the same world.
#![cfg_attr(not(test), allow(dead_code, unused_imports))]
#![allow(clippy::unwrap_used, clippy::wildcard_imports, reason = "a test that cannot go on fails")]

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod connect;
#[cfg(test)]
mod end;
#[cfg(test)]
mod faulty;
pub(crate) mod fuzzing;
#[cfg(test)]
mod greedy;
#[cfg(test)]
mod handmade;
#[cfg(test)]
mod lossy;
#[cfg(test)]
mod near;
mod offerer;
#[cfg(test)]
mod oversized;
#[cfg(test)]
mod paused;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod spoofed;
mod stranger;
#[cfg(test)]
mod swamped;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod workers;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use hola_webrtc_protocol::SessionId;

use self::offerer::Offerer;
use super::{Core, Datagram, Peer, Received, Reception, Registry, transit::relocate};
use crate::{
    answer::{Answerer, IceCredentials},
    limits::Limits,
    offer::{AnswerError, Answered, OfferContext},
    session::Session,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const LIMITS: Limits = Limits { max_sessions: 300, ..Limits::new() };

fn server_address() -> SocketAddr {
    "192.0.2.1:8443".parse().unwrap()
}

fn offerer_address(number: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 7], 5000 + number))
}

/// A server, its peers, and the datagrams on their way between them.
struct World {
    now: Instant,
    /// Where the server is reached.
    server: SocketAddr,
    reception: Reception,
    registry: Arc<Registry>,
    /// One for each worker. An offerer's datagrams come to the socket of the worker with the number of its port, modulo
    /// theirs.
    cores: Vec<Core>,
    offerers: HashMap<SocketAddr, Offerer>,
    /// By arrival and number.
    in_flight: BTreeMap<(Instant, u64), InFlight>,
    sent: u64,
    delay: Duration,
    sessions: Vec<Session>,
    /// Every datagram that left the server, by destination.
    from_server: Vec<SocketAddr>,
    /// What came to one worker's socket and was for another.
    handed_over: usize,
    /// Whether the workers act on each datagram, as where no two come in one pass.
    is_swift: bool,
}

enum InFlight {
    ToServer(SocketAddr, BytesMut),
    ToOfferer(SocketAddr, BytesMut),
}

impl World {
    fn new(delay: Duration) -> Self {
        Self::with_limits(delay, LIMITS)
    }

    fn with_limits(delay: Duration, limits: Limits) -> Self {
        Self::with_workers(1, delay, limits)
    }

    fn with_workers(workers: usize, delay: Duration, limits: Limits) -> Self {
        let now = Instant::now();
        let answerer = Answerer::new(vec![server_address()], limits.max_message_size).unwrap();
        let registry = Arc::new(Registry::new(limits, now));
        Self {
            now,
            server: server_address(),
            reception: Reception::new(answerer, registry.clone()),
            cores: (0..workers).map(|number| Core::new(number, registry.clone())).collect(),
            registry,
            offerers: HashMap::new(),
            in_flight: BTreeMap::new(),
            sent: 0,
            delay,
            sessions: Vec::new(),
            from_server: Vec::new(),
            handed_over: 0,
            is_swift: false,
        }
    }

    fn answer(&mut self, offer: &str) -> Answered {
        self.try_answer(offer).unwrap()
    }

    fn try_answer(&mut self, offer: &str) -> Result<Answered, AnswerError> {
        let worker = self.registry.count() % self.cores.len();
        let (answered, peer) = self.reception.answer(self.now, offer, OfferContext::default(), worker)?;
        self.cores[worker].adopt(peer);
        Ok(answered)
    }

    /// Negotiates a connection, and waits until its channel is open at both ends.
    fn connect(&mut self, number: u16, label: &str) -> (SocketAddr, Session) {
        let address = self.begin(number, label);
        let opened = self
            .run_until(5 * SECOND, |world| !world.sessions.is_empty() && world.offerer(address).is_open());
        assert!(opened, "the channel does not open");
        (address, self.sessions.remove(0))
    }

    /// Negotiates a connection.
    fn begin(&mut self, number: u16, label: &str) -> SocketAddr {
        let address = offerer_address(number);
        let mut offerer = Offerer::new(self.now, address, label);
        let answered = self.answer(&offerer.offer());
        offerer.accept_answer(self.now, &answered.sdp);
        self.offerers.insert(address, offerer);
        address
    }

    fn offerer(&mut self, address: SocketAddr) -> &mut Offerer {
        self.offerers.get_mut(&address).unwrap()
    }

    /// Lets time pass until the condition holds. `false` if it does not within the time.
    fn run_until(&mut self, time: Duration, mut condition: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + time;
        loop {
            self.settle();
            if condition(self) {
                return true;
            }
            match self.next_event() {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => {
                    self.now = end;
                    self.settle();
                    return condition(self);
                }
            }
        }
    }

    fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Delivers what is due and lets everybody act on it.
    fn settle(&mut self) {
        while let Some(entry) = self.in_flight.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                InFlight::ToServer(remote, bytes) => {
                    self.deliver(remote, bytes);
                    if self.is_swift {
                        self.reply();
                    }
                }
                InFlight::ToOfferer(address, bytes) => {
                    if let Some(offerer) = self.offerers.get_mut(&address) {
                        offerer.receive(self.now, self.server, bytes);
                    } else {
                        self.unreachable(address);
                    }
                }
            }
        }
        self.reply();
        let from_offerers: Vec<_> = self
            .offerers
            .iter_mut()
            .flat_map(|(address, offerer)| offerer.drive(self.now).into_iter().map(|bytes| (*address, bytes)))
            .collect();
        for (address, bytes) in from_offerers {
            self.send(InFlight::ToServer(address, bytes));
        }
    }

    /// Lets every worker act, and puts on its way what leaves the server.
    fn reply(&mut self) {
        for datagram in self.flush() {
            assert_eq!(datagram.local, self.server.ip());
            self.from_server.push(datagram.remote);
            self.send(InFlight::ToOfferer(datagram.remote, datagram.bytes));
        }
    }

    /// Lets every worker act, and returns what leaves the server.
    fn flush(&mut self) -> Vec<Datagram> {
        let mut datagrams = Vec::new();
        loop {
            let (mut strays, mut leaving) = (Vec::new(), Vec::new());
            for (number, core) in self.cores.iter_mut().enumerate() {
                core.flush(self.now);
                let outbound = core.take_outbound();
                datagrams.extend(outbound.datagrams);
                self.sessions.extend(outbound.opened);
                strays.extend(outbound.strays.into_iter().map(|stray| (number, stray)));
                leaving.extend(outbound.leaving);
            }
            if strays.is_empty() && leaving.is_empty() {
                return datagrams;
            }
            self.handed_over += strays.len();
            for (worker, peer) in leaving {
                relocate(&self.registry, peer, worker, |peer| {
                    self.cores[worker].adopt(peer);
                    Ok(())
                });
            }
            for (socket, (worker, received)) in strays {
                self.cores[worker].receive(self.now, socket, received);
            }
        }
    }

    fn deliver(&mut self, remote: SocketAddr, bytes: BytesMut) {
        let datagram = Datagram { local: self.server.ip(), remote, bytes };
        self.receive(remote, Received::Datagram(datagram));
    }

    fn unreachable(&mut self, remote: SocketAddr) {
        self.receive(remote, Received::Unreachable(remote));
    }

    fn receive(&mut self, remote: SocketAddr, received: Received) {
        let socket = usize::from(remote.port()) % self.cores.len();
        self.cores[socket].receive(self.now, socket, received);
    }

    fn close(&mut self, id: SessionId) -> bool {
        self.cores.iter_mut().any(|core| core.close(self.now, id))
    }

    /// Restarts a session's ICE, and returns the server's new credentials.
    fn restart_ice(&mut self, id: SessionId, ufrag: &str, password: &str) -> IceCredentials {
        let now = self.now;
        let candidates = self.reception.candidates();
        let mut restarted = self.cores.iter_mut().filter_map(|core| {
            let remote = IceCredentials { ufrag: ufrag.to_owned(), password: password.to_owned() };
            core.restart_ice(now, id, remote, &candidates)
        });
        restarted.next().unwrap().unwrap()
    }

    /// What is left in all tables: 0 when no session lives.
    fn residue(&self) -> usize {
        self.registry.residue() + self.cores.iter().map(Core::residue).sum::<usize>()
    }

    fn send(&mut self, datagram: InFlight) {
        self.sent += 1;
        self.in_flight.insert((self.now + self.delay, self.sent), datagram);
    }

    fn next_event(&mut self) -> Option<Instant> {
        let arrival = self.in_flight.first_key_value().map(|(key, _)| key.0);
        let timers = self.offerers.values_mut().filter_map(|offerer| offerer.deadline(self.now));
        timers.chain(arrival).chain(self.cores.iter().filter_map(Core::deadline)).min()
    }
}
