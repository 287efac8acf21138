//! Channels that speak the framing: long messages, and large transfers.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hola_webrtc_protocol::framing::{Ended, Framing, Info, Mode, Read, Role, State, Transfer};
use hola_webrtc_server::{
    Channel, ChannelOptions, IncomingLarge, LargeError, LargeInfo, Message, SendError, Session, echo,
};

use crate::{
    Stand,
    common::limited,
    soon,
    talker::{LIMITS, Talker, bytes},
};

/// A client, and both its session and its channel at the server.
pub(crate) async fn talk(stand: &Stand, mut talker: Talker) -> (Talker, Session, Channel) {
    let accept = async {
        let session = stand.server.accept().await.unwrap();
        let channel = session.accept_channel().await.unwrap();
        (session, channel)
    };
    let ((), (session, channel)) = soon(async { tokio::join!(talker.open(&stand.url), accept) }).await;
    (talker, session, channel)
}

/// Reads a transfer to its end.
async fn read(mut incoming: IncomingLarge) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    while let Some(chunk) = incoming.next().await {
        data.extend_from_slice(&chunk?);
    }
    Ok(data)
}

#[tokio::test]
async fn messages_of_any_size_pass_and_the_users_protocol_is_left_alone() {
    let stand = Stand::start().await;
    let (mut talker, _session, channel) = talk(&stand, Talker::framed()).await;
    assert_eq!((channel.label(), channel.parameters().protocol.as_str()), ("talk", "chess"));
    assert_eq!(channel.max_message_size(), LIMITS.max_message as usize);
    tokio::spawn(echo::echo(channel));
    for size in [0, 100, 16_384, 16_385, 1_000_000] {
        talker.send(&"x".repeat(size));
        assert!(talker.receive().await == "x".repeat(size), "{size}");
    }
}

#[tokio::test]
async fn a_message_beyond_the_peers_maximum_is_refused_and_the_channel_goes_on() {
    let stand = Stand::start().await;
    let (mut talker, _session, mut channel) = talk(&stand, Talker::framed()).await;
    let (size, max) = (LIMITS.max_message as usize + 1, LIMITS.max_message as usize);
    let sent = channel.send(Message::Binary(bytes(size).into())).await;
    assert_eq!(sent, Err(SendError::TooLarge { size, max }));
    channel.send(Message::Text("still here".to_owned())).await.unwrap();
    assert_eq!(talker.receive().await, "still here");
}

/// By a client that does not keep to what the server has said.
#[tokio::test]
async fn a_message_above_the_servers_maximum_ends_its_channel_alone_and_counts() {
    let stand = Stand::of(limited(|limits| limits.max_framed_message = 1000)).await;
    // The frames are those for somebody who takes more.
    let [mut greedy, mut generous] =
        [Role::Opener, Role::Acceptor].map(|role| Framing::<Bytes>::new(role, LIMITS, None));
    greedy.attach();
    generous.attach();
    let slice = |frame: &[u8]| {
        let frame = Bytes::copy_from_slice(frame);
        move |offset| frame.slice(offset..)
    };
    let hello = greedy.transmit(0).unwrap();
    generous.handle(0, &hello, &mut slice(&hello)).unwrap();
    let answer = generous.transmit(0).unwrap();
    greedy.handle(0, &answer, &mut slice(&answer)).unwrap();
    greedy.send(true, "x".repeat(1001).as_bytes()).unwrap();
    let frames = std::iter::from_fn(|| greedy.transmit(0));
    let frames: Vec<Vec<u8>> = [hello].into_iter().chain(frames).collect();

    let (connection, line, session, first) = soon(stand.connect()).await;
    let options = hola_webrtc_offerer::ChannelOptions {
        protocol: Mode::Framed.protocol(""),
        ..hola_webrtc_offerer::ChannelOptions::labelled("greedy")
    };
    let (talking, accepted) =
        soon(async { tokio::join!(connection.open_channel(&options), session.accept_channel()) }).await;
    let (talking, mut accepted) = (talking.unwrap(), accepted.unwrap());
    for frame in frames {
        talking.send(frame).await.unwrap();
    }
    assert_eq!(soon(accepted.next()).await, None, "nothing of it is handed over");
    soon(talking.closed()).await;
    let figures = stand.server.metrics().encode();
    assert!(
        figures.contains("hola_webrtc_limit_reached_total{limit=\"max-framed-message\"} 1\n"),
        "{figures}"
    );
    assert!(line.is_open());
    drop(first);
}

#[tokio::test]
async fn a_transfer_of_64_mib_arrives_whole_and_holds_little() {
    const SIZE: usize = 64 << 20;
    let stand = Stand::start().await;
    let (mut talker, session, channel) = talk(&stand, Talker::framed()).await;
    let reader = tokio::spawn(async move {
        let incoming = channel.incoming_large().await.unwrap();
        let info = incoming.info().clone();
        (info, read(incoming).await.unwrap(), channel)
    });
    let watch = tokio::spawn(async move {
        let mut most = 0;
        while let Some(stats) = session.stats().await {
            most = most.max(stats.buffered);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        most
    });
    let data = bytes(SIZE);
    let info =
        Info { total: Some(SIZE as u64), name: "a.bin".to_owned(), kind: "application/x-a".to_owned() };
    let deadline = Duration::from_mins(2);
    let sent = tokio::time::timeout(deadline, talker.send_large(&data, &info)).await.unwrap();
    assert_eq!(sent, Transfer::Delivered);
    let (seen, received, channel) = soon(reader).await.unwrap();
    assert_eq!(seen, info);
    assert!(received == data, "the bytes differ");
    drop((talker, channel));
    // A window of 256 KiB, what SCTP may hold, and the queue in between.
    let most = soon(watch).await.unwrap();
    assert!(most < 2 << 20, "{most}");
}

#[tokio::test]
async fn a_transfer_that_nobody_reads_waits_and_messages_overtake_it() {
    let stand = Stand::start().await;
    let (mut talker, session, mut channel) = talk(&stand, Talker::framed()).await;
    let key = talker.framing.start(&Info::default()).unwrap();
    let data = bytes(64 * 1024);
    let mut written = 0;
    for _ in 0..100 {
        if let Some(Transfer::Sending { has_room: true, .. }) = talker.framing.transfer(key) {
            talker.framing.write(key, &data);
            written += data.len();
        }
        talker.send("overtakes");
        let next = async { channel.next().await.unwrap() };
        let message = tokio::select! {
            message = next => message,
            () = async { loop { talker.step(Duration::from_millis(1)).await } } => unreachable!(),
        };
        assert_eq!(message, Message::Text("overtakes".to_owned()));
    }
    let Some(Transfer::Sending { sent, .. }) = talker.framing.transfer(key) else {
        panic!("it is under way")
    };
    assert!(written < 512 * 1024 && sent <= u64::from(LIMITS.window), "{written} {sent}");
    assert!(soon(session.stats()).await.unwrap().buffered < 1 << 20);
    let incoming = soon(channel.incoming_large()).await.unwrap();
    talker.framing.reset(key, "never mind");
    let ((), failed) = tokio::join!(talker.step(Duration::from_millis(10)), soon(read(incoming)));
    assert_eq!(failed.unwrap_err().to_string(), "never mind");
}

#[tokio::test]
async fn the_server_sends_several_at_a_time_and_learns_what_became_of_each() {
    let stand = Stand::start().await;
    let (mut talker, _session, channel) = talk(&stand, Talker::framed()).await;
    let data = bytes(1_000_000);
    let info = LargeInfo { name: "one".to_owned(), ..LargeInfo::default() };
    let other = LargeInfo { name: "other".to_owned(), total: Some(1_000_000), ..LargeInfo::default() };
    let sending = async {
        let (one, other) =
            tokio::join!(channel.send_large(&data[..], info), channel.send_large(&data[..], other));
        (one, other)
    };
    let receiving = async {
        let (first, second) = (talker.until(Framing::accept).await, talker.until(Framing::accept).await);
        assert_eq!((first.1.name.as_str(), second.1.name.as_str()), ("one", "other"));
        talker.framing.stop(first.0, "no room");
        let (received, end) = talker.read_large(second.0).await;
        assert!(received == data && end == Read::End);
        // The word that it has arrived has to leave.
        loop {
            talker.step(Duration::from_millis(5)).await;
        }
    };
    let (one, other) = soon(async {
        tokio::select! { sent = sending => sent, () = receiving => unreachable!() }
    })
    .await;
    assert!(matches!(one, Err(LargeError::GivenUp(reason)) if reason == "no room"));
    other.unwrap();
}

#[tokio::test]
async fn the_echo_sends_large_transfers_back_and_what_fails_on_the_way_fails_back() {
    let stand = Stand::start().await;
    tokio::spawn(echo::serve(stand.server.clone(), Duration::ZERO));
    let mut talker = Talker::framed();
    soon(talker.open(&stand.url)).await;
    let data = bytes(4_000_000);
    let info = Info { name: "año.txt".to_owned(), kind: "text/plain".to_owned(), total: Some(4_000_000) };
    let key = talker.framing.start(&info).unwrap();
    let mut rest = &data[..];
    let mut back = None;
    let mut received = Vec::new();
    loop {
        if let Some(Transfer::Sending { has_room: true, .. }) = talker.framing.transfer(key) {
            let (chunk, left) = rest.split_at(rest.len().min(64 * 1024));
            talker.framing.write(key, chunk);
            rest = left;
            if rest.is_empty() {
                talker.framing.finish(key);
            }
        }
        back = back.or_else(|| talker.framing.accept());
        match back.as_ref().and_then(|(key, _)| talker.framing.read(*key)) {
            Some(Read::Chunk(chunk)) => received.extend_from_slice(&chunk),
            Some(Read::End) => break,
            Some(Read::Failed(reason)) => panic!("{reason}"),
            None => talker.step(Duration::from_millis(5)).await,
        }
    }
    assert_eq!(back.unwrap().1, info);
    assert!(received == data, "the bytes differ");

    let key = talker.framing.start(&Info::default()).unwrap();
    talker.framing.write(key, b"begun");
    let (there, _) = talker.until(Framing::accept).await;
    assert_eq!(talker.until(|framing| framing.read(there)).await, Read::Chunk(b"begun"[..].into()));
    talker.framing.reset(key, "changed my mind");
    let end = talker.until(|framing| framing.read(there)).await;
    assert_eq!(end, Read::Failed("changed my mind".to_owned()));
}

#[tokio::test]
async fn a_transfer_whose_handler_is_gone_is_given_up() {
    let stand = Stand::start().await;
    let (mut talker, _session, channel) = talk(&stand, Talker::framed()).await;
    let outgoing = soon(channel.large().start(LargeInfo::default())).await.unwrap();
    soon(outgoing.write(b"begun")).await.unwrap();
    let (key, _) = talker.until(Framing::accept).await;
    drop(outgoing);
    let (_, end) = talker.read_large(key).await;
    assert_eq!(end, Read::Failed("it was dropped".to_owned()));

    let key = talker.framing.start(&Info::default()).unwrap();
    let incoming = tokio::select! {
        incoming = channel.incoming_large() => incoming.unwrap(),
        () = async { loop { talker.step(Duration::from_millis(1)).await } } => unreachable!(),
    };
    incoming.cancel("not this one");
    let failed = Transfer::Failed("not this one".to_owned());
    talker.until(|framing| (framing.transfer(key)? == failed).then_some(())).await;
}

#[tokio::test]
async fn the_echo_of_a_transfer_that_is_not_taken_hands_on_why() {
    let stand = Stand::start().await;
    let (mut talker, _session, channel) = talk(&stand, Talker::framed()).await;
    tokio::spawn(echo::echo_large(channel.large()));
    let key = talker.framing.start(&Info::default()).unwrap();
    let (echoed, _) = talker.until(Framing::accept).await;
    talker.framing.stop(echoed, "no room");
    let over = |framing: &mut Framing<_>| match framing.transfer(key)? {
        Transfer::Sending { has_room, .. } => {
            if has_room {
                framing.write(key, &[0; 1024]);
            }
            None
        }
        over => Some(over),
    };
    assert_eq!(talker.until(over).await, Transfer::Failed("no room".to_owned()));
}

#[tokio::test]
async fn a_channel_that_asks_for_nothing_has_no_large_transfers() {
    let stand = Stand::start().await;
    let (_connection, _line, _session, channel) = stand.connect().await;
    let sent = channel.send_large(&b"data"[..], LargeInfo::default()).await;
    assert!(matches!(sent, Err(LargeError::NotFramed)));
    assert!(channel.incoming_large().await.is_none());
}

#[tokio::test]
async fn the_server_opens_channels_for_large_transfers_as_well() {
    let stand = Stand::start().await;
    let (connection, _line, session, _channel) = stand.connect().await;
    let options = ChannelOptions { protocol: "news".to_owned(), ..ChannelOptions::default() }.for_large();
    let (channel, mut talker) =
        soon(async { tokio::join!(session.open_channel("files", options), Talker::accept(connection)) })
            .await;
    let mut channel = channel.unwrap();
    assert_eq!(channel.parameters().protocol, "news");
    let sent = tokio::spawn(async move {
        channel.send(Message::Text("hello".to_owned())).await.unwrap();
        channel.close().await.unwrap();
    });
    assert_eq!(talker.receive().await, "hello");
    talker.until(|framing| matches!(framing.state(), State::Ended(_)).then_some(())).await;
    soon(sent).await.unwrap();
}

#[tokio::test]
async fn who_waits_for_a_channel_hears_that_the_server_has_stopped() {
    for talker in [Talker::framed(), Talker::resumable(1)] {
        let stand = Stand::start().await;
        let (_talker, _session, mut channel) = talk(&stand, talker).await;
        let waiting = tokio::spawn(async move { channel.next().await });
        stand.server.shutdown().await;
        assert_eq!(soon(waiting).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_goes_against_the_framing_closes_the_channel_and_says_why() {
    let stand = Stand::start().await;
    for (message, code, name) in [
        (hola_webrtc_offerer::Message::from(vec![0x77]), 4, "unexpected-frame"),
        (vec![0x11, 0xff].into(), 11, "not-utf-8"),
        ("text".into(), 13, "not-binary"),
    ] {
        let (mut talker, _session, mut channel) = talk(&stand, Talker::framed()).await;
        let handler = tokio::spawn(async move { channel.next().await });
        talker.send_raw(message).await;
        let ended = talker
            .until(|framing| match framing.state() {
                State::Ended(ended) => Some(ended.clone()),
                _ => None,
            })
            .await;
        assert_eq!(ended, Ended::ByRemote { code, reason: name.to_owned() });
        assert_eq!(soon(handler).await.unwrap(), None);
    }
}
