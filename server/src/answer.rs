//! Step 6, the answerer's half of the negotiation: from the offer to the answer, one statement a step.

mod description;
mod offered;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hola_webrtc_protocol::{Candidate, CandidateType, Step, sdp};

use self::{
    description::{Local, describe},
    offered::Offered,
};
use crate::{
    engine::{InitError, Settings, Stack},
    offer::AnswerError,
};

/// How often the server asks an open session's peer for a sign of life (RFC 7675 asks for at least one every
/// 5 s). So often it finds a killed browser within two seconds; it costs an idle session 350 bytes/s.
pub(crate) const KEEPALIVE: Duration = Duration::from_millis(500);

/// What all answers of a server have in common.
pub(crate) struct Answerer {
    settings: Arc<Settings>,
    candidates: Vec<SocketAddr>,
}

/// What authenticates the connectivity checks towards one side (RFC 8445, 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IceCredentials {
    pub(crate) ufrag: String,
    pub(crate) password: String,
}

/// An answered offer.
pub(crate) struct Answer {
    pub(crate) stack: Stack,
    pub(crate) sdp: String,
    /// The server's own ICE user name fragment, by which its first datagrams are told from others'.
    pub(crate) ufrag: String,
    pub(crate) timings: Vec<(Step, Duration)>,
}

impl Answerer {
    /// An answerer that names these addresses as its host candidates.
    pub(crate) fn new(candidates: Vec<SocketAddr>, max_message_size: u32) -> Result<Self, String> {
        Ok(Self { settings: Arc::new(Settings::new(max_message_size)?), candidates })
    }

    pub(crate) fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    /// Random bytes from a cryptographic generator.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], AnswerError> {
        self.settings.random().map_err(internal)
    }

    /// Answers an offer.
    ///
    /// The order is that of [W3C, 10.1](https://www.w3.org/TR/webrtc/#simple-peer-to-peer-example); the
    /// server's settings make two of the statements shorter than a browser's: it gathers nothing, because it
    /// knows its addresses, and it needs none of the client's candidates, because the client's checks tell
    /// where it is.
    pub(crate) fn answer(&self, now: Instant, offer: &str) -> Result<Answer, AnswerError> {
        // Without the candidates: the peer is to contact nobody who has not sent an authenticated check first,
        // or a forged offer could aim it at anyone. https://www.rfc-editor.org/rfc/rfc8445#section-19.5.1
        let offered = Offered::read(&sdp::without_candidates(offer))?;
        let mut stopwatch = Stopwatch::start();

        // 6a. Build the peer.
        let mut stack = Stack::new(now, self.settings.clone()).map_err(internal)?;
        stopwatch.lap(Step::BuildPeer);

        // 6b. Set the offer as remote description. If it says how SCTP begins, that is done as well.
        stack.set_remote(offered.remote.clone()).map_err(internal)?;
        let init = match &offered.init {
            Some(init) => Some(stack.agree(now, init).map_err(internal)?.ok_or(InitError).map_err(bad_sdp)?),
            None => None,
        };
        stopwatch.lap(Step::SetRemoteOffer);

        // 6c. Add the host candidates: where this server listens.
        let candidates: Vec<_> = host_candidates(&self.candidates).collect();
        for candidate in &candidates {
            stack.add_host_candidate(candidate).map_err(internal)?;
        }
        stopwatch.lap(Step::AddHostCandidates);

        // 6d. Create the answer.
        let credentials = stack.credentials();
        let local = Local {
            session: u64::from_be_bytes(self.random()?) >> 1,
            credentials: &credentials,
            fingerprint: self.settings.fingerprint(),
            candidates: &candidates,
            max_message_size: self.settings.max_message_size(),
            init: init.as_deref(),
        };
        let sdp = describe(&offered, &local);
        stopwatch.lap(Step::CreateAnswer);

        // 6e. Set it as local description. From here on the peer waits for the client's checks.
        stack.start(now).map_err(internal)?;
        stopwatch.lap(Step::SetLocalAnswer);

        Ok(Answer { stack, sdp, ufrag: credentials.ufrag, timings: stopwatch.laps })
    }
}

/// A server's addresses as candidates, the first with the highest priority (RFC 8445, 5.1.2.1).
pub(crate) fn host_candidates(addresses: &[SocketAddr]) -> impl Iterator<Item = Candidate> {
    const TYPE_PREFERENCE: u32 = 126;
    (1_u32..).zip(addresses).map(|(rank, address)| Candidate {
        foundation: rank.to_string(),
        component: 1,
        transport: "udp".to_owned(),
        priority: (TYPE_PREFERENCE << 24) | ((65_536 - rank) << 8) | 255,
        address: address.ip().to_string(),
        port: address.port(),
        kind: CandidateType::Host,
    })
}

fn internal(error: impl fmt::Display) -> AnswerError {
    AnswerError::Internal(error.to_string())
}

fn bad_sdp(error: impl fmt::Display) -> AnswerError {
    AnswerError::BadSdp(error.to_string())
}

/// Measures the parts of step 6. Only the report uses it; the protocol runs on the time it is given.
struct Stopwatch {
    last: Instant,
    laps: Vec<(Step, Duration)>,
}

impl Stopwatch {
    fn start() -> Self {
        Self { last: Instant::now(), laps: Vec::with_capacity(5) }
    }

    fn lap(&mut self, step: Step) {
        let now = Instant::now();
        self.laps.push((step, now - self.last));
        self.last = now;
    }
}
