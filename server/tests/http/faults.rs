//! Every fault of a request draws its own problem and leaves nothing behind.

use std::time::Duration;

use crate::common::{OFFER, engine, exchange, exchange_over, limited, request, serve};
use axum::Router;
use hola_webrtc_protocol::ProblemCode::{self, *};
use hola_webrtc_server::Limits;
use tokio::{io::AsyncWriteExt, net::TcpStream};

const JSON: (&str, &str) = ("content-type", "application/json");
const SDP: (&str, &str) = ("content-type", "application/sdp");

/// An SDP that parses and has no data channel in it.
const AUDIO: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=fingerprint:sha-256 \
    00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n";

async fn assert_refused(rows: &[(&str, ProblemCode, Vec<u8>)]) {
    let server = engine();
    let address = serve(server.router()).await;
    for (what, code, bytes) in rows {
        exchange(address, bytes).await.assert_refused(*code, what);
        assert_eq!(server.session_count(), 0, "{what}");
    }
}

fn post(headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    request("POST /offer", headers, body)
}

#[tokio::test]
async fn a_body_that_is_no_offer_is_refused() {
    assert_refused(&[
        ("an empty JSON body", EmptyBody, post(&[JSON], "")),
        ("an empty SDP body", EmptyBody, post(&[SDP], "")),
        ("an empty body of length 0", EmptyBody, post(&[JSON, ("content-length", "0")], "")),
        ("text", NotJson, post(&[JSON], "hello")),
        ("JSON cut short", NotJson, post(&[JSON], r#"{"type":"offer","sdp":"v=0"#)),
        ("JSON that is not UTF-8", NotJson, post(&[JSON], b"{\"sdp\":\"\xff\"}")),
        ("JSON nested too deeply", NotJson, post(&[JSON], "[".repeat(10_000))),
        ("blanks", NotJson, post(&[JSON], "  ")),
        ("an empty object", MissingSdp, post(&[JSON], "{}")),
        ("an array", MissingSdp, post(&[JSON], "[]")),
        ("a number", MissingSdp, post(&[JSON], "42")),
        ("null", MissingSdp, post(&[JSON], "null")),
        ("an offer without sdp", MissingSdp, post(&[JSON], r#"{"type":"offer"}"#)),
        ("an sdp that is a number", MissingSdp, post(&[JSON], r#"{"type":"offer","sdp":42}"#)),
        ("an sdp that is null", MissingSdp, post(&[JSON], r#"{"type":"offer","sdp":null}"#)),
        ("an answer", NotAnOffer, post(&[JSON], r#"{"type":"answer","sdp":"v=0\r\n"}"#)),
        ("an unknown type", NotAnOffer, post(&[JSON], r#"{"type":"OFFER","sdp":"v=0\r\n"}"#)),
        ("a type that is a number", NotAnOffer, post(&[JSON], r#"{"type":1,"sdp":"v=0\r\n"}"#)),
        ("no type", NotAnOffer, post(&[JSON], r#"{"sdp":"v=0\r\n"}"#)),
        ("an SDP that is not UTF-8", BadSdp, post(&[SDP], b"v=0\xff\r\n")),
    ])
    .await;
}

#[tokio::test]
async fn an_sdp_that_cannot_be_answered_is_refused() {
    let json = |sdp: &str| serde_json::json!({ "type": "offer", "sdp": sdp }).to_string();
    assert_refused(&[
        ("text as SDP", BadSdp, post(&[SDP], "hello")),
        ("text as sdp in JSON", BadSdp, post(&[JSON], json("hello"))),
        ("an empty sdp", BadSdp, post(&[JSON], json(""))),
        (
            "an SDP without media",
            NoDataChannel,
            post(&[SDP], "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"),
        ),
        ("an SDP with audio only", NoDataChannel, post(&[SDP], AUDIO)),
        ("the same in JSON", NoDataChannel, post(&[JSON], json(AUDIO))),
    ])
    .await;
}

#[tokio::test]
async fn a_format_that_is_not_spoken_is_refused() {
    let offer = r#"{"type":"offer","sdp":"v=0\r\n"}"#;
    let with_type = |value| post(&[("content-type", value)], offer);
    assert_refused(&[
        ("no content type", UnsupportedMediaType, post(&[], offer)),
        ("text/plain", UnsupportedMediaType, with_type("text/plain")),
        ("a form", UnsupportedMediaType, with_type("application/x-www-form-urlencoded")),
        ("another JSON", UnsupportedMediaType, with_type("application/problem+json")),
        ("a malformed type", UnsupportedMediaType, with_type("application")),
        ("a type that is not ASCII", UnsupportedMediaType, with_type("aplicación/json")),
        ("two types", UnsupportedMediaType, post(&[JSON, SDP], offer)),
        ("a coding", UnsupportedMediaType, post(&[JSON, ("content-encoding", "gzip")], offer)),
        ("HTML wanted", NotAcceptable, post(&[JSON, ("accept", "text/html")], offer)),
        ("nothing wanted", NotAcceptable, post(&[SDP, ("accept", "*/*;q=0")], offer)),
    ])
    .await;
}

#[tokio::test]
async fn the_content_type_may_have_parameters_and_any_case() {
    let server = engine();
    let address = serve(server.router()).await;
    for value in ["application/json;charset=utf-8", "Application/Json ; charset=\"UTF-8\""] {
        exchange(address, &post(&[("content-type", value)], "{}")).await.assert_refused(MissingSdp, value);
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_however_it_comes() {
    let server = engine();
    let address = serve(server.router()).await;
    let most = Limits::default().max_offer_bytes;
    let (fits, exceeds) = ("x".repeat(most), "x".repeat(most + 1));
    let chunked = |body: &str| {
        let head = request("POST /offer", &[JSON, ("transfer-encoding", "chunked")], "");
        [head, format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()].concat()
    };
    for (what, code, bytes) in [
        ("with a length", BodyTooLarge, post(&[JSON], &exceeds)),
        (
            "a length that is only announced",
            BodyTooLarge,
            post(&[JSON, ("content-length", "9999999999")], ""),
        ),
        ("in chunks", BodyTooLarge, chunked(&exceeds)),
        ("up to the limit", NotJson, post(&[JSON], &fits)),
        ("up to the limit, in chunks", NotJson, chunked(&fits)),
    ] {
        exchange(address, &bytes).await.assert_refused(code, what);
    }
    assert_eq!(server.session_count(), 0);
}

#[tokio::test]
async fn a_wrong_method_or_path_is_refused() {
    let server = engine();
    let address = serve(server.router()).await;
    for (target, allow) in [
        ("GET /offer", "POST,OPTIONS"),
        ("PUT /offer", "POST,OPTIONS"),
        ("PATCH /offer", "POST,OPTIONS"),
        ("POST /healthz", "GET,HEAD"),
        ("POST /readyz", "GET,HEAD"),
        ("GET /sessions/00000000000000000000000000000000", "DELETE,PATCH,OPTIONS"),
        ("PUT /sessions/x", "DELETE,PATCH,OPTIONS"),
        ("POST /sessions/x/events", "GET,HEAD,OPTIONS"),
    ] {
        let reply = exchange(address, &request(target, &[], "")).await;
        reply.assert_refused(MethodNotAllowed, target);
        assert_eq!(reply.header("allow"), Some(allow), "{target}");
    }
    for target in
        ["GET /", "POST /offer/", "POST /offers", "DELETE /sessions", "DELETE /sessions/", "GET /%00%ff"]
    {
        exchange(address, &request(target, &[], "")).await.assert_refused(NotFound, target);
    }
}

#[tokio::test]
async fn every_id_that_names_no_session_draws_the_same_reply() {
    let server = engine();
    let address = serve(server.router()).await;
    let mut replies = Vec::new();
    for id in [
        "00000000000000000000000000000000",
        "1",
        "%2e%2e",
        "%ff",
        "ABCDEF00000000000000000000000000",
        "a%2Fb",
    ] {
        let reply = exchange(address, &request(&format!("DELETE /sessions/{id}"), &[], "")).await;
        reply.assert_refused(NotFound, id);
        replies.push(reply.body);
    }
    replies.dedup();
    assert_eq!(replies.len(), 1);
}

#[tokio::test]
async fn bytes_that_are_no_http_draw_a_400() {
    let server = engine();
    let address = serve(server.router()).await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"hello\r\n\r\n",
        b"POST /offer HTTP/9.9\r\n\r\n",
    ] {
        assert_eq!(exchange(address, bytes).await.status, 400, "{bytes:?}");
    }
    let long = request("GET /healthz", &[("x-long", &"x".repeat(1_000_000))], "");
    assert_eq!(exchange(address, &long).await.status, 431);
}

#[tokio::test]
async fn a_client_that_goes_away_amid_its_body_leaves_nothing_behind() {
    let server = engine();
    let address = serve(server.router()).await;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = request("POST /offer", &[SDP, ("content-length", "500")], "");
        stream.write_all(&[&head[..], b"v=0\r\n"].concat()).await.unwrap();
    }
    let reply = exchange(address, &request("GET /healthz", &[], "")).await;
    assert_eq!((reply.status, reply.text()), (200, "ok\n"));
    assert_eq!(server.session_count(), 0);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for_long() {
    let address = serve(limited(|limits| limits.body_timeout = Duration::from_millis(100)).router()).await;
    for (head, body) in [(&JSON, ""), (&SDP, "v=0\r\n")] {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut bytes = request("POST /offer", &[*head, ("content-length", "50")], "");
        bytes.extend_from_slice(body.as_bytes());
        exchange_over(stream, &bytes).await.assert_refused(RequestTimeout, "a body that never comes");
    }
}

#[tokio::test]
async fn an_offer_with_too_many_lines_or_candidates_is_refused() {
    let server = limited(|limits| (limits.max_offer_lines, limits.max_candidates) = (20, 2));
    let address = serve(server.router()).await;
    let candidates = |count: usize| {
        let candidate = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n";
        format!("{OFFER}{}", candidate.repeat(count))
    };
    for (what, code, sdp) in [
        ("21 lines", OfferTooLong, format!("{OFFER}{}", "a=x\n".repeat(21 - OFFER.lines().count()))),
        ("a thousand carriage returns", OfferTooLong, "a=x\r".repeat(1000)),
        ("three candidates", TooManyCandidates, candidates(3)),
    ] {
        exchange(address, &post(&[SDP], sdp)).await.assert_refused(code, what);
    }
    assert_eq!(server.session_count(), 0);
    assert_eq!(exchange(address, &post(&[SDP], candidates(2))).await.status, 201);
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_when_to_come_again() {
    let server = engine();
    let address = serve(Router::new().nest("/rtc", server.router())).await;
    server.shutdown().await;
    let offer = serde_json::json!({ "type": "offer", "sdp": OFFER }).to_string();
    let reply = exchange(address, &request("POST /rtc/offer", &[JSON], offer)).await;
    reply.assert_refused(Draining, "stopped");
    assert!(reply.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    exchange(address, &request("GET /rtc/none", &[], "")).await.assert_refused(NotFound, "nested");
}
