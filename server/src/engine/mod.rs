//! The engine: every session of a server on one UDP port.
//!
//! It is built in layers, and only the outer two know sockets, clocks and threads:
//!
//! - [`peer`] drives the protocol core (`rtc`) of one session;
//! - [`core`] holds all peers, finds the one a datagram belongs to and keeps their timers;
//! - [`socket`] moves datagrams in batches;
//! - [`worker`] is the thread that waits for datagrams, timers, orders and handlers, and tells the core.
//!
//! `peer` and `core` take the time and the datagrams as arguments, so their tests run in virtual time.

mod channels;
mod core;
mod doorbell;
mod errors;
mod liveness;
mod peer;
mod routes;
mod socket;
mod stun;
mod worker;

#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::BytesMut;

pub(crate) use self::{
    channels::MAX_CHANNELS,
    core::Core,
    doorbell::{Bells, Doorbell},
    socket::Socket,
    worker::{Order, Worker},
};

/// What bounds a session and the number of sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_sessions: usize,
    /// From the answer to the peer's first authenticated check.
    pub(crate) check_timeout: Duration,
    /// From the answer to the first open channel.
    pub(crate) open_timeout: Duration,
    /// Without a datagram from the peer.
    pub(crate) silence_timeout: Duration,
}

/// A datagram, and between whom it travels. The local address is the one it arrived at, so that the reply
/// leaves from there.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) local: IpAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) bytes: BytesMut,
}
