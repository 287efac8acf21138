//! Pages of other origins may use the server only where it says so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Reply, engine, exchange, request, serve};
use hola_webrtc_server::cors;

async fn preflight(origins: &[&str], origin: &str, target: &str, method: &str) -> Reply {
    let server = engine();
    let app = if origins.is_empty() {
        server.router()
    } else {
        server.router().layer(cors(origins.iter().map(|origin| origin.parse().unwrap())))
    };
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "content-type"),
    ];
    exchange(serve(app).await, &request(&format!("OPTIONS {target}"), &headers, "")).await
}

#[tokio::test]
async fn without_a_layer_no_other_origin_is_let_in() {
    let reply = preflight(&[], "https://a.example", "/offer", "POST").await;
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn the_preflight_lets_in_the_named_origins_only() {
    let origins = ["https://a.example", "http://localhost:8080"];
    for origin in origins {
        for (target, method) in [("/offer", "POST"), ("/sessions/00000000000000000000000000000000", "DELETE")]
        {
            let reply = preflight(&origins, origin, target, method).await;
            assert_eq!(reply.status, 200, "{origin} {method}");
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            assert!(reply.header("access-control-allow-methods").unwrap().contains(method));
            assert_eq!(reply.header("access-control-allow-headers"), Some("content-type"));
            assert_eq!(reply.header("access-control-max-age"), Some("7200"));
            assert!(reply.header("vary").unwrap().contains("origin"));
        }
    }
    for origin in ["https://b.example", "http://a.example", "https://a.example:444", "null"] {
        let reply = preflight(&origins, origin, "/offer", "POST").await;
        assert_eq!(reply.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[tokio::test]
async fn a_star_lets_in_every_origin() {
    let reply = preflight(&["*"], "https://b.example", "/offer", "POST").await;
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn a_refusal_can_be_read_by_an_allowed_origin() {
    let server = engine();
    let address = serve(server.router().layer(cors(["https://a.example".parse().unwrap()]))).await;
    let headers = [("content-type", "application/json"), ("origin", "https://a.example")];
    let reply = exchange(address, &request("POST /offer", &headers, "{}")).await;
    reply.assert_refused(hola_webrtc_protocol::ProblemCode::MissingSdp, "no sdp");
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://a.example"));
    assert_eq!(reply.header("access-control-expose-headers"), Some("location,server-timing,retry-after"));
}
