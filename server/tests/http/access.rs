//! Who may send offers: the token, the program's own word, the limits of an address.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::common::{OFFER, engine, exchange, limited, offer, reached, request, serve};
use axum::{
    extract::Request,
    http::Extensions,
    middleware::{Next, from_fn},
};
use hola_webrtc_server::{OfferContext, ProblemCode, Refusal};

#[tokio::test]
async fn an_offer_needs_the_token_and_nothing_else_does() {
    let server = engine();
    let address = serve(server.signalling().bearer_token("s3cret".parse().unwrap()).router()).await;
    for (value, challenge) in [
        (None, "Bearer"),
        (Some("Bearer wrong"), "Bearer error=\"invalid_token\""),
        (Some("Basic s3cret"), "Bearer error=\"invalid_token\""),
    ] {
        let headers: Vec<_> = value.into_iter().map(|value| ("authorization", value)).collect();
        let reply = exchange(address, &offer(&headers)).await;
        reply.assert_refused(ProblemCode::Unauthorized, challenge);
        assert_eq!(reply.header("www-authenticate"), Some(challenge));
        assert!(!reply.text().contains("s3cret") && !reply.head.contains("s3cret"));
    }
    assert_eq!(server.session_count(), 0);
    let reply = exchange(address, &offer(&[("authorization", "Bearer s3cret")])).await;
    assert_eq!(reply.status, 201);
    // Who knows the session's URL may end it.
    let delete = request(&format!("DELETE {}", reply.header("location").unwrap()), &[], "");
    assert_eq!(exchange(address, &delete).await.status, 204);
    for target in ["GET /healthz", "GET /readyz", "OPTIONS /offer"] {
        assert!(exchange(address, &request(target, &[], "")).await.status < 300, "{target}");
    }
}

#[derive(Clone, Debug, PartialEq)]
struct User(String);

#[tokio::test]
async fn the_hook_sees_the_head_and_what_the_programs_layers_found() {
    let server = engine();
    let signalling =
        server.signalling().on_offer(|request| async move {
            assert!(request.client.unwrap().ip().is_loopback());
            assert_eq!(request.head.method, "POST");
            let user: &User = request.head.extensions.get().unwrap();
            match user.0.as_str() {
                "ana" => Ok(Extensions::new()),
                "rate" => Err(Refusal::new(ProblemCode::TooManyRequests, "later")
                    .retry_after(Duration::from_millis(1500))),
                _ => Err(Refusal::new(ProblemCode::Forbidden, "not you")),
            }
        });
    let find_user = async |mut request: Request, next: Next| {
        let user = request.headers()["x-user"].to_str().unwrap().to_owned();
        request.extensions_mut().insert(User(user));
        next.run(request).await
    };
    let address = serve(signalling.router().layer(from_fn(find_user))).await;
    let refused = exchange(address, &offer(&[("x-user", "eve")])).await;
    refused.assert_refused(ProblemCode::Forbidden, "eve");
    assert_eq!(refused.problem().detail, "not you");
    let later = exchange(address, &offer(&[("x-user", "rate")])).await;
    assert_eq!((later.status, later.header("retry-after")), (429, Some("2")));
    assert_eq!(server.session_count(), 0);
    assert_eq!(exchange(address, &offer(&[("x-user", "ana")])).await.status, 201);
    server.shutdown().await;
}

#[tokio::test]
async fn the_hook_is_asked_before_the_body_is_there() {
    let server = engine();
    let asked = Arc::new(AtomicUsize::new(0));
    let signalling = server.signalling().on_offer({
        let asked = asked.clone();
        move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            async { Err(Refusal::new(ProblemCode::Forbidden, "no")) }
        }
    });
    let address = serve(signalling.router()).await;
    let headers = [("content-type", "application/sdp"), ("content-length", "500")];
    let reply = exchange(address, &request("POST /offer", &headers, "")).await;
    reply.assert_refused(ProblemCode::Forbidden, "a body that never comes");
    // A format that is not read is refused without asking.
    exchange(address, &request("POST /offer", &[], "x"))
        .await
        .assert_refused(ProblemCode::UnsupportedMediaType, "no type");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_a_hook_prints_of_its_request_and_a_program_of_an_answer_holds_no_secret() {
    let server = engine();
    let printed = Arc::new(Mutex::new(String::new()));
    let signalling = server.signalling().on_offer({
        let printed = printed.clone();
        move |request| {
            *printed.lock().unwrap() = format!("{request:?}");
            async { Ok(Extensions::new()) }
        }
    });
    let address = serve(signalling.router()).await;
    let secrets = [("authorization", "Bearer open-sesame"), ("cookie", "id=open-sesame")];
    let reply = exchange(address, &offer(&secrets)).await;
    assert_eq!(reply.status, 201);
    let printed = printed.lock().unwrap().clone();
    assert!(printed.contains("authorization") && !printed.contains("open-sesame"), "{printed}");

    let answered = server.answer(OFFER, OfferContext::default()).unwrap();
    let password = answered.sdp.lines().find_map(|line| line.strip_prefix("a=ice-pwd:")).unwrap();
    let printed = format!("{answered:?}");
    assert!(printed.contains(&answered.id.prefix()), "{printed}");
    assert!(!printed.contains(password) && !printed.contains(&answered.id.to_string()), "{printed}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_hook_that_panics_ends_its_request_alone() {
    let server = engine();
    let signalling = server.signalling().on_offer(|request| async move {
        assert!(request.head.headers.get("x-fine").is_some(), "the fault that the test makes");
        Ok(Extensions::new())
    });
    let address = serve(signalling.router()).await;
    exchange(address, &offer(&[])).await.assert_refused(ProblemCode::Internal, "a panic");
    assert_eq!(server.session_count(), 0);
    assert_eq!(exchange(address, &offer(&[("x-fine", "1")])).await.status, 201);
    server.shutdown().await;
}

#[tokio::test]
async fn an_address_that_sends_too_many_offers_is_told_when_to_go_on() {
    // An offer a second, so that however slow the test is, the fourth is too much.
    let server = limited(|limits| (limits.offers_per_second, limits.offer_burst) = (1, 3));
    let proxies = ["127.0.0.0/8".parse().unwrap()];
    let address = serve(server.signalling().trusted_proxies(proxies).router()).await;
    let from = async |client: &str| exchange(address, &offer(&[("x-forwarded-for", client)])).await;
    let mut refused = None;
    for _ in 0..10_000 {
        let reply = from("192.0.2.1").await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.unwrap();
    refused.assert_refused(ProblemCode::TooManyRequests, "a burst");
    assert_eq!(reached(&server, "offers-per-second"), 1);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(from("192.0.2.2").await.status, 201, "another client");
    server.shutdown().await;
}

#[tokio::test]
async fn addresses_named_by_strangers_are_not_believed() {
    let server = limited(|limits| (limits.offers_per_second, limits.offer_burst) = (1, 1));
    let address = serve(server.router()).await;
    let mut refused = false;
    for number in 0..10_000_u32 {
        let client = format!("192.0.{}.{}", number / 250, number % 250);
        refused = exchange(address, &offer(&[("x-forwarded-for", &client)])).await.status == 429;
        if refused {
            break;
        }
    }
    assert!(refused);
    server.shutdown().await;
}

#[tokio::test]
async fn a_full_server_says_when_to_come_again() {
    let server = limited(|limits| limits.max_sessions = 1);
    let address = serve(server.router()).await;
    assert_eq!(exchange(address, &offer(&[])).await.status, 201);
    let refused = exchange(address, &offer(&[])).await;
    refused.assert_refused(ProblemCode::Unavailable, "full");
    assert_eq!(refused.header("retry-after"), Some("2"), "when offers that went nowhere are forgotten");
    assert_eq!(server.session_count(), 1);
    server.shutdown().await;
}

#[tokio::test]
async fn an_address_has_so_many_sessions_and_no_more() {
    let server = limited(|limits| limits.max_sessions_per_address = 2);
    let proxies = ["127.0.0.0/8".parse().unwrap()];
    let address = serve(server.signalling().trusted_proxies(proxies).router()).await;
    let from = async |client: &str| exchange(address, &offer(&[("x-forwarded-for", client)])).await;
    for (client, status) in
        [("2001:db8::1", 201), ("2001:db8::2", 201), ("2001:db8:0:1::1", 201), ("192.0.2.1", 201)]
    {
        assert_eq!(from(client).await.status, status, "{client}");
    }
    let refused = from("2001:db8::3").await;
    refused.assert_refused(ProblemCode::TooManySessions, "the third of a network");
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert_eq!(server.session_count(), 4);
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_that_drains_lives_but_takes_no_offers() {
    let server = engine();
    let address = serve(server.router()).await;
    let session = exchange(address, &offer(&[])).await.header("location").unwrap().to_owned();
    let draining = tokio::spawn({
        let server = server.clone();
        async move { server.drain(crate::common::SOON).await }
    });
    let get = async |target: &str| exchange(address, &request(target, &[], "")).await;
    while get("GET /readyz").await.status == 200 {
        tokio::task::yield_now().await;
    }
    get("GET /readyz").await.assert_refused(ProblemCode::Draining, "draining");
    let refused = exchange(address, &offer(&[])).await;
    refused.assert_refused(ProblemCode::Draining, "an offer");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    // What it has can still be ended.
    let _ = get(&format!("DELETE {session}")).await;
    draining.await.unwrap();
}

#[tokio::test]
async fn a_server_whose_engine_has_stopped_is_not_healthy() {
    let server = engine();
    let address = serve(server.router()).await;
    let health = request("GET /healthz", &[], "");
    assert_eq!(exchange(address, &health).await.text(), "ok\n");
    server.shutdown().await;
    exchange(address, &health).await.assert_refused(ProblemCode::Stalled, "stopped");
    exchange(address, &offer(&[])).await.assert_refused(ProblemCode::Draining, "an offer");
}
