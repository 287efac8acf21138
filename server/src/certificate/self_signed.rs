//! A self-signed certificate, made at the first start and kept for the next ones.

use std::{fmt, fs, io, net::IpAddr, path::Path};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use time::{Duration, OffsetDateTime};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

use super::{Certificate, CertificateError};

const CERTIFICATE_FILE: &str = "certificate.pem";
const KEY_FILE: &str = "key.pem";

/// Browsers take no certificate that is valid for more than 398 days; one of them lies before the present, for clocks
/// that are behind.
const VALID: Duration = Duration::days(397);
const VALID_BEFORE: Duration = Duration::days(1);

/// How long before its end a certificate is made anew.
const RENEW_BEFORE: Duration = Duration::days(30);

/// Whom a certificate is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) names: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
}

/// The certificate kept in the folder, or a new one, if there is none, if it is damaged, near its end, or not for
/// this subject.
///
/// The key file is never readable for others: it is made with mode 0600 under another name, then renamed.
pub(crate) fn kept(
    folder: &Path,
    subject: &Subject,
    now: OffsetDateTime,
) -> Result<Certificate, CertificateError> {
    let why = match read(folder, subject, now) {
        Ok(certificate) => return Ok(certificate),
        Err(why) => why,
    };
    let made = Pem::make(subject, now)?;
    made.write(folder).map_err(|error| CertificateError::Keep { path: folder.to_owned(), error })?;
    tracing::info!(folder = %folder.display(), %why, "a new certificate was made");
    made.certificate()
}

/// A certificate that ends with the process.
pub(crate) fn in_memory(subject: &Subject, now: OffsetDateTime) -> Result<Certificate, CertificateError> {
    Pem::make(subject, now)?.certificate()
}

/// Why the kept certificate is not used.
#[derive(Debug, PartialEq, Eq)]
enum Renewal {
    None,
    Exposed,
    Damaged(String),
    NearItsEnd,
    NotCovered(String),
}

impl fmt::Display for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("there was none yet"),
            Self::Exposed => f.write_str("others could read the key of the last one"),
            Self::Damaged(why) => write!(f, "the last one is damaged: {why}"),
            Self::NearItsEnd => f.write_str("the last one is near its end"),
            Self::NotCovered(name) => write!(f, "the last one is not for {name}"),
        }
    }
}

fn read(folder: &Path, subject: &Subject, now: OffsetDateTime) -> Result<Certificate, Renewal> {
    let file = |name| match fs::read_to_string(folder.join(name)) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Renewal::None),
        Err(error) => Err(Renewal::Damaged(error.to_string())),
    };
    let pem = Pem { certificate: file(CERTIFICATE_FILE)?, key: file(KEY_FILE)? };
    if is_exposed(&folder.join(KEY_FILE)) {
        return Err(Renewal::Exposed);
    }
    let certificate = pem.certificate().map_err(|error| Renewal::Damaged(error.to_string()))?;
    let der = certificate.key.cert.first().map(AsRef::as_ref).unwrap_or_default();
    let (_, x509) = X509Certificate::from_der(der).map_err(|error| Renewal::Damaged(error.to_string()))?;
    if x509.validity.not_before.to_datetime() > now
        || x509.validity.not_after.to_datetime() - now < RENEW_BEFORE
    {
        return Err(Renewal::NearItsEnd);
    }
    match first_uncovered(&subject_of(&x509), subject) {
        Some(name) => Err(Renewal::NotCovered(name)),
        None => Ok(certificate),
    }
}

/// A name or address that the certificate should be for and is not.
///
/// IPv6 addresses do not count: a host changes its temporary ones every day (RFC 8981), and each new certificate has to
/// be accepted in the browser again.
fn first_uncovered(covered: &Subject, wanted: &Subject) -> Option<String> {
    let name = wanted.names.iter().find(|name| !covered.names.contains(name)).cloned();
    name.or_else(|| {
        let mut addresses = wanted.addresses.iter().filter(|address| address.is_ipv4());
        addresses.find(|address| !covered.addresses.contains(address)).map(ToString::to_string)
    })
}

fn subject_of(x509: &X509Certificate) -> Subject {
    let mut subject = Subject::default();
    let extension = x509.subject_alternative_name().ok().flatten();
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

/// A certificate and its key as the texts of their files.
struct Pem {
    certificate: String,
    key: String,
}

impl Pem {
    fn make(subject: &Subject, now: OffsetDateTime) -> Result<Self, CertificateError> {
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

    fn certificate(&self) -> Result<Certificate, CertificateError> {
        let unusable = |error: &dyn fmt::Display| CertificateError::Make(error.to_string());
        let certificate =
            CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(|error| unusable(&error))?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|error| unusable(&error))?;
        Certificate::new(vec![certificate], key).map_err(|error| unusable(&error))
    }

    /// Each file appears whole or not at all. A stop between the two leaves a pair that does not fit and is made anew.
    fn write(&self, folder: &Path) -> io::Result<()> {
        make_private_folder(folder)?;
        for (name, content) in [(KEY_FILE, &self.key), (CERTIFICATE_FILE, &self.certificate)] {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            io::Write::write_all(&mut file, content.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(folder.join(name))?;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn is_exposed(key: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(key).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_key: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::days(20_000));

    fn subject(addresses: &[&str]) -> Subject {
        Subject {
            names: vec!["localhost".to_owned()],
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn a_certificate_is_kept_for_the_next_start() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("made/when/missing");
        let subject = subject(&["127.0.0.1", "::1", "192.0.2.1"]);
        let first = kept(&folder, &subject, NOW).unwrap();
        let second = kept(&folder, &subject, NOW + Duration::days(300)).unwrap();
        assert_eq!(first.fingerprint(), second.fingerprint());

        let (_, x509) = X509Certificate::from_der(&first.key.cert[0]).unwrap();
        assert_eq!(subject_of(&x509), subject);
        let validity = x509.validity.not_after.to_datetime() - x509.validity.not_before.to_datetime();
        assert!(validity <= Duration::days(398), "{validity}");
        assert!(x509.validity.not_before.to_datetime() < NOW);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("hola-webrtc");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let first = kept(&folder, &subject(&[]), NOW).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(KEY_FILE)), 0o600);

        fs::set_permissions(folder.join(KEY_FILE), fs::Permissions::from_mode(0o644)).unwrap();
        let second = kept(&folder, &subject(&[]), NOW).unwrap();
        assert_ne!(first.fingerprint(), second.fingerprint(), "a key that others could read is replaced");
        assert_eq!(mode(&folder.join(KEY_FILE)), 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn it_is_made_anew_near_its_end_and_when_the_clock_stands_before_it() {
        let state = tempfile::tempdir().unwrap();
        let first = kept(state.path(), &subject(&[]), NOW).unwrap().fingerprint();
        let later = NOW + VALID - RENEW_BEFORE;
        assert_eq!(kept(state.path(), &subject(&[]), later).unwrap().fingerprint(), first);
        let second = kept(state.path(), &subject(&[]), later + Duration::SECOND).unwrap().fingerprint();
        assert_ne!(second, first);
        assert_ne!(kept(state.path(), &subject(&[]), NOW).unwrap().fingerprint(), second);
    }

    #[test]
    fn it_is_made_anew_when_the_host_has_another_ipv4_address_or_name() {
        let state = tempfile::tempdir().unwrap();
        let fingerprint = |subject: &Subject| kept(state.path(), subject, NOW).unwrap().fingerprint();
        let first = fingerprint(&subject(&["192.0.2.1", "192.0.2.2"]));
        assert_eq!(fingerprint(&subject(&["192.0.2.2"])), first, "an address that went away is no reason");
        assert_eq!(fingerprint(&subject(&["192.0.2.2", "2001:db8::1"])), first, "nor is a new IPv6 address");
        let second = fingerprint(&subject(&["192.0.2.3"]));
        assert_ne!(second, first);
        let renamed = Subject { names: vec!["localhost".to_owned(), "box".to_owned()], ..subject(&[]) };
        assert_ne!(fingerprint(&renamed), second);
    }

    #[test]
    fn damaged_files_are_replaced() {
        let state = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        kept(other.path(), &subject(&[]), NOW).unwrap();
        let mut last = kept(state.path(), &subject(&[]), NOW).unwrap().fingerprint();
        let key = state.path().join(KEY_FILE);
        let certificate = state.path().join(CERTIFICATE_FILE);
        let damages: [(&str, &dyn Fn()); 5] = [
            ("an empty key", &|| fs::write(&key, "").unwrap()),
            ("a certificate that is none", &|| fs::write(&certificate, "hello").unwrap()),
            ("a certificate that is not text", &|| fs::write(&certificate, [0xff; 9]).unwrap()),
            ("another's certificate", &|| {
                fs::copy(other.path().join(CERTIFICATE_FILE), &certificate).map(|_| ()).unwrap();
            }),
            ("no key", &|| fs::remove_file(&key).unwrap()),
        ];
        for (what, damage) in damages {
            damage();
            let made = kept(state.path(), &subject(&[]), NOW).unwrap().fingerprint();
            assert_ne!(made, last, "{what}");
            assert_eq!(kept(state.path(), &subject(&[]), NOW).unwrap().fingerprint(), made, "{what}");
            last = made;
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join("file");
        fs::write(&file, "").unwrap();
        let error = kept(&file.join("below"), &subject(&[]), NOW).unwrap_err().to_string();
        assert!(error.contains("file/below") && error.contains("--state-dir"), "{error}");
        in_memory(&subject(&["192.0.2.1"]), NOW).unwrap();
    }
}
