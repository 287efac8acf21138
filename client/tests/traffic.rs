//! Many messages, and a new path in their midst, against a running server as in `server.rs`.

#![cfg(all(target_arch = "wasm32", feature = "server-tests"))]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, join, stream};
use hola_webrtc_client::{Channel, ChannelOptions, ErrorKind, HIGH_WATER, Message, Step, TraceData};
use support::{event, next, server::echo, soon, within};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const MANY: u32 = 10_000;

/// Sends the numbers up to [`MANY`], and gives what comes back.
async fn round(channel: &Channel) -> Vec<u32> {
    let (mut sender, receiver) = (channel.clone(), channel.clone());
    let mut numbers = stream::iter(0..MANY).map(|number| Ok(Message::from(number.to_be_bytes().as_slice())));
    let number = |message| match message {
        Message::Binary(bytes) => u32::from_be_bytes(bytes.try_into().unwrap()),
        Message::Text(text) => panic!("{text}"),
    };
    let all = receiver.map(number).take(MANY as usize).collect();
    let (sent, numbers) =
        within(Duration::from_mins(1), async { join!(sender.send_all(&mut numbers), all) }).await;
    sent.unwrap();
    numbers
}

#[wasm_bindgen_test]
async fn ten_thousand_messages_come_back_in_order() {
    let (_connection, channel) = echo().await;
    assert!(round(&channel).await.into_iter().eq(0..MANY));
}

#[wasm_bindgen_test]
async fn ten_thousand_unordered_messages_all_come_back() {
    let (connection, _) = echo().await;
    let channel = connection.open_channel("unordered", &ChannelOptions::default().unordered()).unwrap();
    let mut received = round(&channel).await;
    received.sort_unstable();
    assert!(received.into_iter().eq(0..MANY));
}

#[wasm_bindgen_test]
async fn what_waits_to_be_sent_never_exceeds_the_high_water_mark_by_more_than_one_message() {
    const SIZE: usize = 16 * 1024;
    let (_connection, channel) = echo().await;
    let (mut sender, mut receiver) = (channel.clone(), channel.clone());
    let sending = async {
        let mut most = 0;
        for _ in 0..256 {
            sender.feed(Message::from(vec![7; SIZE])).await.unwrap();
            most = most.max(sender.buffered_amount());
        }
        most
    };
    let receiving = async {
        for _ in 0..256 {
            receiver.next().await.unwrap();
        }
    };
    let (most, ()) = within(Duration::from_mins(1), async { join!(sending, receiving) }).await;
    assert!(most <= HIGH_WATER + u32::try_from(SIZE).unwrap(), "{most}");
}

#[wasm_bindgen_test]
async fn a_restart_of_ice_keeps_the_channel_and_changes_the_credentials() {
    let (connection, mut channel) = echo().await;
    let credentials = || {
        let sdp = connection.raw().remote_description().unwrap().sdp();
        sdp.lines().find(|line| line.starts_with("a=ice-ufrag:")).unwrap().to_owned()
    };
    let before = credentials();
    soon(connection.restart_ice()).await.unwrap();
    assert_ne!(credentials(), before);
    event(&connection.trace(), |event| {
        event.step == Step::SetLocalAnswer
            && matches!(&event.data, TraceData::Description { description } if !description.sdp.contains(&before))
    })
    .await;
    channel.send(Message::from("still here")).await.unwrap();
    assert_eq!(next(&mut channel).await, Message::from("still here"));
}

#[wasm_bindgen_test]
async fn a_refused_restart_leaves_the_connection_as_it_was() {
    let (connection, mut channel) = echo().await;
    {
        let _fetch = support::page::Replaced::fetch(
            "return Promise.resolve(new Response(
                JSON.stringify({ code: 'too-many-requests', status: 429, title: 'Slower', detail: 'please' }),
                { status: 429, headers: { 'content-type': 'application/problem+json' } }))",
        );
        let error = soon(connection.restart_ice()).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Refused(_)), "{error:?}");
        assert!(error.retryable());
    }
    channel.send(Message::from("still here")).await.unwrap();
    assert_eq!(next(&mut channel).await, Message::from("still here"));
    soon(connection.restart_ice()).await.unwrap();
}
