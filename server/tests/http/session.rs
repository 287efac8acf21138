//! What the signalling does to a session that is connected.

use std::{net::SocketAddr, time::Duration};

use crate::common::{SOON, engine, events::EventSource, exchange, limited, offer, request, serve};
use axum::http::Extensions;
use futures_util::{SinkExt, StreamExt};
use hola_webrtc_offerer::{Channel, Connection, connect};
use hola_webrtc_protocol::{SdpFragment, Side, TraceData, sdp};
use hola_webrtc_server::{Limits, RtcServer};
use tokio::time::timeout;

#[derive(Clone, Debug, PartialEq)]
struct User(&'static str);

/// Echoes on every channel of every session.
fn echo(server: &RtcServer) {
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

async fn assert_echoed(line: &Channel, text: &str) {
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
async fn end_of(mut events: EventSource) -> (Side, String) {
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
}
