//! A peer made by hand of ICE, DTLS and SCTP packets, which can do what no proper one does.

use std::net::{IpAddr, Ipv4Addr};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use hola_webrtc_protocol::sdp;
use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::{
    config::{ClientAuthType, ConfigBuilder},
    crypto::Certificate,
    endpoint::{Endpoint, EndpointEvent},
    extension::extension_use_srtp::SrtpProtectionProfile,
};
use rtc_ice::{
    agent::{Agent, agent_config::AgentConfig},
    candidate::{Candidate, CandidateConfig, candidate_host::CandidateHostConfig},
    mdns::MulticastDnsMode,
};
use rtc_sctp::{Association, DatagramEvent, Endpoint as SctpEndpoint, Payload, ServerConfig};
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sansio::Protocol;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{
    greedy::{assert_lives, channel_of},
    *,
};
use crate::{
    channel::Message,
    engine::stack::packets::{BEGINNING, BINARY, DCEP, OPEN, WHOLE, chunk, packet},
    session::Closed,
};

const TUNNEL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

pub(super) struct Handmade {
    pub(super) address: SocketAddr,
    round_trip: Duration,
    agent: Agent,
    dtls: Endpoint,
    leaving: Vec<BytesMut>,
    is_secure: bool,
    /// It leaves what it hears of DTLS unanswered.
    pub(super) is_mute: bool,
    /// It has heard DTLS.
    pub(super) is_greeted: bool,
    sctp: SctpEndpoint,
    /// It brings SCTP up, and is left alone from then on.
    association: Option<Association>,
    /// What the answer says of SCTP.
    init: Option<String>,
    /// The packets of SCTP that have come.
    received: Vec<Bytes>,
    /// The server's verification tag.
    tag: u32,
    next_tsn: u32,
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

impl Handmade {
    /// Negotiates a connection with the fingerprints that are made of its certificate.
    pub(super) fn begin(world: &mut World, fingerprints: impl Fn(&[u8]) -> Vec<String>) -> Self {
        Self::negotiate(world, fingerprints, "")
    }

    /// The same with this line in the offer's section for data channels.
    fn negotiate(world: &mut World, fingerprints: impl Fn(&[u8]) -> Vec<String>, line: &str) -> Self {
        let address = offerer_address(500);
        let provider = rtc_crypto::default_provider().unwrap();
        let certificate = Certificate::generate_self_signed([], provider.crypto()).unwrap();
        let mut agent = agent(world.now, address, provider.clone());
        let credentials = agent.get_local_credentials().clone();
        let fingerprints: String = fingerprints(&certificate.certificate[0])
            .into_iter()
            .flat_map(|fingerprint| ["a=fingerprint:".to_owned(), fingerprint, "\r\n".to_owned()])
            .collect();
        let answer = world.answer(&format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
             a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n{fingerprints}a=setup:actpass\r\na=sctp-port:5000\r\n{line}",
            credentials.ufrag, credentials.pwd
        ));
        let attribute = |name| sdp::attribute(&answer.sdp, name).unwrap().to_owned();
        agent.add_remote_candidate(host(server_address())).unwrap();
        agent
            .start_connectivity_checks(world.now, true, attribute("ice-ufrag"), attribute("ice-pwd"))
            .unwrap();
        let init = sdp::attribute(&answer.sdp, "sctp-init").map(str::to_owned);
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![certificate])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
            .with_insecure_skip_verify(true)
            .build(false, None)
            .unwrap();
        Self {
            address,
            round_trip: MS,
            agent,
            leaving: Vec::new(),
            dtls: Endpoint::new(TUNNEL, TransportProtocol::UDP, Some(Arc::new(config))),
            is_secure: false,
            is_mute: false,
            is_greeted: false,
            sctp: SctpEndpoint::new(
                TUNNEL,
                TransportProtocol::UDP,
                Arc::default(),
                Some(Arc::new(ServerConfig::default())),
            ),
            association: None,
            init,
            received: Vec::new(),
            tag: 0,
            next_tsn: 0,
        }
    }

    /// Lets a millisecond pass, or as long as a round trip to the peer takes.
    pub(super) fn step(&mut self, world: &mut World) {
        world.now += self.round_trip;
        let now = world.now;
        for datagram in self.leaving.drain(..) {
            world.deliver(self.address, datagram);
        }
        let _ = self.agent.handle_timeout(now);
        let _ = self.dtls.handle_timeout(TUNNEL, now);
        for datagram in world.flush() {
            if datagram.remote != self.address {
                world.send(InFlight::ToOfferer(datagram.remote, datagram.bytes));
            } else if datagram.bytes[0] < 4 {
                let transport = TransportContext {
                    local_addr: self.address,
                    peer_addr: server_address(),
                    transport_protocol: TransportProtocol::UDP,
                    ecn: None,
                };
                let _ = self.agent.handle_read(TaggedBytesMut { now, transport, message: datagram.bytes });
            } else if self.is_mute {
                self.is_greeted = true;
            } else {
                // What fails shows in what does not come about.
                for event in self.dtls.read(now, TUNNEL, None, datagram.bytes).unwrap_or_default() {
                    match event {
                        EndpointEvent::HandshakeComplete => self.is_secure = true,
                        EndpointEvent::ApplicationData(packet) => self.associate(now, packet),
                        _ => {}
                    }
                }
            }
        }
        self.leaving.extend(std::iter::from_fn(|| self.agent.poll_write()).map(|datagram| datagram.message));
        self.leaving
            .extend(std::iter::from_fn(|| self.dtls.poll_transmit()).map(|datagram| datagram.message));
    }

    pub(super) fn run_until(
        &mut self,
        world: &mut World,
        steps: usize,
        condition: impl Fn(&Self, &World) -> bool,
    ) -> bool {
        (0..steps).any(|_| {
            self.step(world);
            condition(self, world)
        })
    }

    fn associate(&mut self, now: Instant, packet: BytesMut) {
        self.received.push(Bytes::copy_from_slice(&packet));
        if packet[12] == 1 {
            self.tag = u32::from_be_bytes(packet[16..20].try_into().unwrap());
        }
        match self.sctp.handle(now, TUNNEL, None, packet.freeze()) {
            Some((_, DatagramEvent::NewAssociation(association))) => self.association = Some(association),
            Some((_, DatagramEvent::AssociationEvent(event))) => {
                if let Some(association) = self.association.as_mut() {
                    association.handle_event(event);
                }
            }
            _ => {}
        }
        let Some(association) = &mut self.association else { return };
        while let Some(transmit) = association.poll_transmit(now) {
            let Payload::RawEncode(packets) = transmit.message else { panic!() };
            for packet in packets {
                if packet[12] == 2 {
                    self.next_tsn = u32::from_be_bytes(packet[28..32].try_into().unwrap());
                }
                self.dtls.write(now, TUNNEL, &packet).unwrap();
            }
        }
        if !association.is_handshaking() {
            self.association = None;
        }
    }

    fn send(&mut self, now: Instant, flags: u8, sequence: u16, identifier: u32, data: &[u8]) {
        let chunk = chunk(flags, self.next_tsn, 1, sequence, identifier, data);
        self.dtls.write(now, TUNNEL, &packet(self.tag, &chunk)).unwrap();
        self.next_tsn = self.next_tsn.wrapping_add(1);
    }
}

fn agent(now: Instant, address: SocketAddr, provider: Arc<dyn RTCCryptoProvider>) -> Agent {
    let config = AgentConfig {
        is_controlling: true,
        multicast_dns_mode: MulticastDnsMode::Disabled,
        ..AgentConfig::default()
    };
    let mut agent = Agent::new(now, Arc::new(config), provider).unwrap();
    agent.add_local_candidate(host(address)).unwrap();
    agent
}

fn host(address: SocketAddr) -> Candidate {
    let base_config = CandidateConfig {
        network: "udp".to_owned(),
        address: address.ip().to_string(),
        port: address.port(),
        component: 1,
        ..CandidateConfig::default()
    };
    CandidateHostConfig { base_config, ..CandidateHostConfig::default() }.new_candidate_host().unwrap()
}

#[test]
fn a_peer_is_let_in_by_each_hash_of_its_certificate() {
    type Hash = fn(&[u8]) -> String;
    let hashes: [Hash; 3] = [
        |certificate| format!("sha-256 {}", hex(&Sha256::digest(certificate))),
        |certificate| format!("SHA-384 {}", hex(&Sha384::digest(certificate)).to_lowercase()),
        |certificate| format!("sha-512 {}", hex(&Sha512::digest(certificate))),
    ];
    for hash in hashes {
        let mut world = World::new(MS);
        let mut peer = Handmade::begin(&mut world, |certificate| vec![hash(certificate)]);
        assert!(peer.run_until(&mut world, 2000, |peer, world| peer.is_secure && !world.sessions.is_empty()));
        // One of several is enough.
        let mut world = World::new(MS);
        let mut peer = Handmade::begin(&mut world, |certificate| vec![hash(b"another"), hash(certificate)]);
        assert!(peer.run_until(&mut world, 2000, |_, world| !world.sessions.is_empty()));
    }
}

#[test]
fn a_peer_with_another_certificate_is_not_let_in_by_any_hash() {
    type Hash = fn() -> String;
    let hashes: [Hash; 3] = [
        || format!("sha-256 {}", hex(&Sha256::digest(b"another"))),
        || format!("sha-384 {}", hex(&Sha384::digest(b"another"))),
        || format!("sha-512 {}", hex(&Sha512::digest(b"another"))),
    ];
    for hash in hashes {
        let mut world = World::new(MS);
        let mut peer = Handmade::begin(&mut world, |_| vec![hash()]);
        let steps = usize::try_from((LIMITS.open_timeout + SECOND).as_millis()).unwrap();
        let is_in = |peer: &Handmade, world: &World| {
            peer.is_secure || peer.association.is_some() || !world.sessions.is_empty()
        };
        assert!(!peer.run_until(&mut world, steps, is_in));
        assert_eq!(world.residue(), 0);
    }
}

#[test]
fn a_message_without_an_end_ends_its_session_and_nobody_elses() {
    let mut world = World::new(MS);
    let (other, mut others) = world.connect(1, "x");
    let mut other_channel = channel_of(&mut others);
    let hash = |certificate: &[u8]| vec![format!("sha-256 {}", hex(&Sha256::digest(certificate)))];
    let mut peer = Handmade::begin(&mut world, hash);
    assert!(peer.run_until(&mut world, 2000, |_, world| !world.sessions.is_empty()));
    let mut session = world.sessions.remove(0);
    peer.send(world.now, WHOLE, 0, DCEP, OPEN);
    for _ in 0..300 {
        peer.step(&mut world);
    }
    let mut channel = channel_of(&mut session);

    let mut sent = 0;
    let mut most = 0;
    while session.closed().now_or_never().is_none() {
        assert!(sent < 2_000_000, "{sent}");
        for _ in 0..8 {
            peer.send(world.now, if sent == 0 { BEGINNING } else { 0 }, 1, BINARY, &[7; 1100]);
            sent += 1100;
        }
        peer.step(&mut world);
        most = most.max(world.registry.buffered());
    }
    assert_eq!(session.closed().now_or_never(), Some(Closed::Overloaded));
    let metrics = world.registry.metrics().encode();
    assert!(metrics.contains("hola_webrtc_limit_reached_total{limit=\"flood\"} 1\n"), "{metrics}");
    assert!(metrics.contains("hola_webrtc_limit_reached_total{limit=\"total-buffer\"} 0\n"), "{metrics}");
    assert_eq!(channel.next().now_or_never(), Some(None));
    assert!(most < 2 * 1024 * 1024, "{most}");
    world.run(SECOND);
    assert_lives(&mut world, other, &mut other_channel);
}

#[test]
fn what_a_peer_sent_before_it_ended_the_association_is_all_read() {
    const ABORT: [u8; 4] = [6, 0, 0, 4];
    const MESSAGES: u16 = 300;
    let mut world = World::new(MS);
    let hash = |certificate: &[u8]| vec![format!("sha-256 {}", hex(&Sha256::digest(certificate)))];
    let mut peer = Handmade::begin(&mut world, hash);
    assert!(peer.run_until(&mut world, 2000, |_, world| !world.sessions.is_empty()));
    let mut session = world.sessions.remove(0);
    peer.send(world.now, WHOLE, 0, DCEP, OPEN);
    for _ in 0..300 {
        peer.step(&mut world);
    }
    let mut channel = channel_of(&mut session);

    // More than the handler has room for.
    for sequence in 1..=MESSAGES {
        peer.send(world.now, WHOLE, sequence, BINARY, &[7; 1100]);
        peer.step(&mut world);
    }
    peer.dtls.write(world.now, TUNNEL, &packet(peer.tag, &ABORT)).unwrap();
    let mut received = 0;
    let mut is_over = false;
    for _ in 0..500 {
        peer.step(&mut world);
        match channel.next().now_or_never() {
            Some(Some(_)) => received += 1,
            Some(None) => is_over = true,
            None => {}
        }
    }
    assert_eq!((received, is_over), (MESSAGES, true));
}

/// As Chromium writes it, with the peer's tag and first TSN.
const INIT: &str = "a=sctp-init:AQAAHvmFXyMAUAAA/////80ISz/AAAAEgAgABoLA\r\n";
const TAG: u32 = 0xf985_5f23;
const TSN: u32 = 0xcd08_4b3f;

/// A peer so far away whose offer says how SCTP begins, as soon as DTLS is up on its side.
fn agreed(world: &mut World, round_trip: Duration) -> Handmade {
    let hash = |certificate: &[u8]| vec![format!("sha-256 {}", hex(&Sha256::digest(certificate)))];
    let mut peer = Handmade::negotiate(world, hash, INIT);
    peer.round_trip = round_trip;
    let init = BASE64_STANDARD.decode(peer.init.as_ref().unwrap()).unwrap();
    assert_eq!((init[0], usize::from(init[3])), (1, init.len()));
    peer.tag = u32::from_be_bytes(init[4..8].try_into().unwrap());
    peer.next_tsn = TSN;
    assert!(peer.run_until(world, 2000, |peer, _| peer.is_secure));
    peer
}

#[test]
fn a_peer_whose_offer_says_how_sctp_begins_opens_a_channel_as_soon_as_dtls_is_up() {
    let mut world = World::new(MS);
    let mut peer = agreed(&mut world, MS);
    peer.send(world.now, WHOLE, 0, DCEP, OPEN);
    peer.send(world.now, WHOLE, 1, BINARY, b"hello");
    // What ends the handshake of DTLS leaves before these, and all is there a round trip later.
    peer.step(&mut world);
    peer.step(&mut world);
    let mut session = world.sessions.remove(0);
    let mut channel = channel_of(&mut session);
    assert_eq!(channel.next().now_or_never(), Some(Some(Message::Binary(Bytes::from_static(b"hello")))));
    assert!(peer.run_until(&mut world, 10, |peer, _| !peer.received.is_empty()));
    for packet in &peer.received {
        assert_eq!(packet[4..8], TAG.to_be_bytes());
        assert!(matches!(packet[12], 0 | 3), "no chunk but DATA and SACK: {}", packet[12]);
    }
}

#[test]
fn how_far_a_peer_is_that_needs_no_handshake_of_sctp_shows_in_its_connectivity_checks() {
    for (round_trip, is_near) in [(MS, true), (3 * MS, false)] {
        let mut world = World::new(MS);
        let mut peer = agreed(&mut world, round_trip);
        peer.send(world.now, WHOLE, 0, DCEP, OPEN);
        let report = |peer: &Handmade| peer.received.iter().find(|packet| packet[12] == 3).cloned();
        assert!(peer.run_until(&mut world, 500, |peer, _| report(peer).is_some()));
        let report = report(&peer).unwrap();
        let window = u32::from_be_bytes(report[20..24].try_into().unwrap());
        assert_eq!(window <= 64 * 1024, is_near, "{round_trip:?}: {window}");
    }
}
