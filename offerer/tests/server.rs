//! The offerer against the server, each with its real sockets.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{future::Future, net::SocketAddr, time::Duration};

use hola_webrtc_offerer::{
    ChannelOptions, Closed, ConnectError, ConnectOptions, Connection, Message, Offerer, SendError, Settings,
    Sockets,
};
use hola_webrtc_server::{RtcServer, echo};
use tokio::{net::TcpListener, time::timeout};

/// Long enough for whatever happens at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.expect("it happens in time")
}

/// An echoing server, and the URL of its signalling.
async fn serve() -> (RtcServer, String) {
    let server = RtcServer::builder().listen(SocketAddr::from(([127, 0, 0, 1], 0))).start().unwrap();
    tokio::spawn(echo::serve(server.clone(), Duration::ZERO));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = server.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (server, url)
}

async fn emptied(server: &RtcServer) {
    soon(async {
        while server.session_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

fn messages() -> Vec<Message> {
    let bytes = |length: usize| Message::from((0..=255).cycle().take(length).collect::<Vec<u8>>());
    vec!["".into(), "¡hola!".into(), bytes(0), bytes(1), bytes(1200), bytes(16_384), bytes(65_536)]
}

#[tokio::test]
async fn every_message_comes_back_from_an_echo() {
    let (server, url) = serve().await;
    let (connection, channel) = soon(hola_webrtc_offerer::connect(&url)).await.unwrap();
    for message in messages() {
        channel.send(message).await.unwrap();
    }
    for message in messages() {
        assert!(soon(channel.receive()).await == Some(message));
    }
    let stats = connection.stats();
    assert_eq!(stats.messages_sent, 7);
    assert_eq!(stats.bytes_received, stats.bytes_sent);
    drop(connection);
    assert_eq!(channel.send("late").await, Err(SendError::Closed));
    emptied(&server).await;
}

#[tokio::test]
async fn connections_on_a_shared_socket_do_not_mix() {
    let (server, url) = serve().await;
    let offerer = Offerer::new(Settings { sockets: Sockets::Shared, ..Settings::default() }).unwrap();
    let options = ConnectOptions::default();
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(soon(offerer.connect(&url, &options)).await.unwrap());
    }
    assert_eq!(server.session_count(), 20);
    for (number, (_, channel)) in open.iter().enumerate() {
        channel.send(format!("{number}")).await.unwrap();
    }
    for (number, (_, channel)) in open.iter().enumerate() {
        assert_eq!(soon(channel.receive()).await, Some(format!("{number}").into()));
    }
    drop(open);
    emptied(&server).await;
}

#[tokio::test]
async fn a_channel_is_what_it_was_asked_to_be() {
    let (_server, url) = serve().await;
    let (connection, _) = soon(hola_webrtc_offerer::connect(&url)).await.unwrap();
    let options = ChannelOptions {
        protocol: "chat.v1".to_owned(),
        ordered: false,
        max_retransmits: Some(3),
        ..ChannelOptions::labelled("loose")
    };
    let channel = soon(connection.open_channel(&options)).await.unwrap();
    assert_eq!(channel.options(), &options);
    channel.send("one").await.unwrap();
    assert_eq!(soon(channel.receive()).await, Some("one".into()));
    soon(channel.close()).await;
    assert_eq!(channel.receive().await, None);
    assert_eq!(channel.send("two").await, Err(SendError::Closed));
}

#[tokio::test]
async fn whoever_does_not_read_stops_the_sender_and_loses_nothing() {
    let (_server, url) = serve().await;
    let (_connection, channel) = soon(hola_webrtc_offerer::connect(&url)).await.unwrap();
    let block = Message::from(vec![7; 65_536]);
    // The echo comes back until nobody takes it: then it waits in the server, and so does what follows.
    let mut sent = 0;
    while let Ok(accepted) = timeout(Duration::from_millis(300), channel.send(block.clone())).await {
        accepted.unwrap();
        sent += 1;
        assert!(sent < 1000, "nothing holds the sender back");
    }
    for _ in 0..sent {
        assert!(soon(channel.receive()).await.as_ref() == Some(&block));
    }
}

#[tokio::test]
async fn an_end_is_told_to_the_other_side() {
    let (server, url) = serve().await;
    let (connection, channel) = soon(hola_webrtc_offerer::connect(&url)).await.unwrap();
    channel.send("last").await.unwrap();
    channel.flush().await.unwrap();
    server.shutdown().await;
    assert_eq!(soon(connection.closed()).await, Closed::Remote);
    assert!(soon(connection.accept_channel()).await.is_none());
    soon(channel.closed()).await;
}

#[tokio::test]
async fn a_killed_connection_is_noticed_by_its_socket() {
    let (server, url) = serve().await;
    let (connection, _) = soon(hola_webrtc_offerer::connect(&url)).await.unwrap();
    connection.kill();
    assert_eq!(connection.closed().await, Closed::Local);
    emptied(&server).await;
}

#[tokio::test]
async fn what_the_server_refuses_is_told_with_its_problem() {
    let (server, url) = serve().await;
    let nowhere = soon(hola_webrtc_offerer::connect(&format!("{url}/nowhere"))).await;
    let Err(ConnectError::Refused { status: 404, problem: Some(problem) }) = nowhere else {
        panic!("{nowhere:?}");
    };
    assert_eq!(problem.status, 404);
    let nobody = hola_webrtc_offerer::connect("http://127.0.0.1:9").await;
    assert!(matches!(nobody, Err(ConnectError::Http(_))), "{nobody:?}");
    assert_eq!(server.session_count(), 0);
}

#[tokio::test]
async fn the_session_is_named_in_the_reply() {
    let (server, url) = serve().await;
    let (connection, _): (Connection, _) = soon(hola_webrtc_offerer::connect(&url)).await.unwrap();
    let session = connection.reply().session.clone().unwrap();
    let delete = hyper::Request::delete(session).body(bytes::Bytes::new()).unwrap();
    let offerer = Offerer::new(Settings::default()).unwrap();
    assert_eq!(soon(offerer.http().send(delete)).await.unwrap().status(), 204);
    assert_eq!(soon(connection.closed()).await, Closed::Remote);
    emptied(&server).await;
}

#[tokio::test]
async fn what_the_server_has_not_acknowledged_when_it_ends_is_not_flushed() {
    let (server, url) = serve().await;
    let (connection, channel) = soon(hola_webrtc_offerer::connect(&url)).await.unwrap();
    let block = Message::from(vec![7; 65_536]);
    // Nobody takes the echo, so that the server reads no more.
    while let Ok(accepted) = timeout(Duration::from_millis(300), channel.send(block.clone())).await {
        accepted.unwrap();
    }
    let flushing = tokio::spawn({
        let channel = channel.clone();
        async move { channel.flush().await }
    });
    server.shutdown().await;
    while soon(channel.receive()).await.is_some() {}
    soon(connection.closed()).await;
    assert_eq!(soon(flushing).await.unwrap(), Err(SendError::Closed));
    assert_eq!(channel.flush().await, Err(SendError::Closed));
}
