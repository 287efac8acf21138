//! Everything that HTTPS serves: the signalling, and the page beneath it.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Version, header::CONNECTION},
    middleware::{self, Next},
    response::Response,
};
use hola_webrtc_server::RtcServer;

use super::clock;
use crate::{
    cli::{Cli, SignallingError},
    page,
};

/// The whole application.
pub(crate) fn app(server: &RtcServer, cli: &Cli) -> Result<Router, SignallingError> {
    let signalling = cli.signalling.apply(server.signalling())?;
    let signalling = signalling.metrics(cli.operation.metrics.into()).fallback(page::router());
    let router = signalling.router().layer(middleware::from_fn_with_state(server.clone(), say_goodbye));
    Ok(router.layer(middleware::from_fn(clock::date)))
}

/// While the server stops, each reply on a connection of HTTP/1.1 is its last (RFC 9112, 9.6). HTTP/2 says so by itself,
/// at the end.
async fn say_goodbye(State(server): State<RtcServer>, request: Request, next: Next) -> Response {
    let has_connections = request.version() < Version::HTTP_2;
    let mut response = next.run(request).await;
    if has_connections && !server.is_ready() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
