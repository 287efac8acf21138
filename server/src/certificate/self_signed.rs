//! Makes self-signed certificates.

use std::{fmt, net::IpAddr};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use time::{Duration, OffsetDateTime};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

use super::{Certificate, CertificateError};

/// Browsers take no certificate that is valid for more than 398 days; one of them lies before the present, for clocks
/// that are behind.
pub(super) const VALID: Duration = Duration::days(397);
const VALID_BEFORE: Duration = Duration::days(1);

/// Whom a certificate is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) names: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
}

/// A certificate that ends with the process.
pub(crate) fn in_memory(subject: &Subject, now: OffsetDateTime) -> Result<Certificate, CertificateError> {
    Pem::make(subject, now)?.certificate()
}

impl Subject {
    /// Whom this certificate is for.
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut subject = Self::default();
        let extension = certificate.subject_alternative_name().ok().flatten();
        for name in extension.iter().flat_map(|extension| &extension.value.general_names) {
            match *name {
                GeneralName::DNSName(name) => subject.names.push(name.to_owned()),
                GeneralName::IPAddress(bytes) => {
                    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
                    subject.addresses.extend(v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)));
                }
                _ => {}
            }
        }
        subject
    }

    /// A name or address that a certificate for this subject should be for as well, and is not.
    ///
    /// IPv6 addresses do not count: a host changes its temporary ones every day (RFC 8981), and each new certificate
    /// has to be accepted in the browser again.
    pub(super) fn first_uncovered(&self, wanted: &Self) -> Option<String> {
        let name = wanted.names.iter().find(|name| !self.names.contains(name)).cloned();
        name.or_else(|| {
            let mut addresses = wanted.addresses.iter().filter(|address| address.is_ipv4());
            addresses.find(|address| !self.addresses.contains(address)).map(ToString::to_string)
        })
    }
}

/// A certificate and its key as the texts of their files.
pub(super) struct Pem {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Pem {
    pub(super) fn make(subject: &Subject, now: OffsetDateTime) -> Result<Self, CertificateError> {
        let failed = |error: rcgen::Error| CertificateError::Make(error.to_string());
        let mut params = CertificateParams::new(subject.names.clone()).map_err(failed)?;
        params.subject_alt_names.extend(subject.addresses.iter().copied().map(SanType::IpAddress));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "hola-webrtc, self-signed");
        params.not_before = now - VALID_BEFORE;
        params.not_after = now + VALID;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    pub(super) fn certificate(&self) -> Result<Certificate, CertificateError> {
        let unusable = |error: &dyn fmt::Display| CertificateError::Make(error.to_string());
        let certificate =
            CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(|error| unusable(&error))?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|error| unusable(&error))?;
        Certificate::new(vec![certificate], key).map_err(|error| unusable(&error))
    }
}
