//! What the stacks of a server have in common.

use std::sync::Arc;

use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::crypto::Certificate;
use rtc_sctp::{EndpointConfig, TimerConfig, TransportConfig};

use super::{Fingerprint, StackError};

/// SCTP's receive window: what may be on its way to a channel whose handler does not read, and several times the largest
/// message.
const RECEIVE_WINDOW: u32 = 1024 * 1024;
const MESSAGES_IN_WINDOW: u32 = 4;

/// The same in bytes, where messages of this size are taken.
pub(crate) fn receive_window(max_message_size: u32) -> u32 {
    RECEIVE_WINDOW.max(max_message_size.saturating_mul(MESSAGES_IN_WINDOW))
}

/// What the stacks of a server have in common.
pub(crate) struct Settings {
    pub(super) provider: Arc<dyn RTCCryptoProvider>,
    pub(super) certificate: Certificate,
    fingerprint: Fingerprint,
    max_message_size: u32,
    pub(super) endpoint: Arc<EndpointConfig>,
    pub(super) transport: Arc<TransportConfig>,
}

impl Settings {
    /// One DTLS certificate serves all peers.
    pub(crate) fn new(max_message_size: u32) -> Result<Self, String> {
        let provider = rtc_crypto::default_provider().map_err(|error| error.to_string())?;
        let certificate = Certificate::generate_self_signed([], provider.crypto())
            .map_err(|error| format!("the DTLS certificate cannot be made: {error}"))?;
        let der = certificate.certificate.first().ok_or("the DTLS certificate is empty")?;
        let transport = TransportConfig::default()
            .with_max_message_size(max_message_size)
            .with_max_receive_buffer_size(receive_window(max_message_size))
            .with_timer_config(timers());
        Ok(Self {
            fingerprint: Fingerprint::of(der),
            provider,
            certificate,
            max_message_size,
            endpoint: Arc::default(),
            transport: Arc::new(transport),
        })
    }

    /// Of the certificate.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The largest message, in bytes, that is taken.
    pub(crate) fn max_message_size(&self) -> u32 {
        self.max_message_size
    }

    /// Random bytes from the provider's generator.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], StackError> {
        let mut bytes = [0; N];
        self.provider.random().fill(&mut bytes).map_err(|error| StackError(error.to_string()))?;
        Ok(bytes)
    }
}

/// SCTP goes on as long as ICE finds the peer: a peer that is slow to read is not one that is gone.
fn timers() -> TimerConfig {
    const FOR_EVER: usize = usize::MAX;
    TimerConfig { max_t3_rtx_retrans: FOR_EVER, max_reconfig_retrans: FOR_EVER, ..TimerConfig::default() }
}
