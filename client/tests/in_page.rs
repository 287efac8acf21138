//! A connection inside the page: the client and an answerer made of the browser's own `RTCPeerConnection`.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures_util::{FutureExt, SinkExt, StreamExt};
use hola_webrtc_client::{
    ChannelOptions, ChannelState, Closed, ConnectOptions, Connection, ConnectionState, ErrorKind, Gate,
    Gathering, HIGH_WATER, Message, Phase, SendError, Side, StateMachine, Step, TraceData, connect_with,
};
use hola_webrtc_protocol::sdp;
use support::{
    answerer::{Answerer, SESSION},
    event, next,
    page::{ListenerCount, PeerConnections},
    pause, soon, steps,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::RtcDataChannelState;

wasm_bindgen_test_configure!(run_in_browser);

async fn connected() -> (Connection, Answerer) {
    let answerer = Answerer::new();
    (soon(connect_with(answerer.clone(), ConnectOptions::default())).await.unwrap(), answerer)
}

#[wasm_bindgen_test]
async fn the_eight_steps_happen_in_order_and_are_told() {
    let (connection, _answerer) = connected().await;
    let trace = connection.trace();
    let client = ["1", "2", "3", "4", "5", "7", "8a", "8b", "8c", "8d"];
    assert_eq!(steps(&trace, |data| *data == TraceData::Began), client);
    let done = trace.events().into_iter().filter(|event| matches!(event.data, TraceData::Done { .. }));
    let (server, client_done): (Vec<_>, Vec<_>) = done.partition(|event| event.side == Side::Server);
    assert_eq!(client_done.iter().map(|event| event.step.label()).collect::<Vec<_>>(), client);
    assert_eq!(server.iter().map(|event| event.step.label()).collect::<Vec<_>>(), ["6a"]);
    assert_eq!(server[0].data, TraceData::Done { took: 1.5 });
    assert!(trace.events().is_sorted_by_key(|event| event.at));

    for (step, wanted) in [(Step::CreateOffer, "offer"), (Step::SetLocalAnswer, "answer")] {
        let told =
            event(&trace, |event| event.step == step && matches!(event.data, TraceData::Description { .. }));
        let TraceData::Description { description } = told.await.data else { unreachable!() };
        assert!(sdp::has_data_channel(&description.sdp), "{wanted}");
    }
    for (side, step) in [(Side::Client, Step::SetLocalOffer), (Side::Server, Step::AddHostCandidates)] {
        event(&trace, |event| {
            event.side == side && event.step == step && matches!(event.data, TraceData::Candidate { .. })
        })
        .await;
    }
    let pair = event(&trace, |event| matches!(event.data, TraceData::CandidatePair { .. })).await;
    assert_eq!(pair.step, Step::CheckConnectivity);
    let channel = event(&trace, |event| matches!(event.data, TraceData::Channel { .. })).await;
    let TraceData::Channel { label, max_message_size, .. } = channel.data else { unreachable!() };
    assert_eq!(label, "chat");
    assert!(max_message_size >= 65_536, "{max_message_size}");
    for (machine, wanted) in [
        (StateMachine::Signaling, "stable"),
        (StateMachine::IceConnection, "connected"),
        (StateMachine::DtlsTransport, "connected"),
        (StateMachine::SctpTransport, "connected"),
        (StateMachine::DataChannel, "open"),
    ] {
        let state = TraceData::State { machine, state: wanted.to_owned() };
        event(&trace, |event| event.data == state).await;
    }
    assert_eq!(connection.session_id(), Some(SESSION));
    assert_eq!(connection.state(), ConnectionState::Connected);
}

#[wasm_bindgen_test]
async fn texts_and_bytes_come_back_unchanged_even_if_empty() {
    let (connection, _answerer) = connected().await;
    let mut channel = connection.channel();
    let messages = [
        Message::from("¡hola! 👋"),
        Message::from(""),
        Message::from(vec![0, 1, 254, 255]),
        Message::from(vec![]),
        Message::from("x".repeat(65_536)),
        Message::from(vec![7; 65_536]),
    ];
    for message in &messages {
        channel.send(message.clone()).await.unwrap();
    }
    for message in messages {
        assert_eq!(next(&mut channel).await, message);
    }
    // Browsers refresh the figures a few times a second.
    let counted = soon(async {
        loop {
            let stats = connection.stats().await.unwrap();
            if stats.messages_sent >= 6 {
                return stats;
            }
            pause(50).await;
        }
    });
    assert!(counted.await.pair.is_some_and(|pair| !pair.local.address.is_empty()));
}

#[wasm_bindgen_test]
async fn the_offer_leaves_at_once_or_with_all_candidates() {
    let (_connection, answerer) = connected().await;
    assert_eq!(sdp::candidates(&answerer.offer().sdp).count(), 0);

    let answerer = Answerer::new();
    let gathering = Gathering::Complete { deadline: Duration::from_secs(5) };
    let options = ConnectOptions::default().gathering(gathering);
    let _connection = soon(connect_with(answerer.clone(), options)).await.unwrap();
    assert!(sdp::candidates(&answerer.offer().sdp).count() > 0, "{}", answerer.offer().sdp);
}

#[wasm_bindgen_test]
async fn gathering_that_outlasts_its_deadline_does_not_hold_the_offer_back() {
    let answerer = Answerer::new();
    let gathering = Gathering::Complete { deadline: Duration::ZERO };
    let options = ConnectOptions::default().gathering(gathering);
    soon(connect_with(answerer.clone(), options)).await.unwrap();
    assert!(sdp::has_data_channel(&answerer.offer().sdp));
}

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
async fn both_sides_may_open_channels() {
    let (connection, answerer) = connected().await;
    let options = ChannelOptions::default().unordered().max_retransmits(0).protocol("p");
    let mine = connection.open_channel("mine", &options).unwrap();
    soon(mine.ready()).await.unwrap();
    assert_eq!((mine.label(), mine.protocol()), ("mine".to_owned(), "p".to_owned()));
    assert!(mine.id().is_some());

    let theirs = answerer.pc().create_data_channel("theirs");
    let mut incoming = connection.incoming_channels();
    let mut channel = soon(incoming.next()).await.unwrap();
    assert_eq!(channel.label(), "theirs");
    soon(channel.ready()).await.unwrap();
    soon(async {
        while theirs.ready_state() != RtcDataChannelState::Open {
            pause(5).await;
        }
    })
    .await;
    theirs.send_with_str("from there").unwrap();
    assert_eq!(next(&mut channel).await, Message::from("from there"));
}

#[wasm_bindgen_test]
async fn options_that_exclude_each_other_are_an_error_of_step_2() {
    let channel = ChannelOptions::default().max_retransmits(1).max_packet_life_time(1);
    let options = ConnectOptions::default().channel(&channel);
    let error = soon(connect_with(Answerer::new(), options)).await.unwrap_err();
    assert_eq!((error.step, &error.kind), (Step::CreateDataChannel, &ErrorKind::Js));
    assert!(error.to_string().contains("TypeError"), "{error}");
}

#[wasm_bindgen_test]
async fn a_message_above_the_negotiated_size_is_refused_with_both_sizes() {
    let lower = |sdp: String| {
        let lines = sdp.split_inclusive('\n').map(|line| {
            if line.starts_with("a=max-message-size:") { "a=max-message-size:1000\r\n" } else { line }
        });
        lines.collect()
    };
    let answerer = Answerer::tampering(lower);
    let connection = soon(connect_with(answerer.clone(), ConnectOptions::default())).await.unwrap();
    let mut channel = connection.channel();
    assert_eq!(channel.max_message_size(), Some(1000));
    let refused = Err(SendError::TooLarge { size: 1001, limit: 1000 });
    assert_eq!(channel.send(Message::from(vec![0; 1001])).await, refused);
    // Three bytes each.
    assert_eq!(
        channel.send(Message::from("€".repeat(334))).await,
        Err(SendError::TooLarge { size: 1002, limit: 1000 })
    );
    channel.send(Message::from(vec![0; 1000])).await.unwrap();
    assert_eq!(next(&mut channel).await.len(), 1000);
}

#[wasm_bindgen_test]
async fn sending_waits_at_the_high_water_mark_and_nothing_is_lost() {
    const COUNT: u32 = 400;
    const SIZE: u32 = 16_384;
    let (connection, _answerer) = connected().await;
    let (mut sender, mut receiver) = (connection.channel(), connection.channel());
    let mut most = 0;
    let send = async {
        for _ in 0..COUNT {
            sender.send(Message::from(vec![1; SIZE as usize])).await.unwrap();
            most = most.max(sender.buffered_amount());
        }
    };
    let receive = async {
        for _ in 0..COUNT {
            assert_eq!(next(&mut receiver).await.len(), SIZE as usize);
        }
    };
    support::within(Duration::from_mins(1), futures_util::future::join(send, receive)).await;
    assert!(most > HIGH_WATER / 2, "the mark was never near: {most}");
    assert!(most <= HIGH_WATER + SIZE, "{most} bytes waited");

    let filled = std::iter::repeat_with(|| sender.send_now(&Message::from(vec![1; SIZE as usize])))
        .take(1000)
        .find_map(Result::err);
    assert!(matches!(filled, Some(SendError::Full { buffered }) if buffered >= HIGH_WATER), "{filled:?}");
}

#[wasm_bindgen_test]
async fn a_thousand_messages_arrive_in_order() {
    let (connection, _answerer) = connected().await;
    let (mut sender, echoes) = (connection.channel(), connection.channel());
    for number in 0..1000 {
        sender.feed(Message::from(number.to_string())).await.unwrap();
    }
    let received: Vec<_> = soon(echoes.take(1000).collect()).await;
    assert!(
        received
            .into_iter()
            .enumerate()
            .all(|(number, message)| message == Message::from(number.to_string()))
    );
}

#[wasm_bindgen_test]
async fn a_wrong_fingerprint_is_a_failure_of_dtls() {
    let answerer = Answerer::tampering(|sdp| {
        let lines = sdp.split_inclusive('\n').map(|line| match line.strip_prefix("a=fingerprint:sha-256 ") {
            Some(print) => {
                let other = if print.starts_with("00") { "11" } else { "00" };
                format!("a=fingerprint:sha-256 {other}{}", &print[2..])
            }
            None => line.to_owned(),
        });
        lines.collect()
    });
    let connecting = connect_with(answerer.clone(), ConnectOptions::default());
    let trace = connecting.trace();
    let error = soon(connecting).await.unwrap_err();
    assert_eq!((error.phase, &error.kind), (Phase::Dtls, &ErrorKind::DtlsFailed), "{error} {trace:?}");
    let last = trace.events().pop().unwrap();
    assert_eq!(
        (last.step, last.data),
        (Step::HandshakeDtls, TraceData::Failed { phase: Phase::Dtls, message: error.to_string() })
    );
    assert_eq!(answerer.ended(), 1);
}

#[wasm_bindgen_test]
async fn an_other_side_that_cannot_be_reached_runs_into_the_deadline_of_ice() {
    let answerer = Answerer::tampering(|sdp| sdp.replace("a=ice-pwd:", "a=ice-pwd:x"));
    let options = ConnectOptions::default().deadline(Duration::from_secs(1));
    let error = soon(connect_with(answerer, options)).await.unwrap_err();
    assert_eq!((error.phase, &error.kind), (Phase::Ice, &ErrorKind::Timeout), "{error}");
    assert!(error.retryable());
}

#[wasm_bindgen_test]
async fn an_answer_that_the_browser_does_not_accept_is_told_as_such() {
    let answerer = Answerer::tampering(|_| "v=0\r\nnonsense".to_owned());
    let error = soon(connect_with(answerer.clone(), ConnectOptions::default())).await.unwrap_err();
    assert_eq!((error.step, &error.kind), (Step::SetRemoteAnswer, &ErrorKind::BadAnswer), "{error}");
    assert_eq!(answerer.ended(), 1);
}

#[wasm_bindgen_test]
async fn a_browser_without_webrtc_is_told_as_such() {
    let answerer = Answerer::new();
    let global = js_sys::global();
    let constructor = js_sys::Reflect::get(&global, &"RTCPeerConnection".into()).unwrap();
    js_sys::Reflect::delete_property(&global, &"RTCPeerConnection".into()).unwrap();
    let error = soon(connect_with(answerer, ConnectOptions::default())).await;
    js_sys::Reflect::set(&global, &"RTCPeerConnection".into(), &constructor).unwrap();
    assert_eq!(error.unwrap_err().kind, ErrorKind::Unsupported);
}

#[wasm_bindgen_test]
async fn the_gate_is_passed_before_each_step_and_does_not_use_up_the_deadline() {
    let passed = Rc::new(RefCell::new(Vec::new()));
    let gate = Gate::new({
        let passed = Rc::clone(&passed);
        move |step: Step| {
            let passed = Rc::clone(&passed);
            async move {
                pause(200).await;
                passed.borrow_mut().push(step.label());
            }
        }
    });
    let options = ConnectOptions::default().gate(gate).deadline(Duration::from_millis(1500));
    soon(connect_with(Answerer::new(), options)).await.unwrap();
    assert_eq!(*passed.borrow(), ["1", "2", "3", "4", "5", "7", "8a", "8b", "8c", "8d"]);
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

#[wasm_bindgen_test]
async fn two_connections_at_once_do_not_meet() {
    let ((first, _one), (second, _other)) = futures_util::join!(connected(), connected());
    for (connection, text) in [(&first, "first"), (&second, "second")] {
        let mut channel = connection.channel();
        channel.send(Message::from(text)).await.unwrap();
        assert_eq!(next(&mut channel).await, Message::from(text));
    }
    first.close();
    pause(50).await;
    assert_eq!(second.state(), ConnectionState::Connected);
}

#[wasm_bindgen_test]
async fn a_missing_transport_object_is_not_missed() {
    let prototype = js_sys::eval("RTCPeerConnection.prototype").unwrap();
    let descriptor =
        js_sys::eval("Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, 'sctp')").unwrap();
    let hidden = js_sys::eval("({ configurable: true, get: () => null })").unwrap();
    let define = |descriptor: &JsValue| {
        js_sys::Reflect::define_property(
            &prototype.clone().into(),
            &"sctp".into(),
            &descriptor.clone().into(),
        )
        .unwrap()
    };
    define(&hidden);
    let answerer = Answerer::new();
    let result = soon(connect_with(answerer.clone(), ConnectOptions::default())).await;
    let limit = result.map(|connection| connection.channel().max_message_size());
    define(&descriptor);
    assert_eq!(limit.unwrap(), None);
}
