//! The server's figures: who may read them, and what HTTP counts in them.

use std::net::SocketAddr;

use crate::common::{engine, exchange, limited, offer, request, serve};
use hola_webrtc_server::{Limits, Metrics, MetricsAccess, ProblemCode};

async fn figures(address: SocketAddr) -> String {
    let reply = exchange(address, &request("GET /metrics", &[], "")).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(Metrics::CONTENT_TYPE)));
    reply.text().to_owned()
}

#[tokio::test]
async fn offers_count_by_what_became_of_them() {
    let server = engine();
    let address = serve(server.router()).await;
    for _ in 0..2 {
        assert_eq!(exchange(address, &offer(&[])).await.status, 201);
    }
    let bad = request("POST /offer", &[("content-type", "application/sdp")], "hello");
    for request in [&bad, &bad, &bad, &request("POST /offer", &[], "x")] {
        assert!(exchange(address, request).await.status >= 400);
    }
    let figures = figures(address).await;
    for line in [
        r#"hola_webrtc_offers_total{outcome="answered"} 2"#,
        r#"hola_webrtc_offers_total{outcome="bad-sdp"} 3"#,
        r#"hola_webrtc_offers_total{outcome="unsupported-media-type"} 1"#,
    ] {
        assert!(figures.contains(line), "{line} is missing in {figures}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn limits_count_when_they_take_effect() {
    let set = |limits: &mut Limits| {
        (limits.max_offer_bytes, limits.max_offer_lines, limits.max_candidates) = (2000, 30, 1);
    };
    let server = limited(set);
    let address = serve(server.router()).await;
    for (limit, body) in [
        ("max-offer-bytes", "x".repeat(2001)),
        ("max-offer-lines", "a=x\n".repeat(31)),
        ("max-candidates", "a=candidate:1\n".repeat(2)),
    ] {
        let line = |count| format!("hola_webrtc_limit_reached_total{{limit=\"{limit}\"}} {count}");
        assert!(figures(address).await.contains(&line(0)), "{limit}");
        let request = request("POST /offer", &[("content-type", "application/sdp")], body);
        assert_eq!(exchange(address, &request).await.status, 413);
        assert!(figures(address).await.contains(&line(1)), "{limit}");
    }
}

#[tokio::test]
async fn guesses_at_the_token_count_as_offers() {
    let server = limited(|limits| (limits.offers_per_second, limits.offer_burst) = (1, 2));
    let signalling = server.signalling().bearer_token("s3cret".parse().unwrap());
    let address = serve(signalling.metrics(MetricsAccess::Nobody).router()).await;
    let read = async |token: &str| {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        exchange(address, &request("GET /metrics", &headers, "")).await.status
    };
    assert_eq!((read("s3cret").await, read("wrong").await), (200, 404));
    assert_eq!(read("s3cret").await, 404, "too many guesses lately, right or wrong");
    let line = "hola_webrtc_limit_reached_total{limit=\"offers-per-second\"} 1\n";
    assert!(server.metrics().encode().contains(line));
}

#[tokio::test]
async fn only_those_who_may_read_the_figures_find_them() {
    let server = engine();
    let plain: &[(&str, &str)] = &[];
    let forwarded = &[("x-forwarded-for", "127.0.0.1")][..];
    let token = &[("authorization", "Bearer s3cret"), ("x-forwarded-for", "192.0.2.1")][..];
    for (access, headers, status) in [
        (MetricsAccess::Loopback, plain, 200),
        (MetricsAccess::Loopback, forwarded, 404),
        (MetricsAccess::Loopback, token, 200),
        (MetricsAccess::Everybody, forwarded, 200),
        (MetricsAccess::Nobody, plain, 404),
        (MetricsAccess::Nobody, token, 200),
    ] {
        let signalling = server.signalling().bearer_token("s3cret".parse().unwrap()).metrics(access);
        let address = serve(signalling.router()).await;
        let reply = exchange(address, &request("GET /metrics", headers, "")).await;
        assert_eq!(reply.status, status, "{access:?} {headers:?}");
        if status == 404 {
            reply.assert_refused(ProblemCode::NotFound, "as on any other path");
        }
    }
    server.shutdown().await;
}
