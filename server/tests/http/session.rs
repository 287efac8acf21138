//! What the signalling does to a session that is connected.

use std::{net::SocketAddr, time::Duration};

use crate::common::{
    SOON, engine, events::EventSource, exchange, figure, limited, offer, reached, request, serve,
};
use axum::http::Extensions;
use futures_util::{SinkExt, StreamExt};
use hola_webrtc_offerer::{Channel, ChannelOptions, ConnectOptions, Connection, Offerer, Settings, connect};
use hola_webrtc_protocol::{SdpFragment, Side, TraceData, sdp};
use hola_webrtc_server::{Limits, RtcServer};
use tokio::time::timeout;

#[derive(Clone, Debug, PartialEq)]
struct User(&'static str);

/// Echoes on every channel of every session.
pub(crate) fn echo(server: &RtcServer) {
    let server = server.clone();
    tokio::spawn(async move {
        while let Some(session) = server.accept().await {
            tokio::spawn(async move {
                while let Some(mut channel) = session.accept_channel().await {
                    tokio::spawn(async move {
                        while let Some(message) = channel.next().await {
                            if channel.send(message).await.is_err() {
                                break;
                            }
                        }
                    });
                }
            });
        }
    });
}

pub(crate) async fn assert_echoed(line: &Channel, text: &str) {
    line.send(text).await.unwrap();
    let echoed = timeout(SOON, line.receive()).await.expect("the echo comes").unwrap();
    assert_eq!(echoed.as_bytes(), text.as_bytes());
}

/// The path of the connection's session.
fn location(connection: &Connection) -> String {
    connection.reply().session.as_ref().unwrap().path().to_owned()
}

#[tokio::test]
async fn what_the_hook_found_is_found_again_in_the_session() {
    let server = engine();
    let signalling = server.signalling().on_offer(|_| async {
        let mut extensions = Extensions::new();
        extensions.insert(User("ana"));
        Ok(extensions)
    });
    let url = format!("http://{}", serve(signalling.router()).await);
    let (client, session) = tokio::join!(connect(&url), server.accept());
    let (_connection, _line) = client.unwrap();
    assert_eq!(session.unwrap().context().extensions.get(), Some(&User("ana")));
    server.shutdown().await;
}

#[tokio::test]
async fn a_restart_of_ice_keeps_the_session_and_its_channel() {
    let server = engine();
    echo(&server);
    let address = serve(server.router()).await;
    let (connection, line) = connect(&format!("http://{address}")).await.unwrap();
    assert_echoed(&line, "before").await;

    for round in 0..3 {
        let offer = connection.restart_ice().unwrap();
        let fragment = SdpFragment {
            ufrag: sdp::attribute(&offer, "ice-ufrag").map(str::to_owned),
            password: sdp::attribute(&offer, "ice-pwd").map(str::to_owned),
            mid: Some("0".to_owned()),
            ..SdpFragment::default()
        };
        let headers = [("content-type", SdpFragment::MEDIA_TYPE), ("if-match", "*")];
        let patch = request(&format!("PATCH {}", location(&connection)), &headers, fragment.to_string());
        let reply = exchange(address, &patch).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let new: SdpFragment = reply.text().parse().unwrap();
        let answer = &connection.reply().answer;
        let answer = sdp::with_credentials(answer, &new.ufrag.unwrap(), &new.password.unwrap());
        connection.accept_restart(&answer).unwrap();
        assert_echoed(&line, &format!("after restart {round}")).await;
    }
    assert_eq!(server.session_count(), 1);
    server.shutdown().await;
}

#[tokio::test]
async fn a_deleted_session_ends_for_its_peer() {
    let server = engine();
    echo(&server);
    let address = serve(server.router()).await;
    let (connection, line) = connect(&format!("http://{address}")).await.unwrap();
    assert_echoed(&line, "hola").await;
    let delete = request(&format!("DELETE {}", location(&connection)), &[], "");
    assert_eq!(exchange(address, &delete).await.status, 204);
    timeout(SOON, connection.closed()).await.expect("the peer is told");
}

/// How the stream of events of a session ends: who closed it, and why.
pub(crate) async fn end_of(mut events: EventSource) -> (Side, String) {
    events.read_to_end().await;
    let (_, last) = events.events().pop().unwrap();
    let TraceData::Closed { by, reason } = last.event.data else { panic!("{last:?}") };
    (by, reason.unwrap())
}

/// A connected session that is watched.
struct Watched {
    server: RtcServer,
    address: SocketAddr,
    connection: Connection,
    _line: Channel,
    events: EventSource,
}

async fn connected(set: impl FnOnce(&mut Limits)) -> Watched {
    let server = limited(set);
    echo(&server);
    let address = serve(server.router()).await;
    let (connection, line) = connect(&format!("http://{address}")).await.unwrap();
    assert_echoed(&line, "hola").await;
    let events = EventSource::open(address, &location(&connection), &[]).await;
    Watched { server, address, connection, _line: line, events }
}

#[tokio::test]
async fn the_last_event_names_who_ended_the_session_and_why() {
    let watched = connected(|_| {}).await;
    watched.connection.close();
    assert_eq!(end_of(watched.events).await, (Side::Client, "by-peer".to_owned()));

    let watched = connected(|_| {}).await;
    let delete = request(&format!("DELETE {}", location(&watched.connection)), &[], "");
    assert_eq!(exchange(watched.address, &delete).await.status, 204);
    assert_eq!(end_of(watched.events).await, (Side::Server, "by-server".to_owned()));

    let watched = connected(|_| {}).await;
    watched.server.shutdown().await;
    assert_eq!(end_of(watched.events).await, (Side::Server, "stopping".to_owned()));

    let watched = connected(|limits| limits.idle_timeout = Some(Duration::from_millis(200))).await;
    assert_eq!(end_of(watched.events).await, (Side::Server, "idle".to_owned()));
    assert_eq!(reached(&watched.server, "idle-timeout"), 1);

    let watched = connected(|_| {}).await;
    watched.connection.kill();
    assert_eq!(end_of(watched.events).await, (Side::Server, "unreachable".to_owned()));
}

#[tokio::test]
async fn the_last_event_of_an_offer_without_a_peer_says_so() {
    let server = limited(|limits| limits.check_timeout = Duration::from_millis(200));
    let address = serve(server.router()).await;
    let location = exchange(address, &offer(&[])).await.header("location").unwrap().to_owned();
    let events = EventSource::open(address, &location, &[]).await;
    assert_eq!(end_of(events).await, (Side::Server, "never-connected".to_owned()));
    assert_eq!(reached(&server, "check-timeout"), 1);
}

/// Echoes, and closes channels of this label when something is said.
async fn close_some(server: RtcServer) {
    while let Some(session) = server.accept().await {
        tokio::spawn(async move {
            while let Some(mut channel) = session.accept_channel().await {
                tokio::spawn(async move {
                    while let Some(message) = channel.next().await {
                        if channel.label() == "closed upon a word" || channel.send(message).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
    }
}

/// Waits until the events tell of so many channels that were closed; returns why.
pub(crate) async fn closed_channels(events: &mut EventSource, count: usize) -> Vec<String> {
    let is_whole = |line: &&str| line.contains("channel-closed") && line.ends_with('}');
    let is_told = |text: &str| text.lines().filter(is_whole).count() >= count;
    timeout(SOON, events.read_until(is_told)).await.expect("it is told");
    let reasons = events.events().into_iter().filter_map(|(_, timed)| match timed.event.data {
        TraceData::ChannelClosed { reason, .. } => Some(reason),
        _ => None,
    });
    reasons.collect()
}

#[tokio::test]
async fn why_a_channel_was_closed_is_told_and_one_beyond_the_limit_is_not_accepted() {
    let server = limited(|limits| limits.max_channels = 2);
    tokio::spawn(close_some(server.clone()));
    let address = serve(server.router()).await;
    let (connection, first) = connect(&format!("http://{address}")).await.unwrap();
    let mut events = EventSource::open(address, &location(&connection), &[]).await;
    let open = async |label: &str| {
        let options = ChannelOptions::labelled(label);
        timeout(SOON, connection.open_channel(&options)).await.expect("it opens or fails")
    };
    let mut expected = Vec::new();

    let line = open("closed by the client").await.unwrap();
    assert_echoed(&line, "here").await;
    line.close().await;
    expected.push("by-peer");
    assert_eq!(closed_channels(&mut events, 1).await, expected);

    let line = open("full").await.unwrap();
    assert_echoed(&line, "here").await;
    // Both that may be are there, and accepted.
    if let Ok(beyond) = open("one too many").await {
        timeout(SOON, beyond.closed()).await.expect("the server closes it");
    }
    expected.push("not-accepted");
    assert_eq!(closed_channels(&mut events, 2).await, expected);
    assert_eq!(reached(&server, "max-channels"), 1);
    assert_echoed(&line, "still here").await;
    line.close().await;
    expected.push("by-peer");
    assert_eq!(closed_channels(&mut events, 3).await, expected);

    // There is room again.
    let line = open("closed upon a word").await.unwrap();
    line.send("go").await.unwrap();
    timeout(SOON, line.closed()).await.expect("the server closes it");
    expected.push("by-server");
    assert_eq!(closed_channels(&mut events, 4).await, expected);

    assert_echoed(&first, "the first is there all the time").await;
    let delete = request(&format!("DELETE {}", location(&connection)), &[], "");
    assert_eq!(exchange(address, &delete).await.status, 204);
    expected.push("with-session");
    assert_eq!(closed_channels(&mut events, 5).await, expected);
}

#[tokio::test]
async fn what_a_session_does_is_counted() {
    let server = engine();
    echo(&server);
    let address = serve(server.router()).await;
    let (connection, line) = connect(&format!("http://{address}")).await.unwrap();
    assert_echoed(&line, "hola").await;
    let named = |name: &str, label: &str| {
        figure(&server.metrics().encode(), &format!("hola_webrtc_{name}{{{label}}}"))
    };
    assert_eq!(named("sessions", "state=\"open\""), 1);
    for direction in ["direction=\"in\"", "direction=\"out\""] {
        assert_eq!(named("messages_total", direction), 1, "{direction}");
        assert_eq!(named("message_bytes_total", direction), 4, "{direction}");
        assert!(named("datagrams_total", direction) >= 5 && named("datagram_bytes_total", direction) > 500);
    }
    for step in ["6a", "6b", "6c", "6d", "6e", "8a", "8b", "8c", "8d"] {
        assert_eq!(named("step_seconds_count", &format!("step=\"{step}\"")), 1, "{step}");
    }
    connection.close();
    let ended = async {
        while named("sessions_ended_total", "reason=\"by-peer\"") < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, ended).await.expect("the end counts");
    assert_eq!(named("sessions", "state=\"open\""), 0);
}

#[tokio::test]
async fn what_both_sides_agreed_on_is_known() {
    let server = limited(|limits| limits.max_message_size = 50_000);
    let url = format!("http://{}", serve(server.router()).await);
    let offerer = Offerer::new(Settings::default()).unwrap();
    let options = ConnectOptions { max_message_size: 20_000, ..ConnectOptions::default() };
    let (client, session) = tokio::join!(offerer.connect(&url, &options), server.accept());
    let (_connection, _line) = client.unwrap();
    let parameters = session.unwrap().parameters();
    assert_eq!((parameters.max_message_size, parameters.max_received_message_size), (20_000, 50_000));
}
