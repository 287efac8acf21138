//! Channels that speak the framing, against a running server, as in `server.rs`: it echoes messages and transfers.

#![cfg(all(target_arch = "wasm32", feature = "server-tests"))]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::{cell::RefCell, time::Duration};

use futures_util::{SinkExt, StreamExt, future::join};
use hola_webrtc_client::{
    ChannelOptions, Connection, Ended, FramedChannel, Message, Mode, SendError, TransferError, TransferInfo,
};
use support::{server::echo, soon, within};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const LONG: Duration = Duration::from_secs(30);

async fn framed(mode: Mode) -> (Connection, FramedChannel) {
    let (connection, _) = echo().await;
    let options = ChannelOptions::default().protocol("chess");
    let channel = FramedChannel::open(&connection, "files", &options, mode).unwrap();
    soon(channel.ready()).await.unwrap();
    (connection, channel)
}

/// Bytes that differ from one another over any distance that a chunk has.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index ^ (index >> 8) ^ (index >> 16)).to_le_bytes()[0]).collect()
}

#[wasm_bindgen_test]
async fn messages_beyond_what_the_browser_takes_come_back_unchanged_and_in_order() {
    for mode in [Mode::Framed, Mode::Resumable] {
        let (_connection, mut channel) = framed(mode).await;
        let messages =
            [Message::from("ñ".repeat(300_000)), Message::from(bytes(1_000_000)), Message::from("")];
        for message in &messages {
            within(LONG, channel.send(message.clone())).await.unwrap();
        }
        for message in &messages {
            assert!(within(LONG, channel.next()).await.unwrap() == *message, "{} bytes", message.len());
        }
        soon(channel.delivered()).await.unwrap();
        soon(SinkExt::close(&mut channel)).await.unwrap();
        assert_eq!(soon(channel.closed()).await, Ended::Closed);
        assert_eq!(channel.send(Message::from("late")).await, Err(SendError::NotOpen));
    }
}

#[wasm_bindgen_test]
async fn one_beyond_what_the_other_side_takes_is_refused() {
    let (_connection, mut channel) = framed(Mode::Framed).await;
    let limit = channel.max_message_size().unwrap();
    let size = limit as usize + 1;
    assert_eq!(
        soon(channel.send(Message::from(vec![0; size]))).await,
        Err(SendError::TooLarge { size, limit })
    );
}

#[wasm_bindgen_test]
async fn a_large_transfer_goes_there_and_back_with_its_name_and_its_progress() {
    let (_connection, channel) = framed(Mode::Framed).await;
    let data = bytes(3 << 20);
    let info = TransferInfo { name: "año.bin".into(), kind: "a/b".into(), ..TransferInfo::default() };
    let progress = RefCell::new(Vec::new());
    let send = channel.send_large(&data, info.clone(), |sent| progress.borrow_mut().push(sent));
    let mut incoming = channel.incoming_large();
    let receive = async {
        let mut received = Vec::new();
        let mut transfer = incoming.next().await.unwrap();
        assert_eq!(*transfer.info(), TransferInfo { total: Some(data.len() as u64), ..info });
        while let Some(piece) = transfer.next().await {
            received.extend(piece.unwrap());
        }
        received
    };
    let (outcome, received) = within(LONG, join(send, receive)).await;
    outcome.unwrap();
    assert!(received == data);
    let progress = progress.into_inner();
    assert!(progress.is_sorted() && progress.len() > 2, "{progress:?}");
    assert_eq!(progress.last(), Some(&(data.len() as u64)));
}

#[wasm_bindgen_test]
async fn either_side_can_give_a_transfer_up_and_the_other_is_told_why() {
    let (_connection, channel) = framed(Mode::Framed).await;
    let mut incoming = channel.incoming_large();

    let mut sender = soon(channel.start_large(&TransferInfo::default())).await.unwrap();
    soon(sender.send(bytes(100_000))).await.unwrap();
    let mut echo = soon(incoming.next()).await.unwrap();
    assert!(soon(echo.next()).await.unwrap().is_ok());
    sender.cancel("enough");
    let error = soon(async {
        loop {
            if let Err(error) = echo.next().await.expect("the echo counts as whole") {
                return error;
            }
        }
    })
    .await;
    assert!(error.to_string().starts_with("the transfer was given up"), "{error}");

    let data = bytes(2 << 20);
    let send = channel.send_large(&data, TransferInfo::default(), |_| ());
    let refuse = async { incoming.next().await.unwrap().cancel("no room") };
    let (outcome, ()) = within(LONG, join(send, refuse)).await;
    let error: TransferError = outcome.unwrap_err();
    assert!(error.to_string().contains("no room"), "{error}");

    let mut channel = channel;
    soon(channel.send(Message::from("the channel goes on"))).await.unwrap();
    assert_eq!(soon(channel.next()).await, Some(Message::from("the channel goes on")));
}

#[wasm_bindgen_test]
async fn what_is_on_its_way_as_the_connection_ends_is_told() {
    let (connection, mut channel) = framed(Mode::Resumable).await;
    soon(channel.send(Message::from("arrives"))).await.unwrap();
    soon(channel.delivered()).await.unwrap();
    channel.send(Message::from("does not")).await.unwrap();
    let mut sender = soon(channel.start_large(&TransferInfo::default())).await.unwrap();
    connection.close();
    assert_eq!(soon(channel.closed()).await, Ended::Lost);
    assert_eq!(soon(channel.delivered()).await, Err(SendError::NotOpen));
    let undelivered = channel.take_undelivered();
    assert_eq!(undelivered.len(), 1);
    assert!(undelivered[0].text && undelivered[0].is_whole && undelivered[0].data == b"does not");
    assert!(soon(sender.send(vec![1])).await.is_err());
    assert!(soon(channel.incoming_large().next()).await.is_none());
}

#[wasm_bindgen_test]
async fn a_channel_that_may_lose_messages_cannot_speak_it() {
    let (connection, _) = echo().await;
    let options = ChannelOptions::default().unordered();
    assert!(FramedChannel::open(&connection, "files", &options, Mode::Framed).is_err());
}
