//! What the operator reads when the server is up.

use std::{
    fmt,
    io::{self, Write},
    net::{IpAddr, SocketAddr},
};

use super::identity::{Identity, Source};

/// A server that is up.
pub(crate) struct Report<'a> {
    /// Where HTTPS listens.
    pub(crate) bound: SocketAddr,
    /// The host's addresses.
    pub(crate) host: &'a [IpAddr],
    /// The addresses that answers name.
    pub(crate) udp: &'a [SocketAddr],
    /// The certificate.
    pub(crate) identity: &'a Identity,
}

impl Report<'_> {
    /// Writes it to standard output; if nobody reads that, the server runs all the same.
    pub(crate) fn print(&self) {
        let mut output = io::stdout().lock();
        let _ = write!(output, "{self}").and_then(|()| output.flush());
    }

    /// The page's addresses, the nearest first.
    fn urls(&self) -> Vec<String> {
        let port = self.bound.port();
        if !self.bound.ip().is_unspecified() {
            return vec![format!("https://{}/", self.bound)];
        }
        let reachable = self.host.iter().filter(|ip| self.bound.is_ipv6() || ip.is_ipv4());
        let hosts = reachable.map(|ip| format!("https://{}/", SocketAddr::new(*ip, port)));
        [format!("https://localhost:{port}/")].into_iter().chain(hosts).collect()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = |title: &str, lines: &[String]| {
            lines.iter().enumerate().try_for_each(|(index, line)| {
                writeln!(f, "  {:<13}{line}", if index == 0 { title } else { "" })
            })
        };
        let certificate = match &self.identity.source {
            Source::Files { cert, .. } => format!("from {}", cert.display()),
            Source::Folder(path) => {
                format!("self-signed, kept in {}; the browser asks once whether to trust it", path.display())
            }
            Source::Memory => {
                "self-signed, not kept (choose a folder with --state-dir); the browser asks after each start"
                    .to_owned()
            }
        };
        let udp: Vec<String> = self.udp.iter().map(ToString::to_string).collect();
        lines("open", &self.urls())?;
        lines("WebRTC", &[format!("UDP {}", udp.join(", "))])?;
        lines("certificate", &[certificate, format!("SHA-256 {}", self.identity.certificate.fingerprint())])?;
        lines("stop", &["Ctrl-C".to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::certificate::{Subject, in_memory};

    fn report(bound: &str) -> String {
        let subject = Subject { names: vec!["localhost".to_owned()], addresses: Vec::new() };
        let certificate = in_memory(&subject, datetime!(2026-01-01 0:00 UTC)).unwrap();
        let identity = Identity { certificate, source: Source::Memory, subject };
        let host = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let udp = ["192.0.2.1:8443".parse().unwrap()];
        Report { bound: bound.parse().unwrap(), host: &host, udp: &udp, identity: &identity }.to_string()
    }

    #[test]
    fn every_address_that_the_page_can_be_opened_at_is_named() {
        let all = report("[::]:8443");
        assert!(all.starts_with("  open         https://localhost:8443/\n"), "{all}");
        assert!(all.contains(" https://192.0.2.1:8443/\n") && all.contains(" https://[2001:db8::1]:8443/\n"));
        assert!(all.contains("  WebRTC       UDP 192.0.2.1:8443\n"), "{all}");
        assert!(!report("0.0.0.0:8443").contains("2001:db8::1"));
        let one = report("127.0.0.1:8443");
        assert!(one.starts_with("  open         https://127.0.0.1:8443/\n"), "{one}");
        assert!(!one.contains("https://192.0.2.1"));
    }
}
