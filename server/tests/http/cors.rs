//! Pages of other origins may use the server only where it says so.

use crate::common::{OFFER, Reply, engine, exchange, offer, request, serve};
use axum::Router;
use hola_webrtc_protocol::ProblemCode;
use hola_webrtc_server::RtcServer;

const A: &str = "https://a.example";
const EVERY_TARGET: [(&str, &str); 7] = [
    ("/offer", "POST"),
    ("/sessions/00000000000000000000000000000000", "DELETE"),
    ("/sessions/00000000000000000000000000000000", "PATCH"),
    ("/sessions/00000000000000000000000000000000/events", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/none", "GET"),
];

fn app(server: &RtcServer, origins: &[&str]) -> Router {
    server.signalling().allow_origins(origins.iter().map(|origin| origin.parse().unwrap())).router()
}

async fn preflight(origins: &[&str], origin: &str, target: &str, method: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "content-type"),
    ];
    let address = serve(app(&engine(), origins)).await;
    exchange(address, &request(&format!("OPTIONS {target}"), &headers, "")).await
}

#[tokio::test]
async fn by_default_no_other_origin_is_let_in_anywhere() {
    for (target, method) in EVERY_TARGET {
        let reply = preflight(&[], A, target, method).await;
        reply.assert_refused(ProblemCode::ForbiddenOrigin, target);
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn an_offer_of_a_foreign_page_leaves_nothing_behind() {
    let server = engine();
    let address = serve(app(&server, &["https://b.example"])).await;
    for origin in [A, "http://b.example", "https://b.example:444", "null", "http://localhost:1", "\u{f1}"] {
        let reply = exchange(address, &offer(&[("origin", origin)])).await;
        reply.assert_refused(ProblemCode::ForbiddenOrigin, origin);
        assert!(reply.headers("vary").any(|vary| vary == "origin"));
    }
    assert_eq!(server.session_count(), 0);
}

#[tokio::test]
async fn pages_of_the_own_origin_need_no_leave() {
    let server = engine();
    let address = serve(app(&server, &[])).await;
    for headers in [
        [("origin", "http://localhost"), ("x", "y")],
        [("origin", "https://localhost"), ("x", "y")],
        [("origin", "https://public.example"), ("sec-fetch-site", "same-origin")],
    ] {
        assert_eq!(exchange(address, &offer(&headers)).await.status, 201, "{headers:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn the_preflight_lets_in_the_named_origins_only() {
    let origins = [A, "http://localhost:8080"];
    for origin in origins {
        for (target, method) in EVERY_TARGET.iter().take(4) {
            let reply = preflight(&origins, origin, target, method).await;
            assert_eq!(reply.status, 204, "{origin} {method}");
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            assert!(reply.header("access-control-allow-methods").unwrap().contains(method));
            let headers = "content-type, authorization, if-match, last-event-id";
            assert_eq!(reply.header("access-control-allow-headers"), Some(headers));
            assert_eq!(reply.header("access-control-max-age"), Some("7200"));
            assert_eq!(reply.header("vary"), Some("origin"));
        }
    }
    let reply = preflight(&origins, "https://b.example", "/offer", "POST").await;
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_star_lets_in_every_origin() {
    for origin in ["https://b.example", "null"] {
        let reply = preflight(&["*"], origin, "/offer", "POST").await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, Some("*")));
    }
}

#[tokio::test]
async fn every_reply_can_be_read_by_an_allowed_origin() {
    let server = engine();
    let address = serve(app(&server, &[A])).await;
    let json = [("content-type", "application/json"), ("origin", A)];
    let sdp = [("content-type", "application/sdp"), ("origin", A)];
    for (target, headers, body, status) in [
        ("POST /offer", &sdp[..], OFFER, 201),
        ("POST /offer", &json, "{}", 400),
        ("GET /offer", &json[1..], "", 405),
        ("DELETE /sessions/1", &json[1..], "", 404),
        ("GET /sessions/1/events", &json[1..], "", 404),
        ("GET /none", &json[1..], "", 404),
        ("GET /healthz", &json[1..], "", 200),
    ] {
        let reply = exchange(address, &request(target, headers, body)).await;
        assert_eq!(reply.status, status, "{target}");
        assert_eq!(reply.header("access-control-allow-origin"), Some(A), "{target}");
        let exposed = reply.header("access-control-expose-headers").unwrap();
        for name in ["location", "etag", "link", "server-timing", "retry-after", "accept-patch"] {
            assert!(exposed.split(", ").any(|exposed| exposed == name), "{name}");
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_fallback_is_guarded_as_well() {
    let fallback = Router::new().fallback(async || "page");
    let signalling = engine().signalling().allow_origins([A.parse().unwrap()]).fallback(fallback);
    let address = serve(signalling.router()).await;
    for (origin, status) in [(A, 200), ("https://b.example", 403)] {
        let reply = exchange(address, &request("GET /app.js", &[("origin", origin)], "")).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("access-control-allow-origin").is_some(), status == 200);
    }
}
