//! Keeps the certificate of a running server good: reads it anew when told to, makes a self-signed one anew before its
//! end. Connections that are open do not notice; new handshakes use the new one.

use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use time::{Duration, OffsetDateTime};

use super::identity::{Identity, Source};
use crate::certificate::{Certificate, CertificateError};

/// How often a certificate that is near its end is complained of, and how often a new one is tried to be made.
const COMPLAIN: Duration = Duration::DAY;
const RETRY: Duration = Duration::HOUR;

/// With less time left a certificate that cannot be kept in its folder is replaced by one in memory.
const LAST_CHANCE: Duration = Duration::DAY;

/// The keeper of a server's certificate.
pub(crate) struct Keeper {
    identity: Identity,
    tls: RustlsConfig,
    /// When something was done about its end last.
    tried: Option<OffsetDateTime>,
}

impl Keeper {
    pub(crate) fn new(identity: Identity) -> Result<Self, rustls::Error> {
        let tls = RustlsConfig::from_config(Arc::new(identity.certificate.tls_config()?));
        Ok(Self { identity, tls, tried: None })
    }

    /// What the certificate is now.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What new handshakes use.
    pub(crate) fn tls(&self) -> RustlsConfig {
        self.tls.clone()
    }

    /// Takes what the source holds now. If that is no good, the certificate stays.
    pub(crate) fn reload(&mut self, now: OffsetDateTime) {
        if matches!(self.identity.source, Source::Memory) {
            tracing::info!("there is nothing to reload: the certificate is not kept in a file");
            return;
        }
        let read = self.identity.source.certificate(&self.identity.subject, now);
        if let Err(error) = read.and_then(|certificate| self.show(certificate)) {
            tracing::error!("the certificate stays as it was: {error}");
        }
    }

    /// Looks whether the certificate still holds for long; to be called every now and then, for the clock may jump.
    pub(crate) fn check(&mut self, now: OffsetDateTime) {
        let Some(due) = self.identity.certificate.due(now) else { return };
        let pause = if matches!(self.identity.source, Source::Files { .. }) { COMPLAIN } else { RETRY };
        if self.tried.is_some_and(|last| (now - last).abs() < pause) {
            return;
        }
        self.tried = Some(now);
        if let Source::Files { cert, .. } = &self.identity.source {
            tracing::warn!("the certificate in {} {due}: renew it and send SIGHUP", cert.display());
        } else if let Err(error) = self.renewed(now).and_then(|certificate| self.show(certificate)) {
            tracing::error!("the certificate {due}, and no new one can be made: {error}");
        }
    }

    fn renewed(&self, now: OffsetDateTime) -> Result<Certificate, CertificateError> {
        let Identity { certificate, source, subject } = &self.identity;
        let renewed = source.certificate(subject, now);
        let has_time = certificate.validity().is_some_and(|(_, ends)| now + LAST_CHANCE < ends);
        match renewed {
            Ok(renewed) if renewed.due(now).is_none() => Ok(renewed),
            renewed if has_time => renewed,
            _ => Source::Memory.certificate(subject, now),
        }
    }

    fn show(&mut self, certificate: Certificate) -> Result<(), CertificateError> {
        if certificate.fingerprint() == self.identity.certificate.fingerprint() {
            tracing::info!("the certificate is the same as before");
            return Ok(());
        }
        let tls = certificate.tls_config().map_err(|error| CertificateError::Make(error.to_string()))?;
        self.tls.reload_from_config(Arc::new(tls));
        tracing::info!(sha256 = certificate.fingerprint(), "there is a new certificate");
        self.identity.certificate = certificate;
        self.tried = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, net::IpAddr, path::Path};

    use time::macros::datetime;

    use super::*;
    use crate::certificate::Subject;

    const NOW: OffsetDateTime = datetime!(2027-07-01 12:00 UTC);

    fn keeper_of(source: Source) -> Keeper {
        let subject =
            Subject { names: vec!["localhost".to_owned()], addresses: vec![IpAddr::from([127, 0, 0, 1])] };
        let certificate = source.certificate(&subject, NOW).unwrap();
        Keeper::new(Identity { certificate, source, subject }).unwrap()
    }

    fn of_folder(folder: &Path) -> Keeper {
        keeper_of(Source::Folder(folder.to_owned()))
    }

    impl Keeper {
        fn fingerprint(&self) -> String {
            self.identity.certificate.fingerprint()
        }

        /// The fingerprint after a look at that time, and whether new handshakes use another configuration.
        fn checked(&mut self, days: i64) -> (String, bool) {
            let before = self.tls.get_inner();
            self.check(NOW + Duration::days(days));
            (self.fingerprint(), !Arc::ptr_eq(&before, &self.tls.get_inner()))
        }
    }

    #[test]
    fn a_self_signed_certificate_is_renewed_while_the_server_runs_and_kept() {
        let state = tempfile::tempdir().unwrap();
        let mut keeper = of_folder(state.path());
        let first = keeper.fingerprint();
        assert_eq!(keeper.checked(366), (first.clone(), false));
        let (second, is_shown) = keeper.checked(368);
        assert!(second != first && is_shown);
        let next_start =
            keeper.identity.source.certificate(&keeper.identity.subject, NOW + Duration::days(369));
        assert_eq!(next_start.unwrap().fingerprint(), second);

        let mut in_memory = keeper_of(Source::Memory);
        let first = in_memory.fingerprint();
        assert!(in_memory.checked(400).0 != first);
    }

    #[test]
    fn a_clock_that_jumps_is_followed_and_one_that_is_not_set_is_not() {
        let state = tempfile::tempdir().unwrap();
        let mut keeper = of_folder(state.path());
        let first = keeper.fingerprint();
        let unset = (OffsetDateTime::UNIX_EPOCH - NOW).whole_days();
        assert_eq!(keeper.checked(unset), (first.clone(), false));
        let (ahead, is_shown) = keeper.checked(4000);
        assert!(ahead != first && is_shown);
        let (back, is_shown) = keeper.checked(0);
        assert!(back != ahead && is_shown);
        assert!(keeper.identity.certificate.holds(NOW));
    }

    #[test]
    fn a_certificate_that_cannot_be_kept_is_used_to_its_end_and_then_replaced_in_memory() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("folder");
        let mut keeper = of_folder(&folder);
        let first = keeper.fingerprint();
        let files: Vec<_> =
            ["certificate.pem", "key.pem"].map(|name| fs::read(folder.join(name)).unwrap()).into();
        fs::rename(&folder, state.path().join("moved")).unwrap();
        fs::write(&folder, "a file is where the folder was").unwrap();
        assert_eq!(keeper.checked(380), (first.clone(), false));
        let (second, is_shown) = keeper.checked(397);
        assert!(second != first && is_shown);
        let moved: Vec<_> = ["moved/certificate.pem", "moved/key.pem"]
            .map(|name| fs::read(state.path().join(name)).unwrap())
            .into();
        assert_eq!(moved, files);
    }

    #[test]
    fn files_are_read_anew_when_told_and_bad_ones_change_nothing() {
        let state = tempfile::tempdir().unwrap();
        let one = of_folder(&state.path().join("one"));
        let other = of_folder(&state.path().join("other"));
        let file = |folder: &str, name: &str| state.path().join(folder).join(name);
        let (cert, key) = (file("one", "certificate.pem"), file("one", "key.pem"));
        let mut keeper = keeper_of(Source::Files { cert: cert.clone(), key: key.clone() });
        assert_eq!(keeper.fingerprint(), one.fingerprint());

        fs::copy(file("other", "certificate.pem"), &cert).unwrap();
        keeper.reload(NOW);
        assert_eq!(keeper.fingerprint(), one.fingerprint(), "the key does not fit");
        fs::copy(file("other", "key.pem"), &key).unwrap();
        keeper.reload(NOW);
        assert_eq!(keeper.fingerprint(), other.fingerprint());
        fs::write(&cert, "hello").unwrap();
        keeper.reload(NOW);
        assert_eq!(keeper.fingerprint(), other.fingerprint());
        assert_eq!(keeper.checked(390), (other.fingerprint(), false), "files are the operator's");
    }
}
