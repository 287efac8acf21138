//! A server to look at, and what is found.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use axum::Router;
use hola_webrtc_conformance::{Finding, Target, run};
use hola_webrtc_server::{RtcServer, echo};
use tokio::net::TcpListener;

pub(crate) fn server() -> RtcServer {
    let server = RtcServer::builder().listen(SocketAddr::from(([127, 0, 0, 1], 0))).start().unwrap();
    tokio::spawn(echo::serve(server.clone(), Duration::ZERO));
    server
}

pub(crate) async fn examine(app: Router) -> Vec<Finding> {
    examine_as(app, Target::default()).await
}

pub(crate) async fn examine_as(app: Router, target: Target) -> Vec<Finding> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    run(&Target { url, ..target }, |_| ()).await.unwrap()
}

pub(crate) fn names(findings: &[Finding], is_such: impl Fn(&Finding) -> bool) -> BTreeSet<&'static str> {
    findings.iter().filter(|finding| is_such(finding)).map(|finding| finding.check.name).collect()
}
