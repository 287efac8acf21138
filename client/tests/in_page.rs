//! A connection inside the page: the client and an answerer made of the browser's own `RTCPeerConnection`.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hola_webrtc_client::{
    ChannelOptions, ConnectOptions, ConnectionState, Gate, Gathering, HIGH_WATER, Message, SendError, Side,
    StateMachine, Step, TraceData, connect_with,
};
use hola_webrtc_protocol::sdp;
use support::{
    answerer::{Answerer, SESSION, connected},
    event, next, pause, soon, steps,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::RtcDataChannelState;

wasm_bindgen_test_configure!(run_in_browser);

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
