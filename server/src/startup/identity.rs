//! Which certificate the server shows, and where it comes from.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use etcetera::BaseStrategy;
use time::OffsetDateTime;

use crate::{
    certificate::{self, Certificate, CertificateError, Subject},
    cli::Cli,
    host,
};

/// The certificate and its source.
pub(crate) struct Identity {
    pub(crate) certificate: Certificate,
    pub(crate) source: Source,
}

/// Where a certificate comes from.
pub(crate) enum Source {
    /// The file of `--cert`.
    File(PathBuf),
    /// Self-signed, kept in this folder.
    Folder(PathBuf),
    /// Self-signed, lost when the program ends.
    Memory,
}

impl Identity {
    /// The certificate that the command line asks for.
    ///
    /// A `--state-dir` that cannot be written to is an error. If it is the default folder, as in a container without a home,
    /// the certificate lives in memory: the server works, only that browsers ask anew after each start.
    pub(crate) fn choose(cli: &Cli, addresses: &[IpAddr]) -> Result<Self, CertificateError> {
        if let (Some(cert), Some(key)) = (&cli.cert, &cli.key) {
            let certificate = certificate::from_pem_files(cert, key)?;
            return Ok(Self { certificate, source: Source::File(cert.clone()) });
        }
        let subject = subject(cli, addresses);
        let now = OffsetDateTime::now_utc();
        if let Some(folder) = &cli.state_dir {
            let certificate = certificate::kept(folder, &subject, now)?;
            return Ok(Self { certificate, source: Source::Folder(folder.clone()) });
        }
        if let Some(folder) = default_folder() {
            match certificate::kept(&folder, &subject, now) {
                Ok(certificate) => return Ok(Self { certificate, source: Source::Folder(folder) }),
                Err(error) => tracing::warn!("{error}"),
            }
        }
        Ok(Self { certificate: certificate::in_memory(&subject, now)?, source: Source::Memory })
    }
}

/// Every name and address under which a browser may open the page.
fn subject(cli: &Cli, of_host: &[IpAddr]) -> Subject {
    let mut names = vec!["localhost".to_owned()];
    names.extend(host::name());
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    addresses.extend(of_host);
    addresses.extend(&cli.announce);
    addresses.extend(Some(cli.listen.ip()).filter(|ip| !ip.is_unspecified()));
    addresses.sort();
    addresses.dedup();
    Subject { names, addresses }
}

/// `hola-webrtc` in `$XDG_STATE_HOME`, or in its counterpart on other systems.
fn default_folder() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("hola-webrtc"))
}
