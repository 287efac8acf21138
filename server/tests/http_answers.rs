//! An offer is answered, in the format that was asked for, and its session can be ended.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::net::SocketAddr;

use axum::Router;
use common::{OFFER, Reply, engine, exchange, request, serve};
use hola_webrtc_protocol::{ProblemCode, SdpType, SessionDescription, Step, sdp, server_timing, signal};
use hola_webrtc_server::{Limits, RtcServer, cors};

const JSON: &str = "application/json";
const SDP: &str = "application/sdp";

async fn post(address: SocketAddr, path: &str, format: &str, headers: &[(&str, &str)]) -> Reply {
    let body = match format {
        SDP => OFFER.to_owned(),
        _ => serde_json::to_string(&SessionDescription::offer(OFFER)).unwrap(),
    };
    let headers = [&[("content-type", format)], headers].concat();
    exchange(address, &request(&format!("POST {path}"), &headers, body)).await
}

fn assert_answer(reply: &Reply, format: &str) {
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some(format));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let answer = if format == SDP {
        reply.text().to_owned()
    } else {
        let answer: SessionDescription = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(answer.kind, SdpType::Answer);
        answer.sdp
    };
    assert!(answer.starts_with("v=0\r\n") && sdp::has_data_channel(&answer), "{answer}");
}

async fn end_all(server: &RtcServer) {
    server.shutdown().await;
    assert_eq!(server.session_count(), 0);
}

#[tokio::test]
async fn the_answer_comes_in_the_format_that_is_asked_for() {
    let server = engine();
    let address = serve(server.router()).await;
    for (sent, accept, expected) in [
        (JSON, None, JSON),
        (SDP, None, SDP),
        (JSON, Some("*/*"), JSON),
        (SDP, Some("*/*"), SDP),
        (JSON, Some(SDP), SDP),
        (SDP, Some(JSON), JSON),
        (SDP, Some("text/html, application/json;q=0.9, */*;q=0.1"), JSON),
    ] {
        let accept: Vec<_> = accept.into_iter().map(|accept| ("accept", accept)).collect();
        assert_answer(&post(address, "/offer", sent, &accept).await, expected);
    }
    assert_eq!(server.session_count(), 7);
    end_all(&server).await;
}

#[tokio::test]
async fn the_parts_of_step_6_are_timed() {
    let server = engine();
    let address = serve(server.router()).await;
    let reply = post(address, "/offer", JSON, &[]).await;
    let steps: Vec<Step> =
        server_timing::decode(reply.header("server-timing").unwrap()).map(|(step, _)| step).collect();
    assert_eq!(
        steps,
        [
            Step::BuildPeer,
            Step::SetRemoteOffer,
            Step::AddHostCandidates,
            Step::CreateAnswer,
            Step::SetLocalAnswer
        ]
    );
    end_all(&server).await;
}

#[tokio::test]
async fn the_location_ends_the_session_once_wherever_the_router_is_nested() {
    for prefix in ["", "/rtc", "/a/b"] {
        let server = engine();
        let router = server.router();
        let app = if prefix.is_empty() { router } else { Router::new().nest(prefix, router) };
        let address = serve(app).await;
        let reply = post(address, &format!("{prefix}/offer?some=query"), JSON, &[]).await;
        let location = reply.header("location").unwrap();
        let id = signal::session_of_location(location).unwrap();
        assert_eq!(location, format!("{prefix}/sessions/{id}"));
        assert_eq!(server.session_count(), 1);

        let delete = request(&format!("DELETE {location}"), &[], "");
        let ended = exchange(address, &delete).await;
        assert_eq!((ended.status, ended.body.len()), (204, 0));
        assert_eq!(server.session_count(), 0);
        exchange(address, &delete).await.assert_refused(ProblemCode::NotFound, "ended already");
    }
}

#[tokio::test]
async fn a_full_server_says_when_to_come_again() {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut limits = Limits::default();
    limits.max_sessions = 1;
    let server = RtcServer::builder().listen(listen).limits(limits).start().unwrap();
    let address = serve(server.router()).await;
    assert_answer(&post(address, "/offer", JSON, &[]).await, JSON);
    let refused = post(address, "/offer", JSON, &[]).await;
    refused.assert_refused(ProblemCode::Unavailable, "full");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(server.session_count(), 1);
    end_all(&server).await;
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_the_answer() {
    let server = engine();
    let address = serve(server.router().layer(cors(["https://a.example".parse().unwrap()]))).await;
    let allowed = post(address, "/offer", JSON, &[("origin", "https://a.example")]).await;
    assert_answer(&allowed, JSON);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://a.example"));
    assert_eq!(allowed.header("access-control-expose-headers"), Some("location,server-timing,retry-after"));
    end_all(&server).await;
}
