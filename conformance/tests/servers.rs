//! The checks against our own server, and against one that breaks the profile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::HttpBody,
    extract::{Request, State},
    http::{Extensions, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use common::{examine, examine_as, names, server};
use futures_util::{SinkExt, StreamExt};
use hola_webrtc_conformance::{Fault, Finding, Target, checks};
use hola_webrtc_server::{Limits, Message, OfferRequest, ProblemCode, Refusal, RtcServer, echo};

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

#[tokio::test]
async fn our_own_server_keeps_to_it_with_all_that_it_may_be_told_to_do() {
    let server = server();
    let signalling = server
        .signalling()
        .allow_origins(["*".parse().unwrap()])
        .ice_servers(
            ["stun:stun.example.org", "turn:turn.example.org me a,b<c>"].map(|it| it.parse().unwrap()),
        )
        .bearer_token("abc123".parse().unwrap());
    let token = Some("abc123".to_owned());
    let findings = examine_as(signalling.router(), Target { token, ..Target::default() }).await;
    let broken: Vec<&Finding> = findings.iter().filter(|finding| finding.is_broken()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let missing = names(&findings, |finding| matches!(finding.verdict, Err(Fault::NotOffered(_))));
    assert_eq!(missing, BTreeSet::from(["a foreign page's offer is refused"]));
}

/// A server with another program than an echo, and a small limit.
#[tokio::test]
async fn what_the_profile_leaves_to_the_server_is_no_fault() {
    let mut limits = Limits::default();
    limits.max_message_size = 1024;
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = RtcServer::builder().listen(listen).limits(limits).start().unwrap();
    tokio::spawn(echo::serve(server.clone(), Duration::ZERO));
    let small = examine(server.router()).await;
    let broken: Vec<&Finding> = small.iter().filter(|finding| finding.is_broken()).collect();
    assert!(broken.is_empty(), "{broken:#?}");

    let other = examine(talker().router().layer(middleware::from_fn(tell_in_another_way))).await;
    let broken: Vec<&Finding> = other.iter().filter(|finding| finding.is_broken()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let missing = names(&other, |finding| matches!(finding.verdict, Err(Fault::NotOffered(_))));
    assert!(missing.contains("text and binary messages come back"), "{missing:?}");
    assert!(!missing.contains("the events begin with the offer and end with the session"), "{missing:?}");
}

/// A program that says something else than it heard.
fn talker() -> RtcServer {
    let server = RtcServer::builder().listen(SocketAddr::from(([127, 0, 0, 1], 0))).start().unwrap();
    let talker = server.clone();
    tokio::spawn(async move {
        while let Some(session) = talker.accept().await {
            tokio::spawn(async move {
                while let Some(mut channel) = session.accept_channel().await {
                    while let Some(Message::Text(text)) = channel.next().await {
                        let _ = channel.send(Message::Text(format!("heard: {text}"))).await;
                    }
                }
            });
        }
    });
    server
}

#[tokio::test]
async fn a_program_that_wants_a_header_and_a_label_of_its_own_is_looked_at_whole() {
    let server = RtcServer::builder().listen(SocketAddr::from(([127, 0, 0, 1], 0))).start().unwrap();
    let program = server.clone();
    tokio::spawn(async move {
        while let Some(session) = program.accept().await {
            tokio::spawn(async move {
                while let Some(mut channel) = session.accept_channel().await {
                    while channel.label() == "mine"
                        && let Some(message) = channel.next().await
                    {
                        let _ = channel.send(message).await;
                    }
                }
            });
        }
    });
    let signalling = server.signalling().on_offer(async |request: OfferRequest| {
        let is_named = request.head.headers.get("x-name").is_some_and(|name| name == "Ada");
        is_named.then(Extensions::new).ok_or_else(|| Refusal::new(ProblemCode::Forbidden, "who are you?"))
    });
    let app = signalling.router();
    let stranger = examine(app.clone()).await;
    assert!(names(&stranger, Finding::is_broken).contains("a channel opens"));
    let headers = vec![("x-name".to_owned(), "Ada".to_owned())];
    let known = examine_as(app, Target { headers, label: "mine".to_owned(), ..Target::default() }).await;
    let broken: Vec<&Finding> = known.iter().filter(|finding| finding.is_broken()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let passed = names(&known, |finding| finding.verdict.is_ok());
    assert!(passed.contains("text and binary messages come back"), "{passed:?}");
}

/// The same headers as others may write them.
async fn tell_in_another_way(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let links = headers.get_all(header::LINK).iter().map(|link| link.to_str().unwrap()).collect::<Vec<_>>();
    if !links.is_empty() {
        let joined = format!(
            "</x>;title=\"y\",{}",
            links.join(",").replace("; rel=\"monitor\"", ";REL=\"a Monitor\"")
        );
        headers.insert(header::LINK, joined.parse().unwrap());
    }
    if let Some(timing) = headers.get("server-timing") {
        let described = timing.to_str().unwrap().replace(";dur", ";desc=\"x\"; dur");
        headers.insert("server-timing", "proxy;dur=1".parse().unwrap());
        headers.append("server-timing", described.parse().unwrap());
    }
    response
}

/// Says that it has ended a session, which goes on, and from then on that there is none; unless it was watched, or patched.
async fn end_nothing(
    State(known): State<Arc<Mutex<BTreeMap<String, bool>>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().trim_end_matches("/events").to_owned();
    let is_delete = request.method() == "DELETE";
    let (is_new, has_ended) = match known.lock().unwrap().entry(path) {
        Entry::Vacant(entry) => (true, *entry.insert(is_delete)),
        Entry::Occupied(entry) => (false, *entry.get()),
    };
    if is_delete && is_new {
        return StatusCode::NO_CONTENT.into_response();
    }
    if has_ended {
        *request.uri_mut() = "/sessions/00000000000000000000000000000000".parse().unwrap();
    }
    next.run(request).await
}

/// Restarts ICE at addresses where nobody is.
async fn lead_astray(request: Request, next: Next) -> Response {
    let is_patch = request.method() == "PATCH";
    let response = next.run(request).await;
    if !is_patch {
        return response;
    }
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap().replace("127.0.0.1", "192.0.2.1");
    Response::from_parts(head, body.into())
}

/// Lets pages in, but no preflight through; and says of what is too large what is no problem.
async fn forget_preflights(request: Request, next: Next) -> Response {
    let (is_preflight, length) = (request.method() == "OPTIONS", request.body().size_hint().exact());
    let mut response = next.run(request).await;
    if is_preflight {
        response.headers_mut().remove(header::ACCESS_CONTROL_ALLOW_HEADERS);
    }
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && length.is_none_or(|length| length < 1_000_000) {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too much").into_response();
    }
    response
}

/// Lets pages in, which cannot restart ICE nor end their sessions.
async fn forget_methods(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().remove(header::ACCESS_CONTROL_ALLOW_METHODS);
    response
}

/// A server that can never be looked at.
#[tokio::test]
async fn where_everything_comes_too_soon_nothing_is_found_to_be_right() {
    let app = Router::new()
        .fallback(async || (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response());
    let findings = examine(app).await;
    let passed = names(&findings, |finding| finding.verdict.is_ok());
    assert!(passed.is_empty(), "{passed:?}");
    let broken = names(&findings, Finding::is_broken);
    assert!(broken.contains("a channel opens") && broken.contains("not-json"), "{broken:?}");
}

#[tokio::test]
async fn servers_that_break_a_promise_are_found_out_by_it() {
    let own = server();
    let known = Arc::<Mutex<BTreeMap<String, bool>>>::default();
    let silent = own.router().layer(middleware::from_fn_with_state(known, end_nothing));
    let restart = &["a restart brings new credentials, and the channel lives on"][..];
    let astray = own.router().layer(middleware::from_fn(lead_astray));
    let talking = talker().router().layer(middleware::from_fn(lead_astray));
    let preflight = &["a page that is let in may read the headers", "body-too-large"][..];
    let open = own.signalling().allow_origins(["*".parse().unwrap()]).router();
    let headerless = open.clone().layer(middleware::from_fn(forget_preflights));
    let methodless = open.layer(middleware::from_fn(forget_methods));
    for (app, promises) in [
        (silent, &["DELETE ends the session, and the peer hears of it"][..]),
        (astray, restart),
        (talking, restart),
        (headerless, preflight),
        (methodless, &preflight[..1]),
    ] {
        let broken = names(&examine(app).await, Finding::is_broken);
        for promise in promises {
            assert!(broken.contains(promise), "{promise} is not among {broken:?}");
        }
        assert!(!broken.contains("a channel opens"), "{broken:?}");
    }
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
