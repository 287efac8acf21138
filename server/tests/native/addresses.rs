//! Which addresses the server is reached at, and from which it replies.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use hola_webrtc_server::host_addresses;

use crate::{
    echo::messages,
    offerer::Offerer,
    relay::Relay,
    stand::{LOCALHOST, Stand},
};

const INTERVAL: Duration = Duration::from_secs(30);

/// The addresses of this host, loopback included, that a socket of the family can be reached at.
fn reachable(ipv6: bool) -> Vec<IpAddr> {
    let mut addresses = host_addresses();
    addresses.extend([LOCALHOST, Ipv6Addr::LOCALHOST.into()]);
    addresses.retain(|ip| (ipv6 || ip.is_ipv4()) && UdpSocket::bind((*ip, 0)).is_ok());
    addresses
}

/// Connects through a relay that lets only datagrams from this address pass, and echoes.
async fn assert_served_at(stand: &Stand, server: SocketAddr) {
    let relay = Relay::between(server.ip(), server).await;
    let mut offerer = Offerer::new(LOCALHOST).await;
    let line = offerer.channel("any").await;
    let answer = stand.post(&offerer.offer().await).await;
    offerer.accept(&answer.rewritten(relay.address)).await;
    line.opened().await;
    line.assert_echoes(&messages()).await;
    offerer.close().await;
}

/// Connects without a relay to the one candidate of this address.
async fn assert_candidate_works(stand: &Stand, ip: IpAddr) {
    let mut offerer = Offerer::new(ip).await;
    let line = offerer.channel("any").await;
    let answer = stand.post(&offerer.offer().await).await;
    let only = answer.only(ip);
    assert_eq!(only.matches("a=candidate:").count(), 1, "{only}");
    offerer.accept(&only).await;
    line.opened().await;
    line.assert_echoes(&messages()).await;
    offerer.close().await;
}

#[tokio::test]
async fn on_the_unspecified_address_every_address_of_the_host_replies_for_itself() {
    for listen in ["[::]:0", "0.0.0.0:0"] {
        if listen.starts_with('[') && UdpSocket::bind(listen).is_err() {
            continue; // a host without IPv6
        }
        let stand = Stand::with(listen, &[], INTERVAL).await;
        let bound = stand.server.local_addr();
        for ip in reachable(bound.is_ipv6()) {
            assert!(stand.server.announced().contains(&SocketAddr::new(ip, bound.port())), "{ip}");
            assert_candidate_works(&stand, ip).await;
            assert_served_at(&stand, SocketAddr::new(ip, bound.port())).await;
        }
    }
}

#[tokio::test]
async fn on_one_address_that_one_alone_is_named_and_replies() {
    for ip in reachable(true) {
        let stand = Stand::with(&SocketAddr::new(ip, 0).to_string(), &[], INTERVAL).await;
        assert_eq!(*stand.server.announced(), [stand.server.local_addr()]);
        assert_candidate_works(&stand, ip).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_announced_address_that_is_not_the_bound_one_is_named_and_replies() {
    // All of 127.0.0.0/8 is the loopback's.
    let announced = IpAddr::from([127, 0, 0, 2]);
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let Ok(_) = UdpSocket::bind(listen) else { continue };
        let stand = Stand::with(listen, &[announced], INTERVAL).await;
        assert_candidate_works_from(&stand, LOCALHOST, announced).await;
    }
}

#[cfg(target_os = "linux")]
async fn assert_candidate_works_from(stand: &Stand, client: IpAddr, server: IpAddr) {
    let mut offerer = Offerer::new(client).await;
    let line = offerer.channel("any").await;
    let answer = stand.post(&offerer.offer().await).await;
    assert_eq!(answer.sdp, answer.only(server), "no other address is named");
    offerer.accept(&answer.sdp).await;
    line.opened().await;
    line.assert_echoes(&messages()).await;
    offerer.close().await;
}

#[tokio::test]
async fn behind_a_translator_the_announced_address_is_named_and_the_bound_one_serves() {
    // Addresses for documentation (RFC 5737, RFC 3849): the translator's outside, which the relay stands for.
    let outside: [IpAddr; 2] = [[203, 0, 113, 7].into(), "2001:db8::7".parse().unwrap()];
    for listen in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
        let Ok(_) = UdpSocket::bind(listen) else { continue };
        let stand = Stand::with(listen, &outside, INTERVAL).await;
        let port = stand.server.local_addr().port();
        assert_eq!(*stand.server.announced(), outside.map(|ip| SocketAddr::new(ip, port)));
        assert_served_at(&stand, SocketAddr::new(LOCALHOST, port)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn other_addresses_are_named_while_the_server_runs_and_nobody_is_dropped() {
    let stand = Stand::with("0.0.0.0:0", &[LOCALHOST], INTERVAL).await;
    let mut offerer = Offerer::new(LOCALHOST).await;
    let line = offerer.channel("any").await;
    let answer = stand.post(&offerer.offer().await).await;
    offerer.accept(&answer.sdp).await;
    line.opened().await;

    let other = IpAddr::from([127, 0, 0, 2]);
    assert!(stand.server.announce(&[other]).unwrap());
    assert!(!stand.server.announce(&[other]).unwrap(), "they are the same");
    assert_candidate_works_from(&stand, LOCALHOST, other).await;
    line.assert_echoes(&messages()).await;
    offerer.close().await;
}
