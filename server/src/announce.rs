//! The host's own addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses at which other hosts may reach this one, IPv4 first: no loopback, and none that is valid on one link
/// only, because such an address needs a zone, which a URL cannot carry.
pub fn host_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the host's addresses cannot be listed");
        Vec::new()
    });
    let mut addresses: Vec<IpAddr> = interfaces
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|ip| !ip.is_loopback() && !is_link_local(*ip))
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// Where clients reach the port that is bound there: at the addresses to announce, or if there are none at the bound
/// one, or at every address of the host.
pub(crate) fn reachable_at(bound: SocketAddr, announce: &[IpAddr]) -> Vec<SocketAddr> {
    let addresses = if !announce.is_empty() {
        announce.iter().map(IpAddr::to_canonical).collect()
    } else if bound.ip().is_unspecified() {
        let mut addresses = with_loopback();
        addresses.retain(|ip| ip.is_ipv4() || bound.is_ipv6());
        addresses
    } else {
        vec![bound.ip().to_canonical()]
    };
    addresses.into_iter().map(|ip| SocketAddr::new(ip, bound.port())).collect()
}

/// As [`host_addresses`], with the loopback addresses at the end.
fn with_loopback() -> Vec<IpAddr> {
    let mut addresses = host_addresses();
    addresses.extend([IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)]);
    addresses
}

const fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_link_are_told_apart() {
        for (ip, expected) in
            [("169.254.1.1", true), ("fe80::1", true), ("192.168.1.5", false), ("2001:db8::1", false)]
        {
            assert_eq!(is_link_local(ip.parse().unwrap()), expected, "{ip}");
        }
        assert!(host_addresses().iter().all(|ip| !ip.is_loopback()));
        assert!(host_addresses().is_sorted());
    }
}
