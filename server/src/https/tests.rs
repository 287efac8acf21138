use super::*;

/// Bounds that nobody meets.
pub(super) fn bounds() -> Bounds {
    Bounds {
        max_connections: 1000,
        max_connections_per_address: 1000,
        max_handshakes: 1000,
        header_timeout: Duration::from_mins(5),
        write_timeout: Duration::from_mins(5),
        trusted_proxies: Vec::new(),
    }
}
