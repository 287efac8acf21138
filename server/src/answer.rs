//! Step 6, the answerer's half of the negotiation: from the offer to the answer, one statement a step.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hola_webrtc_protocol::{Candidate, CandidateType, Step, sdp};
use rtc::{
    crypto::{RTCCryptoProvider, SignatureScheme},
    ice::mdns::MulticastDnsMode,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        certificate::{CertificateParams, RTCCertificate},
        configuration::{
            RTCConfigurationBuilder,
            setting_engine::{SctpMaxMessageSize, SettingEngineBuilder},
        },
        sdp::RTCSessionDescription,
        transport::{RTCDtlsRole, RTCIceCandidateInit},
    },
};

use crate::offer::AnswerError;

/// How often a pair is checked until it is valid. RFC 8445, 14.3 says 500 ms; a check that was lost, or crossed
/// the client's, would cost that much. What an address may be sent before it has proved itself is bounded
/// elsewhere, by what came from it.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// How often a pair may be checked in vain. Far more than an open timeout lasts: sessions end by time, not
/// by count.
const CHECK_LIMIT: u16 = u16::MAX;

/// How often the server asks an open session's peer for a sign of life (RFC 7675 asks for at least one every
/// 5 s). So often it finds a killed browser within two seconds; it costs an idle session 350 bytes/s.
pub(crate) const KEEPALIVE: Duration = Duration::from_millis(500);

/// What all answers of a server have in common.
pub(crate) struct Answerer {
    provider: Arc<dyn RTCCryptoProvider>,
    certificate: RTCCertificate,
    candidates: Vec<SocketAddr>,
    max_message_size: u32,
}

/// What authenticates the connectivity checks towards one side (RFC 8445, 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IceCredentials {
    pub(crate) ufrag: String,
    pub(crate) password: String,
}

/// An answered offer.
pub(crate) struct Answer {
    pub(crate) connection: RTCPeerConnection,
    pub(crate) sdp: String,
    /// The server's own ICE user name fragment, by which its first datagrams are told from others'.
    pub(crate) ufrag: String,
    pub(crate) timings: Vec<(Step, Duration)>,
}

impl Answerer {
    /// An answerer that names these addresses as its host candidates. One DTLS certificate serves all peers.
    pub(crate) fn new(candidates: Vec<SocketAddr>, max_message_size: u32) -> Result<Self, String> {
        let provider = rtc::crypto::default_provider().map_err(|error| error.to_string())?;
        let certificate = CertificateParams::new(Vec::new())
            .map_err(|error| error.to_string())
            .and_then(|params| {
                RTCCertificate::generate(provider.crypto(), SignatureScheme::EcdsaP256Sha256, params)
                    .map_err(|error| error.to_string())
            })
            .map_err(|error| format!("the DTLS certificate cannot be made: {error}"))?;
        Ok(Self { provider, certificate, candidates, max_message_size })
    }

    pub(crate) fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    /// Random bytes from the provider's generator.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], AnswerError> {
        let mut bytes = [0; N];
        let filled = self.provider.random().fill(&mut bytes);
        filled.map_err(|error| AnswerError::Internal(error.to_string()))?;
        Ok(bytes)
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
        let remote = RTCSessionDescription::offer(sdp::without_candidates(offer)).map_err(bad_sdp)?;
        if names_candidates(&remote)? {
            return Err(AnswerError::BadSdp("a candidate line is malformed".to_owned()));
        }
        if !sdp::has_data_channel(offer) {
            return Err(AnswerError::NoDataChannel);
        }
        let mut stopwatch = Stopwatch::start();

        // 6a. Build the peer.
        let mut connection = self.build(now)?;
        stopwatch.lap(Step::BuildPeer);

        // 6b. Set the offer as remote description.
        connection.set_remote_description(now, remote).map_err(bad_sdp)?;
        stopwatch.lap(Step::SetRemoteOffer);

        // 6c. Add the host candidates: where this server listens.
        for candidate in self.host_candidates() {
            let candidate = RTCIceCandidateInit { candidate: candidate.to_string(), ..Default::default() };
            connection.add_local_candidate(candidate).map_err(internal)?;
        }
        stopwatch.lap(Step::AddHostCandidates);

        // 6d. Create the answer.
        let answer = connection.create_answer(None).map_err(bad_sdp)?;
        stopwatch.lap(Step::CreateAnswer);

        // 6e. Set it as local description. From here on the peer waits for the client's checks.
        connection.set_local_description(now, answer).map_err(bad_sdp)?;
        stopwatch.lap(Step::SetLocalAnswer);

        let local = connection
            .local_description()
            .ok_or_else(|| AnswerError::Internal("the peer has no local description".to_owned()))?;
        let IceCredentials { ufrag, .. } = IceCredentials::of(&local.sdp)
            .map_err(|_| AnswerError::BadSdp("the m=application section cannot be answered".to_owned()))?;
        Ok(Answer { connection, sdp: complete(&local.sdp), ufrag, timings: stopwatch.laps })
    }

    fn build(&self, now: Instant) -> Result<RTCPeerConnection, AnswerError> {
        let settings = SettingEngineBuilder::new()
            .with_crypto_provider(self.provider.clone())
            .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECK_LIMIT))
            // The engine has its own timeouts, which count every datagram and not ICE's alone.
            .with_ice_timeouts(Some(Duration::ZERO), Some(Duration::ZERO), Some(KEEPALIVE))
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            // The DTLS client speaks first: its ClientHello leaves with the end of ICE, a round trip sooner
            // than the browser's would get past this server's HelloVerifyRequest.
            .with_answering_dtls_role(RTCDtlsRole::Client)
            .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(self.max_message_size))
            .build();
        let configuration =
            RTCConfigurationBuilder::new().with_certificates(vec![self.certificate.clone()]).build();
        RTCPeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_setting_engine(settings)
            .build(now)
            .map_err(internal)
    }

    /// The server's addresses as candidates, the first with the highest priority (RFC 8445, 5.1.2.1).
    pub(crate) fn host_candidates(&self) -> impl Iterator<Item = Candidate> {
        const TYPE_PREFERENCE: u32 = 126;
        (1_u32..).zip(&self.candidates).map(|(rank, address)| Candidate {
            foundation: rank.to_string(),
            component: 1,
            transport: "udp".to_owned(),
            priority: (TYPE_PREFERENCE << 24) | ((65_536 - rank) << 8) | 255,
            address: address.ip().to_string(),
            port: address.port(),
            kind: CandidateType::Host,
        })
    }
}

/// Restarts ICE with the client's new credentials (RFC 8839, 4.4.1.1.1), as a new offer that differs in them alone
/// would. Returns this side's new ones.
pub(crate) fn restart_ice(
    connection: &mut RTCPeerConnection,
    now: Instant,
    ufrag: &str,
    password: &str,
) -> Result<IceCredentials, AnswerError> {
    let before = connection
        .remote_description()
        .ok_or_else(|| AnswerError::Internal("the peer has no remote description".to_owned()))?;
    let offer = sdp::with_credentials(&before.sdp, ufrag, password);
    let offer = RTCSessionDescription::offer(offer).map_err(bad_sdp)?;
    connection.set_remote_description(now, offer).map_err(bad_sdp)?;
    let answer = connection.create_answer(None).map_err(internal)?;
    connection.set_local_description(now, answer).map_err(internal)?;
    let local = connection
        .local_description()
        .ok_or_else(|| AnswerError::Internal("the peer has no local description".to_owned()))?;
    IceCredentials::of(&local.sdp)
}

impl IceCredentials {
    /// Those in the SDP.
    fn of(sdp: &str) -> Result<Self, AnswerError> {
        let attribute = |name| {
            let value = sdp::attribute(sdp, name).map(str::to_owned);
            value.ok_or_else(|| AnswerError::Internal(format!("the answer has no {name}")))
        };
        Ok(Self { ufrag: attribute("ice-ufrag")?, password: attribute("ice-pwd")? })
    }
}

/// Whether the protocol core would read a candidate off the description, however it is spelt.
fn names_candidates(description: &RTCSessionDescription) -> Result<bool, AnswerError> {
    let parsed = description.unmarshal().map_err(bad_sdp)?;
    let of_media = parsed.media_descriptions.iter().flat_map(|media| &media.attributes);
    Ok(parsed.attributes.iter().chain(of_media).any(|attribute| attribute.key.trim() == "candidate"))
}

/// The answer without the candidates that the protocol core repeats for RTCP, of which a data channel has
/// none, and with the word that no more will follow (RFC 8840, 8.2).
fn complete(sdp: &str) -> String {
    let is_for_rtcp = |line: &str| {
        let candidate = line.strip_prefix("a=").and_then(|line| line.parse::<Candidate>().ok());
        candidate.is_some_and(|candidate| candidate.component != 1)
    };
    let mut answer: String =
        sdp.split_inclusive("\r\n").filter(|line| !is_for_rtcp(line.trim_end())).collect();
    answer.push_str("a=end-of-candidates\r\n");
    answer
}

fn internal(error: impl std::fmt::Display) -> AnswerError {
    AnswerError::Internal(error.to_string())
}

fn bad_sdp(error: impl std::fmt::Display) -> AnswerError {
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
