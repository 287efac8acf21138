//! The pairs of addresses that a session uses, and what its peer is trusted with on each.

use std::{net::SocketAddr, sync::Arc};

use super::super::routes::Path;

/// How many pairs of addresses a session may use. A browser has a few interfaces; a NAT that rebinds adds
/// some over time.
const MAX_PATHS: usize = 32;

pub(super) struct Ways {
    ways: Vec<Way>,
    /// The addresses that the answer names.
    candidates: Arc<[SocketAddr]>,
}

/// A path, and what the peer is trusted with on it.
pub(super) struct Way {
    pub(super) path: Path,
    /// The worker at whose socket its datagrams arrive.
    pub(super) worker: usize,
    /// Whether the protocol core has replied on it, which it does only to the session's password.
    pub(super) is_proven: bool,
    /// How many bytes may go there before ICE has selected it: three times what came, as in QUIC (RFC 9000,
    /// 8.1), because the source of a check may be forged.
    pub(super) credit: usize,
}

impl Ways {
    pub(super) fn new(candidates: Arc<[SocketAddr]>) -> Self {
        Self { ways: Vec::new(), candidates }
    }

    /// Notes that something came along a path. `None` if the session has no room for another path, else
    /// whether the path has proved to be the peer's.
    pub(super) fn credit(&mut self, path: Path, worker: usize, bytes: usize) -> Option<bool> {
        if let Some(way) = self.ways.iter_mut().find(|way| way.path == path) {
            way.credit = way.credit.saturating_add(3 * bytes);
            way.worker = worker;
            return Some(way.is_proven);
        }
        (self.ways.len() < MAX_PATHS).then(|| {
            self.ways.push(Way { path, worker, is_proven: false, credit: 3 * bytes });
            false
        })
    }

    /// The way between a candidate of ours and an address of the peer's.
    pub(super) fn between(&mut self, ours: SocketAddr, theirs: SocketAddr) -> Option<&mut Way> {
        let Self { ways, candidates } = self;
        ways.iter_mut()
            .find(|way| way.path.remote == theirs && candidate_of(candidates, way.path) == Some(ours))
    }

    /// The candidate of ours that a path leads to.
    pub(super) fn candidate_of(&self, path: Path) -> Option<SocketAddr> {
        candidate_of(&self.candidates, path)
    }

    /// The paths that have proved to be the peer's.
    pub(super) fn proven(&self) -> impl Iterator<Item = Path> {
        self.ways.iter().filter(|way| way.is_proven).map(|way| way.path)
    }

    /// Makes room for other paths.
    pub(super) fn forget_unproven(&mut self) {
        self.ways.retain(|way| way.is_proven);
    }
}

/// Behind a NAT or in a container the address a datagram arrives
/// at is not the announced one: then the candidate is the first of the same family.
fn candidate_of(candidates: &[SocketAddr], path: Path) -> Option<SocketAddr> {
    let is_exact = |candidate: &&SocketAddr| candidate.ip() == path.local;
    let is_of_family = |candidate: &&SocketAddr| candidate.is_ipv4() == path.local.is_ipv4();
    let mut candidates = candidates.iter();
    candidates.clone().find(is_exact).or_else(|| candidates.find(is_of_family)).copied()
}
