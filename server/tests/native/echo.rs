//! What is sent on a channel comes back.

use std::time::Duration;

use futures_util::future::join_all;
use hola_webrtc_server::Message;
use webrtc::data_channel::RTCDataChannelInit;

use crate::stand::{LOCALHOST, Stand};
use crate::{offerer::Offerer, relay::Relay};

/// A text and a binary message of each size, and all of them once more the other way round.
pub(crate) fn messages() -> Vec<Message> {
    let sizes = [0, 1, 1200, 16_384, 65_536];
    let mut messages = Vec::new();
    for size in sizes {
        // Of two bytes a character, so that a cut within one shows.
        let text = if size == 1 { "x".to_owned() } else { "ñ".repeat(size / 2) };
        messages.push(Message::Text(text));
        messages.push(Message::Binary((0..=250).cycle().take(size).collect()));
    }
    messages.extend(messages.clone().into_iter().rev());
    messages
}

#[tokio::test]
async fn text_and_binary_of_every_size_come_back_unchanged_and_in_order() {
    let stand = Stand::start().await;
    let (offerer, line, _) = stand.connect("any").await;
    line.assert_echoes(&messages()).await;
    offerer.close().await;
}

#[tokio::test]
async fn channels_of_every_kind_echo_at_the_same_time() {
    let reliable = RTCDataChannelInit::default;
    let kinds = [
        ("ordered", reliable()),
        ("unordered", RTCDataChannelInit { ordered: false, ..reliable() }),
        ("unrepeated", RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..reliable() }),
        ("repeated", RTCDataChannelInit { max_retransmits: Some(3), ..reliable() }),
        ("short-lived", RTCDataChannelInit { max_packet_life_time: Some(500), ..reliable() }),
        ("with a protocol", RTCDataChannelInit { protocol: "mqtt".to_owned(), ..reliable() }),
        ("", reliable()),
    ];
    let stand = Stand::start().await;
    let mut offerer = Offerer::new(LOCALHOST).await;
    let mut lines = Vec::new();
    for (label, options) in kinds {
        // Such a channel gives up what is lost, as where a socket has no room.
        let is_lossy = options.max_retransmits.is_some() || options.max_packet_life_time.is_some();
        lines.push((offerer.channel_with(label, options).await, is_lossy));
    }
    let answer = stand.post(&offerer.offer().await).await;
    offerer.accept(&answer.sdp).await;
    join_all(lines.iter().map(|(line, is_lossy)| async move {
        line.opened().await;
        for message in messages() {
            // One at a time: without order, or without repetition, nothing else may be asked for.
            if *is_lossy {
                line.assert_echoes_at_last(&message).await;
            } else {
                line.assert_echoes(&[message]).await;
            }
        }
    }))
    .await;
    assert_eq!(stand.server.session_count(), 1);
    offerer.close().await;
}

#[tokio::test]
async fn a_channel_that_is_opened_later_echoes_and_one_that_is_closed_leaves_the_others_be() {
    let stand = Stand::start().await;
    let (offerer, first, _) = stand.connect("first").await;
    let second = offerer.channel("second").await;
    second.opened().await;
    second.assert_echoes(&messages()).await;
    first.close().await;
    assert_eq!(first.next().await, None);
    second.assert_echoes(&messages()).await;
    offerer.close().await;
}

#[tokio::test]
async fn a_transfer_of_many_messages_keeps_their_order() {
    let stand = Stand::start().await;
    let (offerer, line, _) = stand.connect("bulk").await;
    let mut numbers = 0_u32..;
    for _ in 0..8 {
        let numbered =
            |number: u32| Message::Binary([&number.to_be_bytes()[..], &[0; 16_380]].concat().into());
        let batch: Vec<_> = numbers.by_ref().take(64).map(numbered).collect();
        line.assert_echoes(&batch).await;
    }
    offerer.close().await;
}

#[tokio::test]
async fn the_connection_opens_with_a_single_client_hello() {
    let stand = Stand::start().await;
    for _ in 0..20 {
        let relay = Relay::between(LOCALHOST, stand.server.local_addr()).await;
        let mut offerer = Offerer::new(LOCALHOST).await;
        let line = offerer.channel("any").await;
        let answer = stand.post(&offerer.offer().await).await;
        offerer.accept(&answer.rewritten(relay.address)).await;
        line.opened().await;
        // The offerer asks for the ClientHello anew, with a cookie (HelloVerifyRequest). A third one would be one
        // that was lost, and a second of waiting.
        assert_eq!(relay.client_hellos(), 2);
        offerer.close().await;
    }
    stand.emptied_within(Duration::from_secs(5)).await;
}
