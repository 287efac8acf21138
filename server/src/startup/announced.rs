//! The addresses that answers name: from addresses and names on the command line.

use std::{io, net::IpAddr, path::Path, time::Duration};

use hola_webrtc_server::RtcServer;
use tokio::{net::lookup_host, time::timeout};

use crate::cli::Host;

/// How long a running server waits for a name server: as long as resolvers wait for one of theirs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a name stands for no address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("the name {name} of --announce cannot be resolved: {error}")]
    Failed { name: String, error: io::Error },
    #[error("the name {name} of --announce has no address")]
    Empty { name: String },
}

/// Every address that the hosts stand for, in their order, IPv4 and IPv6, each once.
pub(crate) async fn resolve(hosts: &[Host]) -> Result<Vec<IpAddr>, ResolveError> {
    let mut addresses = Vec::new();
    for host in hosts {
        let found = match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => look_up(name).await?,
        };
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    Ok(addresses)
}

/// Looks up anew what the hosts stand for, or which addresses this host has if there are none, and lets the server
/// announce it. If a name cannot be resolved, nothing changes.
pub(crate) async fn renew(hosts: &[Host], server: &RtcServer) {
    let announced = match timeout(PATIENCE, resolve(hosts)).await {
        Ok(Ok(addresses)) => server.announce(&addresses).map_err(|error| error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the names of --announce are not resolved in time".to_owned()),
    };
    match announced {
        Ok(true) => {
            let addresses = server.announced();
            tracing::info!(?addresses, "answers name other addresses from now on");
        }
        Ok(false) => tracing::debug!("answers name the same addresses as before"),
        Err(error) => tracing::warn!("answers name the same addresses as before: {error}"),
    }
}

async fn look_up(name: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let found = lookup_host((name, 0)).await;
    let found = found.map_err(|error| ResolveError::Failed { name: name.to_owned(), error })?;
    let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    if addresses.is_empty() { Err(ResolveError::Empty { name: name.to_owned() }) } else { Ok(addresses) }
}

/// What to tell an operator who announces nothing, if clients may not find this server.
///
/// `root` is the root of the file system, `of_host` are the host's addresses without loopback.
pub(crate) fn hint(
    announced: &[Host],
    listen: IpAddr,
    of_host: &[IpAddr],
    root: &Path,
) -> Option<&'static str> {
    if !announced.is_empty() {
        return None;
    }
    if listen.is_loopback() || (listen.is_unspecified() && of_host.is_empty()) {
        return Some("only this host can reach the server: it listens on its loopback addresses alone");
    }
    // The marks that Docker and Podman leave.
    let is_container = ["run/.containerenv", ".dockerenv"].iter().any(|mark| root.join(mark).exists());
    is_container.then_some(
        "this seems to be a container: clients outside find the server only at an address they can reach; name that of \
         the host with --announce, and publish the port for TCP and for UDP under the same number",
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, net::SocketAddr};

    use super::*;

    fn hosts(texts: &[&str]) -> Vec<Host> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn addresses_keep_their_order_and_names_become_addresses() {
        let addresses =
            resolve(&hosts(&["2001:db8::1", "localhost", "192.0.2.1", "192.0.2.1"])).await.unwrap();
        assert_eq!(addresses.first(), Some(&"2001:db8::1".parse().unwrap()));
        assert_eq!(addresses.last(), Some(&"192.0.2.1".parse().unwrap()));
        assert!(addresses[1..addresses.len() - 1].iter().all(IpAddr::is_loopback));
        assert!(addresses.len() >= 3, "{addresses:?}");
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_is_named() {
        // https://www.rfc-editor.org/rfc/rfc6761#section-6.4
        let error = resolve(&hosts(&["nobody.invalid"])).await.unwrap_err().to_string();
        assert!(error.starts_with("the name nobody.invalid of --announce "), "{error}");
    }

    #[tokio::test]
    async fn told_to_look_again_the_server_announces_what_the_names_stand_for_now() {
        let before = ["192.0.2.1".parse().unwrap()];
        let server = RtcServer::builder().listen("127.0.0.1:0".parse().unwrap()).announce(before);
        let server = server.start().unwrap();
        let announced = || server.announced().iter().map(SocketAddr::ip).collect::<Vec<_>>();
        renew(&hosts(&["192.0.2.2", "nobody.invalid"]), &server).await;
        assert_eq!(announced(), before, "one of them cannot be resolved");
        renew(&hosts(&["localhost", "192.0.2.2"]), &server).await;
        assert!(announced().len() >= 2 && announced()[0].is_loopback(), "{:?}", announced());
        assert!(server.announced().iter().all(|address| address.port() == server.local_addr().port()));
        renew(&[], &server).await;
        assert_eq!(*server.announced(), [server.local_addr()]);
    }

    #[test]
    fn whoever_announces_nothing_from_a_container_is_told() {
        let root = tempfile::tempdir().unwrap();
        let every = "::".parse().unwrap();
        let of_host = ["172.17.0.2".parse().unwrap()];
        assert_eq!(hint(&[], every, &of_host, root.path()), None);
        fs::write(root.path().join(".dockerenv"), "").unwrap();
        assert!(hint(&[], every, &of_host, root.path()).unwrap().contains("--announce"));
        assert_eq!(hint(&hosts(&["192.0.2.1"]), every, &of_host, root.path()), None);
    }

    #[test]
    fn whoever_listens_on_loopback_only_is_told() {
        let root = tempfile::tempdir().unwrap();
        let of_host = ["192.0.2.1".parse().unwrap()];
        assert!(hint(&[], "127.0.0.1".parse().unwrap(), &of_host, root.path()).is_some());
        assert!(hint(&[], "0.0.0.0".parse().unwrap(), &[], root.path()).is_some());
        assert_eq!(hint(&[], "192.0.2.1".parse().unwrap(), &of_host, root.path()), None);
    }
}
