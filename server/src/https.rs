//! HTTPS: TLS, HTTP/2 and HTTP/1.1 on one TCP port. Nobody who dawdles, floods or does not read holds up anybody else.

mod gate;
mod handshakes;
mod heads;
mod places;
mod progress;
mod prompt;
mod requests;
#[cfg(test)]
mod tests;
mod unstalled;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{Router, middleware};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hola_webrtc_server::{IpNet, Metrics};
use hyper_util::rt::TokioTimer;

use self::gate::Gate;

/// How often a connection of HTTP/2 is asked whether it still lives.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How many requests one connection of HTTP/2 may have open.
const MAX_STREAMS: u32 = 64;

/// What a connection may have sent that no handler has read yet, in bytes: for one request, and for all of HTTP/2. The
/// largest request is an offer.
const REQUEST_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// What bounds the connections.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// How many may be open at once.
    pub(crate) max_connections: usize,
    /// How many of them may come from one address; an IPv6 address counts by its /64 network.
    pub(crate) max_connections_per_address: usize,
    /// How many TLS handshakes may be in flight.
    pub(crate) max_handshakes: usize,
    /// How long a client may take for the TLS handshake, then for its first bytes, and for the head of each request.
    /// A kept-alive connection is closed when it stays idle for as long.
    pub(crate) header_timeout: Duration,
    /// How long a client may read nothing of what is there for it.
    pub(crate) write_timeout: Duration,
    /// Proxies, which bring the connections of many clients.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// Serves until the handle says to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: RustlsConfig,
    app: Router,
    bounds: Bounds,
    metrics: Arc<Metrics>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let header_timeout = bounds.header_timeout;
    let gate = Gate::new(tls, bounds, metrics);
    let mut server = axum_server::from_tcp(listener)?.acceptor(gate).handle(handle);
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(REQUEST_WINDOW as usize)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(header_timeout)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(REQUEST_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let app = app.layer(middleware::from_fn(progress::watch));
    server.serve(app.into_make_service_with_connect_info::<SocketAddr>()).await
}
