//! The self-signed certificate that is kept in a folder for the next start.

use std::{fmt, fs, io, path::Path};

use time::OffsetDateTime;

use super::{
    Certificate, CertificateError, Due,
    self_signed::{Pem, Subject},
};

const CERTIFICATE_FILE: &str = "certificate.pem";
const KEY_FILE: &str = "key.pem";

/// The certificate kept in the folder, or a new one, if there is none, if it is damaged, near its end, or not for
/// this subject. If a new one cannot be kept there, as on a full disk, one that still holds stays in use.
///
/// The key file is never readable for others: it is made with mode 0600 under another name, then renamed.
pub(crate) fn kept(
    folder: &Path,
    subject: &Subject,
    now: OffsetDateTime,
) -> Result<Certificate, CertificateError> {
    let (last, why) = match read(folder) {
        Err(why) => (None, why),
        Ok(last) => match reason_against(&last, subject, now) {
            None => return Ok(last),
            Some(why) => (Some(last), why),
        },
    };
    let made = Pem::make(subject, now)?;
    match (made.write(folder), last.filter(|last| last.holds(now))) {
        (Ok(()), _) => {
            tracing::info!(folder = %folder.display(), %why, "a new certificate was made");
            made.certificate()
        }
        (Err(error), Some(last)) => {
            tracing::warn!(%why, "the last certificate stays, for a new one cannot be kept in {}: {error}", folder.display());
            Ok(last)
        }
        (Err(error), None) => Err(CertificateError::Keep { path: folder.to_owned(), error }),
    }
}

/// Why the kept certificate is not used.
#[derive(Debug, PartialEq, Eq)]
enum Renewal {
    None,
    Exposed,
    Damaged(String),
    Due(Due),
    NotCovered(String),
}

impl fmt::Display for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("there was none yet"),
            Self::Exposed => f.write_str("others could read the key of the last one"),
            Self::Damaged(why) => write!(f, "the last one is damaged: {why}"),
            Self::Due(due) => write!(f, "the last one {due}"),
            Self::NotCovered(name) => write!(f, "the last one is not for {name}"),
        }
    }
}

fn read(folder: &Path) -> Result<Certificate, Renewal> {
    let file = |name| match fs::read_to_string(folder.join(name)) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Renewal::None),
        Err(error) => Err(Renewal::Damaged(error.to_string())),
    };
    let pem = Pem { certificate: file(CERTIFICATE_FILE)?, key: file(KEY_FILE)? };
    if is_exposed(&folder.join(KEY_FILE)) {
        return Err(Renewal::Exposed);
    }
    pem.certificate().map_err(|error| Renewal::Damaged(error.to_string()))
}

fn reason_against(last: &Certificate, subject: &Subject, now: OffsetDateTime) -> Option<Renewal> {
    last.due(now).map(Renewal::Due).or_else(|| {
        let covered = Subject::of(&last.x509()?);
        covered.first_uncovered(subject).map(Renewal::NotCovered)
    })
}

impl Pem {
    /// Both files appear whole or not at all: each is written under another name first. A stop between the two names
    /// leaves a pair that does not fit and is made anew.
    fn write(&self, folder: &Path) -> io::Result<()> {
        make_private_folder(folder)?;
        let written = |content: &str| {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            io::Write::write_all(&mut file, content.as_bytes())?;
            file.as_file().sync_all()?;
            Ok::<_, io::Error>(file)
        };
        let (key, certificate) = (written(&self.key)?, written(&self.certificate)?);
        key.persist(folder.join(KEY_FILE))?;
        certificate.persist(folder.join(CERTIFICATE_FILE))?;
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
    use time::Duration;

    use super::{
        super::{
            RENEW_BEFORE,
            self_signed::{VALID, in_memory},
        },
        *,
    };

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::days(21_000));

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

        assert_eq!(Subject::of(&first.x509().unwrap()), subject);
        let (begins, ends) = first.validity().unwrap();
        assert!(ends - begins <= Duration::days(398), "{begins} {ends}");
        assert!(begins < NOW);
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
