//! What becomes of who meets a limit of sessions, and that it counts.

use std::time::Duration;

use crate::{
    common::{OFFER, SOON, engine, events::EventSource, exchange, limited, offer, reached, request, serve},
    session::{assert_echoed, closed_channels, echo, end_of},
};
use futures_util::StreamExt;
use hola_webrtc_offerer::{ChannelOptions, ConnectOptions, Offerer, Reply, Settings, Sockets, connect};
use hola_webrtc_protocol::{ProblemCode, Side};
use hola_webrtc_server::{Limits, Message, OfferContext};
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn sessions_beyond_those_that_there_may_be_are_refused_and_count() {
    for (limit, code, set) in [
        ("max-sessions", ProblemCode::Unavailable, (|limits| limits.max_sessions = 2) as fn(&mut Limits)),
        ("max-sessions-per-address", ProblemCode::TooManySessions, |limits| {
            limits.max_sessions_per_address = 2;
        }),
    ] {
        let server = limited(set);
        let address = serve(server.router()).await;
        for _ in 0..2 {
            assert_eq!(exchange(address, &offer(&[])).await.status, 201);
        }
        assert_eq!(reached(&server, limit), 0);
        exchange(address, &offer(&[])).await.assert_refused(code, limit);
        assert_eq!((reached(&server, limit), server.session_count()), (1, 2));
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_message_above_the_maximum_closes_its_channel_alone_and_counts() {
    const MAX: u32 = 1000;
    let server = limited(|limits| limits.max_message_size = MAX);
    echo(&server);
    let address = serve(server.router()).await;
    let offerer = Offerer::new(Settings::default()).unwrap();
    let options = ConnectOptions { max_message_size: 2 * MAX, ..ConnectOptions::default() };
    let pending = offerer.offer(address.ip(), &options).unwrap();
    let post = request("POST /offer", &[("content-type", "application/sdp")], pending.sdp());
    let reply = exchange(address, &post).await;
    let mut events = EventSource::open(address, reply.header("location").unwrap(), &[]).await;
    // The offerer would keep to what the server says.
    let answer = reply.text().replace("a=max-message-size:1000", "a=max-message-size:2000");
    let (connection, line) = pending.accept(Reply { answer, ..Reply::default() }).await.unwrap();
    let other = connection.open_channel(&ChannelOptions::labelled("other")).await.unwrap();

    assert_echoed(&line, &"x".repeat(1000)).await;
    assert_eq!(reached(&server, "max-message-size"), 0);
    line.send("x".repeat(1001)).await.unwrap();
    timeout(SOON, line.closed()).await.expect("the server closes it");
    assert_eq!(closed_channels(&mut events, 1).await, ["too-large"]);
    assert_eq!(reached(&server, "max-message-size"), 1);
    assert_echoed(&other, "still here").await;
}

#[tokio::test]
async fn a_handler_that_does_not_read_holds_no_more_than_it_may_and_that_counts() {
    const MESSAGES: usize = 20;
    let server = limited(|limits| limits.session_buffer = 2000);
    let url = format!("http://{}", serve(server.router()).await);
    let accept = async {
        let session = server.accept().await.unwrap();
        let channel = session.accept_channel().await.unwrap();
        (session, channel)
    };
    let (client, (_session, mut channel)) = tokio::join!(connect(&url), accept);
    let (_connection, line) = client.unwrap();
    assert_eq!(reached(&server, "session-buffer"), 0);
    for _ in 0..MESSAGES {
        line.send("x".repeat(500)).await.unwrap();
    }
    let waiting = async {
        while reached(&server, "session-buffer") == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, waiting).await.expect("the rest waits");
    for _ in 0..MESSAGES {
        let message = timeout(SOON, channel.next()).await.expect("nothing is lost");
        assert_eq!(message, Some(Message::Text("x".repeat(500))));
    }
}

/// All its connections have one socket, which stays when one of them is killed: the host says nothing.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_falls_silent_is_let_go_in_time_and_counts() {
    let server = limited(|limits| limits.silence_timeout = Duration::from_millis(1500));
    echo(&server);
    let address = serve(server.router()).await;
    let offerer = Offerer::new(Settings { sockets: Sockets::Shared, ..Settings::default() }).unwrap();
    let url = format!("http://{address}");
    let (connection, line) = offerer.connect(&url, &ConnectOptions::default()).await.unwrap();
    assert_echoed(&line, "hola").await;
    let location = connection.reply().session.as_ref().unwrap().path().to_owned();
    let events = EventSource::open(address, &location, &[]).await;
    connection.kill();
    assert_eq!(end_of(events).await, (Side::Server, "silent".to_owned()));
    assert_eq!(reached(&server, "silence-timeout"), 1);
}

/// Where a program gives the server an offer itself, no reply can refuse it.
#[tokio::test]
async fn candidates_of_an_offer_that_are_too_many_are_passed_over_and_count() {
    let server = engine();
    let candidate = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n";
    let offer = format!("{OFFER}{}", candidate.repeat(65));
    server.answer(&offer, OfferContext::default()).unwrap();
    assert_eq!(reached(&server, "max-candidates"), 1);
}
