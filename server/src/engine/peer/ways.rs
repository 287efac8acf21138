//! The pairs of addresses that a session uses, and what its peer is trusted with on each.

use std::{net::SocketAddr, sync::Arc};

use super::{super::routes::Path, Peer};

/// How many pairs of addresses a session may begin to use in one ICE session, because the protocol core remembers each
/// until ICE starts anew; and how many it keeps. A browser has a few interfaces; a NAT that rebinds adds some over time.
const MAX_PATHS: usize = 32;

pub(super) struct Ways {
    known: Vec<Way>,
    /// The addresses that the answer names, or the reply to the last restart.
    candidates: Arc<[SocketAddr]>,
    /// While ICE starts anew: the path that serves, and the candidate that it led to.
    serving: Option<(Path, SocketAddr)>,
    /// Counts what came, so that the paths are told apart by their last use.
    clock: u64,
    /// The count at which the present ICE session began.
    begun: u64,
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
    /// When something came along it first, and last.
    first: u64,
    last: u64,
}

impl Peer {
    /// Forgets the paths of earlier ICE sessions that were not used for longest, if there are too many, and returns
    /// them.
    pub(in crate::engine) fn forget_stale_paths(&mut self) -> Vec<Path> {
        self.ways.forget_stale(self.selected)
    }
}

impl Ways {
    pub(super) fn new(candidates: Arc<[SocketAddr]>) -> Self {
        Self { known: Vec::new(), candidates, serving: None, clock: 0, begun: 0 }
    }

    /// ICE has started anew: the peer may be somewhere else, and look for this side at other addresses. The selected path
    /// goes on to serve.
    pub(super) fn expect_others(&mut self, candidates: &[SocketAddr], selected: Option<Path>) {
        self.begun = self.clock;
        // The last restart may not have come to a pair of its own.
        let serving = self.serving.filter(|(path, _)| Some(*path) == selected);
        let led_to = |path| Some((path, candidate_of(&self.candidates, path)?));
        self.serving = serving.or_else(|| selected.and_then(led_to));
        self.candidates = candidates.into();
    }

    /// ICE has selected a pair, which serves from now on.
    pub(super) fn settle(&mut self) {
        self.serving = None;
    }

    /// Notes that something came along a path. `None` if the session has no room for another path, else
    /// whether the path has proved to be the peer's.
    pub(super) fn credit(&mut self, path: Path, worker: usize, bytes: usize) -> Option<bool> {
        self.clock += 1;
        if let Some(way) = self.known.iter_mut().find(|way| way.path == path) {
            way.credit = way.credit.saturating_add(3 * bytes);
            way.worker = worker;
            way.last = self.clock;
            return Some(way.is_proven);
        }
        let begun_with = self.known.iter().filter(|way| way.first > self.begun).count();
        (begun_with < MAX_PATHS).then(|| {
            let (first, last) = (self.clock, self.clock);
            self.known.push(Way { path, worker, is_proven: false, credit: 3 * bytes, first, last });
            false
        })
    }

    /// The way between a candidate of ours and an address of the peer's.
    pub(super) fn between(&mut self, ours: SocketAddr, theirs: SocketAddr) -> Option<&mut Way> {
        let Self { known, candidates, serving, .. } = self;
        let leads_there =
            |path| *serving == Some((path, ours)) || candidate_of(candidates, path) == Some(ours);
        known.iter_mut().find(|way| way.path.remote == theirs && leads_there(way.path))
    }

    /// The candidate of ours that a path leads to.
    pub(super) fn candidate_of(&self, path: Path) -> Option<SocketAddr> {
        let served = || self.serving.filter(|(serving, _)| *serving == path).map(|(_, candidate)| candidate);
        candidate_of(&self.candidates, path).or_else(served)
    }

    /// The paths that have proved to be the peer's.
    pub(super) fn proven(&self) -> impl Iterator<Item = Path> {
        self.known.iter().filter(|way| way.is_proven).map(|way| way.path)
    }

    /// Makes room for other paths.
    pub(super) fn forget_unproven(&mut self) {
        self.known.retain(|way| way.is_proven);
    }

    fn forget_stale(&mut self, selected: Option<Path>) -> Vec<Path> {
        let mut forgotten = Vec::new();
        while self.known.len() > MAX_PATHS {
            let of_earlier = self.known.iter().enumerate().filter(|(_, way)| way.first <= self.begun);
            let stale = of_earlier.filter(|(_, way)| Some(way.path) != selected);
            let Some((stalest, _)) = stale.min_by_key(|(_, way)| way.last) else { break };
            forgotten.push(self.known.swap_remove(stalest).path);
        }
        forgotten
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

#[cfg(test)]
mod tests {
    use super::*;

    fn path(number: u16) -> Path {
        Path { local: [192, 0, 2, 1].into(), remote: SocketAddr::from(([198, 51, 100, 7], number)) }
    }

    /// Something comes along paths that turn out to be the peer's.
    fn prove(ways: &mut Ways, numbers: impl IntoIterator<Item = u16>) {
        for number in numbers {
            assert!(ways.credit(path(number), 0, 100).is_some(), "{number}");
            ways.known.iter_mut().for_each(|way| way.is_proven = true);
        }
    }

    #[test]
    fn one_ice_session_begins_to_use_so_many_paths_and_no_more() {
        let mut ways = Ways::new(Arc::default());
        prove(&mut ways, 0..32);
        assert_eq!(ways.credit(path(32), 0, 100), None);
        assert_eq!(ways.credit(path(0), 0, 100), Some(true), "known ones go on");
        assert_eq!(ways.forget_stale(None), []);
        ways.begun = ways.clock;
        assert_eq!(ways.credit(path(32), 0, 100), Some(false));
        ways.forget_unproven();
        assert_eq!(ways.credit(path(32), 0, 100), Some(false), "what proves nothing takes no room");
    }

    /// Behind a NAT, where the addresses that datagrams arrive at are no candidates.
    #[test]
    fn the_path_that_serves_leads_where_it_led_whatever_a_restart_names() {
        let [old, new, newest] = [1, 2, 3].map(|host| SocketAddr::from(([203, 0, 113, host], 8443)));
        let mut ways = Ways::new(Arc::new([old]));
        prove(&mut ways, 0..2);
        let (selected, other) = (path(0), path(1));
        for named in [&[new, old][..], &[new], &[newest, new]] {
            ways.expect_others(named, Some(selected));
            let served = ways.between(old, selected.remote).map(|way| way.path);
            assert_eq!(served, Some(selected), "{named:?}");
            assert_eq!(ways.candidate_of(selected), Some(named[0]), "where checks look for this side");
            assert!(ways.between(named[0], selected.remote).is_some());
            assert!(ways.between(old, other.remote).is_none(), "{named:?}");
        }
        ways.settle();
        ways.expect_others(&["[2001:db8::1]:8443".parse().unwrap()], Some(selected));
        assert!(
            ways.between(newest, selected.remote).is_some() && ways.between(old, selected.remote).is_none()
        );
        assert_eq!(ways.candidate_of(selected), Some(newest), "no other of its family");
        assert_eq!(ways.candidate_of(other), None);
    }

    #[test]
    fn of_earlier_paths_the_one_goes_that_was_not_used_for_longest_but_never_the_selected_one() {
        let mut ways = Ways::new(Arc::default());
        prove(&mut ways, 0..32);
        prove(&mut ways, [1]);
        ways.begun = ways.clock;
        prove(&mut ways, 32..34);
        assert_eq!(ways.forget_stale(Some(path(0))), [path(2), path(3)]);
        assert_eq!(ways.forget_stale(Some(path(0))), []);
        assert_eq!(ways.credit(path(1), 0, 100), Some(true));
    }
}
