//! What a connection passes before it may ask for anything: a place, the TLS handshake, its first bytes.

use std::{future::Future, io, pin::Pin, sync::Arc};

use axum_server::{
    accept::Accept,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hola_webrtc_server::{Limit, Metrics};
use tokio::net::TcpStream;
use tower_http::add_extension::AddExtension;

use super::{
    Bounds,
    handshakes::Handshakes,
    places::{Place, Places},
    progress::Progress,
    prompt::Prompt,
    unstalled::Unstalled,
};

#[derive(Clone)]
pub(super) struct Gate {
    tls: RustlsAcceptor,
    bounds: Bounds,
    metrics: Arc<Metrics>,
    places: Arc<Places>,
    handshakes: Arc<Handshakes>,
}

impl Gate {
    pub(super) fn new(tls: RustlsConfig, bounds: Bounds, metrics: Arc<Metrics>) -> Self {
        Self {
            tls: RustlsAcceptor::new(tls).handshake_timeout(bounds.header_timeout),
            places: Arc::new(Places::new(&bounds, metrics.clone())),
            handshakes: Arc::new(Handshakes::new(bounds.max_handshakes, metrics.clone())),
            bounds,
            metrics,
        }
    }
}

/// A connection that has its place, and does not stall.
type Socket = Unstalled<TcpStream, Place>;

impl<S: Send + 'static> Accept<TcpStream, S> for Gate {
    type Stream = Prompt<<RustlsAcceptor as Accept<Socket, S>>::Stream>;
    type Service = AddExtension<S, Progress>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    /// A connection that finds no place is closed at once: to let it wait in the backlog would stall everybody for as
    /// long as those who hold the places like, while a client that is turned away can try another node.
    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Self { tls, bounds, metrics, places, handshakes } = self.clone();
        Box::pin(async move {
            let client = stream.peer_addr()?.ip();
            let place = places.take(client).map_err(|limit| {
                metrics.limit_reached(limit);
                io::Error::from(io::ErrorKind::ConnectionRefused)
            })?;
            prepare(&stream, &bounds);
            let stream = Unstalled::new(stream, bounds.write_timeout, metrics.clone(), place);

            let handshake = handshakes.begin(client);
            let accepted = tokio::select! {
                accepted = tls.accept(stream, service) => accepted,
                () = handshake.gives_way() => Err(io::ErrorKind::ConnectionAborted.into()),
            };
            drop(handshake);
            let (stream, service) = accepted.inspect_err(|error| {
                if error.kind() == io::ErrorKind::TimedOut {
                    metrics.limit_reached(Limit::HeaderTimeout);
                }
            })?;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let progress = Progress::default();
            let mut stream = Prompt::new(stream, is_http2, bounds.header_timeout, metrics);
            if is_http2 {
                stream.expect(progress.clone(), bounds.header_timeout, bounds.write_timeout);
            }
            Ok((stream, AddExtension::new(service, progress)))
        })
    }
}

/// Settings that make a connection faster, or end it sooner; it works without them.
fn prepare(stream: &TcpStream, bounds: &Bounds) {
    // Replies are written whole: there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    // Who vanished while a few bytes were under way, such as the comments in a stream of events, is noticed by the
    // kernel alone.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(2 * bounds.write_timeout));
}
