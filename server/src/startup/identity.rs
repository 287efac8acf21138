//! Which certificate the server shows, and where it comes from.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use etcetera::BaseStrategy;
use time::OffsetDateTime;

use crate::{
    certificate::{self, Certificate, CertificateError, Subject},
    cli::{Cli, Host},
    host,
};

/// The certificate and its source.
pub(crate) struct Identity {
    pub(crate) certificate: Certificate,
    pub(crate) source: Source,
    pub(crate) subject: Subject,
}

/// Where a certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The files of `--cert` and `--key`.
    Files { cert: PathBuf, key: PathBuf },
    /// Self-signed, kept in this folder.
    Folder(PathBuf),
    /// Self-signed, lost when the program ends.
    Memory,
}

impl Identity {
    /// The certificate that the command line asks for; `addresses` are those at which a browser may open the page.
    ///
    /// A `--state-dir` that cannot be written to is an error. If it is the default folder, as in a container without a home,
    /// the certificate lives in memory: the server works, only that browsers ask anew after each start.
    pub(crate) fn choose(
        cli: &Cli,
        addresses: &[IpAddr],
        now: OffsetDateTime,
    ) -> Result<Self, CertificateError> {
        let subject = subject(cli, addresses);
        let from = |source: Source| {
            let certificate = source.certificate(&subject, now)?;
            Ok(Self { certificate, source, subject: subject.clone() })
        };
        if let (Some(cert), Some(key)) = (&cli.cert, &cli.key) {
            return from(Source::Files { cert: cert.clone(), key: key.clone() });
        }
        if let Some(folder) = &cli.state_dir {
            return from(Source::Folder(folder.clone()));
        }
        if let Some(folder) = default_folder() {
            match from(Source::Folder(folder)) {
                Ok(identity) => return Ok(identity),
                Err(error) => tracing::warn!("{error}"),
            }
        }
        from(Source::Memory)
    }
}

impl Source {
    /// What the source holds, or what it makes.
    pub(crate) fn certificate(
        &self,
        subject: &Subject,
        now: OffsetDateTime,
    ) -> Result<Certificate, CertificateError> {
        match self {
            Self::Files { cert, key } => certificate::from_pem_files(cert, key),
            Self::Folder(folder) => certificate::kept(folder, subject, now),
            Self::Memory => certificate::in_memory(subject, now),
        }
    }
}

/// Every name and address under which a browser may open the page.
fn subject(cli: &Cli, reachable: &[IpAddr]) -> Subject {
    let mut names = vec!["localhost".to_owned()];
    names.extend(host::name());
    names.extend(cli.announce.iter().filter_map(|host| match host {
        Host::Name(name) => Some(name.clone()),
        Host::Address(_) => None,
    }));
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    addresses.extend(reachable);
    addresses.extend(Some(cli.listen.ip()).filter(|ip| !ip.is_unspecified()));
    addresses.sort();
    addresses.dedup();
    names.sort();
    names.dedup();
    Subject { names, addresses }
}

/// `hola-webrtc` in `$XDG_STATE_HOME`, or in its counterpart on other systems.
fn default_folder() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("hola-webrtc"))
}
