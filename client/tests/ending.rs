//! How a connection inside the page ends, and that nothing of it is left.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::cell::Cell;

use futures_util::{FutureExt, SinkExt, StreamExt};
use hola_webrtc_client::{
    ChannelOptions, ChannelState, Closed, ConnectOptions, ConnectionState, Gate, Message, SendError, Side,
    TraceData, connect_with,
};
use support::{
    answerer::{Answerer, connected},
    next,
    page::{ListenerCount, PeerConnections},
    pause, soon, steps,
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn closing_ends_the_channels_and_the_trace() {
    let (connection, answerer) = connected().await;
    let (closed, mut channel, trace) = (connection.closed(), connection.channel(), connection.trace());
    let mut incoming = connection.incoming_channels();
    connection.close();
    connection.close();
    assert_eq!(soon(closed).await, Closed::Local);
    assert_eq!(soon(connection.closed()).await, Closed::Local);
    assert_eq!(connection.state(), ConnectionState::Closed);
    assert_eq!(channel.state(), ChannelState::Closed);
    assert_eq!(soon(channel.next()).await, None);
    assert!(soon(incoming.next()).await.is_none());
    assert_eq!(channel.send(Message::from("late")).await, Err(SendError::NotOpen));
    assert_eq!(answerer.ended(), 0, "DTLS has said it");
    let events: Vec<_> = soon(trace.subscribe().collect()).await;
    assert_eq!(events.last().unwrap().data, TraceData::Closed { by: Side::Client, reason: None });
}

#[wasm_bindgen_test]
async fn dropping_the_last_handle_closes_too() {
    let (connection, answerer) = connected().await;
    let (closed, channel) = (connection.closed(), connection.channel());
    drop(connection);
    assert_eq!(channel.state(), ChannelState::Open);
    drop(channel);
    assert_eq!(soon(closed).await, Closed::Local);
    assert_eq!(answerer.ended(), 0, "DTLS has said it");
}

#[wasm_bindgen_test]
async fn a_close_by_the_other_side_is_told_at_once_and_not_as_a_failure() {
    let (connection, answerer) = connected().await;
    let mut channel = connection.channel();
    answerer.pc().close();
    assert_eq!(soon(connection.closed()).await, Closed::Remote);
    assert_eq!(soon(channel.next()).await, None);
    assert_eq!(answerer.ended(), 0);
    let last = connection.trace().events().pop().unwrap();
    assert_eq!(last.data, TraceData::Closed { by: Side::Server, reason: None });
}

#[wasm_bindgen_test]
async fn the_other_side_closing_the_only_channel_ends_the_connection() {
    let (connection, answerer) = connected().await;
    soon(answerer.channel()).await.close();
    assert_eq!(soon(connection.closed()).await, Closed::Remote);
}

#[wasm_bindgen_test]
async fn closing_a_channel_here_leaves_the_connection_open() {
    let (connection, _answerer) = connected().await;
    let mut first = connection.channel();
    soon(SinkExt::close(&mut first)).await.unwrap();
    assert_eq!(first.state(), ChannelState::Closed);
    assert_eq!(connection.state(), ConnectionState::Connected);
    let mut second = connection.open_channel("other", &ChannelOptions::default()).unwrap();
    soon(second.ready()).await.unwrap();
    second.send(Message::from("still here")).await.unwrap();
    assert_eq!(next(&mut second).await, Message::from("still here"));
}

#[wasm_bindgen_test]
async fn giving_up_midway_leaves_nothing_behind() {
    for steps_taken in 0..10_usize {
        let peers = PeerConnections::new();
        let gates_left = Cell::new(steps_taken);
        let gate = Gate::new(move |_| {
            let holds = gates_left.get() == 0;
            gates_left.set(gates_left.get().saturating_sub(1));
            async move {
                if holds {
                    std::future::pending::<()>().await;
                }
            }
        });
        let answerer = Answerer::new();
        let listeners = ListenerCount::new();
        let mut connecting = connect_with(answerer.clone(), ConnectOptions::default().gate(gate));
        let trace = connecting.trace();
        let done = |trace: &hola_webrtc_client::Trace| {
            steps(trace, |data| matches!(data, TraceData::Done { .. }))
                .iter()
                .filter(|label| **label != "6a")
                .count()
        };
        soon(async {
            while done(&trace) < steps_taken {
                assert!((&mut connecting).now_or_never().is_none());
                pause(5).await;
            }
        })
        .await;
        assert!((&mut connecting).now_or_never().is_none());
        drop(connecting);
        assert_eq!(peers.states().iter().skip(1).filter(|state| *state != "closed").count(), 0);
        assert_eq!(listeners.live(), Vec::<String>::new(), "after {steps_taken} steps");
        assert_eq!(answerer.ended(), u32::from(steps_taken > 4), "after {steps_taken} steps");
        assert!(soon(trace.subscribe().collect::<Vec<_>>()).await.len() >= steps_taken);
    }
}

#[wasm_bindgen_test]
async fn every_listener_is_gone_with_its_connection() {
    let answerer = Answerer::new();
    let listeners = ListenerCount::new();
    let connection = soon(connect_with(answerer.clone(), ConnectOptions::default())).await.unwrap();
    let more = connection.open_channel("more", &ChannelOptions::default()).unwrap();
    soon(more.ready()).await.unwrap();
    assert!(listeners.registered() > 15.0, "{}", listeners.registered());
    connection.close();
    assert_eq!(listeners.live(), Vec::<String>::new());
}
