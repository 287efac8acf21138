//! The certificate that HTTPS is served with.

mod kept;
mod pem;
mod self_signed;

use std::{fmt, io, path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime, macros::datetime};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

pub(crate) use self::{
    kept::kept,
    pem::from_pem_files,
    self_signed::{Subject, in_memory},
};

/// How long before its end a certificate is made anew.
const RENEW_BEFORE: Duration = Duration::days(30);

/// A clock that stands before this program was written has not been set yet, as on a board without a battery.
const CLOCK_IS_SET: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// A certificate chain with the key that fits it.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    key: Arc<CertifiedKey>,
}

impl Certificate {
    /// Checks that the key can be used and fits the first certificate.
    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, rustls::Error> {
        Ok(Self { key: Arc::new(CertifiedKey::from_der(chain, key, &provider())?) })
    }

    /// The certificate itself, without its chain.
    pub(crate) fn der(&self) -> &[u8] {
        self.key.cert.first().map(AsRef::as_ref).unwrap_or_default()
    }

    fn x509(&self) -> Option<X509Certificate<'_>> {
        X509Certificate::from_der(self.der()).ok().map(|(_, certificate)| certificate)
    }

    /// From when to when the certificate holds.
    pub(crate) fn validity(&self) -> Option<(OffsetDateTime, OffsetDateTime)> {
        let validity = &self.x509()?.validity;
        Some((validity.not_before.to_datetime(), validity.not_after.to_datetime()))
    }

    /// Whether it holds now.
    pub(crate) fn holds(&self, now: OffsetDateTime) -> bool {
        self.validity().is_some_and(|(begins, ends)| (begins..=ends).contains(&now))
    }

    /// Why it has to be made anew by now, if it has. A clock that has not been set is no reason.
    pub(crate) fn due(&self, now: OffsetDateTime) -> Option<Due> {
        let (begins, ends) = self.validity()?;
        if now < CLOCK_IS_SET {
            None
        } else if now < begins {
            Some(Due::NotYetValid)
        } else if ends - now < RENEW_BEFORE {
            Some(Due::NearItsEnd)
        } else {
            None
        }
    }

    /// The SHA-256 of the certificate, written as browsers write it.
    pub(crate) fn fingerprint(&self) -> String {
        let bytes: Vec<String> =
            Sha256::digest(self.der()).iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    /// TLS 1.2 and 1.3 with this certificate, for HTTP/2 and HTTP/1.1.
    pub(crate) fn tls_config(&self) -> Result<ServerConfig, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(self.key.clone())));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Why a certificate has to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    NearItsEnd,
    NotYetValid,
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NearItsEnd => "is near its end",
            Self::NotYetValid => "is not valid yet",
        })
    }
}

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("the {what} cannot be read from {}: {error}", path.display())]
    Read { what: &'static str, path: PathBuf, error: io::Error },
    #[error("{} is not a PEM file: {why}", path.display())]
    BadPem { path: PathBuf, why: String },
    #[error("{} holds no certificate: no block begins with -----BEGIN CERTIFICATE-----", path.display())]
    NoCertificate { path: PathBuf },
    #[error(
        "{} holds no private key that can be used: no block begins with -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or \
         EC PRIVATE KEY (a key under a passphrase has to be unlocked first)",
        path.display()
    )]
    NoKey { path: PathBuf },
    #[error("the key in {} does not fit the certificate in {}", key.display(), cert.display())]
    KeyDoesNotFit { cert: PathBuf, key: PathBuf },
    #[error("the certificate in {} cannot be used with the key in {}: {error}", cert.display(), key.display())]
    Unusable { cert: PathBuf, key: PathBuf, error: rustls::Error },
    #[error("the certificate cannot be kept in {}: {error}; choose another folder with --state-dir", path.display())]
    Keep { path: PathBuf, error: io::Error },
    #[error("no certificate could be made: {0}")]
    Make(String),
}
