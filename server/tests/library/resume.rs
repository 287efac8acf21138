//! Channels that outlive their sessions.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hola_webrtc_protocol::framing::{Ended, Fault, Info, Read, State, Transfer};
use hola_webrtc_server::{Message, Metrics, Session, echo};
use tokio::task::JoinHandle;

use crate::{
    Stand, common,
    large::talk,
    soon,
    talker::{Talker, bytes},
    until,
};

fn counts(metrics: &Metrics, name: &str) -> i64 {
    let text = metrics.encode();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("{name}\n{text}")).rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn ten_thousand_messages_come_back_once_and_in_order_though_the_session_is_killed_again_and_again() {
    const MESSAGES: usize = 10_000;
    const KILLS: usize = 8;
    let stand = Stand::start().await;
    let (mut talker, session, channel) = talk(&stand, Talker::resumable(1)).await;
    tokio::spawn(echo::echo(channel));
    session.close("the test wants it");
    let mut next = come_back(&stand, &mut talker).await;
    let (mut sent, mut received) = (0, 0);
    let mut kills = 0;
    while received < MESSAGES {
        while sent < MESSAGES && talker.framing.buffered() < 16 * 1024 {
            talker.send(&sent.to_string());
            sent += 1;
        }
        while let Some(message) = talker.framing.receive() {
            assert_eq!(message.parts.concat(), received.to_string().as_bytes());
            received += 1;
        }
        if kills < KILLS && received * KILLS > MESSAGES * kills {
            // With frames under way in both directions; by turns, each side ends the session.
            kills += 1;
            if kills % 2 == 0 {
                talker.cut();
            }
            next.end().await;
            next = come_back(&stand, &mut talker).await;
        }
        talker.step(Duration::from_millis(5)).await;
    }
    assert_eq!(sent, MESSAGES);
    assert_eq!(counts(stand.server.metrics(), "hola_webrtc_resumed_total"), 9);
    assert!(talker.framing.take_undelivered().is_empty());
}

/// The client's next session, on which its channel goes on with the handler that has it.
async fn come_back(stand: &Stand, talker: &mut Talker) -> Next {
    let accept = async { stand.server.accept().await.unwrap() };
    let ((), session) = soon(async { tokio::join!(talker.connect(&stand.url), accept) }).await;
    let session = Arc::new(session);
    let kept = session.clone();
    let accepting =
        tokio::spawn(async move { kept.accept_channel().await.map(|channel| channel.label().to_owned()) });
    talker.until(|framing| (*framing.state() == State::Open).then_some(())).await;
    Next { session, accepting }
}

struct Next {
    session: Arc<Session>,
    accepting: JoinHandle<Option<String>>,
}

impl Next {
    async fn end(self) {
        self.session.close("the test wants it");
        soon(self.session.closed()).await;
        assert_eq!(soon(self.accepting).await.unwrap(), None, "nothing new was to be accepted");
    }
}

#[tokio::test]
async fn a_transfer_goes_on_where_it_was_cut() {
    let stand = Stand::start().await;
    tokio::spawn(echo::serve(stand.server.clone(), Duration::ZERO));
    let mut talker = Talker::resumable(2);
    talker.open(&stand.url).await;
    let data = bytes(3_000_000);
    let key = talker.framing.start(&Info::default()).unwrap();
    let (mut rest, mut received, mut back) = (&data[..], Vec::new(), None);
    let mut cuts = 0;
    loop {
        if let Some(Transfer::Sending { has_room: true, .. }) = talker.framing.transfer(key) {
            let (chunk, left) = rest.split_at(rest.len().min(64 * 1024));
            talker.framing.write(key, chunk);
            rest = left;
            if rest.is_empty() {
                talker.framing.finish(key);
            }
        }
        if received.len() > 500_000 * (cuts + 1) && cuts < 4 {
            cuts += 1;
            talker.cut();
            talker.connect(&stand.url).await;
        }
        back = back.or_else(|| talker.framing.accept());
        match back.as_ref().and_then(|(key, _)| talker.framing.read(*key)) {
            Some(Read::Chunk(chunk)) => received.extend_from_slice(&chunk),
            Some(Read::End) => break,
            Some(Read::Failed(reason)) => panic!("{reason}"),
            None => talker.step(Duration::from_millis(5)).await,
        }
    }
    assert!(received == data, "the bytes differ");
    assert_eq!(cuts, 4);
}

#[tokio::test]
async fn the_handler_goes_on_sending_while_its_client_is_away() {
    let stand = Stand::start().await;
    let (mut talker, session, mut channel) = talk(&stand, Talker::resumable(3)).await;
    session.close("for a while");
    soon(session.closed()).await;
    talker.cut();
    let metrics = stand.server.metrics();
    until(|| counts(metrics, "hola_webrtc_parked") == 1).await;
    for number in 0..100 {
        channel.send(Message::Text(format!("{number}"))).await.unwrap();
    }
    until(|| counts(metrics, "hola_webrtc_parked_bytes") > 1000).await;
    let _next = come_back(&stand, &mut talker).await;
    for number in 0..100 {
        assert_eq!(talker.receive().await, number.to_string());
    }
    assert_eq!(counts(metrics, "hola_webrtc_parked"), 0);
    assert_eq!(counts(metrics, "hola_webrtc_parked_bytes"), 0);
}

#[tokio::test]
async fn a_client_that_does_not_come_back_in_time_leaves_what_it_has_not_acknowledged() {
    let timeout = Duration::from_millis(200);
    let stand = Stand::of(common::limited(|limits| limits.resume_timeout = timeout)).await;
    let (mut talker, session, mut channel) = talk(&stand, Talker::resumable(4)).await;
    talker.send("from the client");
    let next = async { channel.next().await };
    let message = tokio::select! {
        message = next => message,
        () = async { loop { talker.step(Duration::from_millis(1)).await } } => unreachable!(),
    };
    assert_eq!(message, Some(Message::Text("from the client".to_owned())));
    session.close("for good");
    soon(session.closed()).await;
    talker.send("into the void");
    talker.cut();
    channel.send(Message::Text("lost".to_owned())).await.unwrap();
    assert_eq!(soon(channel.next()).await, None);
    let undelivered = channel.take_undelivered();
    let told: Vec<_> = undelivered.into_iter().map(|it| (it.message, it.is_whole)).collect();
    assert_eq!(told, [(Message::Text("lost".to_owned()), true)]);
    assert_eq!(
        counts(stand.server.metrics(), r#"hola_webrtc_limit_reached_total{limit="resume-timeout"}"#),
        1
    );
    assert_eq!(counts(stand.server.metrics(), "hola_webrtc_parked"), 0);

    // The client hears of it when it comes back: its channel is a new one.
    let (mut talker, _session, mut channel) = talk(&stand, talker).await;
    let waited = tokio::select! {
        message = channel.next() => message,
        () = async { loop { talker.step(Duration::from_millis(1)).await } } => unreachable!(),
    };
    // It had not left before.
    assert_eq!(waited, Some(Message::Text("into the void".to_owned())));
}

#[tokio::test]
async fn a_server_that_was_started_anew_has_what_was_not_acknowledged_reported() {
    let first = Stand::start().await;
    let (mut talker, _session, channel) = talk(&first, Talker::resumable(5)).await;
    talker.send("under way");
    // It leaves, and nothing is heard of it.
    let frame = talker.framing.transmit(0).unwrap();
    talker.send_raw(frame).await;
    drop(channel);
    talker.cut();
    let second = Stand::start().await;
    let (mut talker, _session, channel) = talk(&second, talker).await;
    let [undelivered] = talker.framing.take_undelivered().try_into().unwrap();
    assert_eq!((undelivered.data.as_slice(), undelivered.is_whole), (&b"under way"[..], true));
    tokio::spawn(echo::echo(channel));
    talker.send("anew");
    assert_eq!(talker.receive().await, "anew");
}

#[tokio::test]
async fn a_connection_that_seems_alive_gives_way_to_a_new_one() {
    let stand = Stand::start().await;
    let (mut talker, _session, channel) = talk(&stand, Talker::resumable(6)).await;
    tokio::spawn(echo::echo(channel));
    talker.send("before");
    assert_eq!(talker.receive().await, "before");
    let _next = come_back(&stand, &mut talker).await;
    talker.send("after");
    assert_eq!(talker.receive().await, "after");
}

#[tokio::test]
async fn no_more_resumable_channels_than_may_and_one_that_ends_makes_room() {
    for (limit, set) in [
        ("max-resumable", (|limits| limits.max_resumable = 1) as fn(&mut hola_webrtc_server::Limits)),
        ("max-resumable-per-address", |limits| limits.max_resumable_per_address = 1),
    ] {
        let stand = Stand::of(common::limited(set)).await;
        tokio::spawn(echo::serve(stand.server.clone(), Duration::ZERO));
        let mut talker = Talker::resumable(7);
        talker.open(&stand.url).await;
        let mut other = Talker::resumable(8);
        other.connect(&stand.url).await;
        let ended = other
            .until(|framing| match framing.state() {
                State::Ended(ended) => Some(ended.clone()),
                _ => None,
            })
            .await;
        let refused = Ended::ByRemote { code: Fault::Refused.code(), reason: "refused".to_owned() };
        assert_eq!(ended, refused);
        assert_eq!(common::reached(&stand.server, limit), 1);
        talker.framing.close();
        talker.until(|framing| matches!(framing.state(), State::Ended(_)).then_some(())).await;
        let mut third = Talker::resumable(9);
        soon(third.open(&stand.url)).await;
    }
}

#[tokio::test]
async fn what_is_held_for_clients_that_are_away_is_bounded() {
    for (limit, set) in [
        ("resume-buffer", (|limits| limits.resume_buffer = 1000) as fn(&mut hola_webrtc_server::Limits)),
        ("resume-buffer-per-address", |limits| limits.resume_buffer_per_address = 1000),
    ] {
        let stand = Stand::of(common::limited(set)).await;
        let (mut talker, session, mut channel) = talk(&stand, Talker::resumable(10)).await;
        session.close("for a while");
        soon(session.closed()).await;
        talker.cut();
        channel.send(Message::Text("a little".to_owned())).await.unwrap();
        // Taken, and too much: to flush it may tell of the end already.
        channel.feed(Message::Binary(bytes(2000).into())).await.unwrap();
        assert_eq!(soon(channel.next()).await, None);
        assert_eq!(channel.take_undelivered().len(), 2);
        let name = format!(r#"hola_webrtc_limit_reached_total{{limit="{limit}"}}"#);
        assert_eq!(counts(stand.server.metrics(), &name), 1);
        assert_eq!(counts(stand.server.metrics(), "hola_webrtc_parked_bytes"), 0);
    }
}

#[tokio::test]
async fn a_server_that_stops_lets_its_resumable_channels_go_on_elsewhere() {
    let first = Stand::start().await;
    tokio::spawn(echo::serve(first.server.clone(), Duration::ZERO));
    let mut talker = Talker::resumable(11);
    talker.open(&first.url).await;
    talker.send("before");
    assert_eq!(talker.receive().await, "before");
    let draining = tokio::spawn(async move { first.server.drain(common::SOON).await });
    talker.until(|framing| (*framing.state() == State::Detached).then_some(())).await;
    assert_eq!(soon(draining).await.unwrap(), 0, "none had to be ended");
    talker.send("meanwhile");
    let second = Stand::start().await;
    tokio::spawn(echo::serve(second.server.clone(), Duration::ZERO));
    talker.open(&second.url).await;
    assert_eq!(talker.receive().await, "meanwhile");
    assert!(talker.framing.take_undelivered().is_empty());
}
