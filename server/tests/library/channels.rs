//! Channels from either side, whole, split, and as streams of bytes.

use std::io::ErrorKind;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hola_webrtc_offerer as offerer;
use hola_webrtc_server::{ChannelOptions, Message, OpenError, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};

use crate::{Stand, soon};

#[tokio::test]
async fn the_server_opens_a_channel_and_both_see_what_was_agreed() {
    let stand = Stand::start().await;
    let (connection, _line, session, _channel) = stand.connect().await;
    let options = ChannelOptions {
        ordered: false,
        max_retransmits: Some(3),
        protocol: "news".to_owned(),
        ..ChannelOptions::default()
    };
    let (ours, theirs) =
        soon(async { tokio::join!(session.open_channel("ticker", options), connection.accept_channel()) })
            .await;
    let (mut ours, theirs) = (ours.unwrap(), theirs.unwrap());
    let parameters = ours.parameters();
    assert_eq!((parameters.label.as_str(), parameters.protocol.as_str()), ("ticker", "news"));
    assert_eq!((parameters.ordered, parameters.max_retransmits), (false, Some(3)));
    assert!(!parameters.negotiated);
    let seen = theirs.options();
    assert_eq!((seen.label.as_str(), seen.protocol.as_str()), ("ticker", "news"));
    assert!(!seen.ordered);

    ours.send(Message::Text("first".to_owned())).await.unwrap();
    assert_eq!(soon(theirs.receive()).await, Some("first".into()));
    theirs.send("second").await.unwrap();
    assert_eq!(soon(ours.next()).await, Some(Message::Text("second".to_owned())));
}

#[tokio::test]
async fn a_negotiated_channel_needs_no_announcement() {
    let stand = Stand::start().await;
    let (connection, _line, session, _channel) = stand.connect().await;
    let theirs = offerer::ChannelOptions { negotiated: Some(200), ..offerer::ChannelOptions::labelled("n") };
    let ours = ChannelOptions { negotiated: Some(200), ..ChannelOptions::default() };
    let (ours, theirs) =
        soon(async { tokio::join!(session.open_channel("n", ours), connection.open_channel(&theirs)) }).await;
    let (mut ours, theirs) = (ours.unwrap(), theirs.unwrap());
    assert_eq!((ours.parameters().id, ours.parameters().negotiated), (200, true));
    theirs.send("over stream 200").await.unwrap();
    assert_eq!(soon(ours.next()).await, Some(Message::Text("over stream 200".to_owned())));
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_the_session_goes_on() {
    let server = crate::common::limited(|limits| limits.max_channels = 2);
    let stand = Stand::of(server).await;
    let (_connection, line, session, mut channel) = stand.connect().await;
    let both = ChannelOptions {
        max_retransmits: Some(1),
        max_packet_life_time: Some(1),
        ..ChannelOptions::default()
    };
    assert!(matches!(soon(session.open_channel("x", both)).await, Err(OpenError::Invalid(_))));
    let long = "x".repeat(65_536);
    let opened = soon(session.open_channel(long, ChannelOptions::default())).await;
    assert!(matches!(opened, Err(OpenError::Invalid(_))));

    let second = soon(session.open_channel("second", ChannelOptions::default())).await.unwrap();
    let third = soon(session.open_channel("third", ChannelOptions::default())).await;
    assert_eq!(third.err(), Some(OpenError::TooManyChannels));
    drop(second);
    line.send("still here").await.unwrap();
    assert_eq!(soon(channel.next()).await, Some(Message::Text("still here".to_owned())));

    session.close("enough");
    soon(session.closed()).await;
    let opened = soon(session.open_channel("late", ChannelOptions::default())).await;
    assert_eq!(opened.err(), Some(OpenError::Closed));
    assert_eq!(soon(session.stats()).await, None);
}

#[tokio::test]
async fn the_halves_of_a_channel_work_apart_and_close_it_together() {
    let stand = Stand::start().await;
    let (_connection, line, _session, channel) = stand.connect().await;
    let (mut sender, mut receiver) = channel.split();
    let echo = tokio::spawn(async move {
        let message = receiver.next().await.unwrap();
        drop(receiver);
        message
    });
    line.send("to the receiver").await.unwrap();
    let message = soon(echo).await.unwrap();
    sender.send(message).await.unwrap();
    assert_eq!(soon(line.receive()).await, Some("to the receiver".into()));
    assert!(line.is_open(), "one half is left");
    drop(sender);
    soon(line.closed()).await;
}

#[tokio::test]
async fn a_stream_of_bytes_goes_through_a_channel_unchanged() {
    const SIZE: usize = 1_000_000;
    let stand = Stand::start().await;
    let (_connection, line, _session, channel) = stand.connect().await;
    let (mut reader, mut writer) = split(channel.into_io());
    let echo = tokio::spawn(async move { copy(&mut reader, &mut writer).await });

    let sent: Bytes = (0..SIZE).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let mut received = Vec::with_capacity(SIZE);
    let feed = async {
        for chunk in sent.chunks(1000) {
            line.send(chunk.to_vec()).await.unwrap();
        }
    };
    let receive = async {
        while received.len() < SIZE {
            let message = line.receive().await.unwrap();
            assert!(message.len() <= 16 * 1024);
            received.extend_from_slice(message.as_bytes());
        }
    };
    soon(async { tokio::join!(feed, receive) }).await;
    assert!(received == sent, "the bytes differ");
    line.close().await;
    assert_eq!(soon(echo).await.unwrap().unwrap(), SIZE as u64);
}

#[tokio::test]
async fn a_stream_of_bytes_refuses_text_and_knows_its_end() {
    let stand = Stand::start().await;
    let (_connection, line, _session, channel) = stand.connect().await;
    let mut io = channel.into_io();
    line.send(Vec::new()).await.unwrap();
    line.send("text").await.unwrap();
    line.send(b"bytes".to_vec()).await.unwrap();
    let mut buffer = [0; 2];
    assert_eq!(soon(io.read(&mut buffer)).await.unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!((soon(io.read(&mut buffer)).await.unwrap(), &buffer), (2, b"by"));
    let mut rest = String::new();
    line.close().await;
    soon(io.read_to_string(&mut rest)).await.unwrap();
    assert_eq!(rest, "tes");
    assert_eq!(soon(io.write(b"late")).await.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn a_channel_that_the_peer_has_closed_takes_no_message() {
    let stand = Stand::start().await;
    let (_connection, line, _session, mut channel) = stand.connect().await;
    line.close().await;
    assert_eq!(soon(channel.next()).await, None);
    let sent = channel.send(Message::Text("late".to_owned())).await;
    assert_eq!(sent, Err(SendError::Closed));
}

#[tokio::test]
async fn thousands_of_channels_that_the_peer_opens_and_closes_pass_through_one_session() {
    const CHANNELS: usize = 3000;
    let stand = Stand::start().await;
    let (connection, _line, session, _channel) = stand.connect().await;
    let echo = tokio::spawn(async move {
        let mut count = 0;
        while let Some(mut channel) = session.accept_channel().await {
            while let Some(message) = channel.next().await {
                channel.send(message).await.unwrap();
            }
            count += 1;
        }
        count
    });
    let options = offerer::ChannelOptions::labelled("");
    for number in 0..CHANNELS {
        let channel = soon(connection.open_channel(&options)).await;
        let channel = channel.unwrap_or_else(|error| panic!("channel {number} does not open: {error}"));
        let message = number.to_string();
        channel.send(message.as_str()).await.unwrap();
        assert_eq!(soon(channel.receive()).await, Some(message.as_str().into()), "channel {number}");
        soon(channel.close()).await;
    }
    connection.close();
    assert_eq!(soon(echo).await.unwrap(), CHANNELS);
}
