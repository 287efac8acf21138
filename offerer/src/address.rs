//! Where offers go, and which of the server's addresses the datagrams go to.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
};

use hola_webrtc_protocol::{sdp, signal};
use hyper::Uri;
use tokio::net::lookup_host;

use crate::ConnectError;

/// The URL that offers go to.
pub fn offer_url(url: &str) -> Result<Uri, ConnectError> {
    let invalid = || ConnectError::InvalidUrl(url.to_owned());
    let given: Uri = url.parse().map_err(|_| invalid())?;
    let is_http = matches!(given.scheme_str(), Some("http" | "https")) && given.host().is_some();
    // Whatever stands behind a path would end up within it.
    if !is_http || url.contains(['?', '#']) {
        return Err(invalid());
    }
    let url = url.trim_end_matches('/');
    let path = if url.ends_with(signal::OFFER_PATH) { "" } else { signal::OFFER_PATH };
    format!("{url}{path}").parse().map_err(|_| invalid())
}

/// The first address of each family that the URL's host has: one at least.
pub async fn servers_of(url: &Uri) -> Result<Vec<IpAddr>, ConnectError> {
    let invalid = || ConnectError::InvalidUrl(url.to_string());
    let host = url.host().ok_or_else(invalid)?.trim_matches(['[', ']']);
    let addresses: Vec<IpAddr> = lookup_host((host, 0)).await?.map(|address| address.ip()).collect();
    let first = *addresses.first().ok_or_else(invalid)?;
    let other = addresses.into_iter().find(|address| address.is_ipv4() != first.is_ipv4());
    Ok([first].into_iter().chain(other).collect())
}

/// Which address to connect to instead of the first, because the answer has candidates of its family alone: a name may have
/// addresses at which its server takes no datagrams, as `localhost` and the names of proxies do.
pub fn better_of(servers: &[IpAddr], answer: &str) -> Option<IpAddr> {
    let is_reached = |server: &IpAddr| {
        let addresses = sdp::candidates(answer).filter_map(|candidate| candidate.address.parse().ok());
        addresses.into_iter().any(|address: IpAddr| address.is_ipv4() == server.is_ipv4())
    };
    let reached = *servers.iter().find(|server| is_reached(server))?;
    (reached != servers[0]).then_some(reached)
}

/// The address of this host that datagrams to the server come from.
pub(crate) fn source_towards(server: IpAddr) -> io::Result<IpAddr> {
    const ANY_PORT: u16 = 9;
    let any = SocketAddr::new(if server.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() }, 0);
    let socket = UdpSocket::bind(any)?;
    socket.connect((server, ANY_PORT))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_go_beneath_the_base_url() {
        let url = |url: &str| offer_url(url).map(|url| url.to_string());
        assert_eq!(url("https://host:8443").unwrap(), "https://host:8443/offer");
        assert_eq!(url("http://host/rtc/").unwrap(), "http://host/rtc/offer");
        assert_eq!(url("http://host/rtc/offer").unwrap(), "http://host/rtc/offer");
        assert_eq!(url("http://host/rtc/offer/").unwrap(), "http://host/rtc/offer");
        for bad in ["", "host:1", "ftp://host", "/offer", "http://host/rtc?x=1", "http://host/#a"] {
            assert!(url(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn of_the_addresses_of_a_name_the_one_is_taken_whose_family_the_answer_has() {
        let (old, new) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]));
        let answer = |address: &str| format!("a=candidate:1 1 udp 1 {address} 9 typ host\r\n");
        assert_eq!(better_of(&[new, old], &answer("192.0.2.1")), Some(old));
        assert_eq!(better_of(&[new, old], &(answer("192.0.2.1") + &answer("2001:db8::1"))), None);
        assert_eq!(better_of(&[new], &answer("192.0.2.1")), None);
        assert_eq!(better_of(&[new, old], "v=0\r\n"), None);
    }

    #[test]
    fn the_source_towards_the_loopback_is_the_loopback() {
        assert_eq!(source_towards([127, 0, 0, 1].into()).unwrap(), IpAddr::from([127, 0, 0, 1]));
    }
}
