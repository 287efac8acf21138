//! Peers between two workers, and those that no worker drives any more.

use std::{sync::Arc, time::Instant};

use super::{Peer, registry::Registry, resident::Resident};
use crate::session::Closed;

/// Another worker drives the peer from now on. `hand_over` brings it there, or gives it back if that worker has
/// stopped.
pub(crate) fn relocate(
    registry: &Registry,
    peer: Box<Peer>,
    to: usize,
    hand_over: impl FnOnce(Box<Peer>) -> Result<(), Box<Peer>>,
) {
    let resident: Arc<Resident> = peer.resident.clone();
    if let Err(peer) = registry.relocate(&resident, to, || hand_over(peer)) {
        abandon(registry, peer);
    }
}

/// A peer that no worker drives: the server has stopped.
pub(crate) fn abandon(registry: &Registry, mut peer: Box<Peer>) {
    peer.abandon(Instant::now(), Closed::Stopping);
    registry.remove(&peer.resident, peer.paths());
}
