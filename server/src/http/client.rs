//! Who sent a request, also where proxies stand before the server.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{
        HeaderMap, HeaderName,
        header::{FORWARDED, VIA},
        request::Parts,
    },
};
use ipnet::IpNet;

use super::signalling::Shared;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address: that of the TCP connection, or, if a trusted proxy made it, the one the proxy names, then
/// without a port. `None` if the program does not serve with its clients' addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client(pub(super) Option<SocketAddr>);

impl FromRequestParts<Arc<Shared>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| *peer);
        Ok(Self(peer.map(|peer| client(peer, &parts.headers, &shared.trusted_proxies))))
    }
}

impl Client {
    pub(super) fn is_loopback(self) -> bool {
        self.0.is_some_and(|client| client.ip().is_loopback())
    }
}

/// Whether the request says that it passed through a proxy.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    let says_so = |name: &HeaderName| {
        let is_custom = name.as_str().starts_with("x-forwarded-") || name == "x-real-ip";
        is_custom || *name == FORWARDED || *name == VIA
    };
    headers.keys().any(says_so)
}

fn client(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> SocketAddr {
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    if !is_trusted(&peer.ip()) {
        return peer;
    }
    let by_x_forwarded_for = named(headers, &X_FORWARDED_FOR).map(|hops| first_stranger(hops, is_trusted));
    let by_forwarded = named(headers, &FORWARDED).map(|hops| first_stranger(hops, is_trusted));
    let client = match (by_x_forwarded_for, by_forwarded) {
        // A proxy that writes one of the headers passes the other one on, as the client forged it: only where they
        // agree both can be believed.
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other).flatten(),
    };
    client.map_or(peer, |ip| SocketAddr::new(ip, 0))
}

/// The right-most address that is no trusted proxy's: whatever stands to the left of it is the client's own word.
/// `None` if a proxy names no address.
fn first_stranger(hops: Vec<Option<IpAddr>>, is_trusted: impl Fn(&IpAddr) -> bool) -> Option<IpAddr> {
    let mut last = None;
    for hop in hops.into_iter().rev() {
        last = Some(hop?);
        if !last.as_ref().is_some_and(&is_trusted) {
            break;
        }
    }
    last
}

/// What the header's fields name, from the client to the last proxy.
fn named(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<Option<IpAddr>>> {
    let fields = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let hops: Vec<_> = fields.flat_map(|field| field.split(',')).collect();
    let address = |hop: &&str| if *name == FORWARDED { forwarded_for(hop) } else { address(hop) };
    (!hops.is_empty()).then(|| hops.iter().map(address).collect())
}

/// The `for` of an element of `Forwarded` (RFC 7239, 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(node.trim_matches('"'))
}

/// An IP address, perhaps in brackets, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let ip: Option<IpAddr> = bare.parse().ok();
    let ip = ip.or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()));
    ip.map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(peer: &str, fields: &[(&'static str, &'static str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        client(SocketAddr::new(peer.parse().unwrap(), 9), &headers, &trusted).to_string()
    }

    #[test]
    fn a_proxy_is_known_by_its_headers() {
        let headers = |name: &'static str| {
            HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static("x"))])
        };
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "via"] {
            assert!(is_forwarded(&headers(name)), "{name}");
        }
        assert!(!is_forwarded(&headers("accept")) && !is_forwarded(&HeaderMap::new()));
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        let forged = [("x-forwarded-for", "192.0.2.1")];
        assert_eq!(seen("198.51.100.7", &forged), "198.51.100.7:9");
        assert_eq!(seen("::ffff:198.51.100.7", &forged), "198.51.100.7:9");
        assert_eq!(seen("10.1.1.1", &[]), "10.1.1.1:9");
        assert_eq!(seen("::ffff:10.1.1.1", &forged), "192.0.2.1:0");
    }

    #[test]
    fn the_right_most_address_that_is_no_proxys_counts() {
        for (fields, client) in [
            (&[("x-forwarded-for", "1.1.1.1, 192.0.2.1")][..], "192.0.2.1:0"),
            (&[("x-forwarded-for", "1.1.1.1, 192.0.2.1, 10.9.9.9")], "192.0.2.1:0"),
            (&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.1")], "192.0.2.1:0"),
            (&[("x-forwarded-for", "10.2.2.2, 10.9.9.9")], "10.2.2.2:0"),
            (&[("x-forwarded-for", "[2001:db8::1]:4711, fd00::1")], "[2001:db8::1]:0"),
            (&[("forwarded", "for=1.1.1.1, proto=https;For=\"[2001:db8::1]:4711\"")], "[2001:db8::1]:0"),
            (&[("forwarded", "for=192.0.2.1;by=10.0.0.1")], "192.0.2.1:0"),
            (&[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")], "192.0.2.1:0"),
        ] {
            assert_eq!(seen("10.1.1.1", fields), client, "{fields:?}");
        }
    }

    #[test]
    fn what_cannot_be_believed_counts_for_the_proxy() {
        for fields in [
            &[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.2")][..],
            &[("x-forwarded-for", "192.0.2.1, unknown")],
            &[("x-forwarded-for", "")],
            &[("forwarded", "for=_hidden")],
            &[("forwarded", "proto=https")],
        ] {
            assert_eq!(seen("10.1.1.1", fields), "10.1.1.1:9", "{fields:?}");
        }
    }
}
