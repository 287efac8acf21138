//! DTLS 1.2 (RFC 6347) as the client, through whatever path ICE has selected.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use bytes::BytesMut;
use rtc_dtls::{
    config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig},
    endpoint::{Endpoint, EndpointEvent},
    extension::extension_use_srtp::SrtpProtectionProfile,
};
use rtc_shared::{
    TransportProtocol,
    error::{Error, Result},
};

use super::{Fingerprint, Settings, TUNNEL, budget::Budget};

pub(super) struct Dtls {
    endpoint: Endpoint,
    state: State,
    budget: Budget,
    is_swamped: bool,
}

enum State {
    /// It has not spoken yet.
    New(Arc<HandshakeConfig>),
    Handshaking,
    Secure,
    Closed,
}

/// What came of a datagram.
pub(super) enum Received {
    /// The peer has proved that it has the certificate that its offer names.
    Secure,
    Data(BytesMut),
    /// The peer has closed the connection.
    Closed,
}

impl Dtls {
    /// A connection to a peer whose certificate has one of these fingerprints.
    pub(super) fn new(settings: &Settings, fingerprints: Vec<Fingerprint>) -> Result<Self> {
        let verify = move |certificates: &[Vec<u8>], _: &[_]| {
            let certificate = certificates.first().ok_or(Error::ErrNonCertificate)?;
            // A certificate need match one of the fingerprints. https://www.rfc-editor.org/rfc/rfc8122#section-5
            let is_known = fingerprints.iter().any(|fingerprint| fingerprint.is_of(certificate));
            is_known.then_some(()).ok_or(Error::ErrNoMatchingCertificateFingerprint)
        };
        let config = ConfigBuilder::default()
            .with_crypto_provider(settings.provider.clone())
            .with_certificates(vec![settings.certificate.clone()])
            // Nobody sends media, but there are peers that take no handshake without the extension.
            .with_srtp_protection_profiles(vec![
                SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            ])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // The certificate is self-signed; what stands for it is the fingerprint.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(Arc::new(verify)))
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .build(true, None)?;
        let local = SocketAddr::new(TUNNEL.ip(), 0);
        let endpoint = Endpoint::new(local, TransportProtocol::UDP, None);
        Ok(Self {
            endpoint,
            state: State::New(Arc::new(config)),
            budget: Budget::default(),
            is_swamped: false,
        })
    }

    /// Sends the `ClientHello`, the first time.
    pub(super) fn start(&mut self, now: Instant) -> Result<()> {
        let State::New(config) = &self.state else { return Ok(()) };
        let config = config.clone();
        self.state = State::Handshaking;
        self.endpoint.connect(now, TUNNEL, config, None)
    }

    pub(super) fn receive(&mut self, now: Instant, datagram: BytesMut) -> Result<Vec<Received>> {
        if !matches!(self.state, State::Handshaking | State::Secure) {
            return Err(Error::ErrDtlsTransportNotStarted);
        }
        let is_secure = matches!(self.state, State::Secure);
        if !self.budget.admits(&datagram, is_secure) {
            // A connection that is up does without the rest, which need not be its peer's.
            self.is_swamped |= !is_secure;
            return Err(Error::Other("the handshake is too long".to_owned()));
        }
        let mut received = Vec::new();
        for event in self.endpoint.read(now, TUNNEL, None, datagram)? {
            match event {
                EndpointEvent::HandshakeComplete => {
                    self.state = State::Secure;
                    received.push(Received::Secure);
                }
                // rtc-dtls hands nothing over before the handshake is complete, and so the certificate verified.
                EndpointEvent::ApplicationData(data) => received.push(Received::Data(data)),
                EndpointEvent::PeerClosed => {
                    self.state = State::Closed;
                    received.push(Received::Closed);
                }
                _ => {}
            }
        }
        Ok(received)
    }

    /// Whether the peer has sent more for the handshake than one takes, and has not come to its end.
    pub(super) fn is_swamped(&self) -> bool {
        self.is_swamped
    }

    pub(super) fn send(&mut self, now: Instant, data: &[u8]) -> Result<()> {
        match self.state {
            State::Secure => self.endpoint.write(now, TUNNEL, data),
            _ => Err(Error::ErrDtlsTransportNotStarted),
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        Some(self.endpoint.poll_transmit()?.message)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.endpoint.poll_timeout(&TUNNEL)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<()> {
        match self.state {
            State::Handshaking | State::Secure => self.endpoint.handle_timeout(TUNNEL, now),
            State::New(_) | State::Closed => Ok(()),
        }
    }

    /// Tells the peer.
    pub(super) fn close(&mut self, now: Instant) -> Result<()> {
        if matches!(self.state, State::Handshaking | State::Secure) {
            self.state = State::Closed;
            self.endpoint.close(now)?;
        }
        Ok(())
    }
}
