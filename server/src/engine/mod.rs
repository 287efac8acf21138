//! The engine: every session of a server on one UDP port.
//!
//! It is built in layers, and only the outer two know sockets, clocks and threads:
//!
//! - [`stack`] is the protocols of one session on top of each other, from ICE to the data channels;
//! - [`peer`] drives the stack of one session;
//! - [`core`] holds the peers of one worker and keeps their timers;
//! - [`registry`] is what all workers share: which sessions there are, and which worker has the one that a datagram
//!   is for;
//! - [`reception`] answers offers;
//! - [`socket`] binds the port once for each worker, and [`port`] moves datagrams in batches;
//! - [`worker`] is a thread that waits for datagrams, timers, orders and handlers, and tells its core; [`workers`]
//!   starts them.
//!
//! Each worker has a socket of its own on the same port, and the kernel gives every pair of addresses to one of them.
//! A session begins at any worker, and goes, once ICE has selected its pair, to the one at whose socket that pair's
//! datagrams arrive: there its I/O, its timers and its handlers share a thread. What arrives at other sockets, as
//! after the client's address has changed, is handed over.
//!
//! `peer` and `core` take the time and the datagrams as arguments, so their tests run in virtual time.

mod alarm;
mod channels;
mod core;
mod doorbell;
mod dtls;
mod errors;
mod ids;
mod liveness;
mod names;
mod peer;
mod ping;
mod port;
mod quiet;
mod reception;
mod registry;
mod resident;
mod routes;
mod shrink;
mod socket;
mod stack;
mod stun;
mod transit;
mod worker;
pub(crate) mod workers;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod tests;

use std::net::{IpAddr, SocketAddr};

use bytes::BytesMut;

pub(crate) use self::{
    core::Core,
    doorbell::{Bells, Doorbell},
    peer::Peer,
    ping::Ping,
    reception::Reception,
    registry::Registry,
    socket::Socket,
    stack::{Fingerprint, FingerprintError, Init, InitError, Remote, Settings, Stack, receive_window},
    transit::abandon,
    worker::{Mailbox, Order, Worker},
};

/// A datagram, and between whom it travels. The local address is the one it arrived at, so that the reply
/// leaves from there.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) local: IpAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) bytes: BytesMut,
}

/// What came to a socket.
#[derive(Debug)]
pub(crate) enum Received {
    /// A datagram.
    Datagram(Datagram),
    /// Nobody listens at this address.
    Unreachable(SocketAddr),
}
