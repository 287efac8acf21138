//! The host's own addresses and name.

use std::net::IpAddr;

/// The addresses at which other hosts may reach this one, IPv4 first: no loopback, and none that is valid on one link
/// only, because such an address needs a zone, which a URL cannot carry.
pub(crate) fn addresses() -> Vec<IpAddr> {
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

/// The host's name, if it has one that fits a certificate.
pub(crate) fn name() -> Option<String> {
    let name = gethostname::gethostname().into_string().ok()?.to_ascii_lowercase();
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    (fits && !name.is_empty() && name != "localhost").then_some(name)
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
        assert!(addresses().iter().all(|ip| !ip.is_loopback()));
        assert!(addresses().is_sorted());
    }
}
