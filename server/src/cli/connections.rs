//! The flags that bound what a stranger can make grow in connections.

use std::time::Duration;

use clap::Args;
use hola_webrtc_server::IpNet;

use super::values::{number, time};
use crate::https::Bounds;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of HTTPS")]
pub(crate) struct ConnectionLimits {
    /// How many TCP connections may be open at once
    #[arg(long, env = "HOLA_MAX_CONNECTIONS", value_name = "NUMBER", default_value = "4096", value_parser = number)]
    max_connections: usize,

    /// How many of them may come from one client address (IPv6: from one /64 network)
    #[arg(long, env = "HOLA_MAX_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER", default_value = "256",
          value_parser = number)]
    max_connections_per_address: usize,

    /// How many TLS handshakes may be in flight before the oldest give way
    #[arg(long, env = "HOLA_MAX_HANDSHAKES", value_name = "NUMBER", default_value = "256", value_parser = number)]
    max_handshakes: usize,

    /// How long a client may take for the TLS handshake, for the head of a request, and between two requests
    #[arg(long, env = "HOLA_HEADER_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = time)]
    header_timeout: Duration,

    /// How long a client may read nothing of what is there for it
    #[arg(long, env = "HOLA_WRITE_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = time)]
    write_timeout: Duration,
}

impl ConnectionLimits {
    pub(crate) fn bounds(&self, trusted_proxies: &[IpNet]) -> Bounds {
        Bounds {
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            max_handshakes: self.max_handshakes,
            header_timeout: self.header_timeout,
            write_timeout: self.write_timeout,
            trusted_proxies: trusted_proxies.to_vec(),
        }
    }
}
