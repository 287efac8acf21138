//! A session is changed by SDP fragments: candidates trickle in, ICE is restarted.

use std::{net::SocketAddr, time::Duration};

use crate::common::{Reply, engine, exchange, limited, offer, reached, request, serve};
use hola_webrtc_protocol::{
    ProblemCode::{self, *},
    SdpFragment,
};

const TYPE: (&str, &str) = ("content-type", "application/trickle-ice-sdpfrag");
const RESTART: &str = "a=ice-ufrag:Nw9Z\r\na=ice-pwd:3b1yQW2bT1S8e8vYkQf0aZ\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n";

fn candidates(count: usize) -> String {
    "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n".repeat(count)
}

fn patch(location: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    request(&format!("PATCH {location}"), headers, body)
}

/// Sends an offer; returns the session's path and its entity tag.
async fn begin(address: SocketAddr) -> (String, String) {
    let reply = exchange(address, &offer(&[])).await;
    (reply.header("location").unwrap().to_owned(), reply.header("etag").unwrap().to_owned())
}

async fn restart(address: SocketAddr, location: &str) -> Reply {
    exchange(address, &patch(location, &[TYPE, ("if-match", "*")], RESTART)).await
}

#[tokio::test]
async fn candidates_trickle_in() {
    let server = engine();
    let address = serve(server.router()).await;
    let (location, etag) = begin(address).await;
    for body in [candidates(1), format!("m=application 9 x y\na=mid:0\n{}a=end-of-candidates", candidates(2))]
    {
        let reply = exchange(address, &patch(&location, &[TYPE, ("if-match", &etag)], body)).await;
        assert_eq!((reply.status, reply.header("etag"), reply.body.len()), (204, None, 0));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_restart_brings_new_credentials_and_outdates_the_entity_tag() {
    let server = engine();
    let address = serve(server.router()).await;
    let (location, old) = begin(address).await;
    let reply = restart(address, &location).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(TYPE.1)), "{reply:?}");
    let new = reply.header("etag").unwrap();
    assert_ne!(new, old);
    let fragment: SdpFragment = reply.text().parse().unwrap();
    assert!(fragment.ufrag.is_some() && fragment.password.is_some() && fragment.end_of_candidates);
    assert_eq!(fragment.mid.as_deref(), Some("0"));
    assert_eq!(fragment.candidates[0].port, server.local_addr().port());

    let trickle = async |etag: &str| {
        exchange(address, &patch(&location, &[TYPE, ("if-match", etag)], candidates(1))).await
    };
    trickle(&old).await.assert_refused(PreconditionFailed, "the old tag");
    assert_eq!(trickle(new).await.status, 204);
    server.announce(&[[192, 0, 2, 9].into()]).unwrap();
    let elsewhere: SdpFragment = restart(address, &location).await.text().parse().unwrap();
    assert_eq!(elsewhere.candidates[0].address, "192.0.2.9");
    server.announce(&[]).unwrap();
    // A repeated request, for want of the reply to the first, draws the same reply.
    let repeated = restart(address, &location).await;
    assert_eq!((repeated.status, repeated.header("etag"), repeated.text()), (200, Some(new), reply.text()));
    let bytes =
        patch(&location, &[TYPE, ("if-match", "*")], RESTART.replace("Nw9Z", "oX0a").replace("3b1y", "4c2z"));
    let third = exchange(address, &bytes).await;
    assert_eq!(third.status, 200);
    assert_ne!(third.header("etag"), Some(new));
    assert_eq!(server.session_count(), 1);
    server.shutdown().await;
}

#[tokio::test]
async fn a_fragment_that_cannot_be_used_changes_nothing() {
    let server = engine();
    let address = serve(server.router()).await;
    let (location, etag) = begin(address).await;
    let tag = ("if-match", etag.as_str());
    let star = ("if-match", "*");
    let most = hola_webrtc_server::Limits::default().max_offer_bytes;
    let rows: &[(&str, ProblemCode, Vec<u8>)] = &[
        ("no type", UnsupportedMediaType, patch(&location, &[tag], candidates(1))),
        ("JSON", UnsupportedMediaType, patch(&location, &[tag, ("content-type", "application/json")], "{}")),
        ("two types", UnsupportedMediaType, patch(&location, &[TYPE, TYPE, tag], candidates(1))),
        ("a coding", UnsupportedMediaType, patch(&location, &[TYPE, tag, ("content-encoding", "br")], "x")),
        ("no If-Match", PreconditionRequired, patch(&location, &[TYPE], candidates(1))),
        ("no tag", PreconditionFailed, patch(&location, &[TYPE, ("if-match", "")], candidates(1))),
        ("a weak tag", PreconditionFailed, patch(&location, &[TYPE, ("if-match", "W/\"x\"")], candidates(1))),
        ("another tag", PreconditionFailed, patch(&location, &[TYPE, ("if-match", "\"x\"")], candidates(1))),
        ("an empty body", EmptyBody, patch(&location, &[TYPE, tag], "")),
        ("text", BadFragment, patch(&location, &[TYPE, tag], "hello")),
        ("a bare candidate", BadFragment, patch(&location, &[TYPE, tag], &candidates(1)[2..])),
        ("a malformed candidate", BadFragment, patch(&location, &[TYPE, tag], "a=candidate:x")),
        ("no UTF-8", BadFragment, patch(&location, &[TYPE, tag], b"a=mid:\xff")),
        ("no credentials", BadFragment, patch(&location, &[TYPE, star], candidates(1))),
        ("half of them", BadFragment, patch(&location, &[TYPE, star], &RESTART[..18])),
        ("a short password", BadFragment, patch(&location, &[TYPE, star], "a=ice-ufrag:abcd\na=ice-pwd:abc")),
        ("many candidates", TooManyCandidates, patch(&location, &[TYPE, tag], candidates(65))),
        ("too much", BodyTooLarge, patch(&location, &[TYPE, tag], "x".repeat(most + 1))),
    ];
    for (what, code, bytes) in rows {
        let reply = exchange(address, bytes).await;
        reply.assert_refused(*code, what);
        if *code == UnsupportedMediaType {
            assert_eq!(reply.header("accept-patch"), Some(TYPE.1), "{what}");
        }
    }
    let reply = exchange(address, &patch(&location, &[TYPE, tag], "a=end-of-candidates")).await;
    assert_eq!(reply.status, 204, "it is still the same ICE session");
    server.shutdown().await;
}

#[tokio::test]
async fn candidates_count_over_all_requests_of_a_session() {
    let server = limited(|limits| limits.max_candidates = 3);
    let address = serve(server.router()).await;
    let (location, etag) = begin(address).await;
    let trickle = async |count| {
        exchange(address, &patch(&location, &[TYPE, ("if-match", &etag)], candidates(count))).await
    };
    assert_eq!(trickle(3).await.status, 204);
    trickle(1).await.assert_refused(TooManyCandidates, "the fourth");
    assert_eq!(reached(&server, "max-candidates"), 1);
    server.shutdown().await;
}

#[tokio::test]
async fn every_id_that_names_no_session_draws_the_same_reply() {
    let server = engine();
    let address = serve(server.router()).await;
    let (ended, _) = begin(address).await;
    assert_eq!(exchange(address, &request(&format!("DELETE {ended}"), &[], "")).await.status, 204);
    let mut replies = Vec::new();
    for location in [&ended, "/sessions/00000000000000000000000000000000", "/sessions/1", "/sessions/%ff"] {
        for condition in ["*", "\"x\""] {
            let bytes = patch(location, &[TYPE, ("if-match", condition)], RESTART);
            let reply = exchange(address, &bytes).await;
            reply.assert_refused(NotFound, location);
            replies.push(reply.body);
        }
    }
    replies.dedup();
    assert_eq!(replies.len(), 1);
}

#[tokio::test]
async fn a_fragment_that_does_not_come_is_not_waited_for_long() {
    let server = limited(|limits| limits.body_timeout = Duration::from_millis(100));
    let address = serve(server.router()).await;
    let (location, etag) = begin(address).await;
    let bytes = patch(&location, &[TYPE, ("if-match", &etag), ("content-length", "50")], "");
    exchange(address, &bytes).await.assert_refused(RequestTimeout, "a body that never comes");
    assert_eq!(reached(&server, "body-timeout"), 1);
}

#[tokio::test]
async fn restarts_count_as_offers() {
    let server = limited(|limits| (limits.offers_per_second, limits.offer_burst) = (1, 2));
    let address = serve(server.router()).await;
    let (location, _) = begin(address).await;
    let mut reply = restart(address, &location).await;
    assert_eq!(reply.status, 200);
    for _ in 0..10_000 {
        if reply.status != 200 {
            break;
        }
        reply = restart(address, &location).await;
    }
    reply.assert_refused(TooManyRequests, "a burst of restarts");
    server.shutdown().await;
}

#[tokio::test]
async fn an_address_that_sends_one_fragment_after_another_has_to_wait() {
    let server = limited(|limits| (limits.patches_per_second, limits.patch_burst) = (1, 3));
    let address = serve(server.router()).await;
    let (location, etag) = begin(address).await;
    let mut replies = Vec::new();
    while replies.last().is_none_or(|reply: &Reply| reply.status == 204) && replies.len() < 10_000 {
        replies.push(exchange(address, &patch(&location, &[TYPE, ("if-match", &etag)], candidates(1))).await);
    }
    let refused = replies.pop().unwrap();
    assert!(replies.len() >= 3, "the burst is let through: {replies:?}");
    refused.assert_refused(TooManyRequests, "one too many");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let counted = server.metrics().encode();
    assert!(counted.contains("limit_reached_total{limit=\"patches-per-second\"} 1\n"), "{counted}");
    // Restarts count as well, and sessions that do not exist.
    let elsewhere = patch("/sessions/1", &[TYPE, ("if-match", "*")], RESTART);
    let mut last = exchange(address, &elsewhere).await;
    for _ in 0..10_000 {
        if last.status == 429 {
            break;
        }
        last = exchange(address, &elsewhere).await;
    }
    last.assert_refused(TooManyRequests, "wherever they are sent");
    assert_eq!(server.session_count(), 1);
    server.shutdown().await;
}
