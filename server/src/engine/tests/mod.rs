//! The engine in virtual time: a native offerer, a network with a delay, no socket and no clock.

mod abuse;
mod connect;
mod end;
mod offerer;
mod talk;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use bytes::BytesMut;

use self::offerer::Offerer;
use super::{Core, Datagram};
use crate::{
    answer::Answerer,
    limits::Limits,
    server::{Answered, OfferContext},
    session::Session,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
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
    core: Core,
    offerers: HashMap<SocketAddr, Offerer>,
    /// By arrival and number.
    in_flight: BTreeMap<(Instant, u64), InFlight>,
    sent: u64,
    delay: Duration,
    sessions: Vec<Session>,
    /// Every datagram that left the server, by destination.
    from_server: Vec<SocketAddr>,
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
        let answerer = Answerer::new(vec![server_address()], limits.max_message_size).unwrap();
        let core = Core::new(answerer, limits, Arc::new(AtomicUsize::new(0)));
        Self {
            now: Instant::now(),
            core,
            offerers: HashMap::new(),
            in_flight: BTreeMap::new(),
            sent: 0,
            delay,
            sessions: Vec::new(),
            from_server: Vec::new(),
        }
    }

    fn answer(&mut self, offer: &str) -> Answered {
        self.core.answer(self.now, offer, OfferContext::default()).unwrap()
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
                InFlight::ToServer(remote, bytes) => self.deliver(remote, bytes),
                InFlight::ToOfferer(address, bytes) => {
                    if let Some(offerer) = self.offerers.get_mut(&address) {
                        offerer.receive(self.now, server_address(), bytes);
                    } else {
                        self.core.unreachable(self.now, address);
                    }
                }
            }
        }
        self.core.flush(self.now);
        self.sessions.extend(self.core.take_opened());
        for datagram in self.core.take_datagrams() {
            assert_eq!(datagram.local, server_address().ip());
            self.from_server.push(datagram.remote);
            self.send(InFlight::ToOfferer(datagram.remote, datagram.bytes));
        }
        let from_offerers: Vec<_> = self
            .offerers
            .iter_mut()
            .flat_map(|(address, offerer)| offerer.drive(self.now).into_iter().map(|bytes| (*address, bytes)))
            .collect();
        for (address, bytes) in from_offerers {
            self.send(InFlight::ToServer(address, bytes));
        }
    }

    fn deliver(&mut self, remote: SocketAddr, bytes: BytesMut) {
        self.core.receive(self.now, Datagram { local: server_address().ip(), remote, bytes });
    }

    fn send(&mut self, datagram: InFlight) {
        self.sent += 1;
        self.in_flight.insert((self.now + self.delay, self.sent), datagram);
    }

    fn next_event(&mut self) -> Option<Instant> {
        let arrival = self.in_flight.first_key_value().map(|(key, _)| key.0);
        let timers = self.offerers.values_mut().filter_map(|offerer| offerer.deadline(self.now));
        timers.chain(arrival).chain(self.core.deadline()).min()
    }
}
