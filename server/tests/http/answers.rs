//! An offer is answered, in the format that was asked for, and its session can be ended.

use std::net::SocketAddr;

use crate::common::{OFFER, Reply, engine, exchange, request, serve};
use axum::Router;
use hola_webrtc_protocol::{ProblemCode, SdpType, SessionDescription, Step, sdp, server_timing, signal};
use hola_webrtc_server::RtcServer;

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
async fn the_location_is_absolute_under_the_public_url() {
    let server = engine();
    let signalling = server.signalling().public_url("https://node7.example.org:8443/rtc/".parse().unwrap());
    let address = serve(Router::new().nest("/inner", signalling.router())).await;
    let reply = post(address, "/inner/offer", JSON, &[("origin", "https://node7.example.org:8443")]).await;
    assert_answer(&reply, JSON);
    let location = reply.header("location").unwrap();
    let id = signal::session_of_location(location).unwrap();
    assert_eq!(location, format!("https://node7.example.org:8443/rtc/sessions/{id}"));
    let events = format!("<{location}/events>; rel=\"monitor\"; type=\"text/event-stream\"");
    assert_eq!(reply.headers("link").collect::<Vec<_>>(), [events]);
    end_all(&server).await;
}

#[tokio::test]
async fn the_answer_names_its_ice_session_its_events_and_the_ice_servers() {
    let server = engine();
    let ice_servers =
        ["stun:stun.example.org", "turn:turn.example.org me s3cret"].map(|server| server.parse().unwrap());
    let address = serve(server.signalling().ice_servers(ice_servers).router()).await;
    let reply = post(address, "/offer", JSON, &[]).await;
    assert_answer(&reply, JSON);
    let etag = reply.header("etag").unwrap();
    assert!(etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    let location = reply.header("location").unwrap();
    assert_eq!(
        reply.headers("link").collect::<Vec<_>>(),
        [
            &format!("<{location}/events>; rel=\"monitor\"; type=\"text/event-stream\""),
            "<stun:stun.example.org>; rel=\"ice-server\"",
            "<turn:turn.example.org>; rel=\"ice-server\"; username=\"me\"; credential=\"s3cret\"; \
             credential-type=\"password\"",
        ]
    );
    end_all(&server).await;
}

#[tokio::test]
async fn every_resource_says_what_it_can_do() {
    let address = serve(engine().router()).await;
    for (target, allow, accept) in [
        ("/offer", "POST,OPTIONS", Some(("accept-post", "application/json, application/sdp"))),
        ("/sessions/x", "DELETE,PATCH,OPTIONS", Some(("accept-patch", "application/trickle-ice-sdpfrag"))),
        ("/sessions/x/events", "GET,HEAD,OPTIONS", None),
    ] {
        let reply = exchange(address, &request(&format!("OPTIONS {target}"), &[], "")).await;
        assert_eq!((reply.status, reply.header("allow")), (204, Some(allow)), "{target}");
        if let Some((name, value)) = accept {
            assert_eq!(reply.header(name), Some(value));
        }
    }
}

#[tokio::test]
async fn a_body_where_none_belongs_is_passed_over() {
    let server = engine();
    let address = serve(server.router()).await;
    let location = post(address, "/offer", JSON, &[]).await.header("location").unwrap().to_owned();
    for (target, status) in [
        ("GET /healthz".to_owned(), 200),
        ("OPTIONS /offer".to_owned(), 204),
        (format!("DELETE {location}"), 204),
        (format!("DELETE {location}"), 404),
    ] {
        for body in ["{}".to_owned(), "x".repeat(1_000_000)] {
            let status =
                if status == 204 && target.starts_with("DELETE") && body.len() > 2 { 404 } else { status };
            let reply = exchange(address, &request(&target, &[], body)).await;
            assert_eq!(reply.status, status, "{target}");
        }
    }
}
