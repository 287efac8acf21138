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

use std::net::{IpAddr, SocketAddr};

use bytes::BytesMut;

pub(crate) use self::{
    channels::MAX_CHANNELS,
    core::Core,
    doorbell::{Bells, Doorbell},
    socket::Socket,
    worker::{Order, Worker},
};

/// A datagram, and between whom it travels. The local address is the one it arrived at, so that the reply
/// leaves from there.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) local: IpAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) bytes: BytesMut,
}
