//! The checks of why sessions and channels end, against servers that break each of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use common::{examine, names, server};
use futures_util::StreamExt;
use hola_webrtc_conformance::Finding;

const TOO_LARGE: &str = "a message above max-message-size closes its channel";
const CHANNEL: &str = "a channel that the client closes is closed by-peer";
const CONNECTION: &str = "a connection that the client closes ends its session by-peer";
const NEVER: &str = "an offer that nobody comes for ends as never-connected";
const EVENTS: &str = "the events begin with the offer and end with the session";
const ENDED: &str = "after its end a session takes no fragment and tells no events";

/// Answers that less is taken than is.
async fn understate(request: Request, next: Next) -> Response {
    let (mut head, body) = next.run(request).await.into_parts();
    if head.status != StatusCode::CREATED {
        return Response::from_parts(head, body);
    }
    let answer = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    assert!(answer.contains("max-message-size:65536"), "{answer}");
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, answer.replace("max-message-size:65536", "max-message-size:1000").into())
}

/// Tells of other reasons than there are.
async fn lie(request: Request, next: Next) -> Response {
    change_events(request, next, |events| {
        events.replace("\"by-peer\"", "\"idle\"").replace("\"never-connected\"", "\"silent\"")
    })
    .await
}

/// Tells of no end.
async fn withhold(request: Request, next: Next) -> Response {
    change_events(request, next, |events| events.replace("\"event\":\"closed\"", "\"event\":\"paused\""))
        .await
}

async fn change_events(request: Request, next: Next, change: fn(&str) -> String) -> Response {
    let is_events = request.uri().path().ends_with("/events");
    let response = next.run(request).await;
    if !is_events {
        return response;
    }
    // Each piece has whole events.
    response.map(|body| {
        let pieces = body.into_data_stream();
        Body::from_stream(pieces.map(move |piece| piece.map(|piece| change(str::from_utf8(&piece).unwrap()))))
    })
}

/// Has something at the URLs of sessions that have ended.
async fn keep(State(ended): State<Arc<Mutex<BTreeSet<String>>>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if method == "DELETE" && response.status().is_success() {
        ended.lock().unwrap().insert(path);
    } else if method == "PATCH" && ended.lock().unwrap().contains(&path) {
        return StatusCode::NO_CONTENT.into_response();
    }
    response
}

#[tokio::test]
async fn servers_that_are_wrong_about_an_end_are_found_out() {
    let own = server();
    let kept = Arc::<Mutex<BTreeSet<String>>>::default();
    for (app, promises) in [
        (own.router().layer(middleware::from_fn(understate)), &[TOO_LARGE][..]),
        (own.router().layer(middleware::from_fn(lie)), &[CHANNEL, CONNECTION, NEVER]),
        (own.router().layer(middleware::from_fn(withhold)), &[CONNECTION, NEVER, EVENTS]),
        (own.router().layer(middleware::from_fn_with_state(kept, keep)), &[ENDED]),
    ] {
        let findings = examine(app).await;
        let broken = names(&findings, Finding::is_broken);
        let told: Vec<&Finding> = findings.iter().filter(|finding| finding.is_broken()).collect();
        for promise in promises {
            assert!(broken.contains(promise), "{promise} is not among {told:#?}");
        }
        assert!(!broken.contains("a channel opens") && broken.len() <= promises.len() + 1, "{told:#?}");
    }
}
