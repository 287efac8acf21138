//! The checks against our own server, and against one that breaks the profile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use hola_webrtc_conformance::{Fault, Finding, Target, checks, run};
use hola_webrtc_offerer::Trust;
use hola_webrtc_server::{RtcServer, echo};
use tokio::net::TcpListener;

fn server() -> RtcServer {
    let server = RtcServer::builder().listen(SocketAddr::from(([127, 0, 0, 1], 0))).start().unwrap();
    tokio::spawn(echo::serve(server.clone(), Duration::ZERO));
    server
}

async fn examine(app: Router) -> Vec<Finding> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    run(&Target { url, trust: Trust::System, token: None }, |_| ()).await.unwrap()
}

fn names(findings: &[Finding], is_such: impl Fn(&Finding) -> bool) -> BTreeSet<&'static str> {
    findings.iter().filter(|finding| is_such(finding)).map(|finding| finding.check.name).collect()
}

#[tokio::test]
async fn our_own_server_keeps_to_the_profile() {
    let server = server();
    let findings = examine(server.router()).await;
    let broken: Vec<&Finding> = findings.iter().filter(|finding| finding.is_broken()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let missing = names(&findings, |finding| matches!(finding.verdict, Err(Fault::NotOffered(_))));
    let expected = [
        "ICE servers are named as in RFC 9725",
        "a page that is let in may read the headers",
        "unauthorized",
    ];
    assert_eq!(missing, BTreeSet::from(expected));
}

/// Forgets the entity tag, and pretends to end sessions that are none.
async fn break_it(request: Request, next: Next) -> Response {
    let is_delete = request.method() == "DELETE";
    let mut response = next.run(request).await;
    response.headers_mut().remove(header::ETAG);
    if is_delete {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

#[tokio::test]
async fn a_server_that_breaks_it_is_found_out() {
    let server = server();
    let findings = examine(server.router().layer(middleware::from_fn(break_it))).await;
    let broken = names(&findings, Finding::is_broken);
    for name in [
        "a JSON offer is answered in JSON",
        "candidates are taken with the right ETag",
        "a restart brings new credentials, and the channel lives on",
        "DELETE ends the session, and the peer hears of it",
        "every URL of no session looks the same",
    ] {
        assert!(broken.contains(name), "{name} is not among {broken:?}");
    }
    assert!(!broken.contains("a channel opens") && !broken.contains("not-json"), "{broken:?}");
}

#[test]
fn every_check_names_a_section_of_the_profile() {
    let profile = include_str!("../../docs/profile.md");
    for check in checks() {
        let is_heading = |line: &str| line.trim_start_matches('#').trim() == check.section;
        assert!(profile.lines().any(is_heading), "{check:?}");
    }
}
