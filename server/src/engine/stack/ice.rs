//! ICE (RFC 8445) as the controlled side, which learns where its peer is from the checks that come.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use hola_webrtc_protocol::{Candidate, CandidateType};
use rtc_ice::{
    agent::{Agent, Event, agent_config::AgentConfig},
    candidate::{self, CandidateConfig, candidate_host::CandidateHostConfig},
    mdns::MulticastDnsMode,
};
use rtc_shared::{
    TaggedBytesMut, TransportContext, TransportProtocol,
    error::{Error, Result},
};
use sansio::Protocol;

use super::{super::stun::Stun, Settings, Transmit};
use crate::answer::{IceCredentials, KEEPALIVE};

/// How often a pair is checked until it is valid. RFC 8445, 14.3 says 500 ms; a check that was lost, or crossed
/// the client's, would cost that much. What an address may be sent before it has proved itself is bounded
/// elsewhere, by what came from it.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// After so many rounds in vain the interval doubles with each, up to that of RFC 8445: a stranger can have a session check very
/// many pairs, and never reply. A check of the peer's draws one at once all the same.
const SWIFT_ROUNDS: u32 = 25;
const SLOW_INTERVAL: Duration = Duration::from_millis(500);

/// How often a pair may be checked in vain. Far more than an open timeout lasts: sessions end by time, not
/// by count.
const CHECK_LIMIT: u16 = u16::MAX;

/// How many paths may have a nomination that waits: as many addresses as a peer has, if not very many.
const MAX_NOMINATIONS: usize = 4;

pub(super) struct Ice {
    agent: Agent,
    /// The peer's credentials, until the checks begin.
    remote: Option<IceCredentials>,
    /// Requests that nominate their pair and came before the pair was valid: the last one of each path.
    nominations: VecDeque<(Path, BytesMut)>,
    /// When the next keepalive is due, once a pair is selected; until then, when the next round of checks.
    keepalive: Option<Instant>,
    next_round: Option<Instant>,
    /// How many rounds there were.
    rounds: u32,
}

/// A candidate of this side, and an address of the peer's.
type Path = (SocketAddr, SocketAddr);

/// What a STUN message means for the choice of a pair.
pub(super) enum Check {
    /// A check of the peer's, which nominates its pair.
    Nomination,
    /// A check of this side has succeeded.
    Success,
    /// A check of who says that it is the controlled agent, as this side is.
    RoleConflict,
    Other,
}

impl Check {
    pub(super) fn of(stun: Stun<'_>) -> Self {
        if stun.is_success() {
            Self::Success
        } else if stun.is_request() && stun.is_controlled() {
            Self::RoleConflict
        } else if stun.is_request() && stun.uses_candidate() {
            Self::Nomination
        } else {
            Self::Other
        }
    }
}

impl Ice {
    pub(super) fn new(now: Instant, settings: &Settings) -> Result<Self> {
        let config = AgentConfig {
            check_interval: CHECK_INTERVAL,
            max_binding_requests: Some(CHECK_LIMIT),
            // The engine has its own timeouts, which count every datagram and not ICE's alone.
            disconnected_timeout: Some(Duration::ZERO),
            failed_timeout: Some(Duration::ZERO),
            keepalive_interval: Some(KEEPALIVE),
            multicast_dns_mode: MulticastDnsMode::Disabled,
            is_controlling: false,
            ..AgentConfig::default()
        };
        let agent = Agent::new(now, Arc::new(config), settings.provider.clone())?;
        Ok(Self {
            agent,
            remote: None,
            nominations: VecDeque::new(),
            keepalive: None,
            next_round: None,
            rounds: 0,
        })
    }

    /// This side's.
    pub(super) fn credentials(&self) -> IceCredentials {
        let credentials = self.agent.get_local_credentials();
        IceCredentials { ufrag: credentials.ufrag.clone(), password: credentials.pwd.clone() }
    }

    /// Whether these are the peer's in the present ICE session.
    pub(super) fn is_with(&self, remote: &IceCredentials) -> bool {
        let present = self.agent.get_remote_credentials();
        present.is_some_and(|present| present.ufrag == remote.ufrag && present.pwd == remote.password)
    }

    pub(super) fn set_remote(&mut self, remote: IceCredentials) {
        self.remote = Some(remote);
    }

    pub(super) fn add_host_candidate(&mut self, candidate: &Candidate) -> Result<()> {
        self.agent.add_local_candidate(host_candidate(candidate)?)?;
        Ok(())
    }

    /// From now on the peer's checks are answered, and followed by this side's own.
    pub(super) fn start(&mut self, now: Instant) -> Result<()> {
        let Some(IceCredentials { ufrag, password }) = self.remote.take() else { return Ok(()) };
        self.agent.start_connectivity_checks(now, false, ufrag, password)
    }

    /// Starts anew with the peer's new credentials, and new ones and other candidates of this side.
    pub(super) fn restart(
        &mut self,
        now: Instant,
        remote: IceCredentials,
        candidates: &[Candidate],
    ) -> Result<IceCredentials> {
        // Before anything is given up.
        let candidates = candidates.iter().map(host_candidate).collect::<Result<Vec<_>>>()?;
        self.agent.restart(now, String::new(), String::new(), false)?;
        for candidate in candidates {
            self.agent.add_local_candidate(candidate)?;
        }
        self.nominations.clear();
        (self.keepalive, self.next_round, self.rounds) = (None, None, 0);
        self.set_remote(remote);
        self.start(now)?;
        Ok(self.credentials())
    }

    /// Takes in a STUN message.
    ///
    /// Role conflicts (RFC 8445, 7.3.1.1) are none of this side's: who makes the offer controls, and it does so in a session's
    /// checks as long as the session lives. rtc-ice would change its role before it looks at the check's integrity.
    pub(super) fn receive(&mut self, now: Instant, path: Path, check: &Check, bytes: BytesMut) -> Result<()> {
        if matches!(check, Check::RoleConflict) {
            return Err(Error::Other("it says that it is the controlled agent".to_owned()));
        }
        let is_open = self.agent.get_selected_candidate_pair().is_none();
        let validates = is_open && matches!(check, Check::Success);
        let nomination = (is_open && matches!(check, Check::Nomination)).then(|| bytes.clone());
        self.read(now, path, bytes)?;

        if let Some(nomination) = nomination {
            self.nominations.retain(|(of, _)| *of != path);
            self.nominations.truncate(MAX_NOMINATIONS - 1);
            self.nominations.push_front((path, nomination));
        }
        // As controlled agent rtc-ice neither answers nor remembers a nomination that comes before its own check of
        // the pair has succeeded (RFC 8445, 7.3.1.5 wants it remembered). It is read again once that check has:
        // otherwise Chromium's next one is 50 ms away.
        let waits = self.nominations.iter().position(|(of, _)| validates && *of == path);
        if let Some((path, nomination)) = waits.and_then(|index| self.nominations.remove(index)) {
            self.read(now, path, nomination)?;
        }
        Ok(())
    }

    /// The pair that has been selected since the last look.
    pub(super) fn poll_selected(&mut self, now: Instant) -> Option<[Candidate; 2]> {
        while let Some(event) = self.agent.poll_event() {
            if let Event::SelectedCandidatePairChange(local, remote) = event.event {
                // Its memory too is given back: nobody nominates again soon.
                self.nominations = VecDeque::new();
                self.keepalive = Some(now + KEEPALIVE);
                return Some([describe(&local), describe(&remote)]);
            }
        }
        None
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        let TaggedBytesMut { transport, message, .. } = self.agent.poll_write()?;
        Some(Transmit { ours: transport.local_addr, theirs: transport.peer_addr, bytes: message })
    }

    /// The agent asks to be called every 200 ms whatever happens; nothing is to do that often. Before the first check
    /// has come there is nobody to check, and once a pair is selected there are the keepalives alone.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        if self.agent.get_remote_candidates().is_empty() {
            return None;
        }
        let due = self.agent.poll_timeout()?;
        Some(self.keepalive.or(self.next_round).map_or(due, |ours| due.max(ours)))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<()> {
        if self.keepalive.is_some() {
            self.keepalive = Some(now + KEEPALIVE);
        } else if self.next_round.is_some_and(|next| now < next) {
            return Ok(());
        } else if !self.agent.get_remote_candidates().is_empty() {
            self.rounds = self.rounds.saturating_add(1);
            let doublings = self.rounds.saturating_sub(SWIFT_ROUNDS).min(5);
            self.next_round = Some(now + SLOW_INTERVAL.min(CHECK_INTERVAL * (1 << doublings)));
        }
        self.agent.handle_timeout(now)
    }

    /// The last round trip that a check of the selected pair has measured.
    pub(super) fn round_trip_time(&self, now: Instant) -> Option<Duration> {
        let pairs = self.agent.get_candidate_pairs_stats(now);
        let measured = pairs.into_iter().find(|pair| pair.nominated && pair.responses_received > 0)?;
        Duration::try_from_secs_f64(measured.current_round_trip_time).ok()
    }

    fn read(&mut self, now: Instant, (ours, theirs): Path, message: BytesMut) -> Result<()> {
        let transport = TransportContext {
            local_addr: ours,
            peer_addr: theirs,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        self.agent.handle_read(TaggedBytesMut { now, transport, message })
    }
}

fn host_candidate(named: &Candidate) -> Result<candidate::Candidate> {
    let base_config = CandidateConfig {
        network: named.transport.clone(),
        address: named.address.clone(),
        port: named.port,
        component: named.component,
        priority: named.priority,
        foundation: named.foundation.clone(),
        ..CandidateConfig::default()
    };
    CandidateHostConfig { base_config, ..CandidateHostConfig::default() }.new_candidate_host()
}

fn describe(of: &candidate::Candidate) -> Candidate {
    let address = of.addr();
    Candidate {
        foundation: of.foundation(),
        component: of.component(),
        transport: "udp".to_owned(),
        priority: of.priority(),
        address: address.ip().to_string(),
        port: address.port(),
        kind: match of.candidate_type() {
            candidate::CandidateType::ServerReflexive => CandidateType::Srflx,
            candidate::CandidateType::PeerReflexive => CandidateType::Prflx,
            candidate::CandidateType::Relay => CandidateType::Relay,
            _ => CandidateType::Host,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(port: u16) -> CandidateConfig {
        CandidateConfig {
            network: "udp".to_owned(),
            address: "127.0.0.1".to_owned(),
            port,
            component: 1,
            ..CandidateConfig::default()
        }
    }

    fn candidate(port: u16) -> candidate::Candidate {
        let host = CandidateHostConfig { base_config: host(port), ..CandidateHostConfig::default() };
        host.new_candidate_host().unwrap()
    }

    /// With a candidate at port 5000.
    fn started(now: Instant) -> Ice {
        let mut ice = Ice::new(now, &Settings::new(65_536).unwrap()).unwrap();
        ice.agent.add_local_candidate(candidate(5000)).unwrap();
        ice.set_remote(IceCredentials { ufrag: "abcd".to_owned(), password: "x".repeat(24) });
        ice.start(now).unwrap();
        ice
    }

    #[test]
    fn a_nomination_that_is_forged_is_not_remembered() {
        let now = Instant::now();
        let mut ice = started(now);
        let [ours, theirs] = [5000, 6000].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        // A binding request without attributes.
        let mut forged = crate::engine::stun::indication([7; 12]);
        forged[..2].copy_from_slice(&[0, 1]);
        let received = ice.receive(now, (ours, theirs), &Check::Nomination, BytesMut::from(&forged[..]));
        assert!(received.is_err());
        assert!(ice.nominations.is_empty());
    }

    /// How many checks are made of so many pairs within a time, none of which is replied to.
    fn checks(pairs: u16, time: Duration) -> usize {
        let begun = Instant::now();
        let mut ice = started(begun);
        for port in 0..pairs {
            ice.agent.add_remote_candidate(candidate(6000 + port)).unwrap();
        }
        let mut count = 0;
        while let Some(due) = ice.deadline().filter(|due| *due <= begun + time) {
            ice.handle_timeout(due).unwrap();
            // Whatever else wakes the session draws none.
            ice.handle_timeout(due).unwrap();
            while ice.poll_transmit().is_some() {
                count += 1;
            }
        }
        count
    }

    #[test]
    fn a_pair_is_checked_often_at_first_and_as_ice_has_it_once_that_was_in_vain() {
        let soon = checks(1, Duration::from_millis(500));
        assert!((20..=26).contains(&soon), "{soon}");
        let late = checks(1, Duration::from_secs(10));
        assert!((soon + 15..=soon + 30).contains(&late), "{late}");
        let of_many = checks(32, Duration::from_secs(10));
        assert!(of_many <= 32 * late, "{of_many}");
    }
}
