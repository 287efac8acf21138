//! Everything that HTTPS serves: the signalling, the metrics, and the page beneath them.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderValue, Version,
        header::{CONNECTION, CONTENT_TYPE, FORWARDED},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use hola_webrtc_protocol::{ProblemCode, signal::METRICS_PATH};
use hola_webrtc_server::{Metrics, Refusal, RtcServer};

use crate::{
    cli::{Audience, Cli, FileError},
    page,
};

/// The whole application.
pub(crate) fn app(server: &RtcServer, cli: &Cli) -> Result<Router, FileError> {
    let beneath = metrics(server.metrics().clone(), cli.operation.metrics).merge(page::router());
    let signalling = cli.signalling.apply(server.signalling())?.fallback(beneath).router();
    Ok(signalling.layer(middleware::from_fn_with_state(server.clone(), say_goodbye)))
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

fn metrics(metrics: Arc<Metrics>, audience: Audience) -> Router {
    let read = async move |ConnectInfo(client): ConnectInfo<SocketAddr>, headers: HeaderMap| {
        let is_allowed = match audience {
            Audience::Local => is_local(client, &headers),
            Audience::Public => true,
            Audience::Off => false,
        };
        if is_allowed {
            ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], metrics.encode()).into_response()
        } else {
            Refusal::new(ProblemCode::NotFound, "neither a file of the page nor a resource").into_response()
        }
    };
    Router::new().route(METRICS_PATH, get(read))
}

/// Whether a program on this host asks, and not a proxy on this host for somebody else.
fn is_local(client: SocketAddr, headers: &HeaderMap) -> bool {
    let is_forwarded = headers.contains_key(FORWARDED)
        || headers.keys().any(|name| name.as_str().starts_with("x-forwarded-") || name == "x-real-ip");
    client.ip().to_canonical().is_loopback() && !is_forwarded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_through_a_proxy_on_this_host_is_not_local() {
        let local = "[::ffff:127.0.0.1]:50000".parse().unwrap();
        let remote = "192.0.2.1:50000".parse().unwrap();
        assert!(is_local(local, &HeaderMap::new()));
        assert!(!is_local(remote, &HeaderMap::new()));
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"] {
            let forwarded = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static("x"))]);
            assert!(!is_local(local, &forwarded), "{name}");
        }
    }
}
