//! The server's half of the trace, as Server-Sent Events.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use crate::common::{SOON, engine, events::EventSource, exchange, limited, offer, reached, request, serve};
use hola_webrtc_protocol::{ProblemCode, Side, Step, TraceData, signal::TimedEvent};

/// Sends an offer; returns the session's path.
async fn begin(address: SocketAddr) -> String {
    exchange(address, &offer(&[])).await.header("location").unwrap().to_owned()
}

fn is_answered(text: &str) -> bool {
    text.contains(r#""step":"6e""#) && text.contains(r#""event":"done""#) && text.ends_with("\n\r\n")
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "events are dated")]
async fn the_first_bytes_leave_at_once_and_the_events_follow_from_the_first_on() {
    let server = engine();
    let address = serve(server.router()).await;
    let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let location = begin(address).await;
    let mut source = EventSource::open(address, &location, &[]).await;
    source.read_until(|text| text.contains(": events follow") && text.contains("retry: 1000")).await;
    assert!(source.text.contains("content-type: text/event-stream"), "{}", source.text);
    assert!(source.text.contains("cache-control: no-store"), "{}", source.text);
    source.read_until(is_answered).await;

    let events = source.events();
    assert!((0..).zip(&events).all(|(number, (id, _))| number == *id), "{events:?}");
    assert!(events.iter().all(|(_, timed)| timed.event.side == Side::Server));
    for step in [
        Step::BuildPeer,
        Step::SetRemoteOffer,
        Step::AddHostCandidates,
        Step::CreateAnswer,
        Step::SetLocalAnswer,
    ] {
        let is_done = |timed: &TimedEvent| {
            timed.event.step == step && matches!(timed.event.data, TraceData::Done { .. })
        };
        assert!(events.iter().any(|(_, timed)| is_done(timed)), "{step}");
    }
    let since = Duration::from_secs_f64(events[0].1.time / 1e3).checked_sub(begun);
    assert!(since.is_some_and(|since| since < SOON), "the wall clock counts milliseconds since 1970");
    server.shutdown().await;
}

#[tokio::test]
async fn a_reader_that_comes_again_gets_what_it_missed() {
    let server = engine();
    let address = serve(server.router()).await;
    let location = begin(address).await;
    let mut first = EventSource::open(address, &location, &[]).await;
    first.read_until(is_answered).await;
    let all = first.events();
    for (last, expected) in [("1", &all[2..]), ("nonsense", &all[..]), ("-1", &all[..])] {
        let mut again = EventSource::open(address, &location, &[("last-event-id", last)]).await;
        again.read_until(|text| text.contains(r#""step":"6e""#) && is_answered(text)).await;
        assert_eq!(again.events()[..expected.len()], *expected, "{last}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn the_stream_ends_with_the_session() {
    let server = engine();
    let address = serve(server.router()).await;
    let location = begin(address).await;
    let mut source = EventSource::open(address, &location, &[]).await;
    source.read_until(is_answered).await;
    assert_eq!(exchange(address, &request(&format!("DELETE {location}"), &[], "")).await.status, 204);
    source.read_to_end().await;
    let (_, last) = source.events().pop().unwrap();
    assert!(matches!(last.event.data, TraceData::Closed { by: Side::Server, .. }), "{last:?}");
    let gone = exchange(address, &request(&format!("GET {location}/events"), &[], "")).await;
    gone.assert_refused(ProblemCode::NotFound, "ended");
}

#[tokio::test]
async fn a_session_is_watched_by_so_many_and_no_more() {
    let server = limited(|limits| limits.max_event_streams = 2);
    let address = serve(server.router()).await;
    let location = begin(address).await;
    let one = EventSource::open(address, &location, &[]).await;
    let _two = EventSource::open(address, &location, &[]).await;
    let watch = request(&format!("GET {location}/events"), &[], "");
    exchange(address, &watch).await.assert_refused(ProblemCode::TooManyStreams, "the third");
    assert_eq!(reached(&server, "max-event-streams"), 1);
    let other = begin(address).await;
    EventSource::open(address, &other, &[]).await.read_until(is_answered).await;

    drop(one);
    // The server notices at its next write, or when it reads the end of the connection.
    let mut third = EventSource::open(address, &location, &[]).await;
    let deadline = tokio::time::Instant::now() + SOON;
    while third.text.starts_with("HTTP/1.1 429") {
        assert!(tokio::time::Instant::now() < deadline, "room is made");
        third = EventSource::open(address, &location, &[]).await;
    }
    assert!(third.text.starts_with("HTTP/1.1 200"), "{}", third.text);
    server.shutdown().await;
}

#[tokio::test]
async fn every_id_that_names_no_session_draws_the_same_reply() {
    let address = serve(engine().router()).await;
    let mut replies = Vec::new();
    for id in ["00000000000000000000000000000000", "1", "%ff"] {
        let reply = exchange(address, &request(&format!("GET /sessions/{id}/events"), &[], "")).await;
        reply.assert_refused(ProblemCode::NotFound, id);
        replies.push(reply.body);
    }
    replies.dedup();
    assert_eq!(replies.len(), 1);
}
